"""When a bank that does not answer is left alone, and when it is asked again: by a clock of the test's own."""

import pytest

from onecard.gateway.silence import REST_S, SILENT_MAX, Silence


class Clock:
    """Seconds, as the test lets them pass."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def silence(clock: Clock) -> Silence:
    return Silence(clock)


def asks(silence: Silence, answered: bool) -> bool:
    """One line that would ask the bank; whether it did."""
    with silence.asking() as may_ask:
        if may_ask:
            silence.answered() if answered else silence.was_silent()
        return may_ask


def rests(silence: Silence) -> bool:
    return silence.resting


def goes_to_rest(silence: Silence) -> None:
    assert [asks(silence, answered=False) for _ in range(SILENT_MAX)] == [True] * SILENT_MAX
    assert rests(silence)


def test_silences_in_a_row_begin_a_rest(silence: Silence) -> None:
    for _ in range(2):
        for _ in range(SILENT_MAX - 1):
            assert asks(silence, answered=False)
        assert asks(silence, answered=True)
    assert not rests(silence)
    goes_to_rest(silence)
    assert not asks(silence, answered=True)
    assert silence.plain() == {"resting": True, "silences": 3 * SILENT_MAX - 2, "rests": 1}


def test_after_the_rest_one_line_asks_and_an_answer_ends_it(silence: Silence, clock: Clock) -> None:
    goes_to_rest(silence)
    clock.seconds += REST_S
    with silence.asking() as first:
        assert first
        assert rests(silence), "the others go on as if it were silent"
        assert not asks(silence, answered=True)
        silence.answered()
    assert asks(silence, answered=False)
    assert not rests(silence)


def test_another_silence_begins_another_rest(silence: Silence, clock: Clock) -> None:
    goes_to_rest(silence)
    clock.seconds += REST_S
    assert asks(silence, answered=False)
    assert rests(silence)
    clock.seconds += REST_S - 1
    assert not asks(silence, answered=True)
    clock.seconds += 1
    assert asks(silence, answered=True)
    assert silence.plain() == {"resting": False, "silences": SILENT_MAX + 1, "rests": 2}


def test_a_line_that_never_came_to_the_bank_leaves_the_try_to_another(silence: Silence, clock: Clock) -> None:
    goes_to_rest(silence)
    clock.seconds += REST_S
    with silence.asking() as may_ask:
        assert may_ask
    assert asks(silence, answered=True)


def test_those_who_asked_before_the_rest_do_not_lengthen_it(silence: Silence, clock: Clock) -> None:
    with silence.asking() as late:
        goes_to_rest(silence)
        clock.seconds += REST_S - 1
        assert late
        silence.was_silent()
    clock.seconds += 1
    assert not rests(silence)
    assert silence.rests == 1


def test_an_answer_that_comes_late_ends_the_rest(silence: Silence) -> None:
    with silence.asking():
        goes_to_rest(silence)
        silence.answered()
    assert not rests(silence)
