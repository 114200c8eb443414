"""The verb that gives a use back: its transfers the other way round, its quotas returned, once, in full, by the same
operator.

A journey is given back by the use that ended it; one that ended by itself, by the use that began it.

A use is given back without anybody asking where a gate never heard that it was admitted, and turned the holder away.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from onecard.foundation import clock, sql
from onecard.foundation.errors import Conflict, NotFound, OneCardError
from onecard.foundation.ids import beside, uuid7
from onecard.kernel.uses import orders
from onecard.kernel.uses.actions import (
    COLLISIONS_MAX,
    LOAD,
    RECORD,
    Collision,
    Memory,
    read_items,
)
from onecard.kernel.uses.decide.further import SOLD
from onecard.kernel.uses.lines import Transfer
from onecard.kernel.uses.settle import LedgerDisagreed, in_order, release_id, require_posted
from onecard_kit.decide import ACTIVE, at_most
from onecard_kit.terms import Item, Leg, Means, counted
from onecard_kit.verdicts import WORDS, Verdict

ASKED, TURNED_AWAY = "asked", "turned_away"
"""Why a use was given back (`uses_refund.reason`)."""
_VERDICT_OF = {"EXCEEDS_BALANCE": Verdict.FUNDS_SHORT, "EXCEEDS_CEILING": Verdict.PURSE_FULL}


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund that stands. Amounts in whole fen: what went back to the holder, and what back to the funder."""

    id: UUID
    use_id: UUID
    paid_fen: int
    funded_fen: int
    repeated: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to give a use back; (terminal, journal, sequence) is its key, as for a use.

    A terminal asks with the key it signed by. Or the client of the use's point asks: then `key_id` is None, the
    terminal is the use's own, and the journal is one that only this request has. Or nobody does (`reason`).
    """

    use_id: UUID
    terminal_id: int
    key_id: int | None
    journal: UUID
    sequence: int
    client_id: int | None = None
    reason: str = ASKED

    @classmethod
    def by_nobody(cls, use_id: UUID, terminal_id: int) -> "Asked":
        """For a use whose holder was turned away at its terminal; the journal is one that only this refund has."""
        return cls(use_id, terminal_id, None, use_id, 0, reason=TURNED_AWAY)

    @property
    def content(self) -> bytes:
        """A digest of what is asked, unlike that of any presentation."""
        return hashlib.blake2b(b"refund\n" + self.use_id.bytes, digest_size=16).digest()


async def refund(connection: asyncpg.Connection, asked: Asked, memory: Memory) -> Refund:
    """Give a use back. Idempotent by the caller's key.

    Raises NotFound USE_UNKNOWN, Conflict SEQUENCE_REUSED, ALREADY_REFUNDED, NOTHING_TO_REFUND, or the refusing verdict
    (a suspended terminal, a purse that cannot give a top-up back).
    """
    for _ in range(COLLISIONS_MAX):
        with suppress(asyncpg.DeadlockDetectedError):
            async with connection.transaction():
                return await refund_within(connection, asked, memory)
    raise Collision("the refund met other writers again and again")


async def refund_within(connection: asyncpg.Connection, asked: Asked, memory: Memory) -> Refund:
    """The work of `refund` inside the caller's transaction (or savepoint)."""
    use = await _lock_and_load(connection, asked)
    if use["refund_id"] is not None and use["known_as"] == use["refund_id"]:
        return _made(use, await _item(connection, use, memory), use["refund_id"], repeated=True)
    await _require_may_refund(connection, use, asked)
    item = await _item(connection, use, memory)
    if asked.reason == ASKED:
        _require_in_time(use, item)
    else:
        _require_no_way_travelled(use)
    sold = _require_unused(use)
    refund_id = uuid7()
    quotas = _counted(use, item)
    new = await connection.fetchrow(
        sql.load(RECORD, "refund"),
        refund_id,
        asked.use_id,
        asked.terminal_id,
        asked.journal,
        asked.sequence,
        asked.content,
        [use["holder_id"]] * len(quotas),
        [rule for rule, _, _ in quotas],
        [period for _, period, _ in quotas],
        [how_much for _, _, how_much in quotas],
        asked.reason,
    )
    if not new["key_is_new"]:
        raise _sequence_reused()
    if not new["refund_is_new"]:
        raise _already_refunded()
    await _reverse(connection, refund_id, asked.client_id)
    if use["open_hold"] is not None:
        await _undo_journey(connection, use)
    await _give_back(connection, use, item, sold)
    if Means.BANK in item.means:
        key = (asked.terminal_id, asked.journal, asked.sequence)
        if not await orders.refund(connection, refund_id, key, asked.content):
            raise _sequence_reused()
    return _made(use, item, refund_id, repeated=False)


def _counted(use: Mapping[str, Any], item: Item) -> list[tuple[str, str, int]]:
    """What a use counted against: a journey's limits on the day it began, what was paid for it on the day it ended."""
    ended_on = clock.day_of(use["at"])
    began_on = clock.day_of(use["began"]) if use["began"] else ended_on
    limits = counted(item, use["concession"], 0, began_on)
    return [*limits, *(each for each in counted(item, None, use["paid_fen"], ended_on) if each[0] == item.paid_rule)]


async def _give_back(connection: asyncpg.Connection, use: Mapping[str, Any], item: Item, sold: str | None) -> None:
    """The pass it sold, the use of a pass, the place it took: passes and capacity are as if it had not been."""
    served_by, unused = json.loads(use["served_by"]) if use["served_by"] else (None, False)
    if sold is None and served_by is None and item.capacity is None:
        return
    period = item.capacity.period.of(clock.day_of(use["began"] or use["at"])) if item.capacity else None
    point = (use["began_at"] or use["point_id"]) if item.capacity else None
    await connection.execute(
        sql.load(RECORD, "give_back"), sold, served_by, unused, point, item.rule(), period
    )  # fmt: skip


async def _lock_and_load(connection: asyncpg.Connection, asked: Asked) -> Mapping[str, Any]:
    """Lock as a group does, the card and then its purse; then the passes, which another card of the holder may use
    meanwhile; and read what the refund may look at.
    """
    card = await connection.fetchval("SELECT card_id FROM uses_use WHERE id = $1", asked.use_id)
    purse = await connection.fetchval(
        "SELECT purse_account_id FROM cards_standing WHERE card_id = $1 FOR NO KEY UPDATE", card
    )
    await connection.execute("SELECT FROM ledger_lock(ARRAY[$1::bigint])", purse)
    sold = beside(asked.use_id, SOLD)
    await connection.execute(sql.load(LOAD, "lock_passes"), asked.use_id, sold)
    use: Mapping[str, Any] | None = await connection.fetchrow(
        sql.load(LOAD, "refundable"),
        asked.use_id,
        asked.terminal_id,
        asked.journal,
        asked.sequence,
        sold,
    )
    if use is None:
        raise use_unknown()
    return use


async def _require_may_refund(connection: asyncpg.Connection, use: Mapping[str, Any], asked: Asked) -> None:
    if use["known_as"] is not None:
        raise _sequence_reused()
    if asked.reason == ASKED and not await _is_its_own(connection, use, asked):
        raise use_unknown()  # another's uses are not shown
    if use["refund_id"] is not None:
        raise _already_refunded()
    if use["verdict"] != Verdict.ADMITTED or use["card_id"] is None:
        raise Conflict(
            "NOTHING_TO_REFUND",
            "该笔用卡未通过，无可退回。",
            "This use was not admitted; there is nothing to give back.",
        )


async def _is_its_own(connection: asyncpg.Connection, use: Mapping[str, Any], asked: Asked) -> bool:
    """Whether a use was at a terminal of the operator whose terminal asks, or at a point of the client that asks."""
    if asked.key_id is None:
        return asked.client_id == int(use["client_id"])
    operator = await operator_of(connection, asked.terminal_id, asked.key_id)
    return operator == int(use["operator_id"])


async def operator_of(connection: asyncpg.Connection, terminal_id: int, key_id: int) -> int:
    """The operator whose uses a terminal may ask about.

    Raises Conflict with the verdict of what is suspended, or KEY_EXPIRED.
    """
    place = await connection.fetchrow(sql.load(LOAD, "asking_terminal"), terminal_id, key_id)
    for state, verdict in (
        ("terminal_state", Verdict.TERMINAL_SUSPENDED),
        ("client_state", Verdict.CLIENT_SUSPENDED),
        ("point_state", Verdict.POINT_SUSPENDED),
    ):
        if place[state] != ACTIVE:
            raise refusal(verdict)
    if not place["key_in_force"]:
        raise Conflict("KEY_EXPIRED", "终端密钥已停用。", "The terminal's key is no longer in force.")
    operator: int = place["operator_id"]
    return operator


async def _item(connection: asyncpg.Connection, use: Mapping[str, Any], memory: Memory) -> Item:
    await read_items(connection, [use["item_version_id"]], memory)
    return memory.items[use["item_version_id"]]


def _require_in_time(use: Mapping[str, Any], item: Item) -> None:
    """Judge the item's own terms."""
    if use["leg"] == Leg.IN and not use["left_open"]:
        raise Conflict(
            "JOURNEY_NOT_ENDED",
            "进站（入场）记录不能退回。",
            "The beginning of a journey cannot be given back.",
            next_zh="请退回结束该行程的出站（离场）记录；未出站的，行程到时自动结束后再退回本记录。",
            next_en="Give back the use that ended the journey; this one only after the journey has ended by itself.",
        )
    if clock.today() > clock.day_of(use["ended"]) + dt.timedelta(days=item.refund.within_days):
        raise Conflict(
            "REFUND_TOO_LATE",
            f"已超过{item.refund.within_days}天的退回期限。",
            f"The {item.refund.within_days} days for giving it back are over.",
            next_zh="请通过更正流程处理。",
            next_en="Have it corrected by the operator's office.",
        )


def _require_no_way_travelled(use: Mapping[str, Any]) -> None:
    """Who was turned away on the way out did travel, and so did whoever tapped out since: the fare is owed."""
    if use["leg"] == Leg.OUT or (use["leg"] == Leg.IN and not use["left_open"] and use["open_hold"] is None):
        raise Conflict(
            "JOURNEY_TRAVELLED",
            "该行程已乘坐至此，票款成立。",
            "The way up to here was travelled, and its fare stands.",
        )


def _require_unused(use: Mapping[str, Any]) -> str | None:
    """The pass that the use sold, if any; one that is in use is not taken back."""
    sold, in_use = json.loads(use["sold"]) if use["sold"] else (None, False)
    if in_use:
        raise Conflict(
            "PASS_IN_USE", "该套票（年卡）已开始使用，不能退回。", "The pass is in use and cannot be given back."
        )
    return sold


async def _reverse(connection: asyncpg.Connection, refund_id: UUID, client_id: int | None) -> None:
    """The database knows what the use moved and gives back no other money, so that a role which may give uses back need
    not be able to post.
    """
    if client_id is None:
        refused = await connection.fetch(sql.load(RECORD, "reverse"), refund_id)
    else:
        refused = await connection.fetch(sql.load(RECORD, "reverse_for"), refund_id, client_id)
    for (outcome,) in refused:
        raise refusal(_VERDICT_OF[outcome]) if outcome in _VERDICT_OF else LedgerDisagreed(outcome)


async def _undo_journey(connection: asyncpg.Connection, use: Mapping[str, Any]) -> None:
    """An open journey that the use began ends here, and what was held for it is free again."""
    (hold,) = json.loads(use["open_hold"])
    if hold is not None:
        release = Transfer(
            release_id(use["id"]), None, None, None, "released", use["id"], kind="void", pending=UUID(hold)
        )  # fmt: skip
        require_posted(await connection.fetch(sql.load(RECORD, "post_in_order"), *in_order([release])))
    await connection.execute(sql.load(RECORD, "undo_journey"), use["id"])


def refusal(verdict: Verdict) -> Conflict:
    """A verdict that stops a refund, as an error: there is no use to record it on."""
    words = WORDS[verdict]
    return Conflict(verdict.value, words.zh, words.en, next_zh=words.next_zh, next_en=words.next_en)


def _made(use: Mapping[str, Any], item: Item, refund_id: UUID, *, repeated: bool) -> Refund:
    if use["left_open"]:
        most = at_most(item, use["concession"])
        return Refund(refund_id, use["id"], most.paid_fen, most.funded_fen, repeated)
    funded_fen = use["full_fen"] - use["paid_fen"] - use["waived_fen"]
    return Refund(refund_id, use["id"], use["paid_fen"], funded_fen, repeated)


def use_unknown() -> OneCardError:
    """There is no such use, or it is another operator's."""
    return NotFound(
        "USE_UNKNOWN",
        "没有这笔用卡。",
        "There is no such use.",
        next_zh="请核对用卡编号。",
        next_en="Check the use's id.",
    )


def _sequence_reused() -> Conflict:
    return Conflict("SEQUENCE_REUSED", "该序号已用于另一笔内容。", "This sequence was used with other content.")


def _already_refunded() -> Conflict:
    return Conflict("ALREADY_REFUNDED", "该笔用卡已经退回。", "This use was given back already.")
