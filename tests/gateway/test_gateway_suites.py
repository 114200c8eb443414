"""A node of the second suite over real HTTP, and a node that goes over to it while codes are in people's hands."""

import hashlib
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from uuid import UUID

import httpx
import pytest
from tests.cluster import Cluster
from tests.gateway.process import a_gateway, send, verdict
from tests.small_city import KID, Card, SmallCity, Terminal

from onecard.foundation import suite
from onecard.foundation.errors import Unavailable
from onecard.gateway.services import Services
from onecard_kit import codes, requests, sm2
from onecard_kit.suites import ED25519, SM2, SUITES, Signer

pytestmark = pytest.mark.processes
RIDE = "transit.bus_ride"
PATIENCE_S = 120
Environment = Callable[[str], dict[str, str]]


@pytest.fixture
def national(environment_for: Environment) -> Environment:
    """The environment of a node bound to the national algorithms."""
    return lambda url: environment_for(url) | {suite.ENVIRONMENT: "sm2"}


@pytest.fixture
def fresh_database(postgres: Cluster, template: str) -> Iterator[dict[str, str]]:
    """One for each test: each is another city."""
    name = f"onecard_suites_{secrets.token_hex(4)}"
    yield postgres.create(name, template)
    postgres.drop(name)


def ride(http: httpx.Client, bus: Terminal, code: str) -> str:
    """The verdict, or the problem, of a ride by code."""
    return verdict(send(http, bus, {"item": RIDE, "code": code}))


def enrolled(city: SmallCity, card: Card) -> str:
    token = secrets.token_urlsafe(16)
    city.enrol(card, hashlib.sha256(token.encode()).digest())
    return token


def fetched(http: httpx.Client, token: str, windows: int = 1) -> list[str]:
    answer = http.post("/v1/codes", json={"windows": windows}, headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    return [window["code"] for window in answer.json()["windows"]]


def paired(city: SmallCity, http: httpx.Client, pairing_code: str) -> Terminal:
    """A terminal that took its key from the gateway."""
    bus = city.a_terminal()
    city.run(
        "INSERT INTO catalogue_pairing (code_digest, terminal_id, expires_at)"
        " VALUES ($1, $2, now() + interval '1 hour')",
        hashlib.sha256(pairing_code.encode()).digest(), bus.id,
    )  # fmt: skip
    told = http.post("/v1/pairings", json={"pairing_code": pairing_code}).json()
    return Terminal(
        bus.id, bus.code, told["key_id"], bytes.fromhex(told["key"]), UUID(told["journal"]),
        requests.MACS[told["algorithm"]],
    )  # fmt: skip


def test_a_node_of_the_second_suite(fresh_database: dict[str, str], national: Environment) -> None:
    city = SmallCity(fresh_database["owner"], SM2)
    card = city.a_card(classes=[(code, "2020-01-01", None) for code in ("senior_60", "disabled", "veteran")])
    token = enrolled(city, card)
    with a_gateway(national, fresh_database["gateway"]) as gateway, httpx.Client(base_url=gateway.url) as http:
        bus = paired(city, http, "PAIRING2SM")
        assert bus.mac is requests.HMAC_SM3
        shown = fetched(http, token, 10)
        assert len(set(shown)) == 10
        for code in shown:
            assert len(code) <= codes.CHARS_MAX
            assert codes.verify(code, city.public).classes == (2, 7, 8)
        assert ride(http, bus, shown[0]) == "ADMITTED"
        assert ride(http, bus, shown[0]) == "REPLAYED"
        assert ride(http, bus, city.a_code(card)) == "ADMITTED"
        assert ride(http, bus, city.a_code(card, signer=Signer.of(SM2, KID, bytes(32)))) == "SIGNATURE_INVALID"
        assert ride(http, bus, city.a_code(card, signer=Signer.of(ED25519, KID, city.seed))) == "KEY_UNKNOWN"
        bus.mac = requests.HMAC_SHA256
        assert ride(http, bus, city.a_code(card)) == "TERMINAL_SIGNATURE_INVALID"


def rotate(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "onecard", "keys", "rotate-issuer"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def suite_of(code: str) -> str:
    start = codes.decode(code).protected
    return next(each.name for each in SUITES.values() if start.startswith(each.header_start))


def wait_for_the_new_key(http: httpx.Client, token: str) -> None:
    """The gateway reads its keys anew every few seconds; until then it signs with the old one."""
    deadline = time.monotonic() + PATIENCE_S
    while suite_of(fetched(http, token)[0]) != "sm2":
        assert time.monotonic() < deadline, "the gateway did not go over"
        time.sleep(0.2)


def test_a_node_goes_over_while_codes_are_in_flight(fresh_database: dict[str, str], national: Environment) -> None:
    """Codes of the old key ride before, during and after the rotation; new ones are of the other suite."""
    city = SmallCity(fresh_database["owner"])
    cards = [city.a_card(classes=[("senior_70", "2020-01-01", None)]) for _ in range(3)]
    carried = [(city.a_terminal(), enrolled(city, card)) for card in cards]
    now = int(time.time())
    in_hand = [city.a_code(card, not_before=now - 60, expires=now + PATIENCE_S * 2) for card in cards]
    gone_over = Event()

    def commute(url: str, bus: Terminal, token: str) -> list[tuple[str, str]]:
        """Rides until some rides after the node has gone over: each one's verdict and suite."""
        seen, after = [], 0
        with httpx.Client(base_url=url, timeout=30) as http:
            while after < 5:
                after += gone_over.is_set()
                code = fetched(http, token)[0]
                seen.append((ride(http, bus, code), suite_of(code)))
        return seen

    with a_gateway(national, fresh_database["gateway"]) as gateway, ThreadPoolExecutor(len(cards)) as threads:
        commuting = [threads.submit(commute, gateway.url, *each) for each in carried]
        try:
            rotate(national(fresh_database["owner"]))
            with httpx.Client(base_url=gateway.url, timeout=30) as http:
                wait_for_the_new_key(http, enrolled(city, city.a_card()))
        finally:
            gone_over.set()
        seen = [each for future in commuting for each in future.result()]
        with httpx.Client(base_url=gateway.url, timeout=30) as http:
            assert {ride(http, bus, code) for (bus, _), code in zip(carried, in_hand, strict=True)} == {"ADMITTED"}
    assert {verdict for verdict, _ in seen} == {"ADMITTED"}
    assert {suite for _, suite in seen} == {"ed25519", "sm2"}
    signing = city.run("SELECT suite, sign_to IS NULL FROM ecards_key WHERE sign_from IS NOT NULL ORDER BY id")
    assert signing == [("ed25519", False), ("sm2", True)]


def test_a_node_without_the_library_says_so_when_it_starts(
    fresh_database: dict[str, str], environment_for: Environment, national: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = fresh_database["gateway"]
    monkeypatch.setattr(sm2, "_known_is_right", lambda: False)
    with pytest.raises(Unavailable, match="SUITE_MISSING") as refused:
        Services.from_environment(national(url))
    assert "libcrypto.so.3" in refused.value.zh
    assert Services.from_environment(environment_for(url)).mac == "hmac-sha256"


def test_the_process_ends_with_one_sentence(fresh_database: dict[str, str], environment_for: Environment) -> None:
    environment = environment_for(fresh_database["gateway"]) | {suite.ENVIRONMENT: "rsa", "LC_ALL": "en_US.UTF-8"}
    command = [sys.executable, "-m", "granian", "--interface", "rsgi", "--port", "0", "onecard.gateway.app:application"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0
    said = ["There is no suite named rsa (ONECARD_SUITE). Set it to one of: ed25519, sm2. [SUITE_UNKNOWN]"]
    assert done.stderr.splitlines() == said


def test_every_suite_of_the_kit_is_a_nodes() -> None:
    assert {name: each.signature for name, each in suite.NODE_SUITES.items()} == SUITES
    assert suite.of_node({}).signature is ED25519
    assert suite.of_node({suite.ENVIRONMENT: "sm2"}).mac is requests.HMAC_SM3
    with pytest.raises(Unavailable, match="SUITE_UNKNOWN"):
        suite.of_node({suite.ENVIRONMENT: "SM2"})
