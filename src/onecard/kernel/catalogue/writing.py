"""An item as a file says it: what `files` reads is what this writes. What goes without saying is left out."""

import datetime as dt
import json
from collections.abc import Iterator
from enum import Enum

import msgspec

from onecard_kit.terms import Concession, Item

Plain = dict[str, "Value"]
Value = str | int | bool | dt.date | list["Value"] | Plain
# Written as tables of their own, after everything else, as TOML wants it.
TABLES = ("concession",)
WIDTH = 100


def toml_of(item: Item) -> str:
    """The file of an item, in the order of its keys."""
    told = _struct(item)
    tables = [(key, each) for key in TABLES for each in _list_of_tables(told.pop(key, []))]
    lines = [f"{key} = {_value(value, '')}" for key, value in told.items()]
    for key, table in tables:
        lines += ["", f"[[{key}]]", *(f"{name} = {_value(value, '')}" for name, value in table.items())]
    return "\n".join(lines) + "\n"


def _list_of_tables(value: Value) -> Iterator[Plain]:
    assert isinstance(value, list)
    for each in value:
        assert isinstance(each, dict)
        yield each


def _struct(told: msgspec.Struct) -> Plain:
    """The keys of a table that say something: not what holds anyway, nor a name that a concession has by itself."""
    found: Plain = {}
    for field in msgspec.structs.fields(told):
        value = getattr(told, field.name)
        if value is None or value == field.default:
            continue
        if isinstance(told, Concession) and field.name == "key" and value == (told.class_ or told.pass_):
            continue
        found[field.encode_name] = _plain(value)
    return found


def _plain(value: object) -> Value:
    if isinstance(value, msgspec.Struct):
        return _struct(value)
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, Enum):
        return str(value.value)
    assert isinstance(value, str | int | dt.date)
    return value


def _value(value: Value, indent: str) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(each, indent)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return _list(value, indent)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)  # a text without controls is written alike in both
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _list(values: list[Value], indent: str) -> str:
    """On one line where it fits, else a member a line."""
    members = [_value(each, indent + "  ") for each in values]
    short = "[" + ", ".join(members) + "]"
    if len(short) <= WIDTH:
        return short
    return "\n".join(["[", *(f"{indent}  {each}," for each in members), f"{indent}]"])
