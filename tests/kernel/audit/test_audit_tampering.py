"""Whatever an administrator does to sealed facts shows. They own the tables here and have switched the triggers off."""

from collections.abc import Iterator

import pytest
from django.db import DatabaseError, transaction
from pytest_django.plugin import DjangoDbBlocker
from tests.kernel.cards.roles import django_as

from onecard.foundation.actors import Actor
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions, queries
from onecard.kernel.audit.queries import Finding

TABLES = ("audit_fact", "audit_seal", "audit_anchor")


def faults() -> list[Finding]:
    return [finding for finding in queries.verify_chain() if finding.is_fault]


@pytest.fixture(scope="module")
def city(fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Twelve facts under three seals, and today's anchor, committed."""
    with django_as(fresh_database["owner"], django_db_blocker):
        for batch in range(3):
            for n in range(4):
                subject = f"card:{batch * 4 + n}"
                actions.record(Actor("staff:7"), "cards.issue", subject, place="320600", reason="测试", detail={"n": n})
            assert actions.seal() == 4
        assert actions.anchor()
        assert queries.verify_chain() == []
        yield


@pytest.fixture(autouse=True)
def undone(city: None) -> Iterator[None]:
    """Each test tampers in a transaction of its own that is rolled back."""
    with transaction.atomic():
        for table in TABLES:
            rows(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        transaction.set_rollback(True)


def test_changed() -> None:
    rows("UPDATE audit_fact SET reason = 'other' WHERE subject = 'card:5'")
    assert faults() == [Finding("changed", "seal:2")]


@pytest.mark.parametrize(
    "column",
    ["at = at + interval '1 microsecond'", "actor = 'staff:8'", "verb = 'x'", "place = ''", "detail = '{}'"],
)
def test_any_field_changed(column: str) -> None:
    rows(f"UPDATE audit_fact SET {column} WHERE subject = 'card:0'")
    assert faults() == [Finding("changed", "seal:1")]


def test_text_moved_between_fields() -> None:
    rows("UPDATE audit_fact SET verb = verb || 'c', subject = substr(subject, 2) WHERE subject = 'card:0'")
    assert faults() == [Finding("changed", "seal:1")]


def test_removed() -> None:
    rows("DELETE FROM audit_fact WHERE subject IN ('card:4', 'card:6')")
    assert faults() == [Finding("removed", "seal:2", 2)]


def test_inserted() -> None:
    rows(
        "INSERT INTO audit_fact (xid, actor, verb, subject) SELECT xid, actor, verb, 'card:99'"
        " FROM audit_fact WHERE subject = 'card:9'"
    )
    assert faults() == [Finding("inserted", "seal:3", 1)]


def test_reordered() -> None:
    rows(
        "UPDATE audit_fact AS one SET xid = other.xid FROM audit_fact AS other"
        " WHERE (one.subject, other.subject) IN (('card:1', 'card:2'), ('card:2', 'card:1'))"
    )
    assert faults() == [Finding("changed", "seal:1")]


def test_a_seal_removed() -> None:
    rows("DELETE FROM audit_seal WHERE number = 2")
    assert Finding("seal_missing", "seal:2") in faults()


def test_a_fact_changed_and_its_seal_made_to_fit() -> None:
    """Whoever rewrites one seal breaks the next one; whoever rewrites all of them meets the anchor."""
    rows("UPDATE audit_fact SET reason = 'other' WHERE subject = 'card:5'")
    rows("UPDATE audit_seal SET digest = sha256('forged') WHERE number = 2")
    assert Finding("seal_broken", "seal:3") in faults()


def test_the_whole_chain_rewritten() -> None:
    rows("UPDATE audit_fact SET reason = 'other' WHERE subject = 'card:5'")
    rows("DELETE FROM audit_seal")
    assert actions.seal() == 12
    assert [finding.kind for finding in faults()] == ["anchor_differs"]
    rows("UPDATE audit_anchor SET seal = 1, digest = (SELECT digest FROM audit_seal)")
    assert [finding.kind for finding in faults()] == ["anchor_forged"]


def test_a_fact_of_the_future() -> None:
    rows("INSERT INTO audit_fact (xid, actor, verb, subject) VALUES ('999999999', 'a', 'v', 's')")
    assert Finding("from_future", "facts", 1) in faults()


@pytest.mark.parametrize("table", ["audit_fact", "audit_seal", "audit_anchor", "audit_risk_fact"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {}", "UPDATE {} SET subject = subject"])
def test_even_the_owner_is_refused(table: str, statement: str) -> None:
    if "UPDATE" in statement and table in ("audit_seal", "audit_anchor"):
        statement = "UPDATE {} SET digest = digest"
    rows(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    with pytest.raises(DatabaseError, match="APPEND_ONLY"), transaction.atomic():
        rows(statement.format(table))
