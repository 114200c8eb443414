"""The card file (卡文件): what a physical card carries, signed by its issuer, so that a gate without a line knows it.

    "OCF1." + base64url( COSE_Sign1 [ {1: algorithm, 4: kid, 16: type}, {}, CWT claims, signature ] )

COSE_Sign1 (RFC 9052 §4.2, untagged) around a CWT claims set (RFC 8392), all in deterministic CBOR (RFC 8949 §4.2.1),
under a type of its own so that no code and no list is taken for one. What was read is written again and must give the
same bytes, so there is no second spelling.

It names no person. A chip's cryptogram cannot be checked without a line, so a gate compares the number that the chip
says with the one in the file, and looks the serial up in the list of cards; the chip's counter is kept in the journal,
by which the platform finds clones.
"""

import base64
from collections.abc import Mapping
from typing import Any, Final

import cbor2
import msgspec

from onecard_kit.codes import CLASS_MAX, CodeRefused, Refusal
from onecard_kit.suites import KID_BYTES, PublicKey, Purpose, Signer
from onecard_kit.terms import Function

PREFIX: Final = "OCF1."
CWT_TYPE: Final = "application/onecard-card+cwt"
CHARS_MAX: Final = 1024
SERIAL_MAX: Final = 2**28 - 1
"""The list of cards holds so many at most."""

# Claims of RFC 8392, and one for private use: [number, serial, generation, [function, …], [class, …]].
_ISS, _EXP, _IAT, _CARD = 1, 4, 6, -70_003
_ALG, _KID, _TYP = 1, 4, 16
_FUNCTIONS: Final = tuple(Function)


class CardFile(msgspec.Struct, frozen=True, gc=False):
    """What a card file says, as it stood when it was written.

    `issuer`: the issuing place, six digits of GB/T 2260. `number`: nine characters, as the chip says it too. `serial`:
    its index in the list of cards, the same for life. `functions`: those that were active. `classes`: numbers 0..255 in
    ascending order. `issued`, `expires`: Unix seconds, the end exclusive. Raises ValueError for what no file can say.
    """

    issuer: str
    number: str
    serial: int
    generation: int
    functions: tuple[Function, ...]
    classes: tuple[int, ...]
    issued: int
    expires: int

    def __post_init__(self) -> None:
        if not (len(self.issuer) == 6 and self.issuer.isascii() and self.issuer.isdigit()):
            raise ValueError("an issuer is six digits")
        if len(self.number) != 9 or not self.number.isascii() or self.generation not in (2, 3):
            raise ValueError("a card has a number of nine characters and is of generation 2 or 3")
        if not 0 <= self.serial <= SERIAL_MAX:
            raise ValueError("a serial is an index of the list of cards")
        if not 0 < self.issued < self.expires < 1 << 32:
            raise ValueError("a file expires after it was issued, both in 32-bit seconds")
        if self.functions != tuple(each for each in _FUNCTIONS if each in self.functions):
            raise ValueError("functions are named once each, in their order")
        if self.classes != tuple(sorted({each for each in self.classes if 0 <= each <= CLASS_MAX})):
            raise ValueError("classes are numbers 0..255 in ascending order")


def write(said: CardFile, signer: Signer) -> str:
    """Sign a card file and return its text, ASCII. Raises ValueError for a key that is not for what lasts."""
    if signer.public_key.purpose is not Purpose.LASTING:
        raise ValueError("a card file is signed with a key for what lasts")
    protected, payload = _protected(signer.public_key), _payload(said)
    return _text(protected, payload, signer.sign(_to_be_signed(protected, payload)))


def verify(text: str, keys: Mapping[tuple[str, bytes], PublicKey]) -> CardFile:
    """What a file says that one of `keys` (by issuer and kid) signed. Raises CodeRefused, and nothing else.

    Says nothing about time, the list of cards or the chip that showed it.
    """
    said, kid, protected, payload, signature = _read(text)
    key = keys.get((said.issuer, kid))
    if key is None:
        known = any(issuer == said.issuer for issuer, _ in keys)
        raise CodeRefused(Refusal.UNKNOWN_KEY if known else Refusal.UNKNOWN_ISSUER)
    if key.purpose is not Purpose.LASTING or protected != _protected(key):
        raise CodeRefused(Refusal.UNKNOWN_KEY)
    if not key.suite.verify(key.public, _to_be_signed(protected, payload), signature):
        raise CodeRefused(Refusal.BAD_SIGNATURE)
    return said


def kid_of(text: str) -> bytes:
    """The id of the key that a file says it is signed with. Raises CodeRefused."""
    return _read(text)[1]


def _read(text: str) -> tuple[CardFile, bytes, bytes, bytes, bytes]:
    """(claims, kid, protected, payload, signature) of a text that has exactly our shape; nothing is verified."""
    try:
        if len(text) > CHARS_MAX or not text.startswith(PREFIX):
            raise CodeRefused(Refusal.MALFORMED)
        encoded = text[len(PREFIX) :]
        raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        protected, _, payload, signature = cbor2.loads(raw)
        kid = cbor2.loads(protected)[_KID]
        said = _claims(cbor2.loads(payload))
        if len(kid) != KID_BYTES or _payload(said) != payload or _text(protected, payload, signature) != text:
            raise CodeRefused(Refusal.MALFORMED)
    except CodeRefused:
        raise
    except Exception:  # whatever a stranger's bytes do to a CBOR reader
        raise CodeRefused(Refusal.MALFORMED) from None
    return said, kid, protected, payload, signature


def _claims(claims: Any) -> CardFile:
    number, serial, generation, functions, classes = claims[_CARD]
    numbers = (serial, generation, *functions, *classes, claims[_IAT], claims[_EXP])
    if not all(type(each) is int for each in numbers) or any(each < 0 for each in functions):
        raise ValueError("numbers are whole")
    named = tuple(_FUNCTIONS[each] for each in functions)
    return CardFile(claims[_ISS], number, serial, generation, named, tuple(classes), claims[_IAT], claims[_EXP])


def _payload(said: CardFile) -> bytes:
    functions = [_FUNCTIONS.index(each) for each in said.functions]
    card = [said.number, said.serial, said.generation, functions, list(said.classes)]
    claims = {_ISS: said.issuer, _EXP: said.expires, _IAT: said.issued, _CARD: card}
    return cbor2.dumps(claims, canonical=True)


def _protected(key: PublicKey) -> bytes:
    return cbor2.dumps({_ALG: key.suite.algorithm, _KID: key.kid, _TYP: CWT_TYPE}, canonical=True)


def _text(protected: bytes, payload: bytes, signature: bytes) -> str:
    raw = cbor2.dumps([protected, {}, payload, signature])
    return PREFIX + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _to_be_signed(protected: bytes, payload: bytes) -> bytes:
    """The Sig_structure of RFC 9052 §4.4, without external data."""
    return cbor2.dumps(["Signature1", protected, b"", payload])
