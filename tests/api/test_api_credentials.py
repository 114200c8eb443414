"""A client turns its own credentials over: a further one, an overlap, an end; once under their key, nobody else's."""

import datetime as dt
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from tests.api.office import Office, System
from tests.api.process import ask_for_token, problem

from onecard.foundation import clock
from onecard.kernel.sharing.scopes import Scope

pytestmark = pytest.mark.processes
BY_NAME = Scope.CREDENTIALS
WHY = {"reason": "换人了"}


def send(client: httpx.Client, path: str, body: Any, key: str | None = None) -> httpx.Response:
    return client.post(path, json=body, headers={"Idempotency-Key": key or str(uuid4())})


def in_a(days: int) -> str:
    return (clock.today() + dt.timedelta(days=days)).isoformat()


def standing(client: httpx.Client) -> dict[str, str]:
    return {each["client_id"]: each["state"] for each in client.get("/credentials").json()["credentials"]}


def test_a_client_changes_over_without_a_gap(office: Office) -> None:
    system = office.a_system()
    old = system.credential
    with system.speaking(BY_NAME) as client:
        made = send(client, "/credentials", {"older_until": in_a(7)})
        assert made.status_code == 200, made.text
        new = (made.json()["credential"]["client_id"], made.json()["client_secret"])
        assert made.json()["credential"] == {
            "client_id": new[0], "state": "active", "given_by": "client", "valid_to": None, "in_use": False,
            "given_at": made.json()["credential"]["given_at"],
        }  # fmt: skip
        assert standing(client) == {old[0]: "ending", new[0]: "active"}
        [_, before] = client.get("/credentials").json()["credentials"]
        ends = dt.datetime.fromisoformat(before["valid_to"])
        assert clock.day_of(ends) == clock.today() + dt.timedelta(days=7)
        assert (ends.astimezone(clock.CHINA).time(), before["in_use"]) == (dt.time(), True)
        assert {ask_for_token(office.url, each).status_code for each in (old, new)} == {200}
        gone = send(client, f"/credentials/{old[0]}/withdrawal", WHY)
        assert (gone.status_code, gone.json()["state"]) == (200, "ended")
        assert problem(client.get("/credentials")) == (401, "CREDENTIAL_ENDED")  # with every token that it got
    assert ask_for_token(office.url, old).status_code == 401
    client_ = f"client:{system.code}"
    [_, given] = office.facts("sharing.give_credential", client_)
    assert given == (client_, "", {"credential": new[0]})
    assert office.facts("sharing.withdraw_credential", client_) == [(client_, WHY["reason"], {"credential": old[0]})]


def test_a_secret_is_told_once_and_kept_nowhere(office: Office) -> None:
    system, key = office.a_system(), str(uuid4())
    with system.speaking(BY_NAME) as client:
        first, again = (send(client, "/credentials", {}, key) for _ in range(2))
        assert again.headers["idempotency-replayed"] == "true"
        assert again.json() == {**first.json(), "client_secret": None}
        assert len(standing(client)) == 2
        assert problem(send(client, "/credentials", {"older_until": in_a(1)}, key)) == (409, "KEY_REUSED")
        assert "secret" not in client.get("/credentials").text
    secret = first.json()["client_secret"]
    assert ask_for_token(office.url, (first.json()["credential"]["client_id"], secret)).status_code == 200
    kept = office.city.run("SELECT to_jsonb(a)::text FROM sharing_kept_answer a")
    kept += office.city.run("SELECT to_jsonb(c)::text FROM sharing_credential c")
    kept += office.city.run("SELECT to_jsonb(f)::text FROM audit_fact f")
    assert len(kept) > 3
    assert [row for (row,) in kept if secret in row] == []


def test_a_token_that_was_not_asked_for_by_name_makes_none(office: Office) -> None:
    system = office.a_system()
    with system.speaking() as client:
        assert BY_NAME not in ask_for_token(office.url, system.credential).json()["scope"].split()
        for answer in (client.get("/credentials"), send(client, "/credentials", {})):
            assert problem(answer) == (403, "SCOPE_MISSING")


def test_what_there_is_not_and_what_is_too_much(office: Office) -> None:
    system, other = office.a_system(), office.a_system()
    with system.speaking(BY_NAME) as client:
        own, others = (
            f"/credentials/{system.credential[0]}/withdrawal",
            f"/credentials/{other.credential[0]}/withdrawal",
        )
        assert problem(send(client, own, WHY)) == (409, "LAST_CREDENTIAL")
        assert problem(send(client, others, WHY)) == (404, "CREDENTIAL_UNKNOWN")
        assert problem(client.get(f"/credentials?after={other.credential[0]}")) == (404, "CREDENTIAL_UNKNOWN")
        for days in (0, 91):
            assert problem(send(client, "/credentials", {"older_until": in_a(days)})) == (400, "OVERLAP_OUT_OF_RANGE")
        for _ in range(2):
            assert send(client, "/credentials", {}).status_code == 200
        assert problem(send(client, "/credentials", {})) == (409, "CREDENTIALS_TOO_MANY")
        assert list(standing(client).values()) == ["active"] * 3
        assert paged(client) == list(standing(client))
        [newest, *_] = standing(client)
        path = f"/credentials/{newest}/withdrawal"
        assert [send(client, path, WHY).json()["state"] for _ in range(2)] == ["ended", "ended"]
    with other.speaking(BY_NAME) as stranger:
        assert list(standing(stranger)) == [other.credential[0]]


def paged(client: httpx.Client) -> list[str]:
    found: list[str] = []
    asked: dict[str, str] = {}
    while True:
        told = client.get("/credentials", params={"limit": "1", **asked}).json()
        found += [each["client_id"] for each in told["credentials"]]
        if told["next"] is None:
            return found
        asked = {"after": told["next"]}


def test_an_end_comes_nearer_and_never_moves_away(office: Office, fresh_database: dict[str, str]) -> None:
    system: System = office.a_system()
    with psycopg.connect(fresh_database["api"], autocommit=True) as api:
        statement = "UPDATE sharing_credential SET valid_to = %s WHERE client_id = %s"
        api.execute(statement, [dt.datetime(2030, 1, 2, tzinfo=dt.UTC), system.credential[0]])
        api.execute(statement, [dt.datetime(2030, 1, 1, tzinfo=dt.UTC), system.credential[0]])
        for later in (None, dt.datetime(2030, 1, 2, tzinfo=dt.UTC)):
            with pytest.raises(psycopg.IntegrityError, match="ENDS_ONCE"):
                api.execute(statement, [later, system.credential[0]])
