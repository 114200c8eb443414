"""The ladder of verdicts: what refuses, what beats what, and what a trace tells of it."""

import datetime as dt
from itertools import combinations
from typing import Any

import pytest
from msgspec.structs import replace
from tests.kit.builders import (
    BASE,
    BY_DISTANCE,
    DAY,
    JOURNEY,
    METRO,
    RIDE,
    TOMORROW,
    TOPUP,
    YESTERDAY,
    facts,
    holding,
    tapping_in,
    tapping_out,
    with_item,
)

from onecard_kit.codes import Via
from onecard_kit.decide import LADDER, Decision, Step, decide
from onecard_kit.terms import (
    Concession,
    DayKind,
    Discount,
    Excluded,
    Leg,
    Manner,
    Means,
    Medium,
    Period,
    Price,
    Quota,
    When,
)
from onecard_kit.verdicts import Verdict

# What is changed in the admissible base → the verdict it gets, in the order of precedence. A key is a fact, or a field
# inside one; two rows that change the same fact to different things cannot be true at once.
FAULTS: list[tuple[Verdict, dict[str, Any]]] = [
    (Verdict.TERMINAL_SUSPENDED, {"place.terminal_state": "suspended"}),
    (Verdict.CLIENT_SUSPENDED, {"place.client_state": "suspended"}),
    (Verdict.ITEM_UNKNOWN, {"place.item_state": None}),
    (Verdict.ITEM_SUSPENDED, {"place.item_state": "suspended"}),
    (Verdict.ITEM_NOT_IN_FORCE, {"item": None}),
    (Verdict.POINT_SUSPENDED, {"place.point_state": "ended"}),
    (Verdict.ITEM_NOT_OFFERED, {"place.offered": False}),
    (Verdict.POINT_CLOSED, {"place.hours": (When(hours=(("08:00", "12:00"),)),)}),
    (Verdict.MEDIUM_NOT_ACCEPTED, {"item.media": (Medium.CARD,)}),
    (Verdict.NOT_ATTENDED, {"medium": Medium.NUMBER, "item.media": (Medium.NUMBER,)}),
    (Verdict.AMOUNT_INVALID, {"amount_fen": 200}),
    (Verdict.LEG_INVALID, {"item.journey": None, "leg": Leg.IN}),
    (Verdict.CODE_MALFORMED, {"problem": Verdict.CODE_MALFORMED}),
    (Verdict.ISSUER_UNKNOWN, {"problem": Verdict.ISSUER_UNKNOWN}),
    (Verdict.KEY_UNKNOWN, {"problem": Verdict.KEY_UNKNOWN}),
    (Verdict.SIGNATURE_INVALID, {"problem": Verdict.SIGNATURE_INVALID}),
    (Verdict.CRYPTOGRAM_INVALID, {"problem": Verdict.CRYPTOGRAM_INVALID}),
    (Verdict.NUMBER_MALFORMED, {"problem": Verdict.NUMBER_MALFORMED}),
    (Verdict.NUMBER_LIMITED, {"problem": Verdict.NUMBER_LIMITED}),
    (Verdict.NUMBER_UNKNOWN, {"problem": Verdict.NUMBER_UNKNOWN}),
    (Verdict.CODE_NOT_YET_VALID, {"problem": Verdict.CODE_NOT_YET_VALID}),
    (Verdict.CODE_EXPIRED, {"problem": Verdict.CODE_EXPIRED}),
    (Verdict.CODE_REVOKED, {"problem": Verdict.CODE_REVOKED}),
    (Verdict.NUMBER_EXPIRED, {"problem": Verdict.NUMBER_EXPIRED}),
    (Verdict.REPLAYED, {"replayed": True}),
    (Verdict.CARD_UNKNOWN, {"standing": None}),
    (Verdict.CARD_INACTIVE, {"standing.card_state": "inactive"}),
    (Verdict.CARD_LOST, {"standing.card_state": "temp_lost"}),
    (Verdict.CARD_LOCKED, {"standing.card_state": "locked"}),
    (Verdict.CARD_CANCELLED, {"standing.card_state": "cancelled"}),
    (Verdict.FUNCTION_INACTIVE, {"standing.functions": {"transit": "suspended", "financial": "active"}}),
    (Verdict.LEGALLY_EXCLUDED, {"item.excluded": Excluded(basis="test", zh="法定", en="by law")}),
    (Verdict.NOT_ENTITLED, {"item.classes": ("veteran",)}),
    (Verdict.NO_JOURNEY, {"item.journey": JOURNEY, "item.price": BY_DISTANCE, "leg": Leg.OUT}),
    (
        Verdict.NO_FARE,
        {
            "item.journey": JOURNEY,
            "item.price": BY_DISTANCE,
            "leg": Leg.IN,
            "place.point": "elsewhere",
        },
    ),
    (Verdict.QUOTA_EXHAUSTED, {"quota_used": {"transit.bus_ride": 3}}),
    (Verdict.CAPACITY_FULL, {"item.capacity": Quota(count=50, period=Period.DAY), "capacity_used": 50}),
    (Verdict.BANK_REFUSED, {"item.price": RIDE, "item.means": (Means.BANK,), "bank": "refused"}),
    (Verdict.BANK_SILENT, {"item.price": RIDE, "item.means": (Means.BANK,), "bank": "silent"}),
    (Verdict.PURSE_MISSING, {"purse_free_fen": None, "purse_room_fen": None}),
    (Verdict.FUNDS_SHORT, {"item.price": RIDE, "purse_free_fen": 199}),
    (Verdict.PURSE_FULL, {"item.price": TOPUP, "purse_room_fen": 199}),
]
V = Verdict
CARD_STATES = {V.CARD_INACTIVE, V.CARD_LOST, V.CARD_LOCKED, V.CARD_CANCELLED}
CANNOT_BE_AT_ONCE = [
    {V.ITEM_UNKNOWN, V.ITEM_SUSPENDED},
    {V.MEDIUM_NOT_ACCEPTED, V.NOT_ATTENDED},  # the item names the number, or does not
    {verdict for verdict, changes in FAULTS if "problem" in changes},
    CARD_STATES,
    *({V.CARD_UNKNOWN, each} for each in (*CARD_STATES, V.FUNCTION_INACTIVE)),
    *({V.ITEM_NOT_IN_FORCE, v} for v, changes in FAULTS if any(key.startswith("item.") for key in changes)),
    {V.LEG_INVALID, V.NO_JOURNEY, V.NO_FARE},
    # journeys are paid from the purse when they begin; a top-up pays into it
    *({each, other} for each in (V.NO_JOURNEY, V.NO_FARE, V.PURSE_FULL)
      for other in (V.BANK_REFUSED, V.BANK_SILENT, V.FUNDS_SHORT, V.PURSE_FULL)),
    {V.BANK_REFUSED, V.BANK_SILENT},
    *({V.PURSE_MISSING, each} for each in (V.FUNDS_SHORT, V.PURSE_FULL)),
]  # fmt: skip


def _at_once(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether both faults can be true of one use."""
    if any(key in other and other[key] != value for key, value in one.items()):
        return False
    return not any(a.startswith(f"{b}.") or b.startswith(f"{a}.") for a in one for b in other)


PAIRS = [
    pytest.param(first, {**one, **other}, id=f"{first}-{second}")
    for (first, one), (second, other) in combinations(FAULTS, 2)
    if _at_once(one, other)
]


def verdict_of(changes: dict[str, Any]) -> Verdict:
    return decide(facts(changes)).verdict


def test_the_base_is_admitted_at_the_full_price() -> None:
    assert decide(BASE) == Decision(
        Verdict.ADMITTED, True, 200, 200, counts=(("transit.bus_ride", "2026-03-01", 1),), means=Means.PURSE
    )


@pytest.mark.parametrize(("verdict", "changes"), FAULTS, ids=[verdict for verdict, _ in FAULTS])
def test_each_fault_has_its_verdict_and_no_effect(verdict: Verdict, changes: dict[str, Any]) -> None:
    decision = decide(facts(changes))
    assert decision == Decision(verdict, decision.spent)


def test_the_table_holds_every_verdict_in_its_order() -> None:
    order = [verdict for verdict in Verdict if verdict not in (Verdict.ADMITTED, Verdict.REFUSED_AT_GATE)]
    assert [verdict for verdict, _ in FAULTS] == order


@pytest.mark.parametrize(("first", "changes"), PAIRS)
def test_of_two_faults_the_earlier_one_is_shown(first: Verdict, changes: dict[str, Any]) -> None:
    assert verdict_of(changes) is first


def test_only_what_cannot_be_at_once_was_left_out_of_the_pairs() -> None:
    left_out = {
        (first, second) for (first, one), (second, other) in combinations(FAULTS, 2) if not _at_once(one, other)
    }
    assert {pair for pair in left_out if not any(set(pair) <= group for group in CANNOT_BE_AT_ONCE)} == set()


def test_a_presentation_is_spent_once_it_was_genuine_and_fresh() -> None:
    spent = [verdict for verdict, changes in FAULTS if decide(facts(changes)).spent]
    verdicts = [verdict for verdict, _ in FAULTS]
    assert spent == verdicts[verdicts.index(Verdict.REPLAYED) + 1 :]


# What refuses, more closely -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        ("allocated", "CARD_INACTIVE"), ("inactive", "CARD_INACTIVE"), ("temp_lost", "CARD_LOST"),
        ("lost", "CARD_LOST"), ("locked", "CARD_LOCKED"), ("cancelled_after_loss", "CARD_CANCELLED"),
        ("cancelled", "CARD_CANCELLED"), ("active", "ADMITTED"),
    ],
)  # fmt: skip
def test_every_state_of_a_card_but_active_is_refused(state: str, verdict: str) -> None:
    assert verdict_of({"standing.card_state": state}) == verdict


def test_a_card_without_the_items_function_is_refused_and_an_item_without_one_asks_for_none() -> None:
    assert verdict_of({"standing.functions": {}}) is Verdict.FUNCTION_INACTIVE
    assert verdict_of({"standing.functions": {}, "item.function": None}) is Verdict.ADMITTED


def test_an_item_without_a_price_asks_for_no_purse() -> None:
    decision = decide(facts({"item.price": None, "purse_free_fen": None, "purse_room_fen": None}))
    assert decision == Decision(Verdict.ADMITTED, True, counts=(("transit.bus_ride", "2026-03-01", 1),))


@pytest.mark.parametrize(
    ("amount_fen", "verdict"),
    [(None, "AMOUNT_INVALID"), (99, "AMOUNT_INVALID"), (100, "ADMITTED"), (200, "ADMITTED"), (201, "AMOUNT_INVALID")],
)
def test_an_open_amount_is_between_its_bounds(amount_fen: int | None, verdict: str) -> None:
    price = Price(payer="holder.purse", payee="operator.receivable", open_fen=(100, 200))
    assert verdict_of({"item.price": price, "amount_fen": amount_fen}) == verdict


@pytest.mark.parametrize("medium", [Medium.CODE, Medium.CARD])
def test_a_medium_that_the_item_or_the_terminal_does_not_take_is_refused(medium: Medium) -> None:
    other = tuple(each for each in Medium if each is not medium)
    for refusing in ({"item.media": other}, {"place.media": other}):
        assert verdict_of({"medium": medium, **refusing}) is Verdict.MEDIUM_NOT_ACCEPTED
    assert verdict_of({"medium": medium, "item.media": (medium,), "place.media": (medium,)}) is Verdict.ADMITTED


def test_a_number_takes_an_item_that_names_it_and_staff_whatever_the_terminals_read() -> None:
    named = {"medium": Medium.NUMBER, "item.media": (*BASE.item.media, Medium.NUMBER), "item.price": None}  # type: ignore[union-attr]
    assert verdict_of({**named, "place.attended": True, "place.media": (Medium.CODE,)}) is Verdict.ADMITTED
    assert verdict_of({**named, "place.attended": False}) is Verdict.NOT_ATTENDED
    unnamed = {"medium": Medium.NUMBER, "item.price": None, "place.attended": True}
    assert verdict_of({**unnamed, "place.media": tuple(Medium)}) is Verdict.MEDIUM_NOT_ACCEPTED


@pytest.mark.parametrize(
    ("via", "item", "attended", "unattended"),
    [
        (Via.SELF, {"family": Manner.REFUSE, "paper": Manner.REFUSE}, Verdict.ADMITTED, Verdict.ADMITTED),
        (Via.FAMILY, {}, Verdict.ADMITTED, Verdict.ADMITTED),
        (Via.FAMILY, {"family": Manner.LOOK}, Verdict.ADMITTED, Verdict.NOT_ATTENDED),
        (Via.FAMILY, {"family": Manner.REFUSE}, Verdict.MEDIUM_NOT_ACCEPTED, Verdict.MEDIUM_NOT_ACCEPTED),
        (Via.PAPER, {}, Verdict.MEDIUM_NOT_ACCEPTED, Verdict.MEDIUM_NOT_ACCEPTED),  # it costs something
        (Via.PAPER, {"price": None}, Verdict.ADMITTED, Verdict.NOT_ATTENDED),
        (Via.PAPER, {"price": None, "paper": Manner.REFUSE}, Verdict.MEDIUM_NOT_ACCEPTED, Verdict.MEDIUM_NOT_ACCEPTED),
        (Via.PAPER, {"price": TOPUP}, Verdict.MEDIUM_NOT_ACCEPTED, Verdict.MEDIUM_NOT_ACCEPTED),
    ],
)
def test_who_shows_the_code(via: Via, item: dict[str, Any], attended: Verdict, unattended: Verdict) -> None:
    changes = {"via": via, **{f"item.{key}": value for key, value in item.items()}}
    assert verdict_of({**changes, "place.attended": True}) is attended
    assert verdict_of({**changes, "place.attended": False}) is unattended


def test_paper_never_pays_whatever_is_left_to_pay() -> None:
    free = Concession(class_="everyone", price=Discount(percent=0), funded_by="treasury.city", region="all")
    changes = {"via": Via.PAPER, "place.attended": True, "item.concession": (free,)}
    assert verdict_of({**changes, "via": Via.SELF}) is Verdict.ADMITTED
    assert verdict_of(changes) is Verdict.MEDIUM_NOT_ACCEPTED


@pytest.mark.parametrize(
    ("minute", "kind", "verdict"),
    [
        (389, "working", "POINT_CLOSED"),
        (390, "working", "ADMITTED"),
        (749, "working", "ADMITTED"),
        (750, "working", "POINT_CLOSED"),
        (800, "weekend", "POINT_CLOSED"),
        (480, "holiday", "POINT_CLOSED"),
    ],
)
def test_an_item_and_a_point_are_open_in_their_hours_on_their_days(minute: int, kind: str, verdict: str) -> None:
    when = When(days=(DayKind.WORKING, DayKind.WEEKEND), hours=(("06:30", "12:30"), ("14:00", "15:00")))
    for where in (
        {"item.when": when},
        {"place.hours": (When(days=(DayKind.HOLIDAY,), hours=(("00:00", "01:00"),)), when)},
    ):
        assert verdict_of({"minute": minute, "day_kind": DayKind(kind), **where}) == verdict
    narrower = When(hours=(("00:00", "24:00"),))
    assert verdict_of({"minute": minute, "day_kind": DayKind(kind), "item.when": when, "place.hours": (narrower,)}) == (
        verdict
    )


@pytest.mark.parametrize(
    ("region", "issued_at", "verdict"),
    [
        ("local", "320682", "ADMITTED"), ("local", "320500", "NOT_ENTITLED"), ("local", "310000", "NOT_ENTITLED"),
        ("tong_tai_yan", "320900", "ADMITTED"), ("tong_tai_yan", "320500", "NOT_ENTITLED"),
        ("yangtze_delta", "330100", "ADMITTED"), ("yangtze_delta", "360700", "NOT_ENTITLED"),
        ("rugao", "320682", "ADMITTED"), ("rugao", "320681", "NOT_ENTITLED"),
        ("never_declared", "320682", "NOT_ENTITLED"), ("all", "360700", "ADMITTED"),
    ],
)  # fmt: skip
def test_an_item_is_for_cards_issued_in_its_region(region: str, issued_at: str, verdict: str) -> None:
    assert verdict_of({"item.region": region, "standing.issuing_place": issued_at}) == verdict


@pytest.mark.parametrize(
    ("start", "end", "held"),
    [
        (DAY, None, True),
        (TOMORROW, None, False),
        (YESTERDAY, DAY, False),
        (YESTERDAY, TOMORROW, True),
        (DAY, DAY, False),
    ],
)
def test_a_class_holds_from_its_first_day_to_before_its_last(start: dt.date, end: dt.date | None, held: bool) -> None:
    entitled = decide(holding(("veteran", start, end), classes=("teacher", "veteran"))).verdict
    assert entitled is (Verdict.ADMITTED if held else Verdict.NOT_ENTITLED)


@pytest.mark.parametrize(("period", "written"), [("day", "2028-02-29"), ("month", "2028-02"), ("year", "2028")])
def test_a_quota_counts_in_the_period_that_holds_the_day(period: str, written: str) -> None:
    changed = with_item(limit=Quota(count=1, period=Period(period)))
    assert decide(replace(changed, day=dt.date(2028, 2, 29))).counts == (("transit.bus_ride", written, 1),)


@pytest.mark.parametrize(
    ("used", "of_item", "of_point", "verdict"),
    [
        (49, 50, None, "ADMITTED"),
        (50, 50, None, "CAPACITY_FULL"),
        (49, 500, 50, "ADMITTED"),
        (50, 500, 50, "CAPACITY_FULL"),
        (60, 50, 70, "ADMITTED"),
        (0, 50, 0, "CAPACITY_FULL"),
    ],
)
def test_a_point_takes_as_many_as_it_says_else_as_the_item_says(
    used: int, of_item: int, of_point: int | None, verdict: str
) -> None:
    capacity = Quota(count=of_item, period=Period.DAY)
    changes = {"item.capacity": capacity, "place.capacity_count": of_point, "capacity_used": used}
    assert verdict_of(changes) == verdict


def test_what_the_law_excludes_is_refused_to_those_who_would_be_entitled_too() -> None:
    excluded = Excluded(basis="test", zh="法定", en="by law")
    assert verdict_of({"item.excluded": excluded, "item.price": None, "item.limit": None}) is Verdict.LEGALLY_EXCLUDED


# Journeys at the ladder -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item_has_journey", "leg", "verdict"),
    [
        (False, None, "ADMITTED"),
        (False, "in", "LEG_INVALID"),
        (False, "out", "LEG_INVALID"),
        (True, None, "LEG_INVALID"),
        (True, "in", "ADMITTED"),
        (True, "out", "NO_JOURNEY"),
    ],
)
def test_only_journeys_have_legs(item_has_journey: bool, leg: str | None, verdict: str) -> None:
    changes: dict[str, Any] = {"item": METRO} if item_has_journey else {}
    assert verdict_of({**changes, "leg": Leg(leg) if leg else None, "purse_free_fen": 400}) == verdict


def test_a_station_without_a_fare_lets_nobody_in() -> None:
    assert decide(facts({"place.point": "elsewhere"}, tapping_in())).verdict is Verdict.NO_FARE
    assert decide(facts({"place.point": "north"}, tapping_in())).verdict is Verdict.ADMITTED


def test_who_was_let_in_is_let_out_whatever_ended_meanwhile() -> None:
    closed: dict[str, Any] = {"place.hours": (When(hours=(("06:00", "11:00"),)),)}
    assert decide(facts(closed, tapping_in())).verdict is Verdict.POINT_CLOSED
    limited = replace(
        METRO, when=When(hours=(("06:00", "11:00"),)), classes=("pupil_6_14",), region="never_declared",
        limit=Quota(count=1, period=Period.DAY), capacity=Quota(count=1, period=Period.DAY),
    )  # fmt: skip
    used_up: dict[str, Any] = {"quota_used": {"transit.metro_ride": 1}, "capacity_used": 1}
    assert decide(facts({**closed, **used_up}, tapping_out(limited))).verdict is Verdict.ADMITTED


@pytest.mark.parametrize(
    ("suspended", "verdict"),
    [
        ({"place.point_state": "suspended"}, Verdict.POINT_SUSPENDED),
        ({"place.item_state": "suspended"}, Verdict.ITEM_SUSPENDED),
        ({"place.offered": False}, Verdict.ITEM_NOT_OFFERED),
    ],
)
def test_where_nobody_is_let_in_any_more_who_is_in_is_let_out(suspended: dict[str, Any], verdict: Verdict) -> None:
    assert decide(facts(suspended, tapping_in())).verdict is verdict
    assert decide(facts({**suspended, "journey": None}, tapping_out())).verdict is verdict
    assert decide(facts({**suspended, "problem": Verdict.SIGNATURE_INVALID}, tapping_out())).verdict is verdict
    assert decide(facts(suspended, tapping_out())) == decide(tapping_out())


@pytest.mark.parametrize(
    ("distrusted", "verdict"),
    [
        ({"standing.card_state": "lost"}, Verdict.CARD_LOST),
        ({"standing.card_state": "locked"}, Verdict.CARD_LOCKED),
        ({"standing.functions": {"transit": "suspended"}}, Verdict.FUNCTION_INACTIVE),
        ({"place.terminal_state": "suspended"}, Verdict.TERMINAL_SUSPENDED),
        ({"place.client_state": "suspended"}, Verdict.CLIENT_SUSPENDED),
    ],
)
def test_what_is_not_to_be_trusted_opens_no_gate_on_the_way_out(distrusted: dict[str, Any], verdict: Verdict) -> None:
    assert decide(facts(distrusted, tapping_out())).verdict is verdict


# What a trace tells ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("verdict", "changes"), FAULTS, ids=[verdict for verdict, _ in FAULTS])
def test_a_trace_ends_with_the_check_that_refused(verdict: Verdict, changes: dict[str, Any]) -> None:
    trace: list[Step] = []
    decide(facts(changes), trace)
    assert [step.outcome for step in trace] == ["passed"] * (len(trace) - 1) + [verdict]
    assert [step.rule for step in trace] == [*LADDER, "funds"][: len(trace)]


def test_every_check_of_the_ladder_refuses_something() -> None:
    refusing = set()
    for _, changes in FAULTS:
        trace: list[Step] = []
        decide(facts(changes), trace)
        refusing.add(trace[-1].rule)
    assert refusing == {*LADDER, "funds"}


def test_a_trace_of_an_admission_holds_every_check_and_the_payment() -> None:
    trace: list[Step] = []
    decide(BASE, trace)
    assert trace == [*(Step(name, "passed") for name in LADDER), Step("funds", "paid:purse", 200)]
