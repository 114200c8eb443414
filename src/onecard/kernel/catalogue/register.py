"""Reads for officers, paged by code: points and terminals of their places, every item with where its versions stand."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from onecard.foundation.errors import NotFound
from onecard.foundation.places import within
from onecard.kernel.catalogue.models import Item, ItemVersion, Offer, Point, Stage, State, Terminal
from onecard_kit.terms import Level

PAGE = 50
Row = TypeVar("Row", Point, Terminal)


class Wanted(NamedTuple):
    """What to keep of a list; empty keeps all. `code` is how codes begin, `place` how the point's division does."""

    code: str = ""
    place: str = ""
    state: str = ""


class WantedItems(NamedTuple):
    """What to keep of the items; empty keeps all. `text` is found in the code and in both names of any version, `stage`
    is one that some version of the item is at.
    """

    text: str = ""
    field: str = ""
    level: str = ""
    state: str = ""
    stage: str = ""


class Standing(NamedTuple):
    """Where a version stands, without what it says but its name."""

    item: str
    version: int
    stage: str
    starts_on: dt.date
    ends_on: dt.date | None
    name: dict[str, str]


def items(wanted: WantedItems, *, after: str = "", limit: int = PAGE) -> list[Item]:
    """Items after a code, whether or not they were ever published."""
    versions = ItemVersion.objects.filter(item_id=OuterRef("pk"))
    found = Item.objects.filter(code__gt=after)
    for name in ("field", "level", "state"):
        if value := getattr(wanted, name):
            found = found.filter(**{name: value})
    if wanted.stage:
        found = found.filter(Exists(versions.filter(stage=wanted.stage)))
    if wanted.text:
        named = Q(declaration__name__zh__icontains=wanted.text) | Q(declaration__name__en__icontains=wanted.text)
        found = found.filter(Q(code__icontains=wanted.text) | Q(Exists(versions.filter(named))))
    return list(found.order_by("code")[:limit])


def standings(codes: Sequence[str]) -> list[Standing]:
    """The versions of some items, by item and with the newest first."""
    found = ItemVersion.objects.filter(item_id__in=codes).order_by("item_id", "-version")
    told = found.values_list("item_id", "version", "stage", "starts_on", "ends_on", "declaration__name")
    return [Standing(*row) for row in told]


def count_in_review(places: Sequence[str], *, limit: int) -> int:
    """How many versions of items of some places wait for somebody to publish them, up to a limit. A region's belong to
    no one place.
    """
    found = ItemVersion.objects.filter(within("item__area", places), stage=Stage.REVIEW)
    if "" not in places:
        found = found.exclude(item__level=Level.REGION)
    return found[:limit].count()


def fields() -> list[str]:
    """The fields that have items, in order."""
    return list(Item.objects.order_by("field").values_list("field", flat=True).distinct())


def item(code: str) -> Item:
    """An item, whether or not it was ever published. Raises NotFound ITEM_UNKNOWN."""
    found = Item.objects.select_related("extends").filter(pk=code).first()
    if found is None:
        raise NotFound(
            "ITEM_UNKNOWN",
            "没有这个应用项目。",
            "There is no such item.",
            next_zh="请从应用目录重新查找。",
            next_en="Look it up in the catalogue.",
        )
    return found


def offers(places: Sequence[str], code: str, *, after: str = "", limit: int = PAGE) -> list[Offer]:
    """What points of some places offer of an item, by the points' codes, with the points."""
    found = Offer.objects.filter(within("point__division", places), item_id=code, point__code__gt=after)
    return list(found.select_related("point", "point__operator").order_by("point__code")[:limit])


def points(places: Sequence[str], wanted: Wanted, *, after: str = "", limit: int = PAGE) -> list[Point]:
    """Points of some places after a code, with operator, sponsor and client."""
    found = Point.objects.filter(within("division", places)).select_related("operator", "sponsor", "client")
    return list(_kept(found, "division", wanted).filter(code__gt=after).order_by("code")[:limit])


def terminals(places: Sequence[str], wanted: Wanted, *, after: str = "", limit: int = PAGE) -> list[Terminal]:
    """Terminals at points of some places after a code, with their points."""
    found = Terminal.objects.filter(within("point__division", places)).select_related("point")
    return list(_kept(found, "point__division", wanted).filter(code__gt=after).order_by("code")[:limit])


def terminals_at(point_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """How many terminals some points have, and how many of them are suspended."""
    found = Terminal.objects.filter(point_id__in=point_ids).values_list("point_id")
    counted = found.annotate(all=Count("id"), suspended=Count("id", filter=Q(state=State.SUSPENDED)))
    return {point_id: (every, suspended) for point_id, every, suspended in counted.order_by("point_id")}


def point(places: Sequence[str], point_id: int) -> Point:
    """A point of some places. Raises NotFound POINT_UNKNOWN."""
    found = Point.objects.filter(within("division", places), pk=point_id)
    shown = found.select_related("operator", "sponsor", "client").first()
    if shown is None:
        raise NotFound("POINT_UNKNOWN", "没有这个用卡点。", "There is no such point.")
    return shown


def terminal(places: Sequence[str], terminal_id: int) -> Terminal:
    """A terminal at a point of some places. Raises NotFound TERMINAL_UNKNOWN."""
    found = Terminal.objects.filter(within("point__division", places), pk=terminal_id)
    shown = found.select_related("point", "point__operator").first()
    if shown is None:
        raise NotFound("TERMINAL_UNKNOWN", "没有这台终端。", "There is no such terminal.")
    return shown


def _kept(found: QuerySet[Row], division: str, wanted: Wanted) -> QuerySet[Row]:
    if wanted.state:
        found = found.filter(state=wanted.state)
    return found.filter(code__startswith=wanted.code, **{f"{division}__startswith": wanted.place})
