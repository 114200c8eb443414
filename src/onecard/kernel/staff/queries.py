"""Reads of the staff: who somebody is, and what they may do where."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from onecard.foundation import clock
from onecard.foundation.actors import Actor
from onecard.foundation.errors import NotPermitted
from onecard.kernel.signins.models import User
from onecard.kernel.staff.models import Assignment, Officer


@dataclass(frozen=True)
class Scope:
    """What one assignment brings: a role's permissions in the places that begin with `place`."""

    role: str
    name_zh: str
    name_en: str
    place: str
    permissions: frozenset[str]
    until: dt.date | None = None


@dataclass(frozen=True)
class StaffActor(Actor):
    """An officer. Permissions are bound to the places of their own assignment, so the flat sets are only a summary."""

    scopes: tuple[Scope, ...] = ()

    def holds(self, permission: str) -> bool:
        """Whether the officer has a permission anywhere: what decides if a page is offered at all."""
        return permission in self.permissions

    def places_of(self, permission: str) -> tuple[str, ...]:
        """The prefixes in which a permission reaches."""
        return tuple(sorted({scope.place for scope in self.scopes if permission in scope.permissions}))

    def only(self, permission: str) -> Actor:
        """The same officer with one permission and the places it reaches, for reads that filter by place."""
        return Actor(self.name, self.permissions & {permission}, self.places_of(permission), self.office)

    def reaches(self, permission: str, place: str) -> bool:
        """Whether a permission reaches a place."""
        return any(place.startswith(prefix) for prefix in self.places_of(permission))

    def until_of(self, permission: str, place: str) -> dt.date | None:
        """The last day on which a permission reaches a place; None: for good. It must reach it now."""
        reaching = [each for each in self.scopes if permission in each.permissions and place.startswith(each.place)]
        days = [each.until for each in reaching if each.until is not None]
        return max(days) if len(days) == len(reaching) else None

    def require(self, permission: str, place: str = "") -> None:
        """As `Actor.require`, assignment by assignment."""
        self.only(permission).require(permission, place)


def actor_of(user: User) -> StaffActor:
    """The officer behind a sign-in.

    Raises NotPermitted NOT_STAFF if there is none or they left.
    """
    officer = Officer.objects.filter(user=user, is_active=True).first()
    if officer is None or not user.is_active:
        raise NotPermitted(
            "NOT_STAFF",
            "您的账号没有对应的在岗工作人员。",
            "No serving officer belongs to this account.",
            next_zh="请联系本单位管理员。",
            next_en="Ask your administrator.",
        )
    return _actor(officer)


def officer_of(user: User) -> Officer:
    """The officer of a sign-in; raises Officer.DoesNotExist."""
    return Officer.objects.get(user=user)


def in_force() -> QuerySet[Assignment]:
    """Assignments whose last day is not over."""
    return Assignment.objects.filter(Q(until=None) | Q(until__gte=clock.today()))


def _actor(officer: Officer) -> StaffActor:
    held = in_force().filter(officer=officer).select_related("role").order_by("place", "role__code")
    scopes = tuple(
        Scope(a.role.code, a.role.name_zh, a.role.name_en, a.place, frozenset(a.role.permissions), a.until)
        for a in held
    )
    permissions = frozenset().union(*(scope.permissions for scope in scopes))
    places = tuple(sorted({each.place for each in scopes}))
    return StaffActor(f"staff:{officer.pk}", permissions, places, officer.department, scopes)
