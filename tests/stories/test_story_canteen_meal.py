"""A canteen meal: the full price for everyone, the employer's share for staff at lunch and on duty, three a day."""

import pytest
from tests.stories.city import BEIJING, HOLIDAY, WEEKEND, WORKING, StoryCity, at

from onecard.foundation.errors import Conflict
from onecard_kit.verdicts import Verdict

ITEM, CANTEEN, ON_DUTY = "living.canteen_meal", "NT-CANT-C1", "NT-CANT-C3"
LUNCH = at(WORKING, "12:10")
TILL, TILL_BY_EMPLOYER = "NT-CANT operator.receivable purse", "NT-CANT operator.receivable bank"
EMPLOYER = "NT-OFFICE employer.share bank"


@pytest.mark.parametrize(
    ("classes", "day", "time", "paid_fen", "concession"),
    [
        ((), WORKING, "12:10", 1_500, None),
        (("office_staff",), WORKING, "11:00", 500, "office_staff"),
        (("office_staff",), WORKING, "08:00", 1_500, None),
        (("office_staff",), WEEKEND, "12:10", 1_500, None),
        (("office_staff",), HOLIDAY, "12:10", 1_500, None),
        (("office_staff",), "2026-05-09", "12:10", 500, "office_staff"),  # a Saturday that is worked
        (("senior_70",), WORKING, "12:10", 1_500, None),
    ],
)
def test_staff_pay_five_yuan_for_lunch_on_working_days(
    city: StoryCity, classes: tuple[str, ...], day: str, time: str, paid_fen: int, concession: str | None
) -> None:
    card = city.a_holder(*classes, place=BEIJING)
    with city.money() as moved:
        meal = city.use(card, ITEM, CANTEEN, at(day, time))
    assert (meal.full_fen, meal.paid_fen, meal.concession) == (1_500, paid_fen, concession)
    share_fen = 1_500 - paid_fen
    wanted = {TILL: paid_fen, TILL_BY_EMPLOYER: share_fen, EMPLOYER: -share_fen}
    assert moved == {account: fen for account, fen in wanted.items() if fen}


def test_a_meal_on_duty_has_a_share_of_its_own(city: StoryCity) -> None:
    card = city.a_holder("office_staff")
    assert city.use(card, ITEM, ON_DUTY, at(WEEKEND, "02:00")).concession == "office_staff_on_duty"
    assert city.use(card, ITEM, ON_DUTY, at(WEEKEND, "05:00")).paid_fen == 1_500


def test_the_share_is_for_one_lunch_and_three_meals_are_the_most(city: StoryCity) -> None:
    card = city.a_holder("office_staff")
    meals = [city.use(card, ITEM, CANTEEN, at(WORKING, time)) for time in ("11:10", "13:20", "17:30", "18:30")]
    assert [meal.paid_fen for meal in meals[:3]] == [500, 1_500, 1_500]
    assert (meals[3].verdict, meals[3].paid_fen) == (Verdict.QUOTA_EXHAUSTED, 0)
    assert city.use(card, ITEM, CANTEEN, at("2026-03-12", "11:10")).paid_fen == 500


def test_refusals(city: StoryCity) -> None:
    assert city.verdict(city.a_holder(), ITEM, CANTEEN, at(WORKING, "10:00")) is Verdict.POINT_CLOSED
    assert city.verdict(city.a_holder(fen=1_499), ITEM, CANTEEN, LUNCH) is Verdict.FUNDS_SHORT
    assert city.verdict(city.a_holder(fen=None), ITEM, CANTEEN, LUNCH) is Verdict.PURSE_MISSING


def test_a_meal_given_back_the_same_day_gives_back_the_share_and_its_quota(city: StoryCity) -> None:
    card = city.a_holder("office_staff")
    meals = [city.use(card, ITEM, CANTEEN, LUNCH) for _ in range(3)]
    with city.money() as moved:
        city.give_back(meals[0], ON_DUTY, at(WORKING, "13:00"))
    assert moved == {TILL: -500, TILL_BY_EMPLOYER: -1_000, EMPLOYER: 1_000}
    assert city.use(card, ITEM, CANTEEN, at(WORKING, "13:10")).paid_fen == 500
    with pytest.raises(Conflict, match="REFUND_TOO_LATE"):
        city.give_back(meals[1], CANTEEN, at("2026-03-12", "00:00"))
