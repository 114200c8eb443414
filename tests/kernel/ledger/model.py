"""A ledger as small as it can be said, to judge the real one by: plain dictionaries, one transfer at a time."""

from dataclasses import dataclass, field
from uuid import UUID

from onecard.kernel.ledger.rules import AMOUNT_FEN_MAX, Kind, Outcome, Transfer

MOVES = (Kind.POSTED, Kind.POST)


@dataclass
class ModelAccount:
    ledger: str
    limited: bool
    ceiling_fen: int | None = None
    closed: bool = False
    debits: int = 0
    credits: int = 0
    debits_held: int = 0
    credits_held: int = 0

    @property
    def free(self) -> int:
        return self.credits - self.debits - self.debits_held

    @property
    def room(self) -> int | None:
        return None if self.ceiling_fen is None else self.ceiling_fen - self.credits - self.credits_held + self.debits


@dataclass
class Model:
    """`run_out` are the holds whose expiry has passed."""

    accounts: dict[int, ModelAccount]
    transfers: dict[UUID, Transfer] = field(default_factory=dict)
    resolved: set[UUID] = field(default_factory=set)
    run_out: set[UUID] = field(default_factory=set)

    def post(self, transfers: list[Transfer]) -> dict[int, Outcome]:
        outcomes = {n: self._one(transfer) for n, transfer in enumerate(transfers)}
        return {n: outcome for n, outcome in outcomes.items() if outcome is not None}

    def _one(self, t: Transfer) -> Outcome | None:
        held = self.transfers.get(t.pending_id) if t.pending_id and t.kind not in (Kind.POSTED, Kind.PENDING) else None
        if held is not None and held.kind is not Kind.PENDING:
            held = None
        if t.kind not in (Kind.POSTED, Kind.PENDING) and t.pending_id:
            amount_fen = t.amount_fen if t.amount_fen is not None else held.amount_fen if held else None
            debit, credit = (held.debit, held.credit) if held else (None, None)
            t = Transfer(t.id, debit, credit, amount_fen, t.code, t.kind, t.pending_id, t.expires_at, t.reference)
        if t.id in self.transfers:
            return Outcome.EXISTS if self.transfers[t.id] == t else Outcome.ID_REUSED
        outcome = self._resolve(t, held) if t.pending_id else self._move(t)
        if outcome is None:
            self.transfers[t.id] = t
        return outcome

    def _move(self, t: Transfer) -> Outcome | None:
        if t.kind not in (Kind.POSTED, Kind.PENDING):
            return Outcome.KIND_INVALID
        if t.amount_fen is None or not 1 <= t.amount_fen <= AMOUNT_FEN_MAX:
            return Outcome.AMOUNT_INVALID
        if t.expires_at is not None and t.kind is Kind.POSTED:
            return Outcome.EXPIRY_INVALID
        if t.debit == t.credit:
            return Outcome.SAME_ACCOUNT
        debit, credit = self.accounts.get(t.debit or 0), self.accounts.get(t.credit or 0)
        if debit is None or credit is None:
            return Outcome.ACCOUNT_UNKNOWN
        if debit.closed or credit.closed:
            return Outcome.ACCOUNT_CLOSED
        if debit.ledger != credit.ledger:
            return Outcome.LEDGER_MISMATCH
        if debit.limited and debit.free < t.amount_fen:
            return Outcome.EXCEEDS_BALANCE
        if credit.room is not None and credit.room < t.amount_fen:
            return Outcome.EXCEEDS_CEILING
        if t.kind is Kind.PENDING:
            debit.debits_held += t.amount_fen
            credit.credits_held += t.amount_fen
        else:
            debit.debits += t.amount_fen
            credit.credits += t.amount_fen
        return None

    def _resolve(self, t: Transfer, held: Transfer | None) -> Outcome | None:
        if t.kind in (Kind.POSTED, Kind.PENDING) or t.expires_at is not None:
            return Outcome.KIND_INVALID
        if held is None:
            return Outcome.PENDING_UNKNOWN
        assert held.amount_fen is not None
        assert t.amount_fen is not None
        if held.id in self.resolved:
            return Outcome.PENDING_RESOLVED
        if t.kind is Kind.POST and held.id in self.run_out:
            return Outcome.PENDING_EXPIRED
        if t.kind is Kind.EXPIRE and held.id not in self.run_out:
            return Outcome.PENDING_NOT_EXPIRED
        if t.amount_fen < 1 or (t.kind is not Kind.POST and t.amount_fen < held.amount_fen):
            return Outcome.AMOUNT_INVALID
        if t.amount_fen > held.amount_fen:
            return Outcome.PENDING_EXCEEDED
        self.resolved.add(held.id)
        debit, credit = self.accounts[held.debit or 0], self.accounts[held.credit or 0]
        debit.debits_held -= held.amount_fen
        credit.credits_held -= held.amount_fen
        if t.kind is Kind.POST:
            debit.debits += t.amount_fen
            credit.credits += t.amount_fen
        return None
