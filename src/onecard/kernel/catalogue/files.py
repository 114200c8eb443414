"""Reading a folder of scenarios: item files, the register of legal bases, the sets of places. Strict, and no database.

    <folder>/areas.toml                 sets of places
    <folder>/legal_bases.toml           texts and their articles
    <folder>/<field>/items/<name>.toml  one item each, `<field>.<name>`

The first two may be missing: a folder may add items to what is loaded already.
"""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

from onecard.foundation.errors import BadInput
from onecard_kit import item_files
from onecard_kit.expected import IN_BOTH_LANGUAGES, Expected, not_before
from onecard_kit.item_files import DeclarationError, Fault
from onecard_kit.terms import ALL, LOCAL, Bilingual, Declared, Item

DOTS_MAX = 200
AREAS, LEGAL_BASES = "areas.toml", "legal_bases.toml"
_AREA_SET = re.compile(r"[a-z][a-z0-9_]*")
_PLACE = re.compile(r"[0-9]{2}|[0-9]{4}|[0-9]{6}")
_TEXT = re.compile(r"[a-z][a-z0-9-]*")
_ARTICLE = re.compile(r"[a-z0-9][a-z0-9.-]*")
T = TypeVar("T")


class AreaSet(Declared, frozen=True, kw_only=True):
    """A named set of places: prefixes of GB/T 2260, two, four or six digits."""

    code: str
    name: Bilingual
    places: tuple[str, ...]


class Article(Declared, frozen=True, kw_only=True):
    """An article of a text, in our own words."""

    number: str
    zh: str
    en: str


class LegalText(Declared, frozen=True, kw_only=True):
    """A law, regulation or plan; `effective_on` where it is known, `repeals` what it puts out of force."""

    code: str
    issuer: Bilingual
    title: Bilingual
    effective_on: dt.date | None = None
    repeals: str = ""
    article: tuple[Article, ...] = ()


class _Areas(Declared, frozen=True, kw_only=True):
    area_set: tuple[AreaSet, ...] = ()


class _LegalTexts(Declared, frozen=True, kw_only=True):
    text: tuple[LegalText, ...] = ()


class Placed(NamedTuple):
    """An item and the file that declares it."""

    item: Item
    file: str


@dataclass(frozen=True)
class Folder:
    """What a folder declares, in path order."""

    items: tuple[Placed, ...]
    area_sets: tuple[AreaSet, ...] = ()
    legal_texts: tuple[LegalText, ...] = ()


def read(folder: Path) -> Folder:
    """Decode a folder. Raises BadInput ITEM_FILE_INVALID with the file, the path inside it and what was expected."""
    try:
        return Folder(
            tuple(_placed(path, folder) for path in sorted(folder.glob("*/items/*.toml"))),
            _area_sets(folder / AREAS),
            _legal_texts(folder / LEGAL_BASES),
        )
    except DeclarationError as error:
        raise invalid(error.file, error.path, error.expected) from error


def one(text: str, file: str) -> Folder:
    """Decode one item file that came by itself; `file` is only named. Raises BadInput ITEM_FILE_INVALID."""
    # The parser's time grows with the square of a key's parts, and a file may be one long key.
    if any(line.count(".") > DOTS_MAX for line in text.splitlines()):
        dots = Expected(f"每行最多 {DOTS_MAX} 个点", f"expected lines with at most {DOTS_MAX} full stops")
        raise invalid(file, "$", dots)
    try:
        return Folder((Placed(item_files.parse(text, file), file),))
    except DeclarationError as error:
        raise invalid(error.file, error.path, error.expected) from error


def invalid(file: str, path: str, expected: Expected) -> BadInput:
    """The refusal of a file: nothing of the folder was taken."""
    return BadInput(
        "ITEM_FILE_INVALID",
        f"应用项目文件有误：{file}: {path}: {expected.zh}。",
        f"An item file cannot be taken: {file}: {path}: {expected.en}.",
        next_zh="请按提示修改文件后重新装载；目录未作任何改动。",
        next_en="Correct the file and load again; nothing was changed.",
    )


def _placed(path: Path, folder: Path) -> Placed:
    """An item lies in the folder of its field: `transit/items/bus_ride.toml` declares `transit.bus_ride`."""
    file = str(path.relative_to(folder))
    item = item_files.load(path, file)
    expected = f"{path.parent.parent.name}.{path.stem}"
    if item.code != expected:
        told = Expected(f"按文件所在位置应为 {expected}", f"expected {expected}, after the file's place")
        raise DeclarationError(file, "$.code", told)
    return Placed(item, file)


def _area_sets(path: Path) -> tuple[AreaSet, ...]:
    found = _decoded(path, _Areas).area_set if path.exists() else ()
    _refuse(path.name, _area_faults(found))
    return found


def _legal_texts(path: Path) -> tuple[LegalText, ...]:
    found = _decoded(path, _LegalTexts).text if path.exists() else ()
    _refuse(path.name, _legal_faults(found))
    return found


def _decoded(path: Path, kind: type[T]) -> T:
    text = item_files.text_of(path, path.name)
    return item_files.decoded(item_files.plain_of(text, path.name), kind, path.name)


def _refuse(file: str, faults: Iterator[Fault]) -> None:
    for path, expected in faults:
        raise DeclarationError(file, path, expected)


def _area_faults(area_sets: tuple[AreaSet, ...]) -> Iterator[Fault]:
    for n, each in enumerate(area_sets):
        at = f"$.area_set[{n}]"
        if not _AREA_SET.fullmatch(each.code) or each.code in (LOCAL, ALL):
            yield (
                f"{at}.code",
                Expected(
                    f"应为小写名称，不能是 {LOCAL} 或 {ALL}",
                    f"expected a name in lower case, other than {LOCAL} and {ALL}",
                ),
            )
        if each.code in {before.code for before in area_sets[:n]}:
            yield f"{at}.code", not_before("代码", "code", each.code)
        if not each.places or not all(_PLACE.fullmatch(place) for place in each.places):
            yield (
                f"{at}.places",
                Expected(
                    "应为行政区划代码的前两位、四位或六位", "expected prefixes of divisions: two, four or six digits"
                ),
            )
        yield from _empty(f"{at}.name", each.name)


def _legal_faults(texts: tuple[LegalText, ...]) -> Iterator[Fault]:
    for n, text in enumerate(texts):
        at = f"$.text[{n}]"
        if not _TEXT.fullmatch(text.code):
            yield f"{at}.code", Expected("应为小写名称", "expected a name in lower case")
        if text.code in {before.code for before in texts[:n]}:
            yield f"{at}.code", not_before("代码", "code", text.code)
        yield from _empty(f"{at}.issuer", text.issuer)
        yield from _empty(f"{at}.title", text.title)
        for m, article in enumerate(text.article):
            if not _ARTICLE.fullmatch(article.number):
                yield (
                    f"{at}.article[{m}].number",
                    Expected("应为条款号，如 13 或 3.1.1", "expected a number such as 13 or 3.1.1"),
                )
            if article.number in {before.number for before in text.article[:m]}:
                yield f"{at}.article[{m}].number", not_before("条款号", "number", article.number)
            yield from _empty(f"{at}.article[{m}]", article)


def _empty(path: str, words: Bilingual | Article) -> Iterator[Fault]:
    if not (words.zh.strip() and words.en.strip()):
        yield path, IN_BOTH_LANGUAGES
