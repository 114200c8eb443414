"""A purse top-up: the holder pays 95 %, the bank adds the rest, and the purse has it all."""

import pytest
from tests.stories.city import SHANGHAI, WORKING, StoryCity, at

from onecard.foundation.errors import Conflict
from onecard_kit.verdicts import Verdict

ITEM, OUTLET = "payments.purse_topup", "NT-RCB-O1"
MORNING = at(WORKING, "09:00")
CLEARING, OFFER = "NT-RCB bank.clearing purse", "NT-RCB bank.offer purse"


@pytest.mark.parametrize("amount_fen", [1_000, 5_001, 50_000])
def test_the_bank_adds_five_percent(city: StoryCity, amount_fen: int) -> None:
    card = city.a_holder(fen=0)
    with city.money() as moved:
        answer = city.use(card, ITEM, OUTLET, MORNING, amount_fen=amount_fen)
    paid_fen = amount_fen * 95 // 100
    assert (answer.verdict, answer.paid_fen, answer.balance_fen) == (Verdict.ADMITTED, paid_fen, amount_fen)
    assert moved == {CLEARING: -paid_fen, OFFER: -(amount_fen - paid_fen)}
    assert city.purse_of(card) == amount_fen


@pytest.mark.parametrize("amount_fen", [None, 999, 50_001])
def test_an_amount_that_does_not_fit_is_refused(city: StoryCity, amount_fen: int | None) -> None:
    assert city.verdict(city.a_holder(), ITEM, OUTLET, MORNING, amount_fen=amount_fen) is Verdict.AMOUNT_INVALID


def test_refusals(city: StoryCity) -> None:
    elsewhere, without = city.a_holder(place=SHANGHAI), city.a_holder(fen=None)
    assert city.verdict(elsewhere, ITEM, OUTLET, MORNING, amount_fen=1_000) is Verdict.NOT_ENTITLED
    assert city.verdict(without, ITEM, OUTLET, MORNING, amount_fen=1_000) is Verdict.PURSE_MISSING
    full = city.a_holder(fen=99_001)
    assert city.verdict(full, ITEM, OUTLET, MORNING, amount_fen=1_000) is Verdict.PURSE_FULL
    assert city.verdict(city.a_holder(state="temp_lost"), ITEM, OUTLET, MORNING, amount_fen=1_000) is Verdict.CARD_LOST


def test_a_topup_goes_back_to_bank_and_offer_unless_it_was_spent(city: StoryCity) -> None:
    card = city.a_holder(fen=0)
    kept, spent = (city.use(card, ITEM, OUTLET, MORNING, amount_fen=1_000) for _ in range(2))
    city.use(card, "transit.bus_ride", "NT-BUS-L01", at(WORKING, "10:00"))
    with city.money() as moved:
        city.give_back(kept, "NT-RCB-O2", at(WORKING, "11:00"))
    assert moved == {CLEARING: 950, OFFER: 50}
    with pytest.raises(Conflict, match="FUNDS_SHORT"):
        city.give_back(spent, OUTLET, at(WORKING, "11:00"))
    assert city.purse_of(card) == 810
