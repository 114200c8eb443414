"""Sealed values and blind indexes: how personal data lies in the database.

A sealed value is AES-256-GCM (NIST SP 800-38D)::

    version (1 byte, 0x01) | key id (1 byte) | nonce (12 random bytes) | ciphertext and tag (plaintext + 16 bytes)

Its associated data name the place it belongs to, ``table.column:row_id``, and the two leading bytes: a value copied
into another row or column no longer opens. Random nonces are safe for 2^32 values under one key; rotate long before.
"""

import hmac
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from onecard.foundation.errors import OneCardError
from onecard.foundation.keys import Key, Keyring, derive_from

VERSION = 1
NONCE_BYTES = 12
OVERHEAD_BYTES = 2 + NONCE_BYTES + 16
BLIND_INDEX_BYTES = 16


def seal(keyring: Keyring, plaintext: bytes, aad: str) -> bytes:
    """Encrypt under the ring's current key for one place, `aad` = ``table.column:row_id``. Adds 30 bytes."""
    head = bytes((VERSION, keyring.current.id))
    nonce = os.urandom(NONCE_BYTES)
    return head + nonce + _cipher(keyring.current).encrypt(nonce, plaintext, head + aad.encode())


def open_sealed(keyring: Keyring, value: bytes | memoryview, aad: str) -> bytes:
    """Decrypt a sealed value of this place.

    Raises OneCardError SEAL_BROKEN if it was altered, moved from another place or sealed under other keys, Unavailable
    KEY_UNKNOWN if its key is not in the ring.
    """
    value = bytes(value)
    if len(value) < OVERHEAD_BYTES or value[0] != VERSION:
        raise _broken(aad)
    head, nonce, sealed = value[:2], value[2 : 2 + NONCE_BYTES], value[2 + NONCE_BYTES :]
    try:
        return _cipher(keyring.by_id(value[1])).decrypt(nonce, sealed, head + aad.encode())
    except InvalidTag:
        raise _broken(aad) from None


def key_id(value: bytes | memoryview) -> int:
    """The number of the key that a sealed value names."""
    return value[1]


def blind_index(keyring: Keyring, field: str, value: str) -> bytes:
    """16 bytes that find an exact value without being readable: HMAC-SHA256 under a key of its field, truncated.

    Normalise `value` first (NFC, upper case, …): equal must mean equal bytes. Stable across key rotation.
    """
    return hmac.digest(keyring.derive(f"index:{field}"), value.encode(), "sha256")[:BLIND_INDEX_BYTES]


@lru_cache(maxsize=1024)
def _cipher(key: Key) -> AESGCM:
    """The cipher of a key; sealing uses a subkey, so that no secret serves two algorithms."""
    return AESGCM(derive_from(key, "seal"))


def _broken(aad: str) -> OneCardError:
    return OneCardError(
        "SEAL_BROKEN",
        f"加密数据无法打开（{aad}）。",
        f"A sealed value does not open ({aad}).",
        next_zh="数据可能被改动或密钥不匹配，请联系系统管理员。",
        next_en="It was altered or sealed under other keys; call the system administrator.",
    )
