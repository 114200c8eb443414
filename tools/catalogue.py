"""Bring the English catalogue to the code: extract, merge into locale/en, compile. Chinese is the source.

python tools/catalogue.py       then translate what it lists in src/onecard/locale/en/LC_MESSAGES/django.po, run again
"""

import datetime as dt
from pathlib import Path

from babel.messages import extract
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

SRC = Path(__file__).resolve().parent.parent / "src" / "onecard"
EPOCH = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
PO = SRC / "locale" / "en" / "LC_MESSAGES" / "django.po"


def extracted() -> Catalog:
    """Everything the code marks for translation, with where it stands."""
    found = Catalog(charset="utf-8", creation_date=EPOCH)
    templates = sorted(SRC.glob("**/templates/**/*.html"))
    for method, paths in (("jinja2", templates), ("python", sorted(SRC.glob("**/*.py")))):
        for path in paths:
            with path.open("rb") as source:
                for _line, message, comments, _context in extract.extract(
                    method, source, options={"newstyle_gettext": "true"}
                ):
                    # Without line numbers the catalogue changes only when a text does.
                    found.add(message, None, [(str(path.relative_to(SRC)), 0)], auto_comments=comments)
    return found


def main() -> None:
    PO.parent.mkdir(parents=True, exist_ok=True)
    if PO.exists():
        with PO.open("rb") as source:
            catalogue = read_po(source, locale="en")
    else:
        catalogue = Catalog(locale="en")
    catalogue.update(extracted(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    # A header that says only what is so, and changes only when a text does.
    catalogue.project, catalogue.version, catalogue.msgid_bugs_address = "OneCard", "", ""
    catalogue.last_translator, catalogue.language_team = "", "en"
    catalogue.creation_date = catalogue.revision_date = EPOCH
    catalogue.header_comment, catalogue.fuzzy = (
        "# The English texts. The Chinese ones in the code are the source.",
        False,
    )
    with PO.open("wb") as target:
        write_po(target, catalogue, omit_header=False, sort_output=True, include_lineno=False, width=120)
    with PO.open("rb") as source, PO.with_suffix(".mo").open("wb") as target:
        write_mo(target, read_po(source, locale="en"))
    for message in catalogue:
        if message.id and not message.string:
            print(message.id)


if __name__ == "__main__":
    main()
