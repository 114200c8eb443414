"""Fares by distance and by the hour."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.kit.builders import FARES

from onecard_kit.fares import Distance, Hourly, Line


@pytest.mark.parametrize(
    ("start", "end", "fen"),
    [
        ("west", "west", 200),
        ("west", "middle", 200),
        ("middle", "west", 200),
        ("middle", "east", 300),
        ("west", "east", 400),
        ("north", "south", 200),
        ("west", "north", None),
        ("west", "elsewhere", None),
        ("elsewhere", "west", None),
        ("elsewhere", "elsewhere", None),
    ],
)
def test_the_fare_is_the_step_that_the_way_falls_in(start: str, end: str, fen: int | None) -> None:
    assert FARES.fen(start, end) == fen


@pytest.mark.parametrize(
    ("metres", "fen"), [(0, 200), (4000, 200), (4001, 300), (8000, 300), (16000, 400), (99000, 400)]
)
def test_a_step_reaches_to_its_metres_and_farther_costs_as_the_last(metres: int, fen: int) -> None:
    line = Line(code="1", stations=(("a", 0), ("b", metres or 1)))
    fares = Distance(steps=FARES.steps, line=(line,))
    assert fares.fen("a", "b" if metres else "a") == fen
    assert fares.most_fen == 400


def test_a_station_on_two_lines_joins_them_and_the_shortest_way_counts() -> None:
    ring = Line(code="ring", stations=(("a", 0), ("b", 9000), ("c", 18000)))
    chord = Line(code="chord", stations=(("c", 500), ("x", 1000), ("a", 2500)))
    fares = Distance(steps=((2000, 200), (10000, 500), (20000, 900)), line=(ring, chord))
    assert fares.fen("a", "c") == 200
    assert fares.fen("x", "b") == 500  # by c: 9,500 m; by a it is 10,500 m
    assert fares.fen("b", "c") == 500
    assert fares.stations == {"a", "b", "c", "x"}


NAMES = "abcdef"
lines = st.lists(
    st.builds(
        lambda order, gaps: tuple(zip(order, itertools.accumulate(gaps), strict=False)),
        st.permutations(NAMES).flatmap(lambda names: st.integers(2, 6).map(lambda n: names[:n])),
        st.lists(st.integers(1, 5000), min_size=6, max_size=6),
    ).map(lambda stations: Line(code="l", stations=stations)),
    min_size=1,
    max_size=3,
).map(tuple)  # fmt: skip


@given(lines)
def test_fares_are_those_of_the_shortest_way_and_the_same_back(drawn: tuple[Line, ...]) -> None:
    """Against Floyd and Warshall's way of finding it. The steps tell metres apart."""
    fares = Distance(steps=tuple((metres, metres) for metres in range(26_000)), line=drawn)
    far = {(a, b): 0 if a == b else 10**9 for a in NAMES for b in NAMES}
    for line in drawn:
        for (a, at_a), (b, at_b) in itertools.pairwise(line.stations):
            far[a, b] = far[b, a] = min(far[a, b], at_b - at_a)
    for via, a, b in itertools.product(NAMES, repeat=3):
        far[a, b] = min(far[a, b], far[a, via] + far[via, b])
    for a, b in itertools.product(fares.stations, repeat=2):
        assert fares.fen(a, b) == fares.fen(b, a) == (far[a, b] if far[a, b] < 10**9 else None)


@given(
    st.builds(lambda fen, more, free: Hourly(fen=fen, max_fen=fen + more, free_minutes=free),
              st.integers(1, 5000), st.integers(0, 20_000), st.integers(0, 1440)),
    st.integers(0, 10_000), st.integers(0, 10_000),
)  # fmt: skip
def test_a_longer_visit_never_costs_less_nor_more_than_the_most(hourly: Hourly, one: int, other: int) -> None:
    short, long = sorted((one, other))
    assert 0 <= hourly.of(short) <= hourly.of(long) <= hourly.max_fen
    assert hourly.of(hourly.free_minutes) == 0
    assert hourly.of(hourly.free_minutes + 1) == hourly.fen
