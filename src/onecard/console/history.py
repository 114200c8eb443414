"""The history of a holder, newest first: what was done to their data and cards, who read them, and where the cards were
used.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.http import QueryDict

from onecard.console import actors, verbs
from onecard.foundation.money import yuan
from onecard.foundation.web.links import number_in, query_of
from onecard.kernel.audit import queries as audit
from onecard.kernel.audit.queries import Told
from onecard.kernel.cards import words as card_words
from onecard.kernel.cards.models import Card
from onecard.kernel.ecards.models import Ecard
from onecard.kernel.holders.queries import Line
from onecard.kernel.sharing.models import Agreement
from onecard.kernel.staff.queries import StaffActor
from onecard.kernel.uses import listing
from onecard.kernel.uses.listing import Listed
from onecard_kit.verdicts import WORDS, Verdict

Words = dict[str, str]
PAGE = 30
ALL, USES = "all", "uses"
KINDS: dict[str, tuple[Words, tuple[str, ...]]] = {
    ALL: ({"zh": "全部", "en": "Everything"}, ("%",)),
    "cards": ({"zh": "卡片", "en": "Cards"}, ("cards.%", "ecards.%")),
    USES: ({"zh": "用卡", "en": "Uses"}, ()),
    "disclosures": (
        {"zh": "谁看过", "en": "Who looked"},
        ("sharing.disclose", "holders.reveal", "holders.read", "uses.explain", "ledger.read"),
    ),
    "data": (
        {"zh": "信息变更", "en": "Data"},
        ("holders.register", "holders.correct", "holders.%certificate", "holders.mark_deceased"),
    ),
}


_CARD_STATES: dict[str, Words] = {state.value: name for state, name in card_words.CARD_STATES.items()}
_FUNCTION_STATES: dict[str, Words] = {state.value: name for state, name in card_words.FUNCTION_STATES.items()}
_FUNCTIONS: dict[str, Words] = {function.value: name for function, name in card_words.FUNCTIONS.items()}


@dataclass(frozen=True)
class Event:
    """One line of a history."""

    at: dt.datetime
    kind: str
    name: Words
    about: Words
    who: Words
    reason: str
    tone: str = ""
    use: UUID | None = None


@dataclass(frozen=True)
class Position:
    """How far down each of the two streams a page begins; None is at the newest."""

    kind: str
    fact: int | None = None
    use: UUID | None = None

    def query(self) -> str:
        """The address of the history from here on."""
        values = {
            "kind": "" if self.kind == ALL else self.kind,
            "fact": str(self.fact or ""),
            "use": str(self.use or ""),
        }
        return query_of(values)

    @property
    def is_first(self) -> bool:
        return self.fact is None and self.use is None


@dataclass(frozen=True)
class History:
    """A page of it; `next` is where the next one begins, None if this is the last.

    `with_uses`: the officer may see uses.
    """

    position: Position
    events: list[Event]
    next: Position | None
    with_uses: bool


def chosen(asked: QueryDict) -> Position:
    """What the address asks for; what is malformed is left out."""
    kind, fact = asked.get("kind", ""), asked.get("fact", "")
    return Position(
        kind if kind in KINDS else ALL,
        number_in(fact),
        use_id(asked.get("use", "")),
    )


def use_id(text: str) -> UUID | None:
    """The id of a use in an address; None where it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def page(actor: StaffActor, line: Line, cards: Sequence[Card], position: Position) -> History:
    """A page of a holder's history. Uses are told to whoever may read them where the holder is registered."""
    with_uses = actor.reaches("uses.read", line.place)
    patterns = KINDS[position.kind][1]
    facts = _facts(line, cards, patterns, position.fact) if patterns else []
    uses = _uses(cards, position) if with_uses and position.kind in (ALL, USES) else []
    both: list[Told | Listed] = [*facts, *uses]
    merged = sorted(both, key=_moment, reverse=True)
    shown = merged[:PAGE]
    following = _after(position, shown) if len(merged) > PAGE else None
    return History(position, _events(shown, cards), following, with_uses)


def _facts(line: Line, cards: Sequence[Card], patterns: Sequence[str], before: int | None) -> list[Told]:
    subjects = [f"holder:{line.id}", *(f"card:{card.pk}" for card in cards)]
    serials = Ecard.objects.filter(card__in=[card.pk for card in cards]).values_list("serial", flat=True)
    subjects += [f"ecard:{serial}" for serial in serials]
    return audit.facts_about_any(subjects, patterns, before=before, limit=PAGE + 1)


def _uses(cards: Sequence[Card], position: Position) -> list[Listed]:
    return listing.of_cards([card.pk for card in cards], before=position.use, limit=PAGE + 1)


def _moment(each: Told | Listed) -> dt.datetime:
    """When we heard of it: the order in which the streams are read."""
    return each.recorded_at if isinstance(each, Listed) else each.at


def _after(position: Position, shown: Sequence[Told | Listed]) -> Position:
    facts = [each.id for each in shown if isinstance(each, Told)]
    uses = [each.id for each in shown if isinstance(each, Listed)]
    return Position(position.kind, facts[-1] if facts else position.fact, uses[-1] if uses else position.use)


def _events(shown: Sequence[Told | Listed], cards: Sequence[Card]) -> list[Event]:
    facts = [each for each in shown if isinstance(each, Told)]
    names = actors.names_of(each.actor for each in facts)
    ids = [each.detail["agreement"] for each in facts if "agreement" in each.detail]
    agreed = Agreement.objects.select_related("client").in_bulk(ids)
    numbers = {f"card:{card.pk}": card_words.masked(card.number) for card in cards}
    return [_used(each) if isinstance(each, Listed) else _done(each, names, agreed, numbers) for each in shown]


def _done(fact: Told, names: Mapping[str, Words], agreed: Mapping[int, Agreement], numbers: Mapping[str, str]) -> Event:
    agreement = agreed.get(fact.detail.get("agreement", 0))
    who, reason = names[fact.actor], fact.reason
    if agreement is not None:
        who = {"zh": agreement.client.name_zh, "en": agreement.client.name_en}
    kind = fact.verb.partition(".")[0]
    tone = "warn" if fact.verb in ("holders.reveal", "cards.report_lost", "cards.lock", "cards.cancel") else ""
    return Event(fact.at, kind, verbs.name_of(fact.verb), _about(fact, numbers), who, reason, tone)


def _about(fact: Told, numbers: Mapping[str, str]) -> Words:
    """The card it was about, and from which state to which it, or a function of it, went."""
    number, function = numbers.get(fact.subject, ""), fact.detail.get("function")
    states: Mapping[str, Words] = _FUNCTION_STATES if function else _CARD_STATES
    was, now = (states.get(fact.detail.get(end, "")) for end in ("from", "to"))
    if was and now:
        of = _FUNCTIONS.get(function or "", {"zh": "", "en": ""})
        return {each: " ".join(f"{number} {of[each]} {was[each]} → {now[each]}".split()) for each in ("zh", "en")}
    fields = ", ".join(fact.detail.get("fields", ()))
    told = " ".join(part for part in (number, fields) if part)
    return {"zh": told, "en": told}


def _used(use: Listed) -> Event:
    verdict = WORDS[Verdict(use.verdict)]
    paid = f" · ¥{yuan(use.paid_fen)}" if use.full_fen else ""
    return Event(
        at=use.at,
        kind=USES,
        name={"zh": use.item_zh, "en": use.item_en},
        about={"zh": f"{verdict.zh}{paid}", "en": f"{verdict.en}{paid}"},
        who={"zh": use.point_zh, "en": use.point_en},
        reason="",
        tone="ok" if use.verdict == Verdict.ADMITTED else "warn",
        use=use.id,
    )
