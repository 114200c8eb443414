"""A metro ride: held at the most when tapping in, paid by distance when tapping out."""

import datetime as dt
from pathlib import Path

import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.kernel.cards.roles import django_as
from tests.small_city import Card
from tests.stories.city import BEIJING, SHANGHAI, TAIZHOU, WORKING, StoryCity, at, why

from onecard import scenarios
from onecard.foundation import clock
from onecard.foundation.actors import Actor
from onecard.foundation.errors import Conflict
from onecard.kernel.catalogue import files, loading, publishing
from onecard.kernel.uses import journeys
from onecard.kernel.uses.lines import Answer
from onecard_kit.terms import Leg
from onecard_kit.verdicts import Verdict

ITEM, BUS = "transit.metro_ride", "transit.bus_ride"
RUSH, OFF_PEAK = at(WORKING, "07:30"), at(WORKING, "10:00")
METRO, CITY = "NT-METRO operator.receivable purse", "NT-METRO operator.receivable treasury"
TREASURY = "NT-FIN treasury.city treasury"


def station(number: int) -> str:
    return f"NT-METRO-S{number:02d}"


def tap_in(city: StoryCity, card: Card, number: int, when: dt.datetime) -> Answer:
    return city.use(card, ITEM, station(number), when, leg=Leg.IN)


def tap_out(city: StoryCity, card: Card, number: int, when: dt.datetime) -> Answer:
    return city.use(card, ITEM, station(number), when, leg=Leg.OUT)


def ride(city: StoryCity, card: Card, start: int, end: int, when: dt.datetime, minutes: int = 20) -> Answer:
    assert tap_in(city, card, start, when).verdict is Verdict.ADMITTED
    return tap_out(city, card, end, when + dt.timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("start", "end", "full_fen"),
    [
        (1, 1, 200),  # in and out again at the same station
        (1, 2, 200),
        (1, 5, 300),
        (2, 10, 300),  # over to the other line, where they cross
        (1, 7, 500),
        (13, 8, 600),
        (8, 13, 600),
    ],
)
def test_the_fare_is_by_the_shortest_way_on_both_lines(city: StoryCity, start: int, end: int, full_fen: int) -> None:
    card = city.a_holder()
    with city.money() as moved:
        answer = ride(city, card, start, end, RUSH)
    paid_fen = full_fen * 9 // 10
    assert (answer.full_fen, answer.paid_fen, answer.concession) == (full_fen, paid_fen, "everyone")
    assert moved == {METRO: paid_fen}
    assert city.purse_of(card) == 10_000 - paid_fen


def test_the_most_is_held_while_inside_and_the_rest_let_go(city: StoryCity) -> None:
    card = city.a_holder(fen=1_000)
    with city.money() as moved:
        begun = tap_in(city, card, 1, RUSH)
        assert (begun.held_fen, begun.paid_fen, city.purse_of(card)) == (540, 0, 460)
    assert moved == {}
    assert "ADMITTED" in why(begun)
    assert tap_out(city, card, 2, at(WORKING, "07:36")).balance_fen == 820


@pytest.mark.parametrize(
    ("classes", "place", "when", "paid_fen", "concession"),
    [
        (("senior_70",), "320600", OFF_PEAK, 0, "senior_70_off_peak"),
        (("senior_70",), "320600", RUSH, 150, "senior_70"),
        (("senior_70",), TAIZHOU, OFF_PEAK, 0, "senior_70_off_peak"),
        (("senior_70",), SHANGHAI, OFF_PEAK, 270, "everyone"),
        (("student",), "320600", RUSH, 150, "student"),
        (("disabled",), "320600", RUSH, 0, "disabled"),
        (("model_worker",), BEIJING, RUSH, 0, "model_worker"),
        # The bus's terms, which the metro does not have.
        (("senior_60",), "320600", OFF_PEAK, 270, "everyone"),
        (("pupil_6_14",), "320600", OFF_PEAK, 270, "everyone"),
        (("care_free", "veteran"), "320600", OFF_PEAK, 270, "everyone"),
    ],
)
def test_the_metro_has_its_own_concessions(
    city: StoryCity, classes: tuple[str, ...], place: str, when: dt.datetime, paid_fen: int, concession: str
) -> None:
    card = city.a_holder(*classes, place=place)
    with city.money() as moved:
        answer = ride(city, card, 1, 5, when)
    assert (answer.full_fen, answer.paid_fen, answer.concession) == (300, paid_fen, concession)
    funded_fen = 0 if concession == "everyone" else 300 - paid_fen
    wanted = {METRO: paid_fen, CITY: funded_fen, TREASURY: -funded_fen}
    assert moved == {account: fen for account, fen in wanted.items() if fen}


def test_the_terms_of_the_beginning_hold_to_the_end(city: StoryCity) -> None:
    card = city.a_holder("senior_70")
    assert tap_in(city, card, 1, at(WORKING, "06:59")).held_fen == 0
    assert tap_out(city, card, 8, at(WORKING, "07:40")).paid_fen == 0


def test_changing_within_the_hour_takes_off_a_yuan(city: StoryCity) -> None:
    card = city.a_holder()
    city.use(card, BUS, "NT-BUS-L01", at(WORKING, "08:00"))
    first = ride(city, card, 1, 5, at(WORKING, "09:00"), minutes=30)
    assert (first.paid_fen, first.waived_fen) == (170, 100)
    assert "WAIVED" in why(first)
    second = ride(city, card, 5, 1, at(WORKING, "10:31"))
    assert (second.paid_fen, second.waived_fen) == (270, 0)


def test_after_fifteen_yuan_the_rest_of_the_day_is_free(city: StoryCity) -> None:
    card = city.a_holder()
    paid = [ride(city, card, 1, 7, at(WORKING, f"{hour:02d}:00")).paid_fen for hour in (7, 9, 11, 13, 15)]
    assert paid == [450, 450, 450, 150, 0]
    assert ride(city, card, 1, 7, at("2026-03-12", "07:00")).paid_fen == 450


def test_who_taps_in_again_pays_the_most_for_the_journey_left_open(city: StoryCity) -> None:
    card = city.a_holder()
    tap_in(city, card, 1, at(WORKING, "08:00"))
    with city.money() as moved:
        again = tap_in(city, card, 2, at(WORKING, "09:00"))
    assert moved == {METRO: 540}
    assert (again.verdict, again.balance_fen) == (Verdict.ADMITTED, 10_000 - 540 - 540)
    assert tap_out(city, card, 1, at(WORKING, "09:10")).paid_fen == 180


def test_a_journey_that_nobody_ends_ends_by_itself_after_four_hours(
    city: StoryCity, django_db_blocker: DjangoDbBlocker
) -> None:
    senior = city.a_holder("senior_70")
    tap_in(city, senior, 1, RUSH)
    with city.money() as moved, django_as(city.urls["worker"], django_db_blocker):
        journeys.end_due()
    assert moved == {METRO: 300, CITY: 300, TREASURY: -300}
    assert city.purse_of(senior) == 9_700
    assert tap_out(city, senior, 5, at(WORKING, "12:00")).verdict is Verdict.NO_JOURNEY


def test_refusals(city: StoryCity) -> None:
    poor = city.a_holder(fen=539)
    assert city.verdict(poor, ITEM, station(1), RUSH, leg=Leg.IN) is Verdict.FUNDS_SHORT
    assert city.verdict(poor, ITEM, station(1), RUSH, leg=Leg.OUT) is Verdict.NO_JOURNEY
    assert city.verdict(poor, ITEM, station(1), RUSH) is Verdict.LEG_INVALID
    inactive = city.a_holder(function_state="inactive")
    assert city.verdict(inactive, ITEM, station(1), RUSH, leg=Leg.IN) is Verdict.FUNCTION_INACTIVE
    assert city.verdict(city.a_holder(fen=None), ITEM, station(1), RUSH, leg=Leg.IN) is Verdict.PURSE_MISSING


def test_a_card_lost_inside_is_refused_at_the_way_out_and_costs_the_most(
    city: StoryCity, django_db_blocker: DjangoDbBlocker
) -> None:
    card = city.a_holder()
    tap_in(city, card, 1, RUSH)
    city.run("UPDATE cards_standing SET card_state = 'temp_lost' WHERE card_id = $1", card.id)
    assert tap_out(city, card, 2, at(WORKING, "07:40")).verdict is Verdict.CARD_LOST
    with django_as(city.urls["worker"], django_db_blocker):
        journeys.end_due()
    assert city.purse_of(card) == 10_000 - 540


def test_a_fare_is_given_back_at_any_station_and_leaves_room_under_the_cap(city: StoryCity) -> None:
    card = city.a_holder()
    begun = tap_in(city, card, 1, RUSH)
    ended = tap_out(city, card, 7, at(WORKING, "08:00"))
    with pytest.raises(Conflict, match="JOURNEY_NOT_ENDED"):
        city.give_back(begun, station(1), at(WORKING))
    with city.money() as moved:
        assert city.give_back(ended, station(3), at(WORKING)).paid_fen == 450
    assert moved == {METRO: -450}
    paid = [ride(city, card, 1, 7, at(WORKING, f"{hour:02d}:00")).paid_fen for hour in (13, 15, 17, 19)]
    assert paid == [450, 450, 450, 150]


def test_a_new_table_of_fares_leaves_the_journeys_that_had_begun_alone(
    city: StoryCity, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    tomorrow = clock.today() + dt.timedelta(days=1)
    midnight = at(tomorrow.isoformat(), "00:00")
    before, after, free = (city.a_holder(*classes) for classes in ((), (), ("disabled",)))
    tap_in(city, before, 1, midnight - dt.timedelta(minutes=10))
    tap_in(city, free, 1, midnight - dt.timedelta(minutes=10))
    _publish(city, tmp_path, tomorrow, django_db_blocker)
    assert tap_in(city, after, 1, midnight).held_fen == 1_000
    assert tap_out(city, before, 2, midnight + dt.timedelta(minutes=1)).paid_fen == 180
    assert tap_out(city, free, 2, midnight + dt.timedelta(minutes=1)).paid_fen == 0
    assert tap_out(city, after, 2, midnight + dt.timedelta(minutes=1)).paid_fen == 400


def _publish(city: StoryCity, tmp_path: Path, starts_on: dt.date, blocker: DjangoDbBlocker) -> None:
    """A second version, twice as dear and without any concession, from a day on."""
    text = (scenarios.FOLDER / "transit/items/metro_ride.toml").read_text(encoding="utf-8")
    text = text.partition("[[concession]]")[0].replace("version     = 1", "version     = 2")
    text = text.replace("starts_on   = 2026-01-01", f"starts_on   = {starts_on}").replace(
        "[[4000, 200], [8000, 300]", "[[4000, 400], [8000, 500]"
    )
    text = text.replace("[13000, 400], [19000, 500], [26000, 600]", "[13000, 600], [19000, 800], [26000, 1000]")
    path = tmp_path / "transit/items/metro_ride.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    maker, checker = (Actor(f"staff:{n}", frozenset({"*"})) for n in (1, 2))
    with django_as(city.urls["owner"], blocker):
        loading.load(maker, files.read(tmp_path))
        publishing.submit(maker, ITEM, 2)
        publishing.publish(checker, ITEM, 2)
