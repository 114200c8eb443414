"""Connections and builders of the ledger's tests: as a role, in `fresh_database`, committed."""

import itertools
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg

from onecard.foundation import sql
from onecard.foundation.ids import uuid7
from onecard.kernel.ledger.actions import HERE
from onecard.kernel.ledger.rules import Outcome, Transfer

_drawn = itertools.count(1)


class Books:
    """One connection of a role to the ledger, in autocommit."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)

    def run(self, statement: str, *params: object) -> list[tuple[Any, ...]]:
        """One statement with ``$1`` parameters."""
        with psycopg.RawCursor(self.connection) as cursor:
            cursor.execute(statement.encode(), params)
            return cursor.fetchall() if cursor.description else []

    def open(self, *, limited: bool = True, ceiling_fen: int | None = None, ledger: str = "purse", fen: int = 0) -> int:
        """A new account; with `fen` on it if asked for."""
        n = next(_drawn)
        role = "holder.purse" if limited else "operator.receivable"
        account: int = self.run(
            "SELECT ledger_open(ARRAY[$1], $2, $3, $4, $5::bigint)", f"holder:{n}", role, ledger, limited, ceiling_fen
        )[0][0]
        if fen:
            source = self.open(limited=False, ledger=ledger)
            assert not self.post([a_transfer(source, account, fen)])
        return account

    def post(self, transfers: Sequence[Transfer]) -> dict[int, Outcome]:
        found = self.run(
            sql.load(HERE, "post"),
            [t.id for t in transfers],
            [t.debit for t in transfers],
            [t.credit for t in transfers],
            [t.amount_fen for t in transfers],
            [t.kind.value for t in transfers],
            [t.code for t in transfers],
            [t.pending_id for t in transfers],
            [t.expires_at for t in transfers],
            [t.reference for t in transfers],
        )
        return {n - 1: Outcome(outcome) for n, outcome in found}

    def balance(self, account: int) -> tuple[int, int, int, int]:
        """Debits and credits posted, debits and credits held."""
        return tuple(self.run(sql.load(HERE, "balance"), account)[0][1:])

    def free(self, account: int) -> int:
        debits, credited, held, _ = self.balance(account)
        return credited - debits - held

    def close(self) -> None:
        self.connection.close()


def a_transfer(
    debit: int, credit: int, amount_fen: int = 100, transfer_id: UUID | None = None, **changes: Any
) -> Transfer:
    return Transfer(transfer_id or uuid7(), debit, credit, amount_fen, changes.pop("code", "test"), **changes)
