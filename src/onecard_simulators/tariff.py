"""The published terms as a stranger reads them: the item files and the sets of places beside them, nothing else.

Worked out once more, on purpose: the day compares the gateway's answers with this, so that a mistake of ours is not
made twice and hidden. Amounts in whole fen; days and minutes of the day in Asia/Shanghai.
"""

import datetime as dt
import itertools
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

Json = dict[str, Any]
CHINA = ZoneInfo("Asia/Shanghai")
PURSE = "holder.purse"
FAR = 10**9


class Moment(NamedTuple):
    """A moment as people speak of it: the day, what kind of day it is, the minute of the day."""

    day: dt.date
    kind: str
    minute: int

    @classmethod
    def at(cls, seconds: float, kinds: Mapping[str, str]) -> "Moment":
        """The moment at Unix seconds; `kinds` tells what kind a day is, weekdays decide for any other."""
        local = dt.datetime.fromtimestamp(seconds, CHINA)
        usual = "weekend" if local.weekday() >= 5 else "working"
        return cls(local.date(), kinds.get(local.date().isoformat(), usual), local.hour * 60 + local.minute)


def holds(when: Mapping[str, Any] | None, moment: Moment) -> bool:
    """Whether days and hours as files write them hold at a moment. The end of a window is outside it."""
    if when is None:
        return True
    if moment.kind not in when.get("days", (moment.kind,)):
        return False
    clock = f"{moment.minute // 60:02}:{moment.minute % 60:02}"
    return not when.get("hours") or any(start <= clock < end for start, end in when["hours"])


def period(name: str, day: dt.date) -> str:
    """The day, month or year that a day is in: ``2026-03-11``, ``2026-03``, ``2026``."""
    return day.isoformat()[: {"day": 10, "month": 7, "year": 4}[name]]


def discounted(price: Json, full_fen: int) -> int:
    """What a discount leaves of a price."""
    if "percent" in price:
        off_fen = full_fen - full_fen * int(price["percent"]) // 100
        return full_fen - min(off_fen, int(price.get("off_fen_max", off_fen)))
    return min(full_fen, int(price["fixed_fen"] if "fixed_fen" in price else price["cap_fen"]))


@dataclass(frozen=True)
class Item:
    """One published item, with what its file says."""

    declared: Json

    @property
    def code(self) -> str:
        return str(self.declared["code"])

    @property
    def price(self) -> Json | None:
        found: Json | None = self.declared.get("price")
        return found

    @property
    def journeys(self) -> bool:
        """Whether it is used by tapping in and out."""
        return "journey" in self.declared

    @property
    def means(self) -> tuple[str, ...]:
        """The ways to pay, in the order the item names them."""
        return tuple(self.declared.get("means", ("purse",)))

    @property
    def concessions(self) -> list[Json]:
        found: list[Json] = self.declared.get("concession", [])
        return found

    def in_force(self, day: dt.date) -> bool:
        end = self.declared.get("ends_on")
        return bool(self.declared["starts_on"] <= day and (end is None or day < end))

    # --- Prices ---

    def takes_amount(self, amount_fen: int | None) -> bool:
        """Whether an amount named at the point, or none, fits."""
        bounds = (self.price or {}).get("open_fen")
        return amount_fen is None if bounds is None else amount_fen is not None and bounds[0] <= amount_fen <= bounds[1]

    @property
    def most_fen(self) -> int:
        """What a journey costs at most."""
        assert self.price is not None
        if "hourly" in self.price:
            return int(self.price["hourly"]["max_fen"])
        return int(self.price["distance"]["steps"][-1][1])

    def hourly_fen(self, minutes: int) -> int:
        """What a stay of whole minutes costs."""
        assert self.price is not None
        terms = self.price["hourly"]
        charged = max(0, minutes - terms.get("free_minutes", 0))
        return int(min(terms["max_fen"], (charged + 59) // 60 * terms["fen"]))

    def fare_fen(self, start: str, end: str) -> int | None:
        """What the way from one station to another costs; None where there is none."""
        metres = self._metres.get((start, end), FAR)
        if metres >= FAR:
            return None
        steps: list[tuple[int, int]] = (self.price or {})["distance"]["steps"]
        return next((fen for up_to, fen in steps if metres <= up_to), steps[-1][1])

    @property
    def stations(self) -> list[str]:
        """The stations of its table of fares; [] if it has none."""
        lines = (self.price or {}).get("distance", {}).get("line", [])
        return sorted({station for line in lines for station, _ in line["stations"]})

    @cached_property
    def _metres(self) -> dict[tuple[str, str], int]:
        """The shortest ways between all stations (Floyd and Warshall)."""
        metres = {(station, station): 0 for station in self.stations}
        for line in (self.price or {})["distance"]["line"]:
            for (a, at_a), (b, at_b) in itertools.pairwise(line["stations"]):
                nearer = min(abs(at_b - at_a), metres.get((a, b), FAR))
                metres[a, b] = metres[b, a] = nearer
        for by, a, b in itertools.product(self.stations, repeat=3):
            way = metres.get((a, by), FAR) + metres.get((by, b), FAR)
            if way < metres.get((a, b), FAR):
                metres[a, b] = way
        return metres

    # --- What is counted ---

    def rule(self, concession: Json | None = None) -> str:
        """The name under which uses are counted: of the item, or at a concession's terms."""
        return self.code if concession is None else f"{self.code}/{key_of(concession)}"

    @property
    def paid_rule(self) -> str:
        """The name under which the day's fen are counted where a day costs no more than so much."""
        return f"{self.code}#fen"

    def counts(self, concession: Json | None, paid_fen: int, day: dt.date) -> Iterator[tuple[str, str, int]]:
        """(rule, period, how much) of what a use counts against."""
        if limit := self.declared.get("limit"):
            yield self.rule(), period(limit["period"], day), 1
        if concession is not None and (quota := concession.get("quota")):
            yield self.rule(concession), period(quota["period"], day), 1
        if "day_cap_fen" in self.declared and paid_fen:
            yield self.paid_rule, day.isoformat(), paid_fen

    def concession(self, key: str | None) -> Json | None:
        return next((each for each in self.concessions if key_of(each) == key), None)


def key_of(concession: Json) -> str:
    """What a concession is called in answers: its key, else its class or pass."""
    return str(concession.get("key") or concession.get("class") or concession["pass"])


class Terms:
    """Everything that is published: items by code, and the sets of places they name."""

    def __init__(self, items: Sequence[Item], areas: Mapping[str, Sequence[str]]) -> None:
        self.items, self.areas = items, areas

    @classmethod
    def read(cls, folder: Path) -> "Terms":
        """Read a folder as it is published: ``<field>/items/*.toml`` and ``areas.toml``."""
        items = [Item(_toml(path)) for path in sorted(folder.glob("*/items/*.toml"))]
        areas = _toml(folder / "areas.toml")
        return cls(items, {each["code"]: each["places"] for each in areas.get("area_set", ())})

    def item(self, code: str, day: dt.date) -> Item | None:
        """An item as it stands on a day."""
        found = [each for each in self.items if each.code == code and each.in_force(day)]
        return max(found, key=lambda each: each.declared["version"], default=None)

    def codes(self, day: dt.date) -> Collection[str]:
        """The items that stand on a day."""
        return sorted({each.code for each in self.items if each.in_force(day)})

    def holds_for(self, region: str, issuing_place: str, division: str) -> bool:
        """Whether a card of an issuing place is meant by a region, at a point in a division."""
        if region == "all":
            return True
        if region == "local":
            return issuing_place[:4] == division[:4]
        return any(issuing_place.startswith(prefix) for prefix in self.areas[region])


def _toml(path: Path) -> Json:
    with path.open("rb") as file:
        return tomllib.load(file)
