"""Verbs of ties: a relative shows an e-card on their own phone (亲情码), by consent of both.

The holder of the e-card offers, the relative agrees, either ends it; nobody else takes part. Each step leaves a fact
about the e-card. A code that is fetched by a tie says so (`via`), and an item may refuse it or ask for a look.
"""

from django.db import transaction

from onecard.foundation import clock
from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, Conflict, NotFound
from onecard.kernel.cards.models import Card
from onecard.kernel.ecards import actions
from onecard.kernel.ecards.models import KINDS, Device, Ecard, Tie
from onecard.kernel.ecards.queries import OFFER_LIFE
from onecard.kernel.holders import queries as holders

TIES_MAX = 8
"""How many relatives may show one e-card, and how many e-cards one relative may show (a rule of the city)."""


@transaction.atomic
def offer(actor: Actor, serial: int, number: str, kind: str) -> None:
    """Offer a relative, by their social-security number, to show my e-card; `kind` is what I am to them.

    Whether anybody has the number is not told: an offer to nobody looks like any other. One that is open already stays
    as it is, and one that lapsed is made anew. Raises BadInput TIE_KIND_UNKNOWN or OWN_NUMBER, Conflict ECARD_CLOSED.
    """
    ecard, card = actions.locked_ecard(serial)
    actions.require_holder(actor, card.holder_id)
    if kind not in KINDS:
        raise BadInput("TIE_KIND_UNKNOWN", "请选择关系。", "Choose what you are to them.")
    if ecard.closed_at is not None:
        raise actions.ecard_closed()
    relative = holders.id_of_number(number)
    if relative == card.holder_id:
        raise BadInput("OWN_NUMBER", "这是您自己的号码。", "This is your own number.")
    if relative is None:
        return
    _lapse(ecard, relative)
    if not Tie.objects.filter(ecard=ecard, holder_id=relative, ended_at=None).exists():
        tie = Tie.objects.create(ecard=ecard, holder_id=relative, kind=kind, offered_at=clock.now())
        actions.record(actor, "offer_tie", ecard, card, detail={"tie": tie.pk})


@transaction.atomic
def agree(actor: Actor, tie_id: int) -> Tie:
    """Agree to show a relative's e-card. Raises NotFound TIE_UNKNOWN, Conflict TIES_FULL."""
    tie, ecard, card = _locked(actor, tie_id)
    if tie.agreed_at is not None:
        return tie
    agreed = Tie.objects.filter(agreed_at__isnull=False, ended_at=None)
    if max(agreed.filter(ecard=ecard).count(), agreed.filter(holder_id=tie.holder_id).count()) >= TIES_MAX:
        raise Conflict(
            "TIES_FULL",
            f"每张电子社保卡最多由 {TIES_MAX} 位亲属出示，每人最多为 {TIES_MAX} 位亲属出示。",
            f"At most {TIES_MAX} relatives may show one e-card, and each may show {TIES_MAX}.",
            next_zh="请先解除一个绑定。",
            next_en="End another one first.",
        )
    tie.agreed_at = clock.now()
    tie.save(update_fields=("agreed_at",))
    actions.record(actor, "agree_tie", ecard, card, detail={"tie": tie.pk})
    return tie


@transaction.atomic
def end(actor: Actor, tie_id: int) -> Tie:
    """End a tie, or turn its offer down: either of the two does. The relative's phones fetch no code from this commit
    on, and what they fetched is refused online. Raises NotFound TIE_UNKNOWN.
    """
    tie, ecard, card = _locked(actor, tie_id, either=True)
    tie.ended_at = clock.now()
    tie.save(update_fields=("ended_at",))
    actions.record(actor, "end_tie", ecard, card, detail={"tie": tie.pk})
    actions.revoke(actor, ecard, card, Device.objects.filter(tie=tie))
    return tie


@transaction.atomic
def withdraw_offers(actor: Actor, serial: int) -> None:
    """Take back what I offered and nobody took up yet, as where a number was mistyped. Whether anything was open is not
    told: it would say whose number it was.
    """
    ecard, card = actions.locked_ecard(serial)
    actions.require_holder(actor, card.holder_id)
    _lapse(ecard)
    for tie in Tie.objects.select_for_update(no_key=True).filter(ecard=ecard, agreed_at=None, ended_at=None):
        tie.ended_at = clock.now()
        tie.save(update_fields=("ended_at",))
        actions.record(actor, "end_tie", ecard, card, detail={"tie": tie.pk})


@transaction.atomic
def enrol_phone(actor: Actor, tie_id: int, label: str) -> str:
    """Enrol the relative's phone for the e-card of a tie that stands, and return its token, shown only now. Raises
    NotFound TIE_UNKNOWN, Conflict TIE_NOT_AGREED or ECARD_CLOSED.
    """
    tie, ecard, card = _locked(actor, tie_id)
    if tie.agreed_at is None:
        raise Conflict("TIE_NOT_AGREED", "请先同意这个邀请。", "Agree to the offer first.")
    return actions.enrol(actor, ecard, card, label, tie)


def _locked(actor: Actor, tie_id: int, *, either: bool = False) -> tuple[Tie, Ecard, Card]:
    """A tie that is open, with its e-card and card, the card locked first as every verb does. It is there for the
    relative, and for the holder of the e-card where `either` may act; for anybody else there is none.
    """
    serial = Tie.objects.filter(pk=tie_id).values_list("ecard_id", flat=True).first()
    if serial is None:
        raise unknown()
    ecard, card = actions.locked_ecard(serial)
    _lapse(ecard)
    tie = Tie.objects.select_for_update(no_key=True).filter(pk=tie_id, ended_at=None).first()
    if tie is None or actor.name not in {f"holder:{tie.holder_id}", *([f"holder:{card.holder_id}"] if either else [])}:
        raise unknown()
    return tie, ecard, card


def _lapse(ecard: Ecard, holder_id: int | None = None) -> None:
    """Offers that nobody took up in time are over."""
    old = Tie.objects.filter(ecard=ecard, agreed_at=None, ended_at=None, offered_at__lt=clock.now() - OFFER_LIFE)
    (old if holder_id is None else old.filter(holder_id=holder_id)).update(ended_at=clock.now())


def unknown() -> NotFound:
    """The refusal of a tie that is not there, or is somebody else's."""
    return NotFound(
        "TIE_UNKNOWN",
        "没有这个亲情绑定，或已解除。",
        "There is no such tie, or it was ended.",
        next_zh="请从“为家人亮码”进入。",
        next_en="Start from “Show a relative's code”.",
    )
