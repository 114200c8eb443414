"""A page of the trail reads about a page of facts, among any number of them, whatever an officer may see and asks."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from onecard.foundation import clock, sql
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import trail
from onecard.kernel.audit.models import Fact
from onecard.kernel.audit.trail import Wanted

FACTS = 30_000
DAY = dt.date(2026, 3, 1)
# Of 30 facts nine are a client's disclosures without a place, nine the system's in two counties, twelve officers' in
# these; one of all is of a city far away. They are ten seconds apart.
MAKE = """
INSERT INTO audit_fact (at, actor, verb, subject, place)
SELECT $2::timestamptz + n * interval '10 s',
    CASE WHEN n % 30 < 9 THEN 'client:library' WHEN n % 30 < 18 THEN 'system:worker' ELSE 'staff:' || n % 3 END,
    CASE WHEN n % 30 < 9 THEN 'sharing.disclose' WHEN n % 30 < 18 THEN 'cards.issue'
         ELSE (ARRAY['holders.read', 'holders.reveal'])[n % 2 + 1] END,
    'holder:' || n % 1000,
    CASE WHEN n % 30 < 9 THEN '' WHEN n = 29 THEN '110101' ELSE (ARRAY['320602', '320612'])[n % 2 + 1] END
FROM generate_series(1, $1) n
"""
# Of each place and verb that there is no more than a page and one more is read: here at most seven of them.
ROWS_MAX = 7 * (trail.PAGE + 1)


class Asked(NamedTuple):
    """What an officer of some places looks for, before which id, and how many facts there are of it on one page."""

    places: tuple[str, ...]
    wanted: Wanted
    expected: int
    before: int | None = None


ASKED = {
    "nothing there": Asked(("3102",), Wanted(), 0),
    "one fact of 30,000": Asked(("11",), Wanted(), 1),
    "a city": Asked(("3206",), Wanted(), 51),
    "a county": Asked(("320602",), Wanted(), 51),
    "everywhere": Asked(("",), Wanted(), 51),
    "everywhere, far back": Asked(("",), Wanted(), 51, 200),
    "a city, far back": Asked(("3206",), Wanted(), 51, 200),
    "counties of two cities": Asked(("110101", "320612"), Wanted(), 51),
    "an actor who was elsewhere": Asked(("3206",), Wanted(actor="client:library"), 0),
    "an actor": Asked(("3206",), Wanted(actor="staff:1"), 51),
    "an actor and a verb": Asked(("",), Wanted(actor="staff:1", verb="holders.reveal"), 51),
    "an actor and a verb that was never theirs": Asked(("",), Wanted(actor="system:worker", verb="holders.read"), 0),
    "who looked": Asked(("3206",), Wanted(looks=True), 51),
    "who looked, far back": Asked(("",), Wanted(looks=True), 51, 200),
    "whom an actor looked at": Asked(("320602",), Wanted(looks=True, actor="staff:1"), 51),
    "a verb that was elsewhere": Asked(("3206",), Wanted(verb="sharing.disclose"), 0),
    "a verb": Asked(("3206",), Wanted(verb="cards.issue"), 51),
    "a subject": Asked(("3206",), Wanted(subject="holder:5"), 20),
}
DAYS = {
    "a day": Asked(("3206",), Wanted(from_day=DAY, to_day=DAY), 51),
    "a day nowhere": Asked(("3102",), Wanted(from_day=DAY, to_day=DAY), 0),
    "a day of an actor": Asked(("3206",), Wanted(actor="staff:1", from_day=DAY, to_day=DAY), 51),
    "a day everywhere": Asked(("",), Wanted(from_day=DAY, to_day=DAY), 51),
    "a day before the first": Asked(("",), Wanted(to_day=DAY - dt.timedelta(days=9)), 0),
}


@pytest.fixture
def many(city: dict[str, str]) -> None:
    start = dt.datetime.combine(DAY - dt.timedelta(days=1), dt.time(), clock.CHINA)
    rows(MAKE, FACTS, start)
    rows("VACUUM ANALYZE audit_fact")


def test_a_page_reads_about_a_page_of_facts(many: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, asked in {**ASKED, **DAYS}.items():
        found, plans = _planned(monkeypatch, asked)
        assert len(found) == asked.expected, name
        # Ids are nearly in the order of times: on an edge of a day some more are thrown away.
        most = ROWS_MAX + (trail.SLACK if name in DAYS else 0)
        steps = [step for plan in plans for step in steps_of(plan)]
        assert [step["Node Type"] for step in steps if "Seq Scan" in str(step["Node Type"])] == [], name
        assert max((rows_of(step) for step in steps), default=0) <= most, name


def test_a_part_of_a_list_reads_about_a_part(many: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(("3206",), Wanted(looks=True), 500, FACTS // 2)
    found, plans = _planned(monkeypatch, asked, limit=500)
    assert len(found) == 500
    assert max(rows_of(step) for plan in plans for step in steps_of(plan)) <= 4 * 500


def test_pages_follow_one_another_without_a_gap(many: None) -> None:
    """Places and verbs give their own newest; together they are what one walk would give."""
    wanted = Wanted(looks=True, actor="staff:2")
    walked = rows(
        "SELECT id FROM audit_fact WHERE actor = 'staff:2' AND verb = ANY ($1) AND place LIKE '3206%' ORDER BY id DESC",
        list(trail.LOOKS),
    )
    found: list[int] = []
    while page := trail.page(("3206",), wanted, before=found[-1] if found else None, limit=700):
        found += [fact.pk for fact in page]
    assert found == [id_ for (id_,) in walked]


def _planned(
    monkeypatch: pytest.MonkeyPatch, asked: Asked, limit: int = trail.PAGE + 1
) -> tuple[list[Fact], list[dict[str, Any]]]:
    """A page, and how each statement that read it went."""
    read: list[tuple[Any, ...]] = []
    whole = trail._read

    def noting(*values: Any) -> list[Fact]:
        read.append(values)
        return whole(*values)

    monkeypatch.setattr(trail, "_read", noting)
    with CaptureQueriesContext(connection) as captured:
        found = trail.page(asked.places, asked.wanted, before=asked.before, limit=limit)
    monkeypatch.undo()
    told = [rows(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql.load(trail.HERE, name)}", *values) for name, *values in read]
    others = [each["sql"] for each in captured.captured_queries if "$1" not in each["sql"]]
    told += [rows(f"EXPLAIN (ANALYZE, FORMAT JSON) {each}") for each in others]
    assert told
    return found, [plan[0][0][0]["Plan"] for plan in told]


def steps_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from steps_of(below)


def rows_of(step: dict[str, Any]) -> float:
    """The rows that a step gave or threw away, over all its turns."""
    return float((step["Actual Rows"] + step.get("Rows Removed by Filter", 0)) * step["Actual Loops"])
