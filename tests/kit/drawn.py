"""Whatever an item may declare and a use may be, for properties: items, concessions and facts drawn at random."""

import datetime as dt
from itertools import combinations
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace
from tests.kit.builders import AREAS, BASE, BY_DISTANCE, BY_THE_HOUR, DAY, ITEM, JOURNEY, YEAR_PASS, a_pass

from onecard_kit.classes import CLASSES
from onecard_kit.decide import Facts, OpenJourney, Standing
from onecard_kit.terms import (
    BORNE_BY_OPERATOR,
    Bilingual,
    Concession,
    DayKind,
    Discount,
    Excluded,
    Function,
    Item,
    Leg,
    Means,
    Medium,
    Period,
    Price,
    Quota,
    Transfer,
    When,
)
from onecard_kit.verdicts import Verdict

CODES = [each.code for each in CLASSES[:4]]
POINTS = ["west", "middle", "east", "north", "elsewhere"]
PASSES = ["tourism.year_pass", "culture.year_pass"]
# For every holder at every hour, without a limit.
FREELY = replace(ITEM, limit=None, function=None)
FREE = Price(payer="holder.purse", payee="operator.receivable", full_fen=0)

clock_times = ("00:00", "06:30", "11:59", "12:00", "12:01", "19:00", "24:00")
windows = st.sampled_from(list(combinations(clock_times, 2)))
whens = st.builds(
    When,
    days=st.lists(st.sampled_from(DayKind), min_size=1, max_size=3, unique=True).map(tuple),
    hours=st.lists(windows, max_size=2).map(tuple),
)
quotas = st.builds(Quota, count=st.integers(1, 3), period=st.sampled_from(Period))
discounts = st.one_of(
    st.builds(Discount, percent=st.integers(0, 100)),
    st.builds(Discount, percent=st.integers(0, 100), off_fen_max=st.integers(1, 400)),
    st.builds(Discount, cap_fen=st.integers(0, 600)),
)
fixed = st.builds(Discount, fixed_fen=st.integers(0, 600))
regions = st.sampled_from(["local", "all", *AREAS.places, "never_declared"])
words = st.just(Bilingual(zh="说明", en="note"))


@st.composite
def concession_lists(
    draw: st.DrawFn, price: Price | None, passes: bool = True, least: int = 0
) -> tuple[Concession, ...]:
    """Concessions with keys of their own; a fixed price only where the full price is always the same."""
    ways = discounts | fixed if price is not None and price.full_fen is not None else discounts
    made = []
    for n in range(draw(st.integers(least, 5))):
        sold_by = draw(st.sampled_from([None, None, *PASSES])) if passes else None
        made.append(Concession(
            class_=None if sold_by else draw(st.sampled_from(["everyone", *CODES])), pass_=sold_by, key=f"key_{n}",
            price=draw(ways), funded_by=draw(st.sampled_from(["treasury.city", BORNE_BY_OPERATOR])),
            region=draw(regions), when=draw(st.none() | whens), quota=draw(st.none() | quotas),
            note=draw(st.none() | words),
        ))  # fmt: skip
    return tuple(made)


conditions = st.fixed_dictionaries(
    {
        "limit": st.none() | quotas,
        "capacity": st.none() | quotas,
        "function": st.none() | st.sampled_from(Function),
        "media": st.sampled_from([(Medium.CODE, Medium.CARD), (Medium.CODE,)]),
        "classes": st.sampled_from([(), (), tuple(CODES[:2])]),
        "region": st.sampled_from(["all", "all", "local"]),
        "when": st.none() | whens,
    }
)


@st.composite
def items(draw: st.DrawFn) -> Item:
    """An item as a file could declare it."""
    price = draw(st.sampled_from([
        None, FREE, Price(payer="holder.purse", payee="operator.receivable", full_fen=draw(st.integers(1, 1000))),
        Price(payer="holder.purse", payee="operator.receivable", open_fen=(1, 1000)), BY_DISTANCE, BY_THE_HOUR,
        Price(payer="bank.clearing", payee="holder.purse", open_fen=(1, 1000)),
    ]))  # fmt: skip
    journey = price is not None and (price.distance is not None or price.hourly is not None)
    from_holder = price is not None and price.payer == "holder.purse"
    lessened = from_holder and draw(st.booleans())
    return replace(
        FREELY,
        price=price,
        journey=replace(JOURNEY, ends_after_hours=draw(st.integers(1, 72))) if journey else None,
        concession=draw(concession_lists(price, passes=not journey)) if price is not None else (),
        transfer=Transfer(after=("transit.ferry_ride",), within_minutes=60, off_fen=draw(st.integers(1, 400)))
        if lessened
        else None,
        day_cap_fen=draw(st.none() | st.integers(1, 1000)) if lessened else None,
        means=draw(st.permutations(list(Means)).map(tuple)) if from_holder and not journey else (Means.PURSE,),
        pass_=draw(st.sampled_from([None, YEAR_PASS])) if from_holder and not journey else None,
        **draw(st.just({}) | conditions),
        excluded=draw(st.sampled_from([None] * 5 + [Excluded(basis="test", zh="法定", en="by law")]))
        if price is None
        else None,
    )


standings = st.builds(
    Standing,
    st.sampled_from(["active"] * 8 + ["lost"]),
    st.fixed_dictionaries({each.value: st.sampled_from(["active", "active", "suspended"]) for each in Function}),
    st.sampled_from(["320600", "320682", "320500", "310000", "360700"]),
    st.lists(
        st.tuples(st.sampled_from(CODES), st.just(DAY), st.sampled_from([None, DAY + dt.timedelta(days=1)])), max_size=4
    ).map(tuple),
)
passes = st.builds(
    a_pass,
    id=st.sampled_from("123"),
    item=st.sampled_from(PASSES),
    lasts_days=st.integers(1, 3),
    starts_on=st.none() | st.just(DAY),
    uses_left=st.none() | st.integers(0, 2),
)


def used_of(item: Item) -> st.SearchStrategy[dict[str, int]]:
    """How much of each of the item's rules is used up."""
    most = {rule: 1200 if rule == item.paid_rule else 4 for rule, _ in item.counts}
    return st.fixed_dictionaries({}, optional={rule: st.integers(0, end) for rule, end in most.items()})


@st.composite
def uses(draw: st.DrawFn, item: Item | None = None, leg: Leg | None = None) -> Facts:
    """One presentation, most often of a good card at a good place, so that prices are met as well as refusals."""
    item = draw(items()) if item is None else item
    fault = draw(st.sampled_from([None] * 12 + ["place", "problem", "replayed", "unknown"]))
    price, place = item.price, replace(BASE.place, point=draw(st.sampled_from(POINTS)))
    changes: dict[str, Any] = {}
    if fault == "place":
        place = replace(place, hours=(draw(whens),), capacity_count=draw(st.integers(0, 3)))
    if item.journey is not None and leg is None:
        leg = draw(st.sampled_from([Leg.IN, Leg.OUT, Leg.OUT]))
    keys = [None, *(each.key for each in item.concession)]
    if leg is Leg.OUT and price is not None and draw(st.integers(0, 9)):
        changes["journey"] = OpenJourney(
            draw(st.sampled_from(POINTS)), draw(st.integers(0, 300)), draw(st.sampled_from(keys)), price.most_fen
        )
    return replace(
        BASE,
        place=place,
        item=item,
        medium=draw(st.sampled_from([Medium.CODE, Medium.CODE, Medium.CARD])),
        amount_fen=draw(st.integers(1, 1000)) if price is not None and price.open_fen is not None else None,
        problem=Verdict.CODE_EXPIRED if fault == "problem" else None,
        replayed=fault == "replayed",
        standing=None if fault == "unknown" else draw(standings),
        day=DAY + dt.timedelta(days=draw(st.integers(0, 2))),
        minute=draw(st.integers(0, 1439)),
        day_kind=draw(st.sampled_from(DayKind)),
        quota_used=draw(used_of(item)),
        purse_free_fen=draw(st.sampled_from([None, 0, 150, 1000, 3000, 3000])),
        purse_room_fen=draw(st.sampled_from([None, 150, 3000])),
        leg=leg,
        passes=tuple(draw(st.lists(passes, max_size=3))),
        capacity_used=draw(st.integers(0, 3)),
        changed_minutes_ago=draw(st.none() | st.integers(0, 200)),
        means=draw(st.none() | st.lists(st.sampled_from(Means), unique=True).map(tuple)),
        bank=draw(st.sampled_from([None, "approved", "refused", "silent", "away"])),
        **changes,
    )
