"""The chain's arithmetic: canonical bytes of a fact, digest of a batch, the text an anchor signs. Pure.

A digest is ``SHA-256(previous digest || fact || fact || …)``. A fact is its fields in order, each as a 4-byte
big-endian length and its UTF-8 bytes: transaction id and id in decimal, time in microseconds since 1970 in decimal,
actor, verb, subject, place, reason, detail as PostgreSQL's jsonb text. The lengths keep text from moving between
fields.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable
from typing import Any

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

GENESIS = bytes(32)


def canonical(fact: tuple[Any, ...]) -> bytes:
    """The bytes of a fact, fields in the order of `sql/committed_facts.sql`."""
    parts = []
    for value in fact:
        encoded = str(value).encode()
        parts.append(len(encoded).to_bytes(4, "big"))
        parts.append(encoded)
    return b"".join(parts)


def begin(previous: bytes) -> "hashlib._Hash":
    """The running digest of a batch on top of the one before; update it with `canonical` facts."""
    return hashlib.sha256(previous)


def digest_of(previous: bytes, facts: Iterable[tuple[Any, ...]]) -> tuple[bytes, int]:
    """The digest of a batch on top of the one before, and how many facts went in."""
    state = begin(previous)
    count = 0
    for fact in facts:
        state.update(canonical(fact))
        count += 1
    return state.digest(), count


def anchor_text(day: dt.date, seal: int, digest: bytes) -> bytes:
    """What an anchor signs."""
    return f"onecard-anchor\n{day.isoformat()}\n{seal}\n{digest.hex()}\n".encode()


def sign_anchor(seed: bytes, text: bytes) -> bytes:
    """Ed25519 (RFC 8032) over an anchor's text; `seed` is 32 bytes."""
    return SigningKey(seed).sign(text).signature


def anchor_holds(seed: bytes, text: bytes, signature: bytes) -> bool:
    """Whether a signature is the one this node made over the text."""
    try:
        _verify_key(seed).verify(text, signature)
    except (BadSignatureError, ValueError):
        return False
    return True


def _verify_key(seed: bytes) -> VerifyKey:
    return SigningKey(seed).verify_key
