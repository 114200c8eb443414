"""The plan of a day: the same for the same seed, with the peaks of its kind of day and with all that is offered."""

import datetime as dt
import random
from collections import Counter

import pytest

from onecard import scenarios
from onecard.demo import nantong
from onecard_simulators import rhythm
from onecard_simulators.resident import Begun, Expected, Outcome, Place, Resident, Ride
from onecard_simulators.rhythm import City, Step
from onecard_simulators.tariff import Item, Moment, Terms, holds
from onecard_simulators.visits import Doors, Holder, changed

TERMS = Terms.read(scenarios.FOLDER)
DAY, NOON = dt.date(2026, 3, 11), 12 * 60
USES = 4000
PLACES = {
    row.code: Place(
        row.code,
        row.division,
        row.items,
        tuple({"days": list(w.days), "hours": list(w.hours)} for w in row.hours),
        row.media,
    )
    for row in nantong.POINTS
}
DOORS = {(row.code, item): Doors(count, 0) for row in nantong.POINTS for item, count in row.capacities}
ACTIVE = {"social_security": "active", "financial": "active", "transit": "active"}


def somebody(n: int) -> Holder:
    class_ = ("senior_70", "student", "office_staff", "teacher", "senior_60", "volunteer")[n % 6]
    who = Resident("", "active", ACTIVE, "320600", [(class_, "2020-01-01", None)], 5_000, 95_000)
    return Holder(who, token="t" if n % 2 else None)


PEOPLE = [somebody(n) for n in range(400)]


def planned(kind: str, seed: int = 1, minute: int = NOON) -> list[Step]:
    return rhythm.plan(City(PEOPLE, PLACES, DOORS, TERMS, Moment(DAY, kind, minute)), USES, random.Random(seed))


def hours_of(steps: list[Step], item: str) -> Counter[int]:
    return Counter(step.minute // 60 for step in steps if step.item == item)


def test_the_same_seed_gives_the_same_plan_and_another_another() -> None:
    assert planned("working") == planned("working")
    assert planned("working") != planned("working", seed=2)


@pytest.mark.parametrize("kind", ["working", "weekend", "holiday"])
def test_everything_offered_is_planned_and_about_as_much_as_was_asked(kind: str) -> None:
    steps = planned(kind)
    assert {step.item for step in steps} == {item for place in PLACES.values() for item in place.items}
    assert abs(len(steps) - USES) < USES * 0.1
    assert [step.minute for step in steps] == sorted(step.minute for step in steps)


def test_a_working_day_has_its_peaks_its_school_and_its_lunch() -> None:
    steps = planned("working")
    rides = hours_of(steps, "transit.bus_ride") + hours_of(steps, "transit.metro_ride")
    assert min(rides[7], rides[17]) > 1.5 * max(rides[10], rides[14], rides[21])
    assert hours_of(steps, "education.campus_entry").most_common(1)[0][0] in (7, 16)
    meals = hours_of(steps, "living.canteen_meal")
    assert meals[11] + meals[12] > meals.total() / 2
    registered = hours_of(steps, "health.registration")
    assert sum(count for hour, count in registered.items() if hour < 11) > registered.total() / 2
    lodged = hours_of(steps, "living.lodging_registration")
    assert sum(count for hour, count in lodged.items() if hour >= 17) > lodged.total() / 2


def test_a_weekend_goes_to_parks_and_not_to_school() -> None:
    working, weekend = planned("working"), planned("weekend")
    for item, more in (("tourism.scenic_entry", 2.0), ("culture.museum_entry", 2.0), ("payments.shop_purchase", 1.2)):
        assert hours_of(weekend, item).total() > more * hours_of(working, item).total()
    for item in ("education.campus_entry", "living.canteen_meal", "government.window_identity"):
        assert 0 < hours_of(weekend, item).total() < hours_of(working, item).total() / 2
    rides = hours_of(weekend, "transit.bus_ride")
    assert rides[7] < rides[10]


def test_people_mostly_go_where_it_is_open_and_sometimes_stand_before_a_closed_door() -> None:
    night = Moment(DAY, "working", 3 * 60)
    shut = Counter(
        bool(PLACES[step.point].hours) and not any(holds(each, night) for each in PLACES[step.point].hours)
        for step in planned("working", minute=night.minute)
    )
    assert 0 < shut[True] < shut.total() * 0.05


def test_who_goes_is_who_it_is_for() -> None:
    steps = [step for step in planned("working") if step.item == "education.campus_entry"]
    meant = [step for step in steps if PEOPLE[step.who].resident.classes[0][0] in ("student", "teacher")]
    assert len(steps) * 0.9 < len(meant) < len(steps)
    codes = [step for step in planned("working") if step.item == "government.sign_on"]
    assert sum(PEOPLE[step.who].medium == "code" for step in codes) > len(codes) * 0.85


def test_journeys_begin_before_they_end_and_some_never_do() -> None:
    legs = Counter(step.leg for step in planned("working") if step.item == "transit.metro_ride")
    assert 0 < legs["in"] - legs["out"] < legs["in"] * 0.15


def test_who_is_inside_when_the_day_begins_leaves_once_where_they_came_in() -> None:
    inside = [somebody(n) for n in range(100)]
    for n, holder in enumerate(inside[:60]):
        point = ("NT-SPORT-H1", "NT-SPORT-H3")[n % 2]
        holder.resident.journeys["culture.sports_hall_visit"] = Begun("", point, None, 4_000, 0, 0)
    city = City(inside, PLACES, DOORS, TERMS, Moment(DAY, "working", NOON))
    steps = [step for step in rhythm.plan(city, 100, random.Random(1)) if step.item == "culture.sports_hall_visit"]
    come = {step.who for step in steps if step.leg == "in"}
    leave = Counter(step.who for step in steps if step.leg == "out" and step.who not in come)
    assert 0 < len(come) < 10
    assert 45 < len(leave) == leave.total() < 60
    begun = {who: inside[who].resident.journeys["culture.sports_hall_visit"].point for who in leave}
    assert begun == {step.who: step.point for step in steps if step.who in leave}


# --- What cannot be known for sure ---


def test_a_door_may_be_full_only_as_far_as_others_are_on_their_way() -> None:
    def says(door: Doors, before: Doors) -> set[bool]:
        return set(door.may_be_full(before))

    assert says(Doors(2, 1, entering=1), Doors(2, 1)) == {False}
    assert says(Doors(2, 2, entering=1), Doors(2, 2)) == {True}
    assert says(Doors(2, 1, entering=2), Doors(2, 1)) == {False, True}  # somebody else steps up
    assert says(Doors(2, 2, entering=1), Doors(2, 1)) == {False, True}  # somebody else went in meanwhile
    assert says(Doors(2, 2, entering=1, leaving=1), Doors(2, 2)) == {False, True}  # somebody has it given back
    assert says(Doors(2, 3, entering=1, left=1), Doors(2, 3, left=1)) == {True}


FERRY = Item({"code": "f", "transfer": {"after": ["b"], "within_minutes": 60, "off_fen": 50}})


@pytest.mark.parametrize(
    ("ago_s", "wanted"),
    [(None, {False}), (1, {True}), (3600, {True}), (3658, {True}), (3660, {True, False}), (3663, {False})],
)
def test_a_change_lasts_to_the_last_second_of_its_last_minute(ago_s: float | None, wanted: set[bool]) -> None:
    who = Resident("", "active", ACTIVE, "320600", [], 0, 0)
    if ago_s is not None:
        who.rides.append(Ride("u", "b", 1e6 - ago_s - 0.5, 1e6 - ago_s + 0.5))
    assert set(changed(FERRY, who, None, 1e6 - 0.5, 1e6 + 0.5)) == wanted


@pytest.mark.parametrize(
    ("before_s", "wanted"),
    [(-90, {False}), (-30, {True, False}), (5, {True}), (3500, {True}), (3620, {True, False}), (3700, {False})],
)
def test_a_change_to_a_journey_lasts_until_it_began(before_s: float, wanted: set[bool]) -> None:
    who = Resident("", "active", ACTIVE, "320600", [], 0, 0)
    who.rides.append(Ride("u", "b", 1e6 - before_s, 1e6 - before_s))
    begun = Begun("", "S1", None, 0, 1e6, 1e6)
    assert set(changed(FERRY, who, begun, 1e6 + 5000, 1e6 + 5000)) == wanted


def test_nobody_changes_from_a_ride_that_was_given_back() -> None:
    who = Resident("", "active", ACTIVE, "320600", [], 0, 0)
    who.rides += [Ride("u1", "b", 1e6 - 9000, 1e6 - 9000), Ride("u2", "b", 1e6 - 600, 1e6 - 600)]
    assert set(changed(FERRY, who, None, 1e6, 1e6)) == {True}
    who.undo(Outcome(Expected("ADMITTED")), "u2")
    assert set(changed(FERRY, who, None, 1e6, 1e6)) == {False}
