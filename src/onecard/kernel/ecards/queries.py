"""Reads of e-cards for the faces. The gateway reads by `sql/issuer_keys.sql` and `sql/device.sql`."""

from onecard.foundation import clock, keys, sql
from onecard.foundation.postgres.raw import rows
from onecard.kernel.ecards.models import Device, Ecard, Key
from onecard.kernel.ecards.refs import Refs
from onecard_kit.suites import Purpose

PAGE = 50


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


def devices_of(serial: int, *, before: int | None = None, limit: int = PAGE) -> list[Device]:
    """The phones that may fetch codes of an e-card, newest first; none that is revoked or has run out. `before` is the
    last id of the page above.
    """
    found = Device.objects.filter(ecard_id=serial, revoked_at=None, expires_at__gt=clock.now())
    if before is not None:
        found = found.filter(pk__lt=before)
    return list(found.order_by("-id")[:limit])


def issuer_keys() -> list[Key]:
    """Every issuer key there was or stands by, newest first."""
    return list(Key.objects.order_by("-id"))


def signing_key(purpose: Purpose) -> Key | None:
    """The issuer key that signs now; None before the first one."""
    return Key.objects.filter(purpose=purpose, sign_from__isnull=False, sign_to=None).first()
