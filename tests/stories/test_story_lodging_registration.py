"""Lodging registration: the card is a valid proof of identity for it, wherever it was issued."""

import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.kernel.cards.roles import django_as
from tests.stories.city import BEIJING, NANTONG, WORKING, StoryCity, at

from onecard.demo.plan import ACTOR
from onecard.foundation.errors import Conflict
from onecard.kernel.catalogue import actions
from onecard_kit.verdicts import Verdict

ITEM, DESK = "living.lodging_registration", "NT-HOTEL-F1"
NIGHT = at(WORKING, "23:50")


@pytest.mark.parametrize("place", [NANTONG, BEIJING])
@pytest.mark.parametrize("counter", [None, 1])
def test_a_guest_registers_at_any_hour(city: StoryCity, place: str, counter: int | None) -> None:
    guest = city.a_holder(fen=None, place=place)
    assert city.use(guest, ITEM, DESK, NIGHT, counter=counter).verdict is Verdict.ADMITTED


def test_a_guest_reads_a_number_to_the_desk(city: StoryCity) -> None:
    assert city.say(city.a_holder(fen=None), ITEM, DESK, NIGHT) is Verdict.ADMITTED


def test_refusals(city: StoryCity) -> None:
    assert city.verdict(city.a_holder(state="lost"), ITEM, DESK, NIGHT) is Verdict.CARD_LOST
    assert city.verdict(city.a_holder(function_state="suspended"), ITEM, DESK, NIGHT) is Verdict.FUNCTION_INACTIVE


def test_a_desk_without_staff_cannot_offer_it(city: StoryCity, django_db_blocker: DjangoDbBlocker) -> None:
    with django_as(city.urls["owner"], django_db_blocker), pytest.raises(Conflict, match="OFFER_UNATTENDED"):
        actions.offer(ACTOR, "NT-SPORT-H2", ITEM)
