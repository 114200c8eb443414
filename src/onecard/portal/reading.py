"""View values of the portal: what a page shows, made from what the primitives tell."""

import datetime as dt
from dataclasses import dataclass

from onecard.foundation.errors import NotFound
from onecard.kernel.cards import actions, queries, rules, words
from onecard.kernel.cards.models import Card
from onecard.kernel.cards.rules import Blocked, CardState, CardVerb, Function, FunctionState

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
    state: dict[str, str]
    tone: str
    valid_to: dt.date
    functions: list[tuple[dict[str, str], dict[str, str], str]]
    can_report: bool
    can_unreport: bool


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


def masked(number: str) -> str:
    """A card number with its middle hidden: ``A12*****9``."""
    return f"{number[:3]}{'*' * (len(number) - 5)}{number[-2:]}"


def _face(card: Card) -> CardFace:
    state = CardState(card.state)
    return CardFace(
        id=card.pk,
        number=masked(card.number),
        generation=card.generation,
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
