"""Library entry: free for everyone whose card is in force, wherever it was issued."""

import pytest
from tests.stories.city import BEIJING, NANTONG, SHANGHAI, WORKING, StoryCity, at

from onecard_kit.verdicts import Verdict

ITEM, LIBRARY = "culture.library_entry", "NT-LIB-B2"
AFTERNOON = at(WORKING, "15:00")


@pytest.mark.parametrize("place", [NANTONG, SHANGHAI, BEIJING])
def test_everyone_enters_and_nothing_is_paid(city: StoryCity, place: str) -> None:
    with city.money() as moved:
        entry = city.use(city.a_holder(fen=None, place=place), ITEM, LIBRARY, AFTERNOON)
    assert (entry.verdict, entry.full_fen, moved) == (Verdict.ADMITTED, 0, {})


def test_by_code_and_by_card(city: StoryCity) -> None:
    reader = city.a_holder()
    assert city.use(reader, ITEM, LIBRARY, AFTERNOON, counter=1).verdict is Verdict.ADMITTED
    assert city.use(reader, ITEM, LIBRARY, AFTERNOON).verdict is Verdict.ADMITTED


def test_a_number_is_read_to_the_desk_and_typed_at_no_gate(city: StoryCity) -> None:
    reader = city.a_holder()
    assert city.say(reader, ITEM, LIBRARY, AFTERNOON) is Verdict.ADMITTED
    typed = city.read_aloud(city.terminal_at(LIBRARY), reader, ITEM, AFTERNOON)
    assert city.together(typed)[0].verdict is Verdict.NOT_ATTENDED


def test_refusals(city: StoryCity) -> None:
    assert (
        city.verdict(city.a_holder(function_state="suspended"), ITEM, LIBRARY, AFTERNOON) is Verdict.FUNCTION_INACTIVE
    )
    assert city.verdict(city.a_holder(state="lost"), ITEM, LIBRARY, AFTERNOON) is Verdict.CARD_LOST
    assert city.verdict(city.a_holder(), ITEM, "NT-MUS-M1", AFTERNOON) is Verdict.ITEM_NOT_OFFERED
    assert city.verdict(city.a_holder(), ITEM, LIBRARY, at("2025-12-31")) is Verdict.ITEM_NOT_IN_FORCE
