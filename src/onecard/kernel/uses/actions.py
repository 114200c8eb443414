"""Verbs of uses: record a group of presentations; give a use back. Each is one transaction on an asyncpg connection."""

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from onecard.foundation import clock, sql
from onecard.kernel.uses.decide import fold
from onecard.kernel.uses.lines import Answer, Folded, Key, Line, Rejected, Use
from onecard.kernel.uses.load import facts
from onecard.kernel.uses.settle import Accounts, Transfer, transfers_of
from onecard_kit import terms
from onecard_kit.terms import Item
from onecard_kit.verdicts import Verdict

LOAD = "onecard.kernel.uses.load"
RECORD = "onecard.kernel.uses.record"
COLLISIONS_MAX = 3
SPOTS_KEPT_MAX = 500_000


class Collision(Exception):
    """Another process recorded a key, a nonce or a quota of the group first; the group is to be decided again."""


class LedgerDisagreed(Exception):
    """The ledger refused what the fold allowed: a fault of ours, never a verdict."""


@dataclass(slots=True)
class Memory:
    """What a process may keep.

    What never changes: item versions, account ids, and the owner of the treasury's. And the places of one day, as long
    as the catalogue's revision stays what it was when they were read.
    """

    treasury: str | None = None
    items: dict[int, Item] = field(default_factory=dict)
    accounts: Accounts = field(default_factory=Accounts)
    spots: dict[tuple[int, str], facts.Spot] = field(default_factory=dict)
    spots_of: tuple[int, dt.date] | None = None

    def forget(self) -> None:
        """Start anew: on a new connection the database may be another one, or an earlier state of the same."""
        self.treasury, self.spots_of = None, None
        self.items.clear()
        self.spots.clear()
        self.accounts = Accounts()

    def take_spots(self, found: dict[tuple[int, str], facts.Spot], revision: int, day: dt.date) -> None:
        """Remember places read at a revision, for a day; those of another are forgotten."""
        if self.spots_of != (revision, day):
            self.spots.clear()
            self.spots_of = (revision, day)
        self.spots.update(found)


async def record_group(
    connection: asyncpg.Connection, lines: list[Line], memory: Memory, lock_wait_ms: int | None = None
) -> list[Answer | Rejected]:
    """Lock, load, decide, save: one transaction for all lines, an answer for each, in their order.

    `lock_wait_ms` shortens what the connection waits for a lock. Raises Collision after repeated races,
    LedgerDisagreed, or the driver's errors; then nothing is recorded.
    """
    for _ in range(COLLISIONS_MAX):
        try:
            async with connection.transaction():
                if lock_wait_ms is not None:
                    await connection.execute(f"SET LOCAL lock_timeout = {lock_wait_ms}")
                return await record_within(connection, lines, memory)
        except (Collision, asyncpg.DeadlockDetectedError):
            continue
    raise Collision("the group met other writers again and again")


async def record_within(connection: asyncpg.Connection, lines: list[Line], memory: Memory) -> list[Answer | Rejected]:
    """The work of `record_group` inside the caller's transaction (or savepoint)."""
    loaded = await _load(connection, lines, memory)
    folded = fold(lines, loaded, memory.items)
    await _save(connection, folded, loaded, memory)
    return folded.answers


async def lock(connection: asyncpg.Connection, lines: list[Line]) -> list[asyncpg.Record]:
    """Lock the cards of lines, then their purses, each in id order so that two groups cannot deadlock; their rows."""
    serials = sorted({s for line in lines if (s := line.presented.serial) is not None})
    numbers = sorted({n for line in lines if (n := line.presented.number_index) is not None})
    if not serials and not numbers:
        return []
    rows: list[asyncpg.Record] = await connection.fetch(sql.load(LOAD, "lock_cards"), serials, numbers)
    return rows


async def _load(connection: asyncpg.Connection, lines: list[Line], memory: Memory) -> facts.Loaded:
    rows = await lock(connection, lines)
    by_serial, by_number = facts.cards_of(rows)
    nonces = {p.nonce: p.expires for line in lines if (p := line.presented).nonce is not None}
    pairs = sorted({(line.terminal_id, line.item) for line in lines})
    keys = sorted({line.key for line in lines})
    day = clock.day_of(lines[0].at)
    if len(memory.spots) > SPOTS_KEPT_MAX:
        memory.spots.clear()
    revision, remembered_day = memory.spots_of or (0, None)
    found = await connection.fetchrow(
        sql.load(LOAD, "facts"),
        _literal(terminal for terminal, _ in pairs),
        _literal(f'"{item}"' for _, item in pairs),
        day,
        _literal(terminal for terminal, _, _ in keys),
        _literal(journal.hex for _, journal, _ in keys),
        _literal(sequence for _, _, sequence in keys),
        _literal(_bytes(nonce) for nonce in nonces),
        list(nonces.values()),
        _literal(sorted({card.holder_id for card in by_number.values()})),
        revision,
        _literal("true" if remembered_day == day and pair in memory.spots else "false" for pair in pairs),
    )
    memory.take_spots(facts.spots_of(found["places"]), found["revision"], day)
    loaded = facts.Loaded(
        by_serial=by_serial,
        by_number=by_number,
        purses=facts.purses_of(rows),
        spots={pair: memory.spots[pair] for pair in pairs if pair in memory.spots},
        known=await _first_answers(connection, facts.recorded_of(found["known"])),
        spent=set(found["spent"] or ()),
        quotas=facts.quotas_of(found["quotas"]),
        withdrawn=frozenset(found["withdrawn"] or ()),
    )
    await _remember(connection, loaded, memory)
    return loaded


async def _first_answers(
    connection: asyncpg.Connection, recorded: dict[Key, tuple[bytes, UUID]]
) -> dict[Key, facts.Known]:
    """The first answers of lines that come again, which is rare; read apart, so that every group need not look."""
    if not recorded:
        return {}
    rows = await connection.fetch(sql.load(LOAD, "first_answers"), [use_id for _, use_id in recorded.values()])
    answers = {row["id"]: row for row in rows}
    # A key without a use is a refund's; its content is no presentation's, so it never repeats.
    return {
        key: facts.Known(content, *answers[use_id]) if use_id in answers else facts.Known.of_refund(content, use_id)
        for key, (content, use_id) in recorded.items()
    }


async def _remember(connection: asyncpg.Connection, loaded: facts.Loaded, memory: Memory) -> None:
    """Read the item versions and accounts met for the first time."""
    spots, known = loaded.spots.values(), loaded.known.values()
    versions = {spot.item_version_id for spot in spots} | {each.item_version_id for each in known}
    await read_items(connection, versions, memory)
    if memory.treasury is None:
        memory.treasury = await connection.fetchval("SELECT owner FROM ledger_account WHERE role = 'treasury.city'")
    owners = memory.accounts.unknown({memory.treasury or ""} | {spot.operator for spot in spots})
    if owners:
        found = await connection.fetch(
            "SELECT owner, role, ledger, id FROM ledger_account WHERE owner = ANY ($1::text[])", owners
        )
        memory.accounts.learn(owners, [tuple(row) for row in found])


async def read_items(connection: asyncpg.Connection, versions: Iterable[int | None], memory: Memory) -> None:
    """Read the item versions that are not remembered yet."""
    missing = [version for version in versions if version is not None and version not in memory.items]
    if not missing:
        return
    for version, declaration in await connection.fetch(
        "SELECT id, declaration::text FROM catalogue_item_version WHERE id = ANY ($1::bigint[])", missing
    ):
        memory.items[version] = terms.from_plain(json.loads(declaration), f"item version {version}")


async def _save(connection: asyncpg.Connection, folded: Folded, loaded: facts.Loaded, memory: Memory) -> None:
    uses = folded.uses
    if not uses:
        return
    quotas = sorted(folded.quotas.items())
    transfers = [t for use in uses for t in _transfers(use, memory)]
    new_keys, new_nonces, counted, refused = await connection.fetchrow(
        sql.load(RECORD, "save"),
        *_use_columns(uses),
        _literal(use.line.journal.hex for use in uses),
        _literal(use.line.sequence for use in uses),
        _literal(_bytes(use.line.content) for use in uses),
        _literal(_bytes(nonce) for nonce, _ in folded.nonces),
        [expires for _, expires in folded.nonces],
        list(folded.counters),
        list(folded.counters.values()),
        _literal(holder for (holder, _, _), _ in quotas),
        _literal(rule for (_, rule, _), _ in quotas),
        _literal(period for (_, _, period), _ in quotas),
        _literal(more for _, more in quotas),
        [risk.kind for risk in folded.risks],
        [risk.subject for risk in folded.risks],
        [json.dumps(risk.detail) for risk in folded.risks],
        *_transfer_columns(transfers),
    )
    if new_keys < len(uses) or new_nonces < len(folded.nonces):
        raise Collision("a key or nonce was recorded meanwhile")
    if any(loaded.quotas[key] != used for key, used in facts.quotas_of(counted).items()):
        raise Collision("a quota was counted meanwhile through another card of the holder")
    if refused is not None:
        raise LedgerDisagreed(refused)


def _use_columns(uses: list[Use]) -> list[object]:
    """The columns of `uses_use`, in the order of `save.sql`."""
    return [
        _literal(use.line.id.hex for use in uses),
        [use.line.at for use in uses],
        _literal(use.line.terminal_id for use in uses),
        _literal(use.point_id for use in uses),
        _literal(f'"{use.line.item}"' for use in uses),
        _literal(use.item_version_id for use in uses),
        _literal(use.card_id for use in uses),
        _literal(use.line.presented.medium.value for use in uses),
        _literal(use.decision.verdict.value for use in uses),
        _literal(use.decision.full_fen for use in uses),
        _literal(use.decision.paid_fen for use in uses),
        _literal(use.decision.concession.class_ if use.decision.concession else None for use in uses),
    ]


def _transfers(use: Use, memory: Memory) -> list[Transfer]:
    if use.decision.verdict is not Verdict.ADMITTED or use.item is None:
        return []
    return transfers_of(
        use.line.id, use.item, use.decision, use.operator, memory.treasury or "", use.purse, memory.accounts
    )


async def post(connection: asyncpg.Connection, transfers: list[Transfer]) -> dict[int, str]:
    """Post transfers in their order; the reasons of those the ledger did not newly make, by position from 0."""
    rows = await connection.fetch(sql.load(RECORD, "post"), *_transfer_columns(transfers))
    return {n - 1: outcome for n, outcome in rows}


def _transfer_columns(transfers: list[Transfer]) -> list[object]:
    """The columns of transfers, and how many there are, in the order of `save.sql` and `post.sql`."""
    return [
        _literal(t.id.hex for t in transfers),
        _literal(t.debit for t in transfers),
        _literal(t.credit for t in transfers),
        _literal(t.amount_fen for t in transfers),
        _literal(t.code for t in transfers),
        _literal(t.reference.hex for t in transfers),
        len(transfers),
    ]


def _literal(values: Iterable[object]) -> str:
    """A PostgreSQL array literal of numbers, days, hex ids or codes; never of other text, which would need escapes.

    What travels from outside into it is an item's code, whose letters the gateway has checked, in quotes (one may be
    called null). Encoding one text costs a fraction of encoding a list element by element.
    """
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def _bytes(value: bytes) -> str:
    """Bytes as an element of an array literal."""
    return f'"\\\\x{value.hex()}"'
