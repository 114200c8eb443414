"""How things stood at a moment that is over: states of cards and places, and the counters that chips have shown.

A line of a journal is decided as of its own time. Money, quotas and what was spent are of now: they are what there is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec

from onecard_kit.decide import Place, Standing
from onecard_kit.terms import Medium, When

# How far below a chip's highest counter it is known which were seen.
SEEN_MAX = 256


class Told(msgspec.Struct, frozen=True):
    """What a line of a journal came to when it was told first."""

    verdict: str
    shortfall_fen: int
    borne_by: str | None
    double: bool


class Chip(msgspec.Struct, frozen=True):
    """The counters that a chip has shown: the highest, and from it down whether each was seen, as 256 bits."""

    highest: int
    seen: int

    def has_shown(self, counter: int) -> bool:
        """Whether this counter was seen; of one far below the highest nobody knows any more."""
        below = self.highest - counter
        return 0 <= below < SEEN_MAX and bool(self.seen >> (SEEN_MAX - 1 - below) & 1)

    def after(self, counters: Iterable[int]) -> "Chip":
        """With counters that were shown, whenever that was."""
        shown = set(counters)
        highest = max(self.highest, *shown)
        seen = self.seen >> min(highest - self.highest, SEEN_MAX)
        for counter in shown:
            if highest - counter < SEEN_MAX:
                seen |= 1 << (SEEN_MAX - 1 - (highest - counter))
        return Chip(highest, seen)


@dataclass(slots=True)
class Journeys:
    """By card and item: journeys that ended by themselves (`left`; of type `facts.Journey`), or were begun before one
    that is open now (`overtaken`); those that a use ended, and from when to when they lasted (`ended`); and when and at
    which point somebody tapped out of a journey that nobody knew of yet (`waiting`).
    """

    left: dict[tuple[int, str], list[Any]] = field(default_factory=dict)
    overtaken: dict[tuple[int, str], list[Any]] = field(default_factory=dict)
    ended: dict[tuple[int, str], list[tuple[UUID, float, float]]] = field(default_factory=dict)
    waiting: dict[tuple[int, str], list[tuple[float, str]]] = field(default_factory=dict)


@dataclass(slots=True)
class Past:
    """What held until a moment (Unix seconds), the earliest first, by card and by subject of `catalogue_past`; all of
    one terminal. `nonces_kept` are the months (YYYYMM) of which spent nonces are kept apart, `given_back` the uses that
    lines told before and that were given back. `journeys` are those besides the open ones that lines may be of.
    """

    cards: dict[int, list[tuple[float, tuple[str, str, str, str]]]] = field(default_factory=dict)
    places: dict[str, list[tuple[float, dict[str, Any]]]] = field(default_factory=dict)
    chips: dict[int, Chip] = field(default_factory=dict)
    lines: dict[UUID, Told] = field(default_factory=dict)
    nonces_kept: frozenset[str] = frozenset()
    given_back: frozenset[UUID] = frozenset()
    journeys: "Journeys" = field(default_factory=lambda: Journeys())

    def standing(self, card_id: int, now: Standing, at: float) -> Standing:
        """A card's standing with the states it had at a moment."""
        was = _first_after(self.cards.get(card_id, ()), at)
        if was is None:
            return now
        state, *functions = was
        named = dict(zip(("social_security", "financial", "transit"), functions, strict=True))
        return Standing(state, named, now.issuing_place, now.classes)

    def place(self, now: Place, terminal_id: int, point_id: int, item: str, at: float) -> Place:
        """A place with the states it had at a moment."""
        if not self.places:
            return now
        client = next((subject for subject in self.places if subject.startswith("client:")), "")
        changes = {
            **self._was(f"terminal:{terminal_id}", at, state="terminal_state", attended="attended"),
            **self._was(client, at, state="client_state"),
            **self._was(f"point:{point_id}", at, state="point_state", hours="hours", media="media"),
            **self._was(f"item:{item}", at, state="item_state"),
            **self._was(f"offer:{point_id}:{item}", at, offered="offered", capacity_count="capacity_count"),
        }
        for name, kind in (("hours", tuple[When, ...]), ("media", tuple[Medium, ...])):
            if name in changes:
                changes[name] = msgspec.convert(changes[name], kind)
        return msgspec.structs.replace(now, **changes)

    def sponsor(self, now: str | None, point_id: int, at: float) -> str | None:
        """Who funded at a point at a moment."""
        was = self._was(f"point:{point_id}", at, sponsor_id="sponsor")
        if "sponsor" not in was:
            return now
        return None if was["sponsor"] is None else f"party:{was['sponsor']}"

    def _was(self, subject: str, at: float, **names: str) -> dict[str, Any]:
        """What was kept of a subject at a moment, each under the name it has here."""
        was = _first_after(self.places.get(subject, ()), at) or {}
        return {ours: was[theirs] for theirs, ours in names.items() if theirs in was}


def _first_after(rows: Iterable[tuple[float, Any]], at: float) -> Any:
    """What held at a moment: the first that ended after it; None: what holds now."""
    return next((was for until, was in rows if until > at), None)


_cards = msgspec.json.Decoder(list[tuple[int, float, str, str, str, str]])
_places = msgspec.json.Decoder(list[tuple[str, float, dict[str, Any]]])
_chips = msgspec.json.Decoder(list[tuple[int, int, str]])
_lines: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[tuple[UUID, str, int, str | None, bool]])


def past_of(row: Mapping[str, Any]) -> Past:
    """From the row of `past.sql`."""
    found = Past(nonces_kept=frozenset(row["kept"] or ()), given_back=frozenset(row["given_back"] or ()))
    for card, until, *states in _cards.decode(row["cards"] or "[]"):
        found.cards.setdefault(card, []).append((until, tuple(states)))  # type: ignore[arg-type]
    for subject, until, was in _places.decode(row["places"] or "[]"):
        found.places.setdefault(subject, []).append((until, was))
    found.chips = {card: Chip(highest, int(seen, 2)) for card, highest, seen in _chips.decode(row["chips"] or "[]")}
    found.lines = {use: Told(*told) for use, *told in _lines.decode(row["lines"] or "[]")}
    return found
