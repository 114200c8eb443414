"""Brings orders to their end at the bank: captures what uses stand on, lets the rest go, gives refunds back.

One order at a time: it is claimed and its next try put off, then the bank is asked, then its answer is noted, each on
its own; whatever is killed in between, the order comes up again, and the bank takes each act once.
"""

import logging
import time
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from onecard.connectors.bank.caller import Bank, BankSilent
from onecard.connectors.bank.protocol import Said, State
from onecard.foundation import sql
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions as audit

log = logging.getLogger(__name__)

USES = "onecard.kernel.uses"
# A bank that is silent so often in a row is away: the next turn asks again.
SILENT_MAX = 3
STUCK = "bank_order_stuck"


class Order(NamedTuple):
    """An order as claimed: what its state asks for is to be done now. Amounts in whole fen."""

    id: UUID
    state: str
    payment_id: UUID | None
    amount_fen: int


def settle(bank: Bank, *, for_s: float = 50.0) -> int:
    """Bring orders that are due to their end, for at most so many seconds; how many came there."""
    ended = silent = 0
    until = time.monotonic() + for_s
    while silent < SILENT_MAX and time.monotonic() < until and (order := _claim()) is not None:
        try:
            ended += _bring(bank, order)
            silent = 0
        except BankSilent as error:
            silent += 1
            _failed(order, f"silent: {error}")
    return ended


def _claim() -> Order | None:
    found = rows(sql.load(USES, "claim_bank_order"))
    return Order(*found[0]) if found else None


def _bring(bank: Bank, order: Order) -> bool:
    """Ask the bank for what an order needs, and note what it came to; whether that was its end."""
    said, wanted, end = _ask(bank, order)
    if said.state in wanted:
        rows(sql.load(USES, "end_bank_order"), order.id, order.state, end)
        return True
    _failed(order, said.reason or str(said.state))
    return False


def _ask(bank: Bank, order: Order) -> tuple[Said, tuple[State, ...], str]:
    """What the bank said, which states of it are an end, and what the order then is."""
    if order.state == "held":
        return bank.capture(order.id, order.amount_fen), (State.CAPTURED,), "captured"
    if order.state == "due":
        assert order.payment_id is not None
        return bank.refund(order.id, order.payment_id, order.amount_fen), (State.REFUNDED,), "refunded"
    # What the bank had refused holds nothing either.
    return bank.release(order.id), (State.RELEASED, State.REFUSED), "released"


def _failed(order: Order, why: str) -> None:
    log.warning("order %s, which is %s, stays so: %s", order.id, order.state, why)
    rows(sql.load(USES, "note_bank_error"), order.id, why)


@transaction.atomic
def alarm() -> int:
    """Leave a risk fact for each order that is a day old and not at its end, once; how many."""
    stuck = rows(sql.load(USES, "alarm_bank_orders"))
    for order_id, state, tries in stuck:
        audit.risk(STUCK, f"bank_order:{order_id}", {"state": state, "tries": tries})
    return len(stuck)
