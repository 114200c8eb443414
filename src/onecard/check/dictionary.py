"""The data dictionary (数据字典, ``settings/dictionary.toml``): what each column is for, and how it is to be kept.

Levels after GB/T 43697-2024: general, important, core (一般, 重要, 核心). Personal data after 个人信息保护法: none,
personal, sensitive (art. 28). A table states what holds for its columns; a column states its purpose and what differs.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DICTIONARY = Path(__file__).parents[1] / "settings" / "dictionary.toml"
LEVELS = ("general", "important", "core")
PERSONAL = ("none", "personal", "sensitive")
STATED = ("class", "personal", "basis", "retention")


@dataclass(frozen=True)
class Column:
    """What the dictionary says of one column. `basis` and `retention` name rows of its own tables."""

    purpose: str
    level: str
    personal: str
    basis: str
    retention: str


@dataclass(frozen=True)
class Dictionary:
    """Columns by (table, column), and everything wrong with the file."""

    columns: dict[tuple[str, str], Column]
    libraries: tuple[str, ...]
    faults: tuple[str, ...]


def read(path: Path = DICTIONARY) -> Dictionary:
    """Read the dictionary; what is incomplete or unknown in it comes as faults, not as an error."""
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    bases, keeping, libraries = raw.pop("basis", {}), raw.pop("retention", {}), raw.pop("library", {})
    columns: dict[tuple[str, str], Column] = {}
    faults: list[str] = []
    for table, said in raw.items():
        for name, column in said.get("columns", {}).items():
            found = _column(said, column)
            faults += [f"{table}.{name}: {why}" for why in _faults(found, bases, keeping)]
            columns[table, name] = found
    return Dictionary(columns, tuple(libraries), tuple(faults))


def _column(table: Mapping[str, Any], said: str | Mapping[str, Any]) -> Column:
    """A column that says only its purpose is otherwise as its table says."""
    own: Mapping[str, Any] = {"purpose": said} if isinstance(said, str) else said
    level, personal, basis, retention = (str(own.get(key, table.get(key, ""))) for key in STATED)
    return Column(str(own.get("purpose", "")), level, personal, basis, retention)


def _faults(column: Column, bases: Mapping[str, Any], keeping: Mapping[str, Any]) -> Iterable[str]:
    for word, value, known in (
        ("class", column.level, LEVELS),
        ("personal", column.personal, PERSONAL),
        ("basis", column.basis, bases),
        ("retention", column.retention, keeping),
    ):
        if value not in known:
            yield f"{word} {value!r}; expected one of {', '.join(known)}"
    if not column.purpose.strip():
        yield "no purpose"


def compare(dictionary: Dictionary, stored: Iterable[tuple[str, str]]) -> tuple[list[str], list[str], int]:
    """Columns that are stored and not described, described and not stored, and how many were looked at.

    Tables a library brings are described as a whole.
    """
    ours = [(table, name) for table, name in stored if not table.startswith(dictionary.libraries)]
    missing = [f"{table}.{name}" for table, name in ours if (table, name) not in dictionary.columns]
    gone = [f"{table}.{name}" for table, name in sorted(dictionary.columns.keys() - set(ours))]
    return missing, gone, len(ours)
