"""View values of who looked at my data: systems that read it under an agreement, and people who unmasked it."""

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _

from onecard.foundation.web.links import number_in
from onecard.kernel.audit import queries as audit
from onecard.kernel.audit.queries import Told
from onecard.kernel.sharing.disclosures import VERB
from onecard.kernel.sharing.models import Agreement
from onecard.kernel.sharing.scopes import SCOPES, Scope

Words = dict[str, str]
PAGE = 20
REVEAL = "holders.reveal"
# What an officer sees by other verbs than unmasking.
GLANCES: dict[str, Words] = {
    "holders.read": {"zh": "持卡人页面（信息已脱敏）", "en": "your page, with masked data"},
    "uses.explain": {"zh": "一笔用卡的判定依据", "en": "why a use came to its outcome"},
    "ledger.read": {"zh": "账户余额和收支", "en": "what an account of yours holds, and what moved on it"},
    "audit.read_risks": {"zh": "核查风险时涉及的用卡", "en": "uses of your card, to look into a sign of misuse"},
}
FIELDS: dict[str, Words] = {
    "name": {"zh": "姓名", "en": "name"},
    "number": {"zh": "社会保障号码", "en": "social-security number"},
    "phone": {"zh": "手机", "en": "phone"},
    "address": {"zh": "住址", "en": "address"},
    "birth_date": {"zh": "出生日期", "en": "date of birth"},
}


@dataclass(frozen=True)
class Look:
    """One look: who, what at, when, and what for; `office`: which department's officer it was, '' where it was none."""

    who: Words
    what: list[Words]
    at: dt.datetime
    purpose: Words
    mine: bool
    office: str = ""


@dataclass(frozen=True)
class Looks:
    """A page of looks, newest first; `after` asks for the next, None at the end."""

    rows: list[Look]
    after: int | None
    first: bool


def looks(holder_id: int, before: str) -> Looks:
    """Who looked at a holder's data."""
    at = number_in(before)
    found = audit.facts_about_any([f"holder:{holder_id}"], [VERB, REVEAL, *GLANCES], before=at, limit=PAGE + 1)
    agreed = Agreement.objects.select_related("client").in_bulk(
        {fact.detail["agreement"] for fact in found if fact.verb == VERB}
    )
    rows = [
        _disclosed(fact, agreed[fact.detail["agreement"]]) if fact.verb == VERB else _revealed(fact, holder_id)
        for fact in found[:PAGE]
    ]
    return Looks(rows, found[PAGE - 1].id if len(found) > PAGE else None, at is None)


def _disclosed(fact: Told, agreement: Agreement) -> Look:
    said = SCOPES[Scope(agreement.scope)]
    return Look(
        who={"zh": agreement.client.name_zh, "en": agreement.client.name_en},
        what=[{"zh": said.zh, "en": said.en}],
        at=fact.at,
        purpose={"zh": agreement.purpose_zh, "en": agreement.purpose_en},
        mine=False,
    )


def _revealed(fact: Told, holder_id: int) -> Look:
    """Who looked: the holder, or an officer, who is not named: their office answers for the reason."""
    mine, office = fact.actor == f"holder:{holder_id}", fact.detail.get("office", "")
    said = _("您本人") if mine else _("有关工作人员")
    who = {"zh": said, "en": said}
    what = [GLANCES[fact.verb]] if fact.verb in GLANCES else [FIELDS[name] for name in fact.detail["fields"]]
    return Look(who, what, fact.at, {"zh": fact.reason, "en": ""}, mine, office)
