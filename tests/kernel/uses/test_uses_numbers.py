"""Read-aloud numbers in groups: the limits on who tries them hold inside a group, between processes and over time."""

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import Iterator

import asyncpg
import pytest
from tests.kernel.uses.town import ask
from tests.small_city import SmallCity, Terminal, record

from onecard.foundation import clock
from onecard.kernel.uses.actions import Memory, record_group
from onecard.kernel.uses.explain import Explanation, of_use
from onecard.kernel.uses.lines import Answer, Line, Outcome
from onecard.kernel.uses.load.facts import Misses

DESK = """
code = "culture.reader_desk"
version = 1
starts_on = 2020-01-01
name = { zh = "读者服务台", en = "Reader desk" }
legal_basis = ["test"]
media = ["code", "card", "number"]
"""
ITEM = "culture.reader_desk"
A_MINUTE = dt.timedelta(minutes=1)


class Desks:
    """A city with desks where numbers are taken, each test at an hour of its own."""

    def __init__(self, city: SmallCity, gate: str) -> None:
        self.city, self.gate = city, gate
        city.an_item(DESK)
        self.point = city.a_point(ITEM, city.library)
        self.hour = clock.now() - dt.timedelta(days=1)

    def a_desk(self) -> Terminal:
        return self.city.a_terminal(point=self.point, attended=True)

    def tries(self, desk: Terminal, count: int, at: dt.datetime | None = None) -> list[Line]:
        """Numbers that are nobody's."""
        return [self.city.read_aloud(desk, None, ITEM, at or self.hour) for _ in range(count)]

    def come_to(self, *groups: list[Line]) -> list[str]:
        return [each for answers in record(self.gate, *groups) for each in verdicts(answers)]


def verdicts(answers: list[Outcome]) -> list[str]:
    return [each.verdict.value for each in answers if isinstance(each, Answer)]


@pytest.fixture(scope="module")
def town(fresh_database: dict[str, str]) -> Iterator[Desks]:
    made = Desks(SmallCity(fresh_database["owner"]), fresh_database["gateway"])
    yield made
    made.city.connection.close()


@pytest.fixture
def desks(town: Desks) -> Desks:
    town.hour += dt.timedelta(hours=1)
    return town


def test_the_limit_of_a_terminal_holds_inside_a_group_and_over_groups(desks: Desks) -> None:
    one, other = desks.a_desk(), desks.a_desk()
    assert desks.come_to(desks.tries(one, 7)) == ["NUMBER_UNKNOWN"] * 5 + ["NUMBER_LIMITED"] * 2
    card = desks.city.a_card()
    line = desks.city.read_aloud(one, card, ITEM, desks.hour)
    assert desks.come_to([line], [desks.city.read_aloud(other, card, ITEM, desks.hour)]) == [
        "NUMBER_LIMITED",
        "ADMITTED",
    ]
    assert Misses.TERMINAL_MAX == 5


def test_after_a_quarter_of_an_hour_numbers_are_taken_again(desks: Desks) -> None:
    desk, card = desks.a_desk(), desks.city.a_card()
    assert desks.come_to(desks.tries(desk, 5)) == ["NUMBER_UNKNOWN"] * 5
    before, after = desks.hour + 14 * A_MINUTE, desks.hour + 16 * A_MINUTE
    assert desks.come_to([desks.city.read_aloud(desk, card, ITEM, before)]) == ["NUMBER_LIMITED"]
    assert desks.come_to([desks.city.read_aloud(desk, card, ITEM, after)]) == ["ADMITTED"]


def test_a_limited_try_does_not_prolong_the_limit(desks: Desks) -> None:
    desk = desks.a_desk()
    desks.come_to(desks.tries(desk, 5))
    desks.come_to(desks.tries(desk, 5, desks.hour + 10 * A_MINUTE))
    assert desks.come_to(desks.tries(desk, 1, desks.hour + 16 * A_MINUTE)) == ["NUMBER_UNKNOWN"]


def test_two_processes_never_let_more_through_than_the_limit(desks: Desks) -> None:
    async def at_once(*groups: list[Line]) -> list[str]:
        connections = [await asyncpg.connect(desks.gate) for _ in groups]
        try:
            answers = await asyncio.gather(
                *(record_group(each, group, Memory()) for each, group in zip(connections, groups, strict=True))
            )
        finally:
            for each in connections:
                await each.close()
        return [verdict for answer in answers for verdict in verdicts(answer)]

    for _ in range(5):
        desk = desks.a_desk()
        told = Counter(asyncio.run(at_once(*(desks.tries(desk, 4) for _ in range(4)))))
        assert told == {"NUMBER_UNKNOWN": 5, "NUMBER_LIMITED": 11}


def test_many_terminals_together_meet_the_limit_of_the_city(desks: Desks) -> None:
    tries = [line for _ in range(61) for line in desks.tries(desks.a_desk(), 5)]
    told = desks.come_to(*(tries[start : start + 100] for start in range(0, len(tries), 100)))
    assert told == ["NUMBER_UNKNOWN"] * Misses.CITY_MAX + ["NUMBER_LIMITED"] * (305 - Misses.CITY_MAX)
    line = desks.city.read_aloud(desks.a_desk(), desks.city.a_card(), ITEM, desks.hour)
    assert desks.come_to([line]) == ["NUMBER_LIMITED"]


def test_a_number_is_used_up_by_its_first_use(desks: Desks) -> None:
    desk, card = desks.a_desk(), desks.city.a_card()
    first = desks.city.read_aloud(desk, card, ITEM, desks.hour)
    second = desks.city.read_aloud(desk, card, ITEM, desks.hour)
    second.presented = first.presented
    assert desks.come_to([first, second]) == ["ADMITTED", "REPLAYED"]


def test_a_ride_beside_a_number_is_decided_as_ever(desks: Desks) -> None:
    bus, desk, card = desks.city.a_terminal(), desks.a_desk(), desks.city.a_card()
    ride = desks.city.a_line(bus, card, at=desks.hour)
    assert desks.come_to([*desks.tries(desk, 6), ride])[-1] == "ADMITTED"


def test_why_a_number_was_refused_is_explained(desks: Desks) -> None:
    desk = desks.a_desk()
    bare = desks.city.a_terminal(point=desks.point)
    lines = [*desks.tries(desk, 6), desks.city.read_aloud(bare, desks.city.a_card(), ITEM, desks.hour)]
    told = desks.come_to(lines)
    for line, verdict in zip(lines, told, strict=True):
        found: Explanation = ask(desks.gate, lambda connection, use=line.id: of_use(connection, use, Memory()))  # type: ignore[misc]
        assert (found.verdict.value, found.agrees) == (verdict, True)
    assert told[-2:] == ["NUMBER_LIMITED", "NOT_ATTENDED"]


def test_misses_are_found_by_an_index_of_their_own(desks: Desks) -> None:
    desks.come_to(desks.tries(desks.a_desk(), 5))
    plan = desks.city.run(
        "EXPLAIN SELECT terminal_id, count(*) FROM uses_use WHERE verdict = 'NUMBER_UNKNOWN' AND id >= $1 GROUP BY 1",
        "018f0000-0000-7000-8000-000000000000",
    )
    assert any("uses_use_default_id_terminal_id_idx" in line for (line,) in plan), plan
