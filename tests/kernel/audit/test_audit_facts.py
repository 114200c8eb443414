"""Writing and reading facts, and what each role may do with them."""

import psycopg
import pytest
from django.db import transaction

from onecard.foundation.actors import Actor
from onecard.kernel.audit import actions, queries

CLERK = Actor("staff:7")


@pytest.mark.django_db
def test_a_fact_stands_or_falls_with_its_transaction() -> None:
    with transaction.atomic():
        actions.record(CLERK, "cards.issue", "card:1")
        transaction.set_rollback(True)
    assert queries.facts_about("card:1") == []


@pytest.mark.django_db
def test_facts_are_paged_newest_first() -> None:
    for n in range(5):
        actions.record(CLERK, "cards.issue", "card:1", place="320600", reason="r", detail={"n": n, "名": "值"})
    first = queries.facts_about("card:1", limit=3)
    rest = queries.facts_about("card:1", before=first[-1].pk, limit=3)
    assert [fact.detail["n"] for fact in first + rest] == [4, 3, 2, 1, 0]
    assert first[0].detail["名"] == "值"
    assert first[0].place == "320600"
    assert queries.facts_about("card:1", before=rest[-1].pk) == []


@pytest.mark.django_db
def test_risk_facts() -> None:
    actions.risk("chip_replayed", "card:1", {"counter": 7})
    actions.risk("chip_replayed", "card:2")
    newest, oldest = queries.risks("chip_replayed")
    assert (newest.subject, oldest.detail) == ("card:2", {"counter": 7})
    assert queries.risks("chip_replayed", before=oldest.pk) == []


OWN_NAMES = {
    "public": "holder:1",
    "staff": "staff:1",
    "gateway": "terminal:NT-1",
    "api": "client:NT-1",
    "worker": "system:worker",
}


@pytest.mark.parametrize("role", OWN_NAMES)
def test_a_process_writes_in_its_own_name_only(urls: dict[str, str], role: str) -> None:
    with psycopg.connect(urls[role]) as connected:
        for owner, actor in OWN_NAMES.items():
            write = "INSERT INTO audit_fact (actor, verb, subject) VALUES (%s, 'v', 's')"
            if owner == role:
                connected.execute(write, [actor])
            else:
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
                    connected.execute(write, [actor])
            connected.rollback()


def test_the_owner_writes_in_any_name(urls: dict[str, str]) -> None:
    with psycopg.connect(urls["owner"]) as owner:
        for actor in (*OWN_NAMES.values(), "system:operator"):
            owner.execute("INSERT INTO audit_fact (actor, verb, subject) VALUES (%s, 'v', 's')", [actor])
        owner.rollback()


@pytest.mark.parametrize("role", OWN_NAMES)
def test_roles_add_facts_and_cannot_say_when_or_in_which_transaction(urls: dict[str, str], role: str) -> None:
    with psycopg.connect(urls[role]) as connected:
        connected.execute("INSERT INTO audit_fact (actor, verb, subject) VALUES (%s, 'v', 's')", [OWN_NAMES[role]])
        connected.execute("INSERT INTO audit_risk_fact (kind, subject) VALUES ('k', 's')")
        connected.rollback()
        for column, value in (("xid", "5"), ("at", "2020-01-01")):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connected.execute(
                    f"INSERT INTO audit_fact (actor, verb, subject, {column})"
                    f" VALUES ('{OWN_NAMES[role]}', 'v', 's', '{value}')"
                )
            connected.rollback()
        for statement in ("DELETE FROM audit_fact", "UPDATE audit_fact SET actor = 'b'", "TRUNCATE audit_fact"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connected.execute(statement)
            connected.rollback()


@pytest.mark.parametrize("role", ["public", "staff", "gateway"])
def test_only_the_worker_seals(urls: dict[str, str], role: str) -> None:
    with psycopg.connect(urls[role]) as connected, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connected.execute("INSERT INTO audit_seal (number) VALUES (1)")
