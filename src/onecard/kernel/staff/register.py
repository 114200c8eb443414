"""Reads of the register of officers: a page of them, one, and who may grant roles."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, Q

from onecard.foundation import clock
from onecard.foundation.errors import NotFound
from onecard.foundation.places import within
from onecard.kernel.signins.models import Invitation, StaffSession
from onecard.kernel.staff.models import Assignment, Officer
from onecard.kernel.staff.queries import in_force

PAGE = 50


class Wanted(NamedTuple):
    """Which officers to list. `text`: part of a name, user name or department; `state`: serving, suspended or ''."""

    text: str = ""
    state: str = ""
    role: str = ""


@dataclass(frozen=True)
class Listed:
    """An officer as the register shows them.

    `held`: assignments in force and lapsed ones; `has_factor`: a second factor is set up; `invited_until`: when the
    open invitation lapses; `signed_in_at`: the last sign-in, None before the first.
    """

    officer: Officer
    username: str
    held: tuple[Assignment, ...]
    has_factor: bool
    invited_until: dt.datetime | None
    signed_in_at: dt.datetime | None


def page(places: Sequence[str], wanted: Wanted, *, after: int = 0, limit: int = PAGE) -> list[Listed]:
    """Officers who act in some places, and those who act nowhere yet, in the order of their ids; `after` is the last id
    of the page before.
    """
    found = Officer.objects.filter(_acting(places), pk__gt=after).select_related("user").order_by("pk")
    if wanted.text:
        text = wanted.text
        found = found.filter(
            Q(display_name__icontains=text) | Q(department__icontains=text) | Q(user__username__icontains=text)
        )
    if wanted.state:
        found = found.filter(is_active=wanted.state == "serving")
    if wanted.role:
        found = found.filter(pk__in=in_force().filter(role__code=wanted.role).values("officer_id"))
    return _listed(list(found[:limit]))


def one(places: Sequence[str], officer_id: int) -> Listed:
    """One officer, as `page` has them. Raises NotFound OFFICER_UNKNOWN."""
    found = list(Officer.objects.filter(_acting(places), pk=officer_id).select_related("user"))
    if not found:
        raise NotFound("OFFICER_UNKNOWN", "没有这位工作人员。", "There is no such officer.")
    return _listed(found)[0]


def _acting(places: Sequence[str]) -> Q:
    """Officers with a role within some places or around them, or with none at all."""
    if "" in places:
        return Q()
    around = {place[:digits] for place in places for digits in range(len(place))}
    here = Q(place__in=around) | within("place", places)
    held = Assignment.objects.filter(officer=OuterRef("pk"))
    return Q(Exists(held.filter(here))) | ~Q(Exists(held))


def sessions_of(officer: Officer) -> int:
    """How many sessions of an officer are open."""
    return StaffSession.objects.filter(user_id=officer.user_id, expire_date__gt=clock.now()).count()


def who_may(permission: str, limit: int = 3) -> list[Officer]:
    """Serving officers who hold a permission somewhere, those with the widest scope first."""
    found = in_force().filter(role__permissions__contains=[permission], officer__is_active=True)
    officers: dict[int, Officer] = {}
    for each in found.select_related("officer__user").order_by("place", "officer_id")[: 10 * limit]:
        officers.setdefault(each.officer_id, each.officer)
    return list(officers.values())[:limit]


def by_name(username: str) -> Officer | None:
    """The officer who signs in by a name."""
    return Officer.objects.filter(user__username=username).first()


def _listed(officers: Sequence[Officer]) -> list[Listed]:
    users = [officer.user_id for officer in officers]
    held = _held(officer.pk for officer in officers)
    factors = set(Authenticator.objects.filter(user_id__in=users).values_list("user_id", flat=True))
    open_ones = Invitation.objects.filter(user_id__in=users, expires_at__gt=clock.now())
    invited = dict(open_ones.values_list("user_id", "expires_at"))
    return [
        Listed(
            officer=officer,
            username=officer.user.username,
            held=tuple(held[officer.pk]),
            has_factor=officer.user_id in factors,
            invited_until=invited.get(officer.user_id),
            signed_in_at=officer.user.last_login,
        )
        for officer in officers
    ]


def _held(officer_ids: Iterable[int]) -> dict[int, list[Assignment]]:
    held = defaultdict[int, list[Assignment]](list)
    found = Assignment.objects.filter(officer_id__in=list(officer_ids)).select_related("role")
    for each in found.order_by("role__code", "place"):
        held[each.officer_id].append(each)
    return held
