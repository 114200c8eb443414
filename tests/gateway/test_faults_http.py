"""Faults seen from the terminal's side: a full queue, a caller who hangs up, a database away. And what the gateway is
made of: in a bare interpreter it loads no Django."""

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable

import httpx
import psycopg
import pytest
from tests.cluster import Cluster
from tests.gateway.gates import UPLOAD, OfflineGate
from tests.gateway.process import a_gateway, ask, send, signed
from tests.small_city import SmallCity

from onecard.foundation.postgres import urls as addresses
from onecard.gateway import services as services_
from onecard.gateway.app import Gateway

RIDE = "transit.bus_ride"


def recorded(city: SmallCity, terminal_id: int) -> int:
    found: int = city.one("SELECT count(*) FROM uses_use WHERE terminal_id = $1", terminal_id)
    return found


def test_a_full_queue_answers_503_with_retry_after_and_records_nothing(
    city: SmallCity, fresh_database: dict[str, str], keys_folder: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = city.a_terminal()
    body = json.dumps({"item": RIDE, "code": city.a_code(city.a_card())}).encode()
    headers = signed(bus, "/v1/uses", body, 1)
    monkeypatch.setenv(addresses.ENVIRONMENT, fresh_database["gateway"])

    async def go() -> None:
        gateway = Gateway()
        services = gateway.start(asyncio.get_running_loop())
        services.lane.queue_max = 0
        turned_away = await ask(gateway, "/v1/uses", headers, body)
        assert (turned_away.status, turned_away.json["code"]) == (503, "QUEUE_FULL")
        assert int(turned_away.headers["retry-after"]) > 0
        assert set(turned_away.json["detail"]) == {"zh", "en", "next_zh", "next_en"}
        assert recorded(city, bus.id) == 0
        services.lane.queue_max = 1
        taken = await ask(gateway, "/v1/uses", headers, body)
        assert taken.json["verdict"]["code"] == "ADMITTED"
        await gateway.stop()

    asyncio.run(go())
    assert recorded(city, bus.id) == 1


def test_too_many_uploads_at_once_are_told_to_come_back(
    city: SmallCity, fresh_database: dict[str, str], keys_folder: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = OfflineGate(city, city.a_terminal())
    gate.write(city.a_card(purse_fen=1_000), paid_fen=190)
    headers = gate.headers("POST", UPLOAD)
    monkeypatch.setenv(addresses.ENVIRONMENT, fresh_database["gateway"])

    async def go() -> None:
        gateway = Gateway()
        services = gateway.start(asyncio.get_running_loop())
        services.uploads.uploads_max = 0
        turned_away = await ask(gateway, UPLOAD, headers, gate.lines[0])
        assert (turned_away.status, turned_away.json["code"]) == (503, "QUEUE_FULL")
        assert int(turned_away.headers["retry-after"]) > 0
        assert recorded(city, gate.terminal.id) == 0
        await gateway.stop()

    asyncio.run(go())


def test_health_waits_for_no_refund(
    city: SmallCity, fresh_database: dict[str, str], keys_folder: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(addresses.ENVIRONMENT, fresh_database["gateway"])

    async def go() -> None:
        gateway = Gateway()
        services = gateway.start(asyncio.get_running_loop())
        async with services.side.connection():
            told = await ask(gateway, "/health", {}, b"", "GET")
        assert (told.status, told.json["status"]) == (200, "ok")
        await gateway.stop()

    asyncio.run(go())


def test_health_gives_up_on_a_database_that_says_nothing(
    city: SmallCity, keys_folder: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Callers that ask at once are told in time, too."""
    monkeypatch.setattr(services_, "HEALTH_S_MAX", 0.3)

    async def go() -> None:
        with socket.create_server(("127.0.0.1", 0)) as dumb:
            port = dumb.getsockname()[1]
            monkeypatch.setenv(addresses.ENVIRONMENT, f"postgresql://nobody@127.0.0.1:{port}/none?sslmode=disable")
            gateway = Gateway()
            gateway.start(asyncio.get_running_loop())
            asked = time.monotonic()
            told = await asyncio.gather(*[ask(gateway, "/health", {}, b"", "GET") for _ in range(3)])
            assert [(each.status, each.json["code"]) for each in told] == [(503, "DATABASE_AWAY")] * 3
            assert time.monotonic() - asked < 2
            await gateway.stop()

    asyncio.run(go())


@pytest.mark.processes
def test_a_caller_who_hangs_up_is_recorded_once_and_gets_the_first_answer_later(
    city: SmallCity,
    fresh_database: dict[str, str],
    environment_for: Callable[[str], dict[str, str]],
    postgres: Cluster,
) -> None:
    bus, card = city.a_terminal(), city.a_card()
    content = {"item": RIDE, "code": city.a_code(card)}
    body = json.dumps(content).encode()
    head = "".join(f"{name}: {value}\r\n" for name, value in signed(bus, "/v1/uses", body, 1).items())
    request = f"POST /v1/uses HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body
    with a_gateway(environment_for, fresh_database["gateway"]) as gateway:
        with psycopg.connect(fresh_database["owner"]) as holding:
            holding.execute("SELECT FROM cards_standing WHERE card_id = %s FOR UPDATE", [card.id])
            with socket.create_connection(("127.0.0.1", gateway.port)) as caller:
                caller.sendall(request)
                _until_waiting(postgres, city)
        _until(lambda: recorded(city, bus.id) == 1)
        with httpx.Client(base_url=gateway.url, timeout=20) as client:
            again = send(client, bus, content, sequence=1).json()
    assert (again["verdict"]["code"], again["repeated"]) == ("ADMITTED", True)
    assert recorded(city, bus.id) == 1
    assert city.purse_of(card) == 9_810


def _until_waiting(postgres: Cluster, city: SmallCity) -> None:
    statement = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        _until(lambda: admin.execute(statement, [city.connection.info.dbname]).fetchone() != (0,))


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


# What is loaded ------------------------------------------------------------------------------------------------------

GATEWAY = "import onecard.gateway.app"
KIT = (
    "import onecard_kit, pkgutil, importlib\n"
    "for each in pkgutil.iter_modules(onecard_kit.__path__): importlib.import_module(f'onecard_kit.{each.name}')"
)


@pytest.mark.parametrize(
    ("imports", "absent"),
    [
        (GATEWAY, {"django", "psycopg", "procrastinate", "jinja2", "allauth"}),
        (KIT, {"django", "psycopg", "procrastinate", "asyncpg", "cryptography", "onecard"}),
    ],
    ids=["gateway", "kit"],
)
def test_a_bare_interpreter_loads_no_more_than_it_needs(
    imports: str, absent: set[str], environment_for: Callable[[str], dict[str, str]]
) -> None:
    program = f"{imports}\nimport sys; print(*sys.modules)"
    environment = environment_for("")
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    told = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in told.stdout.split()}
    assert "msgspec" in loaded
    assert not loaded & absent
