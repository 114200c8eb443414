"""The loss of an issuer's key (签发密钥失窃): withdrawing it, what that voids, and whose it is.

Codes of phones are kept nowhere, so of them only the most that there can be is known: every phone that may fetch, each
with the codes of ten minutes. Paper codes and card files are known one by one.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

from onecard.foundation import clock
from onecard.foundation.actors import Actor
from onecard.kernel.ecards import actions, lists
from onecard.kernel.ecards.models import CardFile, Device, Key, PaperCode
from onecard_kit.suites import Purpose

PAGE = 1_000


class Toll(NamedTuple):
    """What a key's withdrawal voids: the codes of at most so many phones, so many paper codes, so many card files."""

    phones: int
    papers: int
    card_files: int


class Lost(NamedTuple):
    """What losing a key came to: the key as it stands, what its withdrawal voided, how many lists were made anew."""

    key: Key
    toll: Toll
    lists: int


def lose(actor: Actor, key: Key, issuer: str, *, reason: str, approved_by: Actor | None = None) -> Lost:
    """Withdraw a key and make the status lists anew, under the key that signs now. Raises as `actions.withdraw_key`."""
    toll = toll_of(key)
    gone = actions.withdraw_key(actor, bytes(key.kid), reason=reason, approved_by=approved_by)
    return Lost(gone, toll, lists.build(issuer))


def toll_of(key: Key) -> Toll:
    """What withdrawing a key voids now; nothing more where it was withdrawn before."""
    if key.withdrawn_at is not None:
        return Toll(0, 0, 0)
    if key.purpose == Purpose.CODES:
        return Toll(_phones() if _is_in_hand(key) else 0, 0, 0)
    return Toll(0, _papers(key).count(), _card_files(key).count())


def affected(key: Key) -> Iterator[str]:
    """What stands under a key, a line each: `paper_code:SERIAL card:ID`, then `card_file card:ID`. Ids and no names: an
    officer looks up whom to invite.
    """
    for serial, card in _paged(_papers(key), "serial", "ecard__card_id"):
        yield f"paper_code:{serial} card:{card}"
    for (card,) in _paged(_card_files(key), "card_id"):
        yield f"card_file card:{card}"


def _is_in_hand(key: Key) -> bool:
    """Whether phones may hold codes that it signed: it signs, or did minutes ago."""
    if key.sign_from is None:
        return False
    return key.sign_to is None or clock.now() - key.sign_to < actions.CODES_LIFE


def _phones() -> int:
    good = Q(revoked_at=None, expires_at__gt=clock.now(), ecard__closed_at=None, ecard__card__state="active")
    return Device.objects.filter(good).count()


def _papers(key: Key) -> QuerySet[PaperCode]:
    return PaperCode.objects.filter(kid=key.kid, revoked_at=None, expires_at__gt=clock.now())


def _card_files(key: Key) -> QuerySet[CardFile]:
    return CardFile.objects.filter(kid=key.kid, expires_at__gt=clock.now())


def _paged(found: "QuerySet[Any]", by: str, *more: str) -> Iterator[tuple[int, ...]]:
    """Every row of a reading, a page at a time, by its key."""
    after = -1
    while page := list(found.filter(**{f"{by}__gt": after}).order_by(by).values_list(by, *more)[:PAGE]):
        yield from page
        after = page[-1][0]
