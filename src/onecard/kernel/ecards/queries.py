"""Reads of e-cards for the faces. The gateway reads by `sql/issuer_keys.sql` and `sql/device.sql`."""

import datetime as dt
import hashlib

from django.db.models import Q

from onecard.foundation import clock, keys, sql
from onecard.foundation.postgres.raw import rows
from onecard.kernel.ecards.models import Device, Ecard, Key, PaperCode, Tie
from onecard.kernel.ecards.refs import Refs
from onecard_kit.suites import Purpose

PAGE = 50
OFFER_LIFE = dt.timedelta(days=7)
"""How long an offer to a relative stands."""


def standing_by(purpose: Purpose) -> Key | None:
    """The issuer key that signs next; None before the first rotation."""
    return Key.objects.filter(purpose=purpose, sign_from=None).first()


def refs() -> Refs:
    """The permutations of serials, opened; for whoever may read the keyring ``codes``."""
    found = rows(sql.load("onecard.kernel.ecards", "ref_keys"))
    return Refs.opened(keys.load("codes"), found)


def of_card(card_id: int) -> Ecard | None:
    """The e-card of a card, open or closed; None if it never had one."""
    return Ecard.objects.filter(card_id=card_id).first()


def paper_code_of(serial: int) -> PaperCode | None:
    """The paper code of an e-card that is good now; None if none was printed, or it was revoked or ran out."""
    return PaperCode.objects.filter(ecard_id=serial, revoked_at=None, expires_at__gt=clock.now()).first()


def devices_of(serial: int, *, before: int | None = None, limit: int = PAGE) -> list[Device]:
    """The phones that may fetch codes of an e-card, newest first; none that is revoked or has run out. `before` is the
    last id of the page above.
    """
    found = Device.objects.filter(ecard_id=serial, revoked_at=None, expires_at__gt=clock.now())
    if before is not None:
        found = found.filter(pk__lt=before)
    return list(found.order_by("-id")[:limit])


def token_digest(token: str) -> bytes:
    """What the database knows of a device's token: its SHA-256."""
    return hashlib.sha256(token.encode()).digest()


def is_phone_of(holder_id: int, token: str) -> bool:
    """Whether a token is one of a phone of the holder's own, that stands or was revoked."""
    found = Device.objects.filter(token_digest=token_digest(token), tie=None)
    return found.filter(ecard__card__holder_id=holder_id).exists()


def shown_by(holder_id: int) -> list[Tie]:
    """The ties by which a holder shows relatives' e-cards, and what was offered to them and has not lapsed; the newest
    first, with e-card and card.
    """
    found = Tie.objects.select_related("ecard__card").filter(holder_id=holder_id, ended_at=None)
    stands = Q(agreed_at__isnull=False) | Q(offered_at__gte=clock.now() - OFFER_LIFE)
    return list(found.filter(stands).order_by("-id")[:PAGE])


def relatives_of(serial: int) -> list[Tie]:
    """The ties by which relatives show an e-card, the newest first. What was offered only is not told: whether it
    reached anybody is theirs to say.
    """
    return list(Tie.objects.filter(ecard_id=serial, agreed_at__isnull=False, ended_at=None).order_by("-id")[:PAGE])


def tie_of(holder_id: int, tie_id: int) -> Tie | None:
    """A tie that stands, by which this holder shows a relative's e-card, with e-card and card."""
    found = Tie.objects.select_related("ecard__card").filter(pk=tie_id, holder_id=holder_id, ended_at=None)
    return found.filter(agreed_at__isnull=False).first()


def issuer_keys() -> list[Key]:
    """Every issuer key there was or stands by, newest first."""
    return list(Key.objects.order_by("-id"))


def signing_key(purpose: Purpose) -> Key | None:
    """The issuer key that signs now; None before the first one."""
    return Key.objects.filter(purpose=purpose, sign_from__isnull=False, sign_to=None).first()
