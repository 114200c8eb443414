"""View values of uses: a page of them with its filters, one with what was decided, and lists to take along."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.http import QueryDict

from onecard.console.history import use_id
from onecard.foundation import clock
from onecard.foundation.web import bridge
from onecard.foundation.web.links import query_of, text_in
from onecard.kernel.catalogue import queries as catalogue
from onecard.kernel.catalogue import words as catalogue_words
from onecard.kernel.catalogue.models import Item
from onecard.kernel.holders import divisions
from onecard.kernel.staff.queries import StaffActor
from onecard.kernel.uses import explain, listing
from onecard.kernel.uses.actions import Memory
from onecard.kernel.uses.disclosures import disclose_use
from onecard.kernel.uses.explain import Explanation
from onecard.kernel.uses.listing import Line, Listed, Wanted
from onecard_kit.classes import BY_CODE
from onecard_kit.terms import Medium
from onecard_kit.verdicts import WORDS, Verdict

Words = dict[str, str]
LINES: dict[Line, Words] = {
    Line.OFFLINE: {"zh": "离线上传的", "en": "Sent by gates without a line"},
    Line.DOUBLE: {"zh": "重复使用的", "en": "Used twice"},
    Line.DIFFERS: {"zh": "闸机与平台判定不同的", "en": "Gate and platform differ"},
}
# Days that anything here can be of; beyond them lie days that no id and no moment in China can be reckoned from.
FIRST_DAY, LAST_DAY = dt.date(2000, 1, 1), dt.date(2999, 12, 31)
VERDICTS = [(verdict.value, {"zh": WORDS[verdict].zh, "en": WORDS[verdict].en}) for verdict in Verdict]


@dataclass(frozen=True)
class Chosen:
    """What an officer looks for, and the last use of the page before."""

    wanted: Wanted
    before: UUID | None

    def query(self, before: UUID | None = None) -> str:
        """The address of the same list from another page on."""
        days = {"from": self.wanted.from_day, "to": self.wanted.to_day}
        values = {name: day.isoformat() if day else "" for name, day in days.items()}
        values |= {"point": self.wanted.point, "item": self.wanted.item, "verdict": self.wanted.verdict}
        values |= {"line": self.wanted.line.value, "before": str(before or "")}
        return query_of(values)

    @property
    def narrows(self) -> bool:
        return self.wanted != Wanted()


@dataclass(frozen=True)
class Row:
    """A use in a list."""

    id: UUID
    at: dt.datetime
    item: Words
    point: Words
    place: str
    terminal: str
    medium: Words
    verdict: Words
    tone: str
    full_fen: int
    paid_fen: int
    marks: list[tuple[Words, str]]


@dataclass(frozen=True)
class Uses:
    """One page of uses. `read`: how many were looked through where the page is short and still goes on, else 0."""

    chosen: Chosen
    rows: list[Row]
    next: UUID | None
    read: int


def chosen(asked: QueryDict) -> Chosen:
    """What the address asks for; what is unknown is left out."""
    verdict, line = asked.get("verdict", ""), asked.get("line", "")
    wanted = Wanted(
        day(asked.get("from", "")),
        day(asked.get("to", "")),
        text_in(asked.get("point", ""), 64),
        text_in(asked.get("item", ""), 64),
        verdict if verdict in list(Verdict) else "",
        Line(line) if line in list(Line) else Line.ANY,
    )
    return Chosen(wanted, use_id(asked.get("before", "")))


def day(text: str) -> dt.date | None:
    """A day as it is typed, e.g. 2026-11-21; None where it is none, or none of this system's time."""
    try:
        typed = dt.date.fromisoformat(text.strip())
    except ValueError:
        return None
    return typed if FIRST_DAY <= typed <= LAST_DAY else None


def items() -> list[tuple[str, Words]]:
    """Every item of the catalogue, by code."""
    found = Item.objects.order_by("code").values_list("code", flat=True)
    names = {item.code: {"zh": item.name.zh, "en": item.name.en} for item in catalogue.in_force(clock.today())}
    return [(code, names.get(code, {"zh": code, "en": code})) for code in found]


def page(actor: StaffActor, wanted: Chosen) -> Uses:
    """A page of the uses at points of the officer's places."""
    found = listing.page(actor.places_of("uses.read"), wanted.wanted, before=wanted.before)
    return Uses(wanted, [row_of(use) for use in found.uses], found.next, found.read)


def row_of(use: Listed) -> Row:
    """A use in words."""
    verdict = Verdict(use.verdict)
    return Row(
        id=use.id,
        at=use.at,
        item={"zh": use.item_zh, "en": use.item_en},
        point={"zh": use.point_zh, "en": use.point_en},
        place=divisions.name_of(use.division),
        terminal=use.terminal,
        medium=catalogue_words.MEDIA[Medium(use.medium)],
        verdict={"zh": WORDS[verdict].zh, "en": WORDS[verdict].en},
        tone="ok" if verdict is Verdict.ADMITTED else "warn",
        full_fen=use.full_fen,
        paid_fen=use.paid_fen,
        marks=list(_marks(use)),
    )


def _marks(use: Listed) -> list[tuple[Words, str]]:
    told: list[tuple[bool, Words, str]] = [
        (use.gate_verdict is not None, {"zh": "离线", "en": "Offline"}, "info"),
        (use.manual, {"zh": "人工放行", "en": "Admitted by hand"}, "warn"),
        (use.double, {"zh": "重复使用", "en": "Used twice"}, "bad"),
        (use.differs, {"zh": "判定不同", "en": "Differs"}, "bad"),
        (use.refunded, {"zh": "已退回", "en": "Given back"}, "teal"),
    ]
    return [(words, tone) for is_so, words, tone in told if is_so]


@dataclass(frozen=True)
class One:
    """A use with everything that was recorded of it."""

    use: Listed
    row: Row
    waived_fen: int
    funded_fen: int
    concession: Words | None
    gate: Words | None
    may_explain: bool
    may_refund: bool
    may_open: bool


def one(actor: StaffActor, id_: UUID) -> One:
    """A use at a point of the officer's places."""
    use = listing.one(actor, id_)
    group = BY_CODE.get(use.concession or "")
    return One(
        use=use,
        row=row_of(use),
        waived_fen=use.waived_fen,
        funded_fen=use.full_fen - use.paid_fen - use.waived_fen,
        concession={"zh": group.zh, "en": group.en} if group else _plain(use.concession),
        gate=_gate(use),
        may_explain=actor.reaches("uses.explain", use.division),
        may_refund=actor.reaches("uses.refund", use.division) and use.verdict == Verdict.ADMITTED and not use.refunded,
        may_open=use.holder_id is not None and actor.holds("holders.read"),
    )


def _plain(text: str | None) -> Words | None:
    return {"zh": text, "en": text} if text else None


def _gate(use: Listed) -> Words | None:
    """What a gate without a line decided, and what the platform would have."""
    if use.gate_verdict is None:
        return None
    gate, ours = (_verdict_words(each or "") for each in (use.gate_verdict, use.ours))
    return {
        "zh": f"闸机离线判定“{gate['zh']}”，平台按当时情况判定“{ours['zh']}”。",
        "en": f"The gate, without a line, decided “{gate['en']}”; the platform would have decided “{ours['en']}”.",
    }


def _verdict_words(code: str) -> Words:
    known = WORDS.get(Verdict(code)) if code in list(Verdict) else None
    return {"zh": known.zh, "en": known.en} if known else {"zh": code, "en": code}


def explained(actor: StaffActor, id_: UUID, reason: str) -> Explanation:
    """Why a use came to what it did, for a reason that stays in the trail."""
    disclose_use(actor, id_, reason)
    return bridge.run(lambda connection: explain.of_use(connection, id_, Memory()))
