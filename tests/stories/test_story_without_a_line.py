"""Gates whose line is away: what a real city lets people do all the same, what it does not, and what comes of it when
the journals arrive.
"""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.stories.city import SHANGHAI, WEEKEND, WORKING, StoryCity, at
from tests.stories.gates import StoryGate, a_gate, ref_of
from tests.stories.test_stories import ITEMS

from onecard.kernel.uses.lines import Taken
from onecard_kit.codes import Via
from onecard_kit.status_list import Status
from onecard_kit.terms import Leg

MORNING, LUNCH = at(WORKING, "10:00"), at(WORKING, "12:10")
METRO, FERRY, BUS = "transit.metro_ride", "transit.ferry_ride", "transit.bus_ride"
ENTRY, HAIAN, MUSEUM = "culture.library_entry", "culture.haian_library_entry", "culture.museum_entry"
HALL, SCENIC, PASS = "culture.sports_hall_visit", "tourism.scenic_entry", "tourism.park_pass"
CAMPUS, MEAL, CARE = "education.campus_entry", "living.canteen_meal", "protection.elder_care_visit"
Gates = Callable[..., StoryGate]

# What each gate asks of somebody who counts as nothing, or of whom the item is for, and when.
SERVED = {
    BUS: ("NT-BUS-L01", (), MORNING, 190),
    FERRY: ("NT-FERRY-A", (), MORNING, 240),
    ENTRY: ("NT-LIB-B1", (), MORNING, 0),
    HAIAN: ("NT-LIB-B3", (), MORNING, 0),
    MUSEUM: ("NT-MUS-M1", (), MORNING, 0),
    SCENIC: ("NT-PARK-P1", (), MORNING, 4_800),
    CAMPUS: ("NT-SCH", ("student",), MORNING, 0),
    MEAL: ("NT-CANT-C1", ("office_staff",), LUNCH, 500),
    CARE: ("NT-CARE", ("senior_70",), MORNING, 1_000),
}
JOURNEYS = {METRO: ("NT-METRO-S01", 180, 540), HALL: ("NT-SPORT-H1", 1_000, 4_000)}
# What needs the bank, a clerk or the newest word on a card waits for the line.
ONLINE_ONLY = {
    "government.adoption_registration", "government.exit_papers", "government.household_register_change",
    "government.marriage_registration", "government.sign_on", "government.window_identity", "health.pharmacy_purchase",
    "health.registration", "living.lodging_registration", "mobilisation.military_registration", "payments.purse_topup",
    "payments.shop_purchase", "protection.disability_certificate", "tourism.park_pass",
}  # fmt: skip


@pytest.fixture
def gates(city: StoryCity, tmp_path: Path) -> Gates:
    """Makes gates of the city's points."""

    def made(point: str, item: str | None = None) -> StoryGate:
        return a_gate(city, tmp_path, _point(city, point), attended=True, item=item)

    return made


def _point(city: StoryCity, name: str) -> str:
    """A point by its code, or the first whose code begins so."""
    code: str = city.one("SELECT min(code) FROM catalogue_point WHERE starts_with(code, $1)", name)
    return code


def the_line(gate: StoryGate) -> Taken:
    """What became of the only line of a journal."""
    [taken] = gate.upload()
    assert isinstance(taken, Taken)
    return taken


def test_which_items_wait_for_the_line() -> None:
    assert {code for code, item in ITEMS.items() if item.offline is None} == ONLINE_ONLY
    assert {code for code, item in ITEMS.items() if item.offline is not None} == {*SERVED, *JOURNEYS}


def test_what_may_be_paid_without_a_line_is_what_it_can_cost() -> None:
    for item in ITEMS.values():
        if item.offline is not None:
            most_fen = 0 if item.price is None else item.price.full_fen or item.price.most_fen
            assert item.offline.limit_fen >= most_fen, item.code


@pytest.mark.parametrize("item", SERVED)
@pytest.mark.parametrize("by_card", [False, True])
def test_people_pass_and_the_platform_agrees(city: StoryCity, gates: Gates, item: str, by_card: bool) -> None:
    point, classes, when, paid_fen = SERVED[item]
    card, gate = city.a_holder(*classes), gates(point, item)
    told = gate.show(card, when, *classes, counter=1 if by_card else None)
    assert (told.verdict, told.mode, told.opened, told.paid_fen) == ("ADMITTED", "offline", True, paid_fen)
    taken = the_line(gate)
    assert (taken.verdict, taken.paid_fen, taken.shortfall_fen) == ("ADMITTED", paid_fen, 0)
    assert city.purse_of(card) == 10_000 - paid_fen


@pytest.mark.parametrize("item", [*SERVED, *JOURNEYS])
def test_a_lost_card_and_a_gate_that_was_away_too_long(city: StoryCity, gates: Gates, item: str) -> None:
    point, classes, when = (*SERVED[item][:3],) if item in SERVED else (JOURNEYS[item][0], (), MORNING)
    leg = Leg.IN if item in JOURNEYS else None
    lost, gate, late = city.a_holder(*classes), gates(point, item), gates(point, item)
    gate.marked[ref_of(city, lost, when)] = Status.SUSPENDED
    assert gate.show(lost, when, *classes, leg=leg).verdict == "CARD_LOST"
    terms = ITEMS[item].offline
    assert terms is not None
    late.away = dt.timedelta(days=terms.days, seconds=1)
    assert late.show(lost, when, *classes, leg=leg).verdict == "OFFLINE_AWAY_TOO_LONG"
    for each in (gate, late):
        assert (the_line(each).paid_fen, city.purse_of(lost)) == (0, 10_000)


@pytest.mark.parametrize("item", [SCENIC, MEAL, CARE, FERRY, BUS])
def test_what_a_purse_lacks_is_borne_as_the_item_says(city: StoryCity, gates: Gates, item: str) -> None:
    point, classes, when, price_fen = SERVED[item]
    card, gate, terms = city.a_holder(*classes, fen=100), gates(point, item), ITEMS[item].offline
    assert gate.show(card, when, *classes).opened
    taken = the_line(gate)
    assert terms is not None
    assert (taken.verdict, taken.paid_fen) == ("FUNDS_SHORT", 100)
    assert (taken.shortfall_fen, taken.borne_by) == (price_fen - 100, terms.shortfall)


def test_what_waits_for_the_line_is_refused(city: StoryCity, gates: Gates) -> None:
    gate = gates("NT-PARK-P1", PASS)
    assert gate.show(city.a_holder(), MORNING).verdict == "OFFLINE_NOT_ALLOWED"
    assert the_line(gate).paid_fen == 0


def test_hours_hold_and_classes_count_without_a_line(city: StoryCity, gates: Gates) -> None:
    assert gates("NT-FERRY-A").show(city.a_holder(), at(WORKING, "18:30")).verdict == "POINT_CLOSED"
    assert gates("NT-SCH", CAMPUS).show(city.a_holder(), MORNING).verdict == "NOT_ENTITLED"
    assert gates("NT-CARE", CARE).show(city.a_holder(place=SHANGHAI), MORNING).verdict == "NOT_ENTITLED"
    assert gates("NT-MUS-M2").show(city.a_holder(), at(WEEKEND, "17:00")).verdict == "POINT_CLOSED"


def test_a_relatives_phone_and_paper_are_taken_as_with_a_line(city: StoryCity, gates: Gates) -> None:
    gate = gates("NT-LIB-B1", ENTRY)
    assert gate.show(city.a_holder(), MORNING, via=Via.FAMILY).opened
    assert the_line(gate).verdict == "ADMITTED"


# --- counted twice ----------------------------------------------------------------------------------------------------


def test_a_pass_that_the_gate_cannot_see_is_found_afterwards(city: StoryCity, gates: Gates) -> None:
    card, gate = city.a_holder(fen=20_000), gates("NT-PARK-P1", SCENIC)
    city.use(card, PASS, "NT-PARK-P1", MORNING)
    assert gate.show(card, LUNCH).paid_fen == 4_800
    assert (the_line(gate).paid_fen, city.purse_of(card)) == (0, 11_000)


def test_a_second_lunch_at_the_employers_share_costs_the_full_price(city: StoryCity, gates: Gates) -> None:
    """Two canteens that hear nothing of each other each count the first one."""
    card = city.a_holder("office_staff")
    tills = [gates("NT-CANT-C1"), gates("NT-CANT-C2")]
    assert [till.show(card, LUNCH, "office_staff").paid_fen for till in tills] == [500, 500]
    assert [the_line(till).paid_fen for till in tills] == [500, 1_500]


def test_a_fourth_meal_is_eaten_and_paid(city: StoryCity, gates: Gates) -> None:
    card, tills = city.a_holder(), [gates("NT-CANT-C1"), gates("NT-CANT-C2")]
    meals = enumerate(("07:00", "08:00", "11:30", "17:30"))
    shown = [tills[n // 3].show(card, at(WORKING, time)) for n, time in meals]
    assert [each.opened for each in shown] == [True] * 4
    assert tills[0].show(card, at(WORKING, "18:00")).verdict == "QUOTA_EXHAUSTED"
    first, second = tills[0].upload(), the_line(tills[1])
    assert [each.paid_fen for each in first if isinstance(each, Taken)] == [1_500, 1_500, 1_500, 0]
    assert (second.verdict, second.paid_fen) == ("QUOTA_EXHAUSTED", 1_500)


def test_a_house_that_two_doors_filled_is_fuller_than_it_should_be(city: StoryCity, gates: Gates) -> None:
    """Each door counts its own; nobody is sent out again, and nobody pays for it."""
    day, capacity = at("2026-03-16"), 20  # a Monday, at the cabinet that is always open
    doors = [gates("NT-MUS-M4"), gates("NT-MUS-M4")]
    for n in range(capacity):
        assert doors[n % 2].show(city.a_holder(), day).opened
    for _ in range(2):
        assert doors[0].show(city.a_holder(), day).opened
    taken = [each for door in doors for each in door.upload() if isinstance(each, Taken)]
    assert [each.verdict for each in taken] == ["ADMITTED"] * capacity + ["CAPACITY_FULL"] * 2
    full = "SELECT used FROM entitlements_capacity c JOIN catalogue_point p ON p.id = c.point_id WHERE p.code = $1"
    assert city.one(full + " AND c.period = '2026-03-16'", "NT-MUS-M4") == capacity + 2


def test_a_door_that_is_full_by_its_own_count_says_so(city: StoryCity, gates: Gates) -> None:
    door, day = gates("NT-MUS-M4"), at("2026-03-17")
    shown = [door.show(city.a_holder(), day).verdict for _ in range(21)]
    assert shown == ["ADMITTED"] * 20 + ["CAPACITY_FULL"]


# --- journeys ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("item", JOURNEYS)
def test_in_and_out_at_one_gate(city: StoryCity, gates: Gates, item: str) -> None:
    point, paid_fen, _ = JOURNEYS[item]
    card, gate = city.a_holder(), gates(point, item)
    assert gate.show(card, MORNING, leg=Leg.IN).opened
    assert gate.show(card, MORNING + dt.timedelta(minutes=30), leg=Leg.OUT).paid_fen == paid_fen
    begun, ended = (each for each in gate.upload() if isinstance(each, Taken))
    assert (begun.verdict, ended.verdict, ended.paid_fen) == ("ADMITTED", "ADMITTED", paid_fen)
    assert city.purse_of(card) == 10_000 - paid_fen


@pytest.mark.parametrize("item", JOURNEYS)
def test_who_has_less_than_is_held_owes_what_it_comes_to(city: StoryCity, gates: Gates, item: str) -> None:
    point, paid_fen, _ = JOURNEYS[item]
    card, gate = city.a_holder(fen=100), gates(point, item)
    gate.show(card, MORNING, leg=Leg.IN)
    gate.show(card, MORNING + dt.timedelta(minutes=30), leg=Leg.OUT)
    begun, ended = (each for each in gate.upload() if isinstance(each, Taken))
    assert begun.verdict == "FUNDS_SHORT"
    assert (ended.paid_fen, ended.shortfall_fen, ended.borne_by) == (100, paid_fen - 100, "holder")


def test_out_online_of_what_began_without_a_line(city: StoryCity, gates: Gates) -> None:
    card, west = city.a_holder(), gates("NT-METRO-S01")
    west.show(card, MORNING, leg=Leg.IN)
    west.upload()
    ended = city.use(card, METRO, "NT-METRO-S05", MORNING + dt.timedelta(minutes=20), leg=Leg.OUT)
    assert (ended.full_fen, ended.paid_fen) == (300, 270)


def test_out_without_a_line_of_what_began_online(city: StoryCity, gates: Gates) -> None:
    card, east = city.a_holder(), gates("NT-METRO-S05")
    city.use(card, METRO, "NT-METRO-S01", MORNING, leg=Leg.IN)
    assert east.show(card, MORNING + dt.timedelta(minutes=20), leg=Leg.OUT).opened
    assert (the_line(east).paid_fen, city.purse_of(card)) == (270, 9_730)
