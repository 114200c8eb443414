"""What holds of every decision, whatever an item declares and whoever comes: nobody pays too much, nothing is made or
lost, looking on changes nothing."""

import datetime as dt

from hypothesis import event, given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.kit.builders import BY_DISTANCE, BY_THE_HOUR, DAY, METRO, a_pass, tapping_in, tapping_out
from tests.kit.drawn import POINTS, concession_lists, discounts, items, uses

from onecard_kit.decide import LADDER, Decision, Facts, Fit, Pass, Step, at_most, decide
from onecard_kit.reasons import explain, reasons
from onecard_kit.terms import Discount, Item, Leg, Transfer, counted
from onecard_kit.verdicts import Verdict

PLENTY_FEN = 1_000_000


def full_of(facts: Facts) -> int | None:
    """The most that this use may cost its holder."""
    price = facts.item.price if facts.item else None
    if price is None:
        return 0
    if price.full_fen is not None or price.open_fen is not None:
        return price.full_fen if price.full_fen is not None else facts.amount_fen
    return price.most_fen


@given(uses())
def test_what_is_paid_funded_and_waived_is_the_full_price_and_never_more(facts: Facts) -> None:
    decision = decide(facts)
    event(decision.verdict)
    assert 0 <= decision.paid_fen <= decision.full_fen <= (full_of(facts) or 0)
    assert decision.funded_fen >= 0
    assert decision.waived_fen >= 0
    assert decision.paid_fen + decision.funded_fen + decision.waived_fen == decision.full_fen
    assert bool(decision.funded_fen) <= (decision.concession is not None)
    assert 0 <= (decision.hold_fen or 0) <= (full_of(facts) or 0)


@given(uses())
def test_a_refusal_has_no_effect(facts: Facts) -> None:
    decision = decide(facts)
    if decision.verdict is not Verdict.ADMITTED:
        assert decision == Decision(decision.verdict, decision.spent)


@given(uses())
def test_looking_on_changes_nothing(facts: Facts) -> None:
    trace: list[Step] = []
    assert decide(facts) == decide(facts, trace)
    assert trace


@given(uses())
def test_a_trace_names_every_rule_in_order_and_what_it_came_to(facts: Facts) -> None:
    trace: list[Step] = []
    decision = decide(facts, trace)
    assert facts.item is not None
    rules = [step.rule for step in trace]
    assert rules[: len(LADDER)] == list(LADDER[: len(rules)])
    assert {step.outcome for step in trace[: len(LADDER)][:-1]} <= {"passed"}
    if len(trace) < len(LADDER) or trace[len(LADDER) - 1].outcome != "passed":
        assert trace[-1].outcome == decision.verdict
        return
    rest = trace[len(LADDER) :]
    told = {step.rule: step for step in rest}
    declared = [facts.item.rule(each) for each in facts.item.concession] if facts.item.price else []
    assert [rule for rule in told if rule in declared] == declared
    assert len(told) == len(rest)
    if decision.verdict is Verdict.ADMITTED:
        best = [step for step in rest if step.outcome in (Fit.BEST, Fit.SINCE_START)]
        assert [step.rule for step in best] == ([facts.item.rule(decision.concession)] if decision.concession else [])
    else:
        assert (rest[-1].rule, rest[-1].outcome) == ("funds", decision.verdict)


@given(uses())
def test_everything_that_is_looked_at_has_words_in_both_languages(facts: Facts) -> None:
    trace: list[Step] = []
    decision = decide(facts, trace)
    key = decision.concession.key if decision.concession else None
    told = explain(trace, facts.item)
    told += reasons(
        decision.verdict, facts.item, decision.full_fen, decision.paid_fen, decision.waived_fen, key, decision.hold_fen
    )
    assert len(told) > len(trace)
    for words in told:
        assert not words["zh"].isascii()
        assert words["en"].replace("¥", "").isascii()


@given(uses(), st.data())
def test_a_further_concession_never_raises_what_is_paid_or_held(facts: Facts, data: st.DataObject) -> None:
    """The end of a journey has a property of its own, below."""
    item = facts.item
    assert item is not None
    if item.price is None or facts.leg is Leg.OUT:
        return
    facts = replace(facts, purse_free_fen=PLENTY_FEN, purse_room_fen=PLENTY_FEN)
    before = decide(facts)
    (more,) = data.draw(concession_lists(item.price, passes=item.journey is None, least=1))[:1]
    more = replace(more, key="further")
    at = data.draw(st.integers(0, len(item.concession)))
    declared = item.concession
    after = decide(replace(facts, item=replace(item, concession=(*declared[:at], more, *declared[at:]))))
    assert after.verdict is before.verdict
    assert after.paid_fen <= before.paid_fen
    assert (after.hold_fen or 0) <= (before.hold_fen or 0)


@given(items().filter(lambda item: item.price is not None), st.lists(st.data(), min_size=2, max_size=4))
def test_what_is_remembered_of_an_item_changes_no_decision(item: Item, draws: list[st.DataObject]) -> None:
    """The same item object decides for many holders; a fresh copy of it knows nothing yet."""
    for data in draws:
        facts = data.draw(uses(item))
        assert decide(facts) == decide(replace(facts, item=replace(item)))


# Journeys -------------------------------------------------------------------------------------------------------------

journeys = st.builds(
    lambda price, declared, transfer, cap: replace(
        METRO, price=price, function=None, concession=declared, transfer=transfer, day_cap_fen=cap
    ),
    st.shared(st.sampled_from([BY_DISTANCE, BY_THE_HOUR]), key="price"),
    st.shared(st.sampled_from([BY_DISTANCE, BY_THE_HOUR]), key="price").flatmap(
        lambda price: concession_lists(price, passes=False)
    ),
    st.none() | st.just(Transfer(after=("transit.ferry_ride",), within_minutes=60, off_fen=100)),
    st.none() | st.integers(1, 1000),
)


@given(
    journeys, st.sampled_from(POINTS[:3]), st.integers(0, 5000), st.integers(0, 1200), st.none() | st.integers(0, 200)
)
def test_a_journey_never_costs_more_than_was_held(
    item: Item, out: str, minutes: int, used_fen: int, ago: int | None
) -> None:
    begun = decide(tapping_in(item))
    assert begun.verdict is Verdict.ADMITTED
    assert begun.hold_fen is not None
    key = begun.concession.key if begun.concession else None
    later = {"quota_used": {item.paid_rule: used_fen}, "changed_minutes_ago": ago, "purse_free_fen": 0}
    ended = decide(tapping_out(item, out, minutes, key, **later))
    assert ended.verdict is Verdict.ADMITTED
    assert ended.paid_fen <= begun.hold_fen
    never_ended = at_most(item, key)
    assert never_ended.paid_fen == begun.hold_fen
    assert never_ended.paid_fen + never_ended.funded_fen == never_ended.full_fen == full_of(tapping_in(item))


@given(journeys, st.sampled_from(POINTS[:3]), st.integers(0, 5000))
def test_the_two_ends_of_a_journey_count_what_a_refund_gives_back(item: Item, out: str, minutes: int) -> None:
    begun = decide(tapping_in(item))
    key = begun.concession.key if begun.concession else None
    ended = decide(tapping_out(item, out, minutes, key))
    at_end = ended.concession.key if ended.concession else None
    assert sorted((*begun.counts, *ended.counts)) == sorted(counted(item, at_end, ended.paid_fen, DAY))


def cost(item: Item, out: str, minutes: int) -> int:
    """What a journey comes to, from its beginning to its end."""
    begun = decide(tapping_in(item)).concession
    return decide(tapping_out(item, out, minutes, begun.key if begun else None)).paid_fen


@given(journeys, st.sampled_from(POINTS[:3]), st.integers(0, 5000), st.data())
def test_a_further_concession_without_conditions_never_raises_what_a_journey_costs(
    item: Item, out: str, minutes: int, data: st.DataObject
) -> None:
    plain = tuple(replace(each, when=None, quota=None) for each in item.concession)
    before = cost(replace(item, concession=plain), out, minutes)
    more = replace(
        data.draw(concession_lists(item.price, passes=False, least=1))[0], key="further", when=None, quota=None
    )
    at = data.draw(st.integers(0, len(plain)))
    assert cost(replace(item, concession=(*plain[:at], more, *plain[at:])), out, minutes) <= before


@given(discounts, st.integers(0, 2000), st.integers(0, 2000))
def test_a_discount_leaves_more_of_a_higher_price(price: Discount, one: int, other: int) -> None:
    """So what is held for the most that a journey can cost is enough for any."""
    low, high = sorted((one, other))
    assert 0 <= price.of(low) <= price.of(high) <= high


# Passes ---------------------------------------------------------------------------------------------------------------


@given(
    st.builds(
        a_pass,
        starts_on=st.none() | st.dates(dt.date(2020, 1, 1), dt.date(2030, 1, 1)),
        activate_by=st.dates(dt.date(2020, 1, 1), dt.date(2030, 1, 1)),
        lasts_days=st.integers(1, 800),
    )
)
def test_a_pass_is_good_on_its_last_day_and_not_on_the_next(held: Pass) -> None:
    start = held.starts_on or held.activate_by + dt.timedelta(days=1)
    last = start + dt.timedelta(days=held.lasts_days - 1)
    assert held.good_on(last)
    assert not held.good_on(last + dt.timedelta(days=1))
    assert held.good_on(start - dt.timedelta(days=1)) is (held.starts_on is None)
