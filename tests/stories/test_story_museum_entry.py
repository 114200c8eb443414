"""Museum entry: free, on the days a museum opens, up to what it can take in a day."""

import pytest
from tests.stories.city import BEIJING, HOLIDAY, WEEKEND, WORKING, StoryCity, at

from onecard.foundation.errors import Conflict
from onecard_kit.verdicts import Verdict

ITEM, MUSEUM, CALICO = "culture.museum_entry", "NT-MUS-M1", "NT-MUS-M2"


@pytest.mark.parametrize(
    ("museum", "day", "time", "verdict"),
    [
        (MUSEUM, WORKING, "09:00", Verdict.ADMITTED),
        (MUSEUM, WORKING, "08:59", Verdict.POINT_CLOSED),
        (MUSEUM, WORKING, "17:00", Verdict.POINT_CLOSED),
        (MUSEUM, WEEKEND, "19:59", Verdict.ADMITTED),
        (CALICO, WORKING, "12:00", Verdict.POINT_CLOSED),
        (CALICO, WEEKEND, "12:00", Verdict.ADMITTED),
        (CALICO, HOLIDAY, "12:00", Verdict.ADMITTED),
        (CALICO, "2026-05-09", "12:00", Verdict.POINT_CLOSED),  # a Saturday that is worked for the holiday
    ],
)
def test_each_museum_has_its_days_and_hours(
    city: StoryCity, museum: str, day: str, time: str, verdict: Verdict
) -> None:
    with city.money() as moved:
        entry = city.use(city.a_holder(fen=None, place=BEIJING), ITEM, museum, at(day, time))
    assert (entry.verdict, moved) == (verdict, {})


def test_a_museum_takes_what_it_can_and_a_place_given_back_is_taken_again(city: StoryCity) -> None:
    day = at("2026-03-15")
    city.run(
        "UPDATE catalogue_offer SET capacity_count = 2 WHERE item_id = $1"
        " AND point_id = (SELECT id FROM catalogue_point WHERE code = $2)",
        ITEM, CALICO,
    )  # fmt: skip
    lines = [city.line(city.a_holder(), ITEM, CALICO, day) for _ in range(3)]
    entries = city.together(*lines)
    assert [each.verdict for each in entries] == [Verdict.ADMITTED, Verdict.ADMITTED, Verdict.CAPACITY_FULL]
    city.give_back(entries[0], CALICO, day)
    assert city.verdict(city.a_holder(), ITEM, CALICO, day) is Verdict.ADMITTED
    assert city.verdict(city.a_holder(), ITEM, CALICO, day) is Verdict.CAPACITY_FULL
    assert city.verdict(city.a_holder(), ITEM, MUSEUM, day) is Verdict.ADMITTED  # each museum counts its own
    assert city.verdict(city.a_holder(), ITEM, CALICO, at("2026-03-21")) is Verdict.ADMITTED  # and each day


def test_refusals(city: StoryCity) -> None:
    noon = at(WORKING)
    assert city.verdict(city.a_holder(function_state="suspended"), ITEM, MUSEUM, noon) is Verdict.FUNCTION_INACTIVE
    entry = city.use(city.a_holder(state="cancelled"), ITEM, MUSEUM, noon)
    assert entry.verdict is Verdict.CARD_CANCELLED
    with pytest.raises(Conflict, match="NOTHING_TO_REFUND"):
        city.give_back(entry, MUSEUM, noon)
