"""Reads of uses for the holder whose cards they were, on Django's connection, newest first."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from onecard.foundation import sql
from onecard.foundation.postgres.raw import rows
from onecard.kernel.uses.refunds import use_unknown
from onecard_kit.verdicts import Verdict

HERE = "onecard.kernel.uses"
PAGE = 20
NEWEST = UUID(int=(1 << 128) - 1)
OUTCOMES = ("admitted", "refused")


class Mine(NamedTuple):
    """A use as its holder sees it; amounts in whole fen. `concession` is the key of the concession that was best,
    `version` the item's version that decided. `given_back` is why it was given back; None: it was not.
    `stands_charged`: it ended a journey that was charged the most it can cost, and the purse was too full for the rest.
    """

    id: UUID
    at: dt.datetime
    item: str
    item_zh: str
    item_en: str
    point_zh: str
    point_en: str
    medium: str
    leg: str | None
    verdict: Verdict
    full_fen: int
    paid_fen: int
    waived_fen: int
    concession: str | None
    version: int | None
    given_back: str | None
    stands_charged: bool

    @property
    def funded_fen(self) -> int:
        """What somebody else paid for the holder."""
        return self.full_fen - self.paid_fen - self.waived_fen


class Page(NamedTuple):
    """Uses, newest first; `next` is the last id where more follow."""

    uses: list[Mine]
    next: UUID | None


def page(
    card_ids: Sequence[int], *, before: UUID | None = None, field: str = "", outcome: str = "", limit: int = PAGE
) -> Page:
    """A page of the uses of some cards: of one field, and of one of `OUTCOMES`; '' keeps all."""
    found = _found(card_ids, before or NEWEST, limit + 1, field, outcome)
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)


def one(card_ids: Sequence[int], use_id: UUID) -> Mine:
    """A use of one of some cards. Raises NotFound USE_UNKNOWN, also for a use of anybody else's."""
    above = UUID(int=min(use_id.int + 1, NEWEST.int))
    for use in _found(card_ids, above, 1, "", ""):
        if use.id == use_id:
            return use
    raise use_unknown()


def _found(card_ids: Sequence[int], before: UUID, limit: int, field: str, outcome: str) -> list[Mine]:
    if not card_ids:
        return []
    found = rows(sql.load(HERE, "mine"), list(card_ids), before, limit, field, outcome)
    return [Mine(*row)._replace(verdict=Verdict(row[9])) for row in found]
