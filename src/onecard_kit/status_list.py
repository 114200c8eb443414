"""Status lists (状态列表): which e-cards are paused or void, for gates that decide without a line.

IETF Token Status List: two bits an e-card at the index that its codes carry (`ref`, under the day's permutation),
compressed with zlib, signed as a CWT (COSE_Sign1) or a JWT. Functions over bytes: who serves or fetches a list is not
here. A gate looks one entry up by shifting, so the list of a day costs it four megabytes once codes of that day are
shown, and before that no more than what was fetched.
"""

import base64
import datetime as dt
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import Any, Final

import cbor2

from onecard_kit.suites import PublicKey, Signer

BITS: Final = 2
JWT_TYPE: Final = "statuslist+jwt"
CWT_TYPE: Final = "application/statuslist+cwt"
# Nothing unpacked is larger: what a stranger compressed must not fill a gate's memory.
BYTES_MAX: Final = 1 << 26
_PART_BYTES: Final = 1 << 16
_ENTRIES_PER_BYTE: Final = 8 // BITS
# Claims of RFC 8392 and of the draft's CWT form.
_SUB, _EXP, _IAT, _TTL, _STATUS_LIST = 2, 4, 6, 65534, 65533
_ALG, _KID, _TYP = 1, 4, 16
_JWT_ALGORITHMS: Final = {"ed25519": "EdDSA", "sm2": "SM2"}


class Status(IntEnum):
    """What a gate does with a code: SUSPENDED is lost, paused or locked and not yet cancelled; INVALID is cancelled,
    or the e-card is closed.
    """

    VALID = 0
    INVALID = 1
    SUSPENDED = 2


# By value; the last has no name here.
_NAMED: Final[tuple[Status, ...]] = (*Status, Status.INVALID)


class ListRefused(Exception):
    """A list that is not one of ours: malformed, or not signed by a key in force. Says which in `reason`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class StatusList:
    """A list as it is looked up: `subject` names it (issuer and day), made at `issued`, to be refused from `expires` on
    (Unix seconds), and to be asked for again after `ttl_s`. `packed` are the entries as `compress` leaves them.
    """

    subject: str
    issued: int
    expires: int
    ttl_s: int
    packed: bytes = field(repr=False)

    @cached_property
    def entries(self) -> bytes:
        """Opened when an entry is first looked up: most lists that a gate keeps for days without a line never are."""
        return zlib.decompress(self.packed)

    def status(self, index: int) -> Status:
        """The status at an index; INVALID past the list's end and for a value that has no name here."""
        if not 0 <= index < len(self.entries) * _ENTRIES_PER_BYTE:
            return Status.INVALID
        return _NAMED[self.entries[index // _ENTRIES_PER_BYTE] >> index % _ENTRIES_PER_BYTE * BITS & 3]

    def age_s(self, now: int) -> int:
        """Seconds since it was made."""
        return max(0, now - self.issued)


def subject_of(issuer: str, name: dt.date | str) -> str:
    """The subject of an issuing place's list, of the codes of a China day or of another name: its path at the place's
    gateway. A gate must compare it, since another list is as well signed and says nothing about these indexes.
    """
    return f"/v1/status-lists/{issuer}/{name if isinstance(name, str) else name.isoformat()}"


def compress(entries: bytes) -> bytes:
    """Entries as zlib data. Runs alone are looked for: marks stand at random places, so there is nothing else to find,
    and it is seven times as fast as zlib's usual search at a smaller result.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_RLE)
    return packer.compress(entries) + packer.flush()


def pack(size: int, marked: Iterable[tuple[int, Status]]) -> bytes:
    """`size` entries, all VALID but the marked ones. Raises ValueError for an index outside."""
    packed = bytearray(-(-size // _ENTRIES_PER_BYTE))
    for index, status in marked:
        if not 0 <= index < size:
            raise ValueError(f"no index of a list of {size}: {index}")
        packed[index // _ENTRIES_PER_BYTE] |= status << index % _ENTRIES_PER_BYTE * BITS
    return bytes(packed)


# --- CWT ----------------------------------------------------------------------------------------------------------


def to_cwt(made: StatusList, signer: Signer) -> bytes:
    """A list as a signed CWT, tagged as COSE_Sign1."""
    key = signer.public_key
    protected = cbor2.dumps({_ALG: key.suite.algorithm, _KID: key.kid, _TYP: CWT_TYPE}, canonical=True)
    body = {"bits": BITS, "lst": made.packed}
    claims = {_SUB: made.subject, _EXP: made.expires, _IAT: made.issued, _TTL: made.ttl_s, _STATUS_LIST: body}
    payload = cbor2.dumps(claims)
    signature = signer.sign(_to_be_signed(protected, payload))
    return cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, signature]))


def from_cwt(raw: bytes, keys: Mapping[bytes, PublicKey]) -> StatusList:
    """Read a CWT that one of `keys` (by kid) signed. Raises ListRefused, and nothing else."""
    try:
        protected, _, payload, signature = cbor2.loads(raw).value
        if not all(isinstance(part, bytes) for part in (protected, payload, signature)):
            raise ListRefused("it is no status list")
        header = cbor2.loads(protected)
        key = keys.get(header[_KID])
        if header.get(_TYP) != CWT_TYPE or key is None or header[_ALG] != key.suite.algorithm:
            raise ListRefused("no key of ours signed it")
        signed = _to_be_signed(protected, payload)
    except ListRefused:
        raise
    except Exception:
        raise ListRefused("it is no status list") from None
    if not key.suite.verify(key.public, signed, signature):
        raise ListRefused("its signature is not valid")
    try:
        claims = cbor2.loads(payload)
        body = claims[_STATUS_LIST]
        return _read(claims[_SUB], claims[_IAT], claims[_EXP], claims[_TTL], body["bits"], body["lst"])
    except ListRefused:
        raise
    except Exception:
        raise ListRefused("its claims cannot be read") from None


def _to_be_signed(protected: bytes, payload: bytes) -> bytes:
    """The Sig_structure of RFC 9052 §4.4, without external data."""
    return cbor2.dumps(["Signature1", protected, b"", payload])


# --- JWT ----------------------------------------------------------------------------------------------------------


def to_jwt(made: StatusList, signer: Signer) -> str:
    """A list as a signed JWT in its compact form."""
    body = {"bits": BITS, "lst": _base64(made.packed)}
    claims = {"sub": made.subject, "iat": made.issued, "exp": made.expires, "ttl": made.ttl_s, "status_list": body}
    return sign_jwt(JWT_TYPE, claims, signer)


def from_jwt(text: str, keys: Mapping[bytes, PublicKey]) -> StatusList:
    """Read a JWT that one of `keys` (by kid) signed. Raises ListRefused, and nothing else."""
    try:
        claims = read_jwt(JWT_TYPE, text, keys)
        body = claims["status_list"]
        return _read(claims["sub"], claims["iat"], claims["exp"], claims["ttl"], body["bits"], _unbase64(body["lst"]))
    except ListRefused:
        raise
    except Exception:
        raise ListRefused("its claims cannot be read") from None


def sign_jwt(kind: str, claims: Mapping[str, Any], signer: Signer) -> str:
    """Claims as a signed JWT of a kind (`typ`), in its compact form."""
    return sign_jwt_bytes(kind, _json(claims), signer)


def sign_jwt_bytes(kind: str, claims: bytes, signer: Signer) -> str:
    """The same for claims that are written as JSON already."""
    key = signer.public_key
    header = {"alg": _JWT_ALGORITHMS[key.suite.name], "kid": key.kid.hex(), "typ": kind}
    text = f"{_base64(_json(header))}.{_base64(claims)}"
    return f"{text}.{_base64(signer.sign(text.encode()))}"


def read_jwt(kind: str, text: str, keys: Mapping[bytes, PublicKey]) -> dict[str, Any]:
    """The claims of a JWT of a kind that one of `keys` (by kid) signed. Raises ListRefused, and nothing else."""
    try:
        claims = json.loads(read_jwt_bytes(kind, text, keys))
    except ListRefused:
        raise
    except Exception:
        raise ListRefused("its claims cannot be read") from None
    if not isinstance(claims, dict):
        raise ListRefused("its claims cannot be read")
    return claims


def read_jwt_bytes(kind: str, text: str, keys: Mapping[bytes, PublicKey]) -> bytes:
    """The same, its claims as the JSON that was signed. Raises ListRefused, and nothing else."""
    try:
        signed, _, signature = text.rpartition(".")
        header_text, _, claims_text = signed.partition(".")
        header = json.loads(_unbase64(header_text))
        key = keys.get(bytes.fromhex(header["kid"]))
        fits = key is not None and header["alg"] == _JWT_ALGORITHMS[key.suite.name]
        if header.get("typ") != kind or key is None or not fits:
            raise ListRefused("no key of ours signed it")
        if not key.suite.verify(key.public, signed.encode(), _unbase64(signature)):
            raise ListRefused("its signature is not valid")
        return _unbase64(claims_text)
    except ListRefused:
        raise
    except Exception:
        raise ListRefused("it is no status list") from None


def _read(subject: Any, issued: Any, expires: Any, ttl_s: Any, bits: Any, packed: bytes) -> StatusList:
    if bits != BITS or not isinstance(subject, str) or not all(type(n) is int for n in (issued, expires, ttl_s)):
        raise ListRefused("its claims are not those of our lists")
    if not _opens(packed):
        raise ListRefused("it is too large, or its end is missing")
    return StatusList(subject, issued, expires, ttl_s, packed)


def _opens(packed: bytes) -> bool:
    """Whether there is a whole list in it, of no more than the largest size; nothing of it is kept."""
    inflate, size, rest = zlib.decompressobj(), 0, packed
    while not inflate.eof and (opened := inflate.decompress(rest, _PART_BYTES)):
        size, rest = size + len(opened), inflate.unconsumed_tail
        if size > BYTES_MAX:
            return False
    return inflate.eof and not inflate.unused_data


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _unbase64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
