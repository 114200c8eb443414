"""The ladder of verdicts: what refuses, what beats what, which concession is given, and in which words."""

import datetime as dt
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from onecard_kit.classes import CLASSES
from onecard_kit.decide import Decision, Facts, Place, Standing, class_name, decide, reasons
from onecard_kit.terms import (
    BORNE_BY_OPERATOR,
    FUNDER_ROLES,
    Bilingual,
    CardFunction,
    Concession,
    Discount,
    Item,
    Medium,
    Period,
    Price,
    Quota,
    Region,
)
from onecard_kit.verdicts import WORDS, Verdict

DAY = dt.date(2026, 3, 1)
YESTERDAY, TOMORROW = DAY - dt.timedelta(days=1), DAY + dt.timedelta(days=1)
RIDE = Price(payer="holder.purse", payee="operator.receivable", full_fen=200)
ITEM = Item(
    code="transit.bus_ride",
    version=1,
    starts_on=DAY,
    name=Bilingual(zh="公交乘车", en="Bus ride"),
    legal_basis="test",
    function=CardFunction.TRANSIT,
    limit=Quota(count=3, period=Period.DAY),
    price=RIDE,
)
BASE = Facts(
    place=Place("active", "active", "active", "active", True, "320600"),
    item=ITEM,
    medium=Medium.CODE,
    amount_fen=None,
    problem=None,
    replayed=False,
    standing=Standing("active", {"transit": "active"}, "320682", ()),
    day=DAY,
    purse_free_fen=200,
    purse_room_fen=200,
)
# What is changed in the admissible base → the verdict it gets, in the order of precedence. A key is a fact, or a field
# inside one; two rows that change the same fact cannot be true at once.
FAULTS: list[tuple[Verdict, dict[str, Any]]] = [
    (Verdict.TERMINAL_SUSPENDED, {"place.terminal_state": "suspended"}),
    (Verdict.CLIENT_SUSPENDED, {"place.client_state": "suspended"}),
    (Verdict.ITEM_UNKNOWN, {"place.item_state": None}),
    (Verdict.ITEM_SUSPENDED, {"place.item_state": "suspended"}),
    (Verdict.ITEM_NOT_IN_FORCE, {"item": None}),
    (Verdict.POINT_SUSPENDED, {"place.point_state": "ended"}),
    (Verdict.ITEM_NOT_OFFERED, {"place.offered": False}),
    (Verdict.MEDIUM_NOT_ACCEPTED, {"item.media": (Medium.CARD,)}),
    (Verdict.AMOUNT_INVALID, {"amount_fen": 200}),
    (Verdict.CODE_MALFORMED, {"problem": Verdict.CODE_MALFORMED}),
    (Verdict.ISSUER_UNKNOWN, {"problem": Verdict.ISSUER_UNKNOWN}),
    (Verdict.KEY_UNKNOWN, {"problem": Verdict.KEY_UNKNOWN}),
    (Verdict.SIGNATURE_INVALID, {"problem": Verdict.SIGNATURE_INVALID}),
    (Verdict.CRYPTOGRAM_INVALID, {"problem": Verdict.CRYPTOGRAM_INVALID}),
    (Verdict.CODE_NOT_YET_VALID, {"problem": Verdict.CODE_NOT_YET_VALID}),
    (Verdict.CODE_EXPIRED, {"problem": Verdict.CODE_EXPIRED}),
    (Verdict.REPLAYED, {"replayed": True}),
    (Verdict.CARD_UNKNOWN, {"standing": None}),
    (Verdict.CARD_INACTIVE, {"standing.card_state": "inactive"}),
    (Verdict.CARD_LOST, {"standing.card_state": "temp_lost"}),
    (Verdict.CARD_LOCKED, {"standing.card_state": "locked"}),
    (Verdict.CARD_CANCELLED, {"standing.card_state": "cancelled"}),
    (Verdict.FUNCTION_INACTIVE, {"standing.functions": {"transit": "suspended"}}),
    (Verdict.NOT_ENTITLED, {"item.classes": ("veteran",)}),
    (Verdict.QUOTA_EXHAUSTED, {"quota_used": {"transit.bus_ride": 3}}),
    (Verdict.PURSE_MISSING, {"purse_free_fen": None, "purse_room_fen": None}),
    (Verdict.FUNDS_SHORT, {"item.price": RIDE, "purse_free_fen": 199}),
    (
        Verdict.PURSE_FULL,
        {
            "item.price": Price(payer="bank.clearing", payee="holder.purse", full_fen=200),
            "purse_room_fen": 199,
        },
    ),
]


def _at_once(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether both faults can be true of one use."""
    return not any(a == b or a.startswith(f"{b}.") or b.startswith(f"{a}.") for a in one for b in other)


PAIRS = [
    pytest.param(first, {**one, **other}, id=f"{first}-{second}")
    for (first, one), (second, other) in combinations(FAULTS, 2)
    if _at_once(one, other)
]


def facts(changes: dict[str, Any]) -> Facts:
    """The admissible base with some facts changed."""
    changed = replace(BASE, **{key: value for key, value in changes.items() if "." not in key})
    for key, value in changes.items():
        fact, _, field = key.partition(".")
        if field:
            changed = replace(changed, **{fact: replace(getattr(changed, fact), **{field: value})})
    return changed


def with_item(**changes: Any) -> Facts:
    return facts({f"item.{key}": value for key, value in changes.items()})


def a_concession(class_: str = "everyone", percent: int = 50, **changes: Any) -> Concession:
    made = Concession(class_=class_, price=Discount(percent=percent), funded_by="treasury.city", region=Region.ALL)
    return replace(made, **changes)


def holding(*classes: tuple[str, dt.date, dt.date | None], **changes: Any) -> Facts:
    """The base for a holder of classes, without a limit."""
    assert BASE.standing is not None
    return replace(with_item(limit=None, **changes), standing=replace(BASE.standing, classes=classes))


# The ladder -----------------------------------------------------------------------------------------------------------


def test_the_base_is_admitted_at_the_full_price() -> None:
    assert decide(BASE) == Decision(Verdict.ADMITTED, True, 200, 200, None, (("transit.bus_ride", DAY),))


@pytest.mark.parametrize(("verdict", "changes"), FAULTS, ids=[verdict for verdict, _ in FAULTS])
def test_each_fault_has_its_verdict_and_costs_nothing(verdict: Verdict, changes: dict[str, Any]) -> None:
    decision = decide(facts(changes))
    assert decision.verdict is verdict
    assert (decision.full_fen, decision.paid_fen, decision.concession, decision.rules) == (0, 0, None, ())


def test_the_table_holds_every_verdict_in_its_order() -> None:
    order = [verdict for verdict in Verdict if verdict is not Verdict.ADMITTED]
    assert [verdict for verdict, _ in FAULTS] == order


@pytest.mark.parametrize(("first", "changes"), PAIRS)
def test_of_two_faults_the_earlier_one_is_shown(first: Verdict, changes: dict[str, Any]) -> None:
    assert decide(facts(changes)).verdict is first


def test_only_faults_of_one_fact_were_left_out_of_the_pairs() -> None:
    """Problems exclude each other, four states of a card, two of an item, and what a price makes possible."""
    left_out = {
        (first, second) for (first, one), (second, other) in combinations(FAULTS, 2) if not _at_once(one, other)
    }
    groups = [
        {Verdict.ITEM_UNKNOWN, Verdict.ITEM_SUSPENDED},
        {verdict for verdict, changes in FAULTS if "problem" in changes},
        {verdict for verdict, changes in FAULTS if any(key.startswith("standing") for key in changes)},
        {verdict for verdict, changes in FAULTS if any(key.startswith("item") for key in changes)},
        {Verdict.PURSE_MISSING, Verdict.FUNDS_SHORT, Verdict.PURSE_FULL},
    ]
    assert all(any({first, second} <= group for group in groups) for first, second in left_out)


def test_a_presentation_is_spent_once_it_was_genuine_and_fresh() -> None:
    spent = {verdict for verdict, changes in FAULTS if decide(facts(changes)).spent}
    after_replay = {verdict for verdict, _ in FAULTS[[v for v, _ in FAULTS].index(Verdict.REPLAYED) + 1 :]}
    assert spent == after_replay


@pytest.mark.parametrize(
    "state", ["allocated", "inactive", "temp_lost", "lost", "locked", "cancelled_after_loss", "cancelled"]
)
def test_every_state_of_a_card_but_active_is_refused(state: str) -> None:
    assert decide(facts({"standing.card_state": state})).verdict in {
        Verdict.CARD_INACTIVE,
        Verdict.CARD_LOST,
        Verdict.CARD_LOCKED,
        Verdict.CARD_CANCELLED,
    }


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_has_words_in_both_languages_and_a_next_step(verdict: Verdict) -> None:
    words = WORDS[verdict]
    assert words.zh
    assert words.en.isascii()
    assert bool(words.next_zh) is bool(words.next_en) is (verdict is not Verdict.ADMITTED)
    assert verdict.value == verdict.name


def test_a_card_without_the_items_function_is_refused_and_an_item_without_one_asks_for_none() -> None:
    assert decide(facts({"standing.functions": {}})).verdict is Verdict.FUNCTION_INACTIVE
    assert decide(facts({"standing.functions": {}, "item.function": None})).verdict is Verdict.ADMITTED


def test_an_item_without_a_price_asks_for_no_purse() -> None:
    decision = decide(facts({"item.price": None, "purse_free_fen": None, "purse_room_fen": None}))
    assert (decision.verdict, decision.full_fen) == (Verdict.ADMITTED, 0)


@pytest.mark.parametrize(
    ("amount_fen", "verdict"),
    [(None, "AMOUNT_INVALID"), (99, "AMOUNT_INVALID"), (100, "ADMITTED"), (200, "ADMITTED"), (201, "AMOUNT_INVALID")],
)
def test_an_open_amount_is_between_its_bounds(amount_fen: int | None, verdict: str) -> None:
    price = Price(payer="holder.purse", payee="operator.receivable", open_fen=(100, 200))
    assert decide(facts({"item.price": price, "amount_fen": amount_fen})).verdict == verdict


# Concessions ----------------------------------------------------------------------------------------------------------


def test_the_best_concession_wins_wherever_it_is_declared() -> None:
    held = [("veteran", DAY, None), ("teacher", DAY, None)]
    for concession in ([a_concession("veteran", 80), a_concession("teacher", 20)],
                       [a_concession("teacher", 20), a_concession("veteran", 80)]):  # fmt: skip
        decision = decide(holding(*held, concession=tuple(concession)))
        assert decision.concession is not None
        assert (decision.concession.class_, decision.paid_fen, decision.funded_fen) == ("teacher", 40, 160)


def test_a_tie_goes_to_the_one_declared_first() -> None:
    one, same = a_concession("veteran", 50), a_concession("teacher", price=Discount(fixed_fen=100))
    for concession in ((one, same), (same, one)):
        decision = decide(holding(("veteran", DAY, None), ("teacher", DAY, None), concession=concession))
        assert decision.concession is concession[0]


def test_a_concession_that_takes_nothing_off_is_not_given() -> None:
    assert decide(holding(concession=(a_concession(percent=100),))).concession is None


@pytest.mark.parametrize(
    ("region", "issued_at", "paid_fen"),
    [("local", "320682", 100), ("local", "320500", 200), ("local", "310000", 200), ("all", "310000", 100)],
)
def test_a_local_concession_is_for_cards_issued_by_the_city(region: str, issued_at: str, paid_fen: int) -> None:
    changed = with_item(concession=(a_concession(region=Region(region)),))
    assert changed.standing is not None
    assert decide(replace(changed, standing=replace(changed.standing, issuing_place=issued_at))).paid_fen == paid_fen


def test_a_local_item_is_for_cards_issued_by_the_city() -> None:
    changed = facts({"item.region": Region.LOCAL, "standing.issuing_place": "310000"})
    assert decide(changed).verdict is Verdict.NOT_ENTITLED


def test_when_a_concessions_quota_is_used_up_the_next_best_is_given() -> None:
    best = a_concession("veteran", 0, quota=Quota(count=2, period=Period.MONTH))
    changed = holding(("veteran", DAY, None), concession=(a_concession(percent=90), best))
    given = [decide(replace(changed, quota_used={"transit.bus_ride/veteran": used})) for used in (0, 1, 2, 3)]
    assert [decision.paid_fen for decision in given] == [0, 0, 180, 180]
    assert [decision.rules for decision in given] == [(("transit.bus_ride/veteran", DAY),)] * 2 + [()] * 2


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
    assert decide(holding(("veteran", start, end), concession=(a_concession("veteran", 0),))).paid_fen == 200 * (
        not held
    )
    entitled = decide(holding(("veteran", start, end), classes=("teacher", "veteran"))).verdict
    assert entitled is (Verdict.ADMITTED if held else Verdict.NOT_ENTITLED)


@pytest.mark.parametrize(
    ("period", "first"), [("day", dt.date(2028, 2, 29)), ("month", dt.date(2028, 2, 1)), ("year", dt.date(2028, 1, 1))]
)
def test_a_quota_counts_in_the_period_that_holds_the_day(period: str, first: dt.date) -> None:
    changed = with_item(limit=Quota(count=1, period=Period(period)))
    assert decide(replace(changed, day=dt.date(2028, 2, 29))).rules == (("transit.bus_ride", first),)


def test_a_holder_pays_with_the_purse_only_what_is_left_to_pay() -> None:
    free = with_item(concession=(a_concession(percent=0),))
    assert decide(replace(free, purse_free_fen=None)).verdict is Verdict.ADMITTED
    half = with_item(concession=(a_concession(percent=50),))
    assert [decide(replace(half, purse_free_fen=fen)).verdict for fen in (99, 100)] == ["FUNDS_SHORT", "ADMITTED"]


def test_a_fixed_price_is_never_above_the_full_one() -> None:
    dear = a_concession(price=Discount(fixed_fen=250))
    assert decide(with_item(concession=(dear,))).paid_fen == 200


discounts = st.one_of(
    st.builds(Discount, percent=st.integers(0, 100)), st.builds(Discount, fixed_fen=st.integers(0, 3000))
)
concessions = st.lists(
    st.builds(
        a_concession,
        st.sampled_from(["everyone", *(each.code for each in CLASSES[:4])]),
        price=discounts,
        region=st.sampled_from(Region),
        quota=st.none() | st.builds(Quota, count=st.integers(1, 3), period=st.sampled_from(Period)),
    ),
    max_size=5,
)
held_classes = st.lists(st.tuples(st.sampled_from([each.code for each in CLASSES[:4]]), st.just(DAY), st.none()))


@given(st.integers(0, 10_000_000), concessions, held_classes, st.integers(0, 4))
def test_nobody_pays_more_for_a_concession(
    full_fen: int, declared: list[Concession], classes: list[tuple[str, dt.date, None]], used: int
) -> None:
    """0 ≤ paid ≤ full, the funder bears the rest, and each further concession leaves the price or lowers it."""
    price = Price(payer="holder.purse", payee="operator.receivable", full_fen=full_fen)
    used_up = {ITEM.rule(each): used for each in declared}
    paid = [full_fen]
    for count in range(len(declared) + 1):
        changed = holding(*classes, price=price, concession=tuple(declared[:count]))
        decision = decide(replace(changed, purse_free_fen=full_fen, quota_used=used_up))
        assert decision.verdict is Verdict.ADMITTED
        assert 0 <= decision.paid_fen <= decision.full_fen == full_fen
        assert decision.paid_fen + decision.funded_fen == full_fen
        assert (decision.funded_fen > 0) is (decision.concession is not None)
        paid.append(decision.paid_fen)
    assert paid == sorted(paid, reverse=True)


@given(st.integers(0, 10_000_000), st.integers(0, 100))
def test_a_part_of_a_fen_is_the_holders(full_fen: int, percent: int) -> None:
    paid_fen = Discount(percent=percent).of(full_fen)
    assert paid_fen * 100 <= full_fen * percent < (paid_fen + 1) * 100


# Words ----------------------------------------------------------------------------------------------------------------


def told(concession: Concession | None, full_fen: int, paid_fen: int) -> dict[str, str]:
    item = replace(ITEM, concession=(concession,) if concession else ())
    return reasons(Verdict.ADMITTED, item, full_fen, paid_fen, concession.class_ if concession else None)[-1]


def test_the_reasons_name_class_price_and_funder() -> None:
    assert told(None, 205, 205) == {"code": "FULL_PRICE", "zh": "全价2.05元", "en": "Full price ¥2.05"}
    assert told(a_concession("senior_70", 0), 200, 0) == {
        "code": "CONCESSION:senior_70",
        "zh": "70周岁及以上老人：原价2.00元，实付0.00元，2.00元由市财政承担",
        "en": "Senior aged 70 and over: full price ¥2.00, you pay ¥0.00, the city treasury bears ¥2.00",
    }
    assert told(a_concession(percent=95, funded_by=BORNE_BY_OPERATOR), 1, 0) == {
        "code": "CONCESSION:everyone",
        "zh": "所有持卡人：原价0.01元，实付0.00元，0.01元由运营单位承担",
        "en": "Every holder: full price ¥0.01, you pay ¥0.00, the operator bears ¥0.01",
    }


@pytest.mark.parametrize("funder", [BORNE_BY_OPERATOR, *FUNDER_ROLES])
def test_every_funder_has_a_name(funder: str) -> None:
    words = told(a_concession(funded_by=funder), 200, 100)
    assert funder not in words["zh"]
    assert words["en"].endswith(" bears ¥1.00")
    assert "." not in words["en"].split("¥1.00, ")[1].split(" bears")[0]


@pytest.mark.parametrize("code", [each.code for each in CLASSES])
def test_every_class_has_a_name_in_both_languages(code: str) -> None:
    zh, en = class_name(code)
    assert not zh.isascii()
    assert en.isascii()


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict is not Verdict.ADMITTED])
def test_a_refusal_gives_itself_as_the_reason(verdict: Verdict) -> None:
    words = WORDS[verdict]
    assert reasons(verdict, ITEM, 0, 0, None) == [{"code": verdict.value, "zh": words.zh, "en": words.en}]


def test_an_admission_without_a_price_speaks_of_none() -> None:
    free = replace(ITEM, price=None)
    assert reasons(Verdict.ADMITTED, free, 0, 0, None) == [{"code": "ADMITTED", "zh": "通过", "en": "Admitted"}]
