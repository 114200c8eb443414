"""Journeys that gates without a line tell in any order: who travelled pays the fare of the way, and nothing twice."""

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.gateway.gates import OfflineGate
from tests.gateway.process import send
from tests.gateway.test_gateway_journals import METRO_ITEM, Port, use_online
from tests.small_city import Card

from onecard.check import running as check
from onecard.kernel.uses import journeys, mine
from onecard_kit.terms import Leg

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("adds_up")]

HOUR_S = 3600.0


@pytest.fixture(scope="module")
def city(fresh_database: dict[str, str]) -> Iterator[Port]:
    made = Port(fresh_database["owner"])
    yield made
    made.connection.close()


@pytest.fixture
def end_due(fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker) -> Callable[[], int]:
    """The job, as the worker runs it."""

    def run() -> int:
        with django_db_blocker.unblock(), check.django_at(fresh_database["worker"]):
            return journeys.end_due()

    return run


@pytest.fixture
def shown_to(fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker) -> Callable[[Card], list[mine.Mine]]:
    """What residents' web shows a card's holder of its uses."""

    def page(card: Card) -> list[mine.Mine]:
        with django_db_blocker.unblock(), check.django_at(fresh_database["public"]):
            return mine.page([card.id]).uses

    return page


def ago(hours: float) -> float:
    return time.time() - hours * HOUR_S


def online(city: Port, client: httpx.Client, card: Card, station: str, leg: str) -> dict[str, Any]:
    gate = city.a_station(station)
    content = {"item": METRO_ITEM, "code": gate.code_at(card, time.time()), "leg": leg}
    return use_online(client, gate.terminal, content, gate.terminal.next())


def told(city: Port, card: Card) -> list[tuple[Any, ...]]:
    """The journeys of a card: where each began, whether it ended, and whether by a use."""
    return city.run(
        "SELECT point, ended_at IS NOT NULL, ended_by IS NOT NULL FROM uses_journey WHERE card_id = $1 ORDER BY at",
        card.id,
    )


# --- the end is told late ---------------------------------------------------------------------------------------------


def test_an_end_that_is_told_after_the_job_ended_the_journey_costs_the_fare(
    city: Port, client: httpx.Client, end_due: Callable[[], int]
) -> None:
    west, east, card = city.a_station("S1"), city.a_station("S3"), city.a_card(purse_fen=2000)
    west.write(card, leg=Leg.IN, at=ago(6))
    west.upload(client)
    end_due()
    assert city.purse_of(card) == 1400
    east.write(card, leg=Leg.OUT, at=ago(5))
    for kind in ("recorded", "repeated"):
        assert east.upload(client).told("result", "verdict", "paid_fen") == [(kind, "ADMITTED", 400)]
        assert (city.purse_of(card), told(city, card)) == (1600, [("S1", True, True)])


def test_an_end_after_the_time_of_the_journey_ends_nothing(
    city: Port, client: httpx.Client, end_due: Callable[[], int]
) -> None:
    west, east, card = city.a_station("S1"), city.a_station("S3"), city.a_card(purse_fen=2000)
    west.write(card, leg=Leg.IN, at=ago(6))
    west.upload(client)
    end_due()
    east.write(card, leg=Leg.OUT, at=ago(1))
    assert east.upload(client).told("verdict", "paid_fen") == [("NO_JOURNEY", 0)]
    assert city.purse_of(card) == 1400


def test_what_was_owed_and_paid_meanwhile_comes_back(
    city: Port, client: httpx.Client, end_due: Callable[[], int]
) -> None:
    west, east, card = city.a_station("S1"), city.a_station("S3"), city.a_card(purse_fen=100)
    counter = city.a_terminal("payments.purse_topup")
    west.write(card, leg=Leg.IN, at=ago(6))
    west.upload(client)
    end_due()
    assert (city.purse_of(card), city.owed_by(card)) == (0, 500)
    topup = {"item": "payments.purse_topup", "code": west.code_at(card, time.time()), "amount_fen": 1000}
    use_online(client, counter, topup, counter.next())
    east.write(card, leg=Leg.OUT, at=ago(5))
    assert east.upload(client).told("verdict", "paid_fen") == [("ADMITTED", 400)]
    assert (city.purse_of(card), city.owed_by(card)) == (1100 - 400, 0)


@pytest.mark.parametrize("room_fen", [0, 99, 150, 599])
def test_what_does_not_fit_into_the_purse_stays_charged_and_is_shown(
    city: Port,
    client: httpx.Client,
    end_due: Callable[[], int],
    shown_to: Callable[[Card], list[mine.Mine]],
    room_fen: int,
) -> None:
    west, east = city.a_station("S1"), city.a_station("S3")
    card, counter = city.a_card(purse_fen=100, ceiling_fen=2000), city.a_terminal("payments.purse_topup")
    west.write(card, leg=Leg.IN, at=ago(6))
    west.upload(client)
    end_due()
    topup = {"item": "payments.purse_topup", "code": west.code_at(card, time.time()), "amount_fen": 1000}
    use_online(client, counter, topup, counter.next())  # pays the 500 that are owed
    more_fen = 2000 - room_fen - city.purse_of(card)
    assert card.purse is not None
    city.transfer(city.account(city.bank, "bank.clearing"), card.purse, more_fen, "opening")
    east.write(card, leg=Leg.OUT, at=ago(5))
    for kind in ("recorded", "repeated"):
        assert east.upload(client).told("result", "verdict", "paid_fen") == [(kind, "PURSE_FULL", 0)]
    assert (city.purse_of(card), told(city, card)) == (2000 - room_fen, [("S1", True, False)])
    assert city.risks(card) == ["journey_stands_charged"]
    assert {use.leg: use.stands_charged for use in shown_to(card)} == {"in": False, "out": True, None: False}


def test_what_just_fits_comes_back(
    city: Port, client: httpx.Client, end_due: Callable[[], int], shown_to: Callable[[Card], list[mine.Mine]]
) -> None:
    west, east, card = city.a_station("S1"), city.a_station("S3"), city.a_card(purse_fen=600, ceiling_fen=600)
    west.write(card, leg=Leg.IN, at=ago(6))
    west.upload(client)
    end_due()
    assert city.purse_of(card) == 0
    east.write(card, leg=Leg.OUT, at=ago(5))
    assert east.upload(client).told("verdict", "paid_fen") == [("ADMITTED", 400)]
    assert (city.purse_of(card), city.risks(card)) == (200, [])
    assert not any(use.stands_charged for use in shown_to(card))


def test_the_end_of_the_journey_before_the_one_that_is_open(city: Port, client: httpx.Client) -> None:
    """In online, out at a gate without a line, in again online: that left the first open, until its end is told."""
    east, card = city.a_station("S2"), city.a_card(purse_fen=3000)
    west = city.a_station("S1")
    west.write(card, leg=Leg.IN, at=ago(2))
    west.upload(client)
    online(city, client, card, "S3", "in")
    assert city.purse_of(card) == 3000 - 600 - 600
    east.write(card, leg=Leg.OUT, at=ago(1.5))
    assert east.upload(client).told("verdict", "paid_fen") == [("ADMITTED", 200)]
    assert (city.purse_of(card), told(city, card)) == (3000 - 200 - 600, [("S1", True, True), ("S3", False, False)])
    assert online(city, client, card, "S4", "out")["price"]["full_fen"] == 400


def test_a_journey_that_was_given_back_is_not_charged_again(
    city: Port, client: httpx.Client, end_due: Callable[[], int]
) -> None:
    west, east, card = city.a_station("S1"), city.a_station("S3"), city.a_card(purse_fen=2000)
    west.write(card, leg=Leg.IN, at=ago(6))
    [begun] = west.upload(client).results
    end_due()
    assert send(client, west.terminal, {"use": begun["use"]}, path="/v1/refunds").status_code == 200
    east.write(card, leg=Leg.OUT, at=ago(5))
    assert east.upload(client).told("verdict", "paid_fen") == [("NO_JOURNEY", 0)]
    assert city.purse_of(card) == 2000


def test_an_end_that_was_settled_late_is_given_back_like_any_other(
    city: Port, client: httpx.Client, end_due: Callable[[], int]
) -> None:
    west, east, card = city.a_station("S1"), city.a_station("S3"), city.a_card(purse_fen=2000)
    west.write(card, leg=Leg.IN, at=ago(6))
    west.upload(client)
    end_due()
    east.write(card, leg=Leg.OUT, at=ago(5))
    [ended] = east.upload(client).results
    assert send(client, east.terminal, {"use": ended["use"]}, path="/v1/refunds").json()["paid_fen"] == 400
    assert city.purse_of(card) == 2000


# --- the beginning is told late ---------------------------------------------------------------------------------------


def test_a_beginning_that_is_told_after_the_end_costs_the_fare(city: Port, client: httpx.Client) -> None:
    west, east, card = city.a_station("S1"), city.a_station("S3"), city.a_card(purse_fen=2000)
    west.write(card, leg=Leg.IN, at=ago(2))
    east.write(card, leg=Leg.OUT, at=ago(1.5))
    assert east.upload(client).told("verdict", "paid_fen") == [("NO_JOURNEY", 0)]
    for _ in range(2):
        west.upload(client)
        assert (city.purse_of(card), told(city, card)) == (1600, [("S1", True, False)])


def test_who_was_refused_on_the_way_out_for_want_of_a_beginning_pays_the_fare(city: Port, client: httpx.Client) -> None:
    west, card = city.a_station("S1"), city.a_card(purse_fen=2000)
    west.write(card, leg=Leg.IN, at=ago(1))
    assert online(city, client, card, "S2", "out")["verdict"]["code"] == "NO_JOURNEY"
    [begun] = west.upload(client).results
    assert city.purse_of(card) == 1800
    assert send(client, west.terminal, {"use": begun["use"]}, path="/v1/refunds").status_code == 200
    assert city.purse_of(card) == 2000


def test_a_beginning_from_before_the_open_journey_leaves_that_open(city: Port, client: httpx.Client) -> None:
    """The holder went out unseen or without a line; what is open now is another journey."""
    west, card = city.a_station("S1"), city.a_card(purse_fen=3000)
    west.write(card, leg=Leg.IN, at=ago(2))
    online(city, client, card, "S3", "in")
    west.upload(client)
    assert (city.purse_of(card), told(city, card)) == (3000 - 600 - 600, [("S1", True, False), ("S3", False, False)])
    east = city.a_station("S2")
    east.write(card, leg=Leg.OUT, at=ago(1.5))
    assert east.upload(client).told("paid_fen") == [200]
    assert city.purse_of(card) == 3000 - 200 - 600


def test_a_journey_of_this_morning_in_one_upload_while_another_is_open(city: Port, client: httpx.Client) -> None:
    gate, card = city.a_station("S1"), city.a_card(purse_fen=3000)
    gate.write(card, leg=Leg.IN, at=ago(2))
    gate.write(card, leg=Leg.OUT, at=ago(1.5))
    online(city, client, card, "S3", "in")
    assert gate.upload(client).told("verdict", "paid_fen") == [("ADMITTED", 0), ("ADMITTED", 200)]
    assert (city.purse_of(card), told(city, card)) == (3000 - 200 - 600, [("S1", True, True), ("S3", False, False)])


# A beginning that has nothing but an end of hours later to go with takes that.
ORDERS = list(itertools.permutations(range(4)))
CROSSED = [(0, 3, 1, 2), (0, 3, 2, 1), (3, 0, 2, 1)]


@pytest.mark.parametrize("order", ORDERS)
def test_two_journeys_whose_taps_are_told_in_any_order(
    city: Port, client: httpx.Client, order: tuple[int, ...]
) -> None:
    """Four gates: S1 to S2 and, hours after, S3 to S1. That is what is paid in whatever order, or somebody is told."""
    taps = [("S1", Leg.IN, 3.0), ("S2", Leg.OUT, 2.5), ("S3", Leg.IN, 1.0), ("S1", Leg.OUT, 0.5)]
    card, gates = city.a_card(purse_fen=5000), []
    for station, leg, hours in taps:
        gate: OfflineGate = city.a_station(station)
        gate.write(card, leg=leg, at=ago(hours))
        gates.append(gate)
    for n in order:
        gates[n].upload(client)
    if order in CROSSED:
        assert set(city.risks(card)) == {"journey_taps_crossed"}
        return
    assert (city.purse_of(card), city.risks(card)) == (5000 - 200 - 400, [])
    assert [row[:2] for row in told(city, card)] == [("S1", True), ("S3", True)]
