"""Reads of uses for the faces; the gateway never imports this, because it stands on Django's connection."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from onecard.foundation import sql
from onecard.foundation.clock import CHINA
from onecard.foundation.ids import uuid7_floor
from onecard.foundation.postgres.raw import rows
from onecard_kit.verdicts import Verdict

HERE = "onecard.kernel.uses"


@dataclass(frozen=True, slots=True)
class Use:
    """One use as its holder may see it. `concession` is a class code, amounts are whole fen."""

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


def latest(card_ids: Sequence[int], limit: int = 10) -> list[Use]:
    """The newest uses of some cards, at most `limit` of all together."""
    found = rows(sql.load(HERE, "latest_of_cards"), list(card_ids), limit) if card_ids else []
    return [_use(*row) for row in found]


def count_on(day: dt.date, places: Sequence[str]) -> list[tuple[str, Verdict, int]]:
    """Uses recorded since the beginning of a day in China, by item and verdict, at points of the places' divisions."""
    since = uuid7_floor(dt.datetime.combine(day, dt.time(), CHINA))
    return [
        (item, Verdict(verdict), n) for item, verdict, n in rows(sql.load(HERE, "count_since"), since, list(places))
    ]


def _use(*columns: Any) -> Use:
    *known, verdict, full_fen, paid_fen, concession = columns
    return Use(*known, Verdict(verdict), full_fen, paid_fen, concession)  # type: ignore[call-arg]  # as the SQL lists them
