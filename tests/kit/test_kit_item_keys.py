"""The data dictionary of an item file says what the structs say, and its examples are examples."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tools import item_keys

from onecard.scenarios import FOLDER
from onecard_kit import item_files
from onecard_kit.item_keys import TABLES, Table
from onecard_kit.terms import FUNDER_ROLES, PAYEE_ROLES, PAYER_ROLES, Bilingual, Concession, Item

CHINESE = re.compile("[一-鿿]")
KEYS = [pytest.param(table, key, id=f"{table.name}.{key}") for table in TABLES for key in table.keys]
EXAMPLES = sorted(item_keys.EXAMPLES.glob("*.toml"))


def structs_of(kind: type[msgspec.Struct]) -> Iterator[tuple[str, type[msgspec.Struct]]]:
    """Every struct that a file may hold, by the path of its table without list signs."""
    for field in msgspec.structs.fields(kind):
        inner = item_files.struct_in(field.type)
        if inner is not None:
            yield field.encode_name, inner
            yield from ((f"{field.encode_name}.{path}", found) for path, found in structs_of(inner))


def test_every_table_of_a_file_is_described_where_it_stands() -> None:
    found = {("$", Item), *structs_of(Item)}
    assert {(place, table.kind) for table in TABLES for place in table.stands_at} == found
    assert sum(len(table.stands_at) for table in TABLES) == len(found)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_key_of_a_struct_has_its_meaning_in_both_languages(table: Table) -> None:
    assert set(table.keys) == {field.encode_name for field in msgspec.structs.fields(table.kind)}
    for zh, en in ((table.zh, table.en), *table.keys.values()):
        assert CHINESE.search(zh)
        assert en.isascii()


@pytest.mark.parametrize(("table", "key"), KEYS)
def test_every_key_has_an_example_that_decodes_as_its_struct_wants(table: Table, key: str) -> None:
    told = item_keys.examples()[table.kind, key]
    value = tomllib.loads(f"{key} = {told}")[key]
    field = next(field for field in msgspec.structs.fields(table.kind) if field.encode_name == key)
    msgspec.convert(value, field.type, strict=True)
    assert value not in ([], {})


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_file_points_only_to_what_there_is(file: Path) -> None:
    item = item_files.load(file)
    bases = tomllib.loads((FOLDER / "legal_bases.toml").read_text(encoding="utf-8"))["text"]
    known = {f"{text['code']}/{article['number']}" for text in bases for article in text.get("article", ())}
    assert set(item.legal_basis) <= known
    declared = {f"{path.parent.parent.name}.{path.stem}" for path in FOLDER.glob("*/items/*.toml")}
    assert {*(item.transfer.after if item.transfer else ()), *([item.extends] if item.extends else [])} <= declared
    assert item.code not in declared


def test_types_and_defaults_are_told_as_a_reader_of_toml_calls_them() -> None:
    rows = {row[0]: row[1:3] for _, _, lines in item_keys.sections() for row in lines}
    assert rows["`starts_on`"] == ("date", "required")
    assert rows["`level`"] == ("`region`, `province`, `city`, `county`", '`"city"`')
    assert rows["`attended`"] == ("true or false", "`false`")
    assert rows["`steps`"] == ("list of [whole number, whole number]", "required")
    assert rows["`refund`"] == ("[Refund](#refund)", "`{ within_days = 30 }`")
    assert rows["`line`"] == ("list of [Line](#line)", "required")
    assert item_keys.type_of(tuple[Bilingual, ...]) == "list of [Words](#words)"
    assert item_keys.type_of(Concession | None) == "[Concession](#concession)"


@pytest.mark.parametrize("value", ["a", 3, True, ["a", ["b", 1]], {"a": {"b": ["c"]}, "d": False}])
def test_a_value_is_written_as_toml_reads_it(value: object) -> None:
    assert tomllib.loads(f"x = {item_keys.toml(value)}") == {"x": value}


def test_every_account_that_a_file_may_name_is_explained() -> None:
    assert set(item_keys.ROLES) == {*PAYER_ROLES, *PAYEE_ROLES, *FUNDER_ROLES}
