"""Verbs of what lasts for years: paper codes (纸质码) for who has no phone, and card files (卡文件), which physical
cards carry for gates without a line. Both are signed under a key of their own purpose.

Lock order is the card's: card row, then standing. Whoever revokes a paper code locks the standing, as the gateway does
when one is shown: it is refused from the commit on.
"""

import datetime as dt
import os

from django.db import transaction

from onecard.foundation import clock, crypto, keys, suite
from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, NotFound, Unavailable
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions as audit
from onecard.kernel.cards.actions import refuse
from onecard.kernel.cards.models import Card, Standing
from onecard.kernel.cards.rules import CANCELLED, GONE, CardState, FunctionState
from onecard.kernel.ecards import queries
from onecard.kernel.ecards.actions import (
    LASTING_LIFE,
    card_not_valid,
    ecard_closed,
    locked_card,
    locked_ecard,
)
from onecard.kernel.ecards.models import CardFile, PaperCode
from onecard_kit import card_file, codes
from onecard_kit.classes import BY_CODE, numbers_of
from onecard_kit.suites import Purpose, Signer
from onecard_kit.terms import Function

PAPER_DAYS = 366
"""How long a paper code is good for, unless the clerk says less; never past the card's last day."""


@transaction.atomic
def issue_paper_code(actor: Actor, serial: int, *, days: int = PAPER_DAYS, reason: str = "") -> str:
    """Issue a paper code of an e-card and return its text, which is kept nowhere; the one before is revoked with it.

    It holds from this moment for `days`. Whoever shows it is compared with the card's photo, and it never pays. Raises
    Conflict ECARD_CLOSED or CARD_NOT_VALID, BadInput DAYS_INVALID, Unavailable NO_LASTING_KEY.
    """
    ecard, card = locked_ecard(serial)
    actor.require("ecards.issue_paper_code", card.issuing_place)
    if not 1 <= days <= PAPER_DAYS:
        raise BadInput(
            "DAYS_INVALID", f"请填写1至{PAPER_DAYS}天。", f"A paper code is good for 1 to {PAPER_DAYS} days."
        )
    if ecard.closed_at is not None:
        raise ecard_closed()
    if card.state != CardState.ACTIVE or card.valid_to < clock.today():
        raise card_not_valid()
    for before in PaperCode.objects.select_for_update(no_key=True).filter(ecard=ecard, revoked_at=None):
        _revoke(actor, before, card, reason="superseded")
    signer, now = _signer(), clock.now()
    paper = PaperCode.objects.create(
        serial=rows("SELECT nextval('ecards_paper_serial_seq')")[0][0],
        ecard=ecard,
        kid=signer.kid,
        issued_at=now,
        expires_at=min(now + dt.timedelta(days=days), _end_of(card)),
    )
    claims = codes.Claims(
        issuer=card.issuing_place,
        kid=signer.kid,
        ref=paper.serial,
        via=codes.Via.PAPER,
        not_before=int(now.timestamp()),
        expires=int(paper.expires_at.timestamp()),
        nonce=os.urandom(codes.NONCE_BYTES),
        classes=_classes(card)[: codes.CLASSES_IN_CODE_MAX],
    )
    _record(actor, "issue_paper_code", paper, card, reason=reason, ecard=ecard.serial)
    return codes.encode(claims, signer)


@transaction.atomic
def revoke_paper_code(actor: Actor, serial: int, *, reason: str) -> PaperCode:
    """Revoke one paper code by its own serial: refused online from this commit on, by gates without a line from the
    next list on. One that is revoked already is returned as it is. Raises NotFound PAPER_CODE_UNKNOWN.
    """
    ecard_serial = PaperCode.objects.filter(pk=serial).values_list("ecard_id", flat=True).first()
    if ecard_serial is None:
        raise NotFound("PAPER_CODE_UNKNOWN", "没有该纸质码。", "There is no such paper code.")
    _, card = locked_ecard(ecard_serial)
    actor.require("ecards.revoke_paper_code", card.issuing_place)
    paper = PaperCode.objects.select_for_update(no_key=True).get(pk=serial)
    if paper.revoked_at is None:
        _revoke(actor, paper, card, reason)
    return paper


@transaction.atomic
def write_card_file(actor: Actor, card_id: int) -> str:
    """Sign the file of a card as the register has it now, for the chip that the caller has before them: when the card
    is made, activated or renewed, and when its functions changed. The text is ASCII and kept nowhere.

    It holds to the end of the card's last day. Raises Conflict CARD_CANCELLED, Unavailable NO_LASTING_KEY.
    """
    card = locked_card(card_id)
    actor.require("ecards.write_card_file", card.issuing_place)
    if card.state in GONE:
        raise refuse(CANCELLED)
    if card.valid_to < clock.today():
        raise card_not_valid()
    signer, now = _signer(), clock.now()
    written = CardFile.objects.update_or_create(
        card=card,
        defaults={"kid": signer.kid, "written_at": now, "expires_at": min(_end_of(card), now + LASTING_LIFE)},
    )[0]
    said = card_file.CardFile(
        issuer=card.issuing_place,
        number=card.number,
        serial=card.pk,
        generation=card.generation,
        functions=_active_functions(card),
        classes=_classes(card),
        issued=int(now.timestamp()),
        expires=int(written.expires_at.timestamp()),
    )
    detail = {"kid": signer.kid.hex(), "functions": list(said.functions)}
    audit.record(actor, "ecards.write_card_file", f"card:{card.pk}", place=card.issuing_place, detail=detail)
    return card_file.write(said, signer)


def _revoke(actor: Actor, paper: PaperCode, card: Card, reason: str) -> None:
    Standing.objects.select_for_update(no_key=True).filter(pk=card.pk).first()
    paper.revoked_at = clock.now()
    paper.save(update_fields=("revoked_at",))
    _record(actor, "revoke_paper_code", paper, card, reason=reason)


def _signer() -> Signer:
    """The key that signs what lasts."""
    key = queries.signing_key(Purpose.LASTING)
    if key is None:
        raise Unavailable(
            "NO_LASTING_KEY",
            "尚无签发纸质码和卡文件的密钥。",
            "There is no key to sign paper codes and card files with.",
            next_zh="请管理员运行 onecard keys rotate-issuer --purpose lasting。",
            next_en="The administrator runs: onecard keys rotate-issuer --purpose lasting",
        )
    seed = crypto.open_sealed(keys.load("codes"), bytes(key.private_sealed), f"ecards_key.private_sealed:{key.pk}")
    return Signer.of(suite.signature_suite(key.suite), bytes(key.kid), seed, Purpose.LASTING)


def _end_of(card: Card) -> dt.datetime:
    """The end of a card's last valid day."""
    return dt.datetime.combine(card.valid_to + dt.timedelta(days=1), dt.time(), clock.CHINA)


def _classes(card: Card) -> tuple[int, ...]:
    """The numbers of the classes that the holder has today: never with their days, which would tell a birthday."""
    today = clock.today().isoformat()
    held = Standing.objects.get(pk=card.pk).classes
    now = (code for code, start, end in held if start <= today and (end is None or today < end) and code in BY_CODE)
    return tuple(numbers_of(now))


def _active_functions(card: Card) -> tuple[Function, ...]:
    active = set(card.functions.filter(state=FunctionState.ACTIVE.value).values_list("function", flat=True))
    return tuple(function for function in Function if function in active)


def _record(actor: Actor, verb: str, paper: PaperCode, card: Card, *, reason: str, **detail: int) -> None:
    audit.record(
        actor,
        f"ecards.{verb}",
        f"paper_code:{paper.pk}",
        place=card.issuing_place,
        reason=reason,
        detail={"card": card.pk, **detail},
    )
