"""A client asks for an endpoint; nothing is sent there until an officer has filed it."""

from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from tests.api.office import Office, System
from tests.api.process import problem
from tests.kernel.sharing.builders import SYSTEM

from onecard import cli
from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, Conflict, NotFound, NotPermitted
from onecard.kernel.sharing import endpoints
from onecard.kernel.sharing.endpoint_requests import WAITING_MAX
from onecard.kernel.sharing.scopes import Scope

pytestmark = pytest.mark.processes
KINDS = ["terminal.suspended", "card.changed"]


@pytest.fixture
def system(office: Office) -> System:
    return office.a_system(Scope.MESSAGES, Scope.CALLS)


def ask(client: httpx.Client, url: str, kinds: Any = KINDS, key: str | None = None) -> httpx.Response:
    headers = {"Idempotency-Key": key or str(uuid4())}
    return client.post("/endpoint-requests", json={"url": url, "kinds": kinds}, headers=headers)


def states(client: httpx.Client) -> list[tuple[str, str, str]]:
    told = client.get("/endpoint-requests").json()["requests"]
    return [(each["url"], each["state"], each["reason"]) for each in told]


def test_an_address_that_was_asked_for_is_filed_by_an_officer(office: Office, system: System) -> None:
    first, second = "https://x.example/a", "https://x.example/b"
    with system.speaking() as client:
        asked = ask(client, first)
        assert (asked.status_code, asked.json()["kinds"]) == (200, sorted(KINDS)), asked.text
        again = ask(client, first, KINDS[:1])  # anew, with other kinds
        assert (again.json()["id"], again.json()["kinds"]) == (asked.json()["id"], KINDS[:1])
        ask(client, second)
        assert client.get("/endpoints").json()["endpoints"] == []
        made = endpoints.accept(SYSTEM, asked.json()["id"])
        assert endpoints.accept(SYSTEM, asked.json()["id"]) == made
        endpoints.decline(SYSTEM, ask(client, second).json()["id"], "不是本单位的地址")
        assert states(client) == [(second, "declined", "不是本单位的地址"), (first, "accepted", "")]
        [filed] = client.get("/endpoints").json()["endpoints"]
        assert (filed["id"], filed["kinds"]) == (made.pk, sorted([*KINDS[:1], "ping"]))
        key = client.post(f"/endpoints/{made.pk}/key", json={}, headers={"Idempotency-Key": str(uuid4())}).json()
        assert len(key["key"]) == 64
        told = client.get("/endpoint-requests?limit=1").json()
        after = client.get("/endpoint-requests", params={"after": told["next"]}).json()
        assert [each["url"] for each in (*told["requests"], *after["requests"])] == [second, first]
    with office.a_system().speaking() as stranger:
        assert states(stranger) == []
    name = f"client:{system.code}"
    assert {actor for actor, _, _ in office.facts("sharing.request_endpoint", name)} == {name}
    assert [reason for _, reason, _ in office.facts("sharing.decline_endpoint", name)] == ["不是本单位的地址"]


@pytest.mark.parametrize(
    ("address", "kinds", "code"),
    [
        ("ftp://x.example/a", KINDS, "URL_MALFORMED"),
        ("https://a:b@x.example/a", KINDS, "URL_MALFORMED"),
        ("https://x.example/a?b=c", KINDS, "URL_MALFORMED"),
        ("https://@x.example/a", KINDS, "URL_MALFORMED"),
        ("https://x y.example/a", KINDS, "URL_MALFORMED"),
        ("https://x.example/a b", KINDS, "URL_MALFORMED"),
        ("https://x.example:/a", KINDS, "URL_MALFORMED"),
        ("https://x.example/a#", KINDS, "URL_MALFORMED"),
        ("https://x.example/%0", KINDS, "URL_MALFORMED"),
        ("https://[::1/a", KINDS, "URL_MALFORMED"),
        ("https://x.example/a", ["nothing"], "REQUEST_MALFORMED"),
        ("https://x.example/a", [], "REQUEST_MALFORMED"),
    ],
)
def test_what_is_no_endpoint_is_refused(system: System, address: str, kinds: list[str], code: str) -> None:
    with system.speaking() as client:
        assert problem(ask(client, address, kinds)) == (400, code)
        assert states(client) == []


def test_so_many_wait_and_no_more(system: System) -> None:
    with system.speaking() as client:
        for n in range(WAITING_MAX):
            assert ask(client, f"https://x.example/{n}").status_code == 200
        assert problem(ask(client, "https://x.example/more")) == (409, "ENDPOINT_REQUESTS_TOO_MANY")


def test_deciding_is_an_officers(office: Office, system: System) -> None:
    with system.speaking() as client:
        number = ask(client, "https://x.example/a").json()["id"]
        with pytest.raises(NotPermitted):
            endpoints.accept(Actor("staff:9"), number)
        with pytest.raises(NotPermitted):
            endpoints.decline(Actor("staff:9"), number, "x")
        with pytest.raises(BadInput, match="REASON_MISSING"):
            endpoints.decline(SYSTEM, number, " ")
        with pytest.raises(NotFound, match="ENDPOINT_REQUEST_UNKNOWN"):
            endpoints.accept(SYSTEM, 2**40)
        endpoints.decline(SYSTEM, number, "x")
        with pytest.raises(Conflict, match="ENDPOINT_REQUEST_DECIDED"):
            endpoints.accept(SYSTEM, number)
        assert states(client) == [("https://x.example/a", "declined", "x")]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sharing_endpoint_request SET state = 'accepted'",
        "UPDATE sharing_endpoint_request SET url = 'https://x.example'",
        "INSERT INTO sharing_endpoint_request (client_id, url, kinds, state) VALUES (1, 'x', '{}', 'accepted')",
        "INSERT INTO messages_endpoint (receiver, url, kinds) VALUES ('client:x', 'x', '{ping}')",
    ],
)
def test_the_role_files_none_itself(fresh_database: dict[str, str], statement: str) -> None:
    with psycopg.connect(fresh_database["api"]) as api, pytest.raises(psycopg.errors.InsufficientPrivilege):
        api.execute(statement.encode())


def test_the_commands_are_there() -> None:
    named = {command.words for command in cli.COMMANDS}
    assert {"clients endpoint-requests", "clients accept-endpoint", "clients decline-endpoint"} <= named
