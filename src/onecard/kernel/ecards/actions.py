"""Verbs of e-cards: sign one up, close it, rotate and withdraw the issuer's keys, enrol and revoke phones.

Lock order is the card's: card row, then standing. The holder may sign up, close and enrol for their own card; every
other actor needs ``ecards.<verb>`` in the card's issuing place.
"""

import datetime as dt
import secrets

from django.db import transaction
from django.db.models import QuerySet

from onecard.foundation import clock, crypto, jobs, keys, suite
from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, Conflict, NotFound, NotPermitted
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions as audit
from onecard.kernel.cards.models import Card, Standing
from onecard.kernel.cards.rules import CardState
from onecard.kernel.ecards import refs
from onecard.kernel.ecards.models import Device, Ecard, Key, PaperCode, RefKey, Tie
from onecard.kernel.ecards.queries import token_digest
from onecard_kit.pack import DAYS_OF_CODES
from onecard_kit.refs import KEY_BYTES
from onecard_kit.suites import SEED_BYTES, Purpose, Signer

# A phone fetches up to ten windows of 60 s ahead; one more covers clocks that differ.
CODES_LIFE = dt.timedelta(minutes=11)
# The longest an offline gate may keep a use before it hands it in; items state less.
OFFLINE = dt.timedelta(days=7)
# The longest that a paper code or a card file is good for.
LASTING_LIFE = dt.timedelta(days=3660)
# For how long a key verifies after it signed its last.
VERIFIES_FOR = {Purpose.CODES: CODES_LIFE + OFFLINE, Purpose.LASTING: LASTING_LIFE + OFFLINE}
# Lists are made for so many days; one more, since midnight may come while they are made.
REFS_AHEAD = dt.timedelta(days=DAYS_OF_CODES + 1)
DEVICE_LIFE = dt.timedelta(days=180)
LABEL_MAX = 60


@transaction.atomic
def sign_up(actor: Actor, card_id: int, *, reason: str = "") -> Ecard:
    """Issue the e-card of a card that is active and not past its last day (签发).

    The e-card that is open already is returned as it is; a closed one opens again under its old serial. Raises Conflict
    CARD_NOT_VALID.
    """
    card = locked_card(card_id)
    _require_holder_or(actor, "ecards.sign_up", card)
    ecard = Ecard.objects.select_for_update(no_key=True).filter(card=card).first()
    if ecard is not None and ecard.closed_at is None:
        return ecard
    if card.state != CardState.ACTIVE or card.valid_to < clock.today():
        raise card_not_valid()
    serial = rows("SELECT ecards_open($1::bigint, $2::timestamptz)", card.pk, clock.now())[0][0]
    ecard = Ecard.objects.get(pk=serial)
    record(actor, "sign_up", ecard, card, reason=reason)
    return ecard


@transaction.atomic
def close(actor: Actor, serial: int, *, reason: str = "") -> Ecard:
    """Close an e-card (解约) and revoke its devices and its paper code; its codes are refused from this commit on."""
    ecard, card = locked_ecard(serial)
    _require_holder_or(actor, "ecards.close", card)
    if ecard.closed_at is not None:
        return ecard
    ecard.closed_at = clock.now()
    ecard.save(update_fields=("closed_at",))
    Device.objects.filter(ecard=ecard, revoked_at=None).update(revoked_at=ecard.closed_at)
    PaperCode.objects.filter(ecard=ecard, revoked_at=None).update(revoked_at=ecard.closed_at)
    Standing.objects.filter(pk=card.pk).update(
        ecard_serial=None, codes_from=ecard.closed_at, updated_at=ecard.closed_at
    )
    record(actor, "close", ecard, card, reason=reason)
    return ecard


@transaction.atomic
def enrol_device(actor: Actor, serial: int, label: str) -> str:
    """Enrol a phone for an open e-card and return its token, 43 characters that are shown only now.

    `label` is what the holder calls the phone, at most 60 characters.
    """
    ecard, card = locked_ecard(serial)
    _require_holder_or(actor, "ecards.enrol_device", card)
    return enrol(actor, ecard, card, label)


def enrol(actor: Actor, ecard: Ecard, card: Card, label: str, tie: Tie | None = None) -> str:
    """Enrol a phone for an e-card that is locked, the holder's own or a relative's by a tie; its token."""
    if ecard.closed_at is not None:
        raise ecard_closed()
    if not label.strip() or len(label) > LABEL_MAX:
        raise BadInput("LABEL_MALFORMED", "请填写不超过 60 字的设备名称。", "Name the device in at most 60 characters.")
    token = secrets.token_urlsafe(32)
    now = clock.now()
    device = Device.objects.create(
        ecard=ecard,
        tie=tie,
        token_digest=token_digest(token),
        label=label.strip(),
        created_at=now,
        expires_at=now + DEVICE_LIFE,
    )
    record(actor, "enrol_device", ecard, card, detail={"device": device.pk})
    return token


@transaction.atomic
def revoke_device(actor: Actor, device_id: int) -> Device:
    """Revoke a phone: it fetches no more codes from this commit on, and what the e-card's phones fetched until now is
    refused online; the phones that stay fetch anew.
    """
    serial = Device.objects.filter(pk=device_id).values_list("ecard_id", flat=True).first()
    if serial is None:
        raise NotFound("DEVICE_UNKNOWN", "没有该设备。", "There is no such device.")
    ecard, card = locked_ecard(serial)
    _require_holder_or(actor, "ecards.revoke_device", card)
    revoke(actor, ecard, card, Device.objects.filter(pk=device_id))
    return Device.objects.get(pk=device_id)


@transaction.atomic
def revoke_other_devices(actor: Actor, serial: int, keep_token: str) -> int:
    """Revoke every phone of an e-card but the one with a token, "" for none; how many were revoked."""
    ecard, card = locked_ecard(serial)
    _require_holder_or(actor, "ecards.revoke_device", card)
    others = Device.objects.filter(ecard=ecard).exclude(token_digest=token_digest(keep_token))
    return revoke(actor, ecard, card, others)


@transaction.atomic
def rotate_issuer_key(actor: Actor, purpose: Purpose = Purpose.CODES) -> Key:
    """Let the issuer key that stands by sign from now, and make another that stands by. The one before, of whichever
    suite, stops signing and verifies until all that it signed has run out and every offline gate has handed in what it
    saw. The first time, and where the node's suite changed, the key that signs is made anew.
    """
    actor.require("ecards.rotate_issuer_key")
    _one_at_a_time()
    now = clock.now()
    _signing(purpose).update(sign_to=now, verify_to=now + VERIFIES_FOR[purpose])
    return _let_sign(actor, purpose, now)


@transaction.atomic
def rotate_ref_key(actor: Actor) -> RefKey:
    """Another key for the daily permutation of serials. It is for the days from the first one on for which no gate can
    have a list, so that no code is ever looked up in a list of another permutation. Raises Conflict REF_KEY_WAITS.
    """
    actor.require("ecards.rotate_ref_key")
    _one_at_a_time()
    waits = RefKey.objects.filter(from_day__gt=clock.today()).first()
    if waits is not None:
        raise Conflict(
            "REF_KEY_WAITS",
            f"已有新的编号密钥，将于 {waits.from_day} 启用。",
            f"Another key for refs is there already, from {waits.from_day} on.",
            next_zh="请在该日之后再更换。",
            next_en="Change it again after that day.",
        )
    key_id = rows("SELECT nextval(pg_get_serial_sequence('ecards_ref_key', 'id'))")[0][0]
    key = RefKey.objects.create(
        id=key_id,
        from_day=clock.today() + REFS_AHEAD,
        key_sealed=crypto.seal(keys.load("codes"), secrets.token_bytes(KEY_BYTES), refs.PLACE.format(key_id)),
    )
    detail = {"from_day": key.from_day.isoformat()}
    audit.record(actor, "ecards.rotate_ref_key", f"ref_key:{key.pk}", detail=detail)
    return key


@transaction.atomic
def withdraw_key(actor: Actor, kid: bytes, *, reason: str, approved_by: Actor | None = None) -> Key:
    """Withdraw a compromised key: what it signed is refused at once. If it was signing, the one that stands by signs
    from now; if it stood by, another one does.

    Withdrawing a key of what lasts takes two officers: every paper code and card file under it is void for good. Raises
    NotFound KEY_UNKNOWN, BadInput REASON_MISSING, NotPermitted OFFICER_NEEDED or MAKER_IS_CHECKER.
    """
    actor.require("ecards.withdraw_key")
    if not reason.strip():
        raise BadInput(
            "REASON_MISSING", "请填写原因。", "Give a reason.", next_zh="填写后重试。", next_en="Then try again."
        )
    _one_at_a_time()
    key = Key.objects.select_for_update().filter(kid=kid).first()
    if key is None:
        raise NotFound("KEY_UNKNOWN", "没有该签发密钥。", "There is no such issuer key.")
    if key.withdrawn_at is not None:
        return key
    purpose, stood_by = Purpose(key.purpose), key.sign_from is None
    if purpose is Purpose.LASTING and not stood_by:
        _two_officers(actor, approved_by)
    signed = not stood_by and key.sign_to is None
    key.withdrawn_at = clock.now()
    key.sign_from = key.sign_from or key.withdrawn_at
    key.sign_to = key.sign_to or key.withdrawn_at
    key.verify_to = min(key.verify_to or key.withdrawn_at, key.withdrawn_at)
    key.save(update_fields=("withdrawn_at", "sign_from", "sign_to", "verify_to"))
    second = {"approved_by": approved_by.name} if approved_by is not None else {}
    _record_key(actor, "withdraw_key", key, reason=reason, **second)
    if signed:
        _let_sign(actor, purpose, key.withdrawn_at, reason=reason)
    elif stood_by:
        _new_key(purpose)
    return key


def revoke(actor: Actor, ecard: Ecard, card: Card, devices: "QuerySet[Device]") -> int:
    """Revoke some phones of an e-card that is locked; how many were not yet. Each phone is locked before the time is
    taken: whoever asks for codes meanwhile waits, and comes too late.
    """
    gone = list(devices.select_for_update(no_key=True).filter(revoked_at=None).order_by("id"))
    now = clock.now()
    for device in gone:
        device.revoked_at = now
        device.save(update_fields=("revoked_at",))
        record(actor, "revoke_device", ecard, card, detail={"device": device.pk})
    if gone:
        Standing.objects.filter(pk=card.pk).update(codes_from=now, updated_at=now)
    return len(gone)


def _two_officers(actor: Actor, approver: Actor | None) -> None:
    """The command line by itself is nobody, as where a version is published."""
    if not (actor.is_officer and approver is not None and approver.is_officer):
        raise NotPermitted(
            "OFFICER_NEEDED",
            "吊销长效密钥将使其签发的全部纸质码和卡文件作废，须由两名工作人员办理。",
            "This voids every paper code and card file under the key, so it takes two officers.",
            next_zh="请加 --officer 和 --approver，由两人分别输入密码。",
            next_en="Name both with --officer and --approver; each gives password and code.",
        )
    actor.require_two("ecards.withdraw_key", "", approver)


def _signing(purpose: Purpose) -> "QuerySet[Key]":
    """The key that signs, if there is one."""
    return Key.objects.filter(purpose=purpose, sign_from__isnull=False, sign_to=None)


def _let_sign(actor: Actor, purpose: Purpose, now: dt.datetime, *, reason: str = "") -> Key:
    """The key that stands by signs from now, the status lists at once, and another one stands by. None of another suite
    than the node's does: one that stood by from before the node went over never signs.
    """
    jobs.queue("ecards.sign_lists")
    standing_by = Key.objects.filter(purpose=purpose, sign_from=None)
    standing_by.exclude(suite=suite.of_node().signature.name).update(sign_from=now, sign_to=now, verify_to=now)
    key = standing_by.first() or _new_key(purpose)
    key.sign_from = now
    key.save(update_fields=("sign_from",))
    _record_key(actor, "rotate_issuer_key", key, reason=reason, next=bytes(_new_key(purpose).kid).hex())
    return key


def _new_key(purpose: Purpose) -> Key:
    """A fresh key of the node's suite that stands by; its 32-byte seed is sealed under the keyring "codes" for this
    very row.
    """
    key_id = rows("SELECT nextval(pg_get_serial_sequence('ecards_key', 'id'))")[0][0]
    seed = secrets.token_bytes(SEED_BYTES)
    public = Signer.of(suite.of_node().signature, (key_id % 65_536).to_bytes(2, "big"), seed).public_key
    return Key.objects.create(
        id=key_id,
        kid=public.kid,
        purpose=purpose.value,
        suite=public.suite.name,
        public=public.public,
        private_sealed=crypto.seal(keys.load("codes"), seed, f"ecards_key.private_sealed:{key_id}"),
    )


def _one_at_a_time() -> None:
    """Two rotations at once would retire each other's key; the number is this table's, in a range that is ours."""
    rows("SELECT pg_advisory_xact_lock((21069::bigint << 32) | 'ecards_key'::regclass::oid::bigint)")


def locked_card(card_id: int) -> Card:
    """A card, locked against every other verb. Raises NotFound CARD_UNKNOWN."""
    card = Card.objects.select_for_update(no_key=True).filter(pk=card_id).first()
    if card is None:
        raise NotFound("CARD_UNKNOWN", "没有这张卡。", "There is no such card.")
    return card


def locked_ecard(serial: int) -> tuple[Ecard, Card]:
    """An e-card and its card, the card locked first as every verb does. Raises NotFound ECARD_UNKNOWN."""
    card_id = Ecard.objects.filter(pk=serial).values_list("card_id", flat=True).first()
    if card_id is None:
        raise NotFound("ECARD_UNKNOWN", "没有该电子社保卡。", "There is no such e-card.")
    card = locked_card(card_id)
    return Ecard.objects.select_for_update(no_key=True).get(pk=serial), card


def require_holder(actor: Actor, holder_id: int) -> None:
    """Raise NotPermitted unless the actor is this holder: nobody else has a say."""
    if actor.name != f"holder:{holder_id}":
        raise NotPermitted("NOT_YOURS", "只有本人可以办理。", "Only the holder concerned may do this.")


def _require_holder_or(actor: Actor, permission: str, card: Card) -> None:
    if actor.name != f"holder:{card.holder_id}":
        actor.require(permission, card.issuing_place)


def record(
    actor: Actor, verb: str, ecard: Ecard, card: Card, *, reason: str = "", detail: dict[str, int] | None = None
) -> None:
    """Leave a fact about an e-card."""
    audit.record(
        actor,
        f"ecards.{verb}",
        f"ecard:{ecard.serial}",
        place=card.issuing_place,
        reason=reason,
        detail={"card": card.pk, **(detail or {})},
    )


def _record_key(actor: Actor, verb: str, key: Key, *, reason: str = "", **detail: str) -> None:
    told = {"kid": bytes(key.kid).hex(), "purpose": key.purpose, **detail}
    audit.record(actor, f"ecards.{verb}", f"issuer_key:{key.pk}", reason=reason, detail=told)


def card_not_valid() -> Conflict:
    """The refusal of what takes an active card within its validity."""
    return Conflict(
        "CARD_NOT_VALID",
        "社会保障卡未启用、已停用或已过期，不能签发电子社保卡。",
        "An e-card stands on an active card within its validity; this one is not.",
        next_zh="请先启用卡片，或办理解挂、换卡。",
        next_en="Activate the card first, lift its loss or have it renewed.",
    )


def ecard_closed() -> Conflict:
    """The refusal of what takes an open e-card."""
    return Conflict(
        "ECARD_CLOSED",
        "电子社保卡已解约。",
        "This e-card is closed.",
        next_zh="请重新签发电子社保卡。",
        next_en="Sign up for it again.",
    )
