"""Items and facts of the decision's tests: an admissible base of which a test changes only what it is about."""

import datetime as dt
from typing import Any

from msgspec.structs import replace

from onecard_kit.decide import Areas, Facts, OpenJourney, Pass, Place, Standing
from onecard_kit.fares import Distance, Hourly, Line
from onecard_kit.terms import (
    Bilingual,
    Concession,
    Discount,
    Function,
    Item,
    Journey,
    Leg,
    Medium,
    PassTerms,
    Period,
    Price,
    Quota,
)

DAY = dt.date(2026, 3, 1)
YESTERDAY, TOMORROW = DAY - dt.timedelta(days=1), DAY + dt.timedelta(days=1)
RIDE = Price(payer="holder.purse", payee="operator.receivable", full_fen=200)
TOPUP = Price(payer="bank.clearing", payee="holder.purse", full_fen=200)
# A line of three stations, and one that is not joined to it.
FARES = Distance(
    steps=((4000, 200), (8000, 300), (16000, 400)),
    line=(
        Line(code="1", stations=(("west", 0), ("middle", 3000), ("east", 9000))),
        Line(code="2", stations=(("north", 0), ("south", 2000))),
    ),
)
BY_DISTANCE = Price(payer="holder.purse", payee="operator.receivable", distance=FARES)
BY_THE_HOUR = Price(
    payer="holder.purse", payee="operator.receivable", hourly=Hourly(fen=500, max_fen=2000, free_minutes=15)
)
JOURNEY = Journey(ends_after_hours=4)
AREAS = Areas(
    {"tong_tai_yan": ("3206", "3212", "3209"), "yangtze_delta": ("31", "32", "33", "34"), "rugao": ("320682",)}
)
ITEM = Item(
    code="transit.bus_ride",
    version=1,
    starts_on=DAY,
    name=Bilingual(zh="公交乘车", en="Bus ride"),
    legal_basis=("test",),
    function=Function.TRANSIT,
    limit=Quota(count=3, period=Period.DAY),
    price=RIDE,
)
METRO = replace(ITEM, code="transit.metro_ride", limit=None, price=BY_DISTANCE, journey=JOURNEY)
HALL = replace(ITEM, code="culture.sports_hall", function=None, limit=None, price=BY_THE_HOUR, journey=JOURNEY)
YEAR_PASS = PassTerms(activate_within_days=30, lasts_days=365)
BASE = Facts(
    place=Place("active", "active", "active", "active", True, "320600", "west"),
    item=ITEM,
    medium=Medium.CODE,
    amount_fen=None,
    problem=None,
    replayed=False,
    standing=Standing("active", {"transit": "active", "financial": "active"}, "320682", ()),
    day=DAY,
    purse_free_fen=200,
    purse_room_fen=200,
    areas=AREAS,
)


def facts(changes: dict[str, Any], base: Facts = BASE) -> Facts:
    """The base with some facts changed: a key is a fact, or a field inside one (``item.price``)."""
    changed = replace(base, **{key: value for key, value in changes.items() if "." not in key})
    for key, value in changes.items():
        fact, _, field = key.partition(".")
        if field:
            changed = replace(changed, **{fact: replace(getattr(changed, fact), **{field: value})})
    return changed


def with_item(**changes: Any) -> Facts:
    """The base with parts of its item changed."""
    return facts({f"item.{key}": value for key, value in changes.items()})


def a_concession(class_: str | None = "everyone", percent: int | None = 50, **changes: Any) -> Concession:
    """Half price for everyone wherever the card was issued, at the city's expense."""
    told = {"price": Discount(percent=percent), "funded_by": "treasury.city", "region": "all", **changes}
    return Concession(class_=class_, **told)


def holding(*classes: tuple[str, dt.date, dt.date | None], **changes: Any) -> Facts:
    """The base for a holder of classes, without a limit."""
    assert BASE.standing is not None
    return replace(with_item(limit=None, **changes), standing=replace(BASE.standing, classes=classes))


def tapping_in(item: Item = METRO, **changes: Any) -> Facts:
    """A journey's beginning at the station in the west, with enough in the purse."""
    return facts({"item": item, "leg": Leg.IN, "purse_free_fen": 10_000, **changes})


def tapping_out(
    item: Item = METRO, point: str = "east", minutes: int = 20, concession: str | None = None, **changes: Any
) -> Facts:
    """The end of a journey that began in the west, with the most it can cost held."""
    journey = OpenJourney("west", minutes, concession, item.price.most_fen if item.price else 0)
    return facts({"item": item, "leg": Leg.OUT, "journey": journey, "place.point": point, **changes})


def a_pass(**changes: Any) -> Pass:
    """A year's pass in use since the base's day."""
    made = Pass("1", "tourism.year_pass", DAY, 365, DAY, None)
    return replace(made, **changes)
