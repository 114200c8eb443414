"""Deliveries, under the worker's own role: at least once to whoever is there, later to whoever was away, and nobody
waits for another's endpoint.
"""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import transaction
from pytest_django.plugin import DjangoDbBlocker
from tests.kernel.cards.roles import django_as
from tests.kernel.sharing.builders import SYSTEM, a_client, agree
from tests.receiver_process import ReceiverProcess, a_receiver

from onecard.connectors.webhooks import addresses, delivering
from onecard.foundation import sql
from onecard.foundation.ids import uuid7
from onecard.foundation.postgres.raw import rows
from onecard.kernel.catalogue.models import Client
from onecard.kernel.messages import outbox, queries
from onecard.kernel.messages.kinds import Kind
from onecard.kernel.sharing import endpoints
from onecard.kernel.sharing.scopes import SCOPE_OF, Scope

pytestmark = pytest.mark.processes

CODE = "C-HOOK"
RECEIVER = f"client:{CODE}"


@pytest.fixture
def receiver() -> Iterator[ReceiverProcess]:
    with a_receiver() as running:
        yield running


@pytest.fixture
def owner(fresh_database: dict[str, str]) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(fresh_database["owner"], autocommit=True) as connected:
        yield connected
        connected.execute("DELETE FROM messages_delivery")
        connected.execute("DELETE FROM messages_message")
        connected.execute("DELETE FROM messages_endpoint")


@pytest.fixture
def worker(
    fresh_database: dict[str, str], owner: psycopg.Connection[Any], django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Django as the worker."""
    with django_as(fresh_database["owner"], django_db_blocker):
        if not Client.objects.filter(code=CODE).exists():
            a_client(CODE)
            agree(CODE, *Scope)
    with django_as(fresh_database["worker"], django_db_blocker):
        yield


@pytest.fixture
def file_endpoint(fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker) -> Any:
    """File an endpoint as an officer does, and tell the receiver its key; its id."""

    def file(receiver: ReceiverProcess | None, url: str = "", kinds: tuple[Kind, ...] = (Kind.PING,)) -> int:
        with django_as(fresh_database["owner"], django_db_blocker):
            made, key = endpoints.add(SYSTEM, CODE, url or receiver.endpoint, kinds)  # type: ignore[union-attr]
        if receiver is not None:
            receiver.set(keys={f"{made.pk}.{made.key_number}": key.hex()})
        return int(made.pk)

    return file


def tell(n: int = 1) -> int:
    return sum(outbox.tell(RECEIVER, Kind.PING, f"test:{number}", {"n": number}) for number in range(n))


def due_now(owner: psycopg.Connection[Any]) -> None:
    """Let the time pass until everything is due again."""
    owner.execute("UPDATE messages_delivery SET next_try_at = now()")
    owner.execute("UPDATE messages_endpoint SET rests_until = NULL")


def states(endpoint: int) -> list[tuple[str, int]]:
    return [(each.state, each.tries) for each in reversed(queries.deliveries_of(endpoint))]


def test_messages_are_taken_once_each(worker: None, file_endpoint: Any, receiver: ReceiverProcess) -> None:
    endpoint = file_endpoint(receiver)
    assert tell(20) == 20
    assert delivering.deliver() == 20
    assert delivering.deliver() == 0
    took = receiver.took()
    assert sorted(event["data"]["n"] for event in took) == list(range(20))
    assert {event["type"] for event in took} == {"onecard.ping"}
    assert states(endpoint) == [("delivered", 1)] * 20


def test_a_message_stands_or_falls_with_what_it_tells_of(
    worker: None, file_endpoint: Any, receiver: ReceiverProcess
) -> None:
    file_endpoint(receiver)
    with transaction.atomic():
        tell()
        transaction.set_rollback(True)
    assert delivering.deliver() == 0


def test_only_what_is_wanted_is_written(worker: None, owner: psycopg.Connection[Any], file_endpoint: Any) -> None:
    assert tell() == 0
    file_endpoint(None, "https://nowhere.example/x", (Kind.CARD_CHANGED,))
    assert outbox.tell(RECEIVER, Kind.ITEM_PUBLISHED, "item:x", {}) == 0
    assert outbox.tell("client:another", Kind.CARD_CHANGED, "holder:x", {}) == 0
    assert owner.execute("SELECT count(*) FROM messages_message").fetchone() == (0,)


@pytest.mark.parametrize("behaviour", ["down", "broken", "refuse"])
def test_what_was_not_taken_comes_again(
    worker: None, owner: psycopg.Connection[Any], file_endpoint: Any, receiver: ReceiverProcess, behaviour: str
) -> None:
    endpoint = file_endpoint(receiver)
    tell()
    receiver.set(behaviour=behaviour)
    assert delivering.deliver() == 0
    assert delivering.deliver() == 0  # not before its time
    assert states(endpoint) == [("waiting", 1)]
    [known] = queries.endpoints_of(RECEIVER)
    assert (known.failures, known.rests_until is not None) == ((0, False) if behaviour == "refuse" else (1, True))
    receiver.set(behaviour="normal")
    due_now(owner)
    assert delivering.deliver() == 1
    assert (len(receiver.took()), states(endpoint)) == (1, [("delivered", 2)])
    [known] = queries.endpoints_of(RECEIVER)
    assert (known.failures, known.rests_until) == (0, None)


def test_an_answer_that_is_lost_brings_it_again_under_the_same_id(
    worker: None, owner: psycopg.Connection[Any], file_endpoint: Any, receiver: ReceiverProcess
) -> None:
    endpoint = file_endpoint(receiver)
    tell()
    receiver.set(behaviour="answer_lost")
    assert delivering.deliver() == 0
    receiver.set(behaviour="normal")
    due_now(owner)
    assert delivering.deliver() == 1
    [event] = receiver.took()  # it knows the id
    assert event["id"] == str(queries.deliveries_of(endpoint)[0].message_id)


def test_a_receiver_that_is_dead_keeps_no_other_waiting(
    worker: None, file_endpoint: Any, receiver: ReceiverProcess
) -> None:
    with a_receiver() as dead:
        away = file_endpoint(dead)
        here = file_endpoint(receiver)
        tell(30)
        dead.kill()
        assert delivering.deliver() == 30
        assert {state for state, _ in states(here)} == {"delivered"}
        assert {state for state, _ in states(away)} == {"waiting"}
        # It rests after the first few that failed: the others were not even tried.
        assert sum(tries for _, tries in states(away)) <= outbox.PER_ENDPOINT


def test_who_is_killed_with_a_claim_leaves_it_to_the_next(
    worker: None, owner: psycopg.Connection[Any], file_endpoint: Any, receiver: ReceiverProcess
) -> None:
    endpoint = file_endpoint(receiver)
    tell()
    assert len(outbox.claim()) == 1  # and then nothing: the process is gone
    assert delivering.deliver() == 0
    due_now(owner)
    assert delivering.deliver() == 1
    assert states(endpoint) == [("delivered", 2)]


def test_two_workers_never_hold_the_same(
    worker: None, fresh_database: dict[str, str], file_endpoint: Any, receiver: ReceiverProcess
) -> None:
    file_endpoint(receiver)
    tell(3)
    with transaction.atomic():
        assert len(outbox.claim()) == 3
        with psycopg.connect(fresh_database["worker"]) as other:
            found = other.execute(
                "SELECT id FROM messages_delivery WHERE state = 'waiting' FOR UPDATE SKIP LOCKED"
            ).fetchall()
            assert found == []


def test_after_three_days_it_is_given_up_and_can_be_sent_again(
    worker: None, owner: psycopg.Connection[Any], file_endpoint: Any, receiver: ReceiverProcess
) -> None:
    endpoint = file_endpoint(receiver)
    tell()
    receiver.set(behaviour="refuse")
    delivering.deliver()
    owner.execute("UPDATE messages_delivery SET since = now() - interval '4 days', next_try_at = now()")
    delivering.deliver()
    assert states(endpoint) == [("dead", 2)]
    due_now(owner)
    receiver.set(behaviour="normal")
    assert delivering.deliver() == 0
    [dead] = queries.deliveries_of(endpoint, state="dead")
    assert dead.last_error == "status 400"
    owner.execute("UPDATE messages_delivery SET state = 'waiting', since = now(), tries = 0")
    assert delivering.deliver() == 1
    assert len(receiver.took()) == 1


def test_an_endpoint_that_ended_is_sent_nothing(
    worker: None, fresh_database: dict[str, str], file_endpoint: Any, receiver: ReceiverProcess,
    django_db_blocker: DjangoDbBlocker,
) -> None:  # fmt: skip
    endpoint = file_endpoint(receiver)
    tell()
    with django_as(fresh_database["owner"], django_db_blocker):
        endpoints.end(SYSTEM, endpoint, "moved")
    with django_as(fresh_database["worker"], django_db_blocker):
        assert delivering.deliver() == 0
        assert tell() == 0
    assert receiver.took() == []


def test_old_messages_are_deleted_and_what_waits_is_not(
    worker: None, owner: psycopg.Connection[Any], file_endpoint: Any, receiver: ReceiverProcess
) -> None:
    file_endpoint(receiver)
    tell(2)
    owner.execute("UPDATE messages_message SET at = now() - interval '31 days'")
    owner.execute("UPDATE messages_delivery SET state = 'delivered' WHERE id = (SELECT min(id) FROM messages_delivery)")
    assert outbox.clear() == 1
    assert rows("SELECT count(*) FROM messages_delivery") == [(1,)]
    owner.execute("UPDATE messages_endpoint SET state = 'ended'")
    assert outbox.clear() == 1


def test_a_message_goes_nowhere_else(worker: None, file_endpoint: Any, receiver: ReceiverProcess) -> None:
    """Who answers with another address, here a good one, is not followed, and did not take it."""
    endpoint = file_endpoint(receiver, receiver.url + "/simulator/redirect")
    tell()
    assert delivering.deliver() == 0
    assert (states(endpoint), receiver.took(), receiver.refused()) == ([("waiting", 1)], [], [])
    assert queries.deliveries_of(endpoint)[0].last_error == "status 307"


def test_an_address_inside_is_sent_to_where_the_node_names_it_only(
    worker: None, file_endpoint: Any, receiver: ReceiverProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = file_endpoint(receiver)
    tell()
    monkeypatch.delenv(addresses.SETTING)
    assert delivering.deliver() == 0
    assert (states(endpoint), receiver.took()) == ([("waiting", 1)], [])
    assert "may not send" in queries.deliveries_of(endpoint)[0].last_error


STOPPED = {
    "agreement": "UPDATE sharing_agreement SET ends_on = starts_on WHERE scope = 'messages.manage'",
    "client": f"UPDATE catalogue_client SET state = 'suspended' WHERE code = '{CODE}'",
}
RESUMED = {
    "agreement": "UPDATE sharing_agreement SET ends_on = starts_on + 90",
    "client": "UPDATE catalogue_client SET state = 'active'",
}


@pytest.mark.parametrize("what", STOPPED)
def test_what_is_agreed_no_more_is_sent_no_more(
    worker: None, owner: psycopg.Connection[Any], file_endpoint: Any, receiver: ReceiverProcess, what: str
) -> None:
    """Also what was told before and waited; once it is agreed again, it comes."""
    endpoint = file_endpoint(receiver)
    tell()
    try:
        owner.execute(STOPPED[what])
        assert delivering.deliver() == 0
    finally:
        owner.execute(RESUMED[what])
    assert (states(endpoint), receiver.took()) == ([("waiting", 1)], [])
    assert queries.deliveries_of(endpoint)[0].last_error == delivering.NOT_AGREED
    assert queries.endpoints_of(RECEIVER)[0].failures == 0
    due_now(owner)
    assert delivering.deliver() == 1


def test_another_scope_is_none_for_it(
    worker: None, owner: psycopg.Connection[Any], file_endpoint: Any, receiver: ReceiverProcess
) -> None:
    file_endpoint(receiver, kinds=tuple(Kind))
    for kind in Kind:
        assert outbox.tell(RECEIVER, kind, "x:1", {}) == 1
    try:
        owner.execute(f"UPDATE sharing_agreement SET ends_on = starts_on WHERE scope <> '{Scope.TERMINALS}'")
        delivering.deliver()
    finally:
        owner.execute(RESUMED["agreement"])
    told = {event["type"].removeprefix("onecard.") for event in receiver.took()}
    assert told == {kind for kind in Kind if SCOPE_OF[kind] is Scope.TERMINALS} != set()


def test_every_kind_takes_a_scope() -> None:
    assert set(SCOPE_OF) == set(Kind)


def test_a_fault_of_ours_in_one_message_keeps_no_other_waiting(
    worker: None, owner: psycopg.Connection[Any], file_endpoint: Any, receiver: ReceiverProcess
) -> None:
    endpoint = file_endpoint(receiver)
    broken = file_endpoint(None, "https://x.example/a")
    owner.execute("UPDATE messages_endpoint SET url = 'http://[::1' WHERE id = %s", (broken,))
    tell(2)
    assert delivering.deliver() == 2
    assert (states(endpoint), states(broken)) == ([("delivered", 1)] * 2, [("waiting", 1)] * 2)


def test_many_at_one_endpoint_keep_no_other_waiting(
    worker: None, owner: psycopg.Connection[Any], file_endpoint: Any, receiver: ReceiverProcess
) -> None:
    """Of a few that are claimed at once, each endpoint has its first before anybody has a second."""
    many = file_endpoint(receiver)
    tell(6)
    few = file_endpoint(None, "https://x.example/a")
    tell()
    assert [each.endpoint_id for each in outbox.claim(2)] == [many, few]


def test_telling_reads_one_index_however_many_endpoints_there_are(worker: None, owner: psycopg.Connection[Any]) -> None:
    owner.execute(
        "INSERT INTO messages_endpoint (receiver, url, kinds)"
        " SELECT 'client:X' || n, 'https://x.example/' || n, ARRAY['ping'] FROM generate_series(1, 5000) n"
    )
    owner.execute("ANALYZE messages_endpoint")
    statement = sql.load(outbox.HERE, "tell")
    given = (RECEIVER, "ping", "x:1", "{}", uuid7(), None)
    [(plan,)] = rows("EXPLAIN (ANALYZE, FORMAT JSON) " + statement, *given)
    text = json.dumps(plan)
    assert "messages_endpoint_once" in text
    assert "Seq Scan" not in text
