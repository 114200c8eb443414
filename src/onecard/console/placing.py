"""View values of points and terminals: pages of them, one of each, and what may be done."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from onecard.foundation import clock
from onecard.foundation.postgres.raw import rows
from onecard.foundation.web.links import query_of, text_in
from onecard.kernel.catalogue import queries as catalogue
from onecard.kernel.catalogue import register
from onecard.kernel.catalogue.models import Offer, Point, State, Terminal, TerminalKey
from onecard.kernel.catalogue.register import PAGE, Wanted
from onecard.kernel.holders import divisions
from onecard.kernel.staff.queries import StaffActor

Words = dict[str, str]
PERMISSION = "catalogue.read"
STATES: dict[str, tuple[Words, str]] = {
    State.ACTIVE: ({"zh": "正常", "en": "Active"}, "ok"),
    State.SUSPENDED: ({"zh": "已暂停", "en": "Suspended"}, "warn"),
    State.ENDED: ({"zh": "已终止", "en": "Ended"}, "bad"),
}
STATE_CHOICES = [(code, name) for code, (name, _tone) in STATES.items()]
UPLOADS = (
    "SELECT journal, through, uploads, rejected, correction_s, uploaded_at, broken_after FROM uses_journal"
    " WHERE terminal_id = $1 ORDER BY uploaded_at DESC LIMIT 10"
)


@dataclass(frozen=True)
class Chosen:
    """What an officer looks for, and the last code of the page before."""

    wanted: Wanted
    after: str

    def query(self, after: str = "") -> str:
        """The address of the same list from another page on."""
        values = {**self.wanted._asdict(), "after": after}
        return query_of(values)

    @property
    def narrows(self) -> bool:
        return self.wanted != Wanted()


@dataclass(frozen=True)
class PointRow:
    """A point in a list. `terminals` are all, `suspended` those of them that are."""

    id: int
    code: str
    name: Words
    operator: Words
    place: str
    terminals: int
    suspended: int
    demonstration: bool
    state: tuple[Words, str]


@dataclass(frozen=True)
class TerminalRow:
    """A terminal in a list; `key_since` is None before its first pairing."""

    id: int
    code: str
    point_id: int
    point: Words
    place: str
    attended: bool
    key_since: dt.datetime | None
    state: tuple[Words, str]
    by_client: bool


@dataclass(frozen=True)
class Listing:
    """A page of either; `next` is where the next one begins, '' if this is the last."""

    chosen: Chosen
    rows: list[Any]
    next: str


def chosen(asked: QueryDict) -> Chosen:
    """What the address asks for; what is unknown is left out."""
    place, state = asked.get("place", "").strip(), asked.get("state", "")
    wanted = Wanted(
        text_in(asked.get("code", ""), 64),
        place if place.isdecimal() and place.isascii() and len(place) <= 6 else "",
        state if state in STATES else "",
    )
    return Chosen(wanted, text_in(asked.get("after", ""), 64))


def points(actor: StaffActor, wanted: Chosen) -> Listing:
    """A page of the points of the officer's places."""
    found = register.points(actor.places_of(PERMISSION), wanted.wanted, after=wanted.after, limit=PAGE + 1)
    shown = found[:PAGE]
    counted = register.terminals_at([point.pk for point in shown])
    listed = [_point_row(point, *counted.get(point.pk, (0, 0))) for point in shown]
    return Listing(wanted, listed, shown[-1].code if len(found) > PAGE else "")


def _point_row(point: Point, terminals: int, suspended: int) -> PointRow:
    return PointRow(
        id=point.pk,
        code=point.code,
        name={"zh": point.name_zh, "en": point.name_en},
        operator={"zh": point.operator.name_zh, "en": point.operator.name_en},
        place=divisions.name_of(point.division),
        terminals=terminals,
        suspended=suspended,
        demonstration=point.demonstration,
        state=STATES[point.state],
    )


def terminals(actor: StaffActor, wanted: Chosen) -> Listing:
    """A page of the terminals at points of the officer's places."""
    found = register.terminals(actor.places_of(PERMISSION), wanted.wanted, after=wanted.after, limit=PAGE + 1)
    shown = found[:PAGE]
    return Listing(wanted, _terminal_rows(shown), shown[-1].code if len(found) > PAGE else "")


def _terminal_rows(found: list[Terminal]) -> list[TerminalRow]:
    keys = TerminalKey.objects.filter(terminal_id__in=[terminal.pk for terminal in found], valid_to=None)
    since = dict(keys.order_by("id").values_list("terminal_id", "created_at"))
    return [_terminal_row(terminal, since.get(terminal.pk)) for terminal in found]


def _terminal_row(terminal: Terminal, since: dt.datetime | None) -> TerminalRow:
    return TerminalRow(
        id=terminal.pk,
        code=terminal.code,
        point_id=terminal.point_id,
        point={"zh": terminal.point.name_zh, "en": terminal.point.name_en},
        place=divisions.name_of(terminal.point.division),
        attended=terminal.attended,
        key_since=since,
        state=STATES[terminal.state],
        by_client=terminal.suspended_by.startswith("client:"),
    )


@dataclass(frozen=True)
class PointPage:
    """A point with the items that it offers and its terminals. `needed`: the permission that its next step takes, ''
    where it has ended.
    """

    row: PointRow
    sponsor: Words | None
    client: Words
    position: tuple[float, float] | None
    always_open: bool
    items: list[tuple[str, Words, int | None]]
    terminals: list[TerminalRow]
    step: str
    needed: str


@dataclass(frozen=True)
class TerminalPage:
    """A terminal with its keys and what it uploaded. `step`: what may be done now: suspend, resume or nothing."""

    row: TerminalRow
    keys: list[tuple[dt.datetime, dt.datetime | None]]
    uploads: list[tuple[Any, ...]]
    step: str
    needed: str
    may_pair: bool


def point(actor: StaffActor, point_id: int) -> PointPage:
    """A point of the officer's places."""
    found = register.point(actor.places_of(PERMISSION), point_id)
    here = list(found.terminals.select_related("point").order_by("code")[:PAGE])
    every, suspended = register.terminals_at([found.pk]).get(found.pk, (0, 0))
    names = {item.code: {"zh": item.name.zh, "en": item.name.en} for item in catalogue.in_force(clock.today())}
    offers = Offer.objects.filter(point=found).order_by("item_id").values_list("item_id", "capacity_count")
    sponsor = found.sponsor
    at = found.latitude_deg, found.longitude_deg
    return PointPage(
        row=_point_row(found, every, suspended),
        sponsor={"zh": sponsor.name_zh, "en": sponsor.name_en} if sponsor else None,
        client={"zh": found.client.name_zh, "en": found.client.name_en},
        position=(at[0], at[1]) if at[0] is not None and at[1] is not None else None,
        always_open=not found.hours,
        items=[(code, names.get(code, {"zh": code, "en": code}), capacity) for code, capacity in offers],
        terminals=_terminal_rows(here),
        step=_step(actor, found.state, found.division),
        needed=_needed(found.state),
    )


def terminal(actor: StaffActor, terminal_id: int) -> TerminalPage:
    """A terminal at a point of the officer's places."""
    found = register.terminal(actor.places_of(PERMISSION), terminal_id)
    keys = TerminalKey.objects.filter(terminal=found).order_by("-id").values_list("created_at", "valid_to")
    listed = list(keys[:10])
    since = next((created for created, valid_to in listed if valid_to is None), None)
    return TerminalPage(
        row=_terminal_row(found, since),
        keys=listed,
        uploads=rows(UPLOADS, found.pk),
        step=_step(actor, found.state, found.point.division),
        needed=_needed(found.state),
        may_pair=found.state != State.ENDED and actor.reaches("catalogue.pair", found.point.division),
    )


def _step(actor: StaffActor, state: str, place: str) -> str:
    needed = _needed(state)
    return needed.partition(".")[2] if needed and actor.reaches(needed, place) else ""


def _needed(state: str) -> str:
    """The permission that the next step from a state takes, '' from the last."""
    return {State.ACTIVE: "catalogue.suspend", State.SUSPENDED: "catalogue.resume"}.get(State(state), "")
