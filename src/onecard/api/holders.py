"""Holders as a client knows them: a number in hand becomes a pseudonym, and a pseudonym tells of cards."""

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from pydantic import Field

from onecard.api.access import caller
from onecard.api.declare import Words, operation
from onecard.api.fields import Asked, Pseudonym, Text
from onecard.api.writing import Key, write
from onecard.kernel.cards import words
from onecard.kernel.sharing import disclosures, watches
from onecard.kernel.sharing.disclosures import CardStatus
from onecard.kernel.sharing.scopes import Scope

router = Router(tags=["holders"])


class Number(Asked):
    """What you have in hand: one of the two."""

    identity_number: Text | None = Field(None, examples=["990601194805061235"])
    card_number: Text | None = Field(None, examples=["A00000001"])


class Named(Schema):
    """The holder under your own name for them: the same each time, and another for every other client."""

    holder: str = Field(examples=["y7c2mxkq4gd5zv3r6tbn1phw2e"])


class StateWords(Words):
    """A state: decide by `code`, show the words."""

    code: str


class Functions(Schema):
    """The three functions of a card, each with its own state."""

    social_security: StateWords
    financial: StateWords
    transit: StateWords


class Card(Schema):
    """A card. `usable`: active and not past its last valid day; `ecard`: an e-card stands on it, whose state is the
    card's.
    """

    issuing_place: str = Field(examples=["320600"])
    generation: int
    state: StateWords
    functions: Functions
    valid_to: dt.date
    usable: bool
    ecard: bool


class Cards(Schema):
    """The cards of a holder, the newest first; `usable` says whether one of them is."""

    holder: str
    usable: bool
    cards: list[Card]


@operation(router, "POST", "/pseudonyms", Scope.IDENTIFY, Named, 404)
def identify_holder(request: HttpRequest, asked: Number) -> Named:
    """Exchange a number in hand for your pseudonym of its holder. The holder sees that you did, and what for.

    It travels in the body, so that it stays out of logs and histories.
    """
    name = disclosures.identify(
        caller(request), identity_number=asked.identity_number, card_number=asked.card_number
    )  # fmt: skip
    return Named(holder=name)


@operation(router, "GET", "/holders/{holder}/cards", Scope.CARDS, Cards, 404)
def get_cards(request: HttpRequest, holder: Pseudonym) -> Cards:
    """The status of a holder's cards and e-cards at this moment. The holder sees that you looked, and what for."""
    told = [_card(status) for status in disclosures.card_status(caller(request), holder)]
    return Cards(holder=holder, usable=any(card.usable for card in told), cards=told)


class WatchAsked(Asked):
    days: int = Field(ge=1, le=watches.DAYS_MAX, strict=True, description="from today")


class Watch(Schema):
    """You are told `card.changed` about the holder until before the day `until`."""

    holder: str
    until: dt.date


@operation(router, "POST", "/holders/{holder}/watch", Scope.WATCH, Watch, 404, 409)
def watch_holder(request: HttpRequest, holder: Pseudonym, asked: WatchAsked, idempotency_key: Key) -> HttpResponse:
    """Be sent a message when a card of the holder changes. The holder sees that you watch, and what for.

    The message says that something changed and not what: that you ask for. Watching again moves the end.
    """

    def do() -> dict[str, Any]:
        until = watches.watch(caller(request), holder, asked.days)
        return Watch(holder=holder, until=until).model_dump(mode="json")

    return write(request, idempotency_key, asked, do)


@operation(router, "DELETE", "/holders/{holder}/watch", Scope.WATCH, None, 404, status=204)
def stop_watching(request: HttpRequest, holder: Pseudonym) -> Status[None]:
    """Watch the holder no more. Stopping what is stopped changes nothing."""
    watches.stop(caller(request), holder)
    return Status(204, None)


def _card(status: CardStatus) -> Card:
    functions = {
        function.value: StateWords(code=state.value, **words.FUNCTION_STATES[state])
        for function, state in status.functions.items()
    }
    return Card(
        issuing_place=status.issuing_place,
        generation=status.generation,
        state=StateWords(code=status.state.value, **words.CARD_STATES[status.state]),
        functions=Functions(**functions),
        valid_to=status.valid_to,
        usable=status.usable,
        ecard=status.ecard,
    )
