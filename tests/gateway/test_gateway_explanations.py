"""What a terminal is told when it asks why, over real HTTP."""

import json
from typing import Any

import httpx
import pytest
from tests.gateway.process import send, signed
from tests.small_city import Card, SmallCity, Terminal

from onecard_kit.suites import ED25519, Signer

pytestmark = pytest.mark.processes
PATH = "/v1/explanations"
BUS = "transit.bus_ride"


def a_senior(city: SmallCity) -> Card:
    return city.a_card(classes=[("senior_60", "2020-01-01", None)])


def explained(http: httpx.Client, terminal: Terminal, content: dict[str, Any], **more: Any) -> dict[str, Any]:
    response = send(http, terminal, content, path=PATH, **more)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def problem(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def test_asking_twice_says_the_same_and_the_code_still_works(city: SmallCity, http: httpx.Client) -> None:
    card, bus = a_senior(city), city.a_terminal()
    shown = {"item": BUS, "code": city.a_code(card)}
    sequence = bus.next()
    first, second = (explained(http, bus, shown, sequence=sequence) for _ in range(2))
    assert first == second
    used = send(http, bus, shown, sequence=sequence).json()
    assert (used["verdict"], used["reasons"], used["price"]) == (first["verdict"], first["reasons"], first["price"])
    assert (first["admitted"], first["agrees"]) == (True, None)
    [best] = [step for step in first["steps"] if step["outcome"] == "best"]
    assert best == {
        "rule": f"{BUS}/senior_60", "outcome": "best", "left_fen": 100, "as_recorded": False,
        "zh": "60至69周岁老人（市财政承担）：最优惠，已适用（应付1.00元）",
        "en": "Senior aged 60 to 69 (borne by the city treasury): best, so it is applied (¥1.00 to pay)",
    }  # fmt: skip
    assert explained(http, bus, shown)["verdict"]["code"] == "REPLAYED"


def test_a_card_reading_is_explained_and_not_counted(city: SmallCity, http: httpx.Client) -> None:
    card, bus = city.a_card(), city.a_terminal()
    sequence = bus.next()
    shown = {"item": BUS, "card": city.a_tap(card, 7, bus, sequence)}
    assert explained(http, bus, shown, sequence=sequence)["admitted"] is True
    assert send(http, bus, shown, sequence=sequence).json()["admitted"] is True


def test_a_recorded_use_is_explained_to_its_operator_alone(city: SmallCity, http: httpx.Client) -> None:
    card, bus, other = a_senior(city), city.a_terminal(), city.a_terminal("culture.library_entry")
    use = send(http, bus, {"item": BUS, "code": city.a_code(card)}).json()["use"]
    answer = explained(http, city.a_terminal(), {"use": use})
    assert (answer["agrees"], answer["differs"], answer["price"]["concession"]) == (True, None, "senior_60")
    assert answer["recorded"] == {
        "verdict": "ADMITTED", "full_fen": 200, "paid_fen": 100, "waived_fen": 0, "concession": "senior_60"
    }  # fmt: skip
    assert problem(send(http, other, {"use": use}, path=PATH)) == (404, "USE_UNKNOWN")
    unknown = {"use": "018f0000-0000-7000-8000-000000000000"}
    assert problem(send(http, bus, unknown, path=PATH)) == (404, "USE_UNKNOWN")
    city.run("UPDATE catalogue_terminal SET state = 'suspended' WHERE id = $1", bus.id)
    assert problem(send(http, bus, {"use": use}, path=PATH)) == (409, "TERMINAL_SUSPENDED")


def test_a_forged_code_does_not_tell_whether_its_card_exists(city: SmallCity, http: httpx.Client) -> None:
    thief = Signer.of(ED25519, b"\x00\x01", b"\x07" * 32)
    bus, lost = city.a_terminal(), city.a_card(state="lost")
    nobody = Card(0, 0, "T99999999", 2**24 - 1, None)
    told = [
        explained(http, bus, {"item": BUS, "code": city.a_code(card, signer=thief)})
        for card in (a_senior(city), lost, nobody)
    ]
    assert told[0] == told[1] == told[2]
    assert [step["rule"] for step in told[0]["steps"]] == ["terminal", "item", "point", "medium", "genuine"]
    assert told[0]["verdict"]["code"] == "SIGNATURE_INVALID"
    sequence = bus.next()
    forged = [{**city.a_tap(card, 7, bus, sequence), "cryptogram": "00" * 8} for card in (lost, nobody)]
    readings = [explained(http, bus, {"item": BUS, "card": chip}, sequence=sequence) for chip in forged]
    assert readings[0] == readings[1]
    assert readings[0]["verdict"]["code"] == "CRYPTOGRAM_INVALID"


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"use": "5"},
        {"use": "018f0000-0000-7000-8000-000000000000", "item": BUS},
        {"item": BUS},
        {"item": BUS, "code": "x", "card": {"number": "T00000001", "counter": 1, "cryptogram": "00"}},
        {"code": "x"},
        {"item": 'x","y', "code": "x"},
        {"item": BUS, "code": "x", "amount_fen": 0},
        {"item": BUS, "code": "x", "leg": "up"},
        {"item": BUS, "code": "x", "holder": 1},
    ],
)
def test_a_malformed_question_is_refused(city: SmallCity, http: httpx.Client, content: dict[str, Any]) -> None:
    assert problem(send(http, city.a_terminal(), content, path=PATH)) == (400, "REQUEST_MALFORMED")


def test_a_question_is_signed_like_a_use(city: SmallCity, http: httpx.Client) -> None:
    bus, body = city.a_terminal(), json.dumps({"use": "018f0000-0000-7000-8000-000000000000"}).encode()
    headers = signed(bus, "/v1/refunds", body, bus.next())
    assert problem(http.post(PATH, content=body, headers=headers)) == (401, "TERMINAL_SIGNATURE_INVALID")
