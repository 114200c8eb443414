"""The code (二维码): one signed presentation of an e-card, as text a phone shows and a scanner types.

    "OC1." + base32( COSE_Sign1 [ {1: algorithm, 4: kid}, {}, CWT claims, signature ] )

COSE_Sign1 (RFC 9052 §4.2, untagged) around a CWT claims set (RFC 8392), all in deterministic CBOR (RFC 8949 §4.2.1).
Base32 in upper case (RFC 4648 §6, no padding) fits the QR alphanumeric mode and survives keyboard-wedge scanners.
`docs/code-format.md` draws the bytes.

One set of claims under one key has exactly one text. Reading is strict by construction: what was read at its fixed
places is written again and must give the same bytes, so there is no second spelling, and no general CBOR decoder ever
sees what a stranger holds up to a scanner.

    CodeRefused             the text is no code of ours; `reason` is one of `Refusal`
    └── MalformedCode       it is not even shaped like one; `flaw` says where it stops being one
"""

import base64
from collections.abc import Mapping
from enum import IntEnum, StrEnum
from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import Final

import msgspec

from onecard_kit.suites import KID_BYTES, SIGNATURE_BYTES, SUITES, PublicKey, Purpose, Signer

PREFIX: Final = "OC1."
CHARS_MAX: Final = 220
"""A QR of version 8 with error correction M holds 221 characters of its alphanumeric mode; larger ones scan worse."""

WINDOW_S: Final = 60
PREFETCH_MAX: Final = 10
"""How many windows ahead a phone may hold, so that it shows a code without signal for ten minutes."""
CLOCK_SKEW_S: Final = 5
"""How far a gate's clock may be off when it judges `not_before` and `expires`."""

NONCE_BYTES: Final = 12
NONCE_DRAWN_BYTES: Final = 7
_MADE_PER_S: Final = 256
REF_MAX: Final = 2**24 - 1
CLASS_MAX: Final = 255
CLASSES_MAX: Final = 23
"""CBOR's one-byte array head ends here; the 220 characters end long before."""
CLASSES_IN_CODE_MAX: Final = 5
"""What fits into a code of either suite while classes have numbers below 24."""


def nonce(made: float, drawn: bytes) -> bytes:
    """The nonce of a code made at a moment (Unix seconds): that moment in 256ths of a second, and seven bytes drawn.

    By the moment the platform refuses what a phone fetched before it was withdrawn. Raises ValueError for other bytes.
    """
    if len(drawn) != NONCE_DRAWN_BYTES:
        raise ValueError("seven bytes are drawn")
    return int(made * _MADE_PER_S).to_bytes(NONCE_BYTES - NONCE_DRAWN_BYTES, "big") + drawn


def made_before(nonce: bytes, moment: float) -> bool:
    """Whether what bears a nonce was made before a moment (Unix seconds), or in the same 256th of a second."""
    return int.from_bytes(nonce[: NONCE_BYTES - NONCE_DRAWN_BYTES], "big") <= int(moment * _MADE_PER_S)


class Via(IntEnum):
    """Who shows the code and how: the holder's phone, a relative's phone (亲情码), or paper (纸质码)."""

    SELF = 0
    FAMILY = 1
    PAPER = 2


# By via.
_SIGNED_WITH: Final = (Purpose.CODES, Purpose.CODES, Purpose.LASTING)


class Refusal(StrEnum):
    """Why a text is no code of ours; the strings are stable."""

    MALFORMED = "malformed"
    UNKNOWN_ISSUER = "unknown_issuer"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"


class Flaw(StrEnum):
    """Where a malformed text stops being a code; the strings are stable."""

    LENGTH = "length"
    PREFIX = "prefix"
    BASE32 = "base32"
    ALGORITHM = "algorithm"
    ENVELOPE = "envelope"
    CLAIMS = "claims"


class CodeRefused(ValueError):
    """The text is not a code that one of the given keys signed."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


class MalformedCode(CodeRefused):
    """The text is not shaped like a code; nothing was looked up."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(Refusal.MALFORMED)
        self.flaw = flaw


class CodeTooLong(ValueError):
    """These claims do not fit in 220 characters; the caller chooses which classes a gate really needs."""


class Claims(msgspec.Struct, frozen=True, gc=False):
    """What a code says. Never a name, a number or a birth date.

    `issuer`: the issuing place, six digits of GB/T 2260. `kid`: two bytes, the key's id within that issuer. `ref`: 24
    bits, see `refs`. `not_before`, `expires`: Unix seconds, the second exclusive. `nonce`: 12 bytes, spent once.
    `classes`: at most 23 numbers 0..255 in ascending order, each once. Raises ValueError for claims no code can carry.
    """

    issuer: str
    kid: bytes
    ref: int
    via: Via
    not_before: int
    expires: int
    nonce: bytes
    classes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not (len(self.issuer) == 6 and self.issuer.isascii() and self.issuer.isdigit()):
            raise ValueError("an issuer is six digits")
        if len(self.kid) != KID_BYTES or len(self.nonce) != NONCE_BYTES:
            raise ValueError("a kid has 2 bytes and a nonce 12")
        if not 0 <= self.ref <= REF_MAX or not 0 <= self.via <= Via.PAPER:
            raise ValueError("a ref has 24 bits and a via is 0, 1 or 2")
        # 32-bit seconds from 1970-01-01T18:12:16Z to 2106 always take CBOR's four-byte form, so every place is fixed.
        if not 1 << 16 <= self.not_before < self.expires < 1 << 32:
            raise ValueError("a code expires after it begins, both in 32-bit seconds")
        if self.classes and not _ascending(self.classes):
            raise ValueError("classes are at most 23 numbers 0..255 in ascending order")


def _ascending(numbers: tuple[int, ...]) -> bool:
    if len(numbers) > CLASSES_MAX or numbers[0] < 0 or numbers[-1] > CLASS_MAX:
        return False
    return tuple(sorted(set(numbers))) == numbers


class Unverified(msgspec.Struct, frozen=True, gc=False):
    """A well-formed code whose signature nobody has looked at: its claims are hearsay.

    `protected` is the header as sent, `payload` the claims as a CBOR byte string (head included, as they are signed).
    """

    claims: Claims
    protected: bytes
    payload: bytes
    signature: bytes


def encode(claims: Claims, signer: Signer) -> str:
    """Sign claims and return the text of the code.

    Raises CodeTooLong past 220 characters (nothing is dropped to make it fit), ValueError when the claims name another
    key, or one for another purpose.
    """
    key = signer.public_key
    if claims.kid != key.kid or key.purpose is not _SIGNED_WITH[claims.via]:
        raise ValueError("the claims name another key than the signer's, or one that is not for them")
    payload = _byte_string(_claims_set(claims))
    raw = _envelope(key.protected, payload, signer.sign(key.signed_start + payload))
    text = PREFIX + _to_base32(raw)
    if len(text) > CHARS_MAX:
        raise CodeTooLong(f"{len(text)} characters, at most {CHARS_MAX} fit")
    return text


def decode(text: str) -> Unverified:
    """Read a code without judging its signature. Raises MalformedCode, and nothing else, for all that is no code."""
    if not isinstance(text, str) or len(text) > CHARS_MAX:
        raise MalformedCode(Flaw.LENGTH)
    if not text.startswith(PREFIX):
        raise MalformedCode(Flaw.PREFIX)
    raw = _from_base32(text[len(PREFIX) :])
    protected, payload, signature = _split(raw)
    try:
        claims = _read_claims(payload[2:], protected[-KID_BYTES:])
    except (ValueError, KeyError, IndexError, StructError):
        raise MalformedCode(Flaw.CLAIMS) from None
    if _byte_string(_claims_set(claims)) != payload:
        raise MalformedCode(Flaw.CLAIMS)
    return Unverified(claims, protected, payload, signature)


def verify(text: str, keys: Mapping[tuple[str, bytes], PublicKey]) -> Claims:
    """The claims of a code that one of `keys` (by issuer and kid) signed. Raises CodeRefused, and nothing else.

    Says nothing about time, replay or the card: those are verdicts of a use, decided with the facts at hand.
    """
    code = decode(text)
    claims = code.claims
    key = keys.get((claims.issuer, claims.kid))
    if key is None:
        known = any(issuer == claims.issuer for issuer, _ in keys)
        raise CodeRefused(Refusal.UNKNOWN_KEY if known else Refusal.UNKNOWN_ISSUER)
    # The same kid under another algorithm is another key; and a phone's key makes no paper that lasts for years.
    if code.protected != key.protected or key.purpose is not _SIGNED_WITH[claims.via]:
        raise CodeRefused(Refusal.UNKNOWN_KEY)
    if not key.suite.verify(key.public, key.signed_start + code.payload, code.signature):
        raise CodeRefused(Refusal.BAD_SIGNATURE)
    return claims


def lenient(text: str) -> str:
    """Undo what a keyboard-wedge scanner does to a code: lower case, spaces and line ends around it.

    Only ASCII is touched: upper-casing "ſ" or "ı" would turn a stranger's text into ours.
    """
    return text.strip().upper() if text.isascii() else text


def windows(start: int, count: int, seconds: int = WINDOW_S) -> tuple[tuple[int, int], ...]:
    """(not_before, expires) of `count` windows in a row; the first contains `start` (Unix seconds).

    Windows are aligned to whole multiples of `seconds`, so that asking again gives the same ones. Raises ValueError
    past `PREFETCH_MAX`: a phone that is lost must run dry.
    """
    if not 1 <= count <= PREFETCH_MAX:
        raise ValueError(f"a phone fetches 1 to {PREFETCH_MAX} windows")
    first = start - start % seconds
    return tuple((first + i * seconds, first + (i + 1) * seconds) for i in range(count))


# --- COSE_Sign1 ---------------------------------------------------------------------------------------------------

# An array of four, then the protected header as a byte string up to the kid: the only ways a code may begin.
_STARTS: Final = frozenset(
    b"\x84" + bytes((0x40 + len(suite.header_start) + KID_BYTES,)) + suite.header_start for suite in SUITES.values()
)
_NO_UNPROTECTED: Final = b"\xa0"
_SIGNATURE_HEAD: Final = b"\x58" + bytes((SIGNATURE_BYTES,))


def _envelope(protected: bytes, payload: bytes, signature: bytes) -> bytes:
    head = b"\x84" + bytes((0x40 + len(protected),)) + protected
    return head + _NO_UNPROTECTED + payload + _SIGNATURE_HEAD + signature


def _split(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """(protected header, payload with its head, signature) of a COSE_Sign1 that has exactly our shape."""
    kid_end = 2 + (raw[1] & 0x1F) if len(raw) > 1 else 0
    if raw[: max(kid_end - KID_BYTES, 0)] not in _STARTS:
        raise MalformedCode(Flaw.ALGORITHM)
    signature_at = len(raw) - SIGNATURE_BYTES
    protected, payload = raw[2:kid_end], raw[kid_end + 1 : signature_at - 2]
    # Its heads stand where they must, so these parts make up the whole; the payload's own is checked with the claims.
    if signature_at < kid_end + 5 or raw[kid_end] != 0xA0 or raw[signature_at - 2 : signature_at] != _SIGNATURE_HEAD:
        raise MalformedCode(Flaw.ENVELOPE)
    return protected, payload, raw[signature_at:]


# --- CWT claims ---------------------------------------------------------------------------------------------------

# {1: iss, 4: exp, 5: nbf, 7: cti, -70001: [ref, via, [class, …]]}: text of six, two 32-bit numbers, twelve bytes.
_PLACES: Final = Struct(">3x6s2xI2xI2x12s6x")
_WRITTEN: Final = Struct(">3s6s2sI2sI2s12s6s")
_ISS, _EXP, _NBF, _CTI, _ONECARD = b"\xa5\x01\x66", b"\x04\x1a", b"\x05\x1a", b"\x07\x4c", b"\x3a\x00\x01\x11\x70\x83"
_VIAS: Final = tuple(Via)


def _claims_set(claims: Claims) -> bytes:
    fixed = _WRITTEN.pack(
        _ISS, claims.issuer.encode(), _EXP, claims.expires, _NBF, claims.not_before, _CTI, claims.nonce, _ONECARD
    )
    counts = bytes((claims.via, 0x80 + len(claims.classes)))
    return b"".join((fixed, _unsigned(claims.ref), counts, *map(_unsigned, claims.classes)))


def _read_claims(cwt: bytes, kid: bytes) -> Claims:
    """Read the places loosely; the caller writes the claims again and compares, which is what makes reading strict."""
    issuer, expires, not_before, nonce = _PLACES.unpack_from(cwt)
    ref, at = _read_unsigned(cwt, _PLACES.size)
    via = _VIAS[cwt[at]]
    classes = []
    at += 2
    while at < len(cwt):
        number, at = _read_unsigned(cwt, at)
        classes.append(number)
    return Claims(issuer.decode("ascii"), kid, ref, via, not_before, expires, nonce, tuple(classes))


def _unsigned(number: int) -> bytes:
    """A number below 2**32 in CBOR's shortest form."""
    if number < 24:
        return bytes((number,))
    if number < 1 << 8:
        return bytes((24, number))
    if number < 1 << 16:
        return b"\x19" + number.to_bytes(2, "big")
    return b"\x1a" + number.to_bytes(4, "big")


_WIDTHS: Final = {24: 1, 25: 2, 26: 4}


def _read_unsigned(data: bytes, at: int) -> tuple[int, int]:
    first = data[at]
    if first < 24:
        return first, at + 1
    end = at + 1 + _WIDTHS[first]
    return int.from_bytes(data[at + 1 : end], "big"), end


def _byte_string(content: bytes) -> bytes:
    """A CBOR byte string of 24 to 255 bytes; a claims set of ours has 43 to 93."""
    return b"\x58" + bytes((len(content),)) + content


# --- base32 -------------------------------------------------------------------------------------------------------

# int() reads digits 0-9 a-v in base 32, thirty times faster than base64.b32decode; everything that is not of RFC 4648's
# alphabet becomes "!", which int() refuses (left alone, it would take spaces, signs and underscores).
_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_DIGITS: Final = b"0123456789abcdefghijklmnopqrstuv"
_TO_DIGITS: Final = bytes(_DIGITS[_ALPHABET.index(c)] if c in _ALPHABET else 0x21 for c in range(256))


def _from_base32(text: str) -> bytes:
    """Strict base32: upper case, no padding, unused bits zero, so that each value has one spelling."""
    size, spare = divmod(len(text) * 5, 8)
    if not text or spare > 4 or not text.isascii():
        raise MalformedCode(Flaw.BASE32)
    try:
        number = int(text.encode().translate(_TO_DIGITS), 32)
    except ValueError:
        raise MalformedCode(Flaw.BASE32) from None
    if number & ((1 << spare) - 1):
        raise MalformedCode(Flaw.BASE32)
    return (number >> spare).to_bytes(size, "big")


def _to_base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=")
