"""What a client is told without asking, end to end: the verb, the worker, a stranger's server that checks
signatures.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from tests.api.office import BUS, Office, System
from tests.api.process import problem
from tests.api.test_api_holders import identify
from tests.kernel.sharing.builders import SYSTEM
from tests.receiver_process import ReceiverProcess, a_receiver

from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, Conflict
from onecard.kernel.cards import actions as cards
from onecard.kernel.catalogue import actions as catalogue
from onecard.kernel.messages.kinds import KINDS, Kind
from onecard.kernel.sharing import actions as sharing
from onecard.kernel.sharing import disclosures, endpoints
from onecard.kernel.sharing.scopes import Scope

pytestmark = pytest.mark.processes

WAIT_S = 60
OFFICER = Actor("staff:1", frozenset({"*"}))


@pytest.fixture(scope="module")
def worker(
    url: str, fresh_database: dict[str, str], environment_for: Callable[[str], dict[str, str]]
) -> Iterator[None]:
    """The worker as a real process with its own role."""
    environment = environment_for(fresh_database["worker"])
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    process = subprocess.Popen([sys.executable, "-m", "onecard", "worker"], env=environment)
    yield
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def receiver() -> Iterator[ReceiverProcess]:
    with a_receiver() as running:
        yield running


@pytest.fixture
def system(office: Office, receiver: ReceiverProcess) -> System:
    """A client's system that takes every kind of message at the receiver."""
    made = office.a_system()
    endpoint, key = endpoints.add(SYSTEM, made.code, receiver.endpoint, [*Kind])
    receiver.set(keys={f"{endpoint.pk}.1": key.hex()}, behaviour="normal")
    return made


def until(holds: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + WAIT_S
    while not (found := holds()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)
    return found


def told(receiver: ReceiverProcess, subject: str) -> list[str]:
    """The types of the events about something that the receiver believed."""
    return [event["type"] for event in receiver.took() if event["subject"] == subject]


def post(client: httpx.Client, path: str, body: Any = None, key: str | None = None) -> httpx.Response:
    return client.post(path, json=body or {}, headers={"Idempotency-Key": key or str(uuid4())})


def test_every_kind_has_its_words() -> None:
    assert set(KINDS) == set(Kind)
    assert all(said.zh and said.en for said in KINDS.values())


def test_a_client_hears_of_its_terminals_points_and_items(
    office: Office, system: System, receiver: ReceiverProcess, worker: None
) -> None:
    terminal, point, item = f"terminal:{system.terminal.code}", f"point:{system.point}", f"item:{BUS}"
    for kind, code in (("terminal", system.terminal.code), ("point", system.point), ("item", BUS)):
        catalogue.suspend(OFFICER, kind, code, "test")
        catalogue.resume(OFFICER, kind, code, "test")
    for subject, name in ((terminal, "terminal"), (point, "point"), (item, "item")):
        until(partial(_has_two, receiver, subject))
        assert set(told(receiver, subject)) == {f"onecard.{name}.suspended", f"onecard.{name}.resumed"}
    [event] = [e for e in receiver.took() if e["subject"] == terminal and e["type"].endswith("suspended")]
    assert event["data"] == {"terminal": system.terminal.code, "point": system.point}
    assert (event["specversion"], event["source"]) == ("1.0", "/onecard/320600")
    assert receiver.refused() == []


def _has_two(receiver: ReceiverProcess, subject: str) -> bool:
    return len(told(receiver, subject)) >= 2


def test_another_clients_terminal_is_not_told(
    office: Office, system: System, receiver: ReceiverProcess, worker: None
) -> None:
    other = office.a_system()
    catalogue.suspend(OFFICER, "terminal", other.terminal.code, "test")
    catalogue.suspend(OFFICER, "terminal", system.terminal.code, "test")
    until(lambda: told(receiver, f"terminal:{system.terminal.code}"))
    assert told(receiver, f"terminal:{other.terminal.code}") == []


def test_who_watches_a_holder_hears_that_a_card_changed(
    office: Office, system: System, receiver: ReceiverProcess, worker: None
) -> None:
    holder, card = office.a_holder()
    _settled(office)  # what became of the card until now is nobody's to hear
    with system.speaking() as client:
        name = identify(client, card_number=card.number)
        watched = post(client, f"/holders/{name}/watch", {"days": 30})
        assert watched.status_code == 200, watched.text
        cards.report_lost(SYSTEM, card.pk, "temporary")
        until(lambda: told(receiver, f"holder:{name}"))
        [event] = [e for e in receiver.took() if e["subject"] == f"holder:{name}"]
        assert (event["type"], event["data"]) == ("onecard.card.changed", {"holder": name})
        assert client.get(f"/holders/{name}/cards").json()["usable"] is False
        for _ in range(2):
            assert client.delete(f"/holders/{name}/watch").status_code == 204
    cards.unreport(SYSTEM, card.pk)
    _settled(office)
    assert len(told(receiver, f"holder:{name}")) == 1
    seen = {each.agreement.scope for each in disclosures.of_holder(holder.pk)}
    assert seen == {"holders.identify", "cards.watch", "cards.read"}


def _settled(office: Office) -> None:
    """Wait until no job and no delivery waits."""
    until(lambda: office.city.one("SELECT count(*) = 0 FROM procrastinate_jobs WHERE queue_name = 'sharing'"))
    until(lambda: office.city.one("SELECT count(*) = 0 FROM messages_delivery WHERE state = 'waiting'"))


def test_without_the_agreement_a_watch_tells_nothing(
    office: Office, system: System, receiver: ReceiverProcess, worker: None
) -> None:
    _, card = office.a_holder()
    with system.speaking() as client:
        name = identify(client, card_number=card.number)
        post(client, f"/holders/{name}/watch", {"days": 30})
    sharing.end_agreement(SYSTEM, system.code, Scope.WATCH, "test")
    cards.report_lost(SYSTEM, card.pk, "temporary")
    _settled(office)
    assert told(receiver, f"holder:{name}") == []


def test_a_client_sees_to_its_messages(office: Office, system: System, receiver: ReceiverProcess, worker: None) -> None:
    with system.speaking() as client:
        [endpoint] = client.get("/endpoints").json()["endpoints"]
        assert (endpoint["url"], endpoint["state"], endpoint["key_id"]) == (
            receiver.endpoint, "active", f"{endpoint['id']}.1"
        )  # fmt: skip
        path = f"/endpoints/{endpoint['id']}"
        receiver.set(behaviour="refuse")
        assert post(client, f"{path}/ping").json() == {"queued": True}
        [delivery] = until(lambda: [each for each in deliveries(client, path) if each["last_error"]])
        assert (delivery["kind"], delivery["state"], delivery["last_error"]) == ("ping", "waiting", "status 400")
        assert client.get("/endpoints").json()["endpoints"][0]["waiting"] == 1
        office.city.run("UPDATE messages_endpoint SET rests_until = now() + interval '1 hour'")
        office.city.run("UPDATE messages_delivery SET state = 'dead' WHERE id = $1", delivery["id"])
        assert [each["id"] for each in deliveries(client, path, state="dead")] == [delivery["id"]]
        receiver.set(behaviour="normal")
        key = str(uuid4())
        for _ in range(2):
            assert post(client, f"{path}/deliveries/{delivery['id']}/replay", key=key).json() == {"queued": True}
        until(lambda: deliveries(client, path, state="delivered"))
        assert delivery["message"] in {event["id"] for event in receiver.took()}


def deliveries(client: httpx.Client, path: str, **asked: Any) -> list[dict[str, Any]]:
    answer = client.get(f"{path}/deliveries", params=asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["deliveries"]
    return found


def test_a_key_is_changed_without_a_gap(
    office: Office, system: System, receiver: ReceiverProcess, worker: None
) -> None:
    """The receiver knows the old key only, and believes what is signed with both; then the new one only."""
    with system.speaking() as client:
        [endpoint] = client.get("/endpoints").json()["endpoints"]
        path = f"/endpoints/{endpoint['id']}"
        once = str(uuid4())
        new = post(client, f"{path}/key", key=once).json()
        assert (new["key_id"], len(new["key"])) == (f"{endpoint['id']}.2", 64)
        assert post(client, f"{path}/key", key=once).json() == new
        before = len(receiver.took())
        post(client, f"{path}/ping")
        until(lambda: len(receiver.took()) > before)
        office.city.run("UPDATE messages_endpoint SET older_to = now() WHERE id = $1", endpoint["id"])
        post(client, f"{path}/ping")
        until(lambda: receiver.refused())
        receiver.set(keys={new["key_id"]: new["key"]})
        [waiting] = until(lambda: [each for each in deliveries(client, path, state="waiting") if each["last_error"]])
        assert waiting["last_error"] == "status 401"
        post(client, f"{path}/deliveries/{waiting['id']}/replay")
        until(lambda: len(receiver.took()) > before + 1)


def test_another_clients_endpoints_are_not_there(office: Office, system: System) -> None:
    other = office.a_system()
    with system.speaking() as client, other.speaking() as stranger:
        [endpoint] = client.get("/endpoints").json()["endpoints"]
        assert stranger.get("/endpoints").json() == {"endpoints": []}
        path = f"/endpoints/{endpoint['id']}"
        assert problem(stranger.get(f"{path}/deliveries")) == (404, "ENDPOINT_UNKNOWN")
        for act in ("ping", "key", "deliveries/1/replay"):
            assert problem(post(stranger, f"{path}/{act}")) == (404, "ENDPOINT_UNKNOWN")
        assert problem(post(client, f"{path}/deliveries/999999999/replay")) == (404, "DELIVERY_UNKNOWN")
        endpoints.end(SYSTEM, endpoint["id"], "test")
        assert client.get("/endpoints").json()["endpoints"][0]["state"] == "ended"
        for act in ("ping", "key"):
            assert problem(post(client, f"{path}/{act}")) == (409, "ENDED")


def test_deliveries_come_page_by_page(office: Office, system: System) -> None:
    with system.speaking() as client:
        [endpoint] = client.get("/endpoints").json()["endpoints"]
        path = f"/endpoints/{endpoint['id']}"
        for _ in range(5):
            post(client, f"{path}/ping")
        every = [each["id"] for each in deliveries(client, path)]
        found, after = [], None
        while True:
            told = client.get(f"{path}/deliveries", params={"limit": 2} | ({"after": after} if after else {})).json()
            found += [each["id"] for each in told["deliveries"]]
            if (after := told["next"]) is None:
                break
    assert (found, len(every)) == (every, 5)


@pytest.mark.parametrize(
    ("url", "kinds", "code"),
    [
        ("ftp://x.example/a", ["ping"], "URL_MALFORMED"),
        ("https:///a", ["ping"], "URL_MALFORMED"),
        ("https://a:b@x.example/a", ["ping"], "URL_MALFORMED"),
        ("https://x.example/a?b", ["ping"], "URL_MALFORMED"),
        ("https://x.example:99999/a", ["ping"], "URL_MALFORMED"),
        ("https://x.example/\n", ["ping"], "URL_MALFORMED"),
        ("https://x.example/" + "a" * 300, ["ping"], "URL_MALFORMED"),
        ("https://x.example/a", ["everything"], "KIND_UNKNOWN"),
    ],
)
def test_what_is_no_endpoint_is_refused(office: Office, url: str, kinds: list[str], code: str) -> None:
    system = office.a_system()
    with pytest.raises(BadInput, match=code):
        endpoints.add(SYSTEM, system.code, url, kinds)


def test_a_node_with_real_people_sends_over_tls_only(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    system = office.a_system()
    monkeypatch.setenv("ONECARD_DEMO", "")
    with pytest.raises(BadInput, match="URL_MALFORMED"):
        endpoints.add(SYSTEM, system.code, "http://x.example/a", ["ping"])
    made, key = endpoints.add(SYSTEM, system.code, "https://x.example/a", ["ping"])
    again, same = endpoints.add(SYSTEM, system.code, "https://x.example/a", ["ping"])
    assert (made.pk, key) == (again.pk, same)


def test_no_key_lies_in_the_database(office: Office, system: System, fresh_database: dict[str, str]) -> None:
    made, key = endpoints.add(SYSTEM, system.code, "https://y.example/a", ["ping"])
    with system.speaking() as client:
        newer = post(client, f"/endpoints/{made.pk}/key").json()["key"]
    with psycopg.connect(fresh_database["owner"]) as owner:
        kept = owner.execute(
            "SELECT to_jsonb(e)::text FROM messages_endpoint e UNION ALL SELECT body FROM sharing_kept_answer"
        ).fetchall()
    assert len(kept) > 1
    assert not any(secret in (row or "") for (row,) in kept for secret in (key.hex(), newer))


def test_an_address_of_one_that_ended_counts_again(office: Office, system: System) -> None:
    urls = [f"https://x.example/{n}" for n in range(endpoints.PER_CLIENT_MAX)]
    made = [endpoints.add(SYSTEM, system.code, url, ["ping"])[0] for url in urls[1:]]
    with pytest.raises(Conflict, match="ENDPOINTS_TOO_MANY"):
        endpoints.add(SYSTEM, system.code, urls[0], ["ping"])
    endpoints.end(SYSTEM, made[0].pk, "test")
    endpoints.add(SYSTEM, system.code, urls[0], ["ping"])
    with pytest.raises(Conflict, match="ENDPOINTS_TOO_MANY"):
        endpoints.add(SYSTEM, system.code, made[0].url, ["ping"])
