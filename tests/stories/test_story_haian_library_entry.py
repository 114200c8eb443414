"""Hai'an's library: an item of the county's list, which stands there for the one of the Delta's and bounds it."""

from pytest_django.plugin import DjangoDbBlocker
from tests.kernel.cards.roles import django_as
from tests.stories.city import BEIJING, WORKING, StoryCity, at

from onecard.foundation import clock
from onecard.kernel.catalogue import queries
from onecard_kit.verdicts import Verdict

ITEM, UPPER, HAIAN, TONGZHOU = "culture.haian_library_entry", "culture.library_entry", "NT-LIB-B3", "NT-LIB-B2"
AFTERNOON = at(WORKING, "15:00")


def test_three_times_a_day_and_a_place_given_back_is_taken_again(city: StoryCity) -> None:
    reader = city.a_holder(fen=None, place=BEIJING)
    with city.money() as moved:
        entries = [city.use(reader, ITEM, HAIAN, AFTERNOON) for _ in range(4)]
    assert [each.verdict for each in entries] == [Verdict.ADMITTED] * 3 + [Verdict.QUOTA_EXHAUSTED]
    assert moved == {}
    city.give_back(entries[0], HAIAN, AFTERNOON)
    assert city.verdict(reader, ITEM, HAIAN, AFTERNOON) is Verdict.ADMITTED
    assert city.verdict(reader, ITEM, HAIAN, at("2026-03-12")) is Verdict.ADMITTED
    assert city.verdict(reader, UPPER, TONGZHOU, AFTERNOON) is Verdict.ADMITTED  # the Delta's item has no bounds


def test_the_seats_of_a_day_are_as_many_as_there_are(city: StoryCity) -> None:
    day = at("2026-03-15")
    city.run("UPDATE catalogue_offer SET capacity_count = 1 WHERE item_id = $1", ITEM)
    try:
        assert city.verdict(city.a_holder(), ITEM, HAIAN, day) is Verdict.ADMITTED
        assert city.verdict(city.a_holder(), ITEM, HAIAN, day) is Verdict.CAPACITY_FULL
    finally:
        city.run("UPDATE catalogue_offer SET capacity_count = NULL WHERE item_id = $1", ITEM)


def test_refusals(city: StoryCity) -> None:
    assert city.verdict(city.a_holder(function_state="suspended"), ITEM, HAIAN, AFTERNOON) is Verdict.FUNCTION_INACTIVE
    assert city.verdict(city.a_holder(), UPPER, HAIAN, AFTERNOON) is Verdict.ITEM_NOT_OFFERED
    assert city.verdict(city.a_holder(), ITEM, TONGZHOU, AFTERNOON) is Verdict.ITEM_NOT_OFFERED


def test_on_the_countys_list_it_stands_for_the_deltas(city: StoryCity, django_db_blocker: DjangoDbBlocker) -> None:
    with django_as(city.urls["owner"], django_db_blocker):
        lists = {
            place: {row.item_id for row in queries.list_of(place, clock.today(), limit=queries.ALL)}
            for place in ("320685", "320682", "320600")
        }
    assert (ITEM in lists["320685"], UPPER in lists["320685"]) == (True, False)
    for elsewhere in ("320682", "320600"):
        assert (ITEM in lists[elsewhere], UPPER in lists[elsewhere]) == (False, True)
