"""The read-aloud number: its check digit, and what is read of what people type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecard_kit import numbers

drawn = st.integers(0, numbers.RANDOM - 1)


def test_the_check_digit_is_that_of_the_standard() -> None:
    # The example of ISO/IEC 7064 for MOD 11,10: 0794 has the check digit 5. Zeros in front are not neutral in it.
    assert numbers._check_digit("0794") == 5
    assert numbers.number_of(0) == "000000000002"
    assert numbers.number_of(12345678901) == "123456789014"


@given(drawn, st.integers(0, 11), st.integers(1, 9))
def test_a_single_wrong_digit_always_shows(number: int, at: int, by: int) -> None:
    right = numbers.number_of(number)
    wrong = right[:at] + str((int(right[at]) + by) % 10) + right[at + 1 :]
    assert numbers.read(right) == right
    assert numbers.read(wrong) is None


def test_nearly_all_swaps_of_neighbours_show() -> None:
    swapped = missed = 0
    for number in range(0, numbers.RANDOM, numbers.RANDOM // 997):
        right = numbers.number_of(number)
        for at in range(11):
            if right[at] != right[at + 1]:
                swapped += 1
                missed += numbers.read(right[:at] + right[at + 1] + right[at] + right[at + 2 :]) is not None
    assert missed < swapped / 40


@pytest.mark.parametrize(
    "typed", ["1234 5678 9014", "123456789014", "1234-5678-9014", "１２３４５６７８９０１４", " 1234　5678 9014 "]
)
def test_groups_and_other_keyboards_are_read(typed: str) -> None:
    assert numbers.read(typed) == "123456789014"


@pytest.mark.parametrize(
    "typed",
    ["", "12345678901", "1234567890143", "12345678901x", "١٢٣٤٥٦٧٨٩٠١٣", "1" * 100_000, "一二三四", "\x00" * 12],
)
def test_what_is_no_number_is_none(typed: str) -> None:
    assert numbers.read(typed) is None


@given(st.text(max_size=60))
def test_whatever_is_typed_nothing_raises(typed: str) -> None:
    found = numbers.read(typed)
    assert found is None or len(found) == numbers.DIGITS


@given(drawn)
def test_it_is_shown_in_groups_of_four(number: int) -> None:
    shown = numbers.grouped(numbers.number_of(number))
    assert [len(group) for group in shown.split(" ")] == [4, 4, 4]
    assert numbers.read(shown) == numbers.number_of(number)
