"""Reads of holders: exact searches through blind indexes, masked lines, and unmasking with a reason.

A line costs no query of its own. Pages follow the id downwards (newest first), so the last page of a million is as fast
as the first. An actor sees the holders of their places; the rest do not exist for them.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from onecard.foundation import keys
from onecard.foundation.actors import Actor
from onecard.foundation.crypto import blind_index
from onecard.foundation.errors import BadInput, NotFound, NotPermitted
from onecard.foundation.keys import Keyring
from onecard.foundation.places import within
from onecard.kernel.audit import actions as audit
from onecard.kernel.holders import loading, rules
from onecard.kernel.holders.models import Certificate, Holder, HolderClass

PAGE_MAX = 100
PERSONAL_FIELDS = ("name", "number", "phone", "address", "birth_date")


@dataclass(frozen=True, slots=True)
class Line:
    """A holder as lists show them: masked."""

    id: int
    place: str
    name: str
    number: str
    phone: str
    life: str
    synthetic: bool
    version: int


@dataclass(frozen=True, slots=True)
class Page:
    """Lines, newest first; `after_id` asks for the next page, None if this is the last."""

    lines: list[Line]
    after_id: int | None


def by_number(actor: Actor, number: str) -> Line | None:
    """The holder of an exact identity number, or None. The number's own faults are not told: a search is no oracle."""
    return _one(actor, number_index=_index("number", rules.normalise_number(number)))


def id_of_number(number: str) -> int | None:
    """The living holder of an exact identity number, for whoever proves in another way that they are the one."""
    index = _index("number", rules.normalise_number(number))
    return Holder.objects.filter(number_index=index, life="alive").values_list("pk", flat=True).first()


def is_alive(holder_id: int) -> bool:
    """Whether a holder is living, for whoever proves in another way that they are the one."""
    return Holder.objects.filter(pk=holder_id, life="alive").exists()


def phone_of(holder_id: int) -> str | None:
    """A living holder's registered phone in plain, to send something to; None if there is none."""
    holder = Holder.objects.filter(pk=holder_id, life="alive", phone_sealed__isnull=False).first()
    return _plain(keys.load("identity"), holder, "phone") if holder else None


def by_id(actor: Actor, holder_id: int) -> Line | None:
    """The holder of an id, or None."""
    return _one(actor, pk=holder_id)


def by_name(actor: Actor, name: str, *, after_id: int | None = None, limit: int = 20) -> Page:
    """Holders of exactly this name. Raises BadInput NAME_FORM."""
    return _page(actor, after_id, limit, name_index=_index("name", rules.normalise_name(name)))


def by_initials(actor: Actor, initials: str, birth_year: int, *, after_id: int | None = None, limit: int = 20) -> Page:
    """Holders by pinyin initials and birth year, e.g. ``("zxm", 1950)``."""
    return _page(actor, after_id, limit, initials_index=_index("initials", f"{initials.strip().upper()}{birth_year}"))


def by_phone(actor: Actor, phone: str, *, after_id: int | None = None, limit: int = 20) -> Page:
    """Holders who left this phone: families share one. Raises BadInput PHONE_FORM."""
    return _page(actor, after_id, limit, phone_index=_index("phone", rules.normalise_phone(phone)))


def newest(actor: Actor, *, after_id: int | None = None, limit: int = 20) -> Page:
    """All holders the actor may see, newest first."""
    return _page(actor, after_id, limit)


def certificates(holder_id: int) -> list[Certificate]:
    """A holder's certificates, newest first, withdrawn ones included."""
    return list(Certificate.objects.filter(holder_id=holder_id).order_by("-id"))


def classes_on(holder_id: int, day: dt.date) -> list[str]:
    """The class codes of a holder on a day, each once, by name."""
    found = HolderClass.objects.filter(holder_id=holder_id, from_day__lte=day)
    return sorted(set(found.filter(Q(to_day__isnull=True) | Q(to_day__gt=day)).values_list("code", flat=True)))


@transaction.atomic
def reveal(actor: Actor, holder_id: int, fields: Sequence[str], reason: str) -> dict[str, str]:
    """Unmask fields of a holder and leave a fact about it that the holder can see.

    Takes the permission ``holders.reveal`` in the holder's place; a holder unmasks their own without. Raises BadInput
    REASON_MISSING or FIELD_UNKNOWN, NotFound HOLDER_UNKNOWN.
    """
    if not fields or set(fields) - set(PERSONAL_FIELDS):
        raise BadInput(
            "FIELD_UNKNOWN",
            "没有这样的字段。",
            "There is no such field.",
            next_zh="可选：" + "、".join(PERSONAL_FIELDS),
            next_en="Choose from " + ", ".join(PERSONAL_FIELDS) + ".",
        )
    holder = _visible(actor, holder_id)
    ring = keys.load("identity")
    shown = {field: _plain(ring, holder, field) for field in fields}
    reason = rules.check_reason(reason, _plain(ring, holder, "name"))
    audit.record(
        actor,
        "holders.reveal",
        f"holder:{holder.pk}",
        place=holder.place,
        reason=reason,
        detail={"fields": sorted(fields), **actor.signed},
    )
    return shown


def _visible(actor: Actor, holder_id: int) -> Holder:
    holder = Holder.objects.filter(pk=holder_id).first()
    if holder is None:
        raise NotFound(
            "HOLDER_UNKNOWN",
            "没有这位持卡人。",
            "There is no such holder.",
            next_zh="请重新查询。",
            next_en="Search again.",
        )
    if actor.name != f"holder:{holder_id}":
        actor.require("holders.reveal", holder.place)
    return holder


def _plain(ring: Keyring, holder: Holder, field: str) -> str:
    if field == "birth_date":
        return holder.birth_date.isoformat()
    return loading.open_field(ring, field, holder.pk, getattr(holder, f"{field}_sealed"))


def _index(field: str, value: str) -> bytes:
    return blind_index(keys.load("identity"), field, value)


def _one(actor: Actor, **exact: Any) -> Line | None:
    holder = _scoped(actor).filter(**exact).first()
    return _line(keys.load("identity"), holder) if holder else None


def _page(actor: Actor, after_id: int | None, limit: int, **exact: Any) -> Page:
    limit = max(1, min(limit, PAGE_MAX))
    found = _scoped(actor).filter(**exact)
    if after_id is not None:
        found = found.filter(pk__lt=after_id)
    holders = list(found.order_by("-pk")[: limit + 1])  # one more than shown tells whether another page follows
    ring = keys.load("identity")
    lines = [_line(ring, holder) for holder in holders[:limit]]
    return Page(lines, lines[-1].id if len(holders) > limit else None)


def _scoped(actor: Actor) -> QuerySet[Holder]:
    """The holders an actor may read: permission ``holders.read``, registered in their places."""
    if not actor.places:
        raise NotPermitted("OUT_OF_SCOPE", "您没有管辖范围。", "You have no scope.")
    actor.require("holders.read", actor.places[0])
    return _in_places(actor.places)


def _in_places(places: Sequence[str]) -> QuerySet[Holder]:
    return Holder.objects.filter(within("place", places))


def _line(ring: Keyring, holder: Holder) -> Line:
    return Line(
        id=holder.pk,
        place=holder.place,
        name=rules.mask_name(loading.open_field(ring, "name", holder.pk, holder.name_sealed)),
        number=rules.mask_number(loading.open_field(ring, "number", holder.pk, holder.number_sealed)),
        phone=rules.mask_phone(loading.open_field(ring, "phone", holder.pk, holder.phone_sealed)),
        life=holder.life,
        synthetic=holder.synthetic,
        version=holder.version,
    )
