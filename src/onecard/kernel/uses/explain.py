"""Explain (说明): every rule that a decision looked at, and why the winning one won, from the function that decides.

`what_if` loads the facts as a group does and gives its locks back; `of_use` rebuilds the facts of a recorded use as
they stood. Neither writes anything. On an asyncpg connection.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from onecard.foundation import clock, sql
from onecard.foundation.errors import Conflict
from onecard.foundation.ids import beside, uuid7, uuid7_floor
from onecard.kernel.uses.actions import CHANGES_WITHIN, LOAD, Memory, load_facts, read_items
from onecard.kernel.uses.decide import card_of, facts_of
from onecard.kernel.uses.decide.further import SOLD, terms_of
from onecard.kernel.uses.lines import Line
from onecard.kernel.uses.load import as_of, facts
from onecard.kernel.uses.present import Presented
from onecard.kernel.uses.refunds import use_unknown
from onecard_kit import reasons
from onecard_kit.decide import Decision, Facts, Fit, Step, decide
from onecard_kit.reasons import Words
from onecard_kit.terms import Item, Leg
from onecard_kit.verdicts import WORDS, Verdict

LOCK_WAIT_MS = 100
# How long before the end of a journey its beginning is looked for; whoever ends those left open may have stood still.
JOURNEYS_WITHIN = dt.timedelta(days=30)


class WhatIf(msgspec.Struct, frozen=True):
    """A use that is asked about and does not happen. `key_id` is the key of the terminal that asks, None for an
    officer; `bank` is ``away`` where there is none to ask, else None: it is not asked.
    """

    terminal_id: int
    item: str
    presented: Presented
    at: dt.datetime
    amount_fen: int | None = None
    leg: Leg | None = None
    key_id: int | None = None
    bank: str | None = "away"


class ExplainedStep(msgspec.Struct, frozen=True):
    """One rule that was looked at, in words. `left_fen` is what it leaves to pay, in whole fen; None: it is not about
    money.

    `as_recorded`: what it looked at was not kept, and is taken from the recorded verdict.
    """

    rule: str
    outcome: str
    zh: str
    en: str
    left_fen: int | None = None
    as_recorded: bool = False


class Outcome(msgspec.Struct, frozen=True):
    """What a decision comes to, as a use keeps it. Whole fen."""

    verdict: Verdict
    full_fen: int
    paid_fen: int
    waived_fen: int
    concession: str | None


class Explanation(msgspec.Struct, frozen=True):
    """A decision with every rule that it looked at, in order. Amounts in whole fen, as in `Decision`.

    For a recorded use, `recorded` is what was recorded, and `agrees` whether the facts as they stand in the registers
    now come to the same; `differs` says in words that they do not. For a what-if these are None. `gate` is what a gate
    without a line had decided, which stands; None where it was told as it happened.
    """

    verdict: Verdict
    item: Item | None
    full_fen: int
    paid_fen: int
    funded_fen: int
    waived_fen: int
    held_fen: int | None
    concession: str | None
    steps: list[ExplainedStep]
    agrees: bool | None = None
    recorded: Outcome | None = None
    differs: Words | None = None
    gate: as_of.AtGate | None = None

    @property
    def reasons(self) -> list[Words]:
        """Why, in the words of the answer at the gate."""
        return reasons.reasons(
            self.verdict, self.item, self.full_fen, self.paid_fen, self.waived_fen, self.concession, self.held_fen
        )

    def plain(self) -> dict[str, object]:
        """As it travels: what an answer at the gate says of verdict and price, and beside it the steps."""
        words = WORDS[self.verdict]
        price = ("full_fen", "paid_fen", "funded_fen", "waived_fen", "held_fen", "concession")
        return {
            "admitted": self.verdict is Verdict.ADMITTED,
            "verdict": {
                "code": self.verdict.value,
                "zh": words.zh,
                "en": words.en,
                "next_zh": words.next_zh,
                "next_en": words.next_en,
            },
            "reasons": self.reasons,
            "price": {name: getattr(self, name) for name in price},
            "steps": self.steps,
            "agrees": self.agrees,
            "recorded": self.recorded,
            "differs": self.differs,
            "gate": self._gate(),
        }

    def _gate(self) -> dict[str, object] | None:
        """What the gate had decided, with its words."""
        if self.gate is None:
            return None
        return {**msgspec.to_builtins(self.gate), **reasons.at_gate(self.gate), "admitted": self.gate.admitted}


async def what_if(connection: asyncpg.Connection, asked: WhatIf, memory: Memory) -> Explanation:
    """What would become of a use, as things stand. Nothing is written, and no lock outlives the reading.

    Raises Conflict KEY_EXPIRED where the terminal's key is no longer in force, or the driver's LockNotAvailableError.
    """
    line = Line(
        uuid7(), asked.at, asked.terminal_id, asked.key_id or 0, uuid7(), 0, b"", asked.item, asked.amount_fen,
        asked.presented, asked.leg, asked.bank,
    )  # fmt: skip
    loaded = await _look(connection, line, memory)
    spot = loaded.spots.get((line.terminal_id, line.item))
    if spot is None or (asked.key_id is not None and not spot.has_key(asked.key_id, line.at.timestamp())):
        raise Conflict("KEY_EXPIRED", "终端密钥已停用。", "The terminal's key is no longer in force.")
    card = card_of(line, loaded)
    version, journey = terms_of(line, spot, card, loaded)
    item = memory.items.get(version) if version is not None else None
    decision, steps = _decided(facts_of(line, spot, item, card, loaded, journey))
    return _explanation(decision, steps, item)


async def _look(connection: asyncpg.Connection, line: Line, memory: Memory) -> facts.Loaded:
    """Load as a group does, and roll back: the lane waits for no explanation longer than for the reading."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(f"SET LOCAL lock_timeout = {LOCK_WAIT_MS}")
        return await load_facts(connection, [line], memory)
    finally:
        await transaction.rollback()


async def of_use(
    connection: asyncpg.Connection, use_id: UUID, memory: Memory, operator_id: int | None = None
) -> Explanation:
    """Why a recorded use came to what it did: the facts as they stood, decided again.

    Raises NotFound USE_UNKNOWN, also for a use of another operator than `operator_id` where one is given.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        row = await connection.fetchrow(sql.load(LOAD, "explained"), use_id)
        if row is None or operator_id not in (None, row["operator_id"]):
            raise use_unknown()
        use = as_of.Recorded.of(row)
        await read_items(connection, [use.item_version_id], memory)
        item = memory.items[use.item_version_id] if use.item_version_id is not None else None
        stood = await _facts_then(connection, use, item, memory)
    decision, steps = _decided(stood)
    if not as_of.keeps_amount(use, item):
        steps = [_without_amount(step, item) for step in steps]
    return _compared(_explanation(decision, steps, item, as_of.AS_RECORDED), use)


async def _facts_then(connection: asyncpg.Connection, use: as_of.Recorded, item: Item | None, memory: Memory) -> Facts:
    """The facts of a use as they stood when it was decided."""
    card = as_of.card_of(use, item)
    if item is None or card is None:
        loaded = as_of.loaded_of(use, {}, {}, None, [])
        return facts_of(as_of.line_of(use, item), as_of.spot_of(use), item, card, loaded)
    journey = await _journey(connection, use, item)
    loaded = as_of.loaded_of(
        use,
        await _quotas(connection, use, item, memory),
        await _changes(connection, use, item),
        journey,
        await _passes(connection, use, item),
    )
    return facts_of(as_of.line_of(use, item), as_of.spot_of(use), item, card, loaded, journey)


async def _quotas(connection: asyncpg.Connection, use: as_of.Recorded, item: Item, memory: Memory) -> as_of.Quotas:
    day = clock.day_of(use.at)
    periods = {(rule, period.of(day)) for rule, period in item.counts}
    if not periods:
        return {}
    used = await connection.fetch(
        "SELECT rule, period, used FROM entitlements_quota WHERE holder_id = $1 AND period = ANY ($2::text[])",
        use.holder_id,
        sorted({period for _, period in periods}),
    )
    now = dict.fromkeys(periods, 0) | {row[:2]: row[2] for row in used if row[:2] in periods}
    since = dt.datetime.combine(min(period.start(day) for _, period in item.counts), dt.time(), clock.CHINA)
    rows = await connection.fetch(sql.load(LOAD, "counted_uses"), use.holder_id, use.item, uuid7_floor(since))
    uses = [as_of.CountedUse(*row) for row in rows]
    await read_items(connection, {each.item_version_id for each in uses}, memory)
    return as_of.quotas_before(use, now, uses, memory.items)


async def _changes(connection: asyncpg.Connection, use: as_of.Recorded, item: Item) -> Mapping[str, float]:
    if item.transfer is None:
        return {}
    earliest = uuid7_floor(use.at - CHANGES_WITHIN)
    rows = await connection.fetch(sql.load(LOAD, "changes_before"), use.card_id, use.id, use.at, earliest)
    return dict(map(tuple, rows))


async def _journey(connection: asyncpg.Connection, use: as_of.Recorded, item: Item) -> facts.Journey | None:
    if use.leg is not Leg.OUT:
        return None
    earliest = uuid7_floor(use.at - JOURNEYS_WITHIN)
    row = await connection.fetchrow(
        sql.load(LOAD, "journey_before"), use.card_id, use.item, use.id, use.at, earliest
    )  # fmt: skip
    return None if row is None else facts.Journey(*row)


async def _passes(connection: asyncpg.Connection, use: as_of.Recorded, item: Item) -> list[Any]:
    items = sorted({concession.pass_ for concession in item.concession if concession.pass_ is not None})
    if not items:
        return []
    rows = await connection.fetch(sql.load(LOAD, "passes_before"), use.holder_id, items, use.id)
    sales = [beside(row["id"], -SOLD) for row in rows]
    sold = await connection.fetch("SELECT id, at FROM uses_use WHERE id = ANY ($1::uuid[])", sales)
    return as_of.passes_before(use, rows, {beside(id_, SOLD): at for id_, at in sold})


def _decided(stood: Facts) -> tuple[Decision, list[Step]]:
    steps: list[Step] = []
    return decide(stood, steps), steps


def _explanation(
    decision: Decision, steps: list[Step], item: Item | None, as_recorded: frozenset[str] = frozenset()
) -> Explanation:
    told = reasons.explain(steps, item)
    return Explanation(
        verdict=decision.verdict,
        item=item,
        full_fen=decision.full_fen,
        paid_fen=decision.paid_fen,
        funded_fen=decision.funded_fen,
        waived_fen=decision.waived_fen,
        held_fen=decision.hold_fen,
        concession=decision.concession.key if decision.concession else None,
        steps=[
            ExplainedStep(**words, left_fen=step.left_fen, as_recorded=step.rule in as_recorded)
            for step, words in zip(steps, told, strict=True)
        ],
    )


def _without_amount(step: Step, item: Item | None) -> Step:
    """What a rule came to where the amount it was about is unknown: whether it applied, not how much it left."""
    if step.left_fen is None:
        return step
    compared = step.outcome in (Fit.BEST, Fit.BEATEN, Fit.NO_GAIN)
    return Step(step.rule, Fit.APPLIES if compared else step.outcome)


def _compared(explained: Explanation, use: as_of.Recorded) -> Explanation:
    """The explanation beside what was recorded."""
    recorded = Outcome(use.verdict, use.full_fen, use.paid_fen, use.waived_fen, use.concession)
    now = Outcome(
        explained.verdict, explained.full_fen, explained.paid_fen, explained.waived_fen, explained.concession
    )  # fmt: skip
    agrees = now == recorded if use.came_to_ours else now.verdict is use.verdict
    differs = None if agrees else DIFFERS
    return msgspec.structs.replace(explained, agrees=agrees, recorded=recorded, differs=differs, gate=use.gate)


DIFFERS = {
    "zh": "按登记中现有的事实重算，结果与当时的记录不同：人群类别、套票、地区范围等在用卡之后有过变更。以记录为准。",
    "en": "Decided again on the facts that the registers hold now, this comes to something else than was recorded:"
    " classes, passes, sets of places or the like were changed after the use. What was recorded stands.",
}
