"""View values of money: accounts, what moved on one, and concessions by who funds them."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.http import QueryDict
from django.utils.translation import gettext as _

from onecard.console.using import day
from onecard.foundation import clock
from onecard.foundation.money import yuan
from onecard.foundation.web.jinja import words as in_language
from onecard.foundation.web.links import number_in, query_of
from onecard.kernel.ledger import queries as ledger
from onecard.kernel.ledger import reports
from onecard.kernel.ledger.models import Account
from onecard.kernel.ledger.queries import Balance
from onecard.kernel.ledger.reports import PAGE, Given
from onecard.kernel.ledger.rules import Kind, Ledger
from onecard.kernel.partners.models import Party
from onecard_kit.terms import FUNDER_ROLES

Words = dict[str, str]
DAYS_MAX = 366
LEDGERS: dict[Ledger, Words] = {
    Ledger.PURSE: {"zh": "钱包", "en": "Purse"},
    Ledger.BANK: {"zh": "银行", "en": "Bank"},
    Ledger.MEDICAL: {"zh": "医保", "en": "Medical"},
    Ledger.TREASURY: {"zh": "财政", "en": "Treasury"},
}
ROLES: dict[str, Words] = {
    "holder.purse": {"zh": "持卡人钱包", "en": "Holder's purse"},
    "holder.debt": {"zh": "持卡人欠款", "en": "Holder's debt"},
    "bank.clearing": {"zh": "银行清算户", "en": "Bank's clearing"},
    "bank.settlement": {"zh": "银行结算户", "en": "Bank's settlement"},
    "bank.offer": {"zh": "银行的优惠", "en": "Bank's offer"},
    "treasury.city": {"zh": "市财政", "en": "City treasury"},
    "employer.share": {"zh": "用人单位承担", "en": "Employer's share"},
    "merchant.offer": {"zh": "商户的优惠", "en": "Merchant's offer"},
    "operator.receivable": {"zh": "运营单位应收", "en": "Operator's receivable"},
    "platform.shortfall": {"zh": "平台承担的不足", "en": "Platform's shortfall"},
}
KINDS: dict[Kind, Words] = {
    Kind.POSTED: {"zh": "记账", "en": "Posted"},
    Kind.PENDING: {"zh": "冻结", "en": "Held"},
    Kind.POST: {"zh": "冻结转记账", "en": "Hold posted"},
    Kind.VOID: {"zh": "解冻", "en": "Hold voided"},
    Kind.EXPIRE: {"zh": "冻结到期", "en": "Hold expired"},
}
CODES: dict[str, Words] = {
    "paid": {"zh": "用卡支付", "en": "Paid for a use"},
    "concession": {"zh": "优惠", "en": "Concession"},
    "refund": {"zh": "退回", "en": "Given back"},
    "shortfall": {"zh": "不足", "en": "Shortfall"},
    "debt": {"zh": "欠款", "en": "Debt"},
    "hold": {"zh": "冻结", "en": "Hold"},
    "correction": {"zh": "更正", "en": "Correction"},
}


HOLDERS: Words = {"zh": "持卡人（合计）", "en": "Holders, in all"}


@dataclass(frozen=True)
class AccountRow:
    """An account in a list."""

    id: int
    ledger: Words
    role: Words
    owner: Words
    closed: bool
    holder_id: int | None = None


@dataclass(frozen=True)
class Accounts:
    """A page of accounts; `next` is after which the next one begins, None if this is the last."""

    ledger: str
    role: str
    after: int
    rows: list[AccountRow]
    next: int | None

    def query(self, after: int | None = None) -> str:
        """The address of the same list from another page on."""
        values = {"ledger": self.ledger, "role": self.role, "after": str(after or "")}
        return query_of(values)

    @property
    def narrows(self) -> bool:
        return bool(self.ledger or self.role)


def accounts(asked: QueryDict) -> Accounts:
    """A page of the parties' accounts; a holder's is reached from the holder's page."""
    kind, role, after = (asked.get(name, "") for name in ("ledger", "role", "after"))
    kind, role = kind if kind in list(Ledger) else "", role if role in ROLES else ""
    start = number_in(after) or 0
    owners = [f"party:{id_}" for id_ in Party.objects.order_by("pk").values_list("pk", flat=True)]
    found = reports.accounts_of(owners, ledger=kind, role=role, after=start, limit=PAGE + 1)
    shown = found[:PAGE]
    return Accounts(kind, role, start, rows_of(shown), shown[-1].pk if len(found) > PAGE else None)


def rows_of(found: Sequence[Account]) -> list[AccountRow]:
    """Accounts in words, their owners by name."""
    ids = [int(each.owner[6:]) for each in found if each.owner.startswith("party:")]
    parties = {f"party:{party.pk}": party for party in Party.objects.filter(pk__in=ids)}
    return [_row(each, parties.get(each.owner)) for each in found]


def _row(account: Account, party: Party | None) -> AccountRow:
    holder = int(account.owner[7:]) if account.owner.startswith("holder:") else None
    owner = (
        {"zh": f"持卡人 {holder}", "en": f"Holder {holder}"} if holder else {"zh": account.owner, "en": account.owner}
    )
    return AccountRow(
        id=account.pk,
        ledger=LEDGERS[Ledger(account.ledger)],
        role=ROLES.get(account.role, {"zh": account.role, "en": account.role}),
        owner={"zh": party.name_zh, "en": party.name_en} if party else owner,
        closed=account.closed_at is not None,
        holder_id=holder,
    )


# --- One account ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class EntryRow:
    """A transfer as one of its two accounts sees it; `amount_fen` is negative where it went out."""

    at: dt.datetime
    kind: Words
    code: Words
    amount_fen: int
    other: AccountRow
    use: UUID | None


@dataclass(frozen=True)
class AccountPage:
    """An account with its balance and a page of what moved. `next` is the cursor of the page after it, or empty."""

    row: AccountRow
    balance: Balance
    entries: list[EntryRow]
    cursor: str
    next: str


def one(account_id: int, cursor: str) -> AccountPage:
    """An account and its statement from a cursor on. Raises NotFound ACCOUNT_UNKNOWN, BadInput CURSOR_INVALID."""
    account = reports.account(account_id)
    after = {"after": cursor} if cursor else {}
    found = ledger.statement_of(account_id, limit=PAGE + 1, **after)
    shown = found[:PAGE]
    ids = {other for each in shown for other in (each.debit_account, each.credit_account)}
    others = {row.id: row for row in rows_of(list(Account.objects.filter(pk__in=ids)))}
    return AccountPage(
        row=rows_of([account])[0],
        balance=ledger.balance_of(account_id),
        entries=[_entry(each, account_id, others) for each in shown],
        cursor=cursor,
        next=shown[-1].cursor if len(found) > PAGE else "",
    )


def _entry(each: ledger.Entry, account_id: int, others: dict[int, AccountRow]) -> EntryRow:
    out = each.debit_account == account_id
    return EntryRow(
        at=each.at,
        kind=KINDS[Kind(each.kind)],
        code=CODES.get(each.code, {"zh": each.code, "en": each.code}),
        amount_fen=-each.amount_fen if out else each.amount_fen,
        other=others[each.credit_account if out else each.debit_account],
        use=each.reference if each.code in ("paid", "concession", "refund", "shortfall") else None,
    )


# --- Concessions ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Period:
    """Whole days, the first and the last."""

    first: dt.date
    last: dt.date

    def query(self) -> str:
        """The address of the same period."""
        return "?" + urlencode({"from": self.first.isoformat(), "to": self.last.isoformat()})


@dataclass(frozen=True)
class FunderRow:
    """What a funder gave to one payee, or to all holders."""

    funder: AccountRow
    payee: Words
    given: Given


@dataclass(frozen=True)
class Concessions:
    """Concessions of a period, with the sum of each funder."""

    period: Period
    rows: list[FunderRow]
    sums: list[tuple[AccountRow, int, int]]


def period(asked: QueryDict) -> Period:
    """The days that the address asks for, at most a year; by default this month until today."""
    today = clock.today()
    last = day(asked.get("to", "")) or today
    first = day(asked.get("from", "")) or last.replace(day=1)
    return Period(max(first, last - dt.timedelta(days=DAYS_MAX - 1)) if first <= last else last, last)


def concessions(asked: Period) -> Concessions:
    """What every funder gave in a period, and to whom."""
    funders = list(Account.objects.filter(role__in=FUNDER_ROLES, owner__startswith="party:").order_by("pk"))
    found = reports.concessions([each.pk for each in funders], asked.first, asked.last)
    payees = list(Account.objects.filter(pk__in={each.payee for each in found if each.payee is not None}))
    shown = {row.id: row for row in rows_of([*funders, *payees])}
    listed = [
        FunderRow(shown[each.funder], HOLDERS if each.payee is None else shown[each.payee].owner, each)
        for each in found
    ]
    return Concessions(
        asked, listed, [(shown[each.pk], *_sum(found, each.pk)) for each in funders if _gave(found, each)]
    )


def _gave(found: Iterable[Given], account: Account) -> bool:
    return any(each.funder == account.pk for each in found)


def _sum(found: Iterable[Given], funder: int) -> tuple[int, int]:
    mine = [each for each in found if each.funder == funder]
    return sum(each.uses - each.back_uses for each in mine), sum(each.net_fen for each in mine)


def heads() -> tuple[str, ...]:
    """The heads of the table, in the page's language."""
    return (
        _("出资方"), _("出资账户"), _("收款方"), _("笔数"), _("优惠（元）"), _("退回笔数"), _("退回（元）"),
        _("净额（元）"),
    )  # fmt: skip


def table(shown: Concessions) -> Iterator[Sequence[object]]:
    """The same as cells."""
    for row in shown.rows:
        given = row.given
        names = (in_language(row.funder.owner), in_language(row.funder.role), in_language(row.payee))
        yield *names, given.uses, yuan(given.fen), given.back_uses, yuan(given.back_fen), yuan(given.net_fen)
