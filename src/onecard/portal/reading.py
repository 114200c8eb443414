"""View values of the portal: what a page shows, made from what the primitives tell."""

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _

from onecard.foundation.actors import Actor
from onecard.foundation.errors import NotFound
from onecard.foundation.money import yuan
from onecard.kernel.cards import actions, queries, rules, words
from onecard.kernel.cards.models import Card
from onecard.kernel.cards.rules import Blocked, CardState, CardVerb, FunctionState
from onecard.kernel.holders import queries as holders
from onecard.kernel.uses import queries as uses
from onecard.kernel.uses import refunds
from onecard.portal import services
from onecard_kit.classes import BY_CODE
from onecard_kit.terms import Function
from onecard_kit.verdicts import WORDS, Verdict

Words = dict[str, str]

# So many of the newest uses stand beside the cards, and on the first page.
LATEST = 10
LATEST_AT_HOME = 3
TONES = {
    CardState.ACTIVE: "ok",
    CardState.INACTIVE: "info",
    CardState.ALLOCATED: "info",
    CardState.TEMP_LOST: "warn",
    CardState.LOST: "bad",
    CardState.LOCKED: "bad",
}


@dataclass(frozen=True)
class CardFace:
    """A card as its holder sees it: the number masked, states in words, and what can be done now."""

    id: int
    number: str
    generation: int
    stands: CardState
    state: dict[str, str]
    tone: str
    valid_to: dt.date
    functions: list[tuple[dict[str, str], dict[str, str], str]]
    can_report: bool
    can_unreport: bool

    @property
    def is_active(self) -> bool:
        return self.stands is CardState.ACTIVE


@dataclass(frozen=True)
class UseRow:
    """A use in words: what, when, where, what it cost and why."""

    title: Words
    point: Words
    at: dt.datetime
    icon: str
    price: str
    full: str
    result: Words
    reason: Words | None
    admitted: bool


@dataclass(frozen=True)
class Mine:
    """What a holder's first page tells them of their own. `card`: the one they use; None before the first."""

    name: str
    card: CardFace | None
    uses: list[UseRow]


def mine(holder_id: int) -> Mine:
    """A holder's own: the card that is active, or else the newest, and the last uses of all."""
    cards = my_cards(holder_id)
    card = next((card for card in cards if card.is_active), cards[0] if cards else None)
    return Mine(my_name(holder_id), card, my_uses(cards, LATEST_AT_HOME))


def my_uses(cards: list["CardFace"], limit: int = LATEST) -> list[UseRow]:
    """The newest uses of the holder's cards."""
    return [_use(use) for use in uses.latest([card.id for card in cards], limit)]


_GIVEN_BACK: dict[str, Words] = {
    refunds.ASKED: {"zh": "已全额退回", "en": "Given back in full"},
    refunds.TURNED_AWAY: {
        "zh": "闸机未收到答复、未放行，已全额退回",
        "en": "The gate turned you away; given back in full",
    },
}


def _use(use: uses.Use) -> UseRow:
    admitted = use.verdict is Verdict.ADMITTED
    told = WORDS[use.verdict]
    given = BY_CODE.get(use.concession or "")
    reason = {"zh": given.zh, "en": given.en} if given else None
    return UseRow(
        title={"zh": use.item_zh, "en": use.item_en},
        point={"zh": use.point_zh, "en": use.point_en},
        at=use.at,
        icon=services.icon(use.item.partition(".")[0]),
        price=_("%(yuan)s 元") % {"yuan": yuan(use.paid_fen)} if admitted else "",
        full=_("全价 %(yuan)s 元") % {"yuan": yuan(use.full_fen)} if admitted and use.paid_fen < use.full_fen else "",
        result=_GIVEN_BACK[use.given_back] if use.given_back else {"zh": told.zh, "en": told.en},
        reason=reason if admitted else {"zh": told.next_zh, "en": told.next_en},
        admitted=admitted,
    )


def my_name(holder_id: int) -> str:
    """The holder's own name, masked."""
    line = holders.by_id(Actor(f"holder:{holder_id}", frozenset({"holders.read"})), holder_id)
    return line.name if line else ""


def my_cards(holder_id: int) -> list[CardFace]:
    """The holder's cards, newest first."""
    return [_face(card) for card in queries.of_holder(holder_id)]


def my_card(holder_id: int, card_id: int) -> CardFace:
    """One of the holder's own cards. Raises NotFound CARD_UNKNOWN for any other, whether it exists or not."""
    for card in my_cards(holder_id):
        if card.id == card_id:
            return card
    raise NotFound(
        "CARD_UNKNOWN",
        "您名下没有这张卡。",
        "You have no such card.",
        next_zh="请从“我的卡”进入。",
        next_en="Start from “My cards”.",
    )


def _face(card: Card) -> CardFace:
    state = CardState(card.state)
    return CardFace(
        id=card.pk,
        number=words.masked(card.number),
        generation=card.generation,
        stands=state,
        state=words.CARD_STATES[state],
        tone=TONES.get(state, ""),
        valid_to=card.valid_to,
        functions=[_function(row.function, row.state) for row in card.functions.all()],
        can_report=_may(card, CardVerb.REPORT_TEMP_LOST) and state is not CardState.TEMP_LOST,
        can_unreport=state is CardState.TEMP_LOST and _may(card, CardVerb.UNREPORT),
    )


def _function(function: str, state: str) -> tuple[dict[str, str], dict[str, str], str]:
    tone = {"active": "ok", "suspended": "warn"}.get(state, "")
    return words.FUNCTIONS[Function(function)], words.FUNCTION_STATES[FunctionState(state)], tone


def _may(card: Card, verb: CardVerb) -> bool:
    return not isinstance(rules.move_of(actions.facts_of(card), verb), Blocked)
