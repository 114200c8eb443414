"""Verbs of uses: record a group of presentations; give a use back. Each is one transaction on an asyncpg connection."""

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

import asyncpg
import msgspec

from onecard.foundation import clock, sql, workdays
from onecard.foundation.ids import uuid7_floor
from onecard.kernel.uses import orders
from onecard.kernel.uses.decide import fold, further
from onecard.kernel.uses.lines import Folded, Key, Line, Outcome, Transfer, Use
from onecard.kernel.uses.load import facts
from onecard.kernel.uses.settle import Accounts, LedgerDisagreed, in_order, require_posted, transfers_of
from onecard_kit import item_files
from onecard_kit.decide import Areas
from onecard_kit.terms import BORNE_BY_PLATFORM, DayKind, Item, Leg, Medium

HERE = "onecard.kernel.uses"
LOAD = "onecard.kernel.uses.load"
RECORD = "onecard.kernel.uses.record"
COLLISIONS_MAX = 3
SPOTS_KEPT_MAX = 500_000
# How long ago a use may lie that a discount for changing looks at; `transfer.within_minutes` is at most this.
CHANGES_WITHIN = dt.timedelta(days=1)
# One group at a time that looks at read-aloud numbers; the number is this table's, in a range of locks that is ours.
NUMBERS_LOCK = "SELECT pg_advisory_xact_lock((21069::bigint << 32) | 'uses_use'::regclass::oid::bigint)"


class Collision(Exception):
    """Another process recorded a key, a nonce or a quota of the group first; the group is to be decided again."""


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
    areas: Areas = field(default_factory=Areas)

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
) -> list[Outcome]:
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


async def record_within(connection: asyncpg.Connection, lines: list[Line], memory: Memory) -> list[Outcome]:
    """The work of `record_group` inside the caller's transaction (or savepoint)."""
    loaded = await load_facts(connection, lines, memory)
    folded = fold(lines, loaded, memory.items)
    await save(connection, folded, loaded, memory)
    return cast("list[Outcome]", folded.answers)  # none is a line of a journal


async def lock(connection: asyncpg.Connection, lines: list[Line]) -> list[asyncpg.Record]:
    """Lock the cards of lines, then their purses, each in id order so that two groups cannot deadlock; their rows."""
    papers = await _papers(connection, lines)
    shown = {s for line in lines if (s := line.presented.serial) is not None}
    serials = sorted(shown | {paper.ecard for paper in papers.values()})
    numbers = sorted({n for line in lines if (n := line.presented.number_index) is not None})
    if not serials and not numbers:
        return []
    rows: list[asyncpg.Record] = await connection.fetch(sql.load(LOAD, "lock_cards"), serials, numbers)
    return rows


async def load_facts(connection: asyncpg.Connection, lines: list[Line], memory: Memory) -> facts.Loaded:
    """Lock the cards of a group's lines, then read everything its decisions may look at."""
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
        literal(terminal for terminal, _ in pairs),
        literal(f'"{item}"' for _, item in pairs),
        day,
        literal(terminal for terminal, _, _ in keys),
        literal(journal.hex for _, journal, _ in keys),
        literal(sequence for _, _, sequence in keys),
        literal(_bytes(nonce) for nonce in nonces),
        list(nonces.values()),
        literal(sorted({card.holder_id for card in by_number.values()})),
        revision,
        literal("true" if remembered_day == day and pair in memory.spots else "false" for pair in pairs),
    )
    if found["revision"] != revision:
        memory.areas = facts.areas_of(found["areas"])
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
        areas=memory.areas,
        day_kind=DayKind(workdays.kind_of(day)),
    )
    await _remember(connection, loaded, memory)
    # Who taps out may be on a version that was journeys' last: what they began is looked for whatever is in force now.
    taps_out = any(line.leg is Leg.OUT for line in lines)
    if taps_out or any(_looks_further(spot, memory) for spot in loaded.spots.values()):
        await _load_further(connection, lines, loaded, memory)
    loaded.papers = await _papers(connection, lines)  # once more, now that nobody can revoke one
    if any(line.presented.medium is Medium.NUMBER for line in lines):
        loaded.misses = await _load_misses(connection, lines[0].at)
    return loaded


async def _papers(connection: asyncpg.Connection, lines: list[Line]) -> dict[int, facts.Paper]:
    """Whose the paper codes of lines are, which few are."""
    serials = [paper for line in lines if (paper := line.presented.paper) is not None]
    if not serials:
        return {}
    return {row[0]: facts.Paper(*row[1:]) for row in await connection.fetch(sql.load(LOAD, "papers"), serials)}


def _looks_further(spot: facts.Spot, memory: Memory) -> bool:
    item = memory.items.get(spot.item_version_id) if spot.item_version_id is not None else None
    return item is not None and item.looks_further


async def _load_further(
    connection: asyncpg.Connection, lines: list[Line], loaded: facts.Loaded, memory: Memory
) -> None:
    """Read what only some items look at, under the locks of the cards; lock the capacities last, in key order."""
    # Lines do not stand in the order of their times: one that waited for its bank comes after later ones.
    cards, now = list(loaded.by_number.values()), max(line.at for line in lines)
    row = await connection.fetchrow(
        sql.load(LOAD, "further"),
        [card.card_id for card in cards],
        sorted({card.holder_id for card in cards}),
        clock.day_of(now),
        uuid7_floor(now - CHANGES_WITHIN),
        now,
    )
    loaded.further = facts.further_of(row)
    if any(item.fills_purse for item in _items_of(loaded, memory)):
        loaded.further.debts = await load_debts(connection, sorted({card.holder_id for card in cards}))
    await read_items(connection, {j.item_version_id for j in loaded.further.journeys.values()}, memory)
    loaded.further.items = memory.items
    owners = {owner for j in loaded.further.journeys.values() for owner in (j.operator, j.sponsor) if owner}
    await learn(connection, owners | {f"party:{bank}" for bank in loaded.further.banks.values()}, memory)
    keys = sorted(_capacities(lines, loaded, memory))
    if keys:
        counted = await connection.fetch(sql.load(LOAD, "lock_capacity"), *map(list, zip(*keys, strict=True)))
        loaded.further.capacities = {row[:3]: row[3] for row in counted}


async def _load_misses(connection: asyncpg.Connection, now: dt.datetime) -> facts.Misses:
    """Count the numbers that were nobody's of late, with no other process deciding on one until this group commits."""
    await connection.execute(NUMBERS_LOCK)
    rows = await connection.fetch(sql.load(LOAD, "misses"), uuid7_floor(now - facts.Misses.WITHIN))
    return facts.Misses(Counter(dict(map(tuple, rows))))


def _items_of(loaded: facts.Loaded, memory: Memory) -> Iterator[Item]:
    """The items of a group's places."""
    for version in {spot.item_version_id for spot in loaded.spots.values()}:
        if version is not None and version in memory.items:
            yield memory.items[version]


async def load_debts(connection: asyncpg.Connection, holders: list[int]) -> dict[int, facts.Debt]:
    """What holders owe, under the locks of their purses: none is cleared twice."""
    rows = await connection.fetch(sql.load(LOAD, "debts"), holders)
    return {row["holder_id"]: facts.Debt(row["account"], row["owed_fen"]) for row in rows}


def _capacities(lines: list[Line], loaded: facts.Loaded, memory: Memory) -> set[tuple[int, str, str]]:
    """Where the lines of a group may be counted."""
    found = set()
    for line in lines:
        spot = loaded.spots.get((line.terminal_id, line.item))
        item = memory.items.get(spot.item_version_id) if spot and spot.item_version_id is not None else None
        if spot is not None and item is not None and item.capacity is not None and line.leg is not Leg.OUT:
            found.add(further.capacity_key(item, spot, clock.day_of(line.at)))
    return found


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
    sponsors = {spot.sponsor for spot in spots if spot.sponsor is not None}
    await learn(connection, {memory.treasury or "", *sponsors} | {spot.operator for spot in spots}, memory)


async def learn(connection: asyncpg.Connection, wanted: set[str], memory: Memory) -> None:
    """Read the accounts of owners met for the first time."""
    owners = memory.accounts.unknown(wanted)
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
        memory.items[version] = item_files.from_plain(json.loads(declaration), f"item version {version}")


async def _learn_bearers(connection: asyncpg.Connection, folded: Folded, memory: Memory) -> None:
    """Have the accounts ready from which somebody bears what a holder lacked."""
    debtors = sorted({charge.debtor for charge in folded.charges if charge.debtor is not None})
    if debtors:
        await connection.execute("SELECT uses_open_debts($1::bigint[])", debtors)
        await learn(connection, {f"holder:{debtor}" for debtor in debtors}, memory)
    lacking = (charge.borne_by for charge in folded.charges if charge.shortfall_fen)
    if memory.accounts.platform is None and BORNE_BY_PLATFORM in lacking:
        memory.accounts.platform = await connection.fetchval(sql.load(HERE, "platform"))
        await learn(connection, {memory.accounts.platform or ""}, memory)


async def save(connection: asyncpg.Connection, folded: Folded, loaded: facts.Loaded, memory: Memory) -> None:
    """Write all that a group came to. Raises Collision, LedgerDisagreed."""
    uses = folded.uses
    if not (uses or folded.charges or folded.quotas or folded.risks):
        return
    if folded.further or folded.lines:
        await _learn_bearers(connection, folded, memory)
    quotas = sorted(folded.quotas.items())
    transfers = [t for charge in folded.charges for t in transfers_of(charge, memory.treasury or "", memory.accounts)]
    plain = all(t.kind == "posted" for t in transfers)
    new_keys, new_nonces, counted, refused = await connection.fetchrow(
        sql.load(RECORD, "save"),
        *_use_columns(uses),
        literal(use.line.journal.hex for use in uses),
        literal(use.line.sequence for use in uses),
        literal(_bytes(use.line.content) for use in uses),
        literal(_bytes(nonce) for nonce, _ in folded.nonces),
        [expires for _, expires in folded.nonces],
        list(folded.counters),
        list(folded.counters.values()),
        literal(holder for (holder, _, _), _ in quotas),
        literal(rule for (_, rule, _), _ in quotas),
        literal(period for (_, _, period), _ in quotas),
        literal(more for _, more in quotas),
        [risk.kind for risk in folded.risks],
        [risk.subject for risk in folded.risks],
        [json.dumps(risk.detail) for risk in folded.risks],
        *_transfer_columns(transfers if plain else []),
        literal(use.decision.waived_fen for use in uses),
        literal(use.line.leg for use in uses),
    )
    if new_keys < len(uses) or new_nonces < len(folded.nonces):
        raise Collision("a key or nonce was recorded meanwhile")
    if any(loaded.quotas[key] != used for key, used in facts.quotas_of(counted).items()):
        raise Collision("a quota was counted meanwhile through another card of the holder")
    if refused is not None:
        raise LedgerDisagreed(refused)
    if not plain:
        require_posted(await connection.fetch(sql.load(RECORD, "post_in_order"), *in_order(transfers)))
    if folded.further:
        await _save_further(connection, folded)
    unpaid = await orders.hold(connection, uses)
    for line in unpaid:
        line.bank = "silent"
    if unpaid:
        raise Collision("an order to the bank was given up meanwhile")


async def _save_further(connection: asyncpg.Connection, folded: Folded) -> None:
    left = folded.further
    begun = {row["id"] for row in left.begun}
    standing = [row for row in left.ended if row["id"] not in begun]
    if standing:
        await connection.execute(sql.load(RECORD, "end_journeys"), _json(standing))
    filled = [
        {"point_id": p, "rule": rule, "period": period, "more": n} for (p, rule, period), n in left.filled.items()
    ]
    passes = await connection.fetchval(
        sql.load(RECORD, "save_further"),
        *map(_json, (left.begun, left.ended, left.sold, left.served, filled)),
    )
    if passes < len({row["pass_id"] for row in left.served}):
        raise Collision("a pass was used meanwhile through another card of the holder")


def _json(rows: list[dict[str, object]]) -> str:
    return msgspec.json.encode(rows).decode()


def _use_columns(uses: list[Use]) -> list[object]:
    """The columns of `uses_use`, in the order of `save.sql`."""
    return [
        literal(use.line.id.hex for use in uses),
        [use.line.at for use in uses],
        literal(use.line.terminal_id for use in uses),
        literal(use.point_id for use in uses),
        literal(f'"{use.line.item}"' for use in uses),
        literal(use.item_version_id for use in uses),
        literal(use.card_id for use in uses),
        literal(use.line.presented.medium.value for use in uses),
        literal(use.decision.verdict.value for use in uses),
        literal(use.decision.full_fen for use in uses),
        literal(use.decision.paid_fen for use in uses),
        literal(use.decision.concession.key if use.decision.concession else None for use in uses),
    ]


async def post(connection: asyncpg.Connection, transfers: list[Transfer]) -> dict[int, str]:
    """Post transfers in their order; the reasons of those the ledger did not newly make, by position from 0."""
    rows = await connection.fetch(sql.load(RECORD, "post"), *_transfer_columns(transfers))
    return {n - 1: outcome for n, outcome in rows}


def _transfer_columns(transfers: list[Transfer]) -> list[object]:
    """The columns of transfers, and how many there are, in the order of `save.sql` and `post.sql`."""
    return [
        literal(t.id.hex for t in transfers),
        literal(t.debit for t in transfers),
        literal(t.credit for t in transfers),
        literal(t.amount_fen for t in transfers),
        literal(t.code for t in transfers),
        literal(t.reference.hex for t in transfers),
        len(transfers),
    ]


def literal(values: Iterable[object]) -> str:
    """A PostgreSQL array literal of numbers, days, hex ids or codes; never of other text, which would need escapes.

    What travels from outside into it is an item's code, whose letters the gateway has checked, in quotes (one may be
    called null). Encoding one text costs a fraction of encoding a list element by element.
    """
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def _bytes(value: bytes) -> str:
    """Bytes as an element of an array literal."""
    return f'"\\\\x{value.hex()}"'
