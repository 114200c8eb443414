"""Figures of the city (指标): counted by the worker every few minutes, read by whoever may, always with their time."""

import datetime as dt
import json
from collections.abc import Sequence
from typing import NamedTuple

from django.db import transaction

from onecard.foundation import clock, sql
from onecard.foundation.clock import CHINA
from onecard.foundation.ids import uuid7_floor
from onecard.foundation.postgres.raw import rows
from onecard_kit.verdicts import Verdict

HERE = "onecard.kernel.uses"
DAYS = 14
COUNTED_UP_TO, READ_MAX = 1_000, 20_000
# A day is counted anew while uses of it come in; the registers move slower.
DAY_ANEW = dt.timedelta(minutes=2)
DIVISIONS_ANEW = dt.timedelta(minutes=10)
INSERT_DAY = (
    "INSERT INTO uses_day (day, division, item, verdict, uses)"
    " SELECT $1, w.* FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[]) w"
)


class Division(NamedTuple):
    """Holders registered in a division, their cards by state, and e-cards on active ones."""

    code: str
    holders: int
    ecards: int
    states: dict[str, int]
    counted_at: dt.datetime

    @property
    def active(self) -> int:
        return self.states.get("active", 0)


class Day(NamedTuple):
    """How many uses a day had, and how many of them were admitted."""

    day: dt.date
    number: int
    admitted: int


class ToDo(NamedTuple):
    """What waits for somebody, each counted up to `COUNTED_UP_TO`, among no more than the newest `READ_MAX`."""

    differing: int
    bank_orders: int
    journals: int


def count() -> int:
    """Count what is due; how many days were counted. A day before yesterday is counted once."""
    today = clock.today()
    known = dict(rows("SELECT day, counted_at FROM uses_day_counted WHERE day > $1", today - dt.timedelta(days=DAYS)))
    due = [day for day in _days(today) if _is_due(day, known.get(day))]
    due += [day for (day,) in rows(sql.load(HERE, "unfinished_days"), today - dt.timedelta(days=DAYS), DAY_ANEW)]
    for day in due:
        _count_day(day)
    _count_divisions()
    rows("DELETE FROM uses_day WHERE day < $1", today - dt.timedelta(days=400))
    return len(due)


def _days(today: dt.date) -> list[dt.date]:
    return [today - dt.timedelta(days=n) for n in range(DAYS)]


def _is_due(day: dt.date, counted: dt.datetime | None) -> bool:
    """Never counted, or counted before the day was over and that is a while ago."""
    if counted is None:
        return True
    over = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), CHINA) + DAY_ANEW
    return counted < min(over, clock.now() - DAY_ANEW)


@transaction.atomic
def _count_day(day: dt.date) -> None:
    begin, end = (
        uuid7_floor(dt.datetime.combine(each, dt.time(), CHINA)) for each in (day, day + dt.timedelta(days=1))
    )
    found = rows(sql.load(HERE, "count_day"), day, begin, end)
    if found:
        rows(INSERT_DAY, day, *(list(column) for column in zip(*found, strict=True)))


@transaction.atomic
def _count_divisions() -> None:
    [(last,)] = rows("SELECT min(counted_at) FROM uses_division")
    if last is None or last < clock.now() - DIVISIONS_ANEW:
        rows("DELETE FROM uses_division")
        rows(sql.load(HERE, "count_divisions"))


def divisions(places: Sequence[str]) -> list[Division]:
    """The divisions of some places that have holders, by code."""
    found = rows(sql.load(HERE, "figures_divisions"), _patterns(places))
    return [Division(code, holders, cards, json.loads(states), at) for code, holders, cards, states, at in found]


def days(places: Sequence[str]) -> tuple[list[Day], dt.datetime | None]:
    """The last fourteen days at points of some places, oldest first, and when today was counted; None: never."""
    today = clock.today()
    found = rows(sql.load(HERE, "figures_days"), _patterns(places), today - dt.timedelta(days=DAYS))
    of_day = {day: (number, admitted) for day, number, admitted in found}
    counted = rows("SELECT counted_at FROM uses_day_counted WHERE day = $1", today)
    shown = [Day(day, *of_day.get(day, (0, 0))) for day in reversed(_days(today))]
    return shown, counted[0][0] if counted else None


def frequent(places: Sequence[str], day: dt.date, limit: int) -> list[tuple[str, Verdict, int]]:
    """The most frequent uses of a day at points of some places, by item and verdict."""
    found = rows(sql.load(HERE, "figures_day"), _patterns(places), day, limit)
    return [(item, Verdict(verdict), number) for item, verdict, number in found]


def to_do(places: Sequence[str]) -> ToDo:
    """What waits for somebody in some places."""
    since = uuid7_floor(clock.now() - dt.timedelta(days=7))
    return ToDo(*rows(sql.load(HERE, "to_do"), _patterns(places), since, COUNTED_UP_TO, READ_MAX)[0])


def _patterns(places: Sequence[str]) -> list[str]:
    return [f"{place}%" for place in places]
