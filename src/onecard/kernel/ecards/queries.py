"""Reads of e-cards for the faces. The gateway reads by `sql/issuer_keys.sql` and `sql/device.sql`."""

from onecard.kernel.ecards.models import Device, Ecard, Key


def of_card(card_id: int) -> Ecard | None:
    """The e-card of a card, open or closed; None if it never had one."""
    return Ecard.objects.filter(card_id=card_id).first()


def devices_of(serial: int) -> list[Device]:
    """The phones that may fetch codes of an e-card, newest first; the revoked are left out."""
    return list(Device.objects.filter(ecard_id=serial, revoked_at=None).order_by("-id"))


def issuer_keys() -> list[Key]:
    """Every issuer key there was, newest first."""
    return list(Key.objects.order_by("-id"))
