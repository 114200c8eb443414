"""A ferry ride: terms of its own, the same for the elderly of the whole Delta."""

import pytest
from tests.stories.city import BEIJING, NANTONG, SHANGHAI, TAIZHOU, WORKING, StoryCity, at

from onecard.foundation.errors import Conflict
from onecard_kit.verdicts import Verdict

ITEM, LANDING, OTHER_LANDING = "transit.ferry_ride", "NT-FERRY-A", "NT-FERRY-B"
MORNING = at(WORKING, "09:00")
FERRY, CITY = "NT-FERRY operator.receivable purse", "NT-FERRY operator.receivable treasury"
TREASURY = "NT-FIN treasury.city treasury"


@pytest.mark.parametrize(
    ("classes", "place", "paid_fen", "funded_fen"),
    [
        ((), NANTONG, 240, 0),
        ((), TAIZHOU, 240, 0),
        ((), SHANGHAI, 300, 0),
        (("senior_60",), SHANGHAI, 150, 150),
        (("senior_70",), SHANGHAI, 0, 300),
        (("senior_70",), BEIJING, 300, 0),
        (("student",), "320500", 150, 0),
        (("veteran", "care_free"), BEIJING, 0, 300),
        (("disabled", "care_half"), NANTONG, 150, 150),
        # Neither the bus's pupils nor the metro's model workers.
        (("pupil_6_14",), NANTONG, 240, 0),
        (("model_worker",), NANTONG, 240, 0),
    ],
)
def test_each_pays_what_their_class_and_place_leave(
    city: StoryCity, classes: tuple[str, ...], place: str, paid_fen: int, funded_fen: int
) -> None:
    card = city.a_holder(*classes, place=place)
    with city.money() as moved:
        ride = city.use(card, ITEM, LANDING, MORNING)
    assert (ride.full_fen, ride.paid_fen) == (300, paid_fen)
    wanted = {FERRY: paid_fen, CITY: funded_fen, TREASURY: -funded_fen}
    assert moved == {account: fen for account, fen in wanted.items() if fen}


def test_one_holder_gets_other_terms_on_bus_metro_and_ferry(city: StoryCity) -> None:
    senior = city.a_holder("senior_60")
    bus = city.use(senior, "transit.bus_ride", "NT-BUS-L01", MORNING)
    ferry = city.use(senior, ITEM, LANDING, at(WORKING, "11:00"))
    assert (bus.concession, bus.paid_fen) == ("senior_60", 100)
    assert (ferry.concession, ferry.paid_fen) == ("senior_60", 150)


def test_changing_from_the_bus_takes_off_half_a_yuan(city: StoryCity) -> None:
    card = city.a_holder()
    city.use(card, "transit.bus_ride", "NT-BUS-L01", at(WORKING, "08:00"))
    ride = city.use(card, ITEM, LANDING, at(WORKING, "08:55"))
    assert (ride.full_fen, ride.paid_fen, ride.waived_fen) == (300, 190, 50)
    assert city.use(card, ITEM, OTHER_LANDING, at(WORKING, "09:30")).waived_fen == 0  # from the ferry is no change


def test_refusals(city: StoryCity) -> None:
    assert city.verdict(city.a_holder(), ITEM, LANDING, at(WORKING, "05:59")) is Verdict.POINT_CLOSED
    assert city.verdict(city.a_holder(), ITEM, LANDING, at(WORKING, "18:30")) is Verdict.POINT_CLOSED
    assert city.verdict(city.a_holder(fen=239), ITEM, LANDING, MORNING) is Verdict.FUNDS_SHORT
    assert city.verdict(city.a_holder(function_state="inactive"), ITEM, LANDING, MORNING) is Verdict.FUNCTION_INACTIVE


def test_a_ferry_that_does_not_sail_is_given_back_on_its_own_day(city: StoryCity) -> None:
    card = city.a_holder()
    missed, sailed = (city.use(card, ITEM, LANDING, MORNING) for _ in range(2))
    assert city.give_back(missed, OTHER_LANDING, at(WORKING, "23:59")).paid_fen == 240
    with pytest.raises(Conflict, match="REFUND_TOO_LATE"):
        city.give_back(sailed, LANDING, at("2026-03-12", "00:00"))
