"""After a day: what the bank says it booked against what we had it book. Reads on Django's connection."""

import datetime as dt
import os
import time
from collections.abc import Sequence

from onecard.connectors.bank.caller import Bank, BankSilent
from onecard.connectors.bank.protocol import Entry
from onecard.demo.reckoning import Invariant
from onecard.foundation import clock
from onecard.foundation.postgres.raw import rows

# How long the worker may take to bring the day's orders to their end.
SETTLED_WITHIN_S = 60.0
OPEN = "SELECT id::text, state FROM uses_bank_order WHERE state <> ALL ($1::text[])"
ORDERED = (
    "SELECT id::text, kind, amount_fen FROM uses_bank_order"
    " WHERE state IN ('captured', 'refunded') AND use_id = ANY ($1::uuid[])"
)
KNOWN = (
    "SELECT id::text, amount_fen FROM uses_bank_order WHERE state IN ('captured', 'refunded') AND id = ANY ($1::uuid[])"
)
ENDS = ["refused", "captured", "released", "refunded"]
KINDS = {"payment": "capture", "refund": "refund"}


def invariants(uses: Sequence[str]) -> list[Invariant]:
    """What must hold between the day's uses, given by id, and the bank; nothing where no bank is connected."""
    bank = Bank.from_environment(os.environ)
    if bank is None:
        return []
    return [
        Invariant("银行指令均已了结", "Every order to the bank came to its end", _unsettled()),
        Invariant("银行对账单与本平台一致", "The bank's statement says what we had it book", _differing(bank, uses)),
    ]


def _unsettled() -> Sequence[str]:
    until = time.monotonic() + SETTLED_WITHIN_S
    while (left := rows(OPEN, ENDS)) and time.monotonic() < until:
        time.sleep(0.5)
    return [f"order {order} is {state}" for order, state in left]


def _differing(bank: Bank, uses: Sequence[str]) -> Sequence[str]:
    try:
        booked = {str(entry.id): entry for entry in _booked(bank)}
    except BankSilent as error:
        return [f"the bank gave no statement: {error}"]
    ordered = rows(ORDERED, list(uses))
    known = dict(rows(KNOWN, list(booked)))
    return [
        *(f"{kind} {order} of {fen} fen is not in the bank's statement" for order, kind, fen in ordered
          if (entry := booked.get(order)) is None or (entry.kind, entry.amount_fen) != (KINDS[kind], fen)),
        *(f"the bank booked {entry.kind} {order} of {entry.amount_fen} fen, we {known.get(order)}"
          for order, entry in booked.items() if known.get(order) != entry.amount_fen),
    ]  # fmt: skip


def _booked(bank: Bank) -> list[Entry]:
    """What the bank booked today and yesterday: a day that is played near midnight is in both."""
    today = clock.today()
    days = (today - dt.timedelta(days=1), today)
    return [entry for day in days for page in bank.statement(day) for entry in page.entries]
