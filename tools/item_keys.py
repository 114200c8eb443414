"""The data dictionary of an item file (docs/item-files.md), from the structs that decode it.

Each key has an example: the shortest that is written in a file of docs/examples, else of the scenarios. Both are
decoded as strictly as any.
"""

import datetime as dt
import tomllib
import types
import typing
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from onecard.scenarios import FOLDER
from onecard_kit import item_files
from onecard_kit.item_keys import TABLES, Table
from onecard_kit.terms import FUNDER_ROLES, LEDGER_OF_ROLE, PAYEE_ROLES, PAYER_ROLES, Item

EXAMPLES = Path(__file__).resolve().parent.parent / "docs/examples/items"
EXAMPLE_MAX = 120
HEAD = ("key", "type", "default", "中文", "meaning", "example")
NAME_OF = {table.kind: table.name for table in TABLES}
ROLES = {
    "holder.purse": ("持卡人钱包", "the holder's purse"),
    "bank.clearing": ("合作银行清算户", "the partner bank's clearing account"),
    "bank.offer": ("合作银行的优惠", "the partner bank's offer"),
    "treasury.city": ("市财政", "the city treasury"),
    "employer.share": ("用人单位承担部分", "the employer's share"),
    "merchant.offer": ("商户的优惠", "the merchant's offer"),
    "operator.receivable": ("运营单位应收", "what the operator is owed"),
}


def sections() -> Iterator[tuple[str, str, list[tuple[str, ...]]]]:
    """(heading, what the table is, its rows) for each kind of table."""
    for table in TABLES:
        at = "、".join(f"`{place}`" for place in table.stands_at) if table.stands_at != ("$",) else ""
        told = f"{table.zh} / {table.en}."
        yield table.name, f"{at}: {told}" if at else told, [_row(table, field) for field in _fields(table)]


def _fields(table: Table) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(table.kind)


def _row(table: Table, field: msgspec.structs.FieldInfo) -> tuple[str, ...]:
    key = field.encode_name
    zh, en = table.keys[key]
    return f"`{key}`", type_of(field.type), _default(field), zh, en, f"`{_example(field, examples()[table.kind, key])}`"


def _example(field: msgspec.structs.FieldInfo, value: str) -> str:
    """A long table goes by its header; its keys have their examples in its own section."""
    key = field.encode_name
    if len(value) < EXAMPLE_MAX or item_files.struct_in(field.type) is None:
        return f"{key} = {value}"
    return f"[[{key}]]" if value.startswith("[") else f"[{key}]"


# --- Types and defaults -----------------------------------------------------------------------------------------------


def type_of(kind: Any) -> str:
    """A type as a reader of TOML calls it; tables are links to their section."""
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        return type_of(next(part for part in typing.get_args(kind) if part is not types.NoneType))
    parts = typing.get_args(kind)
    if parts:
        return f"list of {type_of(parts[0])}" if parts[-1] is ... else f"[{', '.join(map(type_of, parts))}]"
    if kind in NAME_OF:
        return f"[{NAME_OF[kind]}](#{NAME_OF[kind].lower()})"
    if issubclass(kind, StrEnum):
        return ", ".join(f"`{each.value}`" for each in kind)
    return {bool: "true or false", int: "whole number", str: "text", dt.date: "date"}[kind]


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    plain = msgspec.json.decode(msgspec.json.encode(field.default))
    return f"`{toml(plain)}`" if plain not in (None, "", []) else ""


# --- Examples ---------------------------------------------------------------------------------------------------------


@cache
def examples() -> dict[tuple[type[msgspec.Struct], str], str]:
    """The shortest value of each key of each table, as TOML; those of docs/examples first."""
    scenarios = _shortest(sorted(FOLDER.glob("*/items/*.toml")))
    return scenarios | _shortest(sorted(EXAMPLES.glob("*.toml")))


def _shortest(files: list[Path]) -> dict[tuple[type[msgspec.Struct], str], str]:
    found: dict[tuple[type[msgspec.Struct], str], str] = {}
    for path in files:
        item_files.load(path)
        for kind, key, value in _written(Item, tomllib.loads(path.read_text(encoding="utf-8"))):
            told = toml(value)
            found[kind, key] = min(found.get((kind, key), told), told, key=len)
    return found


def _written(kind: type[msgspec.Struct], table: dict[str, Any]) -> Iterator[tuple[type[msgspec.Struct], str, Any]]:
    """Every key of a table and of the tables inside it, with its value."""
    for field in msgspec.structs.fields(kind):
        value = table.get(field.encode_name)
        if value is None:
            continue
        yield kind, field.encode_name, value
        inner = item_files.struct_in(field.type)
        for each in (value if isinstance(value, list) else [value]) if inner is not None else ():
            yield from _written(inner, each)


def toml(value: Any) -> str:
    """A value as it is written in one line of TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {toml(each)}' for key, each in value.items())} }}"
    return str(value)


# --- Accounts ---------------------------------------------------------------------------------------------------------


def roles() -> Iterator[tuple[str, ...]]:
    """Every account that a file may name, its kind of value, and where it may stand."""
    may = (("from", PAYER_ROLES), ("to", PAYEE_ROLES), ("funded_by", FUNDER_ROLES))
    for role, (zh, en) in ROLES.items():
        keys = ", ".join(f"`{key}`" for key, allowed in may if role in allowed)
        yield f"`{role}`", zh, en, LEDGER_OF_ROLE.get(role, "as its payer's"), keys
