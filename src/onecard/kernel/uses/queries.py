"""Reads of uses for the faces; the gateway never imports this, because it stands on Django's connection."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from onecard.foundation import sql
from onecard.foundation.ids import uuid7_floor
from onecard.foundation.postgres.raw import rows
from onecard_kit.verdicts import Verdict

HERE = "onecard.kernel.uses"


@dataclass(frozen=True, slots=True)
class Use:
    """One use as its holder may see it. `concession` is a class code, amounts are whole fen. `given_back` says why it
    was given back, as `refunds.ASKED` or `refunds.TURNED_AWAY`; None: it was not.
    """

    id: UUID
    at: dt.datetime
    item: str
    item_zh: str
    item_en: str
    point_zh: str
    point_en: str
    medium: str
    verdict: Verdict
    full_fen: int
    paid_fen: int
    concession: str | None
    given_back: str | None


def latest(card_ids: Sequence[int], limit: int = 10) -> list[Use]:
    """The newest uses of some cards, at most `limit` of all together."""
    found = rows(sql.load(HERE, "latest_of_cards"), list(card_ids), limit) if card_ids else []
    return [_use(*row) for row in found]


@dataclass(frozen=True, slots=True)
class UseSeen:
    """One use as an officer sees it who looks at a risk fact: no amount, and nothing of the person.

    `concerned`: it is one that the fact is about, not one beside it. `gate_verdict` and `manual` are what a gate said
    that had no line; None where there was one.
    """

    id: UUID
    at: dt.datetime
    item_zh: str
    item_en: str
    point_zh: str
    point_en: str
    terminal: str
    medium: str
    verdict: Verdict
    concerned: bool
    gate_verdict: str | None
    manual: bool | None


def around(
    ids: Sequence[UUID], card_id: int | None, since: dt.datetime, until: dt.datetime, limit: int = 50
) -> list[UseSeen]:
    """Some uses, and those of a card that were recorded around them, as they happened."""
    bounds = uuid7_floor(since), uuid7_floor(until)
    found = rows(sql.load(HERE, "uses_around"), list(ids), card_id, *bounds, limit)
    return [_seen(*row) for row in found]


def _seen(*columns: Any) -> UseSeen:
    *known, verdict, concerned, gate_verdict, manual = columns
    return UseSeen(*known, Verdict(verdict), concerned, gate_verdict, manual)  # type: ignore[call-arg]  # as the SQL lists


def _use(*columns: Any) -> Use:
    *known, verdict, full_fen, paid_fen, concession, given_back = columns
    return Use(*known, Verdict(verdict), full_fen, paid_fen, concession, given_back)  # type: ignore[call-arg]  # as the SQL lists them
