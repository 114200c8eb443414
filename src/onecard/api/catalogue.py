"""What the card is good for: the list of a place on a day, an item, its versions."""

import datetime as dt
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from onecard.api.declare import Words, operation
from onecard.api.fields import PAGE, PAGE_MAX, Asked, Code, Day, Limit, Number, Place, Text
from onecard.foundation import clock, node
from onecard.kernel.catalogue import queries
from onecard.kernel.catalogue.models import Item as Listed
from onecard.kernel.catalogue.models import ItemVersion, Stage
from onecard.kernel.sharing.scopes import Scope
from onecard_kit.terms import Kind, Level

router = Router(tags=["catalogue"])
SHOWN = (Stage.PUBLISHED, Stage.ENDED)


class Item(Schema):
    """An item as it stands in one version; `declaration` is what its file says (docs/item-files.md)."""

    code: str = Field(examples=["transit.bus_ride"])
    version: int
    name: Words
    field: str = Field(examples=["transit"])
    level: str = Field(examples=["city"])
    area: str = Field(examples=["320600"])
    extends: str | None
    state: str = Field(examples=["active"])
    kind: str = Field(examples=["basic"])
    stage: str = Field(examples=["published"])
    starts_on: dt.date
    ends_on: dt.date | None
    decided_by: Words
    decided_on: dt.date | None
    declaration: dict[str, Any]


class Items(Schema):
    """A page; `next` goes into `after` for the one below, null is the last."""

    items: list[Item]
    next: str | None


class ListAsked(Asked):
    """Which list: of a place, on a day; what to keep of it."""

    place: Place | None = Field(None, description="GB/T 2260; by default the node's", examples=["320600"])
    day: Day | None = Field(None, description="by default today")
    field: Code = ""
    level: Level | Literal[""] = ""
    kind: Kind | Literal[""] = ""
    text: Text = Field("", description="found in the code and in both names")
    after: Code = Field("", description="the last code of the page above")
    limit: Limit = Field(PAGE, ge=1, le=PAGE_MAX)


class VersionsAsked(Asked):
    after: Number | None = Field(None, description="the last version of the page above")
    limit: Limit = Field(PAGE, ge=1, le=PAGE_MAX)


@operation(router, "GET", "/items", Scope.CATALOGUE, Items)
def list_items(request: HttpRequest, asked: Query[ListAsked]) -> Items:
    """The items on the list of a place on a day, by code: the region's, province's, city's and county's."""
    filters = queries.Filters(asked.field, asked.level, asked.kind, asked.text)
    place, day = asked.place or node.code(), asked.day or clock.today()
    found = queries.list_of(place, day, filters, after=asked.after, limit=asked.limit + 1)
    page = found[: asked.limit]
    return Items(
        items=[_item(row, row.item) for row in page], next=page[-1].item_id if len(found) > len(page) else None
    )


@operation(router, "GET", "/items/{code}", Scope.CATALOGUE, Item, 404)
def get_item(request: HttpRequest, code: Code) -> Item:
    """An item in its version of today; else in the next to begin, else in the last that was."""
    item = queries.item(code)
    version = queries.version_for(item.code, clock.today())
    assert version is not None  # it was published once
    return _item(version, item)


@operation(router, "GET", "/items/{code}/versions", Scope.CATALOGUE, Items, 404)
def list_versions(request: HttpRequest, code: Code, asked: Query[VersionsAsked]) -> Items:
    """Every published version of an item with who decided it, the newest first."""
    item = queries.item(code)
    found = queries.versions_of(item.code, before=asked.after, limit=asked.limit + 1, stages=SHOWN)
    page = found[: asked.limit]
    last = str(page[-1].version) if len(found) > len(page) else None
    return Items(items=[_item(row, item) for row in page], next=last)


def _item(row: ItemVersion, item: Listed) -> Item:
    told = queries.plain(row)
    return Item(
        code=item.code,
        version=row.version,
        name=told["name"],
        field=item.field,
        level=item.level,
        area=item.area,
        extends=item.extends_id,
        state=item.state,
        kind=told["kind"],
        stage=row.stage,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        decided_by=Words(zh=row.decided_by_zh, en=row.decided_by_en),
        decided_on=row.decided_on,
        declaration=told,
    )
