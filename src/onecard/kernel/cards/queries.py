"""Reads of cards and their standing. Lists are paged by key, newest first: the last page is as fast as the first."""

from collections.abc import Sequence

from onecard.foundation import crypto, keys
from onecard.foundation.errors import NotFound
from onecard.kernel.cards.models import Card, Standing

PAGE = 50
PAGE_MAX = 500


def by_number(number: str) -> Card:
    """The card with a number, functions loaded. Raises NotFound CARD_UNKNOWN."""
    card = Card.objects.prefetch_related("functions").filter(number=number.strip().upper()).first()
    if card is None:
        raise NotFound(
            "CARD_UNKNOWN",
            "没有这张卡。",
            "There is no such card.",
            next_zh="请核对卡号。",
            next_en="Check the number.",
        )
    return card


def of_holder(holder_id: int) -> list[Card]:
    """A holder's cards, newest first, functions loaded."""
    return list(Card.objects.prefetch_related("functions").filter(holder_id=holder_id).order_by("-id"))


def standing_of(card_id: int) -> Standing | None:
    """What gates know about a card; None before its first refresh."""
    return Standing.objects.filter(pk=card_id).first()


def with_ecard(card_ids: Sequence[int]) -> set[int]:
    """Those of some cards on which an e-card stands."""
    found = Standing.objects.filter(pk__in=card_ids, ecard_serial__isnull=False)
    return set(found.values_list("card_id", flat=True))


def newest(state: str | None = None, *, before: int | None = None, limit: int = PAGE) -> list[Card]:
    """Cards, newest first, of one state or of all; `before` is the last id of the page above, `limit` at most 500."""
    cards = Card.objects.all() if state is None else Card.objects.filter(state=state)
    if before is not None:
        cards = cards.filter(pk__lt=before)
    return list(cards.order_by("-id")[: min(limit, PAGE_MAX)])


def number_index(number: str) -> bytes:
    """The blind index under which a card number finds its standing."""
    return crypto.blind_index(keys.load("cards"), "card_number", number)
