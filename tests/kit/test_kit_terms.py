"""The strict decoding of item files: each fault is told with its file, its path and what was expected."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from onecard_kit import terms
from onecard_kit.terms import DeclarationError, Item

FILE = "transit/items/bus_ride.toml"
FULL = """
code = "transit.bus_ride"
version = 2
starts_on = 2026-01-01
ends_on = 2027-01-01
name = { zh = "公交乘车", en = "Bus ride" }
legal_basis = "条例 第十三条"
media = ["code", "card"]
function = "transit"
region = "local"
classes = ["senior_60", "senior_70"]
limit = { count = 20, period = "month" }
offline = { limit_fen = 2000, days = 7, shortfall = "operator" }
price = { full_fen = 200, from = "holder.purse", to = "operator.receivable" }

[[concession]]
class = "everyone"
region = "all"
price = { percent = 95 }
funded_by = "operator"

[[concession]]
class = "senior_60"
price = { fixed_fen = 100 }
funded_by = "treasury.city"
quota = { count = 2, period = "day" }
note = { zh = "半价", en = "Half price" }
"""
BARE = """
code = "culture.library_entry"
version = 1
starts_on = 2026-01-01
name = { zh = "图书馆入馆", en = "Library entry" }
legal_basis = "test"
"""
SCENARIOS = Path(__file__).parents[2] / "src" / "onecard" / "scenarios"
OPEN = 'price = { open_fen = [1000, 50000], from = "bank.clearing", to = "holder.purse" }'
FIXED = 'price = { full_fen = 200, from = "holder.purse", to = "operator.receivable" }'
KNOWN_IN_ITEM = (
    "code, version, starts_on, name, legal_basis, ends_on, media, function, region, classes, limit, offline, price, "
    "concession"
)
FUNDERS = "expected operator or one of treasury.city, bank.offer"
PAYERS = "expected one of holder.purse, bank.clearing, bank.offer, treasury.city"
PAYEES = "expected one of operator.receivable, holder.purse, bank.clearing, other than from"
PERCENT = "expected 0 to 100: a rule never raises the price above full"
ONE_DISCOUNT = "expected exactly one of percent, fixed_fen"
BOUNDS = "expected [least, most] with 0 < least ≤ most ≤ 1000000000"

# What is replaced in the full file, by what → the path that is told, and what was expected there.
FAULTS = [
    # keys that are not known, at every level
    (
        "version = 2",
        "version = 2\nversio = 2",
        "$",
        f"Object contains unknown field `versio`; known here: {KNOWN_IN_ITEM}",
    ),
    (
        'en = "Bus ride"',
        'en = "Bus ride", de = "Bus"',
        "$.name",
        "Object contains unknown field `de`; known here: zh, en",
    ),
    (
        "count = 20",
        "count = 20, hours = 3",
        "$.limit",
        "Object contains unknown field `hours`; known here: count, period",
    ),
    (
        "days = 7",
        "days = 7, x = 1",
        "$.offline",
        "Object contains unknown field `x`; known here: limit_fen, days, shortfall",
    ),
    (
        "full_fen = 200",
        "full_fen = 200, fen = 2",
        "$.price",
        "Object contains unknown field `fen`; known here: from, to, full_fen, open_fen",
    ),
    (
        'class = "everyone"',
        'class = "everyone"\nwho = 1',
        "$.concession[0]",
        "Object contains unknown field `who`; known here: class, price, funded_by, region, quota, note",
    ),
    (
        "percent = 95",
        "percent = 95, off = 5",
        "$.concession[0].price",
        "Object contains unknown field `off`; known here: percent, fixed_fen",
    ),
    (
        "count = 2,",
        "count = 2, of = 9,",
        "$.concession[1].quota",
        "Object contains unknown field `of`; known here: count, period",
    ),
    (
        'zh = "半价"',
        'zh = "半价", x = 1',
        "$.concession[1].note",
        "Object contains unknown field `x`; known here: zh, en",
    ),
    ("version = 2", 'version = 2\n"x - at `$.y" = 2', "$.y", "Object contains unknown field `x; known here: "),
    # wrong types
    ("version = 2", 'version = "2"', "$.version", "Expected `int`, got `str`"),
    ("version = 2", "version = 2.0", "$.version", "Expected `int`, got `float`"),
    ("version = 2", "version = true", "$.version", "Expected `int`, got `bool`"),
    ("2026-01-01", "2026-01-01T00:00:00", "$.starts_on", "Expected `date`, got `datetime`"),
    ("2026-01-01", '"1 January"', "$.starts_on", "Invalid RFC3339 encoded date"),
    ('["code", "card"]', '"code"', "$.media", "Expected `array`, got `str`"),
    ('["code", "card"]', '["code", "face"]', "$.media[1]", "Invalid enum value 'face'"),
    ('function = "transit"', 'function = "bus"', "$.function", "Invalid enum value 'bus'"),
    ('region = "local"', 'region = "here"', "$.region", "Invalid enum value 'here'"),
    ('period = "month"', 'period = "week"', "$.limit.period", "Invalid enum value 'week'"),
    ("percent = 95", 'percent = "95"', "$.concession[0].price.percent", "Expected `int | null`, got `str`"),
    ("name = {", 'name = "bus" #{', "$.name", "Expected `object`, got `str`"),
    (
        FIXED,
        'price = { open_fen = [1, 2, 3], from = "bank.clearing", to = "holder.purse" }',
        "$.price.open_fen",
        "Expected `array` of length 2, got 3",
    ),
    # missing keys
    ('code = "transit.bus_ride"', "", "$", "Object missing required field `code`"),
    ('legal_basis = "条例 第十三条"', "", "$", "Object missing required field `legal_basis`"),
    ('zh = "公交乘车", ', "", "$.name", "Object missing required field `zh`"),
    ('from = "holder.purse", ', "", "$.price", "Object missing required field `from`"),
    ('funded_by = "operator"', "", "$.concession[0]", "Object missing required field `funded_by`"),
    (', shortfall = "operator"', "", "$.offline", "Object missing required field `shortfall`"),
    (', period = "day"', "", "$.concession[1].quota", "Object missing required field `period`"),
    # values that make no sense
    ("transit.bus_ride", "bus_ride", "$.code", "expected <field>.<name> in lower case"),
    ("transit.bus_ride", "Transit.Bus", "$.code", "expected <field>.<name> in lower case"),
    ("version = 2", "version = 0", "$.version", "expected 1 to 1000000"),
    ("version = 2", "version = 99999999999999999999", "$.version", "expected 1 to 1000000"),
    ("ends_on = 2027-01-01", "ends_on = 2025-01-01", "$.ends_on", "expected a day after starts_on"),
    ("ends_on = 2027-01-01", "ends_on = 2026-01-01", "$.ends_on", "expected a day after starts_on"),
    ('["code", "card"]', "[]", "$.media", "expected at least one of code, card"),
    ('"senior_70"]', '"senior_71"]', "$.classes", "unknown class senior_71"),
    ("count = 20", "count = 0", "$.limit.count", "expected 1 to 1000000"),
    ("full_fen = 200", "full_fen = -1", "$.price.full_fen", "expected 0 to 1000000000"),
    ("full_fen = 200", "full_fen = 1000000001", "$.price.full_fen", "expected 0 to 1000000000"),
    ("full_fen = 200, ", "", "$.price", "expected exactly one of full_fen, open_fen"),
    ("full_fen = 200", "full_fen = 200, open_fen = [1, 2]", "$.price", "expected exactly one of full_fen, open_fen"),
    (FIXED, OPEN.replace("1000,", "60000,"), "$.price.open_fen", BOUNDS),
    (FIXED, OPEN.replace("1000,", "0,"), "$.price.open_fen", BOUNDS),
    ('from = "holder.purse"', 'from = "holder.pocket"', "$.price.from", PAYERS),
    ('to = "operator.receivable"', 'to = "operator"', "$.price.to", PAYEES),
    ('to = "operator.receivable"', 'to = "holder.purse"', "$.price.to", PAYEES),
    (
        FIXED,
        FIXED.replace("holder.purse", "treasury.city").replace("operator.receivable", "holder.purse"),
        "$.price.to",
        "expected another: treasury.city holds another kind of value than a purse",
    ),
    (FIXED, "", "$.concession", "expected a price that it reduces"),
    ("percent = 95", "percent = 101", "$.concession[0].price.percent", PERCENT),
    ("percent = 95", "percent = -1", "$.concession[0].price.percent", PERCENT),
    ("percent = 95", "", "$.concession[0].price", ONE_DISCOUNT),
    ("percent = 95", "percent = 95, fixed_fen = 1", "$.concession[0].price", ONE_DISCOUNT),
    (
        "fixed_fen = 100",
        "fixed_fen = 201",
        "$.concession[1].price.fixed_fen",
        "expected 0 to the full price: a rule never raises it",
    ),
    ('class = "everyone"', 'class = "all"', "$.concession[0].class", None),
    (
        'class = "everyone"',
        'class = "senior_60"',
        "$.concession[1].class",
        "expected a class not declared before: senior_60",
    ),
    ('funded_by = "operator"', 'funded_by = "someone"', "$.concession[0].funded_by", FUNDERS),
    ('funded_by = "operator"', 'funded_by = "holder.purse"', "$.concession[0].funded_by", FUNDERS),
    (FIXED, OPEN, "$.concession[0].funded_by", "expected who can pay the rest into a purse: bank.offer"),
    ("count = 2,", "count = 0,", "$.concession[1].quota.count", "expected 1 to 1000000"),
    # not TOML at all
    ("version = 2", "version = ", "$", None),
    ("version = 2", "version = 2\nversion = 3", "$", None),
    ("2026-01-01", "2026-02-30", "$", None),
    ("version = 2", "version = " + "9" * 5000, "$", None),
    ("version = 2", "version = " + "[" * 5000, "$", None),
    ("[[concession]]", "[concession]", "$", None),
]


@pytest.mark.parametrize(("old", "new", "path", "expected"), FAULTS)
def test_a_fault_is_told_with_file_path_and_expectation(old: str, new: str, path: str, expected: str | None) -> None:
    assert old in FULL
    with pytest.raises(DeclarationError) as refused:
        terms.parse(FULL.replace(old, new, 1), FILE)
    error = refused.value
    assert (error.file, error.path) == (FILE, path)
    assert expected in (None, error.expected)
    assert str(error) == f"{FILE}: {path}: {error.expected}"


def test_the_expectation_of_an_unknown_class_names_the_known_ones() -> None:
    with pytest.raises(DeclarationError, match="unknown class all; expected everyone or one of pupil_6_14, senior_60"):
        terms.parse(FULL.replace('"everyone"', '"all"'), FILE)


def test_a_file_that_is_not_utf_8_is_told_so(tmp_path: Path) -> None:
    file = tmp_path / "item.toml"
    file.write_bytes(BARE.encode("gb18030"))
    with pytest.raises(DeclarationError, match=r"item\.toml: \$: expected UTF-8: "):
        terms.load(file)


# What is declared is what is kept -------------------------------------------------------------------------------------


def plain(item: Item) -> Any:
    """As the catalogue stores a version: JSON and back."""
    return json.loads(json.dumps(msgspec.to_builtins(item, str_keys=True)))


def declared() -> list[Path]:
    return sorted(SCENARIOS.glob("*/items/*.toml"))


@pytest.mark.parametrize("text", [FULL, BARE, BARE + OPEN], ids=["full", "bare", "open"])
def test_an_item_comes_back_from_its_plain_form(text: str) -> None:
    item = terms.parse(text, FILE)
    assert terms.from_plain(plain(item), "stored") == item


@pytest.mark.parametrize("file", declared(), ids=lambda file: file.stem)
def test_every_declared_item_comes_back_from_its_plain_form(file: Path) -> None:
    item = terms.load(file)
    assert terms.from_plain(plain(item), "stored") == item
    assert item.code == f"{file.parent.parent.name}.{file.stem}"


def test_absence_means_the_stated_default() -> None:
    item = terms.parse(BARE, FILE)
    assert (item.media, item.region, item.concession) == (("code", "card"), "all", ())
    absent = (item.ends_on, item.function, item.limit, item.offline, item.price)
    assert absent == (None,) * 5
    assert terms.parse(FULL, FILE).concession[1].region == "local"


def test_a_declaration_error_carries_what_it_says() -> None:
    error = DeclarationError("a.toml", "$.x", "expected more")
    assert str(error) == "a.toml: $.x: expected more"
    assert (error.file, error.path, error.expected) == ("a.toml", "$.x", "expected more")


# Whatever is written, nothing else is raised --------------------------------------------------------------------------

LINES = [line for line in FULL.splitlines() if line]
ODD_LINES = """
price = {}
price = []
price.full_fen = 1e400
limit = 3
name = {}
name.zh.x = 1
[price]
[[price]]
[[concession]]
concession = 1
concession = [1]
classes = [1]
media = [[]]
ends_on = 07:32:00
version = nan
version = -inf
open_fen = [1]
a.b.c = 1
"" = 1
x = 1979-05-27T07:32:00Z
"""
fragments = st.sampled_from([*LINES, *ODD_LINES.split("\n")])
edits = st.lists(st.tuples(st.integers(0, len(LINES)), st.sampled_from(["insert", "replace"]), fragments), max_size=4)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def only_a_declaration_error(text: str) -> None:
    with suppress(DeclarationError):
        item = terms.parse(text, FILE)
        assert terms.from_plain(plain(item), "stored") == item


@given(st.text())
@example("a = 1\n" * 3)
@example("a." * 500 + "a = 1")
@example("a = " + "{a = " * 3000)
def test_any_text_is_an_item_or_a_declaration_error(text: str) -> None:
    only_a_declaration_error(text)


@given(edits)
def test_any_edit_of_a_file_is_an_item_or_a_declaration_error(changes: list[tuple[int, str, str]]) -> None:
    lines = list(LINES)
    for at, how, fragment in changes:
        lines[at : at + (how == "replace")] = [fragment]
    only_a_declaration_error("\n".join(lines))


@given(st.integers(0, len(FULL)), st.integers(0, 6), st.text(max_size=4))
def test_any_slip_of_the_pen_is_an_item_or_a_declaration_error(at: int, length: int, typed: str) -> None:
    only_a_declaration_error(FULL[:at] + typed + FULL[at + length :])


@given(st.data())
def test_any_value_in_place_of_another_is_an_item_or_a_declaration_error(data: st.DataObject) -> None:
    """A stored version is decoded without its cross-checks, but as strictly."""
    raw = plain(terms.parse(FULL, FILE))
    place, key = raw, data.draw(st.sampled_from(sorted(raw)))
    while isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans()):
        place = place[key]
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
    place[key] = data.draw(values)
    with suppress(DeclarationError):
        terms.from_plain(raw, FILE)
