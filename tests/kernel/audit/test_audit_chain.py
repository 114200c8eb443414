"""The chain: nothing committed is lost, and whatever is done to sealed facts shows."""

import datetime as dt
import threading

import psycopg
import pytest
from django.db import connection, transaction

from onecard.foundation import clock
from onecard.foundation.actors import Actor
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions, chain, queries

CLERK = Actor("staff:7")


def record(subject: str, **detail: object) -> None:
    actions.record(CLERK, "cards.issue", subject, place="320600", reason="测试", detail=detail)


def test_sealing_nothing_is_nothing(city: dict[str, str]) -> None:
    assert actions.seal() == 0
    assert not actions.anchor()
    assert queries.verify_chain() == []


def test_a_limit_never_cuts_a_transaction(city: dict[str, str]) -> None:
    for _ in range(2):
        with transaction.atomic():
            for n in range(5):
                record(f"card:{n}")
    assert [actions.seal(limit=3), actions.seal(limit=3), actions.seal(limit=3)] == [5, 5, 0]
    assert queries.verify_chain() == []


def test_the_tail_is_shown_with_its_age(city: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    record("card:1")
    assert actions.seal() == 1
    record("card:2")
    written = rows("SELECT max(at) FROM audit_fact")[0][0]
    monkeypatch.setattr(clock, "now", lambda: written + dt.timedelta(seconds=90))
    (finding,) = queries.verify_chain()
    assert (finding.kind, finding.count, finding.is_fault) == ("unsealed", 1, False)
    assert finding.age_s == 90


def test_a_slow_writer_loses_no_fact(city: dict[str, str]) -> None:
    """A fact whose transaction began first and commits last is sealed, after everything that waited for it."""
    insert = "INSERT INTO audit_fact (actor, verb, subject) VALUES ('a', 'v', %s)"
    with psycopg.connect(city["owner"]) as slow, psycopg.connect(city["owner"]) as quick:
        slow.execute(insert, ["card:slow"])
        quick.execute(insert, ["card:quick"])
        quick.commit()
        assert actions.seal() == 0
        slow.commit()
        quick.execute(insert, ["card:rolled-back"])
        quick.rollback()
    assert actions.seal() == 2
    record("card:later")
    assert actions.seal() == 1
    assert queries.verify_chain() == []


def test_transactions_are_ordered_as_numbers(city: dict[str, str]) -> None:
    """As text, 10 would come before 9 and its fact would be looked for under the wrong seal."""
    for xid in ("8", "9", "10", "11"):
        rows("INSERT INTO audit_fact (xid, actor, verb, subject) VALUES ($1::xid8, 'a', 'v', 's')", xid)
    assert [actions.seal(limit=2), actions.seal(limit=1), actions.seal(limit=1)] == [2, 1, 1]
    assert queries.verify_chain() == []


def test_two_sealers_take_turns(city: dict[str, str]) -> None:
    for n in range(40):
        record(f"card:{n}")
    sealed: list[int] = []

    def work() -> None:
        while done := actions.seal(limit=3):
            sealed.append(done)
        connection.close()

    sealers = [threading.Thread(target=work) for _ in range(2)]
    for sealer in sealers:
        sealer.start()
    for sealer in sealers:
        sealer.join()
    assert sum(sealed) == 40
    assert queries.verify_chain() == []


def test_a_sealer_that_died_is_taken_over(city: dict[str, str]) -> None:
    """A batch that was not committed leaves nothing behind; the next sealer starts where the last commit ended."""
    for n in range(6):
        record(f"card:{n}")
    with transaction.atomic():
        assert actions.seal(limit=2) == 2
        transaction.set_rollback(True)
    connection.close()
    assert [actions.seal(limit=2) for _ in range(4)] == [2, 2, 2, 0]
    assert queries.verify_chain() == []


def test_one_anchor_a_day(city: dict[str, str]) -> None:
    record("card:1")
    actions.seal()
    day = dt.date(2026, 11, 21)
    assert [actions.anchor(day), actions.anchor(day), actions.anchor(day + dt.timedelta(days=1))] == [True, False, True]
    assert [anchor["day"] for anchor in queries.anchors()] == [day + dt.timedelta(days=1), day]
    assert queries.verify_chain() == []


def test_a_long_chain_is_verified_in_pieces(city: dict[str, str]) -> None:
    rows(
        "INSERT INTO audit_fact (actor, verb, subject, detail)"
        " SELECT 'staff:1', 'v', 'card:' || n, jsonb_build_object('n', n) FROM generate_series(1, 5000) AS n"
    )
    record("card:x")
    assert actions.seal(limit=10) == 5000
    assert actions.seal(limit=10) == 1
    assert queries.verify_chain() == []


def test_the_digest_is_what_the_description_says() -> None:
    """A golden value, so that a trail sealed today verifies with the program of any later year."""
    fact = ("751", 1, 1795276800000000, "staff:7", "cards.issue", "card:12", "320600", "测试", '{"n": 1}')
    assert chain.canonical(fact)[:12] == b"\x00\x00\x00\x03751\x00\x00\x00\x011"
    digest, count = chain.digest_of(chain.GENESIS, [fact])
    assert count == 1
    assert digest.hex() == "61c066dfbb8062f4699a2f02f7375f481020456e44da2f990ab76b64b2800500"
