"""What a use costs: concessions, passes, journeys, changes, the day's cap, and the ways to pay."""

import datetime as dt
from typing import Any

import pytest
from msgspec.structs import replace
from tests.kit.builders import (
    BASE,
    DAY,
    HALL,
    ITEM,
    METRO,
    TOMORROW,
    TOPUP,
    YESTERDAY,
    a_concession,
    a_pass,
    facts,
    holding,
    tapping_in,
    tapping_out,
    with_item,
)

from onecard_kit.decide import Areas, Facts, Fit, OpenJourney, Pass, Step, at_most, decide, pass_for
from onecard_kit.terms import (
    DayKind,
    Discount,
    Means,
    Period,
    Price,
    Quota,
    Transfer,
    When,
    counted,
)
from onecard_kit.verdicts import Verdict


def paid(facts: Facts) -> int:
    """What the holder pays for an admitted use, in fen."""
    decision = decide(facts)
    assert decision.verdict is Verdict.ADMITTED
    return decision.paid_fen


def outcomes(facts: Facts) -> dict[str, tuple[str, int | None]]:
    """What each rule that was looked at came to, and what it leaves to pay."""
    trace: list[Step] = []
    decide(facts, trace)
    return {step.rule.partition("/")[2] or step.rule: (step.outcome, step.left_fen) for step in trace}


# Which concession -----------------------------------------------------------------------------------------------------


def test_the_best_concession_wins_wherever_it_is_declared() -> None:
    held = [("veteran", DAY, None), ("teacher", DAY, None)]
    dear, cheap = a_concession("veteran", 80), a_concession("teacher", 20)
    for declared in ((dear, cheap), (cheap, dear)):
        decision = decide(holding(*held, concession=declared))
        assert decision.concession is cheap
        assert (decision.paid_fen, decision.funded_fen, decision.waived_fen) == (40, 160, 0)


def test_a_tie_goes_to_the_one_declared_first() -> None:
    one, same = a_concession("veteran", 50), a_concession("teacher", price=Discount(fixed_fen=100))
    for declared in ((one, same), (same, one)):
        decision = decide(holding(("veteran", DAY, None), ("teacher", DAY, None), concession=declared))
        assert decision.concession is declared[0]


def test_a_concession_that_takes_nothing_off_is_not_given() -> None:
    assert decide(with_item(concession=(a_concession(percent=100),))).concession is None


@pytest.mark.parametrize(
    ("price", "full_fen", "left_fen"),
    [
        (Discount(percent=0), 200, 0),
        (Discount(percent=33), 200, 66),
        (Discount(percent=95), 199, 189),  # 189.05: a part of a fen is dropped, for the holder
        (Discount(percent=95), 1, 0),
        (Discount(percent=50, off_fen_max=60), 200, 140),
        (Discount(percent=50, off_fen_max=100), 200, 100),
        (Discount(percent=50, off_fen_max=101), 200, 100),
        (Discount(percent=0, off_fen_max=500), 200, 0),
        (Discount(fixed_fen=150), 200, 150),
        (Discount(fixed_fen=0), 200, 0),
        (Discount(fixed_fen=250), 200, 200),
        (Discount(cap_fen=150), 200, 150),
        (Discount(cap_fen=150), 149, 149),
        (Discount(cap_fen=0), 200, 0),
    ],
)
def test_what_a_discount_leaves_to_pay(price: Discount, full_fen: int, left_fen: int) -> None:
    assert price.of(full_fen) == left_fen
    amount = Price(payer="holder.purse", payee="operator.receivable", open_fen=(1, 1000))
    bought = with_item(price=amount, concession=(a_concession(price=price),))
    assert paid(replace(bought, amount_fen=full_fen)) == left_fen


def test_a_fixed_price_and_a_cap_are_never_above_the_full_one() -> None:
    for dear in (Discount(fixed_fen=250), Discount(cap_fen=250)):
        assert paid(with_item(concession=(a_concession(price=dear),))) == 200


@pytest.mark.parametrize(
    ("region", "issued_at", "paid_fen"),
    [
        ("local", "320682", 100), ("local", "320500", 200), ("local", "310000", 200), ("all", "310000", 100),
        ("tong_tai_yan", "321200", 100), ("tong_tai_yan", "320500", 200), ("yangtze_delta", "340100", 100),
        ("never_declared", "320682", 200),
    ],
)  # fmt: skip
def test_a_concession_is_for_cards_issued_in_its_region(region: str, issued_at: str, paid_fen: int) -> None:
    changed = with_item(concession=(a_concession(region=region),))
    assert changed.standing is not None
    changed = replace(changed, standing=replace(changed.standing, issuing_place=issued_at))
    assert paid(changed) == paid_fen
    assert outcomes(changed)["everyone"][0] == (Fit.BEST if paid_fen == 100 else Fit.OTHER_REGION)


def test_a_set_of_places_that_changed_is_seen_at_once() -> None:
    changed = with_item(concession=(a_concession(region="rugao"),))
    for places, paid_fen in (("320682", 100), ("320681", 200), ("3206", 100)):
        assert paid(replace(changed, areas=Areas({"rugao": (places,)}))) == paid_fen


def test_one_item_is_decided_for_different_holders_each_on_their_own_terms() -> None:
    """What is remembered of an item for one holder is nobody else's."""
    declared = (a_concession("veteran", 0), a_concession("teacher", 50, region="local"), a_concession("senior_60", 20))
    item = replace(ITEM, limit=None, concession=declared)
    for _ in range(2):
        for place, classes, day, paid_fen in (
            ("320682", (), DAY, 200),
            ("320682", (("veteran", DAY, None),), DAY, 0),
            ("320682", (("veteran", DAY, None),), YESTERDAY, 200),
            ("320682", (("teacher", DAY, None),), DAY, 100),
            ("310000", (("teacher", DAY, None),), DAY, 200),
            ("310000", (("senior_60", DAY, TOMORROW),), TOMORROW, 200),
            ("310000", (("senior_60", DAY, TOMORROW),), DAY, 40),
        ):
            changed = {"item": item, "standing.classes": classes, "standing.issuing_place": place, "day": day}
            assert paid(facts(changed)) == paid_fen
        elsewhere = {"item": item, "standing.classes": (("teacher", DAY, None),), "place.division": "310000"}
        assert paid(facts(elsewhere)) == 200


@pytest.mark.parametrize(
    ("kind", "minute", "paid_fen"),
    [("working", 539, 200), ("working", 540, 100), ("working", 959, 100), ("working", 960, 200), ("weekend", 540, 200)],
)
def test_a_concession_in_a_time_window_is_given_in_it_only(kind: str, minute: int, paid_fen: int) -> None:
    off_peak = When(days=(DayKind.WORKING, DayKind.HOLIDAY), hours=(("09:00", "16:00"),))
    changed = replace(with_item(concession=(a_concession(when=off_peak),)), minute=minute, day_kind=DayKind(kind))
    assert paid(changed) == paid_fen
    assert outcomes(changed)["everyone"][0] == (Fit.BEST if paid_fen == 100 else Fit.NOT_NOW)


def test_the_same_class_may_have_other_terms_at_other_times_under_another_key() -> None:
    at_noon = a_concession("senior_60", 0, key="senior_60.noon", when=When(hours=(("11:00", "13:00"),)))
    always = a_concession("senior_60", 50)
    changed = holding(("senior_60", DAY, None), concession=(always, at_noon))
    assert [paid(replace(changed, minute=minute)) for minute in (659, 660, 779, 780)] == [100, 0, 0, 100]
    assert decide(changed).concession is at_noon


def test_when_a_concessions_quota_is_used_up_the_next_best_is_given() -> None:
    best = a_concession("veteran", 0, quota=Quota(count=2, period=Period.MONTH))
    changed = holding(("veteran", DAY, None), concession=(a_concession(percent=90), best))
    given = [decide(replace(changed, quota_used={"transit.bus_ride/veteran": used})) for used in (0, 1, 2, 3)]
    assert [decision.paid_fen for decision in given] == [0, 0, 180, 180]
    assert [decision.counts for decision in given] == [(("transit.bus_ride/veteran", "2026-03", 1),)] * 2 + [()] * 2


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
def test_a_class_gives_its_terms_from_its_first_day_to_before_its_last(
    start: dt.date, end: dt.date | None, held: bool
) -> None:
    assert paid(holding(("veteran", start, end), concession=(a_concession("veteran", 0),))) == (0 if held else 200)


def test_a_trace_tells_of_every_concession_why_it_was_not_the_one() -> None:
    declared = (
        a_concession("veteran", 0),
        a_concession("senior_70", 0, region="local"),
        a_concession("everyone", 0, key="at_night", when=When(hours=(("22:00", "24:00"),))),
        a_concession("everyone", 0, key="first", quota=Quota(count=1, period=Period.DAY)),
        a_concession("everyone", 100, key="none"),
        a_concession("everyone", 90),
        a_concession("senior_70", 40, key="half"),
        a_concession("everyone", 40, key="half_too"),
        a_concession(None, None, pass_="tourism.year_pass", price=Discount(percent=0)),
    )
    changed = replace(
        holding(("senior_70", DAY, None), concession=declared), quota_used={"transit.bus_ride/first": 1},
        purse_free_fen=100,
    )  # fmt: skip
    assert changed.standing is not None
    changed = replace(changed, standing=replace(changed.standing, issuing_place="310000"))
    trace: list[Step] = []
    decision = decide(changed, trace)
    told = trace[-len(declared) - 1 :]
    assert [(step.rule.partition("/")[2], step.outcome, step.left_fen) for step in told] == [
        ("veteran", Fit.NOT_HELD, 0),
        ("senior_70", Fit.OTHER_REGION, 0),
        ("at_night", Fit.NOT_NOW, 0),
        ("first", Fit.USED_UP, 0),
        ("none", Fit.NO_GAIN, 200),
        ("everyone", Fit.BEATEN, 180),
        ("half", Fit.BEST, 80),
        ("half_too", Fit.BEATEN, 80),
        ("tourism.year_pass", Fit.NOT_HELD, 0),
        ("", "paid:purse", 80),
    ]
    assert decision.concession is declared[6]
    every = {value for name, value in vars(Fit).items() if name.isupper()}
    of_ended_ones = {Fit.SINCE_START, Fit.AT_START, Fit.APPLIES}
    assert {step.outcome for step in told[:-1]} == every - of_ended_ones


# Passes ---------------------------------------------------------------------------------------------------------------

TO_THE_PARK = a_concession(None, None, pass_="tourism.year_pass", price=Discount(percent=0))


@pytest.mark.parametrize(
    ("held", "first", "last"),
    [
        (a_pass(starts_on=DAY, lasts_days=1), 0, 0),
        (a_pass(starts_on=DAY, lasts_days=365), 0, 364),
        (a_pass(starts_on=DAY + dt.timedelta(days=5), lasts_days=2), 5, 6),
        # one that waits starts on its first use, or by itself the day after it had to: then its days run
        (a_pass(starts_on=None, activate_by=DAY + dt.timedelta(days=10), lasts_days=1), 0, 11),
        (a_pass(starts_on=None, activate_by=DAY + dt.timedelta(days=10), lasts_days=3), 0, 13),
        (a_pass(starts_on=None, activate_by=DAY, lasts_days=2), 0, 2),
    ],
)
def test_a_pass_is_good_until_the_midnight_that_ends_its_last_day(held: Pass, first: int, last: int) -> None:
    days = [DAY + dt.timedelta(days=n) for n in range(-1, 400)]
    if held.starts_on is not None:
        days = [DAY + dt.timedelta(days=n) for n in range(first - 2, 400)]
    good = [day for day in days if held.good_on(day) and day >= DAY + dt.timedelta(days=first)]
    assert (good[0], good[-1]) == (DAY + dt.timedelta(days=first), DAY + dt.timedelta(days=last))
    assert len(good) == last - first + 1
    on_last = replace(with_item(concession=(TO_THE_PARK,)), passes=(held,))
    assert paid(replace(on_last, day=good[-1], minute=1439)) == 0
    assert paid(replace(on_last, day=good[-1] + dt.timedelta(days=1), minute=0)) == 200


def test_a_pass_in_use_is_not_good_before_its_first_day() -> None:
    assert not a_pass().good_on(YESTERDAY)


@pytest.mark.parametrize(("uses_left", "good"), [(None, True), (2, True), (1, True), (0, False)])
def test_a_pass_is_good_while_it_has_uses_left(uses_left: int | None, good: bool) -> None:
    assert a_pass(uses_left=uses_left).good_on(DAY) is good


def test_a_pass_in_use_serves_before_one_that_waits_and_neither_before_a_better_rule() -> None:
    waiting, used, older = a_pass(id="1", starts_on=None), a_pass(id="3"), a_pass(id="2")
    other = a_pass(id="0", item="culture.year_pass")
    held = replace(with_item(concession=(TO_THE_PARK,)), passes=(other, waiting, used, older))
    assert decide(held).used_pass is older
    assert decide(replace(held, passes=(other, waiting))).used_pass is waiting
    assert decide(replace(held, passes=(other,))).used_pass is None
    free = a_concession("everyone", 0)
    decision = decide(replace(held, item=replace(ITEM, concession=(free, TO_THE_PARK))))
    assert (decision.concession, decision.used_pass) == (free, None)
    assert pass_for(BASE, "tourism.year_pass") is None


# Journeys -------------------------------------------------------------------------------------------------------------


def test_a_journey_holds_the_most_it_can_cost_and_ends_at_the_fare() -> None:
    begun = decide(tapping_in())
    assert (begun.verdict, begun.hold_fen, begun.full_fen, begun.paid_fen) == (Verdict.ADMITTED, 400, 0, 0)
    assert begun.means is Means.PURSE
    assert outcomes(tapping_in())["funds"] == ("held", 400)
    for point, fen in (("west", 200), ("middle", 200), ("east", 400)):
        ended = decide(tapping_out(point=point))
        assert (ended.full_fen, ended.paid_fen, ended.hold_fen, ended.counts) == (fen, fen, None, ())


@pytest.mark.parametrize(("free_fen", "verdict"), [(None, "PURSE_MISSING"), (399, "FUNDS_SHORT"), (400, "ADMITTED")])
def test_a_journey_begins_only_if_the_most_it_can_cost_is_there(free_fen: int | None, verdict: str) -> None:
    assert decide(tapping_in(purse_free_fen=free_fen)).verdict == verdict


def test_what_is_held_was_enough_so_the_end_asks_nothing_of_the_purse() -> None:
    assert decide(tapping_out(purse_free_fen=0)).verdict is Verdict.ADMITTED


def test_a_journey_keeps_the_terms_of_its_beginning() -> None:
    """Best at the most it can cost, and still in force when its window, its quota or its class has run out."""
    quota = Quota(count=1, period=Period.DAY)
    morning = a_concession("everyone", 25, key="morning", when=When(hours=(("06:00", "09:00"),)), quota=quota)
    item = replace(METRO, concession=(a_concession("everyone", 50), morning))
    begun = decide(tapping_in(item, minute=500))
    assert (begun.concession, begun.hold_fen) == (morning, 100)
    assert begun.counts == (("transit.metro_ride/morning", "2026-03-01", 1),)
    used_up: dict[str, Any] = {"quota_used": {"transit.metro_ride/morning": 1}}
    ended = decide(tapping_out(item, minute=600, concession="morning", **used_up))
    assert (ended.full_fen, ended.paid_fen, ended.funded_fen, ended.concession) == (400, 100, 300, morning)
    assert ended.counts == ()
    assert outcomes(tapping_out(item, concession="morning"))["morning"] == (Fit.SINCE_START, 100)


@pytest.mark.parametrize(("point", "paid_fen", "key"), [("east", 120, "capped"), ("middle", 100, "everyone")])
def test_what_was_best_for_the_most_need_not_be_best_for_the_fare(point: str, paid_fen: int, key: str) -> None:
    capped, half = a_concession("student", key="capped", price=Discount(cap_fen=120)), a_concession("everyone", 50)
    never, dearer = a_concession("veteran", 0), a_concession("everyone", 100, key="none")
    at_night = a_concession("everyone", 0, key="at_night", when=When(hours=(("22:00", "24:00"),)))
    item = replace(METRO, concession=(capped, half, never, dearer, at_night))
    student: dict[str, Any] = {"standing.classes": (("student", DAY, None),)}
    assert decide(tapping_in(item, **student)).concession is capped
    ended = decide(tapping_out(item, point, concession="capped", minute=1400, **student))
    assert (ended.paid_fen, ended.concession) == (paid_fen, item.by_key[key])
    told = outcomes(tapping_out(item, point, concession="capped", minute=1400, **student))
    best, beaten = (Fit.SINCE_START, Fit.BEATEN) if key == "capped" else (Fit.BEATEN, Fit.BEST)
    assert [told[name][0] for name in item.by_key] == [best, beaten, Fit.NOT_HELD, Fit.NO_GAIN, Fit.AT_START]


def test_a_concession_that_was_counted_at_the_beginning_stays() -> None:
    counted_cap = a_concession(
        "everyone", key="capped", price=Discount(cap_fen=120), quota=Quota(count=1, period=Period.DAY)
    )
    item = replace(METRO, concession=(counted_cap, a_concession("everyone", 50)))
    ended = tapping_out(item, "middle", concession="capped")
    assert decide(ended).concession is counted_cap
    assert outcomes(ended)["everyone"] == (Fit.AT_START, 100)


def test_who_travels_free_needs_no_purse() -> None:
    item = replace(METRO, concession=(a_concession("everyone", 0),))
    assert decide(tapping_in(item, purse_free_fen=None)).hold_fen == 0
    assert decide(tapping_out(item, concession="everyone", purse_free_fen=None)).funded_fen == 400


@pytest.mark.parametrize(("concession", "paid_fen", "funded_fen"), [(None, 400, 0), ("everyone", 200, 200)])
def test_a_journey_that_nobody_ends_costs_the_most_it_can(
    concession: str | None, paid_fen: int, funded_fen: int
) -> None:
    item = replace(METRO, concession=(a_concession("everyone", 50),), day_cap_fen=100)
    ended = at_most(item, concession)
    assert (ended.verdict, ended.full_fen, ended.paid_fen, ended.funded_fen) == ("ADMITTED", 400, paid_fen, funded_fen)
    assert (ended.means, ended.hold_fen, ended.counts) == (Means.PURSE, None, ())


@pytest.mark.parametrize(
    ("minutes", "fen"),
    [(0, 0), (15, 0), (16, 500), (75, 500), (76, 1000), (195, 1500), (196, 2000), (255, 2000), (600, 2000)],
)
def test_an_hour_begun_is_charged_after_the_free_minutes_up_to_the_most(minutes: int, fen: int) -> None:
    assert decide(tapping_out(HALL, minutes=minutes, point="hall")).full_fen == fen
    assert decide(tapping_in(HALL)).hold_fen == 2000


# Changing and the day's cap -------------------------------------------------------------------------------------------

CHANGE = Transfer(after=("transit.ferry_ride",), within_minutes=60, off_fen=150)


@pytest.mark.parametrize(
    ("ago", "paid_fen"), [(None, 200), (0, 50), (60, 50), (61, 200)]
)  # fmt: skip
def test_a_change_in_time_is_cheaper_at_the_operators_expense(ago: int | None, paid_fen: int) -> None:
    changed = replace(with_item(transfer=CHANGE), changed_minutes_ago=ago)
    decision = decide(changed)
    assert (decision.paid_fen, decision.waived_fen, decision.funded_fen) == (paid_fen, 200 - paid_fen, 0)
    assert outcomes(changed)["transfer"] == ("applied" if paid_fen == 50 else "not_applied", paid_fen)


def test_a_change_takes_off_what_a_concession_leaves_and_no_more() -> None:
    item = replace(ITEM, transfer=CHANGE, concession=(a_concession("everyone", 50),))
    decision = decide(facts({"item": item, "changed_minutes_ago": 10, "purse_free_fen": None}))
    assert (decision.paid_fen, decision.funded_fen, decision.waived_fen) == (0, 100, 100)
    free = replace(item, concession=(a_concession("everyone", 0),))
    assert "transfer" not in outcomes(facts({"item": free, "changed_minutes_ago": 10}))


@pytest.mark.parametrize(
    ("ago", "minutes", "paid_fen"), [(100, 40, 250), (100, 39, 400), (61, 0, 400), (60, 0, 250), (10, 40, 400)]
)
def test_a_change_into_a_journey_lasts_until_it_began(ago: int, minutes: int, paid_fen: int) -> None:
    """An hour under way is no hour of waiting; and what was used on the way was not changed from."""
    item = replace(METRO, transfer=CHANGE)
    assert paid(tapping_out(item, minutes=minutes, changed_minutes_ago=ago)) == paid_fen


@pytest.mark.parametrize(
    ("used_fen", "paid_fen", "counts"),
    [(0, 200, 200), (299, 200, 200), (300, 200, 200), (301, 199, 199), (499, 1, 1), (500, 0, 0), (700, 0, 0)],
)
def test_nobody_pays_more_in_a_day_than_its_cap(used_fen: int, paid_fen: int, counts: int) -> None:
    capped = replace(with_item(limit=None, day_cap_fen=500), quota_used={"transit.bus_ride#fen": used_fen})
    decision = decide(capped)
    assert (decision.paid_fen, decision.waived_fen) == (paid_fen, 200 - paid_fen)
    assert decision.counts == ((("transit.bus_ride#fen", "2026-03-01", counts),) if counts else ())
    assert outcomes(capped)["day_cap"] == ("not_applied" if paid_fen == 200 else "applied", paid_fen)


def test_a_journey_counts_against_the_cap_of_the_day_it_ends_on() -> None:
    item = replace(METRO, day_cap_fen=500)
    assert decide(tapping_in(item)).counts == ()
    ended = decide(tapping_out(item, day=TOMORROW, quota_used={"transit.metro_ride#fen": 300}))
    assert (ended.paid_fen, ended.counts) == (200, (("transit.metro_ride#fen", "2026-03-02", 200),))


# Ways to pay ----------------------------------------------------------------------------------------------------------

BOTH = (Means.PURSE, Means.BANK)


@pytest.mark.parametrize(
    ("order", "free_fen", "bank", "verdict", "means", "asked_fen"),
    [
        # the purse first
        (None, 200, None, "ADMITTED", "purse", None),
        (None, 199, None, "ADMITTED", "bank", 200),
        (None, None, None, "ADMITTED", "bank", 200),
        (None, 199, "approved", "ADMITTED", "bank", None),
        (None, 199, "refused", "BANK_REFUSED", None, None),
        (None, None, "silent", "BANK_SILENT", None, None),
        (None, 199, "away", "FUNDS_SHORT", None, None),
        (None, None, "away", "PURSE_MISSING", None, None),
        # the holder wants the bank first, and the purse when it says no
        (("bank", "purse"), 200, None, "ADMITTED", "bank", 200),
        (("bank", "purse"), 200, "approved", "ADMITTED", "bank", None),
        (("bank", "purse"), 200, "refused", "ADMITTED", "purse", None),
        (("bank", "purse"), 200, "silent", "ADMITTED", "purse", None),
        (("bank", "purse"), 199, "refused", "BANK_REFUSED", None, None),
        (("bank", "purse"), None, "silent", "BANK_SILENT", None, None),
        (("bank", "purse"), 200, "away", "ADMITTED", "purse", None),
        (("bank", "purse"), 199, "away", "FUNDS_SHORT", None, None),
        # an order that names one puts it first; nothing is taken away
        (("bank",), 200, None, "ADMITTED", "bank", 200),
        (("bank",), 200, "refused", "ADMITTED", "purse", None),
        (("purse",), 199, None, "ADMITTED", "bank", 200),
        ((), 200, None, "ADMITTED", "purse", None),
    ],
)
def test_ways_to_pay_are_tried_in_the_holders_order(
    order: tuple[str, ...] | None, free_fen: int | None, bank: str | None, verdict: str, means: str | None,
    asked_fen: int | None,
) -> None:  # fmt: skip
    chosen = None if order is None else tuple(Means(each) for each in order)
    decision = decide(facts({"item.means": BOTH, "means": chosen, "purse_free_fen": free_fen, "bank": bank}))
    assert (decision.verdict, decision.means, decision.ask_bank_fen) == (verdict, means, asked_fen)
    asked = facts({"item.means": BOTH, "means": chosen, "purse_free_fen": free_fen, "bank": bank})
    assert outcomes(asked)["funds"][0] == (verdict if means is None else "asks:bank" if asked_fen else f"paid:{means}")


@pytest.mark.parametrize("change", [{"standing.functions": {"transit": "active"}}, {"item.means": (Means.PURSE,)}])
def test_a_bank_is_not_asked_where_the_card_or_the_item_cannot(change: dict[str, Any]) -> None:
    declared = {"item.means": BOTH, "means": (Means.BANK, Means.PURSE), "bank": None}
    decision = decide(facts({**declared, **change}))
    assert (decision.means, decision.ask_bank_fen) == (Means.PURSE, None)
    assert decide(facts({**declared, **change, "purse_free_fen": 0})).verdict is Verdict.FUNDS_SHORT


def test_a_bank_is_asked_for_what_is_left_to_pay_and_never_for_nothing() -> None:
    asked = {"item.means": BOTH, "bank": None, "purse_free_fen": None}
    for percent, fen in ((50, 100), (0, None)):
        decision = decide(facts({**asked, "item.concession": (a_concession("everyone", percent),)}))
        assert (decision.verdict, decision.ask_bank_fen) == (Verdict.ADMITTED, fen)


def test_a_holder_pays_with_the_purse_only_what_is_left_to_pay() -> None:
    free = with_item(concession=(a_concession(percent=0),))
    assert decide(replace(free, purse_free_fen=None)).verdict is Verdict.ADMITTED
    half = with_item(concession=(a_concession(percent=50),))
    assert [decide(replace(half, purse_free_fen=fen)).verdict for fen in (99, 100)] == ["FUNDS_SHORT", "ADMITTED"]


@pytest.mark.parametrize(("room_fen", "verdict"), [(None, "PURSE_MISSING"), (199, "PURSE_FULL"), (200, "ADMITTED")])
def test_a_top_up_needs_room_for_the_whole_amount(room_fen: int | None, verdict: str) -> None:
    """The funder pays its part into the purse too."""
    changed = with_item(price=TOPUP, concession=(a_concession("everyone", 95, funded_by="bank.offer"),))
    decision = decide(replace(changed, purse_room_fen=room_fen, purse_free_fen=0))
    assert decision.verdict == verdict
    if decision.verdict is Verdict.ADMITTED:
        assert (decision.paid_fen, decision.funded_fen, decision.means) == (190, 10, None)


# What a use counts against --------------------------------------------------------------------------------------------


def test_a_use_counts_against_the_items_limit_its_concessions_quota_and_the_days_cap() -> None:
    best = a_concession("veteran", 40, quota=Quota(count=2, period=Period.YEAR))
    item = replace(ITEM, limit=Quota(count=9, period=Period.MONTH), day_cap_fen=500, concession=(best,))
    day = dt.date(2026, 3, 14)
    decision = decide(replace(holding(("veteran", DAY, None)), item=item, day=day))
    assert decision.counts == counted(item, "veteran", 80, day) == (
        ("transit.bus_ride", "2026-03", 1),
        ("transit.bus_ride/veteran", "2026", 1),
        ("transit.bus_ride#fen", "2026-03-14", 80),
    )  # fmt: skip
    assert counted(item, None, 0, day) == (("transit.bus_ride", "2026-03", 1),)
    assert [rule for rule, _ in item.counts] == [rule for rule, _, _ in decision.counts]


def test_the_two_ends_of_a_journey_count_together_what_a_refund_gives_back() -> None:
    best = a_concession("everyone", 50, quota=Quota(count=2, period=Period.DAY))
    item = replace(METRO, limit=Quota(count=9, period=Period.DAY), day_cap_fen=500, concession=(best,))
    begun, ended = decide(tapping_in(item)), decide(tapping_out(item, concession="everyone"))
    assert set(begun.counts) | set(ended.counts) == set(counted(item, "everyone", ended.paid_fen, DAY))
    assert not set(begun.counts) & set(ended.counts)


def test_a_concession_that_a_later_version_dropped_counts_nothing() -> None:
    assert counted(replace(ITEM, limit=None), "veteran", 100, DAY) == ()
    assert at_most(METRO, "veteran").paid_fen == 400
    journey = OpenJourney("west", 5, "veteran", 400)
    assert decide(facts({"journey": journey}, tapping_out())).concession is None
