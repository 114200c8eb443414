"""What the integrators' pages are made from, as files: both OpenAPI documents, and every refusal in both languages.

The pages are a face of their own, which imports neither of the two that answer (the import contracts).
"""

import json
import os
from pathlib import Path
from typing import Any

from tools import problems

from onecard.gateway import reference

Sources = dict[str, tuple[Path, ...]]


def write(folder: Path, sources: Sources, *, check: bool = False) -> list[Path]:
    """Write the files into a folder, or only compare; those that differ. `sources` are each interface's files that
    raise refusals.
    """
    refusals = {name: [each._asdict() for each in problems.by_code(paths)] for name, paths in sources.items()}
    made = {"gateway.json": reference.document(), "department.json": department(), "refusals.json": refusals}
    stale = []
    for name, value in made.items():
        path, text = folder / name, json.dumps(value, ensure_ascii=False, indent=1) + "\n"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path)
            if not check:
                path.write_text(text, encoding="utf-8")
    return stale


def department() -> dict[str, Any]:
    """The department API's document, as its process hands it out."""
    import django
    from django.apps import apps

    if not apps.ready:  # nothing is asked of the database
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onecard.settings.owner")
        os.environ.setdefault("ONECARD_SECRET_KEY", "for reading declarations only")
        django.setup()
    from onecard.api.app import api

    told: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/v1/"), default=str))
    return told
