"""Step 5, settle (结算): the transfers a use causes. A purse moves at once; a concession becomes a receivable from
its funder."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from onecard.foundation.ids import beside
from onecard.kernel.uses.lines import Charge, Transfer
from onecard_kit.decide import Decision
from onecard_kit.terms import (
    BORNE_BY_HOLDER,
    BORNE_BY_OPERATOR,
    BORNE_BY_PLATFORM,
    LEDGER_OF_ROLE,
    Means,
    Price,
)

# A use's transfers have ids beside its own: what the payer pays (or what is held for it, or the release of a hold),
# what the payer pays beyond what was held, what the funder of the concession adds, what somebody bears that the payer
# lacked, and what of a top-up goes to a debt. A journey that ends by itself has its own beside those of its beginning.
# The function `uses_reverse` finds by these what a refund gives back.
PAID, FUNDED, ENDED_BY_ITSELF, SHORTFALL, BEYOND_HOLD, CLEARED = 1, 2, 4, 8, 16, 32
# Beside each transfer of a journey that ended by itself, what takes it back when its end is told after all.
TAKEN_BACK = 64


def ids_by_itself(journey_id: UUID) -> list[UUID]:
    """The ids that the transfers of a journey have that ended by itself, if it caused any."""
    return [beside(beside(journey_id, ENDED_BY_ITSELF), n) for n in (PAID, FUNDED, SHORTFALL, BEYOND_HOLD)]


def taken_back(id_: UUID, debit: int, credit: int, amount_fen: int, journey_id: UUID) -> Transfer:
    """What takes a transfer of a journey that ended by itself back."""
    return Transfer(beside(id_, TAKEN_BACK), credit, debit, amount_fen, "resettled", journey_id)


def hold_id(use_id: UUID) -> UUID:
    """The id of the hold that a journey's first use places."""
    return beside(use_id, PAID)


def release_id(use_id: UUID) -> UUID:
    """The id of what resolves the hold of a journey that no use ends."""
    return beside(beside(use_id, ENDED_BY_ITSELF), PAID)


class AccountMissing(Exception):
    """An item names an account that was never opened: a fault of set-up, not of the person at the gate."""


class LedgerDisagreed(Exception):
    """The ledger refused what was allowed or held for it: a fault of ours, never a verdict."""


class Accounts:
    """Finds account ids by owner, role and ledger. Opened accounts keep their id for ever, so what was read is kept.

    `platform` is the owner of the account from which the platform bears what gates let pass.
    """

    def __init__(self) -> None:
        self._by_key: dict[tuple[str, str, str], int] = {}
        self._owners: set[str] = set()
        self.platform: str | None = None

    def learn(self, owners: list[str], found: list[tuple[str, str, str, int]]) -> None:
        """Take in rows of (owner, role, ledger, id) for the owners that were asked for."""
        self._owners.update(owners)
        for owner, role, ledger, account in found:
            self._by_key[owner, role, ledger] = account

    def unknown(self, owners: set[str]) -> list[str]:
        """The owners not asked for yet."""
        return sorted(owners - self._owners)

    def forget(self) -> None:
        """Ask again for everything, after an account was missing."""
        self._owners.clear()

    def of(self, owner: str, role: str, ledger: str) -> int:
        try:
            return self._by_key[owner, role, ledger]
        except KeyError:
            raise AccountMissing(f"{role} of {owner} in ledger {ledger}") from None


def transfers_of(charge: Charge, treasury: str, accounts: Accounts) -> list[Transfer]:
    """What the payer pays or has held, and what the funder of the concession adds, both to the payee in the ledger of
    who gives. `treasury` is the owner of the city's treasury account.
    """
    price = charge.item.price
    if price is None:
        return []
    transfers = list(charge.back)
    if charge.hold is None:
        transfers += _paid(charge, price, treasury, accounts)
    else:
        transfers += _resolved(charge, price, treasury, accounts)
    transfers += _funded(charge, price, treasury, accounts)
    if _is_borne_by_another(charge):
        transfers.append(_lacking(charge, price, treasury, accounts))
    if charge.cleared_fen:
        transfers.append(_cleared(charge))
    return transfers


def in_order(transfers: list[Transfer]) -> list[list[object]]:
    """The columns of `post_in_order.sql`: holds and what resolves them among the others, one after the other."""
    rows = ((t.id, t.debit, t.credit, t.amount_fen, t.kind, t.code, t.pending, t.reference) for t in transfers)
    return [list(column) for column in zip(*rows, strict=True)]


def require_posted(refused: Iterable[Sequence[Any]]) -> None:
    """Raises LedgerDisagreed when `post_in_order.sql` gave rows (n, outcome) back."""
    outcomes = sorted({outcome for _, outcome in refused})
    if outcomes:
        raise LedgerDisagreed(", ".join(outcomes))


def _paid(charge: Charge, price: Price, treasury: str, accounts: Accounts) -> list[Transfer]:
    decision = charge.decision
    amount_fen = decision.paid_fen if decision.hold_fen is None else decision.hold_fen
    if not amount_fen:
        return []
    payer = "bank.settlement" if decision.means is Means.BANK else price.payer
    ledger = LEDGER_OF_ROLE[payer]
    debit = _account(charge, payer, ledger, treasury, accounts)
    credit = _account(charge, price.payee, ledger, treasury, accounts)
    code, kind = ("paid", "posted") if decision.hold_fen is None else ("hold", "pending")
    return [Transfer(beside(charge.id, PAID), debit, credit, amount_fen, code, charge.reference, kind)]


def _resolved(charge: Charge, price: Price, treasury: str, accounts: Accounts) -> list[Transfer]:
    """What is paid of a hold; the rest, or all of it, goes back. What is paid beyond it comes from the purse."""
    paid_fen = min(charge.decision.paid_fen, charge.held_fen)
    kind, amount_fen, code = ("post", paid_fen, "paid") if paid_fen else ("void", None, "released")
    resolved = Transfer(beside(charge.id, PAID), None, None, amount_fen, code, charge.reference, kind, charge.hold)
    beyond_fen = charge.decision.paid_fen - paid_fen
    if not beyond_fen:
        return [resolved]
    debit = _account(charge, price.payer, LEDGER_OF_ROLE[price.payer], treasury, accounts)
    credit = _account(charge, price.payee, LEDGER_OF_ROLE[price.payer], treasury, accounts)
    return [resolved, Transfer(beside(charge.id, BEYOND_HOLD), debit, credit, beyond_fen, "paid", charge.reference)]


def _cleared(charge: Charge) -> Transfer:
    """What of a top-up goes on to what the holder owes."""
    return Transfer(beside(charge.id, CLEARED), charge.purse, charge.debt, charge.cleared_fen, "debt", charge.reference)


def _funded(charge: Charge, price: Price, treasury: str, accounts: Accounts) -> list[Transfer]:
    decision: Decision = charge.decision
    concession = decision.concession
    if concession is None or concession.funded_by == BORNE_BY_OPERATOR:
        return []
    # Looked up where a journey begins, too: whom nobody could let out again is not let in.
    ledger = LEDGER_OF_ROLE[concession.funded_by]
    debit = _account(charge, concession.funded_by, ledger, treasury, accounts)
    credit = _account(charge, price.payee, ledger, treasury, accounts)
    if not decision.funded_fen:
        return []
    return [Transfer(beside(charge.id, FUNDED), debit, credit, decision.funded_fen, "concession", charge.reference)]


def _is_borne_by_another(charge: Charge) -> bool:
    """Whether what a charge lacks comes from somebody; what the operator bears, it does not get."""
    return charge.shortfall_fen > 0 and charge.borne_by != BORNE_BY_OPERATOR


_ROLE_OF = {BORNE_BY_HOLDER: "holder.debt", BORNE_BY_PLATFORM: "platform.shortfall"}


def _lacking(charge: Charge, price: Price, treasury: str, accounts: Accounts) -> Transfer:
    """What the payer should have paid and did not, from who bears it: the holder as a debt."""
    assert charge.borne_by is not None
    role = _ROLE_OF.get(charge.borne_by, charge.borne_by)
    ledger = LEDGER_OF_ROLE[role]
    debit = _account(charge, role, ledger, treasury, accounts)
    credit = _account(charge, price.payee, ledger, treasury, accounts)
    return Transfer(
        beside(charge.id, SHORTFALL), debit, credit, charge.shortfall_fen, "shortfall", charge.reference
    )  # fmt: skip


def _account(charge: Charge, role: str, ledger: str, treasury: str, accounts: Accounts) -> int:
    if role == "holder.purse":
        assert charge.purse is not None
        return charge.purse
    return accounts.of(_owner(charge, role, treasury, accounts), role, ledger)


def _owner(charge: Charge, role: str, treasury: str, accounts: Accounts) -> str:
    """Who holds the account of a role here. Employers, merchants and banks fund where they are the point's sponsor."""
    if role.startswith("treasury."):
        return treasury
    if role == "holder.debt":
        return f"holder:{charge.debtor}"
    if role == "platform.shortfall":
        return accounts.platform or ""
    if role == "bank.settlement":
        return f"party:{charge.bank}"
    if role in ("employer.share", "merchant.offer", "bank.offer"):
        return charge.sponsor or charge.operator
    return charge.operator
