"""Status lists: the draft's own vectors, both signed forms, and everything a stranger may hand us."""

import base64
import datetime as dt
import zlib
from contextlib import suppress
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycose.keys.okp import OKPKey
from pycose.messages.sign1message import Sign1Message

from onecard_kit.status_list import (
    BITS,
    ListRefused,
    Status,
    StatusList,
    compress,
    from_cwt,
    from_jwt,
    pack,
    subject_of,
    to_cwt,
    to_jwt,
)
from onecard_kit.suites import ED25519, Signer

SIGNER = Signer.of(ED25519, b"\x00\x07", bytes(range(32)))
OTHER = Signer.of(ED25519, b"\x00\x07", bytes(32))
KEYS = {SIGNER.kid: SIGNER.public_key}


def a_list(entries: bytes = b"\xc9\x44\xf9") -> StatusList:
    return StatusList(
        "https://cards.example/status/320600/2026-03-01", 1_772_294_400, 1_772_467_200, 300, compress(entries)
    )


def test_the_drafts_example_of_two_bits() -> None:
    """Statuses 1,2,0,3,0,1,0,1,1,2,3,3 are the bytes C9 44 F9, and compress to the text that the draft prints."""
    packed = bytes.fromhex("c944f9")
    assert base64.urlsafe_b64encode(zlib.compress(packed, 9)).decode().rstrip("=") == "eNo76fITAAPfAgc"
    made = a_list(packed)
    unnamed_is_invalid = [1, 2, 0, 1, 0, 1, 0, 1, 1, 2, 1, 1]
    assert [made.status(n) for n in range(12)] == unnamed_is_invalid


@given(st.integers(1, 300).flatmap(lambda size: st.tuples(
    st.just(size), st.dictionaries(st.integers(0, size - 1), st.sampled_from(Status), max_size=50))))  # fmt: skip
def test_what_is_marked_is_found_and_the_rest_is_valid(made: tuple[int, dict[int, Status]]) -> None:
    size, marked = made
    packed = a_list(pack(size, marked.items()))
    assert {n: packed.status(n) for n in range(size)} == {n: marked.get(n, Status.VALID) for n in range(size)}


def test_an_index_outside_is_invalid_and_cannot_be_marked() -> None:
    made = a_list(pack(5, []))
    assert [made.status(index) for index in (-1, 8, 2**30)] == [Status.INVALID] * 3
    with pytest.raises(ValueError, match="no index"):
        pack(5, [(5, Status.INVALID)])


@given(st.binary(max_size=3000))
def test_any_reader_of_zlib_unpacks_it(entries: bytes) -> None:
    assert zlib.decompress(compress(entries)) == entries


def test_a_day_and_a_place_have_a_list_of_their_own() -> None:
    assert subject_of("320600", dt.date(2026, 3, 1)) == "/v1/status-lists/320600/2026-03-01"


def test_both_forms_say_the_same() -> None:
    made = a_list(pack(1000, [(3, Status.SUSPENDED), (999, Status.INVALID)]))
    assert from_cwt(to_cwt(made, SIGNER), KEYS) == from_jwt(to_jwt(made, SIGNER), KEYS) == made
    assert made.age_s(made.issued + 61) == 61


def test_another_implementation_reads_the_cwt() -> None:
    parts = cbor2.loads(to_cwt(a_list(), SIGNER)).value
    protected, _, payload, signature = parts
    message = Sign1Message.from_cose_obj([protected, {}, payload, signature], allow_unknown_attributes=True)
    message.key = OKPKey(crv="ED25519", x=SIGNER.public_key.public)
    assert message.verify_signature()
    claims = cbor2.loads(payload)
    assert zlib.decompress(claims[65533]["lst"]) == a_list().entries
    assert claims[65533]["bits"] == BITS


@pytest.mark.parametrize("signer", [OTHER, Signer.of(ED25519, b"\x00\x08", bytes(range(32)))])
def test_a_list_of_another_key_is_refused(signer: Signer) -> None:
    for read, raw in ((from_cwt, to_cwt(a_list(), signer)), (from_jwt, to_jwt(a_list(), signer))):
        with pytest.raises(ListRefused):
            read(raw, KEYS)  # type: ignore[arg-type]


@given(st.data())
def test_a_changed_list_is_never_taken(data: Any) -> None:
    raw = bytearray(to_cwt(a_list(), SIGNER))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    with suppress(ListRefused):  # taken only where the byte is outside what is signed, e.g. the tag
        assert from_cwt(bytes(raw), KEYS) == a_list()
    text = to_jwt(a_list(), SIGNER)
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.sampled_from("AZaz09-_.!é")) + text[at + 1 :]
    with suppress(ListRefused):
        assert from_jwt(changed, KEYS) == a_list()


@given(st.binary(max_size=200))
def test_noise_is_no_list(noise: bytes) -> None:
    for read, raw in ((from_cwt, noise), (from_jwt, noise.decode("latin-1"))):
        with pytest.raises(ListRefused):
            read(raw, KEYS)  # type: ignore[arg-type]


def test_a_list_that_unpacks_to_more_than_a_gate_holds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onecard_kit.status_list.BYTES_MAX", 1000)
    raw = to_cwt(a_list(bytes(1001)), SIGNER)
    with pytest.raises(ListRefused, match="too large"):
        from_cwt(raw, KEYS)
