"""Reads of the ledger: what an account holds, its statement, and sums over roles. Amounts in whole fen."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from onecard.foundation import sql
from onecard.foundation.errors import BadInput, NotFound
from onecard.foundation.postgres.raw import rows
from onecard.kernel.ledger.actions import HERE
from onecard.kernel.ledger.models import Account

PAGE = 50
PAGE_MAX = 500
_NEWEST = f"{2**64 - 1}.{UUID(int=2**128 - 1)}"


@dataclass(frozen=True, slots=True)
class Balance:
    """What went out of and into an account, posted and held; credit-normal."""

    limited: bool
    debits_posted: int
    credits_posted: int
    debits_pending: int
    credits_pending: int

    @property
    def posted_fen(self) -> int:
        """Credits less debits; of an account without a limit it may be negative."""
        return self.credits_posted - self.debits_posted

    @property
    def free_fen(self) -> int:
        """What is posted and not held."""
        return self.posted_fen - self.debits_pending


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a statement. `cursor` fetches the page after it."""

    id: UUID
    cursor: str
    at: dt.datetime
    kind: str
    code: str
    debit_account: int
    credit_account: int
    amount_fen: int
    reference: UUID | None
    pending_id: UUID | None
    expires_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Sum:
    """What the accounts of one role in one ledger came to."""

    ledger: str
    role: str
    accounts: int
    debits_posted: int
    credits_posted: int


def account_of(owner: str, role: str, ledger: str) -> Account | None:
    """The account an owner (``holder:12``, ``party:3``) has in a role."""
    return Account.objects.filter(owner=owner, role=role, ledger=ledger).first()


def balance_of(account_id: int) -> Balance:
    """What an account holds at this moment, exact while others post. Raises NotFound ACCOUNT_UNKNOWN."""
    found = rows(sql.load(HERE, "balance"), account_id)
    if not found:
        raise NotFound("ACCOUNT_UNKNOWN", "没有这个账户。", "There is no such account.")
    return Balance(*found[0])


def statement_of(account_id: int, *, after: str = _NEWEST, limit: int = PAGE) -> list[Entry]:
    """Transfers of an account, newest first; `after` is the cursor of the last line of the page before.

    At most 500. Raises BadInput CURSOR_INVALID.
    """
    xid, transfer_id = _position(after)
    found = rows(sql.load(HERE, "statement"), account_id, xid, transfer_id, min(limit, PAGE_MAX))
    return [Entry(line[0], f"{line[1]}.{line[0]}", *line[2:11]) for line in found]


def _position(cursor: str) -> tuple[str, UUID]:
    try:
        xid, _, transfer_id = cursor.partition(".")
        return str(int(xid)), UUID(transfer_id)
    except ValueError:
        raise BadInput("CURSOR_INVALID", "翻页位置无效。", "The place in the list is not valid.") from None


def sums_by_role() -> list[Sum]:
    """Posted debits and credits of every role in every ledger; over a ledger they are equal."""
    found = rows(sql.load(HERE, "sums_by_role"))
    return [Sum(ledger, role, count, int(debits), int(credited)) for ledger, role, count, debits, credited in found]
