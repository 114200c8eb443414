"""Looking back over facts for who learned something of very many holders: what it finds, once, whoever is killed."""

import datetime as dt
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError
from pytest_django.plugin import DjangoDbBlocker
from tests.kernel.audit.test_audit_pages import rows_of, steps_of
from tests.kernel.audit.test_risk_files import AT_ONCE
from tests.kernel.cards.roles import django_as

from onecard.foundation import clock, sql
from onecard.foundation.actors import Actor, system
from onecard.foundation.errors import NotPermitted
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import jobs, looking, risk_files, risks, trail
from onecard.kernel.audit.looking import Look, fullest
from onecard.kernel.audit.risks import State
from onecard_kit import item_files

NOON = dt.datetime.combine(clock.today() - dt.timedelta(days=7), dt.time(12), clock.CHINA)
HOUR = dt.timedelta(hours=1)
OFFICERS = '[looks_at.looks]\nby = "officer"\nholders = 5\nwithin_minutes = 60\n'
CLIENTS = '[looks_at.looks]\nby = "client"\nholders = 3\nwithin_minutes = 60\n'


def declare(**rules: str) -> None:
    texts = {kind: AT_ONCE.replace("chip_replayed", kind) + rule for kind, rule in rules.items()}
    risks.declare(
        system("test"), [risk_files.from_plain(item_files.plain_of(text, kind), kind) for kind, text in texts.items()]
    )


def looks(
    actor: str, *holders: int, start: dt.datetime = NOON, apart: dt.timedelta = dt.timedelta(minutes=1),
    verb: str = "holders.read", place: str = "320602",
) -> None:  # fmt: skip
    """An actor looks at holders, one after another."""
    for n, holder in enumerate(holders):
        rows(
            "INSERT INTO audit_fact (at, actor, verb, subject, place) VALUES ($1, $2, $3, $4, $5)",
            start + n * apart, actor, verb, f"holder:{holder}", place,
        )  # fmt: skip


def found(kind: str = "bulk") -> list[tuple[str, dict[str, Any]]]:
    return rows("SELECT subject, detail FROM audit_risk_fact WHERE kind = $1 ORDER BY id", kind)


def subjects(kind: str = "bulk") -> list[str]:
    return [subject for subject, _ in found(kind)]


# --- What the rule finds ----------------------------------------------------------------------------------------------


def test_at_the_threshold_there_is_one_fact_and_below_it_none(city: dict[str, str]) -> None:
    declare(bulk=OFFICERS)
    looks("staff:1", 1, 2, 3, 4)
    looks("staff:2", 1, 2, 3, 4, 5)
    looks("staff:3", 1, 2, 3, 4, 4, 1, 2, 3, 2, 1)  # the same four again and again
    assert looking.look_back() == 1
    [(subject, detail)] = rows("SELECT subject, detail::text FROM audit_risk_fact")
    assert subject == "staff:2"
    told = risks.page(risks.Filters(("3206",)))[0]
    assert (told.place, told.detail["count"]) == ("320602", 5)
    assert dt.datetime.fromisoformat(told.detail["from"]) == NOON
    assert dt.datetime.fromisoformat(told.detail["until"]) == NOON + dt.timedelta(minutes=4)
    assert "holder:" not in detail


def test_one_actor_has_one_fact_in_each_window(city: dict[str, str]) -> None:
    declare(bulk=OFFICERS)
    looks("staff:1", *range(5))
    assert [looking.look_back() for _ in range(2)] == [1, 0]
    looks("staff:1", *range(5, 15), start=NOON + dt.timedelta(minutes=20))
    assert looking.look_back() == 0
    looks("staff:1", *range(5), start=NOON + HOUR + dt.timedelta(minutes=30))
    assert jobs.look_for_bulk(0) == 1
    assert subjects() == ["staff:1", "staff:1"]


def test_a_span_over_two_windows_counts_and_one_that_is_longer_does_not(city: dict[str, str]) -> None:
    declare(bulk=OFFICERS)
    looks("staff:1", *range(5), start=NOON - dt.timedelta(minutes=2))
    looks("staff:2", *range(5), apart=dt.timedelta(minutes=15))
    assert looking.look_back() == 1
    assert subjects() == ["staff:1"]


def test_officers_clients_and_residents_are_told_apart(city: dict[str, str]) -> None:
    declare(bulk=OFFICERS, clients=CLIENTS)
    looks("client:library", 1, 2, 3, verb="sharing.disclose", place="")
    looks("holder:7", *range(9))
    looks("staff:1", *range(9), verb="cards.issue")
    looks("staff:2", 1, 2, verb="holders.reveal")
    looks("staff:2", 3, 4, verb="uses.explain", place="320612")
    looks("staff:2", 5, verb="ledger.read", place="")
    assert looking.look_back() == 2
    assert subjects("clients") == ["client:library"]
    assert subjects("bulk") == ["staff:2"]
    # A client's facts have no place: its risk is the node's. Two counties are their city.
    assert [each.place for each in risks.page(risks.Filters(("",)))] == ["320600", "320600"]


def test_what_is_committed_late_is_counted(city: dict[str, str]) -> None:
    declare(bulk=OFFICERS)
    with psycopg.connect(city["owner"]) as slow:
        slow.execute(
            "INSERT INTO audit_fact (at, actor, verb, subject) VALUES (%s, 'staff:1', 'holders.read', 'holder:1')",
            [NOON],
        )
        looks("staff:1", 2, 3, 4, 5, start=NOON + dt.timedelta(minutes=1))
        assert looking.look_back() == 0
    assert looking.look_back() == 1


def test_a_changed_rule_counts_from_then_on(city: dict[str, str]) -> None:
    declare(bulk=OFFICERS)
    looks("staff:1", 1, 2, 3)
    assert looking.look_back() == 0
    declare(bulk=OFFICERS.replace("5", "3"))
    assert looking.look_back() == 0
    looks("staff:1", 3, start=NOON + dt.timedelta(minutes=5))
    assert looking.look_back() == 1


def test_spans_are_the_fullest_of_each_window() -> None:
    def look(minute: int, holder: str, place: str) -> Look:
        return Look(NOON + dt.timedelta(minutes=minute), minute, holder, place)

    spans = fullest(
        [look(0, "a", "320602"), look(1, "a", "320602"), look(2, "b", "320602"), look(61, "c", ""), look(62, "b", "")],
        HOUR,
    )
    assert {start: (span.holders, span.last_id, span.place) for start, span in spans.items()} == {
        NOON: (2, 2, "320602"),
        NOON + HOUR: (2, 61, "320602"),
    }
    far = fullest([look(0, "a", "320602"), look(1, "b", "110101")], HOUR)
    assert far[NOON].place == ""


# --- Batches and workers ----------------------------------------------------------------------------------------------


def test_batches_of_any_size_find_the_same(city: dict[str, str], django_db_blocker: DjangoDbBlocker) -> None:
    declare(bulk=OFFICERS)
    for holder in range(8):
        looks("staff:1", holder, start=NOON + dt.timedelta(minutes=holder))
    with django_as(city["worker"], django_db_blocker):
        assert sum(looking.look_back(at_once=1, batches_max=3) for _ in range(4)) == 1
    assert subjects() == ["staff:1"]


KILLED = """
import os
import django
django.setup()
from onecard.kernel.audit import looking
moved = looking.rows
def rows(statement, *params):
    found = moved(statement, *params)
    if statement.startswith("UPDATE audit_look_position"):
        count[0] += 1
        if count[0] == 2:
            os.kill(os.getpid(), 9)
    return found
count = [0]
looking.rows = rows
looking.look_back(1)
"""


@pytest.mark.processes
def test_a_worker_that_is_killed_has_looked_at_whole_batches_and_the_next_goes_on(
    city: dict[str, str], environment_for: Callable[[str], dict[str, str]]
) -> None:
    declare(bulk=OFFICERS)  # a fact, and a batch, of its own
    looks("staff:1", *range(6))
    environment = {**environment_for(city["worker"]), "DJANGO_SETTINGS_MODULE": "onecard.settings.worker"}
    killed = subprocess.run([sys.executable, "-c", KILLED], env=environment, capture_output=True, timeout=60)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    # It was killed with the first look in hand, and the risk fact that came of it and the next ones: neither stands.
    assert subjects() == []
    [(after,)] = rows(
        "SELECT count(*) FROM audit_fact WHERE actor = 'staff:1' AND xid > (SELECT through FROM audit_look_position)"
    )
    assert after == 6
    assert looking.look_back(1) == 1
    assert subjects() == ["staff:1"]


def test_a_turn_reads_the_looks_of_a_window_and_not_those_of_years(city: dict[str, str]) -> None:
    rows(
        "INSERT INTO audit_fact (at, actor, verb, subject, place) SELECT $1::timestamptz - n * interval '1 minute',"
        " 'staff:' || n % 2, 'holders.read', 'holder:' || n, '320602' FROM generate_series(20000, 1, -1) n",
        NOON,
    )
    rows("VACUUM ANALYZE audit_fact")
    asked = ("staff:1", list(trail.LOOKS), NOON - HOUR, NOON, 0)
    found = rows(sql.load(looking.HERE, "looks_of"), *asked)
    assert len(found) == 30
    [[[plan]]] = rows(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql.load(looking.HERE, 'looks_of')}", *asked)
    assert max(rows_of(step) for step in steps_of(plan["Plan"])) <= 61


# --- Following up -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_nobody_follows_up_what_is_about_themselves() -> None:
    declare(bulk=OFFICERS)
    rows(sql.load(looking.HERE, "raise_look"), "bulk", "staff:7", NOON, '{"place": "320602"}')
    [(risk_id,)] = rows("SELECT id FROM audit_risk_fact")
    own, other = (Actor(f"staff:{n}", frozenset({"audit.read_risks", "audit.follow_risk"}), ("3206",)) for n in (7, 8))
    assert risks.open_one(own, risk_id)[0].subject == "staff:7"
    for state in (State.LOOKED_AT, State.DISMISSED, State.ACTED):
        with pytest.raises(NotPermitted, match="RISK_OWN"):
            risks.follow(own, risk_id, state, "没有问题", seen=0)
    risks.follow(other, risk_id, State.DISMISSED, "开学集中办卡", seen=0)
    assert risks.page(risks.Filters(("",)))[0].state is State.DISMISSED
    with pytest.raises(IntegrityError, match="RISK_OWN"):
        rows(risks.FOLLOW, risk_id, 2, "staff:7", "looked_at", "")
