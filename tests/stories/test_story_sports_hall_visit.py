"""A visit to a sports hall: held at the most when tapping in, paid by the started hour when tapping out."""

import datetime as dt

import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.kernel.cards.roles import django_as
from tests.small_city import Card
from tests.stories.city import BEIJING, NANTONG, WEEKEND, WORKING, StoryCity, at

from onecard.foundation.errors import Conflict
from onecard.kernel.uses import journeys
from onecard.kernel.uses.lines import Answer
from onecard_kit.terms import Leg
from onecard_kit.verdicts import Verdict

ITEM, HALL, POOL = "culture.sports_hall_visit", "NT-SPORT-H1", "NT-SPORT-H2"
MORNING = at(WORKING, "09:30")
SPORTS, CITY = "NT-SPORT operator.receivable purse", "NT-SPORT operator.receivable treasury"
TREASURY = "NT-FIN treasury.city treasury"


def visit(city: StoryCity, card: Card, minutes: int, when: dt.datetime = MORNING, hall: str = HALL) -> Answer:
    assert city.verdict(card, ITEM, hall, when, leg=Leg.IN) is Verdict.ADMITTED
    return city.use(card, ITEM, hall, when + dt.timedelta(minutes=minutes), leg=Leg.OUT)


@pytest.mark.parametrize(
    ("minutes", "fen"),
    [(0, 0), (10, 0), (11, 1_000), (70, 1_000), (71, 2_000), (185, 3_000), (251, 4_000), (479, 4_000)],
)
def test_each_started_hour_counts_after_ten_free_minutes_up_to_forty_yuan(
    city: StoryCity, minutes: int, fen: int
) -> None:
    card = city.a_holder()
    with city.money() as moved:
        assert visit(city, card, minutes).paid_fen == fen
    assert moved == ({SPORTS: fen} if fen else {})
    assert city.purse_of(card) == 10_000 - fen


@pytest.mark.parametrize(
    ("classes", "place", "when", "minutes", "full_fen", "paid_fen", "funded_fen"),
    [
        (("student",), BEIJING, MORNING, 60, 1_000, 1_000, 0),  # below the students' cap
        (("student",), BEIJING, MORNING, 180, 3_000, 1_500, 0),
        (("senior_60",), NANTONG, MORNING, 60, 1_000, 500, 500),
        (("senior_60",), NANTONG, at(WORKING, "16:00"), 60, 1_000, 1_000, 0),
        (("senior_60",), NANTONG, at(WEEKEND, "09:30"), 60, 1_000, 1_000, 0),
        (("senior_70",), NANTONG, at(WEEKEND, "09:30"), 60, 1_000, 0, 1_000),
        (("veteran", "care_free"), BEIJING, MORNING, 180, 3_000, 1_500, 1_500),
    ],
)
def test_students_seniors_and_veterans(
    city: StoryCity, classes: tuple[str, ...], place: str, when: dt.datetime, minutes: int, full_fen: int,
    paid_fen: int, funded_fen: int,
) -> None:  # fmt: skip
    card = city.a_holder(*classes, place=place)
    with city.money() as moved:
        out = visit(city, card, minutes, when)
    assert (out.full_fen, out.paid_fen) == (full_fen, paid_fen)
    wanted = {SPORTS: paid_fen, CITY: funded_fen, TREASURY: -funded_fen}
    assert moved == {account: fen for account, fen in wanted.items() if fen}


def test_who_came_in_working_hours_keeps_those_terms(city: StoryCity) -> None:
    assert visit(city, city.a_holder("senior_60"), 120, at(WORKING, "15:30")).paid_fen == 1_000


def test_refusals(city: StoryCity) -> None:
    assert city.verdict(city.a_holder(fen=3_999), ITEM, HALL, MORNING, leg=Leg.IN) is Verdict.FUNDS_SHORT
    assert city.verdict(city.a_holder("student", fen=1_500), ITEM, HALL, MORNING, leg=Leg.IN) is Verdict.ADMITTED
    assert city.verdict(city.a_holder(), ITEM, HALL, MORNING, leg=Leg.OUT) is Verdict.NO_JOURNEY
    assert city.verdict(city.a_holder(), ITEM, HALL, at(WORKING, "07:59"), leg=Leg.IN) is Verdict.POINT_CLOSED
    inactive = city.a_holder(function_state="inactive")
    assert city.verdict(inactive, ITEM, HALL, MORNING, leg=Leg.IN) is Verdict.FUNCTION_INACTIVE


def test_who_was_let_in_is_let_out_after_closing(city: StoryCity) -> None:
    assert visit(city, city.a_holder(), 31, at(WORKING, "21:30")).paid_fen == 1_000


def test_a_full_pool_lets_out_and_nobody_in(city: StoryCity) -> None:
    day = at("2026-03-18", "10:00")
    city.run(
        "INSERT INTO entitlements_capacity (point_id, rule, period, used)"
        " SELECT id, $1, '2026-03-18', 119 FROM catalogue_point WHERE code = $2",
        ITEM, POOL,
    )  # fmt: skip
    card = city.a_holder()
    assert city.verdict(card, ITEM, POOL, day, leg=Leg.IN) is Verdict.ADMITTED
    assert city.verdict(city.a_holder(), ITEM, POOL, day, leg=Leg.IN) is Verdict.CAPACITY_FULL
    assert city.verdict(card, ITEM, POOL, day + dt.timedelta(hours=1), leg=Leg.OUT) is Verdict.ADMITTED


def test_who_forgets_to_tap_out_pays_the_most(city: StoryCity, django_db_blocker: DjangoDbBlocker) -> None:
    card = city.a_holder("student")
    city.use(card, ITEM, HALL, MORNING, leg=Leg.IN)
    with django_as(city.urls["worker"], django_db_blocker):
        journeys.end_due()
    assert city.purse_of(card) == 8_500


def test_a_visit_is_given_back_with_its_place(city: StoryCity) -> None:
    late_evening = at("2026-03-19", "21:50")
    card = city.a_holder()
    out = visit(city, card, 20, late_evening, POOL)
    assert _taken(city, "2026-03-19") == 1
    city.give_back(out, HALL, at("2026-03-26"))
    assert (city.purse_of(card), _taken(city, "2026-03-19")) == (10_000, 0)
    with pytest.raises(Conflict, match="REFUND_TOO_LATE"):
        city.give_back(visit(city, card, 20, late_evening), HALL, at("2026-03-27", "00:00"))


def _taken(city: StoryCity, day: str) -> int:
    used: int = city.one(
        "SELECT c.used FROM entitlements_capacity c JOIN catalogue_point p ON p.id = c.point_id"
        " WHERE p.code = $1 AND c.period = $2",
        POOL, day,
    )  # fmt: skip
    return used


def test_the_place_given_back_is_the_one_taken_when_the_visit_began(city: StoryCity) -> None:
    card, other = city.a_holder(), city.a_holder()
    city.use(card, ITEM, POOL, at("2026-03-20", "21:50"), leg=Leg.IN)
    city.use(other, ITEM, HALL, at("2026-03-21", "08:00"), leg=Leg.IN)
    out = city.use(card, ITEM, HALL, at("2026-03-21", "00:30"), leg=Leg.OUT)
    city.give_back(out, HALL, at("2026-03-21"))
    taken = city.run(
        "SELECT p.code, c.period, c.used FROM entitlements_capacity c JOIN catalogue_point p ON p.id = c.point_id"
        " WHERE c.period IN ('2026-03-20', '2026-03-21') ORDER BY 1"
    )
    assert taken == [(HALL, "2026-03-21", 1), (POOL, "2026-03-20", 0)]
