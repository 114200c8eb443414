"""A stranger who reads the published files expects what the product decides: two readings, drawn against each other."""

import datetime as dt
import random
import tomllib
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from onecard import scenarios
from onecard_kit import classes as kit_classes
from onecard_kit import decide as kit
from onecard_kit import item_files, terms
from onecard_kit.decide import Areas, Facts, OpenJourney, Place, Standing
from onecard_kit.verdicts import Verdict
from onecard_simulators import expecting, resident, tariff
from onecard_simulators.resident import Account, Asked, Begun, Expected, Pass, Resident

FOLDER = scenarios.FOLDER
TERMS = tariff.Terms.read(FOLDER)
PUBLISHED = {item.code: item for item in map(item_files.load, sorted(FOLDER.glob("*/items/*.toml")))}
AREAS = Areas({
    each["code"]: tuple(each["places"])
    for each in tomllib.loads((FOLDER / "areas.toml").read_text(encoding="utf-8"))["area_set"]
})  # fmt: skip
DAYS = (dt.date(2026, 3, 11), dt.date(2026, 3, 14), dt.date(2026, 5, 1))
CLASSES = [each.code for each in kit_classes.CLASSES]
ISSUED = ("320600", "320500", "321200", "310000", "110000")
DRAWN = 400


def of(rng: random.Random, *values: Any) -> Any:
    return rng.choice(values)


def mostly(rng: random.Random, usual: Any, *others: Any) -> Any:
    return usual if rng.random() < 0.85 else rng.choice(others)


@dataclass
class Case:
    """The same visit as both know it."""

    asked: Asked
    who: Resident
    facts: Facts


def a_case(item: terms.Item, rng: random.Random) -> Case:
    """A visit at random: of the right kind mostly, so that prices are compared and not only refusals."""
    day, minute, kind = of(rng, *DAYS), rng.randrange(1440), of(rng, *terms.DayKind)
    stations = sorted(item.price.distance.stations) if item.price and item.price.distance else ["P1"]
    begun_at, point = of(rng, *stations), mostly(rng, of(rng, *stations), "P2")
    leg = None
    if item.journey is not None:
        leg = mostly(rng, of(rng, *terms.Leg), None)
    who, facts = _a_holder(item, rng, day)
    journey_key = of(rng, None, *(each.key for each in item.concession))
    travels = leg is terms.Leg.OUT and rng.random() < 0.85
    minutes, changed = rng.randrange(300), rng.random() < 0.4
    if travels:
        who.journeys[item.code] = Begun("", begun_at, journey_key, 0, _seconds(day, minute), _seconds(day, minute))
    changed_minutes = None
    if item.transfer is not None and changed:
        changed_minutes = (minutes if travels else 0) + item.transfer.within_minutes
    hours = of(rng, (), ({"days": ["working", "weekend"], "hours": [["08:00", "17:00"], ["19:00", "24:00"]]},))
    media = mostly(rng, ("code", "card"), ("card",))
    medium = mostly(rng, "code", "card")
    open_fen = item.price.open_fen if item.price else None
    amount_fen = mostly(rng, rng.randrange(1, open_fen[1] + 2) if open_fen else None, 777)
    full, offered, bank = rng.random() < 0.1, rng.random() < 0.95, mostly(rng, "sure", "silent")
    place = resident.Place(point, of(rng, "320613", "320682"), (item.code,) if offered else (), hours, media)
    asked = Asked(
        item.code, place, medium, tariff.Moment(day, kind.value, minute), amount_fen, leg and leg.value, changed,
        minutes, full and item.capacity is not None, bank,
    )  # fmt: skip
    known = {
        "place": Place(
            "active", "active", "active", "active", offered, place.division, point,
            msgspec.convert(hours, tuple[terms.When, ...]), tuple(map(terms.Medium, media)),
        ),
        "medium": terms.Medium(medium), "amount_fen": amount_fen, "day": day, "minute": minute, "day_kind": kind,
        "leg": leg, "changed_minutes_ago": changed_minutes,
        "journey": OpenJourney(begun_at, minutes, journey_key, 0) if travels else None,
        "capacity_used": (10**6 if full else 0),
    }  # fmt: skip
    return Case(asked, who, Facts(**{**facts, **known}))


def _seconds(day: dt.date, minute: int) -> float:
    return dt.datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=tariff.CHINA).timestamp()


def _a_holder(item: terms.Item, rng: random.Random, day: dt.date) -> tuple[Resident, dict[str, Any]]:
    place, state = of(rng, *ISSUED), mostly(rng, "active", "lost", "inactive", "cancelled")
    functions = {name: mostly(rng, "active", "inactive") for name in ("social_security", "financial", "transit")}
    wanted = [each.class_ for each in item.concession if each.class_] + list(item.classes) + CLASSES
    held = [
        (code, day - dt.timedelta(days=rng.randrange(2, 40)), of(rng, None, None, day, day + dt.timedelta(days=1)))
        for code in set(rng.sample(wanted, rng.randrange(4))) - {"everyone"}
    ]
    balance_fen = of(rng, None, rng.randrange(50), rng.randrange(2_000), rng.randrange(100_000))
    room_fen = None if balance_fen is None else 100_000 - balance_fen
    used = {
        (rule, period.of(day)): of(rng, 0, 1, 3, 19, 20, 400, 1400)
        for rule, period in item.counts
        if rng.random() < 0.5
    }
    passes = [
        (day + dt.timedelta(days=rng.randrange(-400, 60)), of(rng, None, day - dt.timedelta(days=rng.randrange(400))))
        for _ in range(rng.randrange(2))
    ]
    account = Account(rng.randrange(300_000)) if rng.random() < 0.6 else None
    orders = {item.code: tuple(rng.sample(["purse", "bank"], 2))} if rng.random() < 0.3 else {}
    who = Resident(
        "", state, functions, place, [(c, a.isoformat(), b and b.isoformat()) for c, a, b in held],
        balance_fen, room_fen, used,
        [Pass("tourism.park_pass", by, 365, starts) for by, starts in passes], orders=orders, account=account,
    )  # fmt: skip
    facts = {
        "item": item, "problem": None, "replayed": False, "standing": Standing(state, functions, place, tuple(held)),
        "quota_used": {rule: count for (rule, _), count in used.items()},
        "purse_free_fen": balance_fen, "purse_room_fen": room_fen, "areas": AREAS,
        "passes": tuple(kit.Pass("p", "tourism.park_pass", by, 365, starts) for by, starts in passes),
        "means": tuple(map(terms.Means, orders[item.code])) if orders else None,
        "bank": None if account is not None else "away",
    }  # fmt: skip
    return who, facts


def decided(case: Case) -> Expected:
    """What the product says, the bank asked in between where it wants to ask."""
    decision = kit.decide(case.facts)
    if decision.ask_bank_fen is not None:
        assert case.who.account is not None
        pays = case.who.account.pays(decision.ask_bank_fen, generous=False)
        said = "silent" if case.asked.bank == "silent" else "approved" if pays else "refused"
        decision = kit.decide(msgspec.structs.replace(case.facts, bank=said))
    told = Expected(
        decision.verdict.value, decision.full_fen, decision.paid_fen, decision.waived_fen, decision.hold_fen,
        decision.concession.key if decision.concession else None,
    )  # fmt: skip
    return told if decision.verdict is Verdict.ADMITTED else Expected(told.verdict)


@pytest.mark.parametrize("code", sorted(PUBLISHED))
def test_both_readings_of_an_item_come_to_the_same(code: str) -> None:
    rng, verdicts = random.Random(code), set()
    for _ in range(DRAWN):
        case = a_case(PUBLISHED[code], rng)
        wanted = decided(case)
        verdicts.add(wanted.verdict)
        assert expecting.expect(TERMS, case.who, case.asked).told == wanted, (case.asked, case.who)
    assert verdicts & {"ADMITTED", "LEGALLY_EXCLUDED"}
    assert len(verdicts) > 3


def test_every_published_item_is_read() -> None:
    assert TERMS.codes(dt.date(2026, 11, 22)) == sorted(PUBLISHED)


@pytest.mark.parametrize(
    ("start", "end", "fen"), [("NT-METRO-S01", "NT-METRO-S07", 500), ("NT-METRO-S13", "NT-METRO-S08", 600)]
)
def test_a_fare_is_by_the_shortest_way(start: str, end: str, fen: int) -> None:
    item = TERMS.item("transit.metro_ride", DAYS[0])
    assert item is not None
    assert (item.fare_fen(start, end), item.fare_fen(end, start), item.fare_fen(start, "nowhere")) == (fen, fen, None)


def test_a_wrong_price_is_found() -> None:
    """A stranger who read another price than the product takes does not expect what it says."""
    wrong = [tariff.Item({**each.declared}) for each in TERMS.items]
    ride = next(each for each in wrong if each.code == "transit.bus_ride")
    ride.declared["price"] = {**ride.declared["price"], "full_fen": 300}
    rng = random.Random(1)
    cases = [a_case(PUBLISHED["transit.bus_ride"], rng) for _ in range(50)]
    misread = tariff.Terms(wrong, TERMS.areas)
    assert any(expecting.expect(misread, case.who, case.asked).told != decided(case) for case in cases)
