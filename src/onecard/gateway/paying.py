"""Pays by bank account in two passes of a line over the lane, the bank asked in between and outside any transaction.

The first pass comes to "ask the bank for so much" and records nothing. An order is written, the bank is asked to hold
the amount, and the second pass decides on what it said. Only a use that is recorded stands on the order; whatever else
comes (a refusal since, another price, a silent bank, the end of this process) the worker has the amount let go
(`connectors/bank`). A line finds the order it has, so that repeating it never asks twice. A bank that is silent again
and again rests (`silence`): lines are decided as if it had been silent, and no order is written.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from onecard.connectors.bank.caller import ANSWER_S, Bank, BankSilent
from onecard.connectors.bank.protocol import State
from onecard.foundation.ids import uuid7
from onecard.gateway import errors
from onecard.gateway.silence import Silence
from onecard.kernel.uses import orders
from onecard.kernel.uses.lines import Answer, BankAsked, Line, Outcome, Rejected
from onecard.kernel.uses.orders import Found, Placed

log = logging.getLogger("onecard.gateway")

# How many lines of a process wait for the bank at once; past it the terminal is told to come back.
ASKED_MAX = 64
LOOK_EVERY_S = 0.05
APPROVED, REFUSED, SILENT, AWAY = "approved", "refused", "silent", "away"
# What the state of an order that stands already says to the line that finds it.
_SAID = {
    "approved": APPROVED,
    "held": APPROVED,
    "captured": APPROVED,
    "refused": REFUSED,
    "releasing": SILENT,
    "released": SILENT,
}


@dataclass(frozen=True, slots=True)
class Told:
    """What the bank said for a line: the order it said it for, and how much was asked for, in whole fen."""

    order: UUID | None
    said: str
    amount_fen: int


@dataclass(slots=True)
class Paying:
    """Records lines, by way of the bank where the decision asks for it. `record` puts a line on the lane; `connection`
    lends the process's connection for what is no group. Without a bank, bank accounts are no means to pay.
    """

    bank: Bank | None
    record: Callable[[Line], Awaitable[Outcome]]
    connection: Callable[[], AbstractAsyncContextManager[asyncpg.Connection]]
    silence: Silence = field(default_factory=Silence)
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(ASKED_MAX, "bank"))
    _asked: int = 0

    async def pay(self, line: Line) -> Answer | Rejected:
        """Record a line and answer it. Raises what the lane raises, and Conflict SEQUENCE_REUSED."""
        line.bank = AWAY if self.bank is None else SILENT if self.silence.resting else None
        outcome = await self.record(line)
        if not isinstance(outcome, BankAsked):
            return outcome
        told = await self._ask(line, outcome)
        line.bank, line.bank_fen = told.said, told.amount_fen
        outcome = await self.record(line)
        if told.order is not None and told.said == APPROVED:
            await self._give_up(told.order)
        if isinstance(outcome, BankAsked):  # there is another amount to pay than the one it was asked for
            line.bank = SILENT
            outcome = await self.record(line)
        assert not isinstance(outcome, BankAsked)
        return outcome

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    # --- What the bank says ---

    async def _ask(self, line: Line, asked: BankAsked) -> Told:
        """Ask the bank for a line, once: a line that has its order gets what was said for that."""
        with self.silence.asking() as may_ask:
            return await self._ask_now(line, asked) if may_ask else Told(None, SILENT, asked.amount_fen)

    async def _ask_now(self, line: Line, asked: BankAsked) -> Told:
        if self._asked >= ASKED_MAX:
            raise errors.queue_full()
        self._asked += 1
        try:
            async with self.connection() as connection:
                placed = await orders.place(connection, uuid7(), line, asked)
                found = await orders.find(connection, line.key) if placed is None else None
            if placed is not None:
                return Told(placed.id, await self._answer(placed, asked.amount_fen), asked.amount_fen)
            if found is None:  # the account was closed a moment ago
                return Told(None, REFUSED, asked.amount_fen)
            if found.content != line.content:
                raise errors.sequence_reused()
            return Told(found.id, await self._answer_of(line, found), found.amount_fen)
        finally:
            self._asked -= 1

    async def _answer(self, placed: Placed, amount_fen: int) -> str:
        """Ask the bank for a new order, and note on it what came."""
        said, reason = await self._call(placed, amount_fen)
        state = "releasing" if said == SILENT else said
        async with self.connection() as connection:
            return said if await orders.note(connection, placed.id, state, reason) else SILENT

    async def _call(self, placed: Placed, amount_fen: int) -> tuple[str, str | None]:
        """What the bank says, within its time limit, and the return code of a refusal or what went wrong."""
        assert self.bank is not None
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(ANSWER_S + 0.5):
                told = await loop.run_in_executor(
                    self._threads, self.bank.hold, placed.id, placed.token, amount_fen, placed.merchant
                )
        except (BankSilent, TimeoutError) as error:
            self.silence.was_silent()
            log.warning("the bank did not answer for order %s: %s", placed.id, error or "too late")
            return SILENT, str(error)
        self.silence.answered()
        if told.state is State.HELD:
            return APPROVED, None
        if told.state is State.REFUSED:
            return REFUSED, told.reason
        log.warning("the bank said for order %s: %s %s", placed.id, told.state, told.reason)
        return SILENT, told.reason

    async def _answer_of(self, line: Line, found: Found) -> str:
        """What was said for an order that stands already. One that is still being asked for is waited for; whoever did
        not note an answer by then is gone, and what the bank may hold is let go.
        """
        until = asyncio.get_running_loop().time() + ANSWER_S + 1
        while found.state == "asked" and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(LOOK_EVERY_S)
            async with self.connection() as connection:
                found = await orders.find(connection, line.key) or found
        if found.state == "asked":
            await self._give_up(found.id)
        return _SAID.get(found.state, SILENT)

    async def _give_up(self, order: UUID) -> None:
        async with self.connection() as connection:
            await orders.give_up(connection, order)
