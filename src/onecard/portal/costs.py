"""What an item would cost a signed-in holder now, by the function that decides at the gate.

Everything of the place is taken to be in order and the purse to be full: what is told is what the holder's card,
classes, passes and counted uses come to.
"""

import datetime as dt
from dataclasses import dataclass

import msgspec
from django.utils.translation import gettext as _

from onecard.foundation import clock, workdays
from onecard.kernel.cards import queries as cards
from onecard.kernel.cards.rules import CardState
from onecard.kernel.catalogue import queries as catalogue
from onecard.kernel.entitlements import queries as entitlements
from onecard.portal.using import money
from onecard.scenarios.terms import discount_of
from onecard_kit import reasons, terms
from onecard_kit.decide import ACTIVE, Areas, Decision, Facts, Pass, Place, Standing, decide
from onecard_kit.terms import COUNT_MAX, FEN_MAX, DayKind, Function, Leg, Medium
from onecard_kit.verdicts import WORDS, Verdict

Words = dict[str, str]
Classes = tuple[tuple[str, dt.date, dt.date | None], ...]
ENDLESS = FEN_MAX * COUNT_MAX


@dataclass(frozen=True)
class Cost:
    """Whether a use would be let pass now, what it would cost, and why. `price` is '' where it would not."""

    admitted: bool
    price: str
    reasons: list[Words]


def for_holder(holder_id: int, item: terms.Item, division: str) -> Cost | None:
    """What an item would cost a holder now in a division; None where they have no card, or the law wants another."""
    standing = _standing(holder_id)
    if standing is None or item.excluded is not None:
        return None
    found = decide(_facts(holder_id, item, standing, division))
    told = reasons.reasons(
        found.verdict, item, found.full_fen, found.paid_fen, found.waived_fen,
        found.concession.key if found.concession else None, found.hold_fen,
    )  # fmt: skip
    if found.verdict is not Verdict.ADMITTED:
        told.append({"zh": WORDS[found.verdict].next_zh, "en": WORDS[found.verdict].next_en})
        return Cost(False, "", [{"zh": each["zh"], "en": each["en"]} for each in told if each["zh"]])
    if _named_at_the_till(item):
        return _of_each(found)
    return Cost(True, _price(item, found), [{"zh": each["zh"], "en": each["en"]} for each in told[1:]])


def _named_at_the_till(item: terms.Item) -> bool:
    return item.price is not None and item.price.open_fen is not None


def _of_each(found: Decision) -> Cost:
    """What is left of a price that is not known yet, and for whom."""
    if found.concession is None:
        return Cost(True, _("按当场金额"), [])
    zh, en = reasons.concession_name(found.concession)
    return Cost(True, discount_of(found.concession.price), [{"zh": zh, "en": en}])


def _price(item: terms.Item, found: Decision) -> str:
    if found.hold_fen:
        return _("最多 %(price)s") % {"price": money(found.hold_fen)}
    return money(found.paid_fen) if found.paid_fen else _("免费")


def _standing(holder_id: int) -> Standing | None:
    """What a gate knows of the holder's newest card that is active, else of the newest."""
    mine = cards.of_holder(holder_id)
    if not mine:
        return None
    card = next((each for each in mine if each.state == CardState.ACTIVE), mine[0])
    known = cards.standing_of(card.pk)
    if known is None:
        return None
    functions = {str(function): getattr(known, function) for function in Function}
    return Standing(known.card_state, functions, known.issuing_place, msgspec.convert(known.classes, Classes))


def _facts(holder_id: int, item: terms.Item, standing: Standing, division: str) -> Facts:
    now, today = clock.now().astimezone(clock.CHINA), clock.today()
    place = Place(ACTIVE, ACTIVE, ACTIVE, ACTIVE, True, division, _station(item), media=tuple(Medium), attended=True)
    periods = {rule: period.of(today) for rule, period in item.counts}
    counted = entitlements.counted_of(holder_id, today)
    return Facts(
        place=place,
        item=_always_open(item),
        medium=item.media[0],
        amount_fen=item.price.open_fen[1] if item.price and item.price.open_fen else None,
        problem=None,
        replayed=False,
        standing=standing,
        day=today,
        quota_used={each.rule: each.used for each in counted if periods.get(each.rule) == each.period},
        purse_free_fen=ENDLESS,
        purse_room_fen=ENDLESS,
        minute=now.hour * 60 + now.minute,
        day_kind=DayKind(workdays.kind_of(today)),
        areas=Areas(catalogue.area_sets()),
        leg=Leg.IN if item.journey else None,
        passes=tuple(_pass(number, each) for number, each in enumerate(entitlements.passes_of(holder_id))),
    )


def _always_open(item: terms.Item) -> terms.Item:
    """The page says when it is open; what it costs is told at night too."""
    return msgspec.structs.replace(item, when=None)


def _station(item: terms.Item) -> str:
    """Any at which a journey may begin: the most that it can cost is the same from each."""
    fares = item.price.distance if item.price else None
    return next(iter(fares.stations)) if fares else ""


def _pass(number: int, held: entitlements.Pass) -> Pass:
    return Pass(f"{number:02d}", held.item, held.activate_by, held.lasts_days, held.starts_on, held.uses_left)
