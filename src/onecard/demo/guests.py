"""Who is inside when a day begins to be played. A day passes in minutes, a visit that is paid by the hour lasts an hour
or two: so it begins before the day does, and is recorded as the gateway would have recorded it then.
"""

import asyncio
import datetime as dt
import json
import os
import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import uuid4

import asyncpg
import msgspec

from onecard.foundation import clock, crypto, keys, workdays
from onecard.foundation.ids import uuid7
from onecard.foundation.postgres.raw import rows
from onecard.gateway.terminals import key_aad
from onecard.kernel.uses.actions import Memory, record_group
from onecard.kernel.uses.lines import Answer, Line
from onecard.kernel.uses.present import Presented
from onecard_kit.terms import DayKind, Leg, Medium, When
from onecard_kit.verdicts import Verdict

# How many minutes ago they came: most stay for more than an hour, and none for so long that a visit ends by itself.
CAME_MIN, CAME_MAX = 20, 175
# The share of those who are out, by the kind of day.
INSIDE = {DayKind.WORKING: 0.08, DayKind.WEEKEND: 0.14, DayKind.HOLIDAY: 0.14}

HOURLY = """
SELECT o.item_id, t.id, t.code, p.hours::text, (v.declaration #>> '{price,hourly,max_fen}')::bigint
FROM catalogue_offer o
JOIN catalogue_item_version v ON v.item_id = o.item_id AND v.stage IN ('published', 'ended')
     AND v.starts_on <= $1 AND (v.ends_on IS NULL OR v.ends_on > $1)
JOIN catalogue_point p ON p.id = o.point_id
JOIN catalogue_terminal t ON t.point_id = p.id
WHERE v.declaration #>> '{price,hourly,max_fen}' IS NOT NULL
ORDER BY t.code, o.item_id
"""
ABLE = """
SELECT s.card_id, s.number_index FROM cards_standing s JOIN ledger_balance b ON b.account_id = s.purse_account_id
WHERE s.card_id = ANY ($1::bigint[]) AND s.card_state = 'active' AND s.social_security = 'active'
  AND b.free_fen >= 2 * $2
  AND NOT EXISTS (SELECT FROM uses_journey j WHERE j.card_id = s.card_id AND j.ended_at IS NULL)
ORDER BY s.card_id
"""
STILL_INSIDE = """
SELECT count(*) FROM uses_journey
WHERE card_id = ANY ($1::bigint[]) AND item = ANY ($2::text[]) AND ended_at IS NULL
"""
KEY = """
SELECT id FROM catalogue_terminal_key
WHERE terminal_id = $1 AND (valid_to IS NULL OR valid_to > now() + interval '1 hour') ORDER BY id DESC LIMIT 1
"""


class Door(NamedTuple):
    """A terminal at the door of something that is paid by the hour, and how much of a purse one visit may take."""

    item: str
    terminal_id: int
    terminal: str
    hours: tuple[When, ...]
    most_fen: int

    def open_at(self, moment: dt.datetime) -> bool:
        kind, minute = DayKind(workdays.kind_of(clock.day_of(moment))), clock.minute_of(moment)
        return not self.hours or any(each.holds(kind, minute) for each in self.hours)


def admit(url_owner: str, card_ids: Sequence[int], rng: random.Random) -> dict[int, int]:
    """Let some of these in; what their purses may spend since, in fen, by card.

    Reads on Django's connection and records on one of its own.
    """
    doors = [
        Door(item, id_, code, _hours(hours), most_fen)
        for item, id_, code, hours, most_fen in rows(HOURLY, clock.today())
    ]
    if not doors:
        return {}
    cards = list(card_ids)
    [(still_inside,)] = rows(STILL_INSIDE, cards, sorted({door.item for door in doors}))
    wanted = round(len(cards) * INSIDE[DayKind(workdays.kind_of(clock.today()))]) - still_inside
    able = rows(ABLE, cards, max(door.most_fen for door in doors))
    chosen = rng.sample(able, max(0, min(wanted, len(able))))
    lines = {card_id: _line(index, doors, rng) for card_id, index in chosen}
    return asyncio.run(_record(url_owner, lines))


def _hours(text: str) -> tuple[When, ...]:
    return msgspec.convert(json.loads(text), tuple[When, ...])


def _line(number_index: bytes, doors: Sequence[Door], rng: random.Random) -> Line:
    """What the terminal would have sent: at a door that was open then, or one that always is."""
    at = clock.now() - dt.timedelta(minutes=rng.randrange(CAME_MIN, CAME_MAX), seconds=rng.randrange(60))
    door = rng.choice([each for each in doors if each.open_at(at)] or list(doors))
    return Line(
        uuid7(), at, door.terminal_id, _key_of(door.terminal_id), uuid4(), 1, os.urandom(16), door.item, None,
        Presented(Medium.CARD, number_index=bytes(number_index)), Leg.IN,
    )  # fmt: skip


def _key_of(terminal_id: int) -> int:
    """A key of the terminal in force; one that was never paired gets one that nobody has seen."""
    for (found,) in rows(KEY, terminal_id):
        return int(found)
    sealed = crypto.seal(keys.load("terminals"), os.urandom(32), key_aad(terminal_id))
    made = "INSERT INTO catalogue_terminal_key (terminal_id, key_sealed) VALUES ($1, $2) RETURNING id"
    return int(rows(made, terminal_id, sealed)[0][0])


async def _record(url: str, lines: Mapping[int, Line]) -> dict[int, int]:
    connection, memory = await asyncpg.connect(url), Memory()
    balances: dict[int, int] = {}
    try:
        for card_id, line in lines.items():
            [answer] = await record_group(connection, [line], memory)
            if isinstance(answer, Answer) and answer.verdict is Verdict.ADMITTED and answer.balance_fen is not None:
                balances[card_id] = answer.balance_fen
    finally:
        await connection.close()
    return balances
