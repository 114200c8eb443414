"""View values of my money and what I am entitled to: the purse with its statement, passes, and what is counted."""

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _

from onecard.foundation import clock
from onecard.foundation.money import yuan
from onecard.kernel.catalogue import queries as catalogue
from onecard.kernel.entitlements import queries as entitlements
from onecard.kernel.entitlements.queries import Counted, Pass
from onecard.kernel.ledger import queries as ledger
from onecard.kernel.ledger.queries import Entry
from onecard.portal.using import money
from onecard_kit.reasons import concession_name
from onecard_kit.terms import Item, Quota

Words = dict[str, str]
PAGE = 20
# What moved money, by the transfer's code; what a hold came to reads as the use that it was for.
CODES: dict[str, Words] = {
    "paid": {"zh": "用卡", "en": "Use of the card"},
    "hold": {"zh": "冻结", "en": "Held"},
    "released": {"zh": "解除冻结", "en": "Let go"},
    "refund": {"zh": "退回", "en": "Given back"},
    "debt": {"zh": "归还欠款", "en": "Paid on what was owed"},
    "opening": {"zh": "开户充值", "en": "First top-up"},
    "correction": {"zh": "更正", "en": "Correction"},
}
OTHER: Words = {"zh": "其他", "en": "Other"}


@dataclass(frozen=True)
class Moved:
    """A line of the statement: what came in is written with a plus, what went out with a minus."""

    what: Words
    at: dt.datetime
    amount: str
    came_in: bool
    counts: bool


@dataclass(frozen=True)
class Purse:
    """What is in the purse, held of it and owed beside it, and a page of what moved it. `after` asks for the next."""

    free: str
    held: str
    owed: str
    moved: list[Moved]
    after: str
    first: bool


@dataclass(frozen=True)
class PassRow:
    """A pass in words."""

    name: Words
    told: list[str]
    tag: tuple[str, str]


@dataclass(frozen=True)
class QuotaRow:
    """What was used of a right in its period; `percent` of what there is."""

    name: Words
    told: str
    percent: float


@dataclass(frozen=True)
class Rights:
    """What a holder bought and what is counted for them."""

    passes: list[PassRow]
    quotas: list[QuotaRow]


def purse(holder_id: int, after: str) -> Purse | None:
    """A holder's purse; None if they have none. Raises BadInput CURSOR_INVALID."""
    account = ledger.account_of(f"holder:{holder_id}", "holder.purse", "purse")
    if account is None:
        return None
    balance = ledger.balance_of(account.pk)
    lines = ledger.statement_of(account.pk, limit=PAGE + 1, **({"after": after} if after else {}))
    following = lines[PAGE - 1].cursor if len(lines) > PAGE else ""
    return Purse(
        free=money(balance.free_fen),
        held=money(balance.debits_pending) if balance.debits_pending else "",
        owed=_owed(holder_id),
        moved=[_moved(line, account.pk) for line in lines[:PAGE]],
        after=following,
        first=not after,
    )


def _owed(holder_id: int) -> str:
    account = ledger.account_of(f"holder:{holder_id}", "holder.debt", "purse")
    owed_fen = -ledger.balance_of(account.pk).posted_fen if account else 0
    return money(owed_fen) if owed_fen > 0 else ""


def _moved(line: Entry, account_id: int) -> Moved:
    came_in = (line.credit_account == account_id) != (line.kind in ("void", "expired"))
    counts = line.kind in ("posted", "post")
    sign = ("+" if came_in else "−") if counts else ""
    return Moved(CODES.get(line.code, OTHER), line.at, f"{sign}{yuan(line.amount_fen)}", came_in, counts)


def rights(holder_id: int) -> Rights:
    """A holder's passes, and what is counted for them today, this month and this year."""
    today = clock.today()
    items = {item.code: item for item in catalogue.in_force(today)}
    rules = {rule: (item, name, quota) for item in items.values() for rule, name, quota in _rules(item)}
    counted = [(each, *rules[each.rule]) for each in entitlements.counted_of(holder_id, today) if each.rule in rules]
    return Rights(
        [_pass(each, items.get(each.item), today) for each in entitlements.passes_of(holder_id)],
        [
            _quota(each, item, name, quota)
            for each, item, name, quota in counted
            if quota.period.of(today) == each.period
        ],
    )


def _rules(item: Item) -> list[tuple[str, Words, Quota]]:
    """The rules under which an item counts for its holder, with a name and the quota."""
    found = [(item.rule(), {"zh": "", "en": ""}, item.limit)] if item.limit is not None else []
    for concession in item.concession:
        if concession.quota is not None:
            zh, en = concession_name(concession)
            found.append((item.rule(concession), {"zh": zh, "en": en}, concession.quota))
    return found


def _quota(counted: Counted, item: Item, name: Words, quota: Quota) -> QuotaRow:
    title = {"zh": item.name.zh, "en": item.name.en}
    if name["zh"]:
        title = {"zh": f"{title['zh']} · {name['zh']}", "en": f"{title['en']} · {name['en']}"}
    told = _("%(period)s已用 %(used)s 次，共 %(uses)s 次") % {
        "period": counted.period,
        "used": counted.used,
        "uses": quota.count,
    }
    return QuotaRow(title, told, round(min(100.0, 100 * counted.used / max(1, quota.count)), 1))


def _pass(each: Pass, item: Item | None, today: dt.date) -> PassRow:
    name = {"zh": item.name.zh, "en": item.name.en} if item else {"zh": each.item, "en": each.item}
    told = [_("%(day)s 购买") % {"day": each.sold_on.isoformat()}]
    if each.last_day is None:
        told.append(_("首次使用时开始，最迟 %(day)s 开始；有效 %(days)s 天")
                    % {"day": each.activate_by.isoformat(), "days": each.lasts_days})  # fmt: skip
    else:
        told.append(_("有效至 %(day)s") % {"day": each.last_day.isoformat()})
    if each.uses is not None:
        told.append(_("剩余 %(left)s 次，共 %(uses)s 次") % {"left": each.uses_left, "uses": each.uses})
    return PassRow(name, told, _tag(each, today))


def _tag(each: Pass, today: dt.date) -> tuple[str, str]:
    if each.last_day is None:
        return _("待使用"), "info"
    if each.last_day < today or each.uses_left == 0:
        return _("已用完或到期"), ""
    return _("使用中"), "ok"
