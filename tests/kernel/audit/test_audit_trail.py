"""Looking through the trail, and verifying the chain in parts by a job."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection

from onecard.foundation import clock
from onecard.foundation.actors import Actor, system
from onecard.foundation.errors import Conflict, NotFound, NotPermitted
from onecard.foundation.exports import OPEN_MAX, State
from onecard.foundation.ids import uuid7
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions, exports, jobs, queries, trail, verification
from onecard.kernel.audit.trail import Wanted

AUDITOR = Actor("staff:7", frozenset({"audit.verify", "audit.export"}))
EVERYWHERE = ("",)


def record(verb: str, subject: str, *, actor: str = "staff:1", place: str = "") -> int:
    actions.record(Actor(actor), verb, subject, place=place)
    made: int = rows("SELECT max(id) FROM audit_fact")[0][0]
    return made


def found(places: tuple[str, ...] = EVERYWHERE, **wanted: Any) -> list[int]:
    return [fact.pk for fact in trail.page(places, Wanted(**wanted))]


@pytest.mark.django_db
def test_facts_are_found_by_who_what_and_where() -> None:
    issue = record("cards.issue", "card:1", place="320602")
    look = record("holders.reveal", "holder:1", place="320612")
    other = record("holders.read", "holder:2", actor="staff:2")
    expected: list[tuple[tuple[str, ...], dict[str, Any], list[int]]] = [
        (("",), {}, [other, look, issue]),
        (("",), {"actor": "staff:1"}, [look, issue]),
        (("",), {"subject": "holder:1"}, [look]),
        (("",), {"verb": "cards.issue"}, [issue]),
        (("",), {"looks": True}, [other, look]),
        (("",), {"looks": True, "actor": "staff:1"}, [look]),
        (("",), {"looks": True, "verb": "cards.issue"}, []),
        (("",), {"looks": True, "verb": "holders.read"}, [other]),
        (("3206",), {}, [look, issue]),
        (("320602", "320612"), {}, [look, issue]),
        (("3205",), {}, []),
        ((), {}, []),
    ]
    assert [found(places, **wanted) for places, wanted, _ids in expected] == [ids for *_rest, ids in expected]


@pytest.mark.django_db
def test_facts_are_found_by_whole_days() -> None:
    first, last = record("cards.issue", "card:1"), record("cards.lock", "card:1")
    today = clock.today()
    yesterday, tomorrow = today - dt.timedelta(days=1), today + dt.timedelta(days=1)
    assert found(from_day=today, to_day=today) == [last, first]
    assert found(from_day=yesterday) == [last, first]
    assert found(to_day=tomorrow) == [last, first]
    assert found(from_day=tomorrow) == []
    assert found(to_day=yesterday) == []
    assert [fact.pk for fact in trail.page(EVERYWHERE, Wanted(), before=last)] == [first]


@pytest.mark.django_db
def test_what_is_wanted_survives_its_way_through_json() -> None:
    day = clock.today()
    for wanted in (Wanted(), Wanted("a", "b", "c", True, day, day), Wanted(looks=True)):
        assert trail.wanted_of(wanted.plain()) == wanted


def test_a_verification_says_what_the_check_says(city: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "PART", 2)
    for n in range(5):
        record("cards.issue", f"card:{n}")
        actions.seal()
    actions.anchor()
    whole = _verified()
    assert (whole.seals, whole.checked, whole.percent, whole.faults) == (5, 5, 100, ())
    _without_guard("UPDATE audit_fact SET subject = 'card:9' WHERE subject = 'card:3'")
    assert [(each.kind, each.subject) for each in _verified().faults] == [("changed", "seal:4")]
    _without_guard("DELETE FROM audit_seal WHERE number IN (2, 3)", "audit_seal")
    faults = [each for each in queries.verify_chain() if each.is_fault]
    assert list(_verified().faults) == faults
    assert "seal_missing" in {each.kind for each in faults}


def _verified() -> verification.Verification:
    """As the job does it; one that was killed after its first part goes on."""
    id_ = verification.ask(AUDITOR)
    with pytest.raises(Conflict, match="VERIFICATION_OPEN"):
        verification.ask(AUDITOR)
    first = verification.one(id_)
    verification._verify_part(first)
    moved = verification.one(id_)
    assert moved.checked == min(verification.PART, first.seals)
    assert (moved.done_at is None) == (moved.checked < first.seals)
    jobs.verify(str(id_))
    done = verification.latest()
    assert done is not None
    assert done.id == id_
    assert done.done_at is not None
    return done


def _without_guard(statement: str, table: str = "audit_fact") -> None:
    """As a superuser could, who takes the triggers away."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")
        cursor.execute(statement)
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER append_only")


@pytest.mark.django_db
def test_who_may_not_asks_for_nothing_and_the_clock_asks_once() -> None:
    with pytest.raises(NotPermitted):
        verification.ask(Actor("staff:8"))
    with pytest.raises(NotFound, match="VERIFICATION_UNKNOWN"):
        verification.one(uuid7())
    assert verification.latest() is None
    for _ in range(2):
        jobs.verify_daily(0)
    (only,) = verification.newest()
    assert (only.actor, only.percent) == (system("worker").name, 0)
    jobs.verify(str(only.id))
    assert verification.one(only.id).percent == 100


@pytest.mark.django_db
def test_a_list_of_facts_goes_on_where_it_stood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "PART", 2)
    made = [record("cards.issue", f"card:{n}", place="320602") for n in range(5)]
    record("cards.issue", "card:far", place="110000")
    with pytest.raises(NotPermitted):
        exports.ask(Actor("staff:8"), EVERYWHERE, Wanted())
    id_ = exports.ask(AUDITOR, ("3206",), Wanted(verb="cards.issue"))
    export = exports.one(AUDITOR, id_)
    exports._write_part(export)
    half = exports.one(AUDITOR, id_)
    assert (half.facts, half.is_open, 0 <= half.percent < 100) == (2, True, True)
    assert jobs.export(str(id_)) == 5
    done = exports.one(AUDITOR, id_)
    lines = b"".join(exports.content(AUDITOR, done)).decode("utf-8-sig").splitlines()
    assert [int(line.split(",")[0]) for line in lines[1:]] == made[::-1]
    for lapsed in (Actor(AUDITOR.name), Actor(AUDITOR.name, AUDITOR.permissions, ("3207",))):
        with pytest.raises(NotPermitted):
            exports.content(lapsed, exports.one(lapsed, id_))
    with pytest.raises(NotFound, match="EXPORT_UNKNOWN"):
        exports.one(Actor("staff:8"), id_)
    rows("UPDATE audit_export SET expires_at = now() - interval '1 second'")
    assert jobs.drop_exports(0) == 1


@pytest.mark.django_db
def test_a_list_that_is_stopped_is_written_no_further_and_three_are_enough() -> None:
    ids = [exports.ask(AUDITOR, EVERYWHERE, Wanted()) for _ in range(OPEN_MAX)]
    with pytest.raises(Conflict, match="EXPORTS_OPEN"):
        exports.ask(AUDITOR, EVERYWHERE, Wanted())
    exports.stop(AUDITOR, ids[0])
    assert exports.write(ids[0]) == 0
    assert exports.one(AUDITOR, ids[0]).state is State.STOPPED
