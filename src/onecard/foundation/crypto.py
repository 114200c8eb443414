"""Sealed values and blind indexes: how personal data lies in the database.

A sealed value is AES-256-GCM (NIST SP 800-38D), or SM4-GCM (RFC 8998) where its key's entry in the ring says so::

    version (1 byte) | key id (1 byte) | nonce (12 random bytes) | ciphertext and tag (plaintext + 16 bytes)

The version is 0x01 for AES and 0x02 for SM4, and must be that of the key. Its associated data name the place it belongs
to, ``table.column:row_id``, and the two leading bytes: a value copied into another row or column no longer opens.
Random nonces are safe for 2^32 values under one key; rotate long before.
"""

import hmac
import os
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4

from onecard.foundation.errors import OneCardError
from onecard.foundation.keys import Key, Keyring, derive_from

NONCE_BYTES = 12
TAG_BYTES = 16
OVERHEAD_BYTES = 2 + NONCE_BYTES + TAG_BYTES
BLIND_INDEX_BYTES = 16


def seal(keyring: Keyring, plaintext: bytes, aad: str) -> bytes:
    """Encrypt under the ring's current key for one place, `aad` = ``table.column:row_id``. Adds 30 bytes."""
    key = keyring.current
    head = bytes((CIPHERS[key.cipher].version, key.id))
    nonce = os.urandom(NONCE_BYTES)
    return head + nonce + _sealer(key).encrypt(nonce, plaintext, head + aad.encode())


def open_sealed(keyring: Keyring, value: bytes | memoryview, aad: str) -> bytes:
    """Decrypt a sealed value of this place.

    Raises OneCardError SEAL_BROKEN if it was altered, moved from another place or sealed under other keys, Unavailable
    KEY_UNKNOWN if its key is not in the ring.
    """
    value = bytes(value)
    if len(value) < OVERHEAD_BYTES or value[0] not in _VERSIONS:
        raise _broken(aad)
    key = keyring.by_id(value[1])
    if value[0] != CIPHERS[key.cipher].version:
        raise _broken(aad)
    head, nonce, sealed = value[:2], value[2 : 2 + NONCE_BYTES], value[2 + NONCE_BYTES :]
    try:
        return _sealer(key).decrypt(nonce, sealed, head + aad.encode())
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


class Sealer(Protocol):
    """Authenticated encryption under one key; `decrypt` raises InvalidTag."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes: ...


class SM4GCM:
    """SM4 (GB/T 32907) in Galois/Counter Mode with a key of 16 bytes (RFC 8998 §2); the tag follows the ciphertext."""

    def __init__(self, key: bytes) -> None:
        self._algorithm = SM4(key)

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        encryptor = Cipher(self._algorithm, modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(associated_data)
        return encryptor.update(data) + encryptor.finalize() + encryptor.tag

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        decryptor = Cipher(self._algorithm, modes.GCM(nonce, data[-TAG_BYTES:])).decryptor()
        decryptor.authenticate_additional_data(associated_data)
        return decryptor.update(data[:-TAG_BYTES]) + decryptor.finalize()


class _Row(NamedTuple):
    """A cipher: its version in a sealed value, and how it is made of a ring's key."""

    version: int
    of: Callable[[Key], Sealer]


# Sealing uses a subkey of its own for each cipher, so that no secret serves two algorithms.
CIPHERS = {
    "aes-256-gcm": _Row(1, lambda key: AESGCM(derive_from(key, "seal"))),
    "sm4-gcm": _Row(2, lambda key: SM4GCM(derive_from(key, "seal:sm4")[:16])),
}
_VERSIONS = frozenset(row.version for row in CIPHERS.values())


@lru_cache(maxsize=1024)
def _sealer(key: Key) -> Sealer:
    return CIPHERS[key.cipher].of(key)


def _broken(aad: str) -> OneCardError:
    return OneCardError(
        "SEAL_BROKEN",
        f"加密数据无法打开（{aad}）。",
        f"A sealed value does not open ({aad}).",
        next_zh="数据可能被改动或密钥不匹配，请联系系统管理员。",
        next_en="It was altered or sealed under other keys; call the system administrator.",
    )
