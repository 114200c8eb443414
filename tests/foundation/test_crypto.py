"""Sealed values open only where they belong; blind indexes find without being readable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecard.foundation.crypto import BLIND_INDEX_BYTES, OVERHEAD_BYTES, blind_index, open_sealed, seal
from onecard.foundation.errors import OneCardError
from onecard.foundation.keys import Key, Keyring

RING = Keyring("identity", (Key(1, b"\x01" * 32),))
ROTATED = Keyring("identity", (Key(1, b"\x01" * 32), Key(2, b"\x02" * 32)))
PLACE = "holders_holder.name:7"


@given(st.binary(max_size=200), st.text(max_size=40))
def test_what_was_sealed_opens_in_its_place(plaintext: bytes, aad: str) -> None:
    sealed = seal(RING, plaintext, aad)
    assert len(sealed) == len(plaintext) + OVERHEAD_BYTES
    assert open_sealed(RING, sealed, aad) == plaintext


@pytest.mark.parametrize("aad", ["holders_holder.name:8", "holders_holder.phone:7", ""])
def test_a_value_moved_to_another_place_does_not_open(aad: str) -> None:
    with pytest.raises(OneCardError, match="SEAL_BROKEN"):
        open_sealed(RING, seal(RING, b"x", PLACE), aad)


@given(st.integers(min_value=0), st.integers(1, 255))
def test_any_altered_byte_is_noticed(position: int, change: int) -> None:
    sealed = bytearray(seal(RING, b"plain", PLACE))
    sealed[position % len(sealed)] ^= change
    with pytest.raises(OneCardError, match=r"SEAL_BROKEN|KEY_UNKNOWN"):
        open_sealed(RING, bytes(sealed), PLACE)


@pytest.mark.parametrize("value", [b"", b"\x01\x01", b"\x02" + b"\x00" * 60])
def test_what_is_no_sealed_value_is_refused(value: bytes) -> None:
    with pytest.raises(OneCardError, match="SEAL_BROKEN"):
        open_sealed(RING, value, PLACE)


def test_old_values_open_after_a_rotation_and_new_ones_name_the_new_key() -> None:
    assert open_sealed(ROTATED, seal(RING, b"old", PLACE), PLACE) == b"old"
    assert seal(ROTATED, b"new", PLACE)[:2] == b"\x01\x02"
    assert seal(RING, b"x", PLACE)[:2] == b"\x01\x01"


def test_equal_values_seal_differently_and_index_alike() -> None:
    assert seal(RING, b"x", PLACE) != seal(RING, b"x", PLACE)
    assert blind_index(RING, "name", "张三") == blind_index(ROTATED, "name", "张三")
    assert len(blind_index(RING, "name", "张三")) == BLIND_INDEX_BYTES


def test_fields_index_apart() -> None:
    assert blind_index(RING, "name", "x") != blind_index(RING, "phone", "x")
    assert blind_index(RING, "name", "x") != blind_index(RING, "name", "y")


def test_a_view_of_memory_opens_too() -> None:
    """Drivers hand bytea over as memoryview."""
    assert open_sealed(RING, memoryview(seal(RING, b"x", PLACE)), PLACE) == b"x"
