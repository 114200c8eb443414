"""`./onecard bench terms`: decisions a second of one process, against the same decisions on items without concessions.

    terms.decide  all items of the scenarios alike often; 200 concessions in all
    terms.price   of these only the items that have a price

The items are those of `scenarios`, filled up to 200 concessions over classes, regions, hours and quotas. The holders
are drawn as the demo city's are. A fold goes over facts that are ready: no database, no code to verify.
"""

import datetime as dt
import gc
import random
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice

from msgspec.structs import replace

from bench.harness import Figure, Sample, interleave, report
from onecard.demo.nantong import PLACE
from onecard.demo.people import people
from onecard.kernel.holders.loading import class_rows
from onecard.scenarios import FOLDER
from onecard_kit import item_files
from onecard_kit.classes import CLASSES
from onecard_kit.decide import Areas, Decision, Facts, OpenJourney, Pass, Place, Standing, decide
from onecard_kit.terms import EVERYONE, Concession, DayKind, Discount, Item, Leg, Medium, Period, Quota, When

RULES = 200
HOLDERS = 4_000
ROUNDS = 7
SECONDS = 1.0
DAY = dt.date(2026, 3, 16)
AREAS = Areas({"yangtze_delta": ("31", "32", "33", "34"), "jiangsu": ("32",), "tong_tai_yan": ("3206", "3212", "3209")})
REGIONS = ("local", "all", *AREAS.places)
HOURS = ((("09:00", "16:00"),), (("00:00", "07:00"), ("19:00", "24:00")))
# Nine in ten cards are the city's own.
ISSUED_AT = (*["320600", "320682", "320681", "320685"] * 9, "320500", "321200", "310000", "360700")


def scenario_items() -> list[Item]:
    return [item_files.load(path) for path in sorted(FOLDER.glob("*/items/*.toml"))]


def filled_up(items: Sequence[Item], rules: int) -> list[Item]:
    """The items with invented concessions in turn on each that has a price, until there are `rules` in all."""
    priced = [item.code for item in items if item.price is not None]
    added: dict[str, list[Concession]] = {code: [] for code in priced}
    missing = rules - sum(len(item.concession) for item in items)
    for n, code in islice(enumerate(cycle(priced)), missing):
        added[code].append(invented(n))
    return [replace(item, concession=(*item.concession, *added.get(item.code, ()))) for item in items]


def invented(n: int) -> Concession:
    """The n-th of a row of concessions over all classes and regions; one in three has hours, one in four a quota."""
    classes = (EVERYONE, *(each.code for each in CLASSES))
    return Concession(
        class_=classes[n % len(classes)],
        key=f"invented_{n}",
        region=REGIONS[n % len(REGIONS)],
        when=When(days=(DayKind.WORKING,), hours=HOURS[n % len(HOURS)]) if n % 3 == 0 else None,
        quota=Quota(count=1 + n % 5, period=list(Period)[n % len(Period)]) if n % 4 == 0 else None,
        price=Discount(percent=98 - n % 60),
        funded_by="operator",
    )


def standings(rng: random.Random) -> list[Standing]:
    """Cards of the demo city's people, with the classes that follow from birth dates and certificates."""
    active = {"social_security": "active", "financial": "active", "transit": "active"}
    found = []
    for person in people(HOLDERS, 1, DAY):
        rows = class_rows(0, person.birth_date, list(enumerate(person.certificates)))
        classes = tuple((code, start, end) for _, code, start, end, _ in rows)
        found.append(Standing("active", active, rng.choice(ISSUED_AT), classes))
    return found


def uses(items: Sequence[Item], rng: random.Random) -> Iterator[Facts]:
    """A use of each item in turn, by one holder after the other; journeys are begun and ended alike often."""
    for standing in standings(rng):
        for item in items:
            yield use_of(item, standing, rng)


def use_of(item: Item, standing: Standing, rng: random.Random) -> Facts:
    price, stations = item.price, [""]
    if price is not None and price.distance is not None:
        stations = sorted(price.distance.stations)
    leg, journey = None, None
    if item.journey is not None:
        leg = rng.choice(list(Leg))
        journey = OpenJourney(rng.choice(stations), rng.randrange(5, 200), None, 0) if leg is Leg.OUT else None
    sold_by = next((each.pass_ for each in item.concession if each.pass_), None)
    facts = Facts(
        place=Place("active", "active", "active", "active", True, PLACE, rng.choice(stations)),
        item=item,
        medium=Medium.CODE,
        amount_fen=rng.randint(*price.open_fen) if price is not None and price.open_fen is not None else None,
        problem=None,
        replayed=False,
        standing=standing,
        day=DAY,
        quota_used={rule: rng.randrange(3) for rule, _ in item.counts},
        purse_free_fen=90_000,
        purse_room_fen=90_000,
        minute=rng.randrange(360, 1320),
        day_kind=rng.choice([*[DayKind.WORKING] * 5, DayKind.WEEKEND, DayKind.HOLIDAY]),
        areas=AREAS,
        leg=leg,
        passes=(Pass("1", sold_by, DAY, 365, DAY),) if sold_by and rng.random() < 0.1 else (),
        capacity_used=0,
        changed_minutes_ago=rng.randrange(240) if item.transfer else None,
    )
    if journey is None:
        return facts
    begun = decide(replace(facts, leg=Leg.IN)).concession
    return replace(facts, journey=replace(journey, concession=begun.key if begun else None))


def without_rules(facts: Sequence[Facts], items: Sequence[Item]) -> list[Facts]:
    """The same uses of the same items, when these declare no concession."""
    bare = {item.code: replace(item, concession=()) for item in items}
    found = []
    for each in facts:
        assert each.item is not None
        journey = replace(each.journey, concession=None) if each.journey is not None else None
        found.append(replace(each, item=bare[each.item.code], journey=journey))
    return found


def folding(facts: Sequence[Facts]) -> Callable[[], Sample]:
    """A round: decide all of them again and again for some seconds."""

    def fold() -> Sample:
        decided, cpu_s, started = 0, time.process_time(), time.perf_counter()
        while time.perf_counter() - started < SECONDS:
            for each in facts:
                decide(each)
            decided += len(facts)
        took_s = time.perf_counter() - started
        return Sample(decided / took_s, (time.process_time() - cpu_s) / decided * 1e6)

    return fold


def measure(rounds: int = ROUNDS) -> list[Figure]:
    """Both figures. What lives through a round is taken out of the collector's sight, as a long-lived process's is."""
    items = filled_up(scenario_items(), RULES)
    facts = list(uses(items, random.Random(1)))
    bare = without_rules(facts, items)
    gc.freeze()
    return [_figure("terms.decide", facts, bare, rounds), _figure("terms.price", _priced(facts), _priced(bare), rounds)]


def _priced(facts: Sequence[Facts]) -> list[Facts]:
    return [each for each in facts if each.item is not None and each.item.price is not None]


def _figure(name: str, facts: Sequence[Facts], bare: Sequence[Facts], rounds: int) -> Figure:
    given = [decide(each) for each in facts]
    items = {each.item.code: each.item for each in facts if each.item is not None}
    return interleave(
        name, folding(facts), folding(bare), rounds,
        limit_is="the same decisions on the same items without concessions",
        items=len(items), rules=sum(len(item.concession) for item in items.values()), holders=HOLDERS,
        admitted=_share(given, lambda each: each.verdict == "ADMITTED"),
        with_a_concession=_share(given, lambda each: each.concession is not None),
    )  # fmt: skip


def _share(decisions: Sequence[Decision], holds: Callable[[Decision], bool]) -> float:
    return round(sum(map(holds, decisions)) / len(decisions), 3)


def main(arguments: list[str]) -> int:
    report(measure(), "--json" in arguments)
    return 0
