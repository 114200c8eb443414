"""The gateway over real HTTP: what it answers, and what bad input gets."""

import hashlib
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import httpx
import pytest
from tests.gateway.process import GatewayProcess, send, signed, verdict
from tests.small_city import SmallCity

from onecard_kit.suites import ED25519, Signer

pytestmark = pytest.mark.processes


def test_a_ride_by_code_explains_itself_in_both_languages(city: SmallCity, http: httpx.Client) -> None:
    card, bus = city.a_card(classes=[("senior_60", "2020-01-01", None)]), city.a_terminal()
    answer = send(http, bus, {"item": "transit.bus_ride", "code": city.a_code(card)}).json()
    assert answer["admitted"] is True
    assert answer["price"] == {
        "full_fen": 200,
        "paid_fen": 100,
        "funded_fen": 100,
        "waived_fen": 0,
        "held_fen": None,
        "concession": "senior_60",
    }
    assert answer["balance_fen"] == 9_900
    words = answer["reasons"][-1]
    assert words["zh"] == "60至69周岁老人：原价2.00元，实付1.00元，1.00元由市财政承担"
    assert words["en"] == "Senior aged 60 to 69: full price ¥2.00, you pay ¥1.00, the city treasury bears ¥1.00"


def test_a_ride_by_card_and_a_lower_case_code_with_spaces(city: SmallCity, http: httpx.Client) -> None:
    card, bus = city.a_card(), city.a_terminal()
    sequence = bus.next()
    tapped = send(
        http, bus, {"item": "transit.bus_ride", "card": city.a_tap(card, 1, bus, sequence)}, sequence=sequence
    )
    wedged = send(http, bus, {"item": "transit.bus_ride", "code": f" {city.a_code(card).lower()}\r\n"})
    assert [verdict(tapped), verdict(wedged)] == ["ADMITTED", "ADMITTED"]


def test_a_repeat_gets_the_first_answer_and_other_content_a_conflict(city: SmallCity, http: httpx.Client) -> None:
    card, bus = city.a_card(), city.a_terminal()
    content = {"item": "transit.bus_ride", "code": city.a_code(card)}
    first, again = send(http, bus, content, sequence=1), send(http, bus, content, sequence=1)
    other = send(http, bus, {"item": "transit.bus_ride", "code": city.a_code(card)}, sequence=1)
    assert again.json()["use"] == first.json()["use"]
    assert again.json()["repeated"] is True
    assert (other.status_code, verdict(other)) == (409, "SEQUENCE_REUSED")
    assert city.purse_of(card) == 9_810


def test_signatures(city: SmallCity, http: httpx.Client) -> None:
    card, bus, other = city.a_card(), city.a_terminal(), city.a_terminal()
    content = {"item": "transit.bus_ride", "code": city.a_code(card)}
    body = json.dumps(content).encode()
    headers = signed(bus, "/v1/uses", body, 1)
    cases = {
        "another's key": send(http, bus, content, key=other.key),
        "no headers": http.post("/v1/uses", content=body),
        "another body": http.post("/v1/uses", content=body + b" ", headers=headers),
        "another sequence": http.post("/v1/uses", content=body, headers={**headers, "OneCard-Sequence": "2"}),
        "a journal that is none": http.post("/v1/uses", content=body, headers={**headers, "OneCard-Journal": "x"}),
        "a sequence that is none": http.post("/v1/uses", content=body, headers={**headers, "OneCard-Sequence": "-1"}),
        "an unknown terminal": http.post("/v1/uses", content=body, headers={**headers, "OneCard-Terminal": "T-X"}),
    }
    for name, response in cases.items():
        assert (response.status_code, verdict(response)) == (401, "TERMINAL_SIGNATURE_INVALID"), name
    assert city.run("SELECT id FROM uses_use WHERE terminal_id = $1", bus.id) == []


def test_a_terminal_whose_clock_is_off_is_told_the_time(city: SmallCity, http: httpx.Client) -> None:
    response = send(http, city.a_terminal(), {"item": "x", "code": "y"}, at=int(time.time()) - 301)
    assert (response.status_code, verdict(response)) == (401, "TERMINAL_CLOCK_OFF")


def test_a_key_that_ran_out_after_it_was_read_is_refused(city: SmallCity, http: httpx.Client) -> None:
    card, bus = city.a_card(), city.a_terminal()
    assert verdict(send(http, bus, {"item": "transit.bus_ride", "code": city.a_code(card)})) == "ADMITTED"
    city.run("UPDATE catalogue_terminal_key SET valid_to = now() WHERE terminal_id = $1", bus.id)
    response = send(http, bus, {"item": "transit.bus_ride", "code": city.a_code(card)})
    assert (response.status_code, verdict(response)) == (401, "TERMINAL_SIGNATURE_INVALID")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"item": "transit.bus_ride"}',
        b'{"item": 3, "code": "x"}',
        b'{"item": "x", "code": "y", "extra": 1}',
        b'{"item": "x", "code": "y", "card": {"number": "T00000001", "counter": 1, "cryptogram": "00"}}',
        b'{"item": "x", "card": {"number": "T1", "counter": 1, "cryptogram": "00"}}',
        b'{"item": "x", "card": {"number": "T00000001", "counter": -1, "cryptogram": "00"}}',
        b'{"item": "x", "code": "y", "amount_fen": 0}',
        b'{"item": "x", "code": "y", "amount_fen": 1e99}',
        b'{"item": "\xff", "code": "y"}',
        b"[" * 4000,
    ],
)
def test_a_malformed_request_is_refused_with_the_place_of_the_fault(
    city: SmallCity, http: httpx.Client, content: bytes
) -> None:
    bus = city.a_terminal()
    response = http.post("/v1/uses", content=content, headers=signed(bus, "/v1/uses", content, 1))
    assert (response.status_code, verdict(response)) == (400, "REQUEST_MALFORMED")
    assert set(response.json()["detail"]) == {"zh", "en", "next_zh", "next_en"}
    assert response.headers["content-type"] == "application/problem+json"


def test_an_oversized_request_is_refused_declared_or_streamed(city: SmallCity, http: httpx.Client) -> None:
    big = b" " * 5000
    declared = http.post("/v1/uses", content=big, headers=signed(city.a_terminal(), "/v1/uses", big, 1))
    streamed = http.post("/v1/uses", content=iter([big]), headers=signed(city.a_terminal(), "/v1/uses", big, 1))
    assert [(r.status_code, verdict(r)) for r in (declared, streamed)] == [(413, "REQUEST_TOO_LARGE")] * 2


def test_a_slow_request_is_given_up_and_a_truncated_one_leaves_nothing(
    city: SmallCity, gateway: GatewayProcess
) -> None:
    bus = city.a_terminal()
    body = json.dumps({"item": "transit.bus_ride", "code": city.a_code(city.a_card())}).encode()
    head = "".join(f"{k}: {v}\r\n" for k, v in signed(bus, "/v1/uses", body, 1).items())
    request = f"POST /v1/uses HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode()
    with socket.create_connection(("127.0.0.1", gateway.port)) as cut:
        cut.sendall(request + body[:-1])
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as slow:
        slow.sendall(request + body[:-1])
        assert slow.recv(4096).startswith(b"HTTP/1.1 408 ")
    assert city.run("SELECT id FROM uses_use WHERE terminal_id = $1", bus.id) == []


def test_a_query_is_no_part_of_any_path(city: SmallCity, http: httpx.Client) -> None:
    assert (http.post("/v1/uses?a=1", content=b"{}").status_code, http.get("/health?a=1").status_code) == (404, 404)


@pytest.mark.parametrize("number", ["5_00", "+5", "-5", "٥", "9" * 20])
def test_a_number_in_a_header_is_digits_alone(city: SmallCity, http: httpx.Client, number: str) -> None:
    bus = city.a_terminal()
    body = b"{}"
    headers = {**signed(bus, "/v1/uses", body, 5), "OneCard-Sequence": number}
    response = http.post("/v1/uses", content=body, headers=[(k.encode(), v.encode()) for k, v in headers.items()])
    assert (response.status_code, verdict(response)) == (401, "TERMINAL_SIGNATURE_INVALID")


def test_unknown_paths_and_methods(http: httpx.Client) -> None:
    assert verdict(http.get("/v1/nothing")) == "NO_SUCH_PATH"
    wrong = http.get("/v1/uses")
    assert (wrong.status_code, verdict(wrong), wrong.headers["allow"]) == (405, "METHOD_NOT_ALLOWED", "POST")


def test_codes_of_strangers(city: SmallCity, http: httpx.Client) -> None:
    card, bus = city.a_card(), city.a_terminal()
    thief = Signer.of(ED25519, b"\x00\x01", b"\x07" * 32)
    unknown = Signer.of(ED25519, b"\x00\x63", b"\x07" * 32)
    now = int(time.time())
    shown = {
        "CODE_MALFORMED": "OC1.AAAA",
        "SIGNATURE_INVALID": city.a_code(card, signer=thief),
        "KEY_UNKNOWN": city.a_code(card, signer=unknown, kid=b"\x00\x63"),
        "ISSUER_UNKNOWN": city.a_code(card, issuer="110000"),
        "CODE_EXPIRED": city.a_code(card, not_before=now - 180, expires=now - 120),
        "CODE_NOT_YET_VALID": city.a_code(card, not_before=now + 120, expires=now + 180),
    }
    for expected, code in shown.items():
        assert verdict(send(http, bus, {"item": "transit.bus_ride", "code": code})) == expected


def test_pairing_gives_a_key_once_and_the_key_works(city: SmallCity, http: httpx.Client) -> None:
    bus = city.a_terminal()
    city.run(
        "INSERT INTO catalogue_pairing (code_digest, terminal_id, expires_at)"
        " VALUES ($1, $2, now() + interval '1 hour')",
        hashlib.sha256(b"PAIRING234").digest(), bus.id,
    )  # fmt: skip
    paired = http.post("/v1/pairings", json={"pairing_code": "pairing234"})
    assert paired.status_code == 200
    again = http.post("/v1/pairings", json={"pairing_code": "PAIRING234"})
    assert (again.status_code, verdict(again)) == (401, "PAIRING_CODE_INVALID")
    told = paired.json()
    bus.key, bus.key_id, bus.journal = bytes.fromhex(told["key"]), told["key_id"], UUID(told["journal"])
    assert verdict(send(http, bus, {"item": "transit.bus_ride", "code": city.a_code(city.a_card())})) == "ADMITTED"
    sealed = city.one("SELECT key_sealed FROM catalogue_terminal_key WHERE id = $1", told["key_id"])
    assert bytes.fromhex(told["key"]) not in bytes(sealed)


def test_of_all_codes_that_a_terminal_was_given_the_last_pairs_it_once(city: SmallCity, http: httpx.Client) -> None:
    """A slip of paper with the first code that turns up elsewhere would make somebody else the terminal."""
    bus, pairing_codes = city.a_terminal(), ["PAIRING236", "PAIRING237"]
    for code in pairing_codes:
        city.run(
            "INSERT INTO catalogue_pairing (code_digest, terminal_id, expires_at)"
            " VALUES ($1, $2, now() + interval '1 hour')",
            hashlib.sha256(code.encode()).digest(), bus.id,
        )  # fmt: skip

    def pair(code: str) -> int:
        return httpx.post(f"{http.base_url}/v1/pairings", json={"pairing_code": code}, timeout=60).status_code

    assert pair("PAIRING236") == 401
    with ThreadPoolExecutor(8) as at_once:
        assert sorted(at_once.map(pair, pairing_codes * 4)) == [200, *[401] * 7]
    assert city.one("SELECT count(*) FROM catalogue_terminal_key WHERE terminal_id = $1", bus.id) == 2


def test_the_old_key_still_works_for_a_day_after_pairing_again(city: SmallCity, http: httpx.Client) -> None:
    bus = city.a_terminal()
    city.run(
        "INSERT INTO catalogue_pairing (code_digest, terminal_id, expires_at)"
        " VALUES ($1, $2, now() + interval '1 hour')",
        hashlib.sha256(b"PAIRING235").digest(), bus.id,
    )  # fmt: skip
    assert http.post("/v1/pairings", json={"pairing_code": "PAIRING235"}).status_code == 200
    assert verdict(send(http, bus, {"item": "transit.bus_ride", "code": city.a_code(city.a_card())})) == "ADMITTED"


def test_a_refund_gives_purse_treasury_and_quota_back_once(city: SmallCity, http: httpx.Client) -> None:
    card, bus = city.a_card(classes=[("senior_60", "2020-01-01", None)]), city.a_terminal()
    owed = city.balance(city.treasury, "treasury.city", "treasury")
    use = send(http, bus, {"item": "transit.bus_ride", "code": city.a_code(card)}).json()["use"]
    sequence = bus.next()
    made = send(http, bus, {"use": use}, path="/v1/refunds", sequence=sequence)
    assert made.status_code == 200
    assert (made.json()["paid_fen"], made.json()["funded_fen"], made.json()["repeated"]) == (100, 100, False)
    repeated = send(http, bus, {"use": use}, path="/v1/refunds", sequence=sequence).json()
    assert (repeated["refund"], repeated["repeated"]) == (made.json()["refund"], True)
    second = send(http, bus, {"use": use}, path="/v1/refunds")
    assert (second.status_code, code_of_problem(second)) == (409, "ALREADY_REFUNDED")
    assert city.purse_of(card) == 10_000
    assert city.balance(city.treasury, "treasury.city", "treasury") == owed
    assert city.one("SELECT used FROM entitlements_quota WHERE holder_id = $1", card.holder_id) == 0


def code_of_problem(response: httpx.Response) -> str:
    return str(response.json()["code"])


def test_a_sequence_serves_a_use_or_a_refund_never_both(city: SmallCity, http: httpx.Client) -> None:
    card, bus = city.a_card(), city.a_terminal()
    first, second = (
        send(http, bus, {"item": "transit.bus_ride", "code": city.a_code(card)}, sequence=n).json()["use"]
        for n in (1, 2)
    )
    assert send(http, bus, {"use": first}, path="/v1/refunds", sequence=3).status_code == 200
    answers = [
        send(http, bus, {"use": second}, path="/v1/refunds", sequence=3),
        send(http, bus, {"use": second}, path="/v1/refunds", sequence=2),
        send(http, bus, {"item": "transit.bus_ride", "code": city.a_code(card)}, sequence=3),
    ]
    assert [(r.status_code, code_of_problem(r)) for r in answers] == [(409, "SEQUENCE_REUSED")] * 3
    assert city.purse_of(card) == 10_000 - 190


def test_refunds_that_are_refused(city: SmallCity, http: httpx.Client) -> None:
    card, bus = city.a_card(purse_fen=190), city.a_terminal()
    other = city.a_terminal("culture.library_entry")
    use = send(http, bus, {"item": "transit.bus_ride", "code": city.a_code(card)}).json()["use"]
    short = send(http, bus, {"item": "transit.bus_ride", "code": city.a_code(card)}).json()
    assert short["verdict"]["code"] == "FUNDS_SHORT"
    refused = {
        "USE_UNKNOWN": send(http, bus, {"use": "018f0000-0000-7000-8000-000000000000"}, path="/v1/refunds"),
        "NOTHING_TO_REFUND": send(http, bus, {"use": short["use"]}, path="/v1/refunds"),
        "SEQUENCE_REUSED": send(http, bus, {"use": use}, path="/v1/refunds", sequence=1),
    }
    assert {name: code_of_problem(r) for name, r in refused.items()} == {name: name for name in refused}
    assert code_of_problem(send(http, other, {"use": use}, path="/v1/refunds")) == "USE_UNKNOWN"
    city.run("UPDATE catalogue_terminal SET state = 'suspended' WHERE id = $1", bus.id)
    assert code_of_problem(send(http, bus, {"use": use}, path="/v1/refunds")) == "TERMINAL_SUSPENDED"
    assert city.purse_of(card) == 0


def test_a_device_fetches_ten_windows_and_each_works_once(city: SmallCity, http: httpx.Client) -> None:
    unknown = http.post("/v1/codes", json={}, headers={"authorization": "Bearer nothing"})
    assert (unknown.status_code, code_of_problem(unknown)) == (401, "DEVICE_TOKEN_INVALID")
    card = city.a_card()
    city.enrol(card, hashlib.sha256(b"token").digest())
    answer = http.post("/v1/codes", json={"windows": 10}, headers={"authorization": "Bearer token"}).json()
    assert [w["expires"] - w["not_before"] for w in answer["windows"]] == [60] * 10
    bus = city.a_terminal()
    shown = answer["windows"][0]["code"]
    assert [verdict(send(http, bus, {"item": "transit.bus_ride", "code": shown})) for _ in range(2)] == [
        "ADMITTED",
        "REPLAYED",
    ]
    later = send(http, bus, {"item": "transit.bus_ride", "code": answer["windows"][2]["code"]})
    assert verdict(later) == "CODE_NOT_YET_VALID"
    for count in (0, 11):
        response = http.post("/v1/codes", json={"windows": count}, headers={"authorization": "Bearer token"})
        assert (response.status_code, code_of_problem(response)) == (400, "WINDOWS_INVALID")
    city.run("UPDATE cards_standing SET card_state = 'temp_lost' WHERE card_id = $1", card.id)
    lost = http.post("/v1/codes", json={}, headers={"authorization": "Bearer token"})
    assert (lost.status_code, code_of_problem(lost)) == (409, "CARD_NOT_ACTIVE")
