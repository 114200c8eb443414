"""Verbs of holders. Each is one transaction: lock the holder, decide by `rules`, save, record the fact, queue what
follows.

A verb whose result stands already returns it and leaves no second fact, so repeating a request is safe. Each takes the
permission ``holders.<verb>`` in the place that registered the holder. Facts name ids and fields, never what they held.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.db import IntegrityError, transaction

from onecard.foundation import clock, crypto, jobs, keys
from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, Conflict, NotFound
from onecard.foundation.keys import Keyring
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions as audit
from onecard.kernel.holders import divisions, loading, rules
from onecard.kernel.holders.models import Certificate, Correction, Holder, HolderClass

ADDRESS_CHARACTERS_MAX = 200


REWRITTEN_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Application:
    """What registering a person takes. `place` is the registering place (GB/T 2260); phone and address may be empty."""

    place: str
    number: str
    name: str
    phone: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class _Person:
    """An application after every check (`loading.Personal`)."""

    place: str
    number: str
    name: str
    phone: str
    address: str
    birth_date: dt.date
    sex: int
    synthetic: bool


@transaction.atomic
def register(actor: Actor, application: Application, *, demo: bool = False) -> Holder:
    """Enter a person into the registry, or return them if the same content stands there (登记).

    `demo` accepts invented numbers. Raises BadInput for a fault in the application, Conflict HOLDER_EXISTS if the
    number is registered with other content.
    """
    actor.require("holders.register", application.place)
    person = _read(application, demo=demo)
    ring = keys.load("identity")
    found = _by_number(ring, person.number) or _insert(ring, person)
    if found.is_new:
        _rewrite_classes(found.holder)
        _record(actor, "register", found.holder)
    elif not _holds(ring, found.holder, person):
        raise Conflict(
            "HOLDER_EXISTS",
            "该公民身份号码已登记，且登记的信息与本次不一致。",
            "This identity number is registered with other content.",
            next_zh="请核对证件；如需修改已登记的信息，请办理信息更正。",
            next_en="Compare with the document; to change what is registered, make a correction.",
        )
    return found.holder


@transaction.atomic
def correct(
    actor: Actor, holder_id: int, field: str, value: str, reason: str, *, version: int, demo: bool = False
) -> Holder:
    """Correct name, number, phone or address and keep what stood there, sealed (更正). An empty phone or address
    clears it.

    `version` is the one the caller saw. A correction of the number brings birth date, sex and classes with it. Raises
    BadInput, NotFound, Conflict VERSION_CHANGED or NUMBER_TAKEN.
    """
    holder = _locked(holder_id)
    actor.require("holders.correct", holder.place)
    ring = keys.load("identity")
    before = _opened(ring, holder)
    after = _corrected(before, field, value, demo=demo)
    if after == before:
        return holder
    _same_version(holder, version)
    reason = rules.check_reason(reason, before.name, after.name)
    correction_id = _keep_old(ring, actor, holder, field, getattr(before, field), reason)
    _save(ring, holder, after)
    if _rewrite_classes(holder):
        _classes_changed(holder)
    _record(actor, "correct", holder, reason, {"field": field, "correction": correction_id, "version": holder.version})
    return holder


@transaction.atomic
def grant_certificate(
    actor: Actor,
    holder_id: int,
    kind: str,
    issuer: str,
    valid_from: dt.date,
    valid_to: dt.date | None = None,
    number: str = "",
) -> Certificate:
    """Enter what a department certifies and the classes that follow (证照登记). `valid_to` is its last day.

    Raises BadInput CERTIFICATE_KIND, CERTIFICATE_DAYS or CERTIFICATE_ISSUER, Conflict HOLDER_DECEASED or
    CERTIFICATE_EXISTS.
    """
    rules.check_kind(kind)
    _certificate_form(issuer, valid_from, valid_to)
    holder = _locked(holder_id)
    actor.require("holders.grant_certificate", holder.place)
    ring = keys.load("identity")
    standing = Certificate.objects.filter(
        holder=holder, kind=kind, valid_from=valid_from, withdrawn_at__isnull=True
    ).first()
    if standing is not None:
        return _same_certificate(ring, standing, issuer, valid_to, number)
    _alive(holder)
    certificate = Certificate(
        id=_next_id("holders_certificate"),
        holder=holder,
        kind=kind,
        issuer=issuer,
        valid_from=valid_from,
        valid_to=valid_to,
        granted_at=clock.now(),
    )
    if number:
        certificate.number_sealed = crypto.seal(ring, number.encode(), _certificate_aad(certificate.pk))
    certificate.save(force_insert=True)
    if _rewrite_classes(holder):
        _classes_changed(holder)
    _record(actor, "grant_certificate", holder, "", {"certificate": certificate.pk, "kind": kind})
    return certificate


@transaction.atomic
def withdraw_certificate(actor: Actor, certificate_id: int, reason: str) -> Certificate:
    """Withdraw a certificate: its classes end today; days before stay as they were (证照撤销)."""
    holder = _locked(_holder_of(certificate_id))
    actor.require("holders.withdraw_certificate", holder.place)
    certificate = Certificate.objects.get(pk=certificate_id)
    if certificate.withdrawn_at is not None:
        return certificate
    reason = rules.check_reason(reason, _opened(keys.load("identity"), holder).name)
    certificate.withdrawn_at = clock.now()
    certificate.save(update_fields=["withdrawn_at"])
    if _rewrite_classes(holder):
        _classes_changed(holder)
    detail = {"certificate": certificate.pk, "kind": certificate.kind}
    _record(actor, "withdraw_certificate", holder, reason, detail)
    return certificate


@transaction.atomic
def mark_deceased(actor: Actor, holder_id: int, reason: str) -> Holder:
    """Note that a holder has died (死亡登记).

    The record stays for life's accounts to be closed; the cards follow by a job.
    """
    holder = _locked(holder_id)
    actor.require("holders.mark_deceased", holder.place)
    if holder.life == "deceased":
        return holder
    reason = rules.check_reason(reason, _opened(keys.load("identity"), holder).name)
    _touch(holder, life="deceased")
    _classes_changed(holder)
    _record(actor, "mark_deceased", holder, reason)
    return holder


# --- Registering ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    holder: Holder
    is_new: bool


def _read(application: Application, *, demo: bool) -> _Person:
    if not re.fullmatch(r"[0-9]{6}", application.place):
        raise BadInput(
            "PLACE_FORM",
            "登记地应为6位行政区划代码。",
            "The registering place is a division code of six digits.",
            next_zh="例如南通市为 320600。",
            next_en="Nantong, for example, is 320600.",
        )
    identity = rules.read_number(application.number, clock.today(), divisions.load(), demo=demo)
    return _Person(
        place=application.place,
        number=identity.text,
        name=rules.normalise_name(application.name),
        phone=_phone(application.phone),
        address=_address(application.address),
        birth_date=identity.birth_date,
        sex=identity.sex,
        synthetic=identity.synthetic,
    )


def _by_number(ring: Keyring, number: str) -> _Found | None:
    holder = Holder.objects.filter(number_index=crypto.blind_index(ring, "number", number)).first()
    return _Found(holder, is_new=False) if holder else None


def _insert(ring: Keyring, person: _Person) -> _Found:
    """Insert the person, or meet the one another transaction inserted meanwhile; the id tells who came first."""
    holder_id = _next_id("holders_holder")
    row = dict(zip(loading.HOLDER_COLUMNS, loading.holder_row(ring, holder_id, person), strict=True))
    Holder.objects.bulk_create([Holder(**row)], ignore_conflicts=True)
    holder = Holder.objects.get(number_index=row["number_index"])
    return _Found(holder, is_new=holder.pk == holder_id)


def _holds(ring: Keyring, holder: Holder, person: _Person) -> bool:
    return _opened(ring, holder) == person


def _opened(ring: Keyring, holder: Holder) -> _Person:
    return _Person(
        place=holder.place,
        number=loading.open_field(ring, "number", holder.pk, holder.number_sealed),
        name=loading.open_field(ring, "name", holder.pk, holder.name_sealed),
        phone=loading.open_field(ring, "phone", holder.pk, holder.phone_sealed),
        address=loading.open_field(ring, "address", holder.pk, holder.address_sealed),
        birth_date=holder.birth_date,
        sex=holder.sex,
        synthetic=holder.synthetic,
    )


def _phone(text: str) -> str:
    return rules.normalise_phone(text) if text.strip() else ""


def _address(text: str) -> str:
    address = " ".join(text.split())
    if len(address) > ADDRESS_CHARACTERS_MAX:
        raise BadInput(
            "ADDRESS_LENGTH",
            f"地址不能超过{ADDRESS_CHARACTERS_MAX}个字符。",
            f"An address has at most {ADDRESS_CHARACTERS_MAX} characters.",
            next_zh="请缩短地址。",
            next_en="Shorten it.",
        )
    return address


# --- Correcting -----------------------------------------------------------------------------------------------------

# What may be corrected and how its text is read; a number is read by `rules.read_number`, which takes a day.
CORRECTABLE: dict[str, Callable[[str], str]] = {
    "name": rules.normalise_name,
    "number": rules.normalise_number,
    "phone": _phone,
    "address": _address,
}


def _corrected(person: _Person, field: str, value: str, *, demo: bool) -> _Person:
    """The person with one field replaced. Only that field is checked: what was accepted once is not judged anew."""
    if field not in CORRECTABLE:
        raise BadInput(
            "FIELD_NOT_CORRECTABLE",
            f"“{field}”不能更正。",
            f"The field {field} cannot be corrected.",
            next_zh="可更正：姓名、公民身份号码、手机号码、地址。",
            next_en="Choose one of " + ", ".join(CORRECTABLE) + ".",
        )
    if field == "number":
        identity = rules.read_number(value, clock.today(), divisions.load(), demo=demo)
        return replace(
            person,
            number=identity.text,
            birth_date=identity.birth_date,
            sex=identity.sex,
            synthetic=identity.synthetic,
        )
    changed: dict[str, Any] = {field: CORRECTABLE[field](value)}
    return replace(person, **changed)


def _same_version(holder: Holder, version: int) -> None:
    if holder.version != version:
        raise Conflict(
            "VERSION_CHANGED",
            "您查看之后，该持卡人的信息已被他人修改。",
            "Somebody changed this holder after you looked.",
            next_zh="请刷新后核对，再重新提交。",
            next_en="Reload, compare and submit again.",
        )


def _keep_old(ring: Keyring, actor: Actor, holder: Holder, field: str, old: str, reason: str) -> int:
    correction_id = _next_id("holders_correction")
    sealed = crypto.seal(ring, old.encode(), f"holders_correction.old:{correction_id}")
    Correction(
        id=correction_id, holder=holder, field=field, old_sealed=sealed, at=clock.now(), actor=actor.name, reason=reason
    ).save(force_insert=True)
    return correction_id


def _save(ring: Keyring, holder: Holder, person: _Person) -> None:
    row = dict(zip(loading.HOLDER_COLUMNS, loading.holder_row(ring, holder.pk, person, holder.life), strict=True))
    del row["id"]
    try:
        with transaction.atomic():
            _touch(holder, **row)
    except IntegrityError:
        raise Conflict(
            "NUMBER_TAKEN",
            "该公民身份号码已登记在另一位持卡人名下。",
            "This identity number is registered for another holder.",
            next_zh="请核对证件；如确属同一人，请办理重复登记合并。",
            next_en="Compare with the document; if both are one person, have the records merged.",
        ) from None


# --- Certificates and classes -----------------------------------------------------------------------------------------


def _certificate_form(issuer: str, valid_from: dt.date, valid_to: dt.date | None) -> None:
    if not issuer.strip():
        raise BadInput(
            "CERTIFICATE_ISSUER",
            "缺少发证机关。",
            "The issuing department is missing.",
            next_zh="请填写发证机关名称。",
            next_en="Name the department that issued it.",
        )
    if valid_to is not None and valid_to < valid_from:
        raise BadInput(
            "CERTIFICATE_DAYS",
            "证照的有效期止早于有效期起。",
            "The certificate ends before it begins.",
            next_zh="请核对有效期。",
            next_en="Check its days.",
        )


def _same_certificate(
    ring: Keyring, standing: Certificate, issuer: str, valid_to: dt.date | None, number: str
) -> Certificate:
    sealed = standing.number_sealed
    held = "" if sealed is None else crypto.open_sealed(ring, sealed, _certificate_aad(standing.pk)).decode()
    if (standing.issuer, standing.valid_to, held) != (issuer, valid_to, number):
        raise Conflict(
            "CERTIFICATE_EXISTS",
            "同一证照已登记，且内容与本次不一致。",
            "This certificate is registered with other content.",
            next_zh="请先撤销原登记，再重新登记。",
            next_en="Withdraw the one registered, then enter this one.",
        )
    return standing


def _certificate_aad(certificate_id: int) -> str:
    return f"holders_certificate.number:{certificate_id}"


def _holder_of(certificate_id: int) -> int:
    found = Certificate.objects.filter(pk=certificate_id).values_list("holder_id", flat=True).first()
    if found is None:
        raise NotFound(
            "CERTIFICATE_UNKNOWN",
            "没有这份证照。",
            "There is no such certificate.",
            next_zh="请刷新后重试。",
            next_en="Reload and try again.",
        )
    return found


def _rewrite_classes(holder: Holder) -> bool:
    """Bring the derived class rows to what birth date and certificates say; whether any row changed."""
    wanted = dict(_wanted_classes(holder))
    standing = {(row.code, row.from_day, row.source): row for row in HolderClass.objects.filter(holder=holder)}
    stale = [row.pk for key, row in standing.items() if key not in wanted or row.to_day != wanted[key]]
    missing = [key for key in wanted if key not in standing or standing[key].pk in stale]
    if stale:
        HolderClass.objects.filter(pk__in=stale).delete()
    HolderClass.objects.bulk_create(
        HolderClass(holder=holder, code=code, from_day=from_day, to_day=wanted[code, from_day, source], source=source)
        for code, from_day, source in missing
    )
    return bool(stale or missing)


def _wanted_classes(holder: Holder) -> Iterable[tuple[tuple[str, dt.date, str], dt.date | None]]:
    for window in rules.windows_of_birth(holder.birth_date):
        yield (window.code, window.from_day, "birth"), window.to_day
    for each in Certificate.objects.filter(holder=holder):
        withdrawn_on = clock.day_of(each.withdrawn_at) if each.withdrawn_at else None
        for window in rules.windows_of_certificate(each.kind, each.valid_from, each.valid_to, withdrawn_on):
            yield (window.code, window.from_day, f"certificate:{each.pk}"), window.to_day


@transaction.atomic
def rewrite_classes(after_id: int, limit: int = REWRITTEN_AT_ONCE) -> int:
    """Bring the classes of the next `limit` holders after an id to what birth date and certificates say; how many
    differed. Birthdays need no run of it: a class is written with all its days to come. A changed rule does.

    Queues the batch after it, so that the walk over millions can be killed and goes on.
    """
    batch = list(Holder.objects.select_for_update().filter(pk__gt=after_id).order_by("pk")[:limit])
    differed = [holder for holder in batch if _rewrite_classes(holder)]
    for holder in differed:
        _classes_changed(holder)
    if len(batch) == limit:
        jobs.queue("holders.rewrite_classes", after_id=batch[-1].pk)
    return len(differed)


def _classes_changed(holder: Holder) -> None:
    """Cards know holders and not the reverse: the standing rows follow by a job that commits with this change."""
    jobs.queue("cards.refresh_standing", holder_id=holder.pk)


# --- Shared -----------------------------------------------------------------------------------------------------------


def _locked(holder_id: int) -> Holder:
    holder = Holder.objects.select_for_update().filter(pk=holder_id).first()
    if holder is None:
        raise NotFound(
            "HOLDER_UNKNOWN",
            "没有这位持卡人。",
            "There is no such holder.",
            next_zh="请重新查询。",
            next_en="Search again.",
        )
    return holder


def _alive(holder: Holder) -> None:
    if holder.life == "deceased":
        raise Conflict(
            "HOLDER_DECEASED",
            "该持卡人已登记死亡。",
            "This holder is registered as deceased.",
            next_zh="如登记有误，请先更正生存状态。",
            next_en="If that is wrong, have the life status corrected first.",
        )


def _touch(holder: Holder, **changes: Any) -> None:
    for name, value in changes.items():
        setattr(holder, name, value)
    holder.version += 1
    holder.updated_at = clock.now()
    holder.save(update_fields=[*changes, "version", "updated_at"])


def _next_id(table: str) -> int:
    """Draw an id before the insert, because what is sealed is bound to it."""
    found: int = rows("SELECT nextval(pg_get_serial_sequence($1, 'id'))", table)[0][0]
    return found


def _record(actor: Actor, verb: str, holder: Holder, reason: str = "", detail: dict[str, Any] | None = None) -> None:
    audit.record(actor, f"holders.{verb}", f"holder:{holder.pk}", place=holder.place, reason=reason, detail=detail)
