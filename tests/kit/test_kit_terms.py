"""What a declaration says of days, hours, quotas and names."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.kit.builders import HALL, ITEM, METRO, YEAR_PASS, a_concession
from tests.kit.drawn import whens

from onecard_kit.terms import (
    LEDGER_OF_ROLE,
    PAYER_ROLES,
    Bilingual,
    Concession,
    DayKind,
    Discount,
    Means,
    Period,
    Quota,
    Transfer,
    When,
)

# Days and hours -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "minutes"),
    [
        ((), ()),
        ((("00:00", "24:00"),), ((0, 1440),)),
        ((("06:30", "08:00"), ("23:59", "24:00")), ((390, 480), (1439, 1440))),
    ],
)
def test_hours_are_minutes_of_the_day(hours: tuple[tuple[str, str], ...], minutes: tuple[tuple[int, int], ...]) -> None:
    assert When(hours=hours).minutes == minutes


@pytest.mark.parametrize(
    "text", ["", "8:00", "08.00", "08:0", "08:000", "24:01", "25:00", "12:60", "-1:00", "１２:00", "ab:cd"]
)
def test_what_is_no_time_of_day_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected (HH:MM|00:00 to 24:00), not "):
        _ = When(hours=((text, "24:00"),)).minutes


def test_without_days_and_hours_it_always_holds() -> None:
    assert all(When().holds(kind, minute) for kind in DayKind for minute in (0, 1439))


@given(whens, st.sampled_from(DayKind), st.integers(0, 1439))
def test_a_window_holds_from_its_start_to_before_its_end(when: When, kind: DayKind, minute: int) -> None:
    at = f"{minute // 60:02d}:{minute % 60:02d}"
    in_hours = not when.hours or any(start <= at < end for start, end in when.hours)
    assert when.holds(kind, minute) is (kind in when.days and in_hours)


@given(whens, whens)
def test_one_time_covers_another_where_it_holds_whenever_the_other_does(one: When, other: When) -> None:
    minutes = [0, 389, 390, 718, 719, 720, 721, 1139, 1140, 1439]
    whenever = all(one.holds(kind, at) for kind in DayKind for at in minutes if other.holds(kind, at))
    assert one.covers(other) is whenever


@pytest.mark.parametrize(
    ("open_at", "covers"),
    [
        ((), True),
        ((("08:00", "12:00"), ("12:00", "18:00")), True),
        ((("12:00", "18:00"), ("08:00", "13:00")), True),
        ((("08:00", "12:00"), ("12:01", "18:00")), False),
        ((("09:01", "18:00"),), False),
        ((("08:00", "16:59"),), False),
    ],
)
def test_windows_that_touch_or_overlap_cover_as_one(open_at: tuple[tuple[str, str], ...], covers: bool) -> None:
    assert When(hours=open_at).covers(When(hours=(("09:00", "10:00"), ("11:00", "17:00")))) is covers
    assert When(days=(DayKind.WORKING,), hours=open_at).covers(When(hours=(("09:00", "17:00"),))) is False


@pytest.mark.parametrize(
    ("period", "day", "first"),
    [
        ("day", (2028, 2, 29), (2028, 2, 29)),
        ("month", (2028, 2, 29), (2028, 2, 1)),
        ("year", (2028, 12, 31), (2028, 1, 1)),
    ],
)
def test_a_period_starts_on_its_first_day(period: str, day: tuple[int, ...], first: tuple[int, ...]) -> None:
    assert Period(period).start(dt.date(*day)) == dt.date(*first)


def test_no_two_periods_are_written_alike() -> None:
    days = [dt.date(2026, 12, 31) + dt.timedelta(days=n) for n in range(400)]
    written = {period: {period.of(day) for day in days} for period in Period}
    assert [len(found) for found in written.values()] == [400, 15, 3]
    assert len(set().union(*written.values())) == 418


# Names ----------------------------------------------------------------------------------------------------------------


def test_a_concession_is_named_by_its_key_else_by_its_class_or_pass() -> None:
    assert a_concession("veteran").key == "veteran"
    assert a_concession(None, None, pass_="tourism.year_pass", price=Discount(percent=0)).key == "tourism.year_pass"
    assert a_concession("veteran", key="at_noon").key == "at_noon"


def test_rules_are_named_after_the_item_and_each_has_its_period() -> None:
    daily, yearly = (Quota(count=1, period=period) for period in (Period.DAY, Period.YEAR))
    one, other = a_concession("veteran", quota=yearly), a_concession("teacher")
    item = replace(ITEM, limit=daily, day_cap_fen=500, concession=(one, other))
    assert (item.rule(), item.rule(one), item.paid_rule) == (
        "transit.bus_ride", "transit.bus_ride/veteran", "transit.bus_ride#fen"
    )  # fmt: skip
    assert item.counts == (
        ("transit.bus_ride", Period.DAY),
        ("transit.bus_ride/veteran", Period.YEAR),
        ("transit.bus_ride#fen", Period.DAY),
    )  # fmt: skip
    assert replace(item, limit=None, day_cap_fen=None, concession=(other,)).counts == ()
    assert item.by_key == {"veteran": one, "teacher": other}


@pytest.mark.parametrize(
    ("changes", "further"),
    [
        ({}, False),
        ({"limit": None, "price": None}, False),
        ({"concession": (a_concession(),), "day_cap_fen": 500}, False),
        ({"capacity": Quota(count=1, period=Period.DAY)}, True),
        ({"transfer": Transfer(after=("a.b",), within_minutes=60, off_fen=1)}, True),
        ({"pass_": YEAR_PASS}, True),
        ({"concession": (a_concession(None, pass_="tourism.year_pass"),)}, True),
        ({"means": (Means.PURSE, Means.BANK)}, True),
        ({"means": (Means.BANK, Means.PURSE)}, True),
    ],
)
def test_only_some_items_look_further_than_standing_quota_and_purse(changes: dict[str, Any], further: bool) -> None:
    assert replace(ITEM, **changes).looks_further is further


def test_a_journeys_most_is_its_dearest_step_or_visit() -> None:
    assert METRO.price is not None
    assert HALL.price is not None
    assert (METRO.price.most_fen, HALL.price.most_fen) == (400, 2000)
    assert METRO.looks_further


def test_an_item_is_a_value_and_what_is_worked_out_of_it_stays_with_it() -> None:
    item = replace(ITEM, concession=(a_concession("veteran"),))
    assert item.by_key
    changed = replace(item, concession=(Concession(class_="teacher", price=Discount(percent=0), funded_by="operator"),))
    assert list(changed.by_key) == ["teacher"]
    assert replace(changed, concession=item.concession) == item
    assert replace(ITEM, name=Bilingual(zh="别的", en="Other")) != ITEM


def test_every_account_role_that_can_pay_has_its_kind_of_value() -> None:
    assert set(PAYER_ROLES) <= set(LEDGER_OF_ROLE)
