"""Reads of points and terminals for officers: of their places, paged by code."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from django.db.models import Count, Q, QuerySet

from onecard.foundation.errors import NotFound
from onecard.kernel.catalogue.models import Point, State, Terminal

PAGE = 50
Row = TypeVar("Row", Point, Terminal)


class Wanted(NamedTuple):
    """What to keep of a list; empty keeps all. `code` is how codes begin, `place` how the point's division does."""

    code: str = ""
    place: str = ""
    state: str = ""


def points(places: Sequence[str], wanted: Wanted, *, after: str = "", limit: int = PAGE) -> list[Point]:
    """Points of some places after a code, with operator, sponsor and client."""
    found = Point.objects.filter(_within("division", places)).select_related("operator", "sponsor", "client")
    return list(_kept(found, "division", wanted).filter(code__gt=after).order_by("code")[:limit])


def terminals(places: Sequence[str], wanted: Wanted, *, after: str = "", limit: int = PAGE) -> list[Terminal]:
    """Terminals at points of some places after a code, with their points."""
    found = Terminal.objects.filter(_within("point__division", places)).select_related("point")
    return list(_kept(found, "point__division", wanted).filter(code__gt=after).order_by("code")[:limit])


def terminals_at(point_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """How many terminals some points have, and how many of them are suspended."""
    found = Terminal.objects.filter(point_id__in=point_ids).values_list("point_id")
    counted = found.annotate(all=Count("id"), suspended=Count("id", filter=Q(state=State.SUSPENDED)))
    return {point_id: (every, suspended) for point_id, every, suspended in counted.order_by("point_id")}


def point(places: Sequence[str], point_id: int) -> Point:
    """A point of some places. Raises NotFound POINT_UNKNOWN."""
    found = Point.objects.filter(_within("division", places), pk=point_id)
    shown = found.select_related("operator", "sponsor", "client").first()
    if shown is None:
        raise NotFound("POINT_UNKNOWN", "没有这个用卡点。", "There is no such point.")
    return shown


def terminal(places: Sequence[str], terminal_id: int) -> Terminal:
    """A terminal at a point of some places. Raises NotFound TERMINAL_UNKNOWN."""
    found = Terminal.objects.filter(_within("point__division", places), pk=terminal_id)
    shown = found.select_related("point", "point__operator").first()
    if shown is None:
        raise NotFound("TERMINAL_UNKNOWN", "没有这台终端。", "There is no such terminal.")
    return shown


def _kept(found: QuerySet[Row], division: str, wanted: Wanted) -> QuerySet[Row]:
    if wanted.state:
        found = found.filter(state=wanted.state)
    return found.filter(code__startswith=wanted.code, **{f"{division}__startswith": wanted.place})


def _within(division: str, places: Sequence[str]) -> Q:
    scope = Q(pk__in=()) if not places else Q()
    for prefix in places:
        scope |= Q(**{f"{division}__startswith": prefix})
    return Q() if "" in places else scope
