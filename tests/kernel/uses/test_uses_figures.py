"""Sums of days are those of their uses, whatever was recorded when; and `onecard check` finds one that is not."""

import datetime as dt
from collections import Counter
from uuid import UUID

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.foundation.web.faces import the_catalogue

from onecard.check import running
from onecard.foundation import clock
from onecard.foundation.clock import CHINA
from onecard.foundation.ids import uuid7
from onecard.foundation.postgres.raw import rows
from onecard.kernel.catalogue.models import Point
from onecard.kernel.uses import figures
from onecard_kit.verdicts import Verdict

pytestmark = pytest.mark.django_db

DAY_SUMS = next(each for each in running.FIGURES if each.code == "DAY_SUMS")
VERDICTS = (Verdict.ADMITTED, Verdict.CARD_LOST, Verdict.FUNDS_SHORT)
ITEMS = ("transit.bus_ride", "culture.library_entry", "nobody.knows_it")
DAYS_AGO, MS_OF_DAY, STOPS = st.integers(0, 3), st.integers(0, 86_399_999), st.integers(0, 1)
USES = st.lists(
    st.tuples(DAYS_AGO, MS_OF_DAY, st.sampled_from(ITEMS), st.sampled_from(VERDICTS), STOPS), max_size=25
)  # fmt: skip


@pytest.fixture
def stops() -> tuple[Point, Point]:
    stop = the_catalogue()
    other = Point.objects.create(
        code="nt-bus-2", client=stop.client, operator=stop.operator, name_zh="二", name_en="2", division="320685"
    )  # fmt: skip
    return stop, other


def a_use(days_ago: int, ms: int, item: str, verdict: Verdict, point: Point) -> UUID:
    """A use recorded on a day in China, so many milliseconds after its beginning."""
    midnight = dt.datetime.combine(clock.today() - dt.timedelta(days=days_ago), dt.time(), CHINA)
    at = midnight + dt.timedelta(milliseconds=ms)
    id_ = uuid7(int(at.timestamp() * 1000))
    rows(
        "INSERT INTO uses_use (id, at, terminal_id, point_id, item, medium, verdict, full_fen, paid_fen)"
        " VALUES ($1, $2, 1, $3, $4, 'code', $5, 0, 0)",
        id_, at, point.pk, item, verdict.value,
    )  # fmt: skip
    return id_


@given(USES)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sums_of_days_are_what_counting_the_uses_gives(
    stops: tuple[Point, Point], drawn: list[tuple[int, int, str, Verdict, int]]
) -> None:
    with transaction.atomic():
        for days_ago, ms, item, verdict, stop in drawn:
            a_use(days_ago, ms, item, verdict, stops[stop])
        figures.count()
        for places, chosen in ((["3206"], {0, 1}), (["320685"], {1}), (["3101"], set[int]())):
            _holds(places, [each for each in drawn if each[4] in chosen])
        assert running._figures(connection.connection, DAY_SUMS).ok
        transaction.set_rollback(True)


def _holds(places: list[str], uses: list[tuple[int, int, str, Verdict, int]]) -> None:
    """The figures of some places are those of some uses."""
    today = clock.today()
    number = Counter(today - dt.timedelta(days=ago) for ago, *_rest in uses)
    admitted = Counter(today - dt.timedelta(days=each[0]) for each in uses if each[3] is Verdict.ADMITTED)
    days, _at = figures.days(places)
    assert [(day.number, day.admitted) for day in days] == [(number[day.day], admitted[day.day]) for day in days]
    for day in days:
        wanted = Counter((each[2], each[3]) for each in uses if today - dt.timedelta(days=each[0]) == day.day)
        found = {(item, verdict): count for item, verdict, count in figures.frequent(places, day.day, 100)}
        assert found == wanted


def test_a_sum_that_is_not_that_of_its_uses_is_found(stops: tuple[Point, Point]) -> None:
    a_use(2, 0, ITEMS[0], Verdict.ADMITTED, stops[0])
    figures.count()
    found = running._figures(connection.connection, DAY_SUMS)
    assert found.ok
    just_over = clock.minute_of(clock.now()) < 2  # yesterday, as counted here, may still lack uses under way
    assert found.numbers["checked"] == figures.DAYS - 1 - just_over  # today is not over
    a_use(2, 1, ITEMS[0], Verdict.ADMITTED, stops[0])
    assert running._figures(connection.connection, DAY_SUMS).numbers["differing"] == 1
    rows("DELETE FROM uses_day")
    assert running._figures(connection.connection, DAY_SUMS).numbers["differing"] == 1


def test_a_day_that_nothing_finished_is_counted_when_somebody_works_again(stops: tuple[Point, Point]) -> None:
    """The worker stood still from the middle of a day on, for longer than the overview looks back."""
    day = clock.today() - dt.timedelta(days=figures.DAYS + 5)
    rows("INSERT INTO uses_day_counted VALUES ($1, $2)", day, dt.datetime.combine(day, dt.time(12), CHINA))
    a_use(figures.DAYS + 5, 80_000_000, ITEMS[0], Verdict.ADMITTED, stops[0])
    assert figures.count() == figures.DAYS + 1
    assert figures.frequent(["3206"], day, 10) == [(ITEMS[0], Verdict.ADMITTED, 1)]
    assert running._figures(connection.connection, DAY_SUMS).ok
