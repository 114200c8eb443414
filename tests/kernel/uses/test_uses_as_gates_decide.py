"""A gate without a line and the platform come to the same on the same facts: what the one has from pack, lists, code
and memory, the other has from its tables.
"""

import datetime as dt
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.kit import drawn
from tests.kit.builders import AREAS
from tests.kit.packs import DAY, LASTING, NOON, PLACE, SIGNER, a_code, a_pack, knowing

from onecard.kernel.ecards.refs import Refs
from onecard.kernel.uses.decide import card_of, facts_of
from onecard.kernel.uses.decide.further import capacity_key, terms_of
from onecard.kernel.uses.lines import Line
from onecard.kernel.uses.load.facts import Card, Further, Journey, Loaded, Paper, Spot
from onecard.kernel.uses.present import read_code
from onecard_kit import offline
from onecard_kit.classes import BY_NUMBER, codes_of
from onecard_kit.codes import Via
from onecard_kit.decide import OpenJourney, Place, Standing, decide
from onecard_kit.offline import Remembered, decide_offline
from onecard_kit.pack import PackTerminal
from onecard_kit.presentation import Presentation
from onecard_kit.status_list import Status
from onecard_kit.terms import FEN_MAX, DayKind, Function, Item, Leg, Manner, Medium, Offline

CARD, HOLDER, PURSE, POINT, TERMINAL, VERSION, REF = 1, 2, 3, 4, 5, 6, 77
REFS = Refs(bytes(32))
SERIAL = REFS.on(DAY).serial(REF)
USE = UUID(int=7 << 80)
STATES = {"active": None, "lost": Status.SUSPENDED, "cancelled": Status.INVALID}
DAY_START = NOON - 12 * 3600


@st.composite
def situations(draw: st.DrawFn) -> dict[str, Any]:
    """What is shown where, and what was seen before, as far as a gate can know it."""
    item: Item = draw(drawn.items())
    item = replace(
        item, offline=Offline(limit_fen=FEN_MAX, days=7, shortfall="operator"),
        family=draw(st.sampled_from(Manner)), paper=draw(st.sampled_from([Manner.LOOK, Manner.REFUSE])),
    )  # fmt: skip
    leg = draw(st.sampled_from(Leg)) if item.journey is not None else None
    open_fen = item.price.open_fen if item.price is not None else None
    ends_s = item.journey.ends_after_hours * 3600 if item.journey is not None else 0
    begun_s = draw(st.integers(0, ends_s - 1)) if leg is Leg.OUT else None
    via, state = draw(st.sampled_from(Via)), draw(st.sampled_from(["active", "active", "active", *STATES]))
    # The list of paper codes says of a cancelled card's that it is revoked, and no more.
    state = "lost" if via is Via.PAPER and state == "cancelled" else state
    return {
        "item": item,
        "leg": leg,
        "amount_fen": draw(st.integers(1, 1000)) if open_fen is not None else None,
        "begun": None if begun_s is None else (
            draw(st.sampled_from(drawn.POINTS)), begun_s, draw(st.sampled_from([None, *item.by_key])),
        ),
        "via": via,
        "attended": draw(st.booleans()),
        "point": draw(st.sampled_from(drawn.POINTS)),
        "hours": draw(st.just(()) | st.lists(drawn.whens, max_size=2).map(tuple)),
        "media": draw(st.sampled_from([(Medium.CODE, Medium.CARD), (Medium.CARD,)])),
        "offered": draw(st.sampled_from([True, True, True, False])),
        "states": [draw(st.sampled_from(["active"] * 6 + ["suspended"])) for _ in range(4)],
        "capacity_count": draw(st.none() | st.integers(0, 3)),
        "capacity_used": draw(st.integers(0, 3)),
        "used": draw(st.integers(0, 3)),
        "changed_s": draw(st.none() | st.integers(0, 86_399)),
        "numbers": tuple(sorted(draw(st.sets(st.sampled_from(sorted(BY_NUMBER)), max_size=4)))),
        "state": state,
        "revoked": draw(st.sampled_from([False, False, True])),
        "spent": draw(st.sampled_from([False, False, True])),
        "day_kind": draw(st.sampled_from(DayKind)),
        "now": DAY_START + draw(st.integers(0, 86_399)),
    }  # fmt: skip


def by_gate(told: dict[str, Any], code: str) -> Any:
    """What a gate decides."""
    item, now = told["item"], told["now"]
    terminal_state, client_state, point_state, item_state = told["states"]
    made = a_pack(
        item, terminal=PackTerminal("T", 3, terminal_state, told["attended"]), areas=AREAS.places,
        days={DAY: told["day_kind"]},
    )  # fmt: skip
    made = replace(
        made,
        point=replace(
            made.point, code=told["point"], state=point_state, client_state=client_state, hours=told["hours"],
            media=told["media"],
        ),
        items=tuple(
            replace(each, state=item_state, offered=told["offered"], capacity_count=told["capacity_count"])
            for each in made.items
        ),
    )  # fmt: skip
    mark = STATES[told["state"]]
    marked = {} if mark is None else {REF: mark}
    if told["via"] is Via.PAPER and told["revoked"]:
        marked = {REF: Status.INVALID}
    known = replace(knowing(item, marked), pack=made, contacted=now)
    begun = told["begun"]
    memory = Remembered(
        told["spent"] and told["via"] is not Via.PAPER,
        {rule: told["used"] for rule, _ in item.counts},
        None if begun is None else OpenJourney(begun[0], begun[1] // 60, begun[2], 0),
        told["capacity_used"],
        None if told["changed_s"] is None else told["changed_s"] // 60,
    )
    asked = Presentation(item.code, code, None, told["amount_fen"], told["leg"])
    return decide_offline(asked, offline.read(asked, None, known, now), known, memory, now).decision


def by_platform(told: dict[str, Any], code: str) -> Any:
    """What the platform decides."""
    item, now = told["item"], told["now"]
    at = dt.datetime.fromtimestamp(now, dt.UTC)
    keys = {(PLACE, signer.kid): signer.public_key for signer in (SIGNER, LASTING)}
    shown = read_code(code, at, keys, REFS)
    line = Line(
        USE, at, TERMINAL, 1, USE, 1, b"", item.code, told["amount_fen"], shown, told["leg"]
    )  # fmt: skip
    terminal_state, client_state, point_state, item_state = told["states"]
    place = Place(
        terminal_state, client_state, point_state, item_state, told["offered"], PLACE, told["point"], told["hours"],
        told["media"], told["capacity_count"], told["attended"],
    )  # fmt: skip
    spot = Spot(place, POINT, "party:1", None, (), VERSION)
    loaded = _loaded(told, item, spot, at)
    if told["spent"] and shown.nonce is not None:
        loaded.spent.add(shown.nonce)
    card = card_of(line, loaded)
    _, journey = terms_of(line, spot, card, loaded)
    return decide(facts_of(line, spot, item, card, loaded, journey))


def _loaded(told: dict[str, Any], item: Item, spot: Spot, at: dt.datetime) -> Loaded:
    classes = tuple((each, dt.date(2020, 1, 1), None) for each in codes_of(told["numbers"]))
    standing = Standing(told["state"], {each.value: "active" for each in Function}, PLACE, classes)
    card = Card(CARD, HOLDER, standing, PURSE, 0)
    now, begun = told["now"], told["begun"]
    further = Further(items={VERSION: item})
    if begun is not None and item.journey is not None:
        began = now - begun[1]
        further.journeys[CARD, item.code] = Journey(
            CARD, item.code, USE, VERSION, begun[0], "party:1", None, began,
            began + item.journey.ends_after_hours * 3600, PURSE, begun[2], None, 0,
        )  # fmt: skip
    if told["changed_s"] is not None:
        after = item.transfer.after if item.transfer is not None else ()
        further.changes[CARD] = dict.fromkeys(after, now - told["changed_s"])
    if item.capacity is not None:
        further.capacities[capacity_key(item, spot, DAY)] = told["capacity_used"]
    revoked_at = at - dt.timedelta(hours=1) if told["revoked"] else None
    return Loaded(
        by_serial={SERIAL: card}, by_number={}, purses={PURSE: [FEN_MAX, FEN_MAX]}, spots={}, known={}, spent=set(),
        quotas={(HOLDER, rule, period.of(DAY)): told["used"] for rule, period in item.counts}, withdrawn=frozenset(),
        areas=AREAS, day_kind=told["day_kind"], further=further, papers={REF: Paper(SERIAL, revoked_at)},
    )  # fmt: skip


@given(situations())
@settings(max_examples=600, deadline=None)
def test_a_gate_and_the_platform_come_to_the_same(told: dict[str, Any]) -> None:
    """Who shows it, paper and its revocation, journeys, quotas, capacity, changes, hours, states of everything."""
    start = told["now"] - told["now"] % 60
    if told["via"] is Via.PAPER:
        code = a_code(
            LASTING, via=Via.PAPER, not_before=start, expires=start + 86_400, classes=told["numbers"], ref=REF
        )  # fmt: skip
    else:
        code = a_code(SIGNER, via=told["via"], not_before=start, expires=start + 60, classes=told["numbers"], ref=REF)
    assert by_gate(told, code) == by_platform(told, code)
