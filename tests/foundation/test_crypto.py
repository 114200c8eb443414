"""Sealed values open only where they belong; blind indexes find without being readable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tongsuopy.crypto.ciphers import Cipher, algorithms, modes

from onecard.foundation import keys, suite
from onecard.foundation.crypto import (
    BLIND_INDEX_BYTES,
    CIPHERS,
    OVERHEAD_BYTES,
    SM4GCM,
    blind_index,
    open_sealed,
    seal,
)
from onecard.foundation.errors import OneCardError
from onecard.foundation.keys import Key, Keyring

RING = Keyring("identity", (Key(1, b"\x01" * 32),))
ROTATED = Keyring("identity", (Key(1, b"\x01" * 32), Key(2, b"\x02" * 32)))
NATIONAL = Keyring("identity", (Key(1, b"\x01" * 32), Key(2, b"\x02" * 32, cipher="sm4-gcm")))
PLACE = "holders_holder.name:7"


rings = pytest.mark.parametrize("ring", [RING, NATIONAL], ids=["aes", "sm4"])


@rings
@given(st.binary(max_size=200), st.text(max_size=40))
def test_what_was_sealed_opens_in_its_place(ring: Keyring, plaintext: bytes, aad: str) -> None:
    sealed = seal(ring, plaintext, aad)
    assert len(sealed) == len(plaintext) + OVERHEAD_BYTES
    assert open_sealed(ring, sealed, aad) == plaintext


@rings
@pytest.mark.parametrize("aad", ["holders_holder.name:8", "holders_holder.phone:7", ""])
def test_a_value_moved_to_another_place_does_not_open(ring: Keyring, aad: str) -> None:
    with pytest.raises(OneCardError, match="SEAL_BROKEN"):
        open_sealed(ring, seal(ring, b"x", PLACE), aad)


@rings
@given(st.integers(min_value=0), st.integers(1, 255))
def test_any_altered_byte_is_noticed(ring: Keyring, position: int, change: int) -> None:
    sealed = bytearray(seal(ring, b"plain", PLACE))
    sealed[position % len(sealed)] ^= change
    with pytest.raises(OneCardError, match=r"SEAL_BROKEN|KEY_UNKNOWN"):
        open_sealed(ring, bytes(sealed), PLACE)


# --- the second cipher --------------------------------------------------------------------------------------------


def test_the_cipher_is_the_keys_own() -> None:
    old, new = seal(RING, b"x", PLACE), seal(NATIONAL, b"x", PLACE)
    assert (old[:2], new[:2]) == (b"\x01\x01", b"\x02\x02")
    assert open_sealed(NATIONAL, old, PLACE) == open_sealed(NATIONAL, new, PLACE) == b"x"
    with pytest.raises(OneCardError, match="SEAL_BROKEN"):
        open_sealed(ROTATED, new, PLACE)
    with pytest.raises(OneCardError, match="SEAL_BROKEN"):
        open_sealed(NATIONAL, seal(ROTATED, b"x", PLACE), PLACE)


def test_every_cipher_of_a_ring_and_of_a_suite_is_known() -> None:
    assert tuple(CIPHERS) == keys.CIPHERS
    assert {each.cipher for each in suite.NODE_SUITES.values()} == set(CIPHERS)


def test_the_example_of_rfc_8998() -> None:
    """Appendix A.1."""
    nonce, associated = bytes.fromhex("00001234567800000000abcd"), bytes.fromhex("feedfacedeadbeef" * 2 + "abaddad2")
    data = b"".join(bytes([each]) * 8 for each in bytes.fromhex("aabbccddeeffeeaa"))
    sealed = bytes.fromhex(
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
        "83de3541e4c2b58177e065a9bf7b62ec"
    )
    cipher = SM4GCM(bytes.fromhex("0123456789abcdeffedcba9876543210"))
    assert cipher.encrypt(nonce, data, associated) == sealed
    assert cipher.decrypt(nonce, sealed, associated) == data


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=12, max_size=12), st.binary(max_size=99), st.binary())
def test_tongsuo_opens_what_we_seal_and_we_what_it_seals(key: bytes, nonce: bytes, data: bytes, place: bytes) -> None:
    encryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(place)
    theirs = encryptor.update(data) + encryptor.finalize() + encryptor.tag
    assert SM4GCM(key).encrypt(nonce, data, place) == theirs
    assert SM4GCM(key).decrypt(nonce, theirs, place) == data


@pytest.mark.parametrize("value", [b"", b"\x01\x01", b"\x03" + b"\x00" * 60])
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
