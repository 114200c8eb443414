"""The code: strict reading, one spelling, and strangers (pycose, cbor2, hypothesis) as judges."""

import base64
import string
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from pycose.algorithms import EdDSA
from pycose.headers import KID, Algorithm
from pycose.keys.okp import OKPKey
from pycose.messages.sign1message import Sign1Message

from onecard_kit.codes import (
    CHARS_MAX,
    NONCE_BYTES,
    NONCE_DRAWN_BYTES,
    PREFETCH_MAX,
    PREFIX,
    Claims,
    CodeRefused,
    CodeTooLong,
    Flaw,
    MalformedCode,
    Refusal,
    Via,
    decode,
    encode,
    lenient,
    made_before,
    verify,
    windows,
)
from onecard_kit.codes import nonce as nonce_of
from onecard_kit.suites import ED25519, PublicKey, Purpose, Signer

SEED = bytes(range(32))
SIGNER = Signer.of(ED25519, b"\x00\x01", SEED)
KEYS = {("320600", b"\x00\x01"): SIGNER.public_key}
ALPHABET = string.ascii_uppercase + "234567"


def some_claims(**changes: Any) -> Claims:
    usual = Claims("320600", b"\x00\x01", 70_000, Via.SELF, 1_767_225_600, 1_767_225_660, bytes(range(12)), (3, 7))
    return structs.replace(usual, **changes)


def to_text(raw: bytes) -> str:
    return PREFIX + base64.b32encode(raw).decode().rstrip("=")


def to_raw(text: str) -> bytes:
    body = text.removeprefix(PREFIX)
    return base64.b32decode(body + "=" * (-len(body) % 8))


def signed(payload: bytes, protected: bytes = b"\xa2\x01\x27\x04\x42\x00\x01") -> str:
    """A code whose signature is good, whatever its content: only the shape can be at fault."""
    signature = SIGNER.sign(cbor2.dumps(["Signature1", protected, b"", payload]))
    return to_text(cbor2.dumps([protected, {}, payload, signature]))


def as_cwt(claims: Claims) -> dict[int, Any]:
    own = [claims.ref, int(claims.via), list(claims.classes)]
    return {1: claims.issuer, 4: claims.expires, 5: claims.not_before, 7: claims.nonce, -70001: own}


def refusal_of(text: str) -> CodeRefused:
    with pytest.raises(CodeRefused) as caught:
        verify(text, KEYS)
    return caught.value


def flaw_of(text: str) -> Flaw:
    with pytest.raises(MalformedCode) as caught:
        decode(text)
    assert caught.value.reason is Refusal.MALFORMED
    return caught.value.flaw


def sets_of_classes(top: int, size: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.sets(st.integers(0, top), max_size=size).map(lambda numbers: tuple(sorted(numbers)))


@st.composite
def any_claims(draw: st.DrawFn) -> Claims:
    """Whatever fits: nine classes of one byte, or four of two."""
    begins = draw(st.integers(1 << 16, (1 << 32) - 2))
    return Claims(
        issuer=draw(st.text("0123456789", min_size=6, max_size=6)),
        kid=draw(st.binary(min_size=2, max_size=2)),
        ref=draw(st.integers(0, 2**24 - 1)),
        via=draw(st.sampled_from(Via)),
        not_before=begins,
        expires=draw(st.integers(begins + 1, (1 << 32) - 1)),
        nonce=draw(st.binary(min_size=12, max_size=12)),
        classes=draw(sets_of_classes(23, 9) | sets_of_classes(255, 4)),
    )


def signer_for(claims: Claims) -> Signer:
    purpose = Purpose.LASTING if claims.via is Via.PAPER else Purpose.CODES
    return Signer.of(ED25519, claims.kid, SEED, purpose)


@given(any_claims())
def test_what_is_written_is_read(claims: Claims) -> None:
    signer = signer_for(claims)
    text = encode(claims, signer)
    assert len(text) <= CHARS_MAX
    assert text.isascii()
    assert text == text.upper()
    assert verify(text, {(claims.issuer, claims.kid): signer.public_key}) == claims
    assert encode(claims, signer) == text


@given(any_claims())
def test_a_general_decoder_sees_a_deterministic_cwt_in_a_cose_sign1(claims: Claims) -> None:
    raw = to_raw(encode(claims, signer_for(claims)))
    protected, unprotected, payload, signature = cbor2.loads(raw)
    assert cbor2.loads(protected) == {1: -8, 4: claims.kid}
    assert unprotected == {}
    assert payload == cbor2.dumps(as_cwt(claims), canonical=True)
    assert raw == cbor2.dumps([protected, {}, payload, signature], canonical=True)


@pytest.mark.parametrize(("via", "purpose"), [(Via.PAPER, Purpose.CODES), (Via.SELF, Purpose.LASTING)])
def test_a_phones_key_makes_no_paper_and_the_other_no_code_of_a_phone(via: Via, purpose: Purpose) -> None:
    claims = some_claims(via=via)
    with pytest.raises(ValueError, match="not for them"):
        encode(claims, Signer.of(ED25519, claims.kid, SEED, purpose))
    text = encode(claims, signer_for(claims))
    wrong = Signer.of(ED25519, claims.kid, SEED, purpose).public_key
    with pytest.raises(CodeRefused) as refused:
        verify(text, {(claims.issuer, claims.kid): wrong})
    assert refused.value.reason is Refusal.UNKNOWN_KEY


def test_pycose_verifies_ours() -> None:
    # pycose's own decode() trips over cbor2 6, which gives tuples inside tags; the parts are judged.
    parts = cbor2.loads(to_raw(encode(some_claims(), SIGNER)))
    message = Sign1Message.from_cose_obj(list(parts), allow_unknown_attributes=False)
    message.key = OKPKey(crv="ED25519", x=SIGNER.public_key.public)
    assert message.phdr == {Algorithm: EdDSA, KID: b"\x00\x01"}
    assert message.verify_signature()
    message.key = OKPKey(crv="ED25519", x=Signer.of(ED25519, b"\x00\x01", bytes(32)).public_key.public)
    assert not message.verify_signature()


def test_we_verify_what_pycose_signs() -> None:
    claims = some_claims()
    key = OKPKey(crv="ED25519", x=SIGNER.public_key.public, d=SEED)
    payload = cbor2.dumps(as_cwt(claims), canonical=True)
    message = Sign1Message(phdr={Algorithm: EdDSA, KID: claims.kid}, payload=payload, key=key)
    text = to_text(message.encode(tag=False))
    assert verify(text, KEYS) == claims
    assert text == encode(claims, SIGNER)


# What fits in 220 characters: issuer and times have fixed lengths, so only the ref and the classes make a difference.
SIZES = [
    ("ref below 65,536, no class", 65_535, (), 203),
    ("usual ref, no class", 2**24 - 1, (), 206),
    ("usual ref, three classes below 24", 2**24 - 1, (1, 2, 3), 211),
    ("usual ref, nine classes below 24", 2**24 - 1, tuple(range(9)), 220),
    ("usual ref, four classes from 24", 2**24 - 1, (200, 201, 202, 203), 219),
]


@pytest.mark.parametrize(("what", "ref", "classes", "chars"), SIZES)
def test_sizes(what: str, ref: int, classes: tuple[int, ...], chars: int) -> None:
    assert len(encode(some_claims(ref=ref, classes=classes), SIGNER)) == chars
    page = Path(__file__).parents[2] / "docs" / "code-format.md"
    assert f"| {what} | {chars} |" in page.read_text("utf-8")


@pytest.mark.parametrize("classes", [tuple(range(10)), (200, 201, 202, 203, 204), tuple(range(23))])
def test_what_does_not_fit_is_refused_whole(classes: tuple[int, ...]) -> None:
    with pytest.raises(CodeTooLong):
        encode(some_claims(ref=2**24 - 1, classes=classes), SIGNER)


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "32060"},
        {"issuer": "32060x"},
        {"issuer": "３２０６００"},
        {"kid": b"\x01"},
        {"nonce": bytes(11)},
        {"ref": -1},
        {"ref": 2**24},
        {"via": 3},
        {"not_before": 1_767_225_660},
        {"not_before": 65_535},
        {"expires": 2**32},
        {"classes": (2, 1)},
        {"classes": (1, 1)},
        {"classes": (-1, 1)},
        {"classes": (256,)},
        {"classes": tuple(range(24))},
    ],
)
def test_claims_no_code_can_carry(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        some_claims(**changes)


def test_a_signer_signs_only_its_own_kid() -> None:
    with pytest.raises(ValueError, match="another key"):
        encode(some_claims(kid=b"\x00\x02"), SIGNER)


def test_refusals() -> None:
    text = encode(some_claims(), SIGNER)
    other = Signer.of(ED25519, b"\x00\x01", bytes(32))
    assert refusal_of(encode(some_claims(issuer="310000"), SIGNER)).reason is Refusal.UNKNOWN_ISSUER
    second = Signer.of(ED25519, b"\x00\x02", SEED)
    assert refusal_of(encode(some_claims(kid=b"\x00\x02"), second)).reason is Refusal.UNKNOWN_KEY
    assert refusal_of(encode(some_claims(), other)).reason is Refusal.BAD_SIGNATURE
    assert refusal_of(text.lower()).reason is Refusal.MALFORMED
    assert [reason.value for reason in Refusal] == ["malformed", "unknown_issuer", "unknown_key", "bad_signature"]


def test_a_key_of_another_algorithm_is_another_key() -> None:
    lookalike = PublicKey(replace(ED25519, name="other", algorithm=-65_537), b"\x00\x01", SIGNER.public_key.public)
    with pytest.raises(CodeRefused) as caught:
        verify(encode(some_claims(), SIGNER), {("320600", b"\x00\x01"): lookalike})
    assert caught.value.reason is Refusal.UNKNOWN_KEY


def test_every_bit_counts() -> None:
    raw = to_raw(encode(some_claims(), SIGNER))
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        refusal_of(to_text(bytes(flipped)))


def test_truncated_and_extended_texts_are_malformed() -> None:
    text = encode(some_claims(), SIGNER)
    raw = to_raw(text)
    for length in range(len(text)):
        flaw_of(text[:length])
    for length in range(len(raw)):
        flaw_of(to_text(raw[:length]))
    for extra in ("A", "AA", "AAAAAAAA", "=", " ", "\n"):
        flaw_of(text + extra)
    flaw_of(to_text(raw + b"\x00"))


def test_base32_has_one_spelling() -> None:
    text = next(t for n in range(9) if len(t := encode(some_claims(classes=tuple(range(n))), SIGNER)) % 8 != 4)
    last = ALPHABET.index(text[-1])
    assert flaw_of(text[:-1] + ALPHABET[last ^ 1]) is Flaw.BASE32


@pytest.mark.parametrize("strange", ["a", "0", "1", "8", "9", "_", "+", "-", " ", "=", "\0", "Ａ", "ſ", "\ud800", "٣"])
@pytest.mark.parametrize("at", [4, 5, 100, -1])
def test_a_strange_character_is_refused(strange: str, at: int) -> None:
    text = encode(some_claims(), SIGNER)
    at %= len(text)
    assert flaw_of(text[:at] + strange + text[at + 1 :]) is Flaw.BASE32


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("", Flaw.PREFIX),
        ("OC1", Flaw.PREFIX),
        ("OC2.AAAA", Flaw.PREFIX),
        ("oc1.AAAA", Flaw.PREFIX),
        ("OC1.", Flaw.BASE32),
        ("OC1.A", Flaw.BASE32),
        ("OC1.AA", Flaw.ALGORITHM),
        ("OC1." + "A" * 217, Flaw.LENGTH),
        ("OC1." + "A" * 1_000_000, Flaw.LENGTH),
    ],
)
def test_flaws(text: str, flaw: Flaw) -> None:
    assert flaw_of(text) is flaw


def test_bytes_are_no_text() -> None:
    assert flaw_of(encode(some_claims(), SIGNER).encode()) is Flaw.LENGTH  # type: ignore[arg-type]


GOOD = cbor2.dumps(as_cwt(some_claims()), canonical=True)
WELL_SIGNED_BUT_WRONG: dict[str, bytes] = {
    "empty": b"",
    "not a map": b"\x80",
    "another order": cbor2.dumps(dict(reversed(as_cwt(some_claims()).items()))),
    "a claim more": cbor2.dumps(as_cwt(some_claims()) | {6: 1}, canonical=True),
    "a claim less": cbor2.dumps({k: v for k, v in as_cwt(some_claims()).items() if k != 7}, canonical=True),
    "something behind": GOOD + b"\x00",
    "issuer as bytes": GOOD.replace(b"\x66320600", b"\x46320600"),
    "issuer of letters": GOOD.replace(b"320600", b"32060x"),
    "issuer not UTF-8": GOOD.replace(b"320600", b"32060\xff"),
    "expires as float": cbor2.dumps(as_cwt(some_claims()) | {4: 1_767_225_660.0}, canonical=True),
    "expires in eight bytes": GOOD.replace(b"\x04\x1a", b"\x04\x1b\0\0\0\0"),
    "expires before it begins": cbor2.dumps(as_cwt(some_claims()) | {4: 1_767_225_599}, canonical=True),
    "ref in a longer form": GOOD.replace(b"\x83\x1a\x00\x01\x11\x70", b"\x83\x1a\x00\x00\x00\x05"),
    "ref too large": cbor2.dumps(as_cwt(some_claims()) | {-70001: [2**24, 0, []]}, canonical=True),
    "ref negative": cbor2.dumps(as_cwt(some_claims()) | {-70001: [-1, 0, []]}, canonical=True),
    "unknown via": cbor2.dumps(as_cwt(some_claims()) | {-70001: [5, 3, []]}, canonical=True),
    "via in a longer form": GOOD[:-4] + b"\x18\x00" + GOOD[-3:],
    "classes out of order": cbor2.dumps(as_cwt(some_claims()) | {-70001: [5, 0, [2, 1]]}, canonical=True),
    "class twice": cbor2.dumps(as_cwt(some_claims()) | {-70001: [5, 0, [1, 1]]}, canonical=True),
    "class too large": cbor2.dumps(as_cwt(some_claims()) | {-70001: [5, 0, [256]]}, canonical=True),
    "class in a longer form": GOOD[:-3] + b"\x82\x03\x18\x07",
    "class cut short": GOOD[:-3] + b"\x81\x18",
    "classes counted wrong": GOOD[:-3] + b"\x83\x03\x07",
    "classes of indefinite length": GOOD[:-3] + b"\x9f\x03\x07\xff",
    "no list of classes": GOOD[:-3],
}


@pytest.mark.parametrize("payload", WELL_SIGNED_BUT_WRONG.values(), ids=WELL_SIGNED_BUT_WRONG.keys())
def test_a_good_signature_excuses_no_other_shape(payload: bytes) -> None:
    assert payload != GOOD
    assert flaw_of(signed(payload)) in (Flaw.CLAIMS, Flaw.ENVELOPE)


@pytest.mark.parametrize(
    "protected",
    [
        b"",
        b"\xa2\x01\x26\x04\x42\x00\x01",
        b"\xa2\x04\x42\x00\x01\x01\x27",
        b"\xa2\x01\x38\x07\x04\x42\x00\x01",
        b"\xa2\x01\x27\x04\x43\x00\x00\x01",
        b"\xa1\x01\x27",
        b"\xa3\x01\x27\x04\x42\x00\x01\x05\x40",
    ],
)
def test_another_protected_header_is_refused(protected: bytes) -> None:
    assert verify(signed(GOOD), KEYS) == some_claims()
    assert flaw_of(signed(GOOD, protected)) in (Flaw.ALGORITHM, Flaw.ENVELOPE)


def test_tags_and_unprotected_headers_are_refused() -> None:
    protected, _, payload, signature = cbor2.loads(to_raw(encode(some_claims(), SIGNER)))
    assert flaw_of(to_text(b"\xd2" + cbor2.dumps([protected, {}, payload, signature]))) is Flaw.ALGORITHM
    assert flaw_of(to_text(cbor2.dumps([protected, {5: b""}, payload, signature]))) is Flaw.ENVELOPE


def refused(text: str) -> None:
    """Nothing but CodeRefused may come out, and nothing may pass."""
    with pytest.raises(CodeRefused):
        verify(text, KEYS)


@given(st.text() | st.text(ALPHABET, max_size=216).map(PREFIX.__add__))
def test_arbitrary_text_is_refused(text: str) -> None:
    refused(text)


@given(st.binary(max_size=135))
def test_arbitrary_bytes_are_refused(raw: bytes) -> None:
    refused(to_text(raw))


@given(st.binary(max_size=60))
def test_arbitrary_signed_payloads_are_refused(payload: bytes) -> None:
    refused(signed(payload))


@given(st.binary(max_size=16))
def test_arbitrary_tails_are_read_as_a_general_decoder_reads_them_or_refused(tail: bytes) -> None:
    text = signed(GOOD[:41] + tail)
    try:
        claims = verify(text, KEYS)
    except CodeRefused:
        return
    assert cbor2.dumps(as_cwt(claims), canonical=True) == GOOD[:41] + tail


@given(st.data())
def test_damaged_codes_are_refused(data: st.DataObject) -> None:
    text = encode(some_claims(), SIGNER)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    damaged = text[:start] + data.draw(st.text(ALPHABET + ".=a ", max_size=8)) + text[end:]
    if damaged != text:
        refused(damaged)


@pytest.mark.parametrize("typed", [str, str.lower, lambda text: f"  {text}\r\n", lambda text: f"\t{text.lower()}\n"])
def test_lenient_undoes_a_scanner(typed: Any) -> None:
    text = encode(some_claims(), SIGNER)
    assert lenient(typed(text)) == text


def test_lenient_makes_no_strange_letter_ours() -> None:
    strange = encode(some_claims(), SIGNER).replace("S", "ſ")
    assert lenient(strange) == strange


@given(st.text())
def test_lenient_takes_anything_and_settles(text: str) -> None:
    assert lenient(lenient(text)) == lenient(text)


@given(st.integers(1 << 17, 1 << 31), st.integers(1, PREFETCH_MAX))
def test_windows_are_aligned_and_join(start: int, count: int) -> None:
    spans = windows(start, count)
    assert len(spans) == count
    assert spans[0][0] <= start < spans[0][1]
    assert all(begin % 60 == 0 and end == begin + 60 for begin, end in spans)
    assert all(earlier[1] == later[0] for earlier, later in pairwise(spans))
    assert windows(spans[-1][0], 1) == spans[-1:]


@pytest.mark.parametrize("count", [-1, 0, PREFETCH_MAX + 1])
def test_a_phone_fetches_no_more_than_ten_windows(count: int) -> None:
    with pytest.raises(ValueError, match="windows"):
        windows(1_767_225_600, count)


def test_a_nonce_tells_when_it_was_made_to_a_256th_of_a_second() -> None:
    made = 1_767_225_600.5
    nonce = nonce_of(made, bytes(NONCE_DRAWN_BYTES))
    assert len(nonce) == NONCE_BYTES
    assert made_before(nonce, made + 0.01)
    assert made_before(nonce, made)
    assert not made_before(nonce, made - 0.01)
    assert nonce_of(made, b"1234567") != nonce_of(made, b"7654321")
    with pytest.raises(ValueError, match="seven bytes"):
        nonce_of(made, bytes(12))
