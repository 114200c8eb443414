"""The check of risk facts, and each way in which they could be wrong."""

from collections.abc import Iterator

import psycopg
import pytest

from onecard.check import running

RISKS = next(each for each in running.FIGURES if each.code == "RISKS")


@pytest.fixture(scope="module")
def owner(fresh_database: dict[str, str]) -> Iterator[psycopg.Connection]:
    """Facts that are open, looked at, dismissed and taken up again."""
    with psycopg.connect(fresh_database["owner"], autocommit=True) as connection:
        for n, states in enumerate(((), ("looked_at",), ("dismissed",), ("dismissed", "looked_at")), 1):
            connection.execute("INSERT INTO audit_risk_fact (kind, subject) VALUES ('x', %s)", [f"card:{n}"])
            for number, state in enumerate(states, 1):
                connection.execute(
                    "INSERT INTO audit_risk_follow (risk_id, number, actor, state, reason)"
                    " VALUES (%s, %s, 'staff:1', %s, 'r')",
                    [n, number, state],
                )
        yield connection


def found(owner: psycopg.Connection, *tampering: str) -> tuple[int, dict[str, int]]:
    """What the check comes to after somebody wrote past the triggers; it is all taken back."""
    with owner.transaction(force_rollback=True):
        for table in ("fact", "follow"):
            owner.execute(f"ALTER TABLE audit_risk_{table} DISABLE TRIGGER USER".encode())
        for statement in tampering:
            owner.execute(statement.encode())
        finding = running._figures(owner, RISKS)
    faults = {name: number for name, number in finding.numbers.items() if number and name != "checked"}
    return finding.numbers["checked"], faults


def test_facts_that_were_followed_up_are_in_order(owner: psycopg.Connection) -> None:
    assert found(owner) == (4, {})


@pytest.mark.parametrize(
    ("tampering", "fault"),
    [
        ("UPDATE audit_risk_state SET state = 'acted' WHERE risk_id = 1", "different"),
        ("UPDATE audit_risk_state SET state = 'open' WHERE risk_id = 3", "different"),
        ("UPDATE audit_risk_state SET follows = 7 WHERE risk_id = 2", "different"),
        ("DELETE FROM audit_risk_follow WHERE (risk_id, number) = (4, 2)", "different"),
        ("DELETE FROM audit_risk_follow WHERE (risk_id, number) = (4, 1)", "with_a_gap"),
        ("DELETE FROM audit_risk_state WHERE risk_id = 1", "unmatched"),
        ("DELETE FROM audit_risk_fact WHERE id = 1", "unmatched"),
    ],
)
def test_what_was_tampered_with_is_found(owner: psycopg.Connection, tampering: str, fault: str) -> None:
    assert found(owner, tampering)[1] == {fault: 1}
