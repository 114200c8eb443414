"""Verbs about where a card is used: offer items, set hours, suspend and resume, hand out pairing codes.

Those about items are in `loading` and `publishing`.
"""

import datetime as dt
import hashlib
import secrets
from collections.abc import Sequence

import msgspec
from django.db import transaction

from onecard.foundation import clock
from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, Conflict, NotFound
from onecard.kernel.audit import actions as audit
from onecard.kernel.catalogue import queries, rules, telling
from onecard.kernel.catalogue.models import Client, Item, Offer, Pairing, Point, State, Terminal
from onecard_kit import item_files
from onecard_kit.terms import When

PAIRING_LIFE = dt.timedelta(hours=24)
# No letter or digit that is misread aloud or on a screen: 0/O, 1/I/L.
PAIRING_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
PAIRING_CHARS = 10
# How the name of an actor begins that is a client.
CLIENT = "client:"

KINDS: dict[str, type[Client] | type[Point] | type[Terminal] | type[Item]] = {
    "client": Client,
    "point": Point,
    "terminal": Terminal,
    "item": Item,
}


def suspend(actor: Actor, kind: str, code: str, reason: str) -> None:
    """Refuse uses of a client, point, terminal or item from this commit on. Repeating it changes nothing."""
    _set_state(actor, "suspend", kind, code, State.SUSPENDED, reason)


def resume(actor: Actor, kind: str, code: str, reason: str) -> None:
    """Let a suspended client, point, terminal or item be used again."""
    _set_state(actor, "resume", kind, code, State.ACTIVE, reason)


@transaction.atomic
def _set_state(actor: Actor, verb: str, kind: str, code: str, state: State, reason: str) -> None:
    row = KINDS[kind].objects.select_for_update(no_key=True).filter(code=code).first()
    actor.require(f"catalogue.{verb}", _place_of(row))
    if row is None:
        raise _unknown(kind, code)
    if row.state == State.ENDED:
        raise Conflict("ENDED", "已终止，不能再改变状态。", "It has ended; its state no longer changes.")
    if not reason.strip():
        raise BadInput("REASON_MISSING", "请填写原因。", "Give a reason.")
    if row.state == state and not _takes_over(actor, row):
        return
    row.state = state
    changed = ["state"]
    if isinstance(row, Terminal):
        row.suspended_by = actor.name if state == State.SUSPENDED else ""
        changed.append("suspended_by")
    row.save(update_fields=changed)
    audit.record(actor, f"catalogue.{verb}", f"{kind}:{code}", place=_place_of(row), reason=reason)
    telling.state_changed(row)


def _takes_over(actor: Actor, row: Client | Point | Terminal | Item) -> bool:
    """Whether the office suspends a terminal that its own client has suspended: from then on the office lifts it."""
    held_by_client = isinstance(row, Terminal) and row.suspended_by.startswith(CLIENT)
    return held_by_client and not actor.name.startswith(CLIENT)


def _place_of(row: Client | Point | Terminal | Item | None) -> str:
    if isinstance(row, Point):
        return row.division
    return row.point.division if isinstance(row, Terminal) else ""


# --- Points -----------------------------------------------------------------------------------------------------------


@transaction.atomic
def offer(actor: Actor, point_code: str, item_code: str, *, capacity_count: int | None = None) -> None:
    """Have a point offer an item, with a capacity of its own where the item has one. Repeating it changes nothing.

    Raises Conflict OFFER_… with what the point lacks, ITEM_UNPUBLISHED, CAPACITY_UNDECLARED, ENDED; NotFound.
    """
    point = _locked_point(actor, "offer", point_code)
    item = Item.objects.filter(pk=item_code).first()
    if item is None:
        raise _unknown("item", item_code)
    if State.ENDED in (point.state, item.state):
        raise Conflict("ENDED", "用卡点或项目已终止。", "The point or the item has ended.")
    _refuse_lacking(point, item_code, capacity_count)
    row, new = Offer.objects.get_or_create(point=point, item=item, defaults={"capacity_count": capacity_count})
    if not new and row.capacity_count == capacity_count:
        return
    if not new:
        Offer.objects.filter(point=point, item=item).update(capacity_count=capacity_count)
    detail = {"item": item_code, "capacity_count": capacity_count}
    audit.record(actor, "catalogue.offer", f"point:{point_code}", place=point.division, detail=detail)


def _refuse_lacking(point: Point, item_code: str, capacity_count: int | None) -> None:
    """The item's versions in force now or later are what the point must be good for."""
    declarations = queries.declarations_ahead(item_code, clock.today())
    if not declarations:
        raise Conflict(
            "ITEM_UNPUBLISHED",
            f"{item_code} 没有已发布的版本。",
            f"No version of {item_code} is published.",
            next_zh="请先发布该项目。",
            next_en="Publish the item first.",
        )
    (facts,) = queries.facts_of(Point.objects.filter(pk=point.pk))
    for declaration in declarations:
        lacks = rules.lacking(declaration, facts, queries.area_sets())
        if lacks:
            raise queries.OfferLack(point.code, item_code, tuple(lacks)).error()
        if capacity_count is not None and (declaration.capacity is None or capacity_count < 1):
            raise Conflict(
                "CAPACITY_UNDECLARED",
                f"{item_code} 未规定容量，或容量小于 1。",
                f"{item_code} declares no capacity, or the one given is below 1.",
                next_zh="请不填容量，或先在项目中规定。",
                next_en="Leave it out, or declare a capacity in the item.",
            )


@transaction.atomic
def stop_offering(actor: Actor, point_code: str, item_code: str, reason: str) -> None:
    """Have a point offer an item no more, from this commit on. Stopping what is not offered changes nothing."""
    point = _locked_point(actor, "stop_offering", point_code)
    if not reason.strip():
        raise BadInput("REASON_MISSING", "请填写原因。", "Give a reason.")
    gone, _ = Offer.objects.filter(point=point, item_id=item_code).delete()
    if gone:
        detail = {"item": item_code}
        audit.record(
            actor, "catalogue.stop_offering", f"point:{point_code}", place=point.division, reason=reason, detail=detail
        )


@transaction.atomic
def set_hours(actor: Actor, point_code: str, hours: Sequence[When]) -> None:
    """Say when a point is open; nothing is always. Setting what holds already changes nothing.

    Raises BadInput HOURS_MALFORMED; Conflict OFFER_HOURS where an item that it offers needs longer hours.
    """
    point = _locked_point(actor, "set_hours", point_code)
    faults = [fault for n, when in enumerate(hours) for fault in item_files.when_faults(f"$[{n}]", when)]
    for path, expected in faults:
        raise BadInput("HOURS_MALFORMED", f"开放时间有误：{path}: {expected.zh}", f"Hours: {path}: {expected.en}")
    plain = msgspec.json.decode(msgspec.json.encode(tuple(hours)))
    if point.hours == plain:
        return
    point.hours = plain
    point.save(update_fields=["hours"])
    for item_code in Offer.objects.filter(point=point).order_by("item_id").values_list("item_id", flat=True):
        _refuse_shorter(point, item_code)
    audit.record(actor, "catalogue.set_hours", f"point:{point_code}", place=point.division, detail={"hours": plain})


def _refuse_shorter(point: Point, item_code: str) -> None:
    (facts,) = queries.facts_of(Point.objects.filter(pk=point.pk))
    for declaration in queries.declarations_ahead(item_code, clock.today()):
        lacks = [lack for lack in rules.lacking(declaration, facts, queries.area_sets()) if lack.code == "OFFER_HOURS"]
        if lacks:
            raise queries.OfferLack(point.code, item_code, tuple(lacks)).error()


@transaction.atomic
def set_position(actor: Actor, point_code: str, position: tuple[float, float] | None) -> None:
    """Say where a point stands on the map: latitude and longitude in degrees (CGCS 2000), None for a point that is
    nowhere. Setting what holds already changes nothing. Raises BadInput POSITION_MALFORMED.
    """
    point = _locked_point(actor, "set_position", point_code)
    latitude, longitude = position or (None, None)
    if position is not None and not (abs(position[0]) <= 90 and abs(position[1]) <= 180):
        raise BadInput(
            "POSITION_MALFORMED",
            "纬度应在 ±90 度、经度应在 ±180 度以内。",
            "A latitude is within ±90 degrees, a longitude within ±180.",
            next_zh="请先写纬度，再写经度，以度为单位。",
            next_en="Give the latitude first, then the longitude, in degrees.",
        )
    if (point.latitude_deg, point.longitude_deg) == (latitude, longitude):
        return
    point.latitude_deg, point.longitude_deg = latitude, longitude
    point.save(update_fields=["latitude_deg", "longitude_deg"])
    detail = {"latitude_deg": latitude, "longitude_deg": longitude}
    audit.record(actor, "catalogue.set_position", f"point:{point_code}", place=point.division, detail=detail)


@transaction.atomic
def mark_demonstration(actor: Actor, point_code: str, marked: bool = True) -> None:
    """Mark a point as a demonstration point (示范点), or take the mark away. Repeating it changes nothing."""
    point = _locked_point(actor, "mark_demonstration", point_code)
    if point.demonstration == marked:
        return
    point.demonstration = marked
    point.save(update_fields=["demonstration"])
    detail = {"marked": marked}
    audit.record(actor, "catalogue.mark_demonstration", f"point:{point_code}", place=point.division, detail=detail)


def _locked_point(actor: Actor, verb: str, code: str) -> Point:
    """A point, locked, where the actor may do that. Raises NotFound POINT_UNKNOWN, NotPermitted."""
    point = Point.objects.select_for_update(no_key=True).filter(code=code).first()
    actor.require(f"catalogue.{verb}", point.division if point is not None else "")
    if point is None:
        raise _unknown("point", code)
    return point


# --- Terminals --------------------------------------------------------------------------------------------------------


@transaction.atomic
def make_pairing_code(actor: Actor, terminal_code: str) -> str:
    """A code that turns a terminal's next pairing into its key: ten characters, good once, for 24 hours and until
    another is made: who gave one into wrong hands makes the next.
    """
    terminal = Terminal.objects.select_related("point").filter(code=terminal_code).first()
    if terminal is None:
        raise _unknown("terminal", terminal_code)
    actor.require("catalogue.pair", terminal.point.division)
    code = "".join(secrets.choice(PAIRING_ALPHABET) for _ in range(PAIRING_CHARS))
    Pairing.objects.create(
        code_digest=hashlib.sha256(code.encode()).digest(), terminal=terminal, expires_at=clock.now() + PAIRING_LIFE
    )
    audit.record(actor, "catalogue.make_pairing_code", f"terminal:{terminal.pk}", place=terminal.point.division)
    return code


def _unknown(kind: str, code: str) -> NotFound:
    return NotFound(f"{kind.upper()}_UNKNOWN", f"没有 {code}。", f"There is no {kind} {code}.")
