"""Loading item files: what is refused with file and path, and that a folder is loaded whole or not at all."""

import datetime as dt
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from onecard.foundation.actors import Actor, system
from onecard.foundation.errors import BadInput, Conflict, NotPermitted
from onecard.kernel.audit import queries as audit
from onecard.kernel.catalogue import actions
from onecard.kernel.catalogue.models import Item, ItemVersion

LOADER = Actor("staff:5", frozenset({"catalogue.load"}))
RIDE = """
code = "transit.bus_ride"
version = 1
starts_on = 2026-01-01
name = { zh = "公交乘车", en = "Bus ride" }
legal_basis = "test"
price = { full_fen = 200, from = "holder.purse", to = "operator.receivable" }

[[concession]]
class = "senior_70"
price = { percent = 0 }
funded_by = "treasury.city"
"""
ENTRY = """
code = "culture.library_entry"
version = 1
starts_on = 2026-01-01
name = { zh = "图书馆入馆", en = "Library entry" }
legal_basis = "test"
"""


def a_folder(tmp_path: Path, **files: str) -> Path:
    """`transit__bus_ride=text` lies at transit/items/bus_ride.toml."""
    for place, text in files.items():
        field, name = place.split("__")
        folder = tmp_path / field / "items"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return tmp_path


def load(tmp_path: Path, **files: str) -> actions.Loaded:
    return actions.load_items(LOADER, actions.read_items(a_folder(tmp_path, **files)))


FAULTS = [
    ("wrong key", 'legal_basis = "test"', 'legal_base = "test"', "$", "legal_base"),
    ("wrong key inside", "full_fen = 200", "full_fee = 200", "$.price", "full_fee"),
    ("wrong key in a list", "percent = 0", "procent = 0", "$.concession[0].price", "procent"),
    ("wrong type", "version = 1", 'version = "one"', "$.version", "int"),
    ("missing name", ', en = "Bus ride"', "", "$.name", "en"),
    ("unknown medium", 'legal_basis = "test"', 'legal_basis = "test"\nmedia = ["voice"]', "$.media[0]", "voice"),
    ("unknown class", '"senior_70"', '"senior_700"', "$.concession[0].class", "senior_700"),
    ("unknown class of the item", 'legal_basis = "test"', 'legal_basis = "test"\nclasses = ["martian"]', "$.classes",
     "martian"),
    ("price without funder", 'funded_by = "treasury.city"', "", "$.concession[0]", "funded_by"),
    ("unknown funder", '"treasury.city"', '"treasury.moon"', "$.concession[0].funded_by", "treasury.city"),
    ("percent over 100", "percent = 0", "percent = 101", "$.concession[0].price.percent", "0 to 100"),
    ("percent below 0", "percent = 0", "percent = -1", "$.concession[0].price.percent", "0 to 100"),
    ("both percent and fixed", "percent = 0", "percent = 0, fixed_fen = 1", "$.concession[0].price", "exactly one"),
    ("dearer than full", "percent = 0", "fixed_fen = 201", "$.concession[0].price.fixed_fen", "full price"),
    ("unknown payer", '"holder.purse"', '"holder.pocket"', "$.price.from", "holder.purse"),
    ("payee is the payer", '"operator.receivable"', '"holder.purse"', "$.price.to", "other than from"),
    ("negative price", "full_fen = 200", "full_fen = -1", "$.price.full_fen", "expected 0 to"),
    ("no price at all", "full_fen = 200, ", "", "$.price", "exactly one"),
    ("both kinds of price", "full_fen = 200", "full_fen = 200, open_fen = [1, 2]", "$.price", "exactly one"),
    ("open price upside down", "full_fen = 200", "open_fen = [9, 1]", "$.price.open_fen", "least"),
    ("version nought", "version = 1", "version = 0", "$.version", "expected 1 to"),
    ("ends before it starts", "starts_on = 2026-01-01", "starts_on = 2026-01-01\nends_on = 2025-12-31", "$.ends_on",
     "after starts_on"),
    ("code not after its place", '"transit.bus_ride"', '"transit.metro_ride"', "$.code", "transit.bus_ride"),
    ("code without field", '"transit.bus_ride"', '"bus_ride"', "$.code", "<field>.<name>"),
    ("empty quota", 'funded_by = "treasury.city"', 'funded_by = "treasury.city"\nquota = { count = 0, period = "day" }',
     "$.concession[0].quota.count", "expected 1 to"),
    ("unknown period", 'funded_by = "treasury.city"',
     'funded_by = "treasury.city"\nquota = { count = 1, period = "week" }', "$.concession[0].quota.period", "week"),
    ("not TOML", "version = 1", "version 1", "$", "TOML"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "path", "expected"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
def test_a_fault_names_file_path_and_what_was_expected(
    tmp_path: Path, right: str, wrong: str, path: str, expected: str
) -> None:
    assert right in RIDE
    folder = a_folder(tmp_path, transit__bus_ride=RIDE.replace(right, wrong, 1))
    with pytest.raises(BadInput, match="ITEM_FILE_INVALID") as refused:
        actions.read_items(folder)
    assert f"transit/items/bus_ride.toml: {path}: " in refused.value.en
    assert expected in refused.value.en
    assert refused.value.next_zh
    assert refused.value.next_en


def test_text_that_is_not_utf8(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, transit__bus_ride=RIDE)
    (folder / "transit" / "items" / "bus_ride.toml").write_bytes(RIDE.encode("gb18030"))
    with pytest.raises(BadInput, match="ITEM_FILE_INVALID"):
        actions.read_items(folder)


def test_a_concession_without_a_price_to_reduce(tmp_path: Path) -> None:
    text = ENTRY + '[[concession]]\nclass = "senior_70"\nprice = { percent = 0 }\nfunded_by = "operator"\n'
    with pytest.raises(BadInput, match=r"\$\.concession: expected a price"):
        actions.read_items(a_folder(tmp_path, culture__library_entry=text))


@pytest.mark.django_db
def test_loading_stores_versions_with_a_fact_each_and_again_changes_nothing(tmp_path: Path) -> None:
    loaded = load(tmp_path, transit__bus_ride=RIDE, culture__library_entry=ENTRY)
    assert loaded.new == ("culture.library_entry@1", "transit.bus_ride@1")
    assert load(tmp_path) == actions.Loaded((), loaded.new)
    version = ItemVersion.objects.get(item_id="transit.bus_ride")
    assert version.item.field == "transit"
    assert version.declaration["price"]["full_fen"] == 200
    facts = audit.facts_about("item:transit.bus_ride")
    assert [(fact.verb, fact.actor) for fact in facts] == [("catalogue.load", "staff:5")]
    assert facts[0].detail["digest"] == bytes(version.digest).hex()


@pytest.mark.django_db
def test_one_fault_and_nothing_is_loaded(tmp_path: Path) -> None:
    load(tmp_path, transit__bus_ride=RIDE)
    changed = RIDE.replace("full_fen = 200", "full_fen = 300")
    with pytest.raises(Conflict, match="VERSION_CHANGED"):
        load(tmp_path, culture__library_entry=ENTRY, transit__bus_ride=changed)
    assert not Item.objects.filter(code="culture.library_entry").exists()
    assert audit.facts_about("item:culture.library_entry") == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change", [("full_fen = 200", "full_fen = 201"), ("公交乘车", "公交"), ("2026-01-01", "2026-01-02")]
)
def test_a_stored_version_cannot_change(tmp_path: Path, change: tuple[str, str]) -> None:
    load(tmp_path, transit__bus_ride=RIDE)
    with pytest.raises(Conflict, match="VERSION_CHANGED"):
        load(tmp_path, transit__bus_ride=RIDE.replace(*change))


def a_version(number: int, starts_on: str, ends_on: str | None = None) -> str:
    ends = f"\nends_on = {ends_on}" if ends_on else ""
    return RIDE.replace("version = 1", f"version = {number}").replace("2026-01-01", starts_on + ends)


@pytest.mark.django_db
def test_a_new_version_ends_the_open_one_where_it_begins(tmp_path: Path) -> None:
    load(tmp_path, transit__bus_ride=RIDE)
    load(tmp_path, transit__bus_ride=a_version(2, "2027-01-01"))
    days = ItemVersion.objects.order_by("version").values_list("starts_on", "ends_on")
    assert list(days) == [(dt.date(2026, 1, 1), dt.date(2027, 1, 1)), (dt.date(2027, 1, 1), None)]
    assert load(tmp_path, transit__bus_ride=RIDE).new == ()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("2026-01-01", "2026-12-31"), ("2026-12-30", None)),
        (("2026-01-01", "2026-12-31"), ("2025-06-01", "2026-01-02")),
        (("2026-01-01", "2026-12-31"), ("2026-03-01", "2026-04-01")),
        (("2026-01-01", None), ("2026-01-01", None)),
        (("2026-01-01", None), ("2025-01-01", None)),
    ],
)
def test_versions_never_overlap(tmp_path: Path, first: tuple[str, str | None], second: tuple[str, str | None]) -> None:
    load(tmp_path, transit__bus_ride=a_version(1, *first))
    with pytest.raises(Conflict, match="VERSIONS_OVERLAP"):
        load(tmp_path, transit__bus_ride=a_version(2, *second))


@pytest.mark.django_db
def test_days_that_only_touch_are_no_overlap(tmp_path: Path) -> None:
    load(tmp_path, transit__bus_ride=a_version(1, "2026-01-01", "2026-06-01"))
    load(tmp_path, transit__bus_ride=a_version(2, "2026-06-01", "2026-07-01"))
    load(tmp_path, transit__bus_ride=a_version(3, "2025-06-01", "2026-01-01"))
    assert ItemVersion.objects.count() == 3


@pytest.mark.django_db
def test_the_database_refuses_what_code_forgets(tmp_path: Path) -> None:
    load(tmp_path, transit__bus_ride=RIDE)
    version = ItemVersion.objects.get(item_id="transit.bus_ride")
    same = {"item_id": "transit.bus_ride", "starts_on": dt.date(2030, 1, 1), "stage": "published",
            "declaration": {}, "digest": b""}  # fmt: skip
    with pytest.raises(IntegrityError, match="VERSIONS_OVERLAP"), transaction.atomic():
        ItemVersion.objects.create(version=2, **same)
    with pytest.raises(IntegrityError, match="APPEND_ONLY"), transaction.atomic():
        ItemVersion.objects.filter(pk=version.pk).update(declaration={})
    with pytest.raises(IntegrityError, match="APPEND_ONLY"), transaction.atomic():
        version.delete()


@pytest.mark.django_db
@pytest.mark.parametrize("actor", [Actor("staff:5"), Actor("staff:5", frozenset({"catalogue.suspend"}))])
def test_loading_takes_a_permission(tmp_path: Path, actor: Actor) -> None:
    items = actions.read_items(a_folder(tmp_path, transit__bus_ride=RIDE))
    with pytest.raises(NotPermitted):
        actions.load_items(actor, items)
    assert not Item.objects.exists()


@pytest.mark.django_db
def test_the_shipped_items_load() -> None:
    import onecard.scenarios

    folder = Path(onecard.scenarios.__path__[0])
    loaded = actions.load_items(system("test"), actions.read_items(folder))
    assert {code.partition("@")[0] for code in loaded.new} >= {"transit.bus_ride", "culture.library_entry"}
