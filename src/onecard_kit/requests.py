"""How a terminal (终端) proves that a request is its own: a MAC under the key it was given at pairing.

    signature = hex( HMAC( key, method LF path LF time LF journal LF sequence LF hex(digest(body)) ) )

HMAC (RFC 2104) and digest are of SHA-256, or of SM3 (GB/T 32905) where the pairing said `hmac-sm3`. The algorithm
belongs to the key and is in no header, so that no request chooses how it is checked. Method in upper case; path as on
the request line, query included; time in whole Unix seconds; sequence in decimal; hex in lower case. Terminal and key
id are not signed: the key id selects a key, the key belongs to one terminal, and the server refuses a request that
names another. Replay within the tolerance is harmless because (terminal, journal, sequence) identifies the request.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hmac import HMAC

TERMINAL: Final = "OneCard-Terminal"
KEY: Final = "OneCard-Key"
TIME: Final = "OneCard-Time"
JOURNAL: Final = "OneCard-Journal"
SEQUENCE: Final = "OneCard-Sequence"
SIGNATURE: Final = "OneCard-Signature"
HEADERS: Final = (TERMINAL, KEY, TIME, JOURNAL, SEQUENCE, SIGNATURE)
"""The six headers of a signed request, in the order they are written."""

TIME_TOLERANCE_S: Final = 300
"""How far `OneCard-Time` may be from the server's clock; further away, the terminal must set its clock first."""


@dataclass(frozen=True, slots=True)
class Mac:
    """One algorithm of terminals' keys: its name, the hex digest of a body, and the MAC of a message under a key."""

    name: str
    digest: Callable[[bytes], str]
    of: Callable[[bytes, bytes], bytes]


def _sha256(body: bytes) -> str:
    return sha256(body).hexdigest()


def _hmac_sha256(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _sm3(body: bytes) -> str:
    # Imported late: a gate whose keys are all of the other kind does without this library.
    from cryptography.hazmat.primitives.hashes import SM3, Hash

    digest = Hash(SM3())
    digest.update(body)
    return digest.finalize().hex()


def _hmac_sm3(key: bytes, message: bytes) -> bytes:
    mac = _begun_hmac_sm3(key).copy()
    mac.update(message)
    return mac.finalize()


@lru_cache(maxsize=4096)
def _begun_hmac_sm3(key: bytes) -> "HMAC":
    """The MAC with its key already taken in, which is half the work of a short message."""
    from cryptography.hazmat.primitives.hashes import SM3
    from cryptography.hazmat.primitives.hmac import HMAC

    return HMAC(key, SM3())


HMAC_SHA256: Final = Mac("hmac-sha256", _sha256, _hmac_sha256)
HMAC_SM3: Final = Mac("hmac-sm3", _sm3, _hmac_sm3)
MACS: Final = {mac.name: mac for mac in (HMAC_SHA256, HMAC_SM3)}


def sign(
    key: bytes,
    method: str,
    path: str,
    time: int,
    journal: str,
    sequence: int,
    body: bytes,
    *,
    mac: Mac = HMAC_SHA256,
) -> str:
    """The value of `OneCard-Signature`. Raises ValueError when a text holds a line end, which would blur the fields."""
    if "\n" in method or "\n" in path or "\n" in journal:
        raise ValueError("no signed field contains a line end")
    message = f"{method}\n{path}\n{time}\n{journal}\n{sequence}\n{mac.digest(body)}"
    return mac.of(key, message.encode("utf-8", "surrogatepass")).hex()


def verify(
    key: bytes,
    signature: str,
    method: str,
    path: str,
    time: int,
    journal: str,
    sequence: int,
    body: bytes,
    *,
    mac: Mac = HMAC_SHA256,
) -> bool:
    """Whether `signature` is this request's under this key; compared in constant time.

    Says nothing about time: the caller compares `time` with its clock and `TIME_TOLERANCE_S`.
    """
    try:
        expected = sign(key, method, path, time, journal, sequence, body, mac=mac)
    except ValueError:
        return False
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogatepass"))
