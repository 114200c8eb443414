"""What must hold between items, areas, registers and points: decided on plain values."""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from onecard_kit.expected import Expected
from onecard_kit.item_files import Fault
from onecard_kit.terms import ALL, LOCAL, DayKind, Item, Level, When

RANK = {level: n for n, level in enumerate(Level)}
AreaSets = Mapping[str, tuple[str, ...]]


class Span(NamedTuple):
    """The days of a version: from `starts_on` to before `ends_on`, None where it is open. `fixed` once published."""

    version: int
    starts_on: dt.date
    ends_on: dt.date | None
    fixed: bool = False


@dataclass(frozen=True)
class Known:
    """What a declaration may point to: items by code as they will stand, registers, divisions (GB/T 2260)."""

    items: Mapping[str, Item]
    area_sets: AreaSets
    legal_bases: Collection[str]
    divisions: Collection[str]


class PointFacts(NamedTuple):
    """What a point has: `hours` empty is always open, `attended` whether a terminal has staff beside it."""

    code: str
    division: str
    hours: tuple[When, ...]
    media: frozenset[str]
    attended: bool


class Lack(NamedTuple):
    """Why a point cannot offer an item: a stable code, and what is missing."""

    code: str
    zh: str
    en: str


# --- Areas ------------------------------------------------------------------------------------------------------------


def prefixes_of(level: Level, area: str, area_sets: AreaSets) -> tuple[str, ...]:
    """The prefixes of divisions that an area takes in."""
    if level is Level.REGION:
        return area_sets.get(area, ())
    return (area[: {Level.PROVINCE: 2, Level.CITY: 4, Level.COUNTY: 6}[level]],)


def division_prefix(division: str) -> str:
    """What all divisions inside one begin with: `3206` for 320600, `320682` for itself."""
    if division.endswith("0000"):
        return division[:2]
    return division[:4] if division.endswith("00") else division


def lies_in(division: str, prefixes: Sequence[str]) -> bool:
    """Whether a division is inside one of the prefixes."""
    return any(division_prefix(division).startswith(prefix) for prefix in prefixes)


def serves(item: Item, division: str, area_sets: AreaSets) -> bool:
    """Whether an item is live in a division: inside its area, and in a pilot area where it has any."""
    if not lies_in(division, prefixes_of(item.level, item.area, area_sets)):
        return False
    return not item.pilot_areas or lies_in(division, [division_prefix(area) for area in item.pilot_areas])


# --- Declarations among others ----------------------------------------------------------------------------------------


def faults(item: Item, known: Known) -> Iterator[Fault]:
    """What is wrong with an item among all others, in file order: (path, what was expected)."""
    yield from _register_faults(item, known)
    yield from _area_faults(item, known)
    yield from _extends_faults(item, known)
    yield from _reference_faults(item, known)


def _register_faults(item: Item, known: Known) -> Iterator[Fault]:
    for n, code in enumerate(item.legal_basis):
        if code not in known.legal_bases:
            yield (
                f"$.legal_basis[{n}]",
                Expected(
                    f"没有法规依据 {code}，应为法规依据登记表中的代码",
                    f"unknown legal basis {code}; expected a code of the register of legal bases",
                ),
            )
    if item.excluded is not None and item.excluded.basis not in known.legal_bases:
        yield (
            "$.excluded.basis",
            Expected(f"没有法规依据 {item.excluded.basis}", f"unknown legal basis {item.excluded.basis}"),
        )
    regions = [("$.region", item.region)]
    regions += [(f"$.concession[{n}].region", each.region) for n, each in enumerate(item.concession)]
    for path, region in regions:
        if region not in (LOCAL, ALL) and region not in known.area_sets:
            yield (
                path,
                Expected(
                    f"没有区域集合 {region}，应为 {LOCAL}、{ALL} 或其中之一：{_list(known.area_sets)}",
                    f"unknown area set {region}; expected {LOCAL}, {ALL} or one of {_list(known.area_sets)}",
                ),
            )


def _area_faults(item: Item, known: Known) -> Iterator[Fault]:
    if item.level is Level.REGION:
        if item.area not in known.area_sets:
            yield (
                "$.area",
                Expected(
                    f"没有区域集合 {item.area}，应为其中之一：{_list(known.area_sets)}",
                    f"unknown area set {item.area}; expected one of {_list(known.area_sets)}",
                ),
            )
            return
    elif item.area not in known.divisions or len(division_prefix(item.area)) != 2 * RANK[item.level]:
        yield (
            "$.area",
            Expected(
                f"应为 {item.level} 一级的行政区划（GB/T 2260），现为 {item.area or '空'}",
                f"expected a division of the level {item.level} (GB/T 2260), not {item.area or 'nothing'}",
            ),
        )
        return
    prefixes = prefixes_of(item.level, item.area, known.area_sets)
    for n, area in enumerate(item.pilot_areas):
        if area not in known.divisions or not lies_in(area, prefixes):
            yield (
                f"$.pilot_areas[{n}]",
                Expected(
                    f"应为 {item.area} 之内的行政区划，现为 {area}",
                    f"expected a division inside {item.area}, not {area}",
                ),
            )


def _extends_faults(item: Item, known: Known) -> Iterator[Fault]:
    if item.extends is None:
        return
    round_trip = _cycle(item, known)
    upper = known.items.get(item.extends)
    if upper is None:
        yield "$.extends", Expected(f"没有应用项目 {item.extends}", f"unknown item {item.extends}")
    elif round_trip:
        yield (
            "$.extends",
            Expected(
                f"不应绕回自身：{' → '.join(round_trip)}", f"expected no way back to itself: {' → '.join(round_trip)}"
            ),
        )
    elif RANK[upper.level] >= RANK[item.level]:
        yield (
            "$.extends",
            Expected(
                f"应为层级高于 {item.level} 的项目：{upper.code} 的层级是 {upper.level}",
                f"expected an item of a higher level than {item.level}: {upper.code} is of {upper.level}",
            ),
        )
    elif not _nested(item, upper, known.area_sets):
        yield (
            "$.area",
            Expected(
                f"应为 {upper.code} 的地区 {upper.area} 之内的地方",
                f"expected a place inside {upper.area}, the area of {upper.code}",
            ),
        )


def _cycle(item: Item, known: Known) -> list[str]:
    """The way from an item back to itself, or []."""
    way = [item.code]
    upper = item.extends
    while upper is not None and upper in known.items:
        way.append(upper)
        if upper == item.code:
            return way
        if upper in way[:-1]:
            return []  # a circle further up, told where it begins
        upper = known.items[upper].extends
    return []


def _nested(item: Item, upper: Item, area_sets: AreaSets) -> bool:
    outer = prefixes_of(upper.level, upper.area, area_sets)
    return all(inner.startswith(outer) for inner in prefixes_of(item.level, item.area, area_sets))


def _reference_faults(item: Item, known: Known) -> Iterator[Fault]:
    for n, concession in enumerate(item.concession):
        if concession.pass_ is None:
            continue
        seller = known.items.get(concession.pass_)
        if seller is None or seller.pass_ is None:
            yield (
                f"$.concession[{n}].pass",
                Expected(
                    f"应为出售套票的项目，现为 {concession.pass_}",
                    f"expected an item that sells a pass, not {concession.pass_}",
                ),
            )
    for n, code in enumerate(item.transfer.after if item.transfer else ()):
        if code not in known.items:
            yield f"$.transfer.after[{n}]", Expected(f"没有应用项目 {code}", f"unknown item {code}")


def _list(names: Collection[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def overlapping(new: Span, others: Collection[Span]) -> Span | None:
    """The version that a new one shares a day with.

    One that is open ends where one with a higher number begins; but a version that was published does not make way
    for one that is to begin before it.
    """
    for other in others:
        if other.version == new.version or not _lasts(new, other):
            continue
        first, second = sorted((new, other), key=lambda span: (span.starts_on, span.version))
        if first.ends_on is not None and first.ends_on <= second.starts_on:
            continue
        makes_way = first.ends_on is None and first.version < second.version and first.starts_on < second.starts_on
        if not makes_way or second.fixed:
            return other
    return None


def _lasts(*spans: Span) -> bool:
    """Whether each has a day at all: one withdrawn before it began has none."""
    return all(span.ends_on is None or span.starts_on < span.ends_on for span in spans)


# --- Points -----------------------------------------------------------------------------------------------------------


def lacking(item: Item, point: PointFacts, area_sets: AreaSets) -> list[Lack]:
    """What a point lacks to offer an item; [] where it may."""
    return [lack for lack in _lacks(item, point, area_sets) if lack is not None]


def _lacks(item: Item, point: PointFacts, area_sets: AreaSets) -> Iterator[Lack | None]:
    yield _area_lack(item, point, area_sets)
    needs = item.needs
    if needs is not None and needs.attended and not point.attended:
        yield Lack("OFFER_UNATTENDED", "没有有人值守的终端", "no terminal with staff beside it")
    missing = [medium for medium in (needs.media if needs else ()) if medium not in point.media]
    if missing:
        told = ", ".join(missing)
        yield Lack("OFFER_MEDIA", f"终端不能读取：{told}", f"terminals that read {told}")
    elif not point.media.intersection(item.media):
        told = ", ".join(item.media)
        yield Lack("OFFER_MEDIA", f"终端不能读取：{told}", f"terminals that read any of {told}")
    if needs is not None and needs.when is not None and not opens_for(point.hours, needs.when):
        zh, en = _when_words(needs.when)
        yield Lack("OFFER_HOURS", f"开放时间未覆盖 {zh}", f"opening hours that cover {en}")
    if item.price is not None and item.price.distance is not None and point.code not in item.price.distance.stations:
        yield Lack("OFFER_NO_FARE", "票价表中没有本站", "a place in the item's table of fares")


def _area_lack(item: Item, point: PointFacts, area_sets: AreaSets) -> Lack | None:
    if not lies_in(point.division, prefixes_of(item.level, item.area, area_sets)):
        return Lack("OFFER_OUTSIDE_AREA", f"不在适用区域 {item.area} 内", f"a place inside {item.area}")
    if not serves(item, point.division, area_sets):
        told = ", ".join(item.pilot_areas)
        return Lack("OFFER_OUTSIDE_PILOT", f"不在试点地区 {told} 内", f"a place inside the pilot areas {told}")
    return None


def opens_for(hours: tuple[When, ...], wanted: When) -> bool:
    """Whether opening hours cover all of a time; several entries for one kind of day add up."""
    return not hours or all(_opens_on(hours, kind, wanted) for kind in wanted.days)


def _opens_on(hours: tuple[When, ...], kind: DayKind, wanted: When) -> bool:
    entries = [entry for entry in hours if kind in entry.days]
    if not entries:
        return False
    windows = () if any(not entry.hours for entry in entries) else tuple(w for entry in entries for w in entry.hours)
    return When(days=(kind,), hours=windows).covers(When(days=(kind,), hours=wanted.hours))


def _when_words(when: When) -> tuple[str, str]:
    names = {DayKind.WORKING: "工作日", DayKind.WEEKEND: "周末", DayKind.HOLIDAY: "节假日"}
    hours = ", ".join(f"{start}–{end}" for start, end in when.hours) or "00:00–24:00"
    return f"{'、'.join(names[kind] for kind in when.days)} {hours}", f"{', '.join(when.days)} {hours}"
