"""Step 5, settle (结算): the transfers a use causes. A purse moves at once; a concession becomes a receivable from
its funder."""

from uuid import UUID

import msgspec

from onecard.foundation.ids import beside
from onecard_kit.decide import Decision
from onecard_kit.terms import BORNE_BY_OPERATOR, LEDGER_OF_ROLE, Item

# A use's transfers have ids beside its own: what the payer pays, and what the funder of the concession adds.
PAID, FUNDED = 1, 2


def transfer_ids(use_id: UUID) -> list[UUID]:
    """The ids that the transfers of a use have, if it caused any."""
    return [beside(use_id, PAID), beside(use_id, FUNDED)]


class Transfer(msgspec.Struct, frozen=True, gc=False):
    """One movement of whole fen between two accounts of one ledger; `code` says why, `reference` is the use."""

    id: UUID
    debit: int
    credit: int
    amount_fen: int
    code: str
    reference: UUID


class AccountMissing(Exception):
    """An item names an account that was never opened: a fault of set-up, not of the person at the gate."""


class Accounts:
    """Finds account ids by owner, role and ledger. Opened accounts keep their id for ever, so what was read is kept."""

    def __init__(self) -> None:
        self._by_key: dict[tuple[str, str, str], int] = {}
        self._owners: set[str] = set()

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


def transfers_of(
    use_id: UUID, item: Item, decision: Decision, operator: str, treasury: str, purse: int | None, accounts: Accounts
) -> list[Transfer]:
    """What the payer pays, and what the funder of the concession adds, both to the payee in the ledger of who gives.

    `operator` and `treasury` are owners (``party:3``); `purse` is the holder's account.
    """
    if item.price is None:
        return []

    def account(role: str, ledger: str) -> int:
        if role == "holder.purse":
            assert purse is not None
            return purse
        return accounts.of(treasury if role.startswith("treasury.") else operator, role, ledger)

    made = []
    if decision.paid_fen:
        ledger = LEDGER_OF_ROLE[item.price.payer]
        debit, credit = account(item.price.payer, ledger), account(item.price.payee, ledger)
        made.append(Transfer(beside(use_id, PAID), debit, credit, decision.paid_fen, "paid", use_id))
    concession = decision.concession
    if concession is not None and decision.funded_fen and concession.funded_by != BORNE_BY_OPERATOR:
        ledger = LEDGER_OF_ROLE[concession.funded_by]
        debit, credit = account(concession.funded_by, ledger), account(item.price.payee, ledger)
        made.append(Transfer(beside(use_id, FUNDED), debit, credit, decision.funded_fen, "concession", use_id))
    return made
