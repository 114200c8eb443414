"""View values of risk facts: a page of them, one with the uses concerned, and the table to take along."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from onecard.console import actors, auditing
from onecard.foundation import clock
from onecard.foundation.web.jinja import moment
from onecard.foundation.web.jinja import words as in_language
from onecard.foundation.web.links import number_in, query_of
from onecard.kernel.audit import actions as audit
from onecard.kernel.audit import risks
from onecard.kernel.audit.risk_files import By, RiskKind, Severity
from onecard.kernel.audit.risks import Filters, Follow, Risk, State
from onecard.kernel.audit.trail import Wanted
from onecard.kernel.cards import words as card_words
from onecard.kernel.cards.models import Card
from onecard.kernel.catalogue import words as catalogue_words
from onecard.kernel.catalogue.models import Point, Terminal
from onecard.kernel.holders import divisions
from onecard.kernel.staff.models import Officer
from onecard.kernel.staff.queries import StaffActor
from onecard.kernel.uses import queries as uses
from onecard.kernel.uses.queries import UseSeen
from onecard_kit.terms import Medium
from onecard_kit.verdicts import WORDS, Verdict

Words = dict[str, str]
PERMISSION = "audit.read_risks"
TABLE_MAX = 10_000
# Of whom a risk fact may say that they looked at very many holders.
LOOKERS = ("staff:", "client:")
# How far around a fact its card's uses are shown.
AROUND = dt.timedelta(hours=2)
# Parts of a fact that have a place of their own on its page.
TOLD_ELSEWHERE = frozenset({"uses", "use", "place", "terminals", "terminal", "from", "until", "at", "fact"})
STATES: dict[State, Words] = {
    State.OPEN: {"zh": "待处置", "en": "Open"},
    State.LOOKED_AT: {"zh": "已查看", "en": "Looked at"},
    State.DISMISSED: {"zh": "已排除", "en": "Dismissed"},
    State.ACTED: {"zh": "已处置", "en": "Acted on"},
}
STATE_TONES = {State.OPEN: "bad", State.LOOKED_AT: "warn", State.DISMISSED: "", State.ACTED: "ok"}
SEVERITIES: dict[Severity, Words] = {
    Severity.HIGH: {"zh": "高", "en": "High"},
    Severity.MEDIUM: {"zh": "中", "en": "Medium"},
    Severity.LOW: {"zh": "低", "en": "Low"},
}
SEVERITY_TONES = {Severity.HIGH: "bad", Severity.MEDIUM: "warn", Severity.LOW: "info"}
UNSETTLED, ALL = "unsettled", "all"
STATE_CHOICES: dict[str, tuple[Words, tuple[State, ...]]] = {
    UNSETTLED: (
        {"zh": "未办结（待处置、已查看）", "en": "Not settled (open, looked at)"},
        (State.OPEN, State.LOOKED_AT),
    ),
    **{state.value: (words, (state,)) for state, words in STATES.items()},
    ALL: ({"zh": "全部", "en": "All"}, tuple(State)),
}


@dataclass(frozen=True)
class Chosen:
    """What an officer looks for: a kind and a severity ('' is all), states, the last id of the page before."""

    kind: str
    severity: str
    state: str
    before: int | None

    def query(self, before: int | None = None) -> str:
        """The address of the same list from another page on."""
        values = {"kind": self.kind, "severity": self.severity, "state": self.state if self.state != UNSETTLED else ""}
        values["before"] = str(before) if before is not None else ""
        return query_of(values)

    @property
    def narrows(self) -> bool:
        return bool(self.kind or self.severity or self.state != UNSETTLED)


@dataclass(frozen=True)
class Row:
    """A risk fact in a list."""

    id: int
    at: dt.datetime
    name: Words
    severity: Words
    severity_tone: str
    subject: Words
    place: str
    count: int | None
    state: Words
    state_tone: str


@dataclass(frozen=True)
class Listing:
    """One page of risk facts."""

    chosen: Chosen
    kinds: list[tuple[str, Words]]
    rows: list[Row]
    next: int | None


@dataclass(frozen=True)
class SeenRow:
    """A use that a risk fact is about, or one beside it."""

    at: dt.datetime
    item: Words
    point: Words
    terminal: str
    medium: Words
    verdict: Words
    admitted: bool
    concerned: bool
    gate: Words | None


@dataclass(frozen=True)
class FollowRow:
    """A follow-up with the name of its officer."""

    at: dt.datetime
    who: str
    state: Words
    state_tone: str
    reason: str


@dataclass(frozen=True)
class RiskPage:
    """Everything a clerk needs to know of one risk fact."""

    row: Row
    code: str
    meaning: Words | None
    advice: tuple[Words, ...]
    rule: str
    told: list[tuple[str, str]]
    uses: list[SeenRow]
    around: bool
    followed: list[FollowRow]
    follows: int
    steps: list[tuple[str, str]]
    own: bool
    looks: bool
    trail: str


def chosen(asked: QueryDict) -> Chosen:
    """What the address asks for; what is unknown is left out."""
    kind, severity, state = (asked.get(name, "") for name in ("kind", "severity", "state"))
    before = asked.get("before", "")
    return Chosen(
        kind if kind in risks.kinds() else "",
        severity if severity in list(Severity) else "",
        state if state in STATE_CHOICES else UNSETTLED,
        number_in(before),
    )


def listing(actor: StaffActor, wanted: Chosen) -> Listing:
    """One page of the risk facts of the officer's places."""
    kinds = risks.kinds()
    found = risks.page(_filters(actor, wanted, kinds), before=wanted.before, limit=risks.PAGE + 1)
    shown = found[: risks.PAGE]
    names = [(code, _words(kind.name)) for code, kind in kinds.items()]
    return Listing(wanted, names, _rows(shown, kinds), shown[-1].id if len(found) > risks.PAGE else None)


def heads() -> tuple[str, ...]:
    """The heads of the table, in the page's language."""
    return (
        _("编号"), _("时间"), _("风险种类"), _("轻重"), _("对象"), _("地区"), _("次数"), _("状态"),
    )  # fmt: skip


def table(actor: StaffActor, wanted: Chosen) -> Iterator[Sequence[object]]:
    """The newest ten thousand of them as cells."""
    kinds = risks.kinds()
    found = risks.export(actor, _filters(actor, wanted, kinds), TABLE_MAX)
    while batch := [risk for risk, _n in zip(found, range(500), strict=False)]:
        for row in _rows(batch, kinds):
            words = (in_language(each) for each in (row.name, row.severity, row.subject))
            yield row.id, moment(row.at), *words, row.place, row.count, in_language(row.state)


def _filters(actor: StaffActor, wanted: Chosen, kinds: Mapping[str, RiskKind]) -> Filters:
    """Kinds that nobody declares have no severity: they are listed while none is asked for."""
    named: tuple[str, ...] | None = (wanted.kind,) if wanted.kind else None
    if wanted.severity:
        of_severity = [code for code, kind in kinds.items() if kind.severity == wanted.severity]
        named = tuple(code for code in of_severity if named is None or code in named)
    return Filters(actor.places_of(PERMISSION), named, STATE_CHOICES[wanted.state][1])


def _rows(found: Sequence[Risk], kinds: Mapping[str, RiskKind]) -> list[Row]:
    names = _subjects(found)
    return [_row(risk, kinds.get(risk.kind), names) for risk in found]


def _row(risk: Risk, kind: RiskKind | None, names: Mapping[str, Words]) -> Row:
    severity = kind.severity if kind is not None else Severity.MEDIUM
    count = risk.detail.get("count")
    return Row(
        id=risk.id,
        at=risk.at,
        name=_words(kind.name) if kind is not None else {"zh": risk.kind, "en": risk.kind},
        severity=SEVERITIES[severity],
        severity_tone=SEVERITY_TONES[severity],
        subject=names.get(risk.subject, {"zh": risk.subject, "en": risk.subject}),
        place=divisions.name_of(risk.place) if risk.place else "",
        count=count if isinstance(count, int) else None,
        state=STATES[risk.state],
        state_tone=STATE_TONES[risk.state],
    )


def _words(both: object) -> Words:
    return {"zh": both.zh, "en": both.en}  # type: ignore[attr-defined]  # Bilingual


def _subjects(found: Sequence[Risk]) -> dict[str, Words]:
    """Subjects in words: a card by its masked number, a terminal by its code; a point, a city, an officer by name."""
    ids: dict[str, set[int]] = {}
    named: dict[str, Words] = {}
    for risk in found:
        kind, _colon, key = risk.subject.partition(":")
        if kind == By.CITY:
            named[risk.subject] = {"zh": divisions.name_of(key), "en": ""}
        elif key.isdecimal():
            ids.setdefault(kind, set()).add(int(key))
    named |= actors.names_of(risk.subject for risk in found if risk.subject.startswith(LOOKERS))
    for card in Card.objects.filter(pk__in=ids.get(By.CARD, ())):
        number = card_words.masked(card.number)
        named[f"card:{card.pk}"] = {"zh": f"卡 {number}", "en": f"Card {number}"}
    for terminal in Terminal.objects.filter(pk__in=ids.get(By.TERMINAL, ())):
        named[f"terminal:{terminal.pk}"] = {"zh": f"终端 {terminal.code}", "en": f"Terminal {terminal.code}"}
    for point in Point.objects.filter(pk__in=ids.get(By.POINT, ())):
        named[f"point:{point.pk}"] = {"zh": point.name_zh, "en": point.name_en}
    return named


# --- One risk fact ----------------------------------------------------------------------------------------------------


@transaction.atomic
def one(actor: StaffActor, risk_id: int) -> RiskPage:
    """A risk fact with the uses concerned, what to do, and what officers made of it. One about a card shows where its
    holder was, so that looking at it leaves a fact about them, too.
    """
    risk, follows = risks.open_one(actor, risk_id)
    kind = risks.kinds().get(risk.kind)
    card_id = int(risk.subject[5:]) if risk.subject.startswith("card:") and risk.subject[5:].isdecimal() else None
    _tell_holder(actor, risk, card_id)
    seen = uses.around(_ids(risk), card_id, risk.at - AROUND, risk.at + AROUND)
    return RiskPage(
        row=_rows([risk], {kind.kind: kind} if kind is not None else {})[0],
        code=risk.kind,
        meaning=_words(kind.meaning) if kind is not None else None,
        advice=tuple(_words(each) for each in kind.advice) if kind is not None else (),
        rule=_rule(kind),
        told=list(_told(risk)),
        uses=[_seen(use) for use in seen],
        around=card_id is not None,
        followed=_followed(follows),
        follows=risk.follows,
        steps=_steps(actor, risk),
        own=risks.is_about(risk, actor),
        looks=_is_of_looks(risk),
        trail=_trail(actor, risk),
    )


def _tell_holder(actor: StaffActor, risk: Risk, card_id: int | None) -> None:
    if card_id is None:
        return
    holder_id = Card.objects.filter(pk=card_id).values_list("holder_id", flat=True).first()
    if holder_id is not None:
        detail = {"risk": risk.id, **actor.signed}
        audit.record(actor, "audit.read_risks", f"holder:{holder_id}", place=risk.place, detail=detail)


def _ids(risk: Risk) -> list[UUID]:
    """The uses that a fact names."""
    named = [*risk.detail.get("uses", ()), *([risk.detail["use"]] if "use" in risk.detail else [])]
    return [UUID(each) for each in named]


def _rule(kind: RiskKind | None) -> str:
    """By what the fact was raised, in words."""
    if kind is None:
        return _("该风险种类未在文件中声明。")
    if kind.looks_at is None:
        return _("发生时即时产生。")
    rule = kind.looks_at.rule
    within = {"minutes": rule.within_minutes}
    if kind.looks_at.looks is not None:
        return _("%(minutes)s 分钟内了解至少 %(holders)s 位持卡人的信息。") % {
            **within,
            "holders": kind.looks_at.looks.holders,
        }
    if kind.looks_at.journals is not None:
        return _("%(minutes)s 分钟内发现流水断链。") % within
    if kind.looks_at.places is not None:
        places = kind.looks_at.places
        told = {**within, "km": places.apart_km, "kmh": places.faster_than_kmh}
        return _("%(minutes)s 分钟内两处用卡相距至少 %(km)s 公里，且需快于每小时 %(kmh)s 公里。") % told
    count = {**within, "count": getattr(rule, "count", 1), "terminals": getattr(rule, "terminals", 1)}
    if count["terminals"] > 1:
        return _("%(minutes)s 分钟内在至少 %(terminals)s 台终端达到 %(count)s 次。") % count
    return _("%(minutes)s 分钟内达到 %(count)s 次。") % count


def _is_of_looks(risk: Risk) -> bool:
    return risk.subject.startswith(LOOKERS)


def _trail(actor: StaffActor, risk: Risk) -> str:
    """The address of the facts that a bulk looking is about, for who may see them; '' for others and other risks."""
    if not (_is_of_looks(risk) and actor.holds(auditing.PERMISSION) and "from" in risk.detail):
        return ""
    first, last = (
        dt.datetime.fromisoformat(risk.detail[name]).astimezone(clock.CHINA).date() for name in ("from", "until")
    )
    wanted = Wanted(actor=risk.subject, looks=True, from_day=first, to_day=last)
    return reverse("console_audit") + auditing.Chosen(risk.subject, wanted, None).query(risk.detail["fact"] + 1)


def _told(risk: Risk) -> Iterator[tuple[str, str]]:
    """What the fact itself says, in words; what has no words is told as it stands."""
    left = {name: value for name, value in risk.detail.items() if name not in TOLD_ELSEWHERE}
    if "from" in risk.detail and "until" in risk.detail:
        start, end = (dt.datetime.fromisoformat(risk.detail[name]) for name in ("from", "until"))
        yield _("时段"), f"{moment(start)} – {moment(end)}"
    terminals = risk.detail.get("terminals", [risk.detail["terminal"]] if "terminal" in risk.detail else [])
    if terminals:
        codes = Terminal.objects.filter(pk__in=terminals).order_by("code").values_list("code", flat=True)
        yield _("涉及终端"), ", ".join(codes)
    count = _("持卡人数") if _is_of_looks(risk) else _("次数")
    for name, label in (
        ("count", count), ("km", _("相距（公里）")), ("seconds", _("间隔（秒）")), ("counter", _("卡片计数器")),
    ):  # fmt: skip
        if name in left:
            yield label, str(left.pop(name))
    yield from ((name, str(value)) for name, value in sorted(left.items()))


def _seen(use: UseSeen) -> SeenRow:
    gate = None
    if use.manual:
        gate = {"zh": "离线，人工放行", "en": "Offline, admitted by hand"}
    elif use.gate_verdict is not None:
        gate = {"zh": "离线闸机放行", "en": "Decided by the gate offline"}
    return SeenRow(
        at=use.at,
        item={"zh": use.item_zh, "en": use.item_en},
        point={"zh": use.point_zh, "en": use.point_en},
        terminal=use.terminal,
        medium=catalogue_words.MEDIA[Medium(use.medium)],
        verdict={"zh": WORDS[use.verdict].zh, "en": WORDS[use.verdict].en},
        admitted=use.verdict is Verdict.ADMITTED,
        concerned=use.concerned,
        gate=gate,
    )


def _followed(follows: Sequence[Follow]) -> list[FollowRow]:
    ids = [int(each.actor[6:]) for each in follows if each.actor.startswith("staff:") and each.actor[6:].isdecimal()]
    names = {f"staff:{officer.pk}": officer.display_name for officer in Officer.objects.filter(pk__in=ids)}
    return [
        FollowRow(each.at, names.get(each.actor, each.actor), STATES[each.state], STATE_TONES[each.state], each.reason)
        for each in follows
    ]


def _steps(actor: StaffActor, risk: Risk) -> list[tuple[str, str]]:
    """What the officer may make of it now; nothing where they may only read."""
    if risks.is_about(risk, actor) or not actor.reaches("audit.follow_risk", risk.place):
        return []
    return [(state.value, in_language(STATES[state])) for state in risks.STEPS[risk.state]]
