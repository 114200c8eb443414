"""Signature suites: which algorithm signs a code, its COSE number, and the keys it takes.

A suite is a row of data; nothing that encodes or verifies a code knows which there are. A key belongs to one suite, so
a code cannot choose how it is checked.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from nacl.bindings import crypto_sign, crypto_sign_open, crypto_sign_seed_keypair
from nacl.exceptions import BadSignatureError

from onecard_kit import sm2

SIGNATURE_BYTES: Final = 64
KID_BYTES: Final = 2
SEED_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Suite:
    """One signature algorithm.

    `algorithm` is its number in the COSE algorithms registry. `key_pair` turns a 32-byte seed into the (secret, public)
    that `sign(secret, message)` and `verify(public, message, signature)` take; signatures are 64 bytes in every suite.
    `verify` answers False for whatever is not a signature of the message, wrong lengths included. `is_ready` says
    whether this machine has what the suite takes; asking a suite that is not ready to do anything raises RuntimeError.
    """

    name: str
    algorithm: int
    public_bytes: int
    key_pair: Callable[[bytes], tuple[bytes, bytes]] = field(repr=False)
    sign: Callable[[bytes, bytes], bytes] = field(repr=False)
    verify: Callable[[bytes, bytes, bytes], bool] = field(repr=False)
    is_ready: Callable[[], bool] = field(repr=False, default=lambda: True)

    @property
    def header_start(self) -> bytes:
        """The protected header {1: algorithm, 4: kid} in deterministic CBOR (RFC 8949 §4.2.1), up to the kid."""
        return b"\xa2\x01" + _negative(self.algorithm) + b"\x04" + bytes((0x40 + KID_BYTES,))


def _negative(number: int) -> bytes:
    """A negative integer in CBOR's shortest form."""
    rest = -1 - number
    if rest < 24:
        return bytes((0x20 + rest,))
    width, head = (1, 0x38) if rest < 1 << 8 else (2, 0x39) if rest < 1 << 16 else (4, 0x3A)
    return bytes((head,)) + rest.to_bytes(width, "big")


def _ed25519_key_pair(seed: bytes) -> tuple[bytes, bytes]:
    public, secret = crypto_sign_seed_keypair(seed)
    return secret, public


def _ed25519_sign(secret: bytes, message: bytes) -> bytes:
    return crypto_sign(message, secret)[:SIGNATURE_BYTES]


def _ed25519_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    # libsodium reads 32 and 64 bytes whatever it is given, so a wrong length must not reach it.
    if len(public) != 32 or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        crypto_sign_open(signature + message, public)
    except BadSignatureError:
        return False
    return True


ED25519: Final = Suite("ed25519", -8, 32, _ed25519_key_pair, _ed25519_sign, _ed25519_verify)
"""Ed25519 (RFC 8032) by libsodium, which verifies about twice as fast as OpenSSL and refuses malleable signatures."""

SM2: Final = Suite("sm2", -70_002, sm2.PUBLIC_BYTES, sm2.key_pair, sm2.sign, sm2.verify, sm2.is_ready)
"""SM2 with SM3 (GB/T 32918.2) by OpenSSL 3, for nodes bound to 国密; r ‖ s, and the point as 04 ‖ x ‖ y. COSE's
registry does not know it, so its number is one of those below -65536, which are for private use."""

SUITES: Final = {suite.name: suite for suite in (ED25519, SM2)}


class Purpose(StrEnum):
    """What an issuer's key signs: codes of phones, lists and packs, which live for minutes or days; or what is lasting,
    paper codes and card files, which live for years. Neither key signs for the other, so that a key whose codes have
    run out can do no harm, and the loss of one is not the loss of both.
    """

    CODES = "codes"
    LASTING = "lasting"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that verifies codes: its suite, its two-byte id (unique within an issuer), the public bytes and what it is
    for.

    The two derived fields are what every code under this key must carry and sign; they are made once so that verifying
    a code compares bytes instead of reading CBOR. Raises ValueError when a length does not fit the suite.
    """

    suite: Suite
    kid: bytes
    public: bytes
    purpose: Purpose = Purpose.CODES
    protected: bytes = field(init=False, repr=False)
    signed_start: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.kid) != KID_BYTES or len(self.public) != self.suite.public_bytes:
            raise ValueError("a public key has a two-byte kid and as many public bytes as its suite says")
        protected = self.suite.header_start + self.kid
        object.__setattr__(self, "protected", protected)
        # Sig_structure of RFC 9052 §4.4 up to its payload: no external data, so the third element is empty.
        start = b"\x84\x6aSignature1" + bytes((0x40 + len(protected),)) + protected + b"\x40"
        object.__setattr__(self, "signed_start", start)


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that signs codes. `secret` is in the suite's own form; make one with `Signer.of(suite, kid, seed)`."""

    public_key: PublicKey
    secret: bytes = field(repr=False)

    @classmethod
    def of(cls, suite: Suite, kid: bytes, seed: bytes, purpose: Purpose = Purpose.CODES) -> "Signer":
        """A signer from its 32-byte seed; raises ValueError when a length is wrong."""
        if len(seed) != SEED_BYTES:
            raise ValueError(f"a seed has {SEED_BYTES} bytes")
        secret, public = suite.key_pair(seed)
        return cls(PublicKey(suite, kid, public, purpose), secret)

    @property
    def kid(self) -> bytes:
        return self.public_key.kid

    def sign(self, message: bytes) -> bytes:
        return self.public_key.suite.sign(self.secret, message)
