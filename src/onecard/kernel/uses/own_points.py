"""Reads of the uses at a client's own points, on Django's connection: pages in the order of their recording."""

import datetime as dt
from typing import NamedTuple
from uuid import UUID

from onecard.foundation import clock, sql
from onecard.foundation.ids import moment_of, uuid7_floor
from onecard.foundation.postgres.raw import rows
from onecard.kernel.uses.refunds import use_unknown

HERE = "onecard.kernel.uses"
# Whoever keeps a part of the list only is read so many uses for a page, whether they fit or not.
READ_MAX = 1_000
# A use that was begun later may be committed earlier, by no more than this.
UNSETTLED = dt.timedelta(minutes=2)
FIRST, LAST = UUID(int=0), UUID(int=(1 << 128) - 1)


class OwnUse(NamedTuple):
    """A use as the point's own system may see it; amounts in whole fen. `at` is when it happened, by the terminal where
    that was without a line; `recorded_at` is when we heard of it. `holder_id` goes no further than its pseudonym.
    """

    id: UUID
    at: dt.datetime
    point: str
    terminal_id: int
    terminal: str
    item: str
    version: int | None
    medium: str
    leg: str | None
    verdict: str
    full_fen: int
    paid_fen: int
    waived_fen: int
    concession: str | None
    holder_id: int | None
    refunded: bool
    division: str

    @property
    def recorded_at(self) -> dt.datetime:
        return moment_of(self.id)


class Wanted(NamedTuple):
    """What to keep of the list: recorded from one moment to before another, at a point, of an item, with a verdict;
    empty keeps all.
    """

    since: dt.datetime | None = None
    until: dt.datetime | None = None
    point: str = ""
    item: str = ""
    verdict: str = ""


class Page(NamedTuple):
    """Uses, the oldest first. `next` continues them, None at the end: then `resume` is where to go on later, so that no
    use is missed, though some may come again.
    """

    uses: list[OwnUse]
    next: UUID | None
    resume: UUID


def page(client_id: int, wanted: Wanted, *, after: UUID | None = None, limit: int = 50) -> Page:
    """The next page of the uses at a client's points. It may be short, or empty, and still have a next one: that so
    many uses were read of which few were wanted.
    """
    begin = max(after or FIRST, _just_before(wanted.since))
    end = uuid7_floor(wanted.until) if wanted.until is not None else LAST
    read_max = READ_MAX if wanted.item or wanted.verdict else limit
    read = [OwnUse(*row) for row in rows(sql.load(HERE, "of_points"), client_id, wanted.point, begin, end, read_max)]
    fit = [use for use in read if wanted.item in ("", use.item) and wanted.verdict in ("", use.verdict)]
    uses = fit[:limit]
    more = len(fit) > limit or len(read) == read_max
    last = uses[-1].id if len(fit) > limit else (read[-1].id if read else begin)
    settled = uuid7_floor(clock.now() - UNSETTLED)
    return Page(uses, last if more else None, last if more else min(last, settled))


def one(client_id: int, use_id: UUID) -> OwnUse:
    """A use at one of a client's points. Raises NotFound USE_UNKNOWN, also for another client's."""
    found = rows(sql.load(HERE, "of_client"), client_id, use_id)
    if not found:
        raise use_unknown()
    return OwnUse(*found[0])


def _just_before(moment: dt.datetime | None) -> UUID:
    """The last id that is not of a moment or later."""
    return FIRST if moment is None else UUID(int=uuid7_floor(moment).int - 1)
