"""The verb that takes what gates decided without a line: a group of a journal's lines is one transaction.

The same fold decides them as decides what is shown now, each as of its own moment (`load/past.py`); what the gate
admitted stands, and `onecard_kit.admissions` says who pays. Taking a line again changes nothing.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import cast
from uuid import UUID, uuid5

import asyncpg
import msgspec

from onecard.foundation import clock, sql
from onecard.foundation.errors import Conflict
from onecard.foundation.ids import uuid7, uuid7_floor
from onecard.kernel.uses import refunds
from onecard.kernel.uses.actions import (
    COLLISIONS_MAX,
    LOAD,
    RECORD,
    Collision,
    Memory,
    learn,
    literal,
    load_debts,
    load_facts,
    lock,
    post,
    read_items,
    save,
)
from onecard.kernel.uses.chain import Following, Head, Link
from onecard.kernel.uses.decide import card_of, fold, late
from onecard.kernel.uses.lines import Charge, Folded, LateOutcome, Line, OfflineLine, Rejected, Risk, Transfer
from onecard.kernel.uses.load.facts import Loaded, ended_of, left_of, waiting_of
from onecard.kernel.uses.load.past import SEEN_MAX, Journeys, Past, past_of
from onecard.kernel.uses.settle import LedgerDisagreed, ids_by_itself, taken_back

HERE = "onecard.kernel.uses"
# Somebody was turned away by a gate that did not know of their use, and it could not be given back.
KEPT = "turned_away_and_charged"


@dataclass(slots=True)
class Upload:
    """An upload of a terminal's journal, signed with a key of that terminal."""

    terminal_id: int
    key_id: int
    journal: UUID
    named: str  # the journal's id as its first line names it
    following: Following
    correction_s: int = 0
    rejected: int = 0
    head: Head = field(init=False)

    def __post_init__(self) -> None:
        self.head = Head(-1, self.named)


class Arrived(msgspec.Struct, frozen=True):
    """A line of an upload whose mac is right, and where it stands in the chain."""

    line: Line
    link: Link


async def head_of(connection: asyncpg.Connection, terminal_id: int, journal: UUID, named: str) -> Head:
    """How far a terminal's journal is taken."""
    row = await connection.fetchrow(sql.load(HERE, "journal"), terminal_id, journal)
    return Head(-1, named) if row is None else Head(*row)


async def take(
    connection: asyncpg.Connection, upload: Upload, group: Sequence[Arrived], memory: Memory
) -> list[LateOutcome]:
    """Take a group of an upload's lines, all of one day: one transaction, an answer for each, in their order.

    Raises Conflict KEY_EXPIRED when the terminal may not upload any more, Collision after repeated races, or the
    driver's errors; then nothing of the group is recorded.
    """
    for _ in range(COLLISIONS_MAX):
        before = replace(upload.following), upload.head
        try:
            async with connection.transaction():
                return await _take(connection, upload, group, memory)
        except BaseException as error:
            upload.following, upload.head = before
            if not isinstance(error, Collision | asyncpg.DeadlockDetectedError):
                raise
    raise Collision("the lines met other writers again and again")


def leave(upload: Upload, arrived: Arrived, code: str) -> LateOutcome:
    """Answer a line that cannot be recorded now: it is to be sent again, and the head waits for it."""
    upload.following.follow(upload.head, arrived.link, taken=False)
    return Rejected(code)


async def close(connection: asyncpg.Connection, upload: Upload) -> None:
    """Note that an upload came to its end, and move over what it showed to be missing."""
    async with connection.transaction():
        head = await _lock(connection, upload)
        upload.head, missing_after = upload.following.close(head)
        await connection.execute(
            sql.load(HERE, "close_upload"), upload.terminal_id, upload.journal, upload.rejected, upload.correction_s,
            upload.head.through, upload.head.chain, missing_after,
        )  # fmt: skip


async def _take(
    connection: asyncpg.Connection, upload: Upload, group: Sequence[Arrived], memory: Memory
) -> list[LateOutcome]:
    head, linked = await _lock(connection, upload), {}
    kept = await _give_back(connection, upload, group, memory)
    for each in group:
        head, linked[each.link.sequence] = upload.following.follow(head, each.link, taken=True)
    lines = [each.line for each in group]
    loaded = await _load(connection, upload, lines, memory)
    folded = fold(lines, loaded, memory.items)
    assert loaded.past is not None
    folded.risks += kept
    folded.nonces = [each for each in folded.nonces if _month(each[1]) in loaded.past.nonces_kept]
    await save(connection, folded, loaded, memory)
    for charge in folded.charges:
        if charge.back:
            await _pay_out(connection, charge, loaded)
    await connection.execute(
        sql.load(RECORD, "save_lines"), upload.terminal_id, upload.journal, head.through, head.chain,
        *_line_columns(folded.lines, linked), *_chip_columns(folded, loaded.past),
        literal(row.line.journal.hex for row in folded.lines),
    )  # fmt: skip
    upload.head = head
    return cast("list[LateOutcome]", folded.answers)  # all are lines of a journal


async def _give_back(
    connection: asyncpg.Connection, upload: Upload, group: Sequence[Arrived], memory: Memory
) -> list[Risk]:  # fmt: skip
    """Give back the uses of which the gate never heard that they were admitted, and turned their holders away: before
    anything is decided, so that the lines after them find money, quota and place as they were. Returns those that
    cannot be given back, for a clerk.
    """
    refused = [line for each in group if (line := each.line).gate is not None and not line.gate.admitted]
    if not refused:
        return []
    found = await connection.fetch(
        sql.load(LOAD, "turned_away"), upload.terminal_id, upload.journal, [line.sequence for line in refused],
        [line.content for line in refused],
    )  # fmt: skip
    if found:
        await lock(connection, [each.line for each in group])  # all in one order, before any is given back
    kept = []
    for use_id, division in found:
        try:
            async with connection.transaction():
                await refunds.refund_within(connection, refunds.Asked.by_nobody(use_id, upload.terminal_id), memory)
        except Conflict as error:
            if error.code != "ALREADY_REFUNDED":
                detail = {"terminal": upload.terminal_id, "use": str(use_id), "place": division, "why": error.code}
                kept.append(Risk(KEPT, f"terminal:{upload.terminal_id}", detail))
    return kept


async def _lock(connection: asyncpg.Connection, upload: Upload) -> Head:
    row = await connection.fetchrow(
        sql.load(HERE, "lock_journal"), upload.terminal_id, upload.journal, upload.named
    )  # fmt: skip
    return Head(*row)


async def _load(connection: asyncpg.Connection, upload: Upload, lines: list[Line], memory: Memory) -> Loaded:
    """The facts of a group, and how things stood at its lines' moments."""
    loaded = await load_facts(connection, lines, memory)
    if fork(lines, loaded):
        loaded = await load_facts(connection, lines, memory)
    if await _find_closed(connection, lines, loaded):
        loaded = await load_facts(connection, lines, memory)
    now = clock.now().timestamp()
    if not any(spot.has_key(upload.key_id, now) for spot in loaded.spots.values()):
        raise Conflict("KEY_EXPIRED", "终端密钥已停用。", "The terminal's key is no longer in force.")
    chips = {card.card_id for line in lines if line.presented.counter is not None and (card := card_of(line, loaded))}
    row = await connection.fetchrow(
        sql.load(LOAD, "past"),
        sorted(card.card_id for card in loaded.by_number.values()),
        upload.terminal_id,
        sorted({line.item for line in lines}),
        min(line.at for line in lines),
        sorted(chips),
        [known.use_id for known in loaded.known.values()],
        sorted({_month(line.presented.expires) for line in lines if line.presented.expires is not None}),
    )
    loaded.past = past_of(row)
    if any(line.leg is not None for line in lines):
        loaded.past.journeys = await _late_journeys(connection, lines, loaded, memory)
    return loaded


async def _late_journeys(
    connection: asyncpg.Connection, lines: list[Line], loaded: Loaded, memory: Memory
) -> Journeys:  # fmt: skip
    """The journeys besides open ones that lines may be of, and what they cost when they ended by themselves."""
    cards, items = [card.card_id for card in loaded.by_number.values()], sorted({line.item for line in lines})
    first, last = min(line.at for line in lines) - late.SKEW, max(line.at for line in lines) + late.SKEW
    row = await connection.fetchrow(
        sql.load(LOAD, "late_journeys"), sorted(cards), items, first, last, uuid7_floor(first)
    )  # fmt: skip
    left, ended, waiting = left_of(row["left"]), ended_of(row["ended"]), waiting_of(row["waiting"])
    if left:
        ids = {id_: journey.id for journey in left for id_ in ids_by_itself(journey.id)}
        back: dict[UUID, list[Transfer]] = {}
        owed: dict[UUID, int] = {}
        corrected = set()
        for row in await connection.fetch(sql.load(LOAD, "charged_by_itself"), list(ids)):
            of = ids[row["id"]]
            moved = row["debit_account"], row["credit_account"], row["amount_fen"]
            back.setdefault(of, []).append(taken_back(row["id"], *moved, of))
            owed[of] = owed.get(of, 0) + (row["amount_fen"] if row["owed"] else 0)
            corrected |= {of} if row["corrected"] else set()
        left = [
            msgspec.structs.replace(
                journey, back=tuple(back.get(journey.id, ())), back_owed_fen=owed.get(journey.id, 0)
            )
            for journey in left
            if journey.id not in corrected
        ]
        await read_items(connection, {journey.item_version_id for journey in left}, memory)
        await learn(connection, {owner for j in left for owner in (j.operator, j.sponsor) if owner}, memory)
    found = Journeys(ended=ended, waiting=waiting)
    for journey in left:
        found.left.setdefault((journey.card_id, journey.item), []).append(journey)
    return found


def fork(lines: Sequence[Line], loaded: Loaded) -> bool:
    """Give lines whose sequence another presentation has a key of their own, in a journal that is made of theirs and
    what was presented; whether there are any. A gate whose disk was restored from an older copy counts on from there:
    it has written what its key proves, and somebody walked through.
    """
    contents = {key: known.content for key, known in loaded.known.items()}
    forked = False
    for line in lines:
        if contents.setdefault(line.key, line.content) != line.content:
            line.journal = uuid5(line.journal, f"{line.sequence}:{line.content.hex()}")
            forked = True
    return forked


async def _find_closed(connection: asyncpg.Connection, lines: list[Line], loaded: Loaded) -> bool:
    """Let codes of e-cards that were closed since find their card; whether there are any."""
    shown = {serial for line in lines if (serial := line.presented.serial) is not None}
    unknown = shown - loaded.by_serial.keys()
    if not unknown:
        return False
    rows = await connection.fetch(sql.load(LOAD, "closed_ecards"), sorted(unknown))
    closed = {row["serial"]: row for row in rows}
    found = False
    for line in lines:
        row = closed.get(line.presented.serial) if line.presented.serial is not None else None
        if row is not None and line.at.timestamp() < row["closed_at"]:
            line.presented = msgspec.structs.replace(line.presented, serial=None, number_index=row["number_index"])
            found = True
    return found


async def _pay_out(connection: asyncpg.Connection, charge: Charge, loaded: Loaded) -> None:
    """A debt that was paid meanwhile, and is taken back now, is the holder's money: it goes into the purse."""
    holder_id = next((card.holder_id for card in loaded.by_number.values() if card.purse == charge.purse), None)
    debt = (await load_debts(connection, [holder_id])).get(holder_id) if holder_id is not None else None
    if debt is None or debt.owed_fen >= 0:
        return
    transfer = Transfer(uuid7(), debt.account, charge.purse, -debt.owed_fen, "debt", charge.reference)
    refused = await post(connection, [transfer])
    if refused:
        raise LedgerDisagreed(", ".join(refused.values()))


@lru_cache(maxsize=4096)  # codes of one window end together
def _month(moment: dt.datetime) -> str:
    """The month in China, as the partitions of spent nonces are named."""
    return f"{clock.day_of(moment):%Y%m}"


def _line_columns(rows: Sequence[OfflineLine], linked: Mapping[int, bool]) -> list[object]:
    """The columns of `uses_offline_line`, in the order of `save_lines.sql`."""
    gates = [row.line.gate for row in rows if row.line.gate is not None]
    return [
        literal(row.taken.use_id.hex for row in rows),
        literal(row.line.sequence for row in rows),
        literal(row.taken.verdict.value for row in rows),
        literal(gate.manual for gate in gates),
        [gate.at for gate in gates],
        literal(gate.correction_s for gate in gates),
        literal(gate.paid_fen for gate in gates),
        literal(gate.oldest_list_s for gate in gates),
        literal(row.taken.double for row in rows),
        literal(row.taken.shortfall_fen for row in rows),
        literal(row.taken.borne_by for row in rows),
        literal(linked[row.line.sequence] for row in rows),
        [_plain(gate.verdict) for gate in gates],
        [None if gate.reason is None else _plain(gate.reason) for gate in gates],
        literal(row.stood and row.stood.full_fen for row in rows),
        literal(row.stood and row.stood.paid_fen for row in rows),
        literal(row.stood and row.stood.waived_fen for row in rows),
        literal(row.stood and row.stood.concession and row.stood.concession.key for row in rows),
    ]


def _plain(text: str) -> str:
    """What a gate wrote, with a mark for what the database cannot keep: nothing may turn into another word by it."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _chip_columns(folded: Folded, past: Past) -> list[object]:
    cards = sorted(folded.seen)
    chips = [past.chips[card] for card in cards]
    return [cards, [chip.highest for chip in chips], [f"{chip.seen:0{SEEN_MAX}b}" for chip in chips]]
