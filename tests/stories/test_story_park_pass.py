"""The park pass: bought once a year, started by its first entry or by itself after ninety days, good for 365 days, to
the midnight that ends the last.
"""

import datetime as dt

import pytest
from tests.small_city import Card
from tests.stories.city import BEIJING, NANTONG, SHANGHAI, WORKING, StoryCity, at

from onecard.foundation.errors import Conflict
from onecard.kernel.uses.lines import Answer
from onecard_kit.verdicts import Verdict

ITEM, ENTRY = "tourism.park_pass", "tourism.scenic_entry"
HILL, GARDEN = "NT-PARK-P1", "NT-PARK-P2"
BOUGHT = at(WORKING, "10:00")
PARKS, CITY = "NT-PARK operator.receivable purse", "NT-PARK operator.receivable treasury"
TREASURY = "NT-FIN treasury.city treasury"


def buy(city: StoryCity, card: Card, when: dt.datetime = BOUGHT) -> Answer:
    sold = city.use(card, ITEM, HILL, when)
    assert sold.verdict is Verdict.ADMITTED
    return sold


def enter(city: StoryCity, card: Card, when: dt.datetime) -> tuple[int, str | None]:
    entry = city.use(card, ENTRY, GARDEN, when)
    assert entry.verdict is Verdict.ADMITTED
    return entry.paid_fen, entry.concession


def days_later(days: int, time: str = "10:00") -> dt.datetime:
    day = BOUGHT.date() + dt.timedelta(days=days)
    return at(day.isoformat(), time)


@pytest.mark.parametrize(
    ("classes", "place", "paid_fen", "funded_fen"),
    [
        ((), NANTONG, 9_000, 0),
        ((), SHANGHAI, 9_000, 0),
        (("volunteer",), NANTONG, 7_900, 0),
        (("low_income",), NANTONG, 4_500, 4_500),
        (("low_income",), SHANGHAI, 9_000, 0),
    ],
)
def test_what_it_costs_and_who_bears_it(
    city: StoryCity, classes: tuple[str, ...], place: str, paid_fen: int, funded_fen: int
) -> None:
    card = city.a_holder(*classes, place=place)
    with city.money() as moved:
        assert buy(city, card).paid_fen == paid_fen
    wanted = {PARKS: paid_fen, CITY: funded_fen, TREASURY: -funded_fen}
    assert moved == {account: fen for account, fen in wanted.items() if fen}
    assert enter(city, card, BOUGHT) == (0, "tourism.park_pass")


def test_the_first_entry_starts_it_and_it_ends_with_the_midnight_of_its_last_day(city: StoryCity) -> None:
    card = city.a_holder(fen=30_000)
    buy(city, card)
    assert enter(city, card, days_later(90))[0] == 0
    assert enter(city, card, days_later(90 + 364, "18:29"))[0] == 0
    assert enter(city, card, days_later(90 + 365, "06:30")) == (4_800, "everyone_delta")


def test_unused_it_starts_by_itself_after_ninety_days(city: StoryCity) -> None:
    early, late = city.a_holder(fen=30_000), city.a_holder(fen=30_000)
    for card in (early, late):
        buy(city, card)
    assert enter(city, early, days_later(91 + 364))[0] == 0
    assert enter(city, late, days_later(91 + 365))[0] == 4_800


def test_it_is_the_holders_and_opens_with_any_card_or_code_of_theirs(city: StoryCity) -> None:
    card, stranger = city.a_holder(), city.a_holder()
    buy(city, card)
    assert city.use(card, ENTRY, GARDEN, BOUGHT, counter=1).paid_fen == 0
    assert enter(city, stranger, BOUGHT)[0] == 4_800


def test_who_enters_free_anyway_does_not_start_it(city: StoryCity) -> None:
    senior = city.a_holder("senior_70")
    sold = buy(city, senior)
    assert enter(city, senior, BOUGHT) == (0, "senior_70")
    assert city.give_back(sold, HILL, days_later(7, "23:59")).paid_fen == 9_000


def test_refusals(city: StoryCity) -> None:
    assert city.verdict(city.a_holder(place=BEIJING), ITEM, HILL, BOUGHT) is Verdict.NOT_ENTITLED
    assert city.verdict(city.a_holder(fen=8_999), ITEM, HILL, BOUGHT) is Verdict.FUNDS_SHORT
    assert city.verdict(city.a_holder(), ITEM, "NT-PARK-P3", BOUGHT) is Verdict.ITEM_NOT_OFFERED
    card = city.a_holder(fen=30_000)
    buy(city, card)
    assert city.verdict(card, ITEM, HILL, days_later(100)) is Verdict.QUOTA_EXHAUSTED
    assert city.verdict(card, ITEM, HILL, at("2027-01-01", "10:00")) is Verdict.ADMITTED


def test_it_is_given_back_within_seven_days_while_it_has_not_started(city: StoryCity) -> None:
    card = city.a_holder(fen=30_000)
    sold = buy(city, card)
    entry = city.use(card, ENTRY, HILL, BOUGHT)
    with pytest.raises(Conflict, match="PASS_IN_USE"):
        city.give_back(sold, HILL, BOUGHT)
    city.give_back(entry, HILL, BOUGHT)  # an entry by mistake; the pass waits again
    with city.money() as moved:
        assert city.give_back(sold, HILL, days_later(7)).paid_fen == 9_000
    assert moved == {PARKS: -9_000}
    assert enter(city, card, days_later(8))[0] == 4_800
    with pytest.raises(Conflict, match="REFUND_TOO_LATE"):
        city.give_back(buy(city, card, days_later(8)), HILL, days_later(16))
