"""A purchase in a shop: the till names the amount, the merchants bear a little of it once a day, and take it back
within a week. By bank account: `test_story_pharmacy_purchase`.
"""

import pytest
from tests.stories.city import BEIJING, WORKING, StoryCity, at

from onecard.foundation.errors import Conflict, OneCardError
from onecard_kit.verdicts import Verdict

ITEM, SHOP = "payments.shop_purchase", "NT-SHOP-M1"
MORNING = at(WORKING, "09:00")
TILL, TILL_BY_MERCHANTS = "NT-SHOP operator.receivable purse", "NT-SHOP operator.receivable bank"
MERCHANTS = "NT-MALL merchant.offer bank"


@pytest.mark.parametrize(
    ("amount_fen", "off_fen"),
    [(5_000, 100), (15_000, 300), (20_000, 300), (1, 1)],  # 2 %, at most ¥3; a part of a fen is dropped for the holder
)
def test_the_merchants_bear_two_percent_up_to_three_yuan(city: StoryCity, amount_fen: int, off_fen: int) -> None:
    card = city.a_holder(fen=20_000, place=BEIJING)
    with city.money() as moved:
        answer = city.use(card, ITEM, SHOP, MORNING, amount_fen=amount_fen)
    paid_fen = amount_fen - off_fen
    assert (answer.full_fen, answer.paid_fen) == (amount_fen, paid_fen)
    wanted = {TILL: paid_fen, TILL_BY_MERCHANTS: off_fen, MERCHANTS: -off_fen}
    assert moved == {account: fen for account, fen in wanted.items() if fen}


def test_the_offer_is_for_once_a_day(city: StoryCity) -> None:
    card = city.a_holder()
    paid = [city.use(card, ITEM, shop, MORNING, amount_fen=1_000).paid_fen for shop in (SHOP, "NT-SHOP-M2")]
    assert paid == [980, 1_000]
    assert city.use(card, ITEM, SHOP, at("2026-03-12"), amount_fen=1_000).paid_fen == 980


def test_refusals(city: StoryCity) -> None:
    assert city.verdict(city.a_holder(fen=979), ITEM, SHOP, MORNING, amount_fen=1_000) is Verdict.FUNDS_SHORT
    assert city.verdict(city.a_holder(fen=None), ITEM, SHOP, MORNING, amount_fen=1_000) is Verdict.PURSE_MISSING
    assert city.verdict(city.a_holder(), ITEM, SHOP, MORNING) is Verdict.AMOUNT_INVALID
    assert city.verdict(city.a_holder(), ITEM, SHOP, MORNING, amount_fen=500_001) is Verdict.AMOUNT_INVALID


def test_a_purchase_is_taken_back_within_seven_days_with_its_offer(city: StoryCity) -> None:
    card = city.a_holder()
    bought = city.use(card, ITEM, SHOP, MORNING, amount_fen=1_000)
    with city.money() as moved:
        back = city.give_back(bought, "NT-SHOP-M3", at("2026-03-18", "23:59"))
    assert (back.paid_fen, back.funded_fen) == (980, 20)
    assert moved == {TILL: -980, TILL_BY_MERCHANTS: -20, MERCHANTS: 20}
    assert city.purse_of(card) == 10_000
    assert city.use(card, ITEM, SHOP, MORNING, amount_fen=1_000).paid_fen == 980  # the day's offer is there again


def test_what_is_not_taken_back(city: StoryCity) -> None:
    card = city.a_holder()
    late, other, once = (city.use(card, ITEM, SHOP, MORNING, amount_fen=1_000) for _ in range(3))
    with pytest.raises(Conflict, match="REFUND_TOO_LATE"):
        city.give_back(late, SHOP, at("2026-03-19", "00:00"))
    with pytest.raises(OneCardError, match="USE_UNKNOWN"):
        city.give_back(other, "NT-PHARM-S1", MORNING)
    city.give_back(once, SHOP, MORNING)
    with pytest.raises(Conflict, match="ALREADY_REFUNDED"):
        city.give_back(once, SHOP, MORNING)
