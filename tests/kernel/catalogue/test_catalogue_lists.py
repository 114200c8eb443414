"""The lists of places: four levels, the lower stands for the upper, pilot areas, filters, paging, and their days."""

import datetime as dt
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.kernel.catalogue.builders import CHECKER, a_point, an_item, load, load_published

from onecard.foundation import clock
from onecard.foundation.actors import system
from onecard.foundation.errors import NotFound
from onecard.kernel.catalogue import actions, difference, publishing, queries, rules
from onecard.kernel.catalogue.difference import Change
from onecard.kernel.catalogue.models import Item, Point, Stage

pytestmark = pytest.mark.django_db
REGION = an_item("transit.delta", 'level = "region"', area="delta")
PROVINCE = an_item("transit.province", 'level = "province"', 'kind = "extended"', area="320000")
CITY = an_item("transit.city")
COUNTY = an_item("transit.county", 'level = "county"', area="320682")
PILOT = an_item("culture.pilot", 'pilot_areas = ["320682", "320623"]')
EXTENDS_PROVINCE = an_item("transit.city_of_province", 'extends = "transit.province"')
EXTENDS_CITY = an_item(
    "transit.county_of_city", 'level = "county"', 'extends = "transit.city_of_province"', area="320682"
)


def codes(place: str, day: dt.date | None = None, filters: queries.Filters = queries.NO_FILTERS) -> list[str]:
    return [row.item_id for row in queries.list_of(place, day or clock.today(), filters)]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("320682", ["culture.pilot", "transit.city", "transit.county", "transit.delta", "transit.province"]),
        ("320623", ["culture.pilot", "transit.city", "transit.delta", "transit.province"]),
        ("320613", ["transit.city", "transit.delta", "transit.province"]),
        ("320600", ["transit.city", "transit.delta", "transit.province"]),
        ("320582", ["transit.delta", "transit.province"]),
        ("320000", ["transit.delta", "transit.province"]),
        ("310101", ["transit.delta"]),
        ("330102", []),
    ],
)
def test_a_place_has_the_items_of_its_four_levels(tmp_path: Path, place: str, expected: list[str]) -> None:
    load_published(tmp_path, REGION, PROVINCE, CITY, COUNTY, PILOT)
    assert codes(place) == expected


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("320682", ["transit.county_of_city"]),
        ("320623", ["transit.city_of_province"]),
        ("320582", ["transit.province"]),
    ],
)
def test_the_lower_stands_for_the_upper_where_it_is(tmp_path: Path, place: str, expected: list[str]) -> None:
    load_published(tmp_path, PROVINCE, EXTENDS_PROVINCE, EXTENDS_CITY)
    assert codes(place) == expected


def test_a_lower_item_stands_for_the_upper_on_its_own_days_only(tmp_path: Path) -> None:
    later = EXTENDS_PROVINCE.replace("starts_on = 2026-01-01", "starts_on = 2099-01-01")
    load_published(tmp_path, PROVINCE, later)
    assert codes("320613") == ["transit.province"]
    assert codes("320613", dt.date(2099, 1, 1)) == ["transit.city_of_province"]
    assert codes("320613", dt.date(2025, 12, 31)) == []


def test_what_is_not_published_or_suspended_is_on_no_list(tmp_path: Path) -> None:
    load_published(tmp_path, CITY)
    load(tmp_path, COUNTY)
    assert codes("320682") == ["transit.city"]
    Item.objects.filter(pk="transit.city").update(state="suspended")
    assert codes("320682") == []


def test_a_past_day_keeps_its_list(tmp_path: Path) -> None:
    load_published(tmp_path, CITY)
    publishing.end(CHECKER, "transit.city", 1, clock.today(), "x")
    assert codes("320613") == []
    assert codes("320613", clock.today() - dt.timedelta(days=1)) == ["transit.city"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (queries.Filters(field="culture"), ["culture.pilot"]),
        (queries.Filters(level="county"), ["transit.county"]),
        (queries.Filters(kind="extended"), ["transit.province"]),
        (queries.Filters(kind="basic", field="transit"), ["transit.city", "transit.county", "transit.delta"]),
        (queries.Filters(text="项目pilot"), ["culture.pilot"]),
        (queries.Filters(text="ITEM Prov"), ["transit.province"]),
        (queries.Filters(text="%"), []),
    ],
)
def test_a_list_is_filtered(tmp_path: Path, filters: queries.Filters, expected: list[str]) -> None:
    load_published(tmp_path, REGION, PROVINCE, CITY, COUNTY, PILOT)
    assert codes("320682", filters=filters) == expected


def test_a_list_is_paged_by_key_in_two_statements(tmp_path: Path) -> None:
    load_published(tmp_path, REGION, PROVINCE, CITY, COUNTY, PILOT)
    everything = codes("320682")
    pages, after = [], ""
    with CaptureQueriesContext(connection) as told:
        while page := queries.list_of("320682", clock.today(), after=after, limit=2):
            pages.append([row.item.code for row in page])
            after = page[-1].item_id
    assert pages == [everything[:2], everything[2:4], everything[4:]]
    assert len(told) == 2 * 3 + 1
    assert queries.count_by_field("320682", clock.today()) == {"culture": 1, "transit": 4}


def test_an_item_is_known_once_a_version_was_published(tmp_path: Path) -> None:
    load(tmp_path, CITY)
    for code in ("transit.city", "transit.moon"):
        with pytest.raises(NotFound, match="ITEM_UNKNOWN"):
            queries.item(code)
    load_published(tmp_path)
    assert queries.item("transit.city").code == "transit.city"


def test_the_version_shown_is_the_one_in_force_else_the_next_else_the_last(tmp_path: Path) -> None:
    first = CITY.replace("starts_on = 2026-01-01", "starts_on = 2026-01-01\nends_on = 2026-03-01")
    load_published(tmp_path, first)
    load_published(tmp_path, an_item("transit.city", version=2, starts_on="2099-01-01"))

    def shown(day: dt.date) -> int:
        row = queries.version_for("transit.city", day)
        assert row is not None
        return row.version

    assert shown(dt.date(2026, 2, 1)) == 1
    assert shown(dt.date(2026, 5, 1)) == 2
    assert shown(dt.date(2100, 1, 1)) == 2
    published = queries.versions_of("transit.city", stages=(Stage.PUBLISHED,))
    assert [row.version for row in published] == [2, 1]


def test_points_that_offer_an_item_by_place_and_page(tmp_path: Path) -> None:
    load_published(tmp_path, CITY)
    for code, division in (("a", "320682"), ("b", "320623"), ("c", "320682"), ("d", "320682")):
        a_point(code, division, attended=False)
        actions.offer(system("test"), code, "transit.city")
    actions.mark_demonstration(system("test"), "b")
    Point.objects.filter(code="d").update(state="suspended")
    assert [point.code for point in queries.points_of("transit.city")] == ["a", "b", "c"]
    assert [point.code for point in queries.points_of("transit.city", "320682")] == ["a", "c"]
    assert [point.code for point in queries.points_of("transit.city", after="a", limit=1)] == ["b"]
    assert queries.demonstrated(["transit.city"]) == {"transit.city"}
    assert queries.demonstrated(["transit.city"], "320682") == set()


def test_a_difference_is_told_key_by_key_in_both_languages() -> None:
    before = {"price": {"full_fen": 200}, "steps": [{"zh": "一", "en": "one"}], "media": ["code", "card"], "gone": 1}
    after = {"price": {"full_fen": 300}, "steps": [{"zh": "一", "en": "One"}], "media": ["code"], "new": True}
    told = difference.changes(before, after)
    assert told == [
        Change("price.full_fen", 200, 300),
        Change("steps[0].en", "one", "One"),
        Change("media", "code, card", "code"),
        Change("new", None, True),
        Change("gone", 1, None),
    ]
    assert difference.words(told[0]) == ("～ price.full_fen：200 → 300", "~ price.full_fen: 200 -> 300")
    assert difference.words(told[3]) == ("＋ new：True", "+ new: True")
    assert difference.words(told[4]) == ("－ gone：1", "- gone: 1")


def test_moving_a_concession_changes_the_order_alone() -> None:
    one, two = {"key": "a", "price": {"percent": 0}}, {"key": "b", "price": {"percent": 50}}
    told = difference.changes({"concession": [one, two]}, {"concession": [two, one]})
    assert told == [Change("concession", "a, b", "b, a")]


@pytest.mark.parametrize(
    ("division", "prefix"), [("320000", "32"), ("320600", "3206"), ("321000", "3210"), ("320682", "320682")]
)
def test_a_division_begins_all_that_lie_in_it(division: str, prefix: str) -> None:
    assert rules.division_prefix(division) == prefix
