"""Reads of uses for officers, on Django's connection, newest first: those of cards, and those of points in places."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from onecard.foundation import sql
from onecard.foundation.ids import moment_of
from onecard.foundation.postgres.raw import rows

HERE = "onecard.kernel.uses"
PAGE = 50
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
