"""The daily permutation: a bijection on every width, and no relation between days, keys or neighbours."""

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecard_kit.refs import BITS, Permutation, day_of, permutation, permute

KEY = bytes(range(32))
DAY = dt.date(2026, 2, 28)
TODAY = Permutation(KEY, DAY)
TOMORROW = Permutation(KEY, DAY + dt.timedelta(days=1))
OTHER_KEY = Permutation(bytes(32), DAY)
SERIALS = range(0, 2**BITS, 811)


def correlation(xs: list[int], ys: list[int]) -> float:
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    both = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    square = sum((x - mean_x) ** 2 for x in xs) * sum((y - mean_y) ** 2 for y in ys)
    return both / float(square**0.5)


@given(st.integers(0, 2**BITS - 1))
def test_a_ref_leads_back_to_its_serial(serial: int) -> None:
    assert 0 <= TODAY.ref(serial) < 2**BITS
    assert TODAY.serial(TODAY.ref(serial)) == serial
    assert TODAY.ref(TODAY.serial(serial)) == serial


@pytest.mark.parametrize("bits", [2, 4, 6, 8, 10, 12, 14, 16])
def test_a_bijection_on_every_narrow_width(bits: int) -> None:
    narrow = Permutation(KEY, DAY, bits)
    refs = [narrow.ref(serial) for serial in range(2**bits)]
    assert sorted(refs) == list(range(2**bits))
    assert all(narrow.serial(ref) == serial for serial, ref in enumerate(refs))


@pytest.mark.parametrize("other", [TOMORROW, OTHER_KEY], ids=["the next day", "another key"])
def test_another_day_or_key_is_another_permutation(other: Permutation) -> None:
    ours, theirs = [TODAY.ref(n) for n in SERIALS], [other.ref(n) for n in SERIALS]
    assert sum(a == b for a, b in zip(ours, theirs, strict=True)) <= 1
    assert abs(correlation(ours, theirs)) < 0.03
    # A fixed difference between days would link them as well as a fixed value.
    assert len({a ^ b for a, b in zip(ours, theirs, strict=True)}) > len(ours) * 0.99


def test_a_ref_says_nothing_of_its_serial() -> None:
    refs = [TODAY.ref(n) for n in SERIALS]
    assert abs(correlation(list(SERIALS), refs)) < 0.03
    near = [abs(a - b) for a, b in pairwise(TODAY.ref(n) for n in range(4000))]
    assert abs(sum(near) / len(near) / 2**BITS - 1 / 3) < 0.02


def test_one_bit_of_a_serial_moves_half_the_bits_of_its_ref() -> None:
    for bit in range(BITS):
        moved = [(TODAY.ref(n) ^ TODAY.ref(n ^ 1 << bit)).bit_count() for n in range(0, 2**BITS, 20_011)]
        assert 11.4 < sum(moved) / len(moved) < 12.6


def test_consecutive_serials_spread_evenly() -> None:
    counts = [0] * 256
    for serial in range(25_600):
        counts[TODAY.ref(serial) >> 16] += 1
    chi_square = sum((count - 100) ** 2 / 100 for count in counts)
    assert 170 < chi_square < 350  # 255 degrees of freedom: mean 255, deviation 23


def test_a_day_is_made_once() -> None:
    assert permutation(KEY, DAY) is permutation(KEY, DAY)
    assert permutation(KEY, DAY).ref(4711) == TODAY.ref(4711)


def test_tables_are_flat_buffers_for_a_vectorised_run() -> None:
    assert all(memoryview(table).format == "H" and len(table) == 4096 for table in TODAY.tables)
    assert permute(4711, TODAY.tables, 12) == TODAY.ref(4711)


@pytest.mark.parametrize(
    ("unix_s", "day"),
    [(1_772_207_999, "2026-02-27"), (1_772_208_000, "2026-02-28"), (1_709_136_000, "2024-02-29")],
)
def test_a_day_begins_at_midnight_in_china(unix_s: int, day: str) -> None:
    assert day_of(unix_s) == dt.date.fromisoformat(day)


@given(st.integers(694_224_000, 2**32 - 1))
def test_a_day_is_the_day_of_shanghai(unix_s: int) -> None:
    assert day_of(unix_s) == dt.datetime.fromtimestamp(unix_s, ZoneInfo("Asia/Shanghai")).date()


@pytest.mark.parametrize("value", [-1, 2**BITS])
def test_out_of_range(value: int) -> None:
    for call in (TODAY.ref, TODAY.serial):
        with pytest.raises(ValueError, match="24 bits"):
            call(value)


def test_keys_and_widths_are_checked() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Permutation(bytes(31), DAY)
    for bits in (0, 7, 34):
        with pytest.raises(ValueError, match="even"):
            Permutation(KEY, DAY, bits)
