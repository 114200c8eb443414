"""A bus ride: the published fares of the card, the treasury's part, and who is refused."""

import pytest
from tests.stories.city import BEIJING, TAIZHOU, WORKING, StoryCity, at, why

from onecard.foundation.errors import Conflict
from onecard_kit.verdicts import Verdict

ITEM, LINE_1, LINE_2 = "transit.bus_ride", "NT-BUS-L01", "NT-BUS-L02"
MORNING = at(WORKING, "07:40")
BUS, CITY = "NT-BUS operator.receivable purse", "NT-BUS operator.receivable treasury"
TREASURY = "NT-FIN treasury.city treasury"


@pytest.mark.parametrize(
    ("classes", "paid_fen", "funded_fen", "borne"),
    [
        ((), 190, 0, 10),
        (("pupil_6_14",), 160, 40, 0),
        (("senior_60",), 100, 100, 0),
        (("senior_70",), 0, 200, 0),
        (("senior_60", "care_free"), 0, 200, 0),
        (("care_half",), 100, 100, 0),
        (("student",), 190, 0, 10),
    ],
)
def test_each_pays_what_their_class_leaves(
    city: StoryCity, classes: tuple[str, ...], paid_fen: int, funded_fen: int, borne: int
) -> None:
    card = city.a_holder(*classes)
    with city.money() as moved:
        ride = city.use(card, ITEM, LINE_1, MORNING)
    assert (ride.verdict, ride.full_fen, ride.paid_fen) == (Verdict.ADMITTED, 200, paid_fen)
    assert city.purse_of(card) == 10_000 - paid_fen
    wanted = {BUS: paid_fen, CITY: funded_fen, TREASURY: -funded_fen}
    assert moved == {account: fen for account, fen in wanted.items() if fen}
    assert paid_fen + funded_fen + borne == 200


@pytest.mark.parametrize("place", [TAIZHOU, BEIJING])
def test_a_card_from_elsewhere_rides_at_the_card_price_but_without_the_citys_terms(city: StoryCity, place: str) -> None:
    ride = city.use(city.a_holder("senior_70", place=place), ITEM, LINE_1, MORNING)
    assert (ride.paid_fen, ride.concession) == (190, "everyone")


def test_the_card_itself_is_as_good_as_the_code(city: StoryCity) -> None:
    card = city.a_holder("pupil_6_14")
    assert city.use(card, ITEM, LINE_1, MORNING, counter=1).paid_fen == 160
    assert city.use(card, ITEM, LINE_1, at(WORKING, "16:20")).paid_fen == 160


def test_half_price_is_for_twenty_rides_a_day_and_starts_again_the_next(city: StoryCity) -> None:
    card = city.a_holder("senior_60")
    lines = [city.line(card, ITEM, LINE_1, at(WORKING, f"{8 + n // 4:02d}:{n % 4 * 15:02d}")) for n in range(21)]
    assert [each.paid_fen for each in city.together(*lines)] == [100] * 20 + [190]
    assert city.use(card, ITEM, LINE_1, at("2026-03-12", "08:00")).paid_fen == 100


def test_refusals(city: StoryCity) -> None:
    assert city.verdict(city.a_holder(fen=189), ITEM, LINE_1, MORNING) is Verdict.FUNDS_SHORT
    assert city.verdict(city.a_holder(fen=None), ITEM, LINE_1, MORNING) is Verdict.PURSE_MISSING
    assert city.verdict(city.a_holder(function_state="suspended"), ITEM, LINE_1, MORNING) is Verdict.FUNCTION_INACTIVE
    assert city.verdict(city.a_holder(state="lost"), ITEM, LINE_1, MORNING) is Verdict.CARD_LOST
    assert city.verdict(city.a_holder(), ITEM, "NT-LIB-B1", MORNING) is Verdict.ITEM_NOT_OFFERED


def test_a_free_ride_needs_no_purse(city: StoryCity) -> None:
    ride = city.use(city.a_holder("senior_70", fen=None), ITEM, LINE_1, MORNING)
    assert why(ride) == ["ADMITTED", "CONCESSION:senior_70"]


def test_a_ride_is_given_back_within_thirty_days_on_any_line(city: StoryCity) -> None:
    card = city.a_holder("senior_60")
    ride, later = (city.use(card, ITEM, LINE_1, MORNING) for _ in range(2))
    with city.money() as moved:
        back = city.give_back(ride, LINE_2, at("2026-04-10", "23:59"))
    assert (back.paid_fen, back.funded_fen) == (100, 100)
    assert moved == {BUS: -100, CITY: -100, TREASURY: 100}
    with pytest.raises(Conflict, match="REFUND_TOO_LATE"):
        city.give_back(later, LINE_2, at("2026-04-11", "00:00"))
    assert city.purse_of(card) == 9_900
