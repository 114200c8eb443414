"""View values of the audit trail: a page of facts with its filters, and what verifying the chain came to."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.http import QueryDict
from django.urls import reverse

from onecard.console import actors, verbs
from onecard.console.using import day
from onecard.foundation.web.links import number_in, query_of, text_in
from onecard.kernel.audit import trail
from onecard.kernel.audit.models import Fact
from onecard.kernel.audit.queries import Finding
from onecard.kernel.audit.trail import Wanted
from onecard.kernel.audit.verification import Verification
from onecard.kernel.holders import divisions
from onecard.kernel.staff import register
from onecard.kernel.staff.queries import StaffActor

Words = dict[str, str]
PERMISSION = "audit.read"
SUBJECTS: dict[str, Words] = {
    "holder": {"zh": "持卡人", "en": "Holder"},
    "card": {"zh": "卡", "en": "Card"},
    "ecard": {"zh": "电子社保卡", "en": "E-card"},
    "device": {"zh": "手机", "en": "Phone"},
    "staff": {"zh": "工作人员", "en": "Officer"},
    "audit": {"zh": "审计", "en": "Audit trail"},
    "account": {"zh": "账户", "en": "Account"},
    "point": {"zh": "用卡点", "en": "Point"},
    "terminal": {"zh": "终端", "en": "Terminal"},
    "item": {"zh": "应用项目", "en": "Item"},
    "use": {"zh": "用卡", "en": "Use"},
    "risk": {"zh": "风险事实", "en": "Risk fact"},
    "risk_kind": {"zh": "风险种类", "en": "Risk kind"},
    "export": {"zh": "导出", "en": "Export"},
    "verification": {"zh": "校验", "en": "Verification"},
    "client": {"zh": "接入系统", "en": "Client"},
}
# Where a subject has a page, and what opens it.
PAGES = {
    "holder": ("console_holder", "holders.read"),
    "staff": ("console_officer", "staff.read"),
    "risk": ("console_risk", "audit.read_risks"),
    "account": ("console_account", "ledger.read"),
}
FINDINGS: dict[str, tuple[Words, Words]] = {
    "removed": (
        {"zh": "封存的事实少了 %(n)s 条", "en": "%(n)s sealed facts are gone"},
        {"zh": "有人删除了已封存的记录。", "en": "Somebody deleted what was sealed."},
    ),
    "inserted": (
        {"zh": "封存的范围里多了 %(n)s 条事实", "en": "%(n)s facts were added under a seal"},
        {"zh": "有人事后补写了记录。", "en": "Somebody wrote facts afterwards."},
    ),
    "changed": (
        {"zh": "封存的事实被改动", "en": "Sealed facts were changed"},
        {"zh": "条数相同，内容与封存时不同。", "en": "As many as were sealed, but not the same."},
    ),
    "seal_missing": (
        {"zh": "封存缺失", "en": "A seal is missing"},
        {"zh": "封存编号不连续，可能被删除。", "en": "The numbers of seals have a gap; some may have been deleted."},
    ),
    "seal_broken": (
        {"zh": "封存与前一批不衔接", "en": "A seal does not follow the one before"},
        {"zh": "封存本身被改写。", "en": "A seal itself was rewritten."},
    ),
    "anchor_forged": (
        {"zh": "锚定签名不是本系统所签", "en": "An anchor was not signed by this node"},
        {"zh": "签名无效，或密钥被换过。", "en": "The signature does not hold, or the key was replaced."},
    ),
    "anchor_differs": (
        {"zh": "锚定与现在的封存不同", "en": "An anchor signed another seal than the one that is there"},
        {"zh": "该日之前的封存被整体改写。", "en": "Seals up to that day were rewritten as a whole."},
    ),
    "from_future": (
        {"zh": "%(n)s 条事实的事务号尚未发生", "en": "%(n)s facts claim transactions that have not begun"},
        {
            "zh": "数据库从逻辑备份恢复而未调整事务号，或记录系伪造。",
            "en": "A logical dump was loaded without moving the transaction id on, or the facts are forged.",
        },
    ),
    "unsealed": (
        {"zh": "%(n)s 条事实等待封存", "en": "%(n)s facts wait to be sealed"},
        {"zh": "正常情况下几秒内封存。", "en": "Normally they are sealed within seconds."},
    ),
}


@dataclass(frozen=True)
class Chosen:
    """What is looked for, as it was typed and as it is looked for, and the last id of the page before."""

    actor: str
    wanted: Wanted
    before: int | None

    def query(self, before: int | None = None) -> str:
        """The address of the same list from another page on."""
        values = {**self.wanted.plain(), "actor": self.actor, "before": str(before or "")}
        if self.wanted.looks:
            values["looks"] = "1"
        return query_of(values)

    @property
    def narrows(self) -> bool:
        return self.wanted != Wanted()


@dataclass(frozen=True)
class Row:
    """A fact in words. `href` is where its subject has a page that this officer may open, else ''."""

    id: int
    at: dt.datetime
    who: Words
    actor: str
    verb: Words
    code: str
    subject: Words
    subject_code: str
    href: str
    place: str
    reason: str
    detail: str


@dataclass(frozen=True)
class Listing:
    """A page of facts."""

    chosen: Chosen
    rows: list[Row]
    next: int | None


def chosen(asked: QueryDict) -> Chosen:
    """What the address asks for; what is unknown is left out."""
    actor, subject, verb, before = (text_in(asked.get(name, ""), 80) for name in ("actor", "subject", "verb", "before"))
    wanted = Wanted(
        actor_of(actor),
        subject,
        verb if verb in verbs.VERBS else "",
        asked.get("looks") == "1",
        day(asked.get("from", "")),
        day(asked.get("to", "")),
    )
    return Chosen(actor, wanted, number_in(before))


def actor_of(typed: str) -> str:
    """An actor as the trail names it: ``staff:7`` as it is, and an officer's user name."""
    if not typed or ":" in typed:
        return typed
    officer = register.by_name(typed)
    return f"staff:{officer.pk}" if officer is not None else typed


def listing(actor: StaffActor, wanted: Chosen) -> Listing:
    """A page of the facts of the officer's places. Looking leaves a fact."""
    found = trail.look(actor, actor.places_of(PERMISSION), wanted.wanted, before=wanted.before)
    shown = found[: trail.PAGE]
    return Listing(wanted, rows_of(actor, shown), shown[-1].pk if len(found) > trail.PAGE else None)


def newest(actor: StaffActor, limit: int = 8) -> list[Row]:
    """The newest facts of the officer's places, for the overview."""
    return rows_of(actor, trail.page(actor.places_of(PERMISSION), Wanted(), limit=limit))


def rows_of(actor: StaffActor, facts: Sequence[Fact]) -> list[Row]:
    """Facts in words, with the names of officers."""
    named = actors.names_of([*(fact.actor for fact in facts), *_officers(facts)])
    return [_row(actor, fact, named) for fact in facts]


def _officers(facts: Iterable[Fact]) -> Iterable[str]:
    return (fact.subject for fact in facts if fact.subject.startswith("staff:"))


def _row(actor: StaffActor, fact: Fact, named: Mapping[str, Words]) -> Row:
    kind, _colon, key = fact.subject.partition(":")
    known = SUBJECTS.get(kind, {"zh": kind, "en": kind})
    subject = named.get(fact.subject) or {"zh": f"{known['zh']} {key}".strip(), "en": f"{known['en']} {key}".strip()}
    route, permission = PAGES.get(kind, ("", ""))
    return Row(
        id=fact.pk,
        at=fact.at,
        who=named[fact.actor],
        actor=fact.actor,
        verb=verbs.name_of(fact.verb),
        code=fact.verb,
        subject=subject,
        subject_code=fact.subject,
        href=reverse(route, args=[int(key)]) if route and key.isdecimal() and actor.holds(permission) else "",
        place=divisions.name_of(fact.place) if fact.place else "",
        reason=fact.reason,
        detail=trail.detail_text(fact),
    )


def verb_choices() -> list[tuple[str, Words]]:
    """Every verb that has words, in their order."""
    return [(code, {"zh": f"{name['zh']} {code}", "en": f"{name['en']} {code}"}) for code, name in verbs.VERBS.items()]


# --- The chain --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FindingRow:
    """What a verification found, in words, and what it is about: a seal, an anchor or facts."""

    name: Words
    meaning: Words
    about: str
    is_fault: bool


@dataclass(frozen=True)
class Verified:
    """A verification with what it found."""

    of: Verification
    who: Words
    findings: list[FindingRow]

    @property
    def state(self) -> tuple[Words, str]:
        """Where it stands, in words, and the tone of that."""
        if self.of.done_at is None:
            return {"zh": "正在校验", "en": "Under way"}, "info"
        if self.of.faults:
            return {"zh": "发现问题", "en": "Broken"}, "bad"
        return {"zh": "完好", "en": "Whole"}, "ok"


def verified(found: Sequence[Verification]) -> list[Verified]:
    """Verifications in words."""
    named = actors.names_of(each.actor for each in found)
    return [Verified(each, named[each.actor], [_finding(one) for one in each.findings]) for each in found]


def _finding(found: Finding) -> FindingRow:
    name, meaning = FINDINGS[found.kind]
    told = {language: text % {"n": found.count} for language, text in name.items()}
    return FindingRow(told, meaning, found.subject, found.is_fault)
