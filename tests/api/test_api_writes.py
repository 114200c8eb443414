"""Writes of clients: once under their key whatever happens, and to what is the client's own."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.api.office import LIBRARY, Office, System
from tests.api.process import problem
from tests.api.test_api_holders import identify
from tests.cluster import Cluster
from tests.kernel.sharing.builders import SYSTEM
from tests.small_city import Card

from onecard.foundation.actors import Actor
from onecard.foundation.ids import beside, uuid7
from onecard.kernel.catalogue import actions as catalogue
from onecard.kernel.sharing.scopes import Scope
from onecard.kernel.uses.settle import BEYOND_HOLD, CLEARED, ENDED_BY_ITSELF, FUNDED, PAID, SHORTFALL

pytestmark = pytest.mark.processes

WHY = {"reason": "乘客投诉"}
OFFICER = Actor("staff:1", frozenset({"*"}))


def send(client: httpx.Client, path: str, body: Any = WHY, key: str | None = None) -> httpx.Response:
    """Send a write under a key, a new one unless it is given."""
    return client.post(path, json=body, headers={"Idempotency-Key": key or str(uuid4())})


def give_back(client: httpx.Client, use: UUID, key: str | None = None, body: Any = WHY) -> httpx.Response:
    return send(client, f"/uses/{use}/refund", body, key)


def a_ride(office: Office, system: System) -> tuple[Card, UUID]:
    card = office.city.a_card()
    return card, office.a_use(system, card)


# --- Refunds ----------------------------------------------------------------------------------------------------------


def test_a_use_is_given_back_once_under_its_key(office: Office) -> None:
    system = office.a_system()
    card, use = a_ride(office, system)
    assert office.city.purse_of(card) == 9_810
    key = str(uuid4())
    with system.speaking() as client:
        first = give_back(client, use, key)
        again = give_back(client, use, f'"{key}"')  # as the header's draft writes it
        assert (first.status_code, first.json()["paid_fen"], first.json()["funded_fen"]) == (200, 190, 10)
        assert (again.status_code, again.content) == (200, first.content)
        assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")
        assert client.get(f"/uses/{use}").json()["refunded"] is True
        assert problem(give_back(client, use)) == (409, "ALREADY_REFUNDED")
    assert office.city.purse_of(card) == 10_000
    assert office.facts("uses.refund", f"use:{use}") == [
        (f"client:{system.code}", WHY["reason"], {"refund": first.json()["refund"]})
    ]


def test_a_key_belongs_to_its_content(office: Office) -> None:
    system = office.a_system()
    (_, one), (other_card, other) = a_ride(office, system), a_ride(office, system)
    key = str(uuid4())
    with system.speaking() as client:
        assert give_back(client, one, key).status_code == 200
        for answer in (
            give_back(client, other, key),
            give_back(client, one, key, {"reason": "another"}),
            send(client, f"/terminals/{system.terminal.code}/suspension", WHY, key),
        ):
            assert problem(answer) == (409, "KEY_REUSED")
    assert office.city.purse_of(other_card) == 9_810
    assert office.city.one("SELECT state FROM catalogue_terminal WHERE id = $1", system.terminal.id) == "active"


def test_two_clients_may_choose_the_same_key(office: Office) -> None:
    one, other = office.a_system(), office.a_system()
    (_, first), (_, second) = a_ride(office, one), a_ride(office, other)
    with one.speaking() as client, other.speaking() as stranger:
        assert give_back(client, first, "the-same-key").json()["use"] == str(first)
        assert give_back(stranger, second, "the-same-key").json()["use"] == str(second)


def test_who_is_killed_before_the_answer_was_kept_gives_back_once(office: Office) -> None:
    system = office.a_system()
    card, use = a_ride(office, system)
    key = str(uuid4())
    with system.speaking() as client:
        first = give_back(client, use, key).json()
        office.city.run(
            "UPDATE sharing_kept_answer SET status = NULL, body = NULL WHERE client_id = $1 AND key = $2",
            system.client_id, key,
        )  # fmt: skip
        assert problem(give_back(client, use, key, {"reason": "other"})) == (409, "KEY_REUSED")
        assert give_back(client, use, key).json() == first
    assert office.city.purse_of(card) == 10_000


def test_the_same_sent_many_times_at_once_is_done_once(office: Office) -> None:
    system = office.a_system()
    card, use = a_ride(office, system)
    key = str(uuid4())
    with system.speaking() as client, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: give_back(client, use, key), range(8)))
        other = list(pool.map(lambda _: give_back(client, use), range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert {problem(answer) for answer in other} == {(409, "ALREADY_REFUNDED")}
    assert office.city.purse_of(card) == 10_000


def test_a_refusal_is_not_kept(office: Office) -> None:
    """A top-up that was spent cannot be given back; once the money is there again, the same write does it."""
    system = office.a_system()
    card, use = a_ride(office, system)
    key = str(uuid4())
    ceiling = 100_000
    office.city.transfer(office.city.account(office.city.bank, "bank.clearing"), card.purse or 0, ceiling - 9_810, "x")
    with system.speaking() as client:
        assert problem(give_back(client, use, key)) == (409, "PURSE_FULL")
        office.city.transfer(card.purse or 0, office.city.account(office.city.bank, "bank.clearing"), 190, "x")
        assert give_back(client, use, key).status_code == 200
    assert office.city.purse_of(card) == ceiling


def test_only_a_use_at_ones_own_point_is_given_back(office: Office) -> None:
    """Another client's is not there, also where both have the same operator."""
    system, other = office.a_system(), office.a_system()
    card, use = a_ride(office, other)
    with system.speaking() as client:
        assert problem(give_back(client, use)) == (404, "USE_UNKNOWN")
        assert problem(give_back(client, uuid4())) == (404, "USE_UNKNOWN")
    assert office.city.purse_of(card) == 9_810


def a_seniors_ride(office: Office, system: System) -> tuple[Card, UUID]:
    """A ride of which the holder pays 100 fen and the city's treasury as many."""
    card = office.city.a_card(classes=[("senior_60", "2020-01-01", None)])
    return card, office.a_use(system, card)


RECORDED = "INSERT INTO uses_refund (id, use_id, terminal_id) SELECT %s, id, terminal_id FROM uses_use WHERE id = %s"


def test_whoever_takes_the_process_over_gives_back_what_a_use_took_and_once(office: Office) -> None:
    """The role itself, past all code of ours: of a use of that client, all of it, in its direction, once."""
    system, other = office.a_system(), office.a_system()
    card, use = a_seniors_ride(office, system)
    refund = uuid7()
    with psycopg.connect(office.urls["api"], autocommit=True) as role:
        for unknown in (uuid4(), refund):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                role.execute("SELECT uses_reverse_for(%s, %s)", (unknown, system.client_id))
        role.execute(RECORDED, (refund, use))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            role.execute("SELECT uses_reverse_for(%s, %s)", (refund, other.client_id))
        assert office.city.purse_of(card) == 9_900
        assert role.execute("SELECT uses_reverse_for(%s, %s)", (refund, system.client_id)).fetchall() == []
        assert office.city.purse_of(card) == 10_000
        again = role.execute("SELECT uses_reverse_for(%s, %s)", (refund, system.client_id)).fetchall()
        assert again == [("EXISTS",), ("EXISTS",)]
        with pytest.raises(psycopg.errors.UniqueViolation):
            role.execute(RECORDED, (uuid7(), use))
    assert office.city.purse_of(card) == 10_000
    moved = office.city.run(
        "SELECT code, count(*) AS n, sum(amount_fen)::int AS fen FROM ledger_transfer WHERE reference = $1 GROUP BY 1"
        " ORDER BY 1", use,
    )  # fmt: skip
    assert [tuple(row) for row in moved] == [("concession", 1, 100), ("paid", 1, 100), ("refund", 2, 200)]


def test_of_a_refund_that_cannot_be_whole_nothing_is_made(office: Office) -> None:
    """The purse is full: what the treasury paid does not go back either, also for who makes no transaction of it."""
    system = office.a_system()
    card, use = a_seniors_ride(office, system)
    clearing = office.city.account(office.city.bank, "bank.clearing")
    office.city.transfer(clearing, card.purse or 0, 100_000 - 9_900, "x")
    refund = uuid7()
    with psycopg.connect(office.urls["api"], autocommit=True) as role:
        role.execute(RECORDED, (refund, use))
        found = role.execute("SELECT uses_reverse_for(%s, %s)", (refund, system.client_id)).fetchall()
    assert found == [("EXCEEDS_CEILING",)]
    assert office.city.run("SELECT id FROM ledger_transfer WHERE reference = $1 AND code = 'refund'", use) == []


@given(id_=st.uuids(), n=st.sampled_from([PAID, FUNDED, SHORTFALL, BEYOND_HOLD, CLEARED]))
@example(UUID(int=(1 << 128) - 1), CLEARED)
@example(UUID(int=0), PAID)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_the_database_finds_ids_beside_others_as_the_program_does(office: Office, id_: UUID, n: int) -> None:
    assert office.city.one("SELECT uuid7_beside($1, $2)", id_, n) == beside(id_, n)


def test_a_refund_looks_for_every_transfer_that_is_given_back(office: Office) -> None:
    """Where a use comes to cause another kind of transfer, somebody has to say whether a refund gives it back."""
    wanted = {n + more for n in (PAID, FUNDED, SHORTFALL, BEYOND_HOLD) for more in (0, ENDED_BY_ITSELF)}
    text = office.city.one("SELECT pg_get_functiondef('uses_reverse(uuid)'::regprocedure)")
    (numbers,) = re.findall(r"unnest\(ARRAY\[([0-9, ]+)\]\)", text)
    assert {int(number) for number in numbers.split(",")} == wanted


def test_a_use_at_a_terminal_that_was_stopped_is_given_back_too(office: Office) -> None:
    system = office.a_system()
    card, use = a_ride(office, system)
    catalogue.suspend(OFFICER, "terminal", system.terminal.code, "stolen")
    with system.speaking() as client:
        assert give_back(client, use).status_code == 200
    assert office.city.purse_of(card) == 10_000


def test_a_refused_use_has_nothing_to_give_back(office: Office) -> None:
    system = office.a_system()
    use = office.a_use(system, office.city.a_card(state="lost"))
    with system.speaking() as client:
        assert problem(give_back(client, use)) == (409, "NOTHING_TO_REFUND")


@pytest.mark.parametrize("key", ["", "short", "a b c d e f g", "x" * 101, '""', 'half-quoted"', "ключ-ключ-ключ"])
def test_a_write_takes_a_key(office: Office, key: str) -> None:
    system = office.a_system()
    card, use = a_ride(office, system)
    with system.speaking() as client:
        answer = client.post(f"/uses/{use}/refund", json=WHY, headers=[(b"Idempotency-Key", key.encode())])
        assert problem(answer) == (400, "REQUEST_MALFORMED")
        assert problem(client.post(f"/uses/{use}/refund", json=WHY)) == (400, "REQUEST_MALFORMED")
    assert office.city.purse_of(card) == 9_810


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "  "}, {"reason": 1}, {"reason": "x", "all": True}])
def test_a_write_takes_a_reason(office: Office, body: dict[str, Any]) -> None:
    system = office.a_system()
    _, use = a_ride(office, system)
    with system.speaking() as client:
        assert problem(give_back(client, use, body=body)) == (400, "REQUEST_MALFORMED")


# --- Terminals --------------------------------------------------------------------------------------------------------


def test_a_client_stops_its_terminal_and_lets_it_serve_again(office: Office) -> None:
    system = office.a_system()
    path = f"/terminals/{system.terminal.code}"
    with system.speaking() as client:
        [point] = client.get("/points").json()["points"]
        assert (point["code"], point["items"], point["state"]) == (system.point, ["transit.bus_ride"], "active")
        stopped = send(client, f"{path}/suspension").json()
        assert (stopped["state"], stopped["suspended_by"]) == ("suspended", "client")
        assert client.get("/terminals").json()["terminals"] == [stopped]
        assert a_verdict(office, system) == "TERMINAL_SUSPENDED"
        assert send(client, f"{path}/suspension").json() == stopped
        served = send(client, f"{path}/resumption").json()
        assert (served["state"], served["suspended_by"]) == ("active", None)
        assert a_verdict(office, system) == "ADMITTED"
    verbs = [reason for _, reason, _ in office.facts("catalogue.suspend", f"terminal:{system.terminal.code}")]
    assert verbs == [WHY["reason"]]


def a_verdict(office: Office, system: System) -> str:
    use = office.a_use(system)
    verdict: str = office.city.one("SELECT verdict FROM uses_use WHERE id = $1", use)
    return verdict


@pytest.mark.parametrize("client_first", [True, False])
def test_what_the_office_stopped_is_not_the_clients_to_resume(office: Office, client_first: bool) -> None:
    system = office.a_system()
    path = f"/terminals/{system.terminal.code}"
    with system.speaking() as client:
        if client_first:
            send(client, f"{path}/suspension")
        catalogue.suspend(OFFICER, "terminal", system.terminal.code, "fraud")
        assert problem(send(client, f"{path}/resumption")) == (409, "SUSPENDED_BY_OFFICE")
        stopped = send(client, f"{path}/suspension").json()
        assert (stopped["state"], stopped["suspended_by"]) == ("suspended", "office")
        assert problem(send(client, f"{path}/resumption")) == (409, "SUSPENDED_BY_OFFICE")
        catalogue.resume(OFFICER, "terminal", system.terminal.code, "cleared")
        assert client.get("/terminals").json()["terminals"][0]["state"] == "active"


def test_another_clients_terminal_is_not_there(office: Office) -> None:
    system, other = office.a_system(), office.a_system(item=LIBRARY)
    with system.speaking() as client:
        for act in ("suspension", "resumption"):
            assert problem(send(client, f"/terminals/{other.terminal.code}/{act}")) == (404, "TERMINAL_UNKNOWN")
        assert client.get("/terminals", params={"point": other.point}).json()["terminals"] == []
    assert office.city.one("SELECT state FROM catalogue_terminal WHERE id = $1", other.terminal.id) == "active"


def test_a_terminal_that_ended_stays_so(office: Office) -> None:
    system = office.a_system()
    office.city.run("UPDATE catalogue_terminal SET state = 'ended' WHERE id = $1", system.terminal.id)
    with system.speaking() as client:
        for act in ("suspension", "resumption"):
            assert problem(send(client, f"/terminals/{system.terminal.code}/{act}")) == (409, "ENDED")


def test_terminals_come_page_by_page(office: Office) -> None:
    system = office.a_system()
    point = office.city.one("SELECT id FROM catalogue_point WHERE code = $1", system.point)
    codes = sorted([system.terminal.code, *(office.city.a_terminal(point=point).code for _ in range(4))])
    found: list[str] = []
    after: str | None = ""
    with system.speaking() as client:
        while after is not None:
            told = client.get("/terminals", params={"limit": 2, "after": after}).json()
            found += [terminal["code"] for terminal in told["terminals"]]
            after = told["next"]
        assert client.get("/points", params={"limit": 1}).json()["next"] is None
    assert found == codes


def test_reading_is_not_writing(office: Office) -> None:
    system = office.a_system()
    _, use = a_ride(office, system)
    with system.speaking(Scope.USES, Scope.TERMINALS) as client:
        assert problem(give_back(client, use)) == (403, "SCOPE_MISSING")
        assert problem(send(client, f"/terminals/{system.terminal.code}/suspension")) == (403, "SCOPE_MISSING")
    with system.speaking(Scope.REFUND, Scope.SUSPEND) as client:
        assert problem(client.get("/uses")) == (403, "SCOPE_MISSING")
        assert problem(client.get("/terminals")) == (403, "SCOPE_MISSING")


def test_officers_still_suspend_and_resume_as_before(office: Office) -> None:
    system = office.a_system()
    for _ in range(2):
        catalogue.suspend(SYSTEM, "terminal", system.terminal.code, "test")
    assert len(office.facts("catalogue.suspend", f"terminal:{system.terminal.code}")) == 1
    catalogue.resume(SYSTEM, "terminal", system.terminal.code, "test")
    assert office.city.one("SELECT suspended_by FROM catalogue_terminal WHERE id = $1", system.terminal.id) == ""


# --- Watches ----------------------------------------------------------------------------------------------------------


def test_who_watches_a_holder_twice_at_once_moves_the_end(office: Office, postgres: Cluster) -> None:
    """Each under a key of its own: neither sees the other's until it is there."""
    system = office.a_system()
    holder, card = office.a_holder()
    waits = b"SELECT FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
    with (
        psycopg.connect(office.urls["owner"]) as other,
        psycopg.connect(postgres.admin_url, autocommit=True) as beside,
        system.speaking() as client,
        ThreadPoolExecutor(1) as pool,
    ):
        name = identify(client, card_number=card.number)
        other.execute(
            "INSERT INTO sharing_watch (client_id, holder_id, until) VALUES (%s, %s, '2100-01-01')",
            (system.client_id, holder.pk),
        )
        watching = pool.submit(send, client, f"/holders/{name}/watch", {"days": 1})
        while not (beside.execute(waits, [other.info.dbname]).fetchall() or watching.done()):
            time.sleep(0.01)
        other.commit()
        watched = watching.result()
    assert watched.status_code == 200, watched.text
    kept = office.city.one("SELECT until FROM sharing_watch WHERE holder_id = $1", holder.pk)
    assert kept.isoformat() == watched.json()["until"] < "2100"
