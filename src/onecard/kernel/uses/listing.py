"""Reads of uses for officers, on Django's connection, newest first: those of cards, and those of points in places."""

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from onecard.foundation import sql
from onecard.foundation.actors import Actor
from onecard.foundation.clock import CHINA
from onecard.foundation.ids import moment_of, uuid7_floor
from onecard.foundation.postgres.raw import rows
from onecard.kernel.catalogue.models import Point
from onecard.kernel.uses.refunds import use_unknown

HERE = "onecard.kernel.uses"
PAGE = 50
# A page looks through so many uses, whether they fit or not, so that it takes the same among ten million.
READ_MAX = 20_000
OLDEST = UUID(int=0)
NEWEST = UUID(int=(1 << 128) - 1)


class Listed(NamedTuple):
    """A use as an officer sees it; amounts in whole fen. `at` is when it happened, by the gate where that had no line;
    `recorded_at` is when we heard of it. `gate_verdict` and `ours` are what a gate without a line decided and what the
    platform would have; None where there was a line.
    """

    id: UUID
    at: dt.datetime
    item: str
    item_zh: str
    item_en: str
    point: str
    point_zh: str
    point_en: str
    division: str
    terminal: str
    medium: str
    leg: str | None
    verdict: str
    full_fen: int
    paid_fen: int
    waived_fen: int
    concession: str | None
    holder_id: int | None
    refunded: bool
    gate_verdict: str | None
    ours: str | None
    manual: bool
    double: bool

    @property
    def recorded_at(self) -> dt.datetime:
        return moment_of(self.id)

    @property
    def differs(self) -> bool:
        """Whether a gate without a line decided otherwise than the platform would have."""
        return self.gate_verdict is not None and self.gate_verdict != self.ours


def of_cards(card_ids: Sequence[int], *, before: UUID | None = None, limit: int = PAGE) -> list[Listed]:
    """The uses of some cards, newest first; `before` is the last id of the page above."""
    found = rows(sql.load(HERE, "listed_of_cards"), list(card_ids), before or NEWEST, limit) if card_ids else []
    return [Listed(*row) for row in found]


class Line(StrEnum):
    """How a use came to the platform."""

    ANY = ""
    OFFLINE = "offline"
    DOUBLE = "double"
    DIFFERS = "differs"


class Wanted(NamedTuple):
    """What to keep of the list: recorded from the beginning of one day in China to the end of another, at a point, of
    an item, with a verdict; empty keeps all.

    `line`: what a gate without a line sent, those of them that were used twice, or of which it decided otherwise than
    the platform would have.
    """

    from_day: dt.date | None = None
    to_day: dt.date | None = None
    point: str = ""
    item: str = ""
    verdict: str = ""
    line: Line = Line.ANY

    @property
    def bounds(self) -> tuple[UUID, UUID]:
        """The first id that fits the days, and the first after them."""
        begin = uuid7_floor(_midnight(self.from_day)) if self.from_day else OLDEST
        end = uuid7_floor(_midnight(self.to_day + dt.timedelta(days=1))) if self.to_day else NEWEST
        return begin, end


class Page(NamedTuple):
    """Uses, newest first. `next` is where to go on, None at the end; `read` is how many were looked through where the
    page is short and goes on all the same, else 0.
    """

    uses: list[Listed]
    next: UUID | None
    read: int


def page(places: Sequence[str], wanted: Wanted, *, before: UUID | None = None, limit: int = PAGE) -> Page:
    """A page of the uses at points of some places. It may be short, or empty, and still have a next one: that many were
    looked through of which few were wanted.
    """
    begin, end = wanted.bounds
    point = Point.objects.filter(code=wanted.point).values_list("pk", flat=True).first() if wanted.point else None
    if wanted.point and point is None:
        return Page([], None, 0)
    source, more = _source(wanted, point)
    found = rows(
        sql.load(HERE, source), min(before or end, end), begin, READ_MAX,
        [f"{place}%" for place in places], wanted.item, wanted.verdict, limit + 1, *more,
    )  # fmt: skip
    fit = [id_ for id_, fits in found if fits][:limit]
    if len(found) > limit:
        return Page(_some(fit), fit[-1], 0)
    reached = next((id_ for id_, fits in found if not fits), None)
    return Page(_some(fit), reached, READ_MAX if reached else 0)


def _source(wanted: Wanted, point: int | None) -> tuple[str, tuple[object, ...]]:
    """The statement that finds the uses of a page, and what it takes besides."""
    if wanted.line in (Line.DOUBLE, Line.DIFFERS):
        return "listed_odd", (point, wanted.line is Line.DOUBLE)
    if wanted.line is Line.OFFLINE:
        return "listed_offline", (point,)
    return ("listed_all", ()) if point is None else ("listed_at_point", (point,))


def _some(ids: Sequence[UUID]) -> list[Listed]:
    """Uses with everything that is told of them, newest first."""
    return [Listed(*row) for row in rows(sql.load(HERE, "listed_some"), list(ids))] if ids else []


def one(actor: Actor, use_id: UUID) -> Listed:
    """A use, for whoever may read uses at its point. Raises NotFound USE_UNKNOWN."""
    found = _some([use_id])
    if not found:
        raise use_unknown()
    use = found[0]
    actor.require("uses.read", use.division)
    return use


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), CHINA)
