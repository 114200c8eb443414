"""Risk facts: kinds as declared, where each fact stands, and what officers make of it."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import psycopg
import pytest
from django.db import IntegrityError, connection
from tests.kernel.audit.test_risk_files import AT_ONCE

from onecard import scenarios
from onecard.foundation import sql
from onecard.foundation.actors import Actor, system
from onecard.foundation.errors import BadInput, Conflict, NotFound, NotPermitted
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions, queries, risk_files, risks
from onecard.kernel.audit.risks import Filters, State
from onecard_kit import item_files

OFFICER = Actor("staff:7", frozenset({"audit.read_risks", "audit.follow_risk"}), ("3206",))
EVERYWHERE = Filters(("",))


def a_risk(kind: str = "chip_replayed", place: str = "320613", subject: str = "card:1") -> int:
    actions.risk(kind, subject, {"place": place})
    made: int = rows("SELECT max(id) FROM audit_risk_fact")[0][0]
    return made


@pytest.mark.django_db
def test_the_kinds_of_the_product_are_declared_once_and_changes_leave_a_fact() -> None:
    declared = risk_files.read(scenarios.FOLDER)
    assert risks.declare(system("test"), declared, dry_run=True) == [kind.kind for kind in declared]
    assert risks.kinds() == {}
    assert len(risks.declare(system("test"), declared)) == len(declared)
    assert risks.declare(Actor("staff:1"), declared) == []  # nothing new takes no permission
    assert risks.kinds() == {kind.kind: kind for kind in declared}
    changed = risk_files.from_plain(item_files.plain_of(AT_ONCE, "test"), "test")
    with pytest.raises(NotPermitted):
        risks.declare(OFFICER, [changed])
    assert risks.declare(system("test"), [changed]) == ["chip_replayed"]
    assert len(queries.facts_about("risk_kind:chip_replayed")) == 2


@pytest.mark.django_db
def test_a_risk_is_open_until_an_officer_says_what_came_of_it() -> None:
    risk_id = a_risk()
    assert [(each.id, each.state, each.place) for each in risks.page(EVERYWHERE)] == [(risk_id, State.OPEN, "320613")]
    risks.follow(OFFICER, risk_id, State.LOOKED_AT, "", seen=0)
    risks.follow(OFFICER, risk_id, State.ACTED, " 已联系持卡人换卡 ", seen=1)
    risk, follows = risks.open_one(OFFICER, risk_id)
    assert (risk.state, risk.follows) == (State.ACTED, 2)
    assert [(each.number, each.actor, each.state, each.reason) for each in follows] == [
        (1, "staff:7", State.LOOKED_AT, ""),
        (2, "staff:7", State.ACTED, "已联系持卡人换卡"),
    ]
    facts = queries.facts_about(f"risk:{risk_id}")
    assert [(fact.verb, fact.place) for fact in facts] == [
        ("audit.read_risks", "320613"),
        ("audit.follow_risk", "320613"),
        ("audit.follow_risk", "320613"),
    ]
    assert facts[1].detail == {"state": "acted"}


@pytest.mark.django_db
@pytest.mark.parametrize("was", list(State))
@pytest.mark.parametrize("to", [state for state in State if state is not State.OPEN])
def test_only_steps_that_exist_are_taken(was: State, to: State) -> None:
    risk_id, seen = a_risk(), 0
    if was is not State.OPEN:
        risks.follow(OFFICER, risk_id, was, "理由", seen=0)
        seen = 1
    if to in risks.STEPS[was]:
        risks.follow(OFFICER, risk_id, to, "理由", seen=seen)
        assert risks.page(EVERYWHERE)[0].state is to
    else:
        with pytest.raises(Conflict, match="RISK_STEP_REFUSED"):
            risks.follow(OFFICER, risk_id, to, "理由", seen=seen)


@pytest.mark.django_db
@pytest.mark.parametrize("state", [State.DISMISSED, State.ACTED])
@pytest.mark.parametrize(("reason", "code"), [("  ", "REASON_MISSING"), ("长" * 501, "REASON_TOO_LONG")])
def test_closing_takes_a_reason(state: State, reason: str, code: str) -> None:
    risk_id = a_risk()
    with pytest.raises(BadInput, match=code):
        risks.follow(OFFICER, risk_id, state, reason, seen=0)
    assert risks.page(EVERYWHERE)[0].state is State.OPEN


@pytest.mark.django_db
def test_taking_up_again_takes_a_reason_too() -> None:
    risk_id = a_risk()
    risks.follow(OFFICER, risk_id, State.DISMISSED, "误报", seen=0)
    with pytest.raises(BadInput, match="REASON_MISSING"):
        risks.follow(OFFICER, risk_id, State.LOOKED_AT, "", seen=1)
    risks.follow(OFFICER, risk_id, State.LOOKED_AT, "又出现一次", seen=1)


@pytest.mark.django_db
def test_who_may_not_or_elsewhere_is_refused() -> None:
    risk_id, far = a_risk(), a_risk(place="310000")
    reader = dataclasses.replace(OFFICER, permissions=frozenset({"audit.read_risks"}))
    with pytest.raises(NotPermitted, match="NOT_PERMITTED"):
        risks.follow(reader, risk_id, State.LOOKED_AT, "", seen=0)
    with pytest.raises(NotPermitted, match="OUT_OF_SCOPE"):
        risks.follow(OFFICER, far, State.LOOKED_AT, "", seen=0)
    with pytest.raises(NotPermitted, match="OUT_OF_SCOPE"):
        risks.open_one(OFFICER, far)
    with pytest.raises(NotFound, match="RISK_UNKNOWN"):
        risks.open_one(OFFICER, far + 1)
    assert [each.id for each in risks.page(Filters(("3206",)))] == [risk_id]


@pytest.mark.django_db
def test_whoever_comes_second_sees_that_it_was_done() -> None:
    risk_id = a_risk()
    risks.follow(OFFICER, risk_id, State.LOOKED_AT, "", seen=0)
    with pytest.raises(Conflict, match="RISK_FOLLOWED"):
        risks.follow(OFFICER, risk_id, State.DISMISSED, "误报", seen=0)
    with pytest.raises(IntegrityError, match="RISK_FOLLOWED"):
        rows(risks.FOLLOW, risk_id, 3, "staff:8", "acted", "跳过一步")


@pytest.mark.django_db
def test_pages_go_by_kind_and_state_newest_first() -> None:
    made = [(a_risk(("a", "b", "c")[n % 3]), ("a", "b", "c")[n % 3]) for n in range(30)]
    for risk_id, _ in made[::2]:
        risks.follow(OFFICER, risk_id, State.DISMISSED, "误报", seen=0)
    open_ones = Filters(("",), kinds=("a", "c"), states=(State.OPEN,))
    wanted = [risk_id for risk_id, kind in reversed(made[1::2]) if kind != "b"]
    found: list[int] = []
    while page := risks.page(open_ones, before=found[-1] if found else None, limit=3):
        found += [each.id for each in page]
    assert found == wanted
    newest = [risk_id for risk_id, _ in reversed(made)][:25]
    assert [each.id for each in risks.export(OFFICER, EVERYWHERE, 25)] == newest
    assert [fact.verb for fact in queries.facts_about("risks")] == ["audit.export_risks"]
    assert risks.page(Filters(("",), kinds=())) == []
    assert all(a.id > b.id for a, b in pairwise(risks.page(EVERYWHERE)))


@pytest.mark.django_db
def test_a_window_raises_one_fact_for_a_subject() -> None:
    again = (
        "INSERT INTO audit_risk_fact (kind, subject, window_from) VALUES ('x', 'card:1', '2026-03-01')"
        " ON CONFLICT DO NOTHING RETURNING id"
    )
    assert [len(rows(again)) for _ in range(3)] == [1, 0, 0]
    assert len(risks.page(EVERYWHERE)) == 1


def test_what_happened_is_not_changed_by_anybody(city: dict[str, str]) -> None:
    risk_id = a_risk()
    risks.follow(OFFICER, risk_id, State.LOOKED_AT, "", seen=0)
    with pytest.raises(IntegrityError, match="APPEND_ONLY"):
        rows("UPDATE audit_risk_follow SET reason = 'x'")
    with psycopg.connect(city["staff"], autocommit=True) as staff:
        for statement in (
            "UPDATE audit_risk_state SET state = 'dismissed'",
            "INSERT INTO audit_risk_state VALUES (99, 'x', '', 'open', 0)",
            "UPDATE audit_risk_follow SET reason = 'x'",
            "DELETE FROM audit_risk_follow",
            "INSERT INTO audit_risk_kind (kind, severity, declaration, loaded_by) VALUES ('x', 'low', '{}', 'x')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                staff.execute(statement)
    with psycopg.connect(city["gateway"]) as gateway, pytest.raises(psycopg.errors.InsufficientPrivilege):
        gateway.execute("SELECT * FROM audit_risk_state")


def test_two_officers_at_once_leave_one_follow_up(city: dict[str, str]) -> None:
    risk_id = a_risk()

    def close(_: int) -> str:
        try:
            risks.follow(OFFICER, risk_id, State.DISMISSED, "误报", seen=0)
        except Conflict as refused:
            return refused.code
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(4) as officers:
        told = sorted(officers.map(close, range(4)))
    assert told == ["RISK_FOLLOWED"] * 3 + ["done"]


def test_a_page_of_the_open_ones_reads_few_rows_among_many_that_are_closed(city: dict[str, str]) -> None:
    rows(
        "INSERT INTO audit_risk_fact (kind, subject, detail) SELECT (ARRAY['a','b','c'])[n % 3 + 1], 'card:' || n,"
        " jsonb_build_object('place', '320613') FROM generate_series(1, 20000) n"
    )
    rows(
        "INSERT INTO audit_risk_follow (risk_id, number, actor, state, reason)"
        " SELECT id, 1, 'staff:1', 'dismissed', 'x' FROM audit_risk_fact WHERE id % 1000 <> 0"
    )
    rows("ANALYZE audit_risk_state")
    wanted = Filters(("3206",), states=(State.OPEN,))
    assert len(risks.page(wanted)) == 20
    statement = sql.load(risks.HERE, "risk_page")
    plan = rows(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", None, ["open"], ["3206%"], None, 50)[0][0]
    assert _most_rows(plan[0]["Plan"]) <= 100


def _most_rows(plan: dict[str, object]) -> float:
    """The most rows that any step of a plan gave or threw away."""
    here = float(str(plan["Actual Rows"])) + float(str(plan.get("Rows Removed by Filter", 0)))
    below = plan.get("Plans", [])
    assert isinstance(below, list)
    return max([here, *(_most_rows(each) for each in below)])
