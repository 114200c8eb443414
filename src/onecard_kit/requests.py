"""How a terminal (终端) proves that a request is its own: HMAC-SHA256 under the key it was given at pairing.

    signature = hex( HMAC-SHA256( key, method LF path LF time LF journal LF sequence LF hex(SHA-256(body)) ) )

Method in upper case; path as on the request line, query included; time in whole Unix seconds; sequence in decimal; hex
in lower case. Terminal and key id are not signed: the key id selects a key, the key belongs to one terminal, and the
server refuses a request that names another. Replay within the tolerance is harmless because (terminal, journal,
sequence) identifies the request.
"""

import hmac
from hashlib import sha256
from typing import Final

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


def sign(key: bytes, method: str, path: str, time: int, journal: str, sequence: int, body: bytes) -> str:
    """The value of `OneCard-Signature`. Raises ValueError when a text holds a line end, which would blur the fields."""
    if "\n" in method or "\n" in path or "\n" in journal:
        raise ValueError("no signed field contains a line end")
    message = f"{method}\n{path}\n{time}\n{journal}\n{sequence}\n{sha256(body).hexdigest()}"
    return hmac.digest(key, message.encode("utf-8", "surrogatepass"), "sha256").hex()


def verify(
    key: bytes, signature: str, method: str, path: str, time: int, journal: str, sequence: int, body: bytes
) -> bool:
    """Whether `signature` is this request's under this key; compared in constant time.

    Says nothing about time: the caller compares `time` with its clock and `TIME_TOLERANCE_S`.
    """
    try:
        expected = sign(key, method, path, time, journal, sequence, body)
    except ValueError:
        return False
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogatepass"))
