"""Who was admitted online without the gate's hearing of it, and was turned away: all of it is given back, once."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.gateway.gates import OfflineGate
from tests.gateway.process import send
from tests.gateway.test_gateway_journals import METRO_ITEM, RIDE, Port, use_online
from tests.small_city import Card, Terminal

from onecard_kit.terms import Leg

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("adds_up")]

LOST: dict[str, Any] = {"verdict": "OFFLINE_NOT_ALLOWED", "reason": "unanswered"}
HALL, PASS, PARK, TOPUP = "culture.hall", "tourism.two_visits", "tourism.park", "payments.purse_topup"
ITEMS = (
    """
code = "culture.hall"
version = 1
starts_on = 2020-01-01
name = { zh = "场馆", en = "Hall" }
legal_basis = ["test"]
limit = { count = 1, period = "day" }
capacity = { count = 1, period = "day" }
price = { full_fen = 1000, from = "holder.purse", to = "operator.receivable" }
[[concession]]
class = "senior_60"
price = { percent = 50 }
funded_by = "treasury.city"
quota = { count = 1, period = "month" }
""",
    """
code = "tourism.two_visits"
version = 1
starts_on = 2020-01-01
name = { zh = "两次票", en = "Two visits" }
legal_basis = ["test"]
pass = { activate_within_days = 90, lasts_days = 365, uses = 2 }
price = { full_fen = 500, from = "holder.purse", to = "operator.receivable" }
""",
    """
code = "tourism.park"
version = 1
starts_on = 2020-01-01
name = { zh = "公园", en = "Park" }
legal_basis = ["test"]
price = { full_fen = 300, from = "holder.purse", to = "operator.receivable" }
[[concession]]
pass = "tourism.two_visits"
region = "all"
price = { percent = 0 }
funded_by = "operator"
""",
)


class Town(Port):
    """A port with a hall that takes one, and a park with passes."""

    def _found(self) -> None:
        super()._found()
        for text in ITEMS:
            self.an_item(text)

    def a_door(self, item: str) -> OfflineGate:
        return OfflineGate(self, self.a_terminal(item, point=self.a_point(item, self.operator)), item=item)

    def charged_all_the_same(self, terminal: Terminal) -> list[str]:
        """Why what was charged at a terminal could not be given back."""
        return [
            detail["why"]
            for (detail,) in self.run(
                "SELECT detail FROM audit_risk_fact WHERE kind = 'turned_away_and_charged' AND subject = $1",
                f"terminal:{terminal.id}",
            )
        ]


@pytest.fixture(scope="module")
def city(fresh_database: dict[str, str]) -> Iterator[Town]:
    made = Town(fresh_database["owner"])
    yield made
    made.connection.close()


def unheard(client: httpx.Client, gate: OfflineGate, card: Card, **content: Any) -> tuple[dict[str, Any], str, int]:
    """An admission of which the gate hears nothing: what it would have heard, the code, and its sequence."""
    code, sequence = gate.code_at(card, time.time()), gate.terminal.next()
    told = use_online(client, gate.terminal, {"item": gate.item, "code": code, **content}, sequence)
    assert told["admitted"], told
    return told, code, sequence


def turned_away(client: httpx.Client, gate: OfflineGate, card: Card, **more: Any) -> dict[str, Any]:
    """The same, and the gate refuses; what its upload is answered."""
    content = {**more, **({"leg": str(more["leg"])} if "leg" in more else {})}
    told, code, sequence = unheard(client, gate, card, **content)
    gate.write(code=code, sequence=sequence, **more, **LOST)
    line: dict[str, Any] = gate.upload(client).results[-1]
    assert (line["result"], line["use"], line["verdict"]) == ("repeated", told["use"], "ADMITTED")
    return line


def test_money_quota_and_place_are_as_if_it_had_not_been(city: Town, client: httpx.Client) -> None:
    door, card = city.a_door(HALL), city.a_card(purse_fen=500, classes=[("senior_60", "2020-01-01", None)])
    before = city.balance(city.treasury, "treasury.city", "treasury")
    line = turned_away(client, door, card)
    assert (line["gate_verdict"], line["given_back"]) == ("OFFLINE_NOT_ALLOWED", True)
    assert city.purse_of(card) == 500
    assert city.balance(city.treasury, "treasury.city", "treasury") == before
    told, _, _ = unheard(client, door, card)  # there is quota, place and money for another visit, at the same terms
    assert told["price"]["paid_fen"] == 500
    assert city.run("SELECT reason FROM uses_refund WHERE use_id = $1::text::uuid", line["use"]) == [("turned_away",)]


def test_once_however_often_it_is_told(city: Town, client: httpx.Client) -> None:
    gate, card = city.a_ferry("holder"), city.a_card(purse_fen=1000)
    line = turned_away(client, gate, card)
    for _ in range(3):
        assert gate.upload(client).told("result", "given_back") == [("repeated", True)]
    asked = send(client, gate.terminal, {"use": line["use"]}, path="/v1/refunds")
    assert (asked.status_code, asked.json()["code"]) == (409, "ALREADY_REFUNDED")
    assert city.purse_of(card) == 1000


def test_nothing_more_after_staff_gave_it_back(city: Town, client: httpx.Client) -> None:
    gate, card = city.a_ferry("holder"), city.a_card(purse_fen=1000)
    told, code, sequence = unheard(client, gate, card)
    assert send(client, gate.terminal, {"use": told["use"]}, path="/v1/refunds").status_code == 200
    gate.write(code=code, sequence=sequence, **LOST)
    assert gate.upload(client).told("given_back") == [True]
    assert city.purse_of(card) == 1000
    assert city.charged_all_the_same(gate.terminal) == []


def test_however_late_the_line_comes(city: Town, client: httpx.Client) -> None:
    """Long past the days for which anybody may ask for it."""
    gate, card = city.a_ferry("holder"), city.a_card(purse_fen=1000)
    told, code, sequence = unheard(client, gate, card)
    city.run("ALTER TABLE uses_use DISABLE TRIGGER refuse_change")
    city.run("UPDATE uses_use SET at = at - interval '90 days' WHERE id = $1::text::uuid", told["use"])
    city.run("ALTER TABLE uses_use ENABLE TRIGGER refuse_change")
    gate.write(code=code, sequence=sequence, **LOST)
    assert gate.upload(client).told("given_back") == [True]
    assert city.purse_of(card) == 1000


def test_who_tried_again_at_the_next_line_pays_with_what_came_back(city: Town, client: httpx.Client) -> None:
    gate, card = city.a_ferry("holder"), city.a_card(purse_fen=300)
    _, code, sequence = unheard(client, gate, card)
    gate.write(code=code, sequence=sequence, **LOST)
    gate.write(card)
    assert gate.upload(client).told("verdict", "paid_fen", "shortfall_fen", "given_back") == [
        ("ADMITTED", 300, 0, True), ("ADMITTED", 300, 0, False),
    ]  # fmt: skip
    assert (city.purse_of(card), city.owed_by(card)) == (0, 0)


def test_a_pass_has_its_use_again_and_one_that_was_sold_is_taken_back(city: Town, client: httpx.Client) -> None:
    shop, park, card = city.a_door(PASS), city.a_door(PARK), city.a_card(purse_fen=1000)
    assert turned_away(client, shop, card)["given_back"]
    unheard(client, shop, card)
    assert turned_away(client, park, card)["given_back"]
    held = city.run(
        "SELECT uses_left, starts_on, given_back FROM entitlements_pass WHERE holder_id = $1 ORDER BY given_back",
        card.holder_id,
    )
    assert held == [(2, None, False), (2, None, True)]
    assert city.purse_of(card) == 500


def test_a_journey_that_nobody_began(city: Town, client: httpx.Client) -> None:
    west, east, card = city.a_station("S1"), city.a_station("S3"), city.a_card(purse_fen=1000)
    line = turned_away(client, west, card, leg=Leg.IN)
    assert (line["given_back"], city.purse_of(card)) == (True, 1000)
    out = {"item": METRO_ITEM, "code": east.code_at(card, time.time()), "leg": "out"}
    assert use_online(client, east.terminal, out, east.terminal.next())["verdict"]["code"] == "NO_JOURNEY"


def test_a_journey_that_was_left_open_by_going_in_elsewhere(city: Town, client: httpx.Client) -> None:
    """Turned away at one gate, in at another, out: the first journey cost the most, and that comes back."""
    west, east, card = city.a_station("S1"), city.a_station("S3"), city.a_card(purse_fen=2000)
    _, code, sequence = unheard(client, west, card, leg="in")
    unheard(client, city.a_station("S2"), card, leg="in")
    unheard(client, east, card, leg="out")
    paid_fen = 2000 - city.purse_of(card)
    west.write(code=code, sequence=sequence, leg=Leg.IN, **LOST)
    assert west.upload(client).told("given_back") == [True]
    assert (paid_fen, city.purse_of(card)) == (600 + 400, 2000 - 400)


def test_a_way_that_was_travelled_is_paid(city: Town, client: httpx.Client) -> None:
    """Who was turned away on the way out is at that station; and whoever came out somehow was in."""
    west, east, card = city.a_station("S1"), city.a_station("S3"), city.a_card(purse_fen=2000)
    _, code, sequence = unheard(client, west, card, leg="in")
    assert not turned_away(client, east, card, leg=Leg.OUT)["given_back"]
    west.write(code=code, sequence=sequence, leg=Leg.IN, **LOST)
    assert west.upload(client).told("given_back") == [False]
    assert city.purse_of(card) == 1600
    assert [city.charged_all_the_same(gate.terminal) for gate in (west, east)] == [["JOURNEY_TRAVELLED"]] * 2


def test_what_cannot_be_given_back_waits_for_a_clerk_and_keeps_up_nothing(city: Town, client: httpx.Client) -> None:
    counter = OfflineGate(city, city.a_terminal(TOPUP), item=TOPUP)
    card = city.a_card(purse_fen=0)
    _, code, sequence = unheard(client, counter, card, amount_fen=1000)
    unheard(client, city.a_ferry("holder"), card)  # the money is spent
    counter.write(code=code, sequence=sequence, amount_fen=1000, **LOST)
    counter.write(card, amount_fen=1000, verdict="OFFLINE_NOT_ALLOWED")
    for first in (True, False):
        told = counter.upload(client).told("result", "given_back")
        assert told == [("repeated", False), ("recorded" if first else "repeated", False)]
    assert (city.purse_of(card), city.charged_all_the_same(counter.terminal)) == (700, ["FUNDS_SHORT"])


def test_who_was_let_in_by_hand_after_all_pays(city: Town, client: httpx.Client) -> None:
    gate, card = city.a_ferry("holder"), city.a_card(purse_fen=1000)
    _, code, sequence = unheard(client, gate, card)
    gate.write(code=code, sequence=sequence, manual=True, **LOST)
    assert gate.upload(client).told("given_back") == [False]
    assert city.purse_of(card) == 700


def test_other_content_under_the_sequence_gives_nothing_back(city: Town, client: httpx.Client) -> None:
    gate, card = city.a_ferry("holder"), city.a_card(purse_fen=1000)
    _, _, sequence = unheard(client, gate, card)
    gate.write(card, item=RIDE, sequence=sequence, **LOST)
    assert gate.upload(client).told("given_back") == [False]
    assert city.purse_of(card) == 700


def test_an_answer_that_comes_after_the_line_charges_nothing(city: Town, client: httpx.Client) -> None:
    gate, card = city.a_ferry("holder"), city.a_card(purse_fen=1000)
    code, sequence = gate.code_at(card, time.time()), gate.terminal.next()
    gate.write(code=code, sequence=sequence, **LOST)
    gate.upload(client)
    told = use_online(client, gate.terminal, {"item": gate.item, "code": code}, sequence)
    assert (told["repeated"], told["admitted"], city.purse_of(card)) == (True, False, 1000)


def test_why(city: Town, client: httpx.Client) -> None:
    gate, card = city.a_ferry("holder"), city.a_card(purse_fen=1000)
    use = turned_away(client, gate, card)["use"]
    told = send(client, gate.terminal, {"use": use}, path="/v1/explanations").json()
    assert (told["agrees"], told["gate"]["given_back"], told["gate"]["admitted"]) == (True, True, False)
    assert told["gate"]["en"].endswith(
        "The platform's answer never reached the gate, which turned the holder away: all was given back."
    )
    assert "已全额退回" in told["gate"]["zh"]
