"""Reads of entitlements for the faces; the gateway reads its own in `kernel/uses/load`."""

import datetime as dt
from typing import NamedTuple

from onecard.foundation import sql
from onecard.foundation.postgres.raw import rows
from onecard_kit.terms import Means, Period

HERE = "onecard.kernel.entitlements"
PASSES_MAX = 50


class Pass(NamedTuple):
    """A pass of a holder: which item sold it, and its days. `starts_on` is None until its first use; `uses_left` is
    None where it serves without limit.
    """

    item: str
    sold_on: dt.date
    activate_by: dt.date
    lasts_days: int
    starts_on: dt.date | None
    uses: int | None
    uses_left: int | None

    @property
    def last_day(self) -> dt.date | None:
        """Its last valid day, inclusive; None before it starts."""
        return self.starts_on and self.starts_on + dt.timedelta(days=self.lasts_days - 1)


class Counted(NamedTuple):
    """What was counted under a rule in a period."""

    rule: str
    period: str
    used: int


def passes_of(holder_id: int) -> list[Pass]:
    """The newest passes of a holder, at most fifty; those given back are left out."""
    return [Pass(*row) for row in rows(sql.load(HERE, "passes_of"), holder_id, PASSES_MAX)]


def counted_of(holder_id: int, day: dt.date) -> list[Counted]:
    """What is counted for a holder in the day, the month and the year that hold a day."""
    periods = [period.of(day) for period in Period]
    return [Counted(*row) for row in rows(sql.load(HERE, "quotas_of"), holder_id, periods)]


def means_of(holder_id: int) -> dict[str, tuple[Means, ...]]:
    """The orders of ways to pay that a holder chose, by item; an item that is not there is paid in its own order."""
    found = rows(sql.load(HERE, "means_of"), holder_id)
    return {item: tuple(Means(each) for each in means) for item, means in found}
