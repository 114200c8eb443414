"""The rhythm of a city's day: who goes where at which minute, drawn before anything is played.

The same people, places, day and seed give the same plan. Minutes are those of the day that is played; what the server
says goes by the minute at which it is asked, so the plan mostly chooses points that are open then.
"""

import datetime as dt
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from onecard_simulators.resident import Place
from onecard_simulators.tariff import Item, Moment, Terms, holds
from onecard_simulators.visits import Doors, Holder

FIRST, LAST = 5 * 60 + 30, 23 * 60 + 30
# Shares of people who try what is not for them, who stand before a closed door, and who forget to tap out.
STRAY, CLOSED, FORGETFUL = 0.04, 0.06, 0.05
LEAST = 5
TOPUP_FEN = (1_000, 20_000)


class Step(NamedTuple):
    """One visit of somebody's day. `back`: they think better of it and have it given back, if they were admitted."""

    minute: int
    who: int
    item: str
    point: str
    leg: str | None = None
    amount_fen: int | None = None
    back: bool = False


class Peak(NamedTuple):
    """When many go: the hour, how far around it, and with what weight."""

    hour: float
    spread_h: float
    weight: int


COMMUTE = (Peak(7.5, 0.6, 50), Peak(12.5, 2.5, 25), Peak(17.6, 0.8, 25))
LEISURE = (Peak(9.8, 1.3, 45), Peak(14.5, 1.8, 45), Peak(18.5, 1.2, 10))
MORNING = (Peak(8.8, 1.0, 80), Peak(14.2, 0.8, 20))
SCHOOL = (Peak(7.4, 0.3, 100),)
MEALS = (Peak(7.6, 0.4, 15), Peak(12.0, 0.4, 70), Peak(17.9, 0.4, 15))
OFFICE = (Peak(9.8, 0.8, 55), Peak(14.8, 0.9, 45))
EVENING = (Peak(20.0, 1.5, 75), Peak(15.0, 1.5, 25))
SHOPPING = (Peak(10.5, 1.3, 30), Peak(15.0, 1.8, 20), Peak(18.3, 1.2, 50))
OUTINGS = (Peak(9.6, 1.4, 40), Peak(13.8, 2.0, 40), Peak(18.0, 1.5, 20))
# What becomes of them on a day off.
ON_DAYS_OFF = {COMMUTE: OUTINGS, SCHOOL: OUTINGS, OFFICE: LEISURE, SHOPPING: OUTINGS}


@dataclass(frozen=True)
class Draw:
    """What an errand is made of: the item, where it is offered, chance, who sets out when, and whether people work."""

    item: Item
    points: Callable[[str], str]
    rng: random.Random
    who: int
    minute: int
    works: bool

    def step(self, after: int = 0, *, item: str | None = None, point: str | None = None, back: float = 0.0) -> Step:
        """A visit so many minutes after setting out; with a chance of `back` it is given back."""
        code = item or self.item.code
        return Step(
            self.minute + after, self.who, code, point or self.points(code), None, None, self.rng.random() < back
        )  # fmt: skip


Errand = Callable[[Draw], Iterator[Step]]


def once(draw: Draw) -> Iterator[Step]:
    """Go there."""
    yield draw.step(back=0.02 if draw.item.price else 0.0)


def enter(draw: Draw) -> Iterator[Step]:
    """Go in where places are counted; a few think better of it and their place is given back."""
    yield draw.step(back=0.02)


def there_and_back(draw: Draw) -> Iterator[Step]:
    """A ride, and mostly a ride home: who left early for work comes home from it, others after an hour or two."""
    yield draw.step(back=0.01)
    if draw.rng.random() < 0.8:
        to_work = draw.works and draw.minute < 9 * 60
        away_h = draw.rng.gauss(9.8, 0.8) if to_work else draw.rng.uniform(1, 4)
        yield draw.step(round(away_h * 60))


def in_and_out(draw: Draw) -> Iterator[Step]:
    """School: in at the bell, out in the afternoon."""
    yield draw.step()
    yield draw.step(round(draw.rng.gauss(9.2, 0.5) * 60))


def journey(draw: Draw) -> Iterator[Step]:
    """From a station to another. Some come by bus and change; some never tap out."""
    rng, start, end = draw.rng, draw.points(draw.item.code), draw.points(draw.item.code)
    if rng.random() < 0.25:
        yield draw.step(-12, item="transit.bus_ride")
    yield draw.step(point=start)._replace(leg="in")
    if rng.random() >= FORGETFUL:
        yield draw.step(rng.randrange(8, 50), point=end, back=0.02)._replace(leg="out")


def look_in(draw: Draw) -> Iterator[Step]:
    """In, and out again within the minutes that cost nothing. Who stays for hours came before the day is played."""
    inside = draw.step()
    yield inside._replace(leg="in")
    if draw.rng.random() >= FORGETFUL:
        yield draw.step(draw.rng.randrange(2, 9), point=inside.point, back=0.02)._replace(leg="out")


def fill_up(draw: Draw) -> Iterator[Step]:
    """A top-up of so many whole five yuan."""
    least_fen, most_fen = TOPUP_FEN
    yield draw.step(back=0.01)._replace(amount_fen=draw.rng.randrange(least_fen, most_fen + 1, 500))


def buy(draw: Draw) -> Iterator[Step]:
    """A purchase: mostly small, sometimes for the bank account, now and then for more than most accounts hold."""
    rng = draw.rng
    most_fen = (draw.item.price or {}).get("open_fen", (1, 10_000))[1]
    usual_fen = round(rng.lognormvariate(8.0, 0.9))
    amount_fen = rng.randrange(most_fen // 3, most_fen + 1) if rng.random() < 0.12 else usual_fen
    yield draw.step(back=0.05)._replace(amount_fen=max(1, min(most_fen, amount_fen)))


def pass_and_use(draw: Draw) -> Iterator[Step]:
    """Buy a pass and walk in with it, once or twice."""
    yield draw.step()
    for after in (10, 200)[: draw.rng.randrange(1, 3)]:
        yield draw.step(after, item="tourism.scenic_entry")


class Habit(NamedTuple):
    """What people go out for: per mille of the visits of a working day and of a day off, when, how, and who."""

    item: str
    working: int
    off: int
    peaks: tuple[Peak, ...]
    errand: Errand = once
    classes: tuple[str, ...] = ()


HABITS = (
    Habit("transit.bus_ride", 300, 240, COMMUTE, there_and_back),
    Habit("transit.metro_ride", 150, 130, COMMUTE, journey),
    Habit("transit.ferry_ride", 20, 40, LEISURE, there_and_back),
    Habit("payments.purse_topup", 55, 55, SHOPPING, fill_up),
    Habit("payments.shop_purchase", 80, 120, SHOPPING, buy),
    Habit("culture.library_entry", 40, 65, LEISURE, enter),
    Habit("culture.haian_library_entry", 5, 10, LEISURE, enter),
    Habit("culture.museum_entry", 12, 45, LEISURE, enter),
    Habit("culture.sports_hall_visit", 25, 45, EVENING, look_in),
    Habit("tourism.scenic_entry", 12, 60, LEISURE, once),
    Habit("tourism.park_pass", 6, 20, LEISURE, pass_and_use),
    Habit("living.canteen_meal", 40, 12, MEALS, once, ("office_staff",)),
    Habit("living.lodging_registration", 8, 16, EVENING),
    Habit("education.campus_entry", 70, 6, SCHOOL, in_and_out, ("student", "teacher")),
    Habit("health.registration", 36, 16, MORNING),
    Habit("health.pharmacy_purchase", 30, 30, SHOPPING, buy),
    Habit("protection.elder_care_visit", 14, 12, MORNING, once, ("senior_60", "senior_70")),
    Habit("government.window_identity", 16, 2, OFFICE),
    Habit("government.sign_on", 25, 14, OFFICE),
)
# What is published besides: tried now and then, in office hours.
OTHER = (2, 1, OFFICE)


@dataclass(frozen=True)
class City:
    """What the plan is drawn from: people, points and what they take at most, terms, the moment of the play."""

    people: Sequence[Holder]
    places: Mapping[str, Place]
    doors: Mapping[tuple[str, str], Doors]
    terms: Terms
    now: Moment


def plan(city: City, uses: int, rng: random.Random) -> list[Step]:
    """About so many visits of a day, in the order of their minutes."""
    steps = [step for habit in habits(city) for step in _of_habit(habit, city, uses, rng)]
    inside = [step._replace(minute=max(FIRST, min(LAST, step.minute))) for step in steps]
    return sorted(inside, key=lambda step: step.minute)  # who does two things in a minute does them as drawn


def habits(city: City) -> list[Habit]:
    """What people go out for in this city: everything that is offered somewhere."""
    offered = {item for place in city.places.values() for item in place.items}
    known = {habit.item for habit in HABITS}
    others = [Habit(code, *OTHER) for code in city.terms.codes(city.now.day) if code not in known]
    return [habit for habit in (*HABITS, *others) if habit.item in offered]


def _of_habit(habit: Habit, city: City, uses: int, rng: random.Random) -> Iterator[Step]:
    item = city.terms.item(habit.item, city.now.day)
    if item is None or not city.people:
        return
    going = [n for n, each in enumerate(city.people) if _goes(each, item, habit.classes, city.now.day)]
    works = city.now.kind == "working"
    per_mille, peaks = (habit.working, habit.peaks) if works else (habit.off, ON_DAYS_OFF.get(habit.peaks, habit.peaks))
    leaving = list(_leaving(city, item.code, peaks, rng))
    yield from leaving
    wanted = max(LEAST, uses * per_mille // 1000)
    done = min(len(leaving), wanted - LEAST)
    while done < wanted:
        strays = not going or (done >= LEAST and rng.random() < STRAY)
        who = rng.randrange(len(city.people)) if strays else rng.choice(going)
        closed = CLOSED if done >= LEAST else 0.0
        draw = Draw(item, partial(_point, city, rng, closed), rng, who, _minute(peaks, rng), works)
        for step in habit.errand(draw):
            done += step.item == habit.item
            yield step


def _leaving(city: City, item: str, peaks: Sequence[Peak], rng: random.Random) -> Iterator[Step]:
    """Who is inside when the day begins leaves in its course, where they came in; some forget to tap out."""
    for n, each in enumerate(city.people):
        begun = each.resident.journeys.get(item)
        if begun is not None and rng.random() >= FORGETFUL:
            yield Step(_minute(peaks, rng), n, item, begun.point, "out", back=rng.random() < 0.02)


def _goes(holder: Holder, item: Item, classes: Sequence[str], day: dt.date) -> bool:
    resident, function = holder.resident, item.declared.get("function")
    if holder.medium not in item.declared.get("media", ("code", "card")):
        return False
    if (function is not None and resident.functions[function] != "active") or (
        item.price and resident.room_fen is None
    ):
        return False
    return not classes or any(resident.counts_as(each, day) for each in classes)


def _minute(peaks: Sequence[Peak], rng: random.Random) -> int:
    peak = rng.choices(peaks, [each.weight for each in peaks])[0]
    return round(rng.gauss(peak.hour, peak.spread_h) * 60)


def _point(city: City, rng: random.Random, closed: float, item: str) -> str:
    """A point that offers an item and is open now; with a chance of `closed` any, be its door closed."""
    offering = [place for place in city.places.values() if item in place.items]
    opened = [place for place in offering if not place.hours or any(holds(each, city.now) for each in place.hours)]
    chosen = opened if opened and rng.random() >= closed else offering
    return rng.choices(chosen, [_draws(city, place, item) for place in chosen])[0].code


def _draws(city: City, place: Place, item: str) -> float:
    """How strongly a point draws people: one that takes many draws more than one that takes few."""
    door = city.doors.get((place.code, item))
    return 1.0 if door is None else math.sqrt(door.most)
