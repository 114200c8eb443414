"""Loading a folder: what is refused with file and path, and that it is loaded whole or not at all."""

import datetime as dt
import os
from pathlib import Path

import pytest
from tests.kernel.catalogue.builders import (
    AREAS,
    CHECKER,
    CONCESSION,
    ENTRY,
    LEGAL_BASES,
    LOADER,
    RIDE,
    RIDE_PRICE,
    a_folder,
    a_point,
    an_item,
    load,
    load_published,
    publish,
)

import onecard.scenarios
from onecard.foundation import clock
from onecard.foundation.actors import Actor, system
from onecard.foundation.errors import BadInput, Conflict, NotPermitted
from onecard.kernel.audit import queries as audit
from onecard.kernel.catalogue import actions, files, loading, publishing
from onecard.kernel.catalogue.difference import Change
from onecard.kernel.catalogue.models import AreaSet, Item, ItemVersion, LegalBasis, Stage

BASIS = 'legal_basis = ["test/13"]'
FAULTS = [
    ("wrong key", BASIS, 'legal_base = "test"', "$", "legal_base"),
    ("wrong key inside", "full_fen = 200", "full_fee = 200", "$.price", "full_fee"),
    ("wrong key in a list", "percent = 0", "procent = 0", "$.concession[0].price", "procent"),
    ("wrong type", "version = 1", 'version = "one"', "$.version", "int"),
    ("missing name", ', en = "Item bus_ride"', "", "$.name", "en"),
    ("empty name", '"Item bus_ride"', '" "', "$.name", "both languages"),
    ("unknown medium", BASIS, f'{BASIS}\nmedia = ["voice"]', "$.media[0]", "voice"),
    ("unknown class", '"senior_70"', '"senior_700"', "$.concession[0].class", "senior_700"),
    ("unknown class of the item", BASIS, f'{BASIS}\nclasses = ["martian"]', "$.classes", "martian"),
    ("no legal basis", BASIS, "legal_basis = []", "$.legal_basis", "at least one"),
    ("unknown level", BASIS, f'{BASIS}\nlevel = "village"', "$.level", "village"),
    ("area of another level", '"320600"', '"320682"', "$.area", "level city"),
    ("price without payer", ', from = "holder.purse"', "", "$.price", "from"),
    ("price without payee", ', to = "operator.receivable"', "", "$.price", "to"),
    ("concession without funder", 'funded_by = "treasury.city"', "", "$.concession[0]", "funded_by"),
    ("unknown funder", '"treasury.city"', '"treasury.moon"', "$.concession[0].funded_by", "treasury.city"),
    ("percent over 100", "percent = 0", "percent = 101", "$.concession[0].price.percent", "0 to 100"),
    ("dearer than full", "percent = 0", "fixed_fen = 201", "$.concession[0].price.fixed_fen", "full price"),
    ("unknown payer", '"holder.purse"', '"holder.pocket"', "$.price.from", "holder.purse"),
    ("version nought", "version = 1", "version = 0", "$.version", "expected 1 to"),
    ("ends before it starts", "starts_on = 2026-01-01", "starts_on = 2026-01-01\nends_on = 2025-12-31", "$.ends_on",
     "after starts_on"),
    ("code not after its place", '"transit.bus_ride"', '"transit.metro_ride"', "$.code", "transit.bus_ride"),
    ("unknown period", 'funded_by = "treasury.city"',
     'funded_by = "treasury.city"\nquota = { count = 1, period = "week" }', "$.concession[0].quota.period", "week"),
    ("not TOML", "version = 1", "version 1", "$", "TOML"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "path", "expected"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
def test_a_fault_names_file_path_and_what_was_expected(
    tmp_path: Path, right: str, wrong: str, path: str, expected: str
) -> None:
    assert right in RIDE
    folder = a_folder(tmp_path, RIDE)
    (folder / "transit/items/bus_ride.toml").write_text(RIDE.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(BadInput, match="ITEM_FILE_INVALID") as refused:
        files.read(folder)
    assert f"transit/items/bus_ride.toml: {path}: " in refused.value.en
    assert expected in refused.value.en
    assert expected == "TOML" or "xpected" not in refused.value.zh
    assert refused.value.next_zh
    assert refused.value.next_en


REGISTER_FAULTS = [
    ("areas.toml", AREAS, "places =", "place =", "$.area_set[0]", "place"),
    ("areas.toml", AREAS, '"31"', '"3"', "$.area_set[0].places", "two, four or six"),
    ("areas.toml", AREAS, '"delta"', '"local"', "$.area_set[0].code", "other than local"),
    ("areas.toml", AREAS + AREAS, "", "", "$.area_set[1].code", "not declared before"),
    ("areas.toml", AREAS, '"Delta"', '""', "$.area_set[0].name", "both languages"),
    ("areas.toml", AREAS, '"Delta"', '"Del\\u0000ta"', "$.area_set[0].name.en", "control characters"),
    ("legal_bases.toml", LEGAL_BASES, '"One may ride."', '"O\\u0007"', "$.text[0].article[0].en", "control characters"),
    ("areas.toml", AREAS, "[[area_set]]", "[[area_set]", "$", "TOML"),
    ("legal_bases.toml", LEGAL_BASES, "effective_on = 2022-10-01", 'effective_on = "soon"', "$.text[0].effective_on",
     "date"),
    ("legal_bases.toml", LEGAL_BASES, 'number = "13"', 'number = "§ 13"', "$.text[0].article[0].number", "3.1.1"),
    ("legal_bases.toml", LEGAL_BASES, '"One may ride."', '""', "$.text[0].article[0]", "both languages"),
    ("legal_bases.toml", LEGAL_BASES + LEGAL_BASES, "", "", "$.text[1].code", "not declared before"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "text", "right", "wrong", "path", "expected"), REGISTER_FAULTS)
def test_a_fault_of_a_register_names_file_and_path(
    tmp_path: Path, file: str, text: str, right: str, wrong: str, path: str, expected: str
) -> None:
    folder = a_folder(tmp_path, RIDE)
    (folder / file).write_text(text.replace(right, wrong, 1) if right else text, encoding="utf-8")
    with pytest.raises(BadInput, match="ITEM_FILE_INVALID") as refused:
        files.read(folder)
    assert f"{file}: {path}: " in refused.value.en
    assert expected in refused.value.en
    assert expected == "TOML" or "xpected" not in refused.value.zh


@pytest.mark.parametrize("file", ["areas.toml", "legal_bases.toml", "transit/items/bus_ride.toml"])
def test_text_that_is_not_utf8(tmp_path: Path, file: str) -> None:
    path = a_folder(tmp_path, RIDE) / file
    path.write_bytes("# 公交\n".encode("gb18030") + path.read_bytes())
    with pytest.raises(BadInput, match=f"ITEM_FILE_INVALID.*{file}"):
        files.read(tmp_path)


# What only the whole of the catalogue can tell: the items, the file and path at fault, what was expected.
REGIONAL = an_item("transit.delta_ride", 'level = "region"', area="delta")
PROVINCIAL = an_item("transit.province_ride", 'level = "province"', area="320000")
AMONG_OTHERS = [
    ("unknown legal basis", [ENTRY.replace("test/13", "test/99")], "culture/items/library_entry.toml",
     "$.legal_basis[0]", "test/99"),
    ("excluded by an unknown law",
     [an_item("government.marriage", 'excluded = { basis = "moon", zh = "不可", en = "No" }')],
     "government/items/marriage.toml", "$.excluded.basis", "moon"),
    ("unknown area set of the item", [an_item("culture.museum", 'region = "moon"')], "culture/items/museum.toml",
     "$.region", "delta"),
    ("unknown area set of a concession",
     [an_item("culture.museum", RIDE_PRICE, CONCESSION, 'region = "moon"')], "culture/items/museum.toml",
     "$.concession[0].region", "unknown area set moon"),
    ("unknown region", [REGIONAL.replace('"delta"', '"moon"')], "transit/items/delta_ride.toml", "$.area", "moon"),
    ("no such division", [an_item("culture.museum", area="329900")], "culture/items/museum.toml", "$.area",
     "level city"),
    ("pilot outside the city", [an_item("culture.museum", 'pilot_areas = ["320682", "320582"]')],
     "culture/items/museum.toml", "$.pilot_areas[1]", "inside 320600"),
    ("extends what is not there", [an_item("transit.ride", 'extends = "transit.moon"')], "transit/items/ride.toml",
     "$.extends", "unknown item transit.moon"),
    ("extends its own level", [RIDE, an_item("transit.ride", 'extends = "transit.bus_ride"')],
     "transit/items/ride.toml", "$.extends", "higher level"),
    ("extends a lower level",
     [RIDE, an_item("transit.ride", 'level = "province"', 'extends = "transit.bus_ride"', area="320000")],
     "transit/items/ride.toml", "$.extends", "higher level"),
    ("a cycle",
     [an_item("transit.a", 'extends = "transit.b"'),
      an_item("transit.b", 'extends = "transit.a"', 'level = "county"', area="320682")],
     "transit/items/a.toml", "$.extends", "transit.a → transit.b → transit.a"),
    ("a county outside its city",
     [RIDE, an_item("transit.ride", 'level = "county"', 'extends = "transit.bus_ride"', area="320582")],
     "transit/items/ride.toml", "$.area", "inside 320600"),
    ("a city outside its region",
     [REGIONAL, an_item("transit.ride", 'extends = "transit.delta_ride"', area="330100")],
     "transit/items/ride.toml", "$.area", "inside delta"),
    ("a pass that nobody sells",
     [ENTRY, an_item("culture.museum", RIDE_PRICE,
                     CONCESSION.replace('class = "senior_70"', 'pass = "culture.library_entry"'))],
     "culture/items/museum.toml", "$.concession[0].pass", "sells a pass"),
    ("a change from an unknown line",
     [an_item("transit.ride", RIDE_PRICE,
              'transfer = { after = ["transit.moon"], within_minutes = 60, off_fen = 100 }')],
     "transit/items/ride.toml", "$.transfer.after[0]", "transit.moon"),
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("items", "file", "path", "expected"), [f[1:] for f in AMONG_OTHERS], ids=[f[0] for f in AMONG_OTHERS]
)
def test_a_fault_among_others_names_file_and_path_and_changes_nothing(
    tmp_path: Path, items: list[str], file: str, path: str, expected: str
) -> None:
    with pytest.raises(BadInput, match="ITEM_FILE_INVALID") as refused:
        load(tmp_path, *items)
    assert f"{file}: {path}: " in refused.value.en
    assert expected in refused.value.en
    assert expected == "TOML" or "xpected" not in refused.value.zh
    assert not Item.objects.exists()
    assert not AreaSet.objects.exists()
    assert not LegalBasis.objects.exists()


@pytest.mark.django_db
def test_loading_stores_drafts_with_a_fact_each_and_again_changes_nothing(tmp_path: Path) -> None:
    loaded = load(tmp_path, RIDE, ENTRY)
    assert loaded.new == ["culture.library_entry@1", "transit.bus_ride@1"]
    assert loaded.registers == ["area_set:delta", "legal_basis:test", "legal_basis:test/13"]
    again = load(tmp_path)
    assert (again.new, again.changed, again.registers, again.differences) == ([], [], [], [])
    assert again.unchanged == loaded.new
    version = ItemVersion.objects.select_related("item").get(item_id="transit.bus_ride")
    assert (version.item.field, version.item.level, version.item.area) == ("transit", "city", "320600")
    assert (version.stage, version.loaded_by, version.published_by) == (Stage.DRAFT, "staff:5", "")
    assert (version.decided_by_zh, version.decided_on) == ("测试专班", dt.date(2025, 12, 1))
    assert version.declaration["price"]["full_fen"] == 200
    facts = audit.facts_about("item:transit.bus_ride")
    assert [(fact.verb, fact.actor, fact.place) for fact in facts] == [("catalogue.load", "staff:5", "320600")]
    assert facts[0].detail["digest"] == bytes(version.digest).hex()
    basis = LegalBasis.objects.get(pk="test/13")
    assert (basis.title_en, basis.article, basis.text_en) == ("Test regulation", "13", "One may ride.")
    assert [fact.verb for fact in audit.facts_about("legal_basis:test/13")] == ["catalogue.load"]


@pytest.mark.django_db
def test_a_city_item_without_an_area_is_on_the_list_of_this_node(tmp_path: Path) -> None:
    load(tmp_path, an_item("culture.museum", area=""))
    assert Item.objects.get().area == os.environ["ONECARD_NODE"]
    assert load(tmp_path).unchanged == ["culture.museum@1"]


@pytest.mark.django_db
def test_one_fault_and_nothing_is_loaded(tmp_path: Path) -> None:
    load_published(tmp_path, RIDE)
    with pytest.raises(Conflict, match=r"VERSION_CHANGED.*transit/items/bus_ride\.toml"):
        load(tmp_path, ENTRY, RIDE.replace("full_fen = 200", "full_fen = 300"))
    assert not Item.objects.filter(code="culture.library_entry").exists()
    assert audit.facts_about("item:culture.library_entry") == []


CHANGES = [("full_fen = 200", "full_fen = 201"), ("项目bus_ride", "公交"), ("2026-01-01", "2026-01-02")]


@pytest.mark.django_db
@pytest.mark.parametrize("change", CHANGES)
def test_a_draft_may_be_loaded_again_and_a_later_stage_may_not(tmp_path: Path, change: tuple[str, str]) -> None:

    load(tmp_path, RIDE)
    assert load(tmp_path, RIDE.replace(*change)).changed == ["transit.bus_ride@1"]
    assert load(tmp_path, RIDE).changed == ["transit.bus_ride@1"]
    publishing.submit(LOADER, "transit.bus_ride", 1)
    with pytest.raises(Conflict, match="VERSION_IN_REVIEW"):
        load(tmp_path, RIDE.replace(*change))
    publishing.publish(CHECKER, "transit.bus_ride", 1)
    with pytest.raises(Conflict, match="VERSION_CHANGED"):
        load(tmp_path, RIDE.replace(*change))
    assert load(tmp_path, RIDE).unchanged == ["transit.bus_ride@1"]


@pytest.mark.django_db
def test_a_dry_run_tells_the_difference_and_changes_nothing(tmp_path: Path) -> None:
    load_published(tmp_path, RIDE)
    second = RIDE.replace("version = 1", "version = 2").replace("2026-01-01", "2099-01-01")
    second = second.replace("full_fen = 200", "full_fen = 300").replace("percent = 0", "percent = 50")
    told = load(tmp_path, second, ENTRY, dry_run=True)
    assert told.new == ["culture.library_entry@1", "transit.bus_ride@2"]
    entry, ride = told.differences
    assert (ride.version, ride.compared_with) == ("transit.bus_ride@2", "transit.bus_ride@1")
    assert ride.changes == (
        Change("version", 1, 2),
        Change("starts_on", "2026-01-01", "2099-01-01"),
        Change("price.full_fen", 200, 300),
        Change("concession[senior_70].price.percent", 0, 50),
    )
    assert entry.compared_with is None
    assert Change("name.zh", None, "项目library_entry") in entry.changes
    assert all(change.path != "media" for change in entry.changes), "a default is no news"
    assert ItemVersion.objects.count() == 1
    assert audit.facts_about("item:culture.library_entry") == []


@pytest.mark.django_db
def test_what_did_not_change_is_no_difference_however_deep_it_lies(tmp_path: Path) -> None:
    """A file is read with tuples, and the database gives lists."""
    lines = (
        'when = { days = ["working"], hours = [["06:00", "18:30"], ["20:00", "22:00"]] }',
        "journey = { ends_after_hours = 4 }",
        'price = { from = "holder.purse", to = "operator.receivable", distance = { steps = [[4000, 200]], line = [{'
        ' code = "L1", stations = [["S1", 0], ["S2", 900]] }] } }',
    )
    load(tmp_path, an_item("transit.ride", *lines))
    longer = [line.replace("18:30", "19:00").replace("900", "950") for line in lines]
    [told] = load(tmp_path, an_item("transit.ride", *longer), dry_run=True).differences
    assert told.changes == (
        Change("when.hours", "06:00 18:30, 20:00 22:00", "06:00 19:00, 20:00 22:00"),
        Change("price.distance.line[L1].stations", "S1 0, S2 900", "S1 0, S2 950"),
    )


@pytest.mark.django_db
def test_an_item_that_was_published_stays_where_it_stands(tmp_path: Path) -> None:
    county = an_item("transit.ride", 'level = "county"', area="320682")
    load(tmp_path, county, PROVINCIAL)
    moved = county.replace("320682", "320623").replace("level =", 'extends = "transit.province_ride"\nlevel =')
    assert load(tmp_path, moved).changed == ["transit.ride@1"]
    row = Item.objects.get(pk="transit.ride")
    assert (row.area, row.extends_id) == ("320623", "transit.province_ride")
    publish("transit.province_ride")
    publish("transit.ride")
    with pytest.raises(Conflict, match=r"ITEM_MOVED.*transit/items/ride\.toml"):
        load(tmp_path, county.replace("version = 1", "version = 2"))


@pytest.mark.django_db
def test_places_of_a_set_that_published_items_name_do_not_change(tmp_path: Path) -> None:
    load_published(tmp_path, REGIONAL)
    wider = AREAS.replace('"32"]', '"32", "33"]')
    with pytest.raises(Conflict, match="AREA_SET_IN_USE"):
        loading.load(system("test"), files.read(a_folder(tmp_path, areas=wider)))
    renamed = AREAS.replace("三角洲", "大三角洲")
    assert loading.load(system("test"), files.read(a_folder(tmp_path, areas=renamed))).registers == ["area_set:delta"]


def a_version(number: int, starts_on: str, ends_on: str | None = None) -> str:
    ends = f"\nends_on = {ends_on}" if ends_on else ""
    return RIDE.replace("version = 1", f"version = {number}").replace("2026-01-01", starts_on + ends)


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
    load(tmp_path, a_version(1, *first))
    with pytest.raises(Conflict, match=r"VERSIONS_OVERLAP.*transit/items/bus_ride\.toml: \$\.starts_on"):
        load(tmp_path, a_version(2, *second))


@pytest.mark.django_db
def test_days_that_only_touch_are_no_overlap(tmp_path: Path) -> None:
    load(tmp_path, a_version(1, "2026-01-01", "2026-06-01"))
    load(tmp_path, a_version(2, "2026-06-01", "2026-07-01"))
    load(tmp_path, a_version(3, "2025-06-01", "2026-01-01"))
    assert ItemVersion.objects.count() == 3


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("needs", "lack"),
    [
        ("needs = { attended = true }", "staff beside it"),
        ('needs = { when = { days = ["working"], hours = [["08:00", "18:00"]] } }', "opening hours"),
        ('pilot_areas = ["320623"]', "pilot areas 320623"),
    ],
)
def test_a_version_that_an_existing_offer_cannot_meet_is_refused(tmp_path: Path, needs: str, lack: str) -> None:
    load_published(tmp_path, ENTRY)
    point = a_point(attended=False)
    actions.offer(system("test"), point.code, "culture.library_entry")
    point.hours = [{"days": ["working"], "hours": [["09:00", "17:00"]]}]
    point.save()
    harder = an_item("culture.library_entry", needs, version=2, starts_on="2099-01-01")
    with pytest.raises(BadInput, match=r"ITEM_FILE_INVALID.*library_entry\.toml: \$\.needs: point point") as refused:
        load(tmp_path, harder)
    assert lack in refused.value.en
    assert ItemVersion.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("actor", [Actor("staff:5"), Actor("staff:5", frozenset({"catalogue.suspend"}))])
def test_loading_takes_a_permission(tmp_path: Path, actor: Actor) -> None:
    with pytest.raises(NotPermitted):
        load(tmp_path, RIDE, actor=actor)
    assert not Item.objects.exists()


@pytest.mark.django_db
def test_only_the_platform_publishes_what_it_loads(tmp_path: Path) -> None:
    everything = Actor("staff:5", frozenset({"*"}))
    with pytest.raises(NotPermitted, match="MAKER_IS_CHECKER"):
        loading.load(everything, files.read(a_folder(tmp_path, RIDE)), publish=True)
    assert not Item.objects.exists()


@pytest.mark.django_db
def test_the_platform_publishes_while_nothing_was_published_yet(tmp_path: Path) -> None:
    load_published(tmp_path, RIDE)
    folder = files.read(a_folder(tmp_path, RIDE, ENTRY))
    with pytest.raises(NotPermitted, match="SET_UP_IS_OVER"):
        loading.load(system("test"), folder, publish=True)
    assert not Item.objects.filter(code="culture.library_entry").exists()
    publishing.end(CHECKER, "transit.bus_ride", 1, clock.today(), "x")
    with pytest.raises(NotPermitted, match="SET_UP_IS_OVER"):
        loading.load(system("test"), folder, publish=True)


@pytest.mark.django_db
def test_an_editor_loads_the_items_of_their_own_place(tmp_path: Path) -> None:
    editor = Actor("staff:5", frozenset({"catalogue.load"}), ("3206",))
    with pytest.raises(NotPermitted, match="OUT_OF_SCOPE"):
        load(tmp_path, actor=editor)  # the registers are everybody's
    load(tmp_path)
    load(tmp_path, RIDE, actor=editor)
    assert ItemVersion.objects.get().loaded_by == "staff:5"
    with pytest.raises(NotPermitted, match="OUT_OF_SCOPE"):
        load(tmp_path, PROVINCIAL, actor=editor)
    load(tmp_path, PROVINCIAL)
    taken_over = PROVINCIAL.replace('level = "province"', 'level = "city"').replace("320000", "320600")
    with pytest.raises(NotPermitted, match="OUT_OF_SCOPE"):
        load(tmp_path, taken_over, actor=editor)


@pytest.mark.django_db
def test_an_item_that_nobody_decided_is_not_published_at_once(tmp_path: Path) -> None:
    undecided = "\n".join(line for line in ENTRY.splitlines() if not line.startswith("decided"))
    with pytest.raises(BadInput, match=r"ITEM_FILE_INVALID.*library_entry\.toml.*who decided"):
        load_published(tmp_path, undecided)


@pytest.mark.django_db
def test_the_shipped_items_load_and_load_again() -> None:
    folder = files.read(Path(onecard.scenarios.__path__[0]))
    loaded = loading.load(system("test"), folder, publish=True)
    assert {code.partition("@")[0] for code in loaded.new} >= {"transit.bus_ride", "culture.library_entry"}
    assert sorted(loaded.published) == loaded.new
    again = loading.load(system("test"), folder, publish=True)
    assert (again.new, again.changed, again.registers, again.published) == ([], [], [], [])
