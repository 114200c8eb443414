"""The log of calls (调用记录): what each client asked and how it was answered, for the client itself to read.

A line holds nothing of what was asked for: neither path, query and body, nor whose data it was (what a client learned
of a holder is a fact of audit: `disclosures`). Lines of thirty days are kept; the worker drops older ones, a day at
once.
"""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from onecard.foundation import ids, sql
from onecard.foundation.errors import NotFound
from onecard.foundation.postgres.raw import rows

HERE = "onecard.kernel.sharing"
DAYS = 30
LAST = UUID(int=2**128 - 1)


class Call(NamedTuple):
    """One request of a client, by the trace of its answer: by which credential, of which operation, status, the code of
    a problem, and how long it took, in whole milliseconds.
    """

    client_id: int
    id: UUID
    credential: str
    method: str
    operation: str
    status: int
    code: str | None
    took_ms: int

    @property
    def at(self) -> dt.datetime:
        """When it came, to the millisecond, in UTC."""
        return ids.moment_of(self.id)


class Wanted(NamedTuple):
    """Which calls: that came from `since` on and before `until`, and were answered with a status. None is any."""

    since: dt.datetime | None = None
    until: dt.datetime | None = None
    status: int | None = None


def keep(calls: Sequence[Call]) -> None:
    """Keep some calls, in one statement. Keeping one again changes nothing."""
    if calls:
        rows(sql.load(HERE, "keep_calls"), *(list(column) for column in zip(*calls, strict=True)))


def page(client_id: int, wanted: Wanted, *, before: UUID | None, limit: int) -> list[Call]:
    """Calls of a client, the newest first, `limit` at most, that came before the call `before`."""
    first = ids.uuid7_floor(wanted.since) if wanted.since else UUID(int=0)
    end = min(before or LAST, ids.uuid7_floor(wanted.until) if wanted.until else LAST)
    which = (client_id, first, end, limit)
    if wanted.status is None:
        return [Call(*row) for row in rows(sql.load(HERE, "calls"), *which)]
    return [Call(*row) for row in rows(sql.load(HERE, "calls_by_status"), *which, wanted.status)]


def one(client_id: int, trace: UUID) -> Call:
    """The call of a client that a trace names. Raises NotFound CALL_UNKNOWN, also for another's."""
    found = rows(sql.load(HERE, "calls"), client_id, trace, UUID(int=min(trace.int + 1, LAST.int)), 1)
    if not found:
        raise NotFound(
            "CALL_UNKNOWN",
            "没有这次调用的记录。",
            "There is no such call on record.",
            next_zh=f"记录在调用后数秒内出现，保留 {DAYS} 天。",
            next_en=f"A call is on record within seconds, and for {DAYS} days.",
        )
    return Call(*found[0])
