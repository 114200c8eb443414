"""Hospital registration: the card or the code proves who comes, in place of the hospital's own card."""

import pytest
from tests.stories.city import BEIJING, NANTONG, WORKING, StoryCity, at

from onecard_kit.verdicts import Verdict

ITEM, DESK = "health.registration", "NT-HOSP-R1"
MORNING = at(WORKING, "07:30")


@pytest.mark.parametrize("place", [NANTONG, BEIJING])
@pytest.mark.parametrize("counter", [None, 1])
def test_everyone_registers_by_card_or_code_and_pays_nothing(city: StoryCity, place: str, counter: int | None) -> None:
    with city.money() as moved:
        answer = city.use(city.a_holder(fen=None, place=place), ITEM, DESK, MORNING, counter=counter)
    assert (answer.verdict, answer.full_fen, moved) == (Verdict.ADMITTED, 0, {})


@pytest.mark.parametrize("state", ["inactive", "suspended", "closed"])
def test_the_social_security_function_is_what_counts(city: StoryCity, state: str) -> None:
    card = city.a_holder()
    city.run("UPDATE cards_standing SET social_security = $1 WHERE card_id = $2", state, card.id)
    assert city.verdict(card, ITEM, DESK, MORNING) is Verdict.FUNCTION_INACTIVE
    city.run(
        "UPDATE cards_standing SET social_security = 'active', financial = $1, transit = $1 WHERE card_id = $2",
        state, card.id,
    )  # fmt: skip
    assert city.verdict(card, ITEM, DESK, MORNING) is Verdict.ADMITTED


def test_refusals_of_the_card(city: StoryCity) -> None:
    assert city.verdict(city.a_holder(state="temp_lost"), ITEM, DESK, MORNING) is Verdict.CARD_LOST
    assert city.verdict(city.a_holder(state="locked"), ITEM, DESK, MORNING) is Verdict.CARD_LOCKED
    assert city.verdict(city.a_holder(state="inactive"), ITEM, DESK, MORNING) is Verdict.CARD_INACTIVE
