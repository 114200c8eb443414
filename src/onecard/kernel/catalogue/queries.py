"""Reads of the catalogue: lists of places, versions with who decided, points, and what a point lacks."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from onecard.foundation import sql
from onecard.foundation.errors import Conflict, NotFound
from onecard.foundation.places import within
from onecard.foundation.postgres.raw import rows
from onecard.kernel.catalogue import rules
from onecard.kernel.catalogue.models import (
    AreaSet,
    Item,
    ItemVersion,
    LegalBasis,
    Offer,
    Point,
    Stage,
    State,
    Terminal,
)
from onecard_kit import item_files, terms

HERE = "onecard.kernel.catalogue"
PAGE = 50
# No list is longer; a province has some hundreds of items.
ALL = 10_000
EVER_PUBLISHED = (Stage.PUBLISHED, Stage.ENDED)


class Filters(NamedTuple):
    """What to keep of a list; empty keeps all. `text` is found in the code and in both names."""

    field: str = ""
    level: str = ""
    kind: str = ""
    text: str = ""
    life_event: str = ""


NO_FILTERS = Filters()


class OfferLack(NamedTuple):
    """A point that offers an item and lacks what the item needs."""

    point: str
    item: str
    lacks: tuple[rules.Lack, ...]

    def error(self) -> Conflict:
        """The refusal, under the code of the first thing that is missing."""
        zh, en = ("；".join(lack.zh for lack in self.lacks), "; ".join(lack.en for lack in self.lacks))
        return Conflict(
            self.lacks[0].code,
            f"用卡点 {self.point} 不能开通 {self.item}：{zh}。",
            f"{self.point} cannot offer {self.item}. It needs: {en}.",
            next_zh="请先补齐条件，或在该点停办此项目。",
            next_en="Provide what is missing, or stop offering the item there.",
        )


# --- Items and versions -----------------------------------------------------------------------------------------------


def declared(version: ItemVersion) -> terms.Item:
    """What a stored version says."""
    return item_files.from_plain(version.declaration, str(version))


def plain(version: ItemVersion) -> dict[str, Any]:
    """What a stored version says as plain values, in the order in which a file says it."""
    told: dict[str, Any] = msgspec.to_builtins(declared(version), str_keys=True)
    return told


def in_force(day: dt.date) -> list[terms.Item]:
    """What the active items say on a day, by code, whatever their place."""
    versions = _on(day).filter(item__state=State.ACTIVE).order_by("item_id", "version")
    return [declared(version) for version in versions]


def _on(day: dt.date) -> "QuerySet[ItemVersion]":
    days = Q(starts_on__lte=day) & (Q(ends_on=None) | Q(ends_on__gt=day))
    return ItemVersion.objects.filter(days, stage__in=EVER_PUBLISHED)


def was_set_up() -> bool:
    """Whether anything was ever published here: from then on it takes two officers."""
    return ItemVersion.objects.filter(stage__in=EVER_PUBLISHED).exists()


def list_of(
    place: str, day: dt.date, filters: Filters = NO_FILTERS, *, after: str = "", limit: int = PAGE
) -> list[ItemVersion]:
    """The list of a place (GB/T 2260) on a day, by code: the region's, province's, city's and county's items.

    An item stands for the one it extends, and one with pilot areas is listed there only. `after` is the last code of
    the page above. The item of each version is loaded.
    """
    found = rows(sql.load(HERE, "place_list"), day, place, *filters, after, limit)
    versions = ItemVersion.objects.select_related("item").filter(pk__in=[pk for pk, _ in found])
    return list(versions.order_by("item_id"))


def count_by_field(place: str, day: dt.date, filters: Filters = NO_FILTERS) -> dict[str, int]:
    """How many items each field has on the list of a place, by field."""
    found = rows(sql.load(HERE, "place_list"), day, place, *filters, "", ALL)
    return dict(sorted(Counter(field for _, field in found).items()))


def count_by_life_event(place: str, day: dt.date, filters: Filters = NO_FILTERS) -> dict[str, int]:
    """How many items of the list of a place serve each turn of life, by its code; one serves several or none."""
    found = rows(sql.load(HERE, "place_list"), day, place, *filters, "", ALL)
    events = rows(sql.load(HERE, "life_events"), [pk for pk, _ in found])
    return dict(sorted(Counter(event for (event,) in events).items()))


def item(code: str) -> Item:
    """An item that was ever published. Raises NotFound ITEM_UNKNOWN for any other."""
    published = ItemVersion.objects.filter(item_id=OuterRef("pk"), stage__in=EVER_PUBLISHED)
    found = Item.objects.filter(Exists(published), pk=code).first()
    if found is None:
        raise NotFound(
            "ITEM_UNKNOWN",
            "清单上没有这个项目。",
            "There is no such item on the list.",
            next_zh="请从清单重新查找。",
            next_en="Look it up in the list.",
        )
    return found


def version_for(code: str, day: dt.date) -> ItemVersion | None:
    """The published version of an item in force on a day; else the next one to begin, else the last one that was."""
    published = ItemVersion.objects.select_related("item").filter(item_id=code, stage__in=EVER_PUBLISHED)
    return (
        _on(day).select_related("item").filter(item_id=code).first()
        or published.filter(starts_on__gt=day).order_by("starts_on").first()
        or published.order_by("-starts_on").first()
    )


def extended_by(code: str, *, limit: int = PAGE) -> list[Item]:
    """The active items that stand for one in places of theirs and were ever published, by code."""
    published = ItemVersion.objects.filter(item_id=OuterRef("pk"), stage__in=EVER_PUBLISHED)
    found = Item.objects.filter(Exists(published), extends=code, state=State.ACTIVE)
    return list(found.order_by("code")[:limit])


def names_of(codes: Sequence[str]) -> dict[str, dict[str, str]]:
    """What items are called, by code, as their newest published version says; one that has none is left out."""
    found = ItemVersion.objects.filter(item_id__in=codes, stage__in=EVER_PUBLISHED).order_by("starts_on")
    return {row.item_id: row.declaration["name"] for row in found}


def versions_of(
    code: str, *, before: int | None = None, limit: int = PAGE, stages: Sequence[Stage] = tuple(Stage)
) -> list[ItemVersion]:
    """An item's versions with who decided, the newest first; `before` is the last number of the page above."""
    found = ItemVersion.objects.filter(item_id=code, stage__in=stages)
    if before is not None:
        found = found.filter(version__lt=before)
    return list(found.order_by("-version")[:limit])


def version(code: str, number: int) -> ItemVersion:
    """A version of an item at any stage. Raises NotFound VERSION_UNKNOWN."""
    found = ItemVersion.objects.filter(item_id=code, version=number).first()
    if found is None:
        raise NotFound(
            "VERSION_UNKNOWN",
            f"没有 {code} 第 {number} 版。",
            f"There is no version {number} of {code}.",
            next_zh="请先装载该版本的文件。",
            next_en="Load its file first.",
        )
    return found


# --- Registers --------------------------------------------------------------------------------------------------------


def area_sets() -> dict[str, tuple[str, ...]]:
    """The sets of places by code."""
    return {row.code: tuple(row.places) for row in AreaSet.objects.order_by("code")}


def area_set_names(codes: Sequence[str]) -> dict[str, dict[str, str]]:
    """What sets of places are called, by code, in both languages; codes that are none are left out."""
    found = AreaSet.objects.filter(code__in=codes)
    return {row.code: {"zh": row.name_zh, "en": row.name_en} for row in found}


def legal_bases(codes: Sequence[str]) -> list[LegalBasis]:
    """Legal bases in the order of their codes given; one that is unknown is left out."""
    found = LegalBasis.objects.in_bulk(list(codes))
    return [found[code] for code in codes if code in found]


def legal_texts(*, after: str = "", limit: int = PAGE) -> list[LegalBasis]:
    """The texts as a whole, by code; `after` is the last code of the page above."""
    return list(LegalBasis.objects.filter(article="", code__gt=after).order_by("code")[:limit])


def legal_text(code: str) -> tuple[LegalBasis, list[LegalBasis]]:
    """A text as a whole, and its articles. Raises NotFound LEGAL_BASIS_UNKNOWN."""
    whole = LegalBasis.objects.filter(pk=code, article="").first()
    if whole is None:
        raise NotFound(
            "LEGAL_BASIS_UNKNOWN",
            "登记中没有这部法规。",
            "There is no such text in the register.",
            next_zh="请从法规依据登记重新查找。",
            next_en="Look it up in the register of legal bases.",
        )
    return whole, list(LegalBasis.objects.filter(pk__startswith=f"{code}/"))


def bases_in_force(day: dt.date) -> list[tuple[str, dict[str, str], list[str]]]:
    """(item, name, codes of its legal bases) of the active items in force on a day, by code."""
    found = _on(day).filter(item__state=State.ACTIVE).order_by("item_id")
    return list(found.values_list("item_id", "declaration__name", "declaration__legal_basis"))


# --- Points -----------------------------------------------------------------------------------------------------------


def points_of(code: str, division: str = "", *, after: str = "", limit: int = PAGE) -> list[Point]:
    """The points in service that offer an item in a division (GB/T 2260, '' is everywhere), by code."""
    prefix = rules.division_prefix(division) if division else ""
    found = Point.objects.filter(offer__item_id=code, state=State.ACTIVE, division__startswith=prefix, code__gt=after)
    return list(found.order_by("code")[:limit])


def points_of_client(client_id: int, *, after: str = "", limit: int = PAGE) -> list[Point]:
    """A client's points with their operators and offers, by code."""
    found = Point.objects.select_related("operator").prefetch_related("offer_set")
    return list(found.filter(client_id=client_id, code__gt=after).order_by("code")[:limit])


def terminals_of_client(client_id: int, point: str = "", *, after: str = "", limit: int = PAGE) -> list[Terminal]:
    """The terminals at a client's points, or at one of them, by code."""
    found = Terminal.objects.select_related("point").filter(point__client_id=client_id, code__gt=after)
    return list((found.filter(point__code=point) if point else found).order_by("code")[:limit])


def demonstrated(codes: Sequence[str], division: str = "") -> set[str]:
    """Those of some items that a demonstration point in a division offers."""
    prefix = rules.division_prefix(division) if division else ""
    found = Offer.objects.filter(
        item_id__in=codes, point__demonstration=True, point__state=State.ACTIVE, point__division__startswith=prefix
    )
    return set(found.values_list("item_id", flat=True))


def count_demonstration_points(places: Sequence[str] = ("",)) -> dict[str, int]:
    """How many demonstration points each county has, by division, in the places that begin with one of `places`."""
    found = Point.objects.filter(within("division", places), demonstration=True, state=State.ACTIVE)
    return dict(found.values_list("division").annotate(number=Count("id")).order_by("division"))


def facts_of(points: QuerySet[Point]) -> list[rules.PointFacts]:
    """What points have, as offering an item asks for it, by code."""
    attended = Terminal.objects.filter(point=OuterRef("pk"), attended=True).exclude(state=State.ENDED)
    found = points.annotate(has_attended=Exists(attended)).order_by("code")
    return [
        rules.PointFacts(each.code, each.division, hours_of(each), frozenset(each.media), each.has_attended)
        for each in found
    ]


def hours_of(point: Point) -> tuple[terms.When, ...]:
    """When a point is open; () is always."""
    return msgspec.convert(point.hours, tuple[terms.When, ...], strict=True)


def offers_lacking(declaration: terms.Item, sets: Mapping[str, tuple[str, ...]] | None = None) -> list[OfferLack]:
    """The points that offer an item already and lack what this declaration of it needs, by code."""
    sets = area_sets() if sets is None else sets
    points = Point.objects.filter(offer__item_id=declaration.code).exclude(state=State.ENDED)
    found = ((point.code, rules.lacking(declaration, point, sets)) for point in facts_of(points))
    return [OfferLack(code, declaration.code, tuple(lacks)) for code, lacks in found if lacks]


def declarations_ahead(code: str, day: dt.date) -> list[terms.Item]:
    """What an item says from a day on: its published versions in force then or later, by their first day."""
    found = ItemVersion.objects.filter(Q(ends_on=None) | Q(ends_on__gt=day), item_id=code, stage=Stage.PUBLISHED)
    return [declared(each) for each in found.order_by("starts_on")]
