"""Looking back over uses for signs of misuse: what each rule finds, once, in batches of any size, whoever is killed."""

import datetime as dt
import itertools
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker
from tests.cluster import Cluster
from tests.kernel.cards.roles import django_as
from tests.small_city import SmallCity, Terminal

from onecard.foundation import clock, sql
from onecard.foundation.actors import system
from onecard.foundation.ids import uuid7
from onecard.kernel.audit import risk_files, risks
from onecard.kernel.uses import risks as looking
from onecard_kit import item_files

WORDS = (
    'name = { zh = "名", en = "name" }\nmeaning = { zh = "义", en = "meaning" }\nadvice = [{ zh = "做", en = "do" }]\n'
)
BY_TERMINAL = 'by = "terminal"\ncount = 5\nwithin_minutes = 15\n'
MISSES = f'[looks_at.uses]\nverdicts = ["NUMBER_UNKNOWN"]\n{BY_TERMINAL}'
CITY = '[looks_at.uses]\nverdicts = ["NUMBER_UNKNOWN"]\nby = "city"\ncount = 6\nwithin_minutes = 60\nterminals = 3\n'
CODES = '[looks_at.uses]\nverdicts = ["REPLAYED"]\nmedia = ["code"]\nby = "card"\ncount = 3\nwithin_minutes = 60\n'
MANUAL = '[looks_at.offline_lines]\nmanual = true\nby = "terminal"\ncount = 3\nwithin_minutes = 1440\n'
AWAY = '[looks_at.offline_lines]\nturned_away = true\nby = "terminal"\ncount = 3\nwithin_minutes = 1440\n'
OLD = '[looks_at.offline_lines]\nlist_older_minutes = 60\nby = "point"\ncount = 2\nwithin_minutes = 60\n'
JOURNALS = "[looks_at.journals]\nwithin_minutes = 60\n"
PLACES = "[looks_at.places]\napart_km = 5\nfaster_than_kmh = 150\nwithin_minutes = 120\n"
# Hai'an and Qidong: 138 km.
NORTH, EAST = (32.53, 120.46), (31.81, 121.66)
# Noon in China, where windows of any length begin, some days ago.
NOON = dt.datetime.combine(clock.today() - dt.timedelta(days=7), dt.time(12), clock.CHINA)


class Past:
    """A city of which uses are written down as they were, and a worker that looks back on them."""

    def __init__(self, urls: dict[str, str], blocker: DjangoDbBlocker) -> None:
        self.urls, self.blocker = urls, blocker
        self.city = SmallCity(urls["owner"])
        self._cards = itertools.count(1)
        self._apart = itertools.count()

    def declare(self, **kinds: str) -> None:
        """Declare kinds by what they look at."""
        texts = {kind: f'kind = "{kind}"\nseverity = "low"\n{WORDS}{rule}' for kind, rule in kinds.items()}
        read = [risk_files.from_plain(item_files.plain_of(text, kind), kind) for kind, text in texts.items()]
        with django_as(self.urls["owner"], self.blocker):
            risks.declare(system("test"), read)

    def a_terminal(self, position: tuple[float, float] | None = None, division: str = "320613") -> Terminal:
        point = self.city.a_point("transit.bus_ride", self.city.operator)
        self.city.run(
            "UPDATE catalogue_point SET latitude_deg = $2, longitude_deg = $3, division = $4 WHERE id = $1",
            point, *(position or (None, None)), division,
        )  # fmt: skip
        return self.city.a_terminal(point=point)

    def a_card(self) -> int:
        return next(self._cards)

    def use(
        self, terminal: Terminal, at: dt.datetime, verdict: str = "ADMITTED", *, card: int | None = None,
        medium: str = "code", recorded: dt.datetime | None = None,
    ) -> UUID:  # fmt: skip
        """A use of a moment; `recorded` later for one that came in a journal."""
        id_ = uuid7(int((recorded or at).timestamp() * 1000) + next(self._apart) % 1000)
        self.city.run(
            "INSERT INTO uses_use (id, at, terminal_id, point_id, item, card_id, medium, verdict, full_fen, paid_fen)"
            " SELECT $1, $2, t.id, t.point_id, 'transit.bus_ride', $4, $5, $6, 0, 0 FROM catalogue_terminal t"
            " WHERE t.id = $3",
            id_, at, terminal.id, card, medium, verdict,
        )  # fmt: skip
        return id_

    def offline(
        self, terminal: Terminal, at: dt.datetime, recorded: dt.datetime, *, manual: bool = False, list_s: int = 60
    ) -> UUID:
        """A line that a gate decided without a line."""
        id_ = self.use(terminal, at, recorded=recorded)
        self.city.run(
            "INSERT INTO uses_offline_line (use_id, terminal_id, journal, sequence, verdict, gate_verdict, manual,"
            " at_gate, correction_s, gate_paid_fen, oldest_list_s, double, shortfall_fen, chain_state)"
            " VALUES ($1, $2, $3, 1, 'ADMITTED', 'ADMITTED', $4, $5, 0, 0, $6, false, 0, 'linked')",
            id_, terminal.id, uuid4(), manual, at, list_s,
        )  # fmt: skip
        return id_

    def turned_away(self, terminal: Terminal, at: dt.datetime, told: dt.datetime, reason: str = "turned_away") -> UUID:
        """A use that was recorded at once and given back when the gate's line was told."""
        id_ = self.use(terminal, at)
        refund = uuid7(int(told.timestamp() * 1000) + next(self._apart) % 1000)
        self.city.run(
            "INSERT INTO uses_refund (id, use_id, at, terminal_id, reason) VALUES ($1, $2, $3, $4, $5)",
            refund, id_, told, terminal.id, reason,
        )  # fmt: skip
        return id_

    def look_back(self, until: dt.datetime | None = None, at_once: int = 10_000) -> int:
        with django_as(self.urls["worker"], self.blocker):
            return looking.look_back(until or clock.now(), at_once)

    def facts(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        found = self.city.run("SELECT subject, detail FROM audit_risk_fact WHERE kind = $1 ORDER BY id", kind)
        return [(subject, detail) for subject, detail in found]

    def subjects(self, kind: str) -> list[str]:
        return [subject for subject, _ in self.facts(kind)]


@pytest.fixture
def past(postgres: Cluster, template: str, keys_folder: object, django_db_blocker: DjangoDbBlocker) -> Iterator[Past]:
    name = f"onecard_risks_{uuid4().hex[:8]}"
    made = Past(postgres.create(name, template), django_db_blocker)
    yield made
    made.city.connection.close()
    postgres.drop(name)


def minutes(number: float) -> dt.timedelta:
    return dt.timedelta(minutes=number)


# --- What each rule finds ---------------------------------------------------------------------------------------------


def test_enough_in_a_window_make_one_fact_and_one_less_none(past: Past) -> None:
    past.declare(misses=MISSES)
    guilty, unlucky = past.a_terminal(), past.a_terminal()
    uses = [past.use(guilty, NOON + minutes(n), "NUMBER_UNKNOWN", medium="number") for n in range(5)]
    for n in range(4):
        past.use(unlucky, NOON + minutes(n), "NUMBER_UNKNOWN", medium="number")
    past.use(unlucky, NOON + minutes(16), "NUMBER_UNKNOWN", medium="number")
    past.use(unlucky, NOON, "NUMBER_EXPIRED", medium="number")
    assert past.look_back() == 1
    [(subject, detail)] = past.facts("misses")
    assert subject == f"terminal:{guilty.id}"
    assert (detail["count"], detail["place"], detail["terminals"]) == (5, "320613", [guilty.id])
    assert detail["uses"] == [str(each) for each in uses]
    assert past.look_back() == 0


def test_a_burst_over_the_border_of_two_windows_is_found(past: Past) -> None:
    past.declare(misses=MISSES)
    terminal = past.a_terminal()
    for n in (-3, -2, -1, 0, 1):  # noon is where a window of a quarter of an hour begins
        past.use(terminal, NOON + minutes(n), "NUMBER_UNKNOWN")
    assert past.look_back() == 1


def test_going_on_makes_another_fact_in_the_next_window_only(past: Past) -> None:
    past.declare(misses=MISSES)
    terminal = past.a_terminal()
    for n in range(30):
        past.use(terminal, NOON + minutes(n), "NUMBER_UNKNOWN")
    assert past.look_back() == 2
    for n in range(5):
        past.use(terminal, NOON + minutes(29.5), "NUMBER_UNKNOWN", recorded=NOON + minutes(31 + n))
    assert past.look_back() == 0


def test_a_city_is_counted_over_terminals_and_one_that_floods_is_not_many(past: Past) -> None:
    past.declare(city=CITY)
    one, two, three = (past.a_terminal(division=f"3206{n}") for n in (13, 12, 85))
    far = past.a_terminal(division="320505")
    for n in range(20):
        past.use(one, NOON + minutes(n), "NUMBER_UNKNOWN")
    past.use(two, NOON, "NUMBER_UNKNOWN")
    past.use(far, NOON, "NUMBER_UNKNOWN")
    assert past.look_back() == 0
    past.use(three, NOON + minutes(21), "NUMBER_UNKNOWN")
    assert past.look_back() == 1
    [(subject, detail)] = past.facts("city")
    assert (subject, detail["place"], sorted(detail["terminals"])) == (
        "city:320600", "320600", sorted([one.id, two.id, three.id]),
    )  # fmt: skip
    assert (detail["count"], len(detail["uses"])) == (22, 20)


def test_only_the_media_that_are_named_are_counted_and_nobodys_card_is_no_subject(past: Past) -> None:
    past.declare(codes=CODES)
    terminal, card, other = past.a_terminal(), past.a_card(), past.a_card()
    for n in range(3):
        past.use(terminal, NOON + minutes(n), "REPLAYED", card=card)
        past.use(terminal, NOON + minutes(n), "REPLAYED", card=other, medium="card")
        past.use(terminal, NOON + minutes(n), "REPLAYED")
    assert past.look_back() == 1
    assert past.subjects("codes") == [f"card:{card}"]


def test_admissions_by_hand_are_counted_by_their_own_time_though_they_come_late(past: Past) -> None:
    past.declare(manual=MANUAL)
    gate, other = past.a_terminal(), past.a_terminal()
    later = NOON + dt.timedelta(days=3)
    past.offline(gate, NOON, later, manual=True)
    past.offline(gate, NOON + minutes(30), later, manual=True)
    past.offline(gate, NOON + minutes(40), later)
    for days in range(3):  # one a day is no sign
        past.offline(other, NOON + dt.timedelta(days=days), later, manual=True)
    assert past.look_back() == 0
    past.offline(gate, NOON + minutes(10), later + minutes(5), manual=True)
    assert past.look_back() == 1
    assert past.subjects("manual") == [f"terminal:{gate.id}"]


def test_who_was_turned_away_without_a_word_is_counted_when_the_gate_tells(past: Past) -> None:
    past.declare(away=AWAY)
    gate, desk, days = past.a_terminal(), past.a_terminal(), dt.timedelta(days=2)
    uses = [past.turned_away(gate, NOON + minutes(n), NOON + days) for n in range(3)]
    for n in range(3):
        past.turned_away(desk, NOON + minutes(n), NOON + days, "asked")
    assert past.look_back(NOON + minutes(60)) == 0
    past.use(desk, NOON + days + minutes(1))
    assert past.look_back() == 1
    [(subject, detail)] = past.facts("away")
    assert (subject, detail["count"], detail["uses"]) == (f"terminal:{gate.id}", 3, [str(each) for each in uses])


def test_lists_that_are_too_old_are_counted(past: Past) -> None:
    past.declare(old=OLD)
    gate, other = past.a_terminal(), past.a_terminal()
    for n in range(2):
        past.offline(gate, NOON + minutes(n), NOON + minutes(90), list_s=3_601)
        past.offline(other, NOON + minutes(n), NOON + minutes(90), list_s=3_600)
    assert past.look_back() == 1
    assert past.subjects("old")[0].startswith("point:")


@pytest.mark.parametrize(
    ("positions", "apart_minutes", "found"),
    [
        ((NORTH, EAST), 50, True),  # 166 km/h
        ((NORTH, EAST), 60, False),  # 138 km/h
        ((NORTH, EAST), 130, False),
        ((NORTH, None), 1, False),  # online
        ((NORTH, (32.54, 120.47)), 0, False),  # round the corner
        ((NORTH, (32.60, 120.46)), 0, True),  # 8 km at the same moment
    ],
)
def test_a_card_in_two_places_faster_than_anybody_travels(
    past: Past, positions: tuple[tuple[float, float], tuple[float, float] | None], apart_minutes: int, found: bool
) -> None:
    past.declare(two=PLACES)
    here, there, card = past.a_terminal(positions[0]), past.a_terminal(positions[1]), past.a_card()
    first = past.use(here, NOON, card=card)
    second = past.use(there, NOON + minutes(apart_minutes), card=card)
    past.use(there, NOON, card=past.a_card())
    past.use(there, NOON, "CARD_LOST", card=card)
    assert past.look_back() == found
    if found:
        [(subject, detail)] = past.facts("two")
        assert subject == f"card:{card}"
        assert detail["uses"] == [str(first), str(second)]
        assert detail["seconds"] == apart_minutes * 60
        assert detail["km"] in (138, 8)


def test_a_card_that_was_elsewhere_by_a_journal_that_comes_days_later(past: Past) -> None:
    past.declare(two=PLACES)
    here, there, card = past.a_terminal(NORTH), past.a_terminal(EAST), past.a_card()
    past.use(here, NOON, card=card)
    assert past.look_back() == 0
    past.use(there, NOON - minutes(5), card=card, recorded=NOON + dt.timedelta(days=4))
    assert past.look_back() == 1


def test_going_to_and_fro_is_one_fact_a_window(past: Past) -> None:
    past.declare(two=PLACES)
    here, there, card = past.a_terminal(NORTH), past.a_terminal(EAST), past.a_card()
    for n in range(10):
        past.use((here, there)[n % 2], NOON + minutes(n), card=card)
    assert past.look_back() == 1


def test_a_journal_that_is_found_broken_is_one_fact(past: Past) -> None:
    past.declare(broken=JOURNALS)
    gate, whole, long_ago = past.a_terminal(), past.a_terminal(), past.a_terminal()
    for terminal, minutes_ago in ((gate, 5), (whole, None), (long_ago, 90)):
        past.city.run(
            "INSERT INTO uses_journal (terminal_id, journal, chain, broken_after, broken_at)"
            " VALUES ($1, $2, 'x', $3, $4)",
            terminal.id, terminal.journal, 7 if minutes_ago else None,
            clock.now() - minutes(minutes_ago) if minutes_ago else None,
        )  # fmt: skip
    assert [past.look_back() for _ in range(2)] == [1, 0]
    [(subject, detail)] = past.facts("broken")
    assert (subject, detail["place"], detail["after"]) == (f"terminal:{gate.id}", "320613", 7)
    assert detail["journal"] == str(gate.journal)


# --- How it looks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_once", [1, 3, 10_000])
def test_batches_of_any_size_come_to_the_same(past: Past, at_once: int) -> None:
    past.declare(misses=MISSES, city=CITY, two=PLACES)
    terminals = [past.a_terminal((NORTH, EAST)[n % 2]) for n in range(4)]
    card = past.a_card()
    for n in range(24):
        past.use(terminals[n % 4], NOON + minutes(n / 4), "NUMBER_UNKNOWN")
        past.use(terminals[n % 2], NOON + minutes(n / 4), card=card)
    past.look_back(at_once=at_once)
    assert sorted(past.subjects("misses")) == sorted(f"terminal:{each.id}" for each in terminals)
    assert past.subjects("city") == ["city:320600"]
    assert past.subjects("two") == [f"card:{card}"]


def test_a_use_is_looked_at_when_it_has_settled_and_then_once(past: Past) -> None:
    past.declare(misses=MISSES)
    terminal = past.a_terminal()
    for n in range(5):
        past.use(terminal, NOON + minutes(n), "NUMBER_UNKNOWN")
    assert past.look_back(until=NOON + minutes(3.9)) == 0
    assert past.city.one("SELECT sum(hits)::int FROM uses_risk_tally") == 4
    assert past.look_back() == 1
    assert past.look_back() == 0
    assert past.city.one("SELECT sum(hits)::int FROM uses_risk_tally") == 5


def test_what_was_tallied_is_dropped_after_sixty_days(past: Past) -> None:
    past.declare(misses=MISSES)
    terminal = past.a_terminal()
    for days in (61, 59):
        past.use(terminal, clock.now() - dt.timedelta(days=days), "NUMBER_UNKNOWN")
    past.look_back()
    assert past.city.one("SELECT count(*) FROM uses_risk_tally") == 1


def test_without_rules_it_passes_over_everything(past: Past) -> None:
    terminal = past.a_terminal()
    for n in range(5):
        past.use(terminal, NOON + minutes(n), "NUMBER_UNKNOWN")
    assert past.look_back() == 0
    past.declare(misses=MISSES)
    assert past.look_back() == 0  # what a kind looks at begins with its declaration


def test_a_failure_in_the_middle_leaves_no_half_of_a_batch(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    past.declare(misses=MISSES, two=PLACES)
    terminal = past.a_terminal()
    for n in range(5):
        past.use(terminal, NOON + minutes(n), "NUMBER_UNKNOWN")
    whole: Callable[..., int] = looking._raise

    def fails(kind: risk_files.RiskKind, *rest: Any) -> int:
        if kind.kind == "two":
            raise RuntimeError("killed")
        return whole(kind, *rest)

    monkeypatch.setattr(looking, "_raise", fails)
    with pytest.raises(RuntimeError):
        past.look_back()
    assert past.city.one("SELECT count(*) FROM uses_risk_tally") == 0
    monkeypatch.undo()
    assert past.look_back() == 1


KILLED = """
import os, sys
import django
django.setup()
from onecard.kernel.uses import risks
from onecard.foundation import clock
moved = risks.rows
def rows(statement, *params):
    found = moved(statement, *params)
    if statement.startswith("UPDATE uses_risk_position"):
        count[0] += 1
        if count[0] == 3:
            os.kill(os.getpid(), 9)
    return found
count = [0]
risks.rows = rows
risks.look_back(clock.now(), 2)
"""


@pytest.mark.processes
def test_a_worker_that_is_killed_has_looked_at_whole_batches_and_the_next_goes_on(
    past: Past, environment_for: Callable[[str], dict[str, str]]
) -> None:
    past.declare(misses=MISSES)
    terminal = past.a_terminal()
    uses = [past.use(terminal, NOON + minutes(n), "NUMBER_UNKNOWN") for n in range(10)]
    environment = {**environment_for(past.urls["worker"]), "DJANGO_SETTINGS_MODULE": "onecard.settings.worker"}
    killed = subprocess.run([sys.executable, "-c", KILLED], env=environment, capture_output=True, timeout=60)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert past.city.one("SELECT through FROM uses_risk_position") == uses[3]
    assert past.city.one("SELECT sum(hits)::int FROM uses_risk_tally") == 4
    assert past.look_back(at_once=2) == 1
    [(_, detail)] = past.facts("misses")
    assert detail["count"] == 5


def test_two_turns_at_once_look_at_each_batch_once(past: Past) -> None:
    past.declare(misses=MISSES)
    terminal = past.a_terminal()
    now = clock.now() - minutes(10)
    for n in range(9):
        past.use(terminal, now + minutes(n / 2), "NUMBER_UNKNOWN")
    with django_as(past.urls["worker"], past.blocker):

        def turn(_: int) -> int:
            try:
                return looking.look_back(clock.now(), 1)
            finally:
                connection.close()

        with ThreadPoolExecutor(3) as workers:
            raised = list(workers.map(turn, range(3)))
    assert sum(raised) == len(past.facts("misses")) >= 1
    assert past.city.one("SELECT sum(hits)::int FROM uses_risk_tally") == 9


def test_a_batch_is_found_and_tallied_by_key(past: Past) -> None:
    """Whatever a day holds: the next batch is read off the index of uses, and a card's earlier uses off theirs."""
    past.declare(two=PLACES)
    here, there = past.a_terminal(NORTH), past.a_terminal(EAST)
    past.city.run(
        "INSERT INTO uses_use (id, at, terminal_id, point_id, item, card_id, medium, verdict, full_fen, paid_fen)"
        " SELECT (left(uuid7_floor(m)::text, 24) || lpad(to_hex(n), 12, '0'))::uuid, m, t.id, t.point_id, 'x',"
        " 1000 + n % 5000, 'code', 'ADMITTED', 0, 0 FROM generate_series(1, 20000) n"
        " CROSS JOIN LATERAL (SELECT $1::timestamptz + n * interval '4 seconds' AS m) d"
        " JOIN catalogue_terminal t ON t.id = (ARRAY[$2::bigint, $3])[n % 2 + 1]",
        NOON, here.id, there.id,
    )  # fmt: skip
    past.city.run("ANALYZE uses_use")
    plan = past.city.run(
        "EXPLAIN (ANALYZE, FORMAT TEXT) " + sql.load(looking.HERE, "raise_places"),
        "two", past.city.one("SELECT id FROM uses_use ORDER BY id OFFSET 18999 LIMIT 1"),
        past.city.one("SELECT id FROM uses_use ORDER BY id DESC LIMIT 1"), 5, 150, 120,
    )  # fmt: skip
    told = [line for (line,) in plan if "Seq Scan on uses_use" in line and "never executed" not in line]
    assert told == []
