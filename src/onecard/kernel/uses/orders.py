"""Orders to the bank, as the gateway writes them: what a line is to pay by bank account, and what a refund gives back.

One statement each, on an asyncpg connection. `place`, `note` and `give_up` stand by themselves; `hold` and `refund`
belong to the transaction that records the use or gives it back. The steps of an order are in
`migrations/0002_bank_orders.sql`.
"""

from uuid import UUID

import asyncpg
import msgspec

from onecard.foundation import sql
from onecard.kernel.uses.lines import BankAsked, Key, Line, Use
from onecard_kit.terms import Means

HERE = "onecard.kernel.uses"
# An order that nobody decided on for so long is let go: whoever wrote it is gone.
GIVEN_UP_AFTER_S = 30


class Placed(msgspec.Struct, frozen=True):
    """What a new order is to ask the bank with: its id, the account's token, the operator's party code."""

    id: UUID
    token: str
    merchant: str


class Found(msgspec.Struct, frozen=True):
    """The order that a line has already."""

    id: UUID
    state: str
    content: bytes
    amount_fen: int


async def place(connection: asyncpg.Connection, order: UUID, line: Line, asked: BankAsked) -> Placed | None:
    """Write a line's order, before the bank is asked. None: it has one, or the card no account any more."""
    row = await connection.fetchrow(
        sql.load(HERE, "place_bank_order"),
        order,
        *line.key,
        line.content,
        asked.card_id,
        asked.item,
        asked.amount_fen,
        GIVEN_UP_AFTER_S,
    )
    return None if row is None else Placed(order, row["token"], row["merchant"])


async def find(connection: asyncpg.Connection, key: Key) -> Found | None:
    """The order of a line."""
    row = await connection.fetchrow(sql.load(HERE, "find_bank_order"), *key)
    return None if row is None else Found(*row)


async def note(connection: asyncpg.Connection, order: UUID, state: str, reason: str | None) -> bool:
    """Note what came of asking: approved, refused or releasing. False: the order was given up meanwhile."""
    noted = await connection.fetchval(sql.load(HERE, "note_bank_answer"), order, state, reason, GIVEN_UP_AFTER_S)
    return noted is not None


async def give_up(connection: asyncpg.Connection, order: UUID) -> None:
    """Have let go what the bank may hold for an order, unless a use stands on it."""
    await connection.execute(sql.load(HERE, "give_up_bank_order"), order)


async def hold(connection: asyncpg.Connection, uses: list[Use]) -> list[Line]:
    """Let those of a group's uses that are paid by bank account stand on their orders.

    Returns the lines whose order the bank no longer holds: they are to be decided again.
    """
    paid = [use for use in uses if use.decision.means is Means.BANK]
    if not paid:
        return []
    keys = zip(*(use.line.key for use in paid), strict=True)
    found = await connection.fetch(
        sql.load(HERE, "hold_bank_orders"),
        *map(list, keys),
        [use.line.id for use in paid],
        [use.decision.paid_fen for use in paid],
    )
    standing = {row["n"] for row in found}
    return [use.line for n, use in enumerate(paid, 1) if n not in standing]


async def refund(connection: asyncpg.Connection, refund_id: UUID, key: Key, content: bytes) -> bool:
    """Ask for a refund of what the bank paid for a use, if it did; False where the key was used for another order."""
    made: bool = await connection.fetchval(sql.load(HERE, "refund_bank_order"), refund_id, *key, content)
    return made
