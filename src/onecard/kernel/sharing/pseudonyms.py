"""Pseudonyms (代号): the name under which one client knows a holder. Each client has others, and nothing is stored.

A pseudonym is one block of AES-256 under a key of the client's own: the holder's id and eight fixed bytes, by which a
made-up one is told from a real one. So it can be turned back by us, two clients cannot compare theirs, and no register
of who knows whom exists. In 26 characters of base32, lower case.
"""

import base64
import binascii
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB

from onecard.foundation import keys

CHARS = 26
PATTERN = r"^[a-z2-7]{26}$"
_MARK = b"1card-ps"
_ID_MAX = (1 << 63) - 1


def of_holder(client_id: int, holder_id: int) -> str:
    """The pseudonym of a holder for a client, always the same."""
    encryptor = _cipher(client_id).encryptor()
    block = encryptor.update(holder_id.to_bytes(8, "big") + _MARK) + encryptor.finalize()
    return base64.b32encode(block).decode().rstrip("=").lower()


def holder_of(client_id: int, pseudonym: str) -> int | None:
    """The holder whom a client knows under a pseudonym; None for one that this client was never given."""
    try:
        block = base64.b32decode(pseudonym.upper() + "=" * 6)
    except (binascii.Error, ValueError):
        return None
    if len(block) != 16:
        return None
    decryptor = _cipher(client_id).decryptor()
    plain = decryptor.update(block) + decryptor.finalize()
    holder_id = int.from_bytes(plain[:8], "big")
    known = hmac.compare_digest(plain[8:], _MARK) and holder_id <= _ID_MAX
    # The last character has bits to spare: one spelling for one name.
    return holder_id if known and of_holder(client_id, holder_id) == pseudonym else None


def _cipher(client_id: int) -> "Cipher[ECB]":
    """A permutation of sixteen bytes for each client. One block alone is what ECB is for."""
    key = hmac.digest(keys.load("clients").derive("pseudonym"), client_id.to_bytes(8, "big"), "sha256")
    return Cipher(AES256(key), ECB())  # noqa: S305
