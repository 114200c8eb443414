"""Prices that depend on a journey (行程): by distance between two stations, or by the hour.

A table is part of an item's version: who taps in on one version taps out on the same, whatever was published since.
"""

import heapq
from functools import cached_property

import msgspec


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A line: its stations as [point's code, metres from the line's start]. A station on two lines joins them."""

    code: str
    stations: tuple[tuple[str, int], ...]


class Distance(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """A fare by the shortest way: `steps` are [up to so many metres, fen], ascending; farther costs as the last."""

    steps: tuple[tuple[int, int], ...]
    line: tuple[Line, ...]

    @property
    def most_fen(self) -> int:
        return self.steps[-1][1]

    def fen(self, start: str, end: str) -> int | None:
        """The fare between two stations (points' codes); None: no way between them in this table."""
        metres = self._metres_from(start).get(end)
        if metres is None:
            return None
        return next((fen for up_to, fen in self.steps if metres <= up_to), self.most_fen)

    @cached_property
    def stations(self) -> frozenset[str]:
        return frozenset(self._neighbours)

    @cached_property
    def _neighbours(self) -> dict[str, list[tuple[str, int]]]:
        found: dict[str, list[tuple[str, int]]] = {}
        for line in self.line:
            for station, _ in line.stations:
                found.setdefault(station, [])
            for (a, at_a), (b, at_b) in zip(line.stations, line.stations[1:], strict=False):
                found[a].append((b, at_b - at_a))
                found[b].append((a, at_b - at_a))
        return found

    @cached_property
    def _reached(self) -> dict[str, dict[str, int]]:
        return {}

    def _metres_from(self, start: str) -> dict[str, int]:
        """Metres of the shortest way to each station (Dijkstra), kept: a city has few stations and many riders."""
        if start not in self._reached and start in self._neighbours:
            reached: dict[str, int] = {}
            waiting = [(0, start)]
            while waiting:
                metres, station = heapq.heappop(waiting)
                if station in reached:
                    continue
                reached[station] = metres
                for neighbour, between in self._neighbours[station]:
                    heapq.heappush(waiting, (metres + between, neighbour))
            self._reached[start] = reached
        return self._reached.get(start, {})


class Hourly(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A price by the started hour, up to `max_fen` for one visit; the first `free_minutes` cost nothing."""

    fen: int
    max_fen: int
    free_minutes: int = 0

    def of(self, minutes: int) -> int:
        """The price of a visit of whole minutes."""
        charged = minutes - self.free_minutes
        return 0 if charged <= 0 else min(self.max_fen, self.fen * -(-charged // 60))
