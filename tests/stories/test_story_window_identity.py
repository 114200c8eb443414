"""Proof of identity at a government window: everyone's card, at windows with staff."""

import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.kernel.cards.roles import django_as
from tests.stories.city import BEIJING, NANTONG, WORKING, StoryCity, at

from onecard.demo.plan import ACTOR
from onecard.foundation.errors import Conflict
from onecard.kernel.catalogue import actions
from onecard_kit.verdicts import Verdict

ITEM, WINDOW = "government.window_identity", "NT-GOV-W1"
MORNING = at(WORKING, "09:00")


@pytest.mark.parametrize("place", [NANTONG, BEIJING])
@pytest.mark.parametrize("counter", [None, 1])
def test_card_and_code_prove_who_is_there(city: StoryCity, place: str, counter: int | None) -> None:
    answer = city.use(city.a_holder(fen=None, place=place), ITEM, WINDOW, MORNING, counter=counter)
    assert answer.verdict is Verdict.ADMITTED


def test_a_number_read_aloud_proves_it_where_no_reader_takes_the_code(city: StoryCity) -> None:
    assert city.say(city.a_holder(fen=None), ITEM, WINDOW, MORNING) is Verdict.ADMITTED
    assert city.say(city.a_holder(state="lost"), ITEM, WINDOW, MORNING) is Verdict.CARD_LOST
    assert city.say(None, ITEM, WINDOW, MORNING) is Verdict.NUMBER_UNKNOWN


def test_refusals(city: StoryCity) -> None:
    assert city.verdict(city.a_holder(state="lost"), ITEM, WINDOW, MORNING) is Verdict.CARD_LOST
    assert city.verdict(city.a_holder(function_state="suspended"), ITEM, WINDOW, MORNING) is Verdict.FUNCTION_INACTIVE
    assert city.verdict(city.a_holder(), ITEM, "NT-GOV-W4", MORNING) is Verdict.ITEM_NOT_OFFERED


def test_a_point_without_staff_cannot_offer_it(city: StoryCity, django_db_blocker: DjangoDbBlocker) -> None:
    with django_as(city.urls["owner"], django_db_blocker), pytest.raises(Conflict, match="OFFER_UNATTENDED"):
        actions.offer(ACTOR, "NT-GOV-NET", ITEM)
