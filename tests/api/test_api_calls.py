"""The log of calls: what a client asked and how it was answered, kept beside the answers, for the client alone."""

import datetime as dt
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.api.office import Office, System
from tests.api.process import a_system, an_api, problem

from onecard.foundation.ids import moment_of
from onecard.foundation.postgres.raw import rows
from onecard.kernel.sharing import calls
from onecard.kernel.sharing.calls import Call, Wanted
from onecard.kernel.sharing.scopes import Scope

pytestmark = pytest.mark.processes
PATIENCE_S = 60


def on_record(client: httpx.Client, *answers: httpx.Response) -> list[dict[str, Any]]:
    """The lines of calls by the traces of their answers, once they are there."""
    return [_line(client, answer.headers["x-trace"]) for answer in answers]


def _line(client: httpx.Client, trace: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_S
    while (found := client.get(f"/calls/{trace}")).status_code == 404:
        assert time.monotonic() < deadline, "the call is not on record"
        time.sleep(0.1)
    assert found.status_code == 200, found.text
    told: dict[str, Any] = found.json()
    return told


def test_each_call_is_on_record_by_its_trace(office: Office) -> None:
    system = office.a_system(Scope.CATALOGUE, Scope.CALLS)
    with system.speaking() as client:
        fine, wrong = client.get("/items?limit=1"), client.get("/items/nothing.there")
        refused, malformed = client.get("/points"), client.get("/items?limit=x")
        lines = on_record(client, fine, wrong, refused, malformed)
    assert [(each["operation"], each["status"], each["code"]) for each in lines] == [
        ("list_items", 200, None),
        ("get_item", 404, "ITEM_UNKNOWN"),
        ("list_points", 403, "SCOPE_MISSING"),
        ("list_items", 400, "REQUEST_MALFORMED"),
    ]
    for line, answer in zip(lines, (fine, wrong, refused, malformed), strict=True):
        assert (line["trace"], line["method"]) == (answer.headers["x-trace"], "GET")
        assert line["client_id"] == system.credential[0]
        assert line["took_ms"] >= 0
        assert dt.datetime.fromisoformat(line["at"]) == moment_of(UUID(line["trace"]))


def test_a_token_that_is_worth_nothing_any_more_is_on_record_and_a_strangers_is_not(office: Office) -> None:
    system = office.a_system(Scope.CATALOGUE, Scope.CALLS)
    with system.speaking() as spent, system.speaking() as client:
        token = spent.headers["authorization"].removeprefix("Bearer ")
        office.city.run(
            "UPDATE oauth2_provider_accesstoken SET expires = now() - interval '1 hour'"
            " WHERE token_checksum = encode(sha256(convert_to($1, 'UTF8')), 'hex')", token,
        )  # fmt: skip
        late = spent.get("/items")
        assert problem(late) == (401, "TOKEN_EXPIRED")
        [line] = on_record(client, late)
        assert (line["status"], line["code"]) == (401, "TOKEN_EXPIRED")
        stranger = httpx.get(f"{office.url}/v1/items", headers={"Authorization": "Bearer x"}, timeout=20)
        known = client.get("/points")
        on_record(client, known)  # what came later is there
        assert problem(client.get(f"/calls/{stranger.headers['x-trace']}")) == (404, "CALL_UNKNOWN")


def test_a_client_sees_its_own_calls_page_by_page_and_nobody_elses(office: Office) -> None:
    system, other = (office.a_system(Scope.CATALOGUE, Scope.CALLS) for _ in range(2))
    with system.speaking() as client, other.speaking() as stranger:
        answers = [client.get("/items?limit=1") for _ in range(4)] + [client.get("/points") for _ in range(3)]
        on_record(client, *answers)
        assert problem(stranger.get(f"/calls/{answers[0].headers['x-trace']}")) == (404, "CALL_UNKNOWN")
        assert traces(stranger) == []
        own = [answer.headers["x-trace"] for answer in reversed(answers)]
        read = [trace for trace in traces(client, limit=2) if trace in own]
        assert read == own
        assert traces(client, limit=2, status=403) == own[:3]
        assert traces(client, status=418) == []
        last = client.get("/calls", params={"since": "2100-01-01T00:00:00Z"}).json()
        assert last == {"calls": [], "next": None}
        assert problem(client.get("/calls?status=99"))[1] == "REQUEST_MALFORMED"
        assert problem(client.get("/calls?holder=x"))[1] == "REQUEST_MALFORMED"


def traces(client: httpx.Client, **asked: Any) -> list[str]:
    """Every page of the list, one after another; reading it is a call itself, so it grows at its head only."""
    found: list[str] = []
    after: dict[str, str] = {}
    while True:
        told = client.get("/calls", params={**asked, **after}).json()
        found += [each["trace"] for each in told["calls"] if each["operation"] not in ("list_calls", "get_call")]
        if told["next"] is None:
            return found
        after = {"after": told["next"]}


def test_no_line_holds_whose_data_it_was(office: Office) -> None:
    system = office.a_system()
    _, card = office.a_holder()
    with system.speaking() as client:
        named = client.post("/pseudonyms", json={"card_number": card.number}).json()["holder"]
        answers = [client.get(f"/holders/{named}/cards"), client.get("/items", params={"text": card.number})]
        on_record(client, *answers)
    kept = office.city.run("SELECT to_jsonb(c)::text FROM sharing_call c")
    assert len(kept) >= 2
    assert [row for (row,) in kept if named in row or card.number in row] == []


def test_what_is_kept_twice_is_kept_once(office: Office, system: System) -> None:
    trace = UUID("019b2f6e-7c1a-7d3e-9a51-3c0f5b7e2d10")
    line = Call(system.client_id, trace, "x", "GET", "list_items", 200, None, 3)
    calls.keep([line, line._replace(client_id=system.client_id + 1_000_000)])
    calls.keep([line])
    calls.keep([])
    assert calls.page(system.client_id, Wanted(), before=None, limit=10)[-1] == line
    assert calls.page(system.client_id, Wanted(), before=trace, limit=10) == []


def test_the_days_of_the_log_are_dropped_one_by_one(office: Office) -> None:
    """What `make_partitions` drops is told by the days that stand here."""
    [(keep_days, step)] = rows("SELECT keep_days, step::text FROM foundation_partitioned WHERE parent = 'sharing_call'")
    assert (keep_days, step) == (calls.DAYS, "1 day")
    rows(
        "CREATE TABLE sharing_call_20200101 PARTITION OF sharing_call"
        " FOR VALUES FROM ($$016f5c00-0000-7000-8000-000000000000$$) TO ($$016f6126-5c00-7000-8000-000000000000$$)"
    )
    assert ("dropped", "sharing_call_20200101") in rows("SELECT action, partition FROM make_partitions()")


@pytest.fixture
def system(office: Office) -> System:
    return office.a_system(Scope.CALLS)


def test_a_process_that_is_stopped_keeps_what_waits(
    office: Office, fresh_database: dict[str, str], environment_for: Callable[[str], dict[str, str]]
) -> None:
    system = office.a_system(Scope.CATALOGUE)
    with an_api(environment_for, fresh_database["api"]) as address, a_system(address, system.credential) as client:
        traces = {client.get("/items?limit=1").headers["x-trace"] for _ in range(3)}
    kept = office.city.run("SELECT id FROM sharing_call WHERE client_id = $1", system.client_id)
    assert {trace.hex for (trace,) in kept} == traces
