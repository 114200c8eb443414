"""SM2 signatures with SM3 (GB/T 32918.2, curve of GB/T 32918.5) by the operating system's libcrypto.so.3.

OpenSSL 3 signs, through EVP and with the identity string that GM/T 0009 gives to signers who agreed on none. It would
verify, too, but walks the curve for the issuer's point anew each time; an issuer's key verifies millions of codes, so
here each key brings tables, and verifying is the standard's formula over them, in half the time:

    e = SM3(Z ‖ message)      t = r + s mod n      (x, y) = s·G + t·P      valid if r = e + x mod n

`docs/decisions/0018-a-second-suite.md` says why this library; tests let EVP, the openssl program and Tongsuo judge it.
A machine without the library has no SM2 and needs none, unless its node or a key in force says `sm2`.
"""

import ctypes
import weakref
from functools import lru_cache
from threading import Lock
from typing import Final

SEED_BYTES: Final = 32
PUBLIC_BYTES: Final = 65
SIGNATURE_BYTES: Final = 64
IDENTITY: Final = b"1234567812345678"
LIBRARY: Final = "libcrypto.so.3"

N: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
"""The order of the curve's group."""

_UNCOMPRESSED: Final = 4
_CURVE: Final = bytes.fromhex(
    "fffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffc"  # a
    "28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93"  # b
    "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"  # G
    "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0"
)
# A PKCS #8 private key of this curve (RFC 5958, RFC 5915), up to its 32 bytes and from there to its public point.
_PKCS8_START: Final = bytes.fromhex("308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420")
_PKCS8_MIDDLE: Final = bytes.fromhex("a144034200")
# The example of GB/T 32918.5, annex A: what a library must say yes to before it is asked anything else.
_KNOWN: Final = (
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13",
    b"message digest",
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa",
)
KEPT: Final = 128
"""How many public keys stay ready to verify; each takes about 70 kB, and some milliseconds to make."""


class NoLibrary(RuntimeError):
    """This machine has no libcrypto that knows SM2."""


def is_ready() -> bool:
    """Whether this machine can sign and verify. The first call loads the library and tries it on a known signature."""
    try:
        return _known_is_right()
    except NoLibrary:
        return False


def key_pair(seed: bytes) -> tuple[bytes, bytes]:
    """(private key in PKCS #8, public point 04 ‖ x ‖ y) of a seed of 32 bytes.

    The seed is the private number itself; the one in four thousand million outside 1 … n-2 is brought inside.
    """
    library = _library()
    private = 1 + (int.from_bytes(seed, "big") - 1) % (N - 2)
    public = library.point_of(private)
    return _PKCS8_START + private.to_bytes(SEED_BYTES, "big") + _PKCS8_MIDDLE + public, public


def sign(secret: bytes, message: bytes) -> bytes:
    """r ‖ s of a message; another one each time, since SM2 draws a number."""
    return _private_key(secret).sign(message)


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether r ‖ s is a signature of the message under the point; False for all that is no point or no signature.

    Raises NoLibrary: a machine that cannot tell must not say no.
    """
    # OpenSSL would take a second spelling of the point, 06 or 07 ‖ x ‖ y.
    if len(public) != PUBLIC_BYTES or public[0] != _UNCOMPRESSED or len(signature) != SIGNATURE_BYTES:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    t = (r + s) % N
    if not (0 < r < N and 0 < s < N and t):
        return False
    try:
        key = _public_key(public)
    except ValueError:
        return False
    x = key.x_of(s, t)
    return x is not None and (key.digest(message) + x - r) % N == 0


# --- the library --------------------------------------------------------------------------------------------------

_POINTER: Final = ctypes.c_void_p
_INT: Final = ctypes.c_int
_TEXT: Final = ctypes.c_char_p
_SIZE: Final = ctypes.c_size_t
# Each function that is called, with what it takes; those that return an int come second.
_GIVES_POINTER: Final[dict[str, tuple[object, ...]]] = {
    "BN_CTX_new": (),
    "BN_new": (),
    "BN_value_one": (),
    "BN_bin2bn": (_TEXT, _INT, _POINTER),
    "EC_GROUP_new_by_curve_name": (_INT,),
    "EC_GROUP_get0_generator": (_POINTER,),
    "EC_GROUP_get0_order": (_POINTER,),
    "EC_GROUP_get0_cofactor": (_POINTER,),
    "EC_POINT_new": (_POINTER,),
    "EVP_MD_fetch": (_POINTER, _TEXT, _TEXT),
    "EVP_MD_CTX_new": (),
    "d2i_AutoPrivateKey": (_POINTER, _POINTER, ctypes.c_long),
}
_GIVES_INT: Final[dict[str, tuple[object, ...]]] = {
    "OBJ_sn2nid": (_TEXT,),
    "BN_bn2binpad": (_POINTER, _POINTER, _INT),
    "EC_GROUP_set_generator": (_POINTER, _POINTER, _POINTER, _POINTER),
    "EC_POINT_mul": (_POINTER, _POINTER, _POINTER, _POINTER, _POINTER, _POINTER),
    "EC_POINT_get_affine_coordinates": (_POINTER, _POINTER, _POINTER, _POINTER, _POINTER),
    "EC_POINT_oct2point": (_POINTER, _POINTER, _TEXT, _SIZE, _POINTER),
    "EC_POINT_point2oct": (_POINTER, _POINTER, _INT, _POINTER, _SIZE, _POINTER),
    "EVP_Digest": (_TEXT, _SIZE, _POINTER, _POINTER, _POINTER, _POINTER),
    "EVP_DigestSignInit": (_POINTER, _POINTER, _POINTER, _POINTER, _POINTER),
    "EVP_PKEY_CTX_set1_id": (_POINTER, _TEXT, _INT),
    "EVP_DigestSign": (_POINTER, _POINTER, _POINTER, _TEXT, _SIZE),
}
_GIVES_NOTHING: Final[dict[str, tuple[object, ...]]] = {
    "EC_GROUP_free": (_POINTER,),
    "EC_POINT_free": (_POINTER,),
    "EVP_MD_CTX_free": (_POINTER,),
    "EVP_PKEY_free": (_POINTER,),
    "ERR_clear_error": (),
}
_DER_MAX: Final = 80


class _Library:
    """The functions of libcrypto, and room for one calculation at a time: `lock` guards it.

    Raises NoLibrary when the library, one of its functions or the curve is not there.
    """

    def __init__(self) -> None:
        try:
            self.c = ctypes.CDLL(LIBRARY)
            for gives, table in ((_POINTER, _GIVES_POINTER), (_INT, _GIVES_INT), (None, _GIVES_NOTHING)):
                for name, takes in table.items():
                    function = getattr(self.c, name)
                    function.restype, function.argtypes = gives, takes
        except (OSError, AttributeError) as error:
            raise NoLibrary(str(error)) from None
        self.curve = self.c.OBJ_sn2nid(b"SM2")
        self.sm3 = self.c.EVP_MD_fetch(None, b"SM3", None)
        self.group = self.a_group()
        if not self.sm3:
            raise NoLibrary(f"{LIBRARY} has no SM3")
        self.generator = self.c.EC_GROUP_get0_generator(self.group)
        self.lock = Lock()
        self.one = self.c.BN_value_one()
        self.room = self.c.BN_CTX_new()
        self.first, self.second, self.x = self.c.BN_new(), self.c.BN_new(), self.c.BN_new()
        self.half, self.sum = self.c.EC_POINT_new(self.group), self.c.EC_POINT_new(self.group)
        self.bytes = ctypes.create_string_buffer(PUBLIC_BYTES)
        self.prepare(self.group)

    def a_group(self) -> int:
        """The curve's group, the caller's to free."""
        group: int | None = self.c.EC_GROUP_new_by_curve_name(self.curve)
        if not group:
            self.c.ERR_clear_error()
            raise NoLibrary(f"{LIBRARY} has no SM2")
        return group

    def prepare(self, group: int) -> None:
        """Make the tables of a group's generator. Right without them, only slower; a later OpenSSL may have none."""
        precompute = getattr(self.c, "EC_GROUP_precompute_mult", None)
        if precompute is not None:
            precompute.restype, precompute.argtypes = _INT, (_POINTER, _POINTER)
            precompute(group, self.room)

    def sm3_of(self, data: bytes) -> bytes:
        out = ctypes.create_string_buffer(32)
        self.c.EVP_Digest(data, len(data), out, None, self.sm3, None)
        return out.raw

    def point_of(self, private: int) -> bytes:
        """private·G, in constant time."""
        with self.lock:
            self.c.BN_bin2bn(private.to_bytes(32, "big"), 32, self.first)
            self.c.EC_POINT_mul(self.group, self.sum, self.first, None, None, self.room)
            self.c.EC_POINT_point2oct(self.group, self.sum, _UNCOMPRESSED, self.bytes, PUBLIC_BYTES, self.room)
            self.c.BN_bin2bn(bytes(32), 32, self.first)
            return self.bytes.raw


@lru_cache(maxsize=1)
def _library() -> _Library:
    return _Library()


@lru_cache(maxsize=1)
def _known_is_right() -> bool:
    public, message, signature = _KNOWN
    return verify(bytes.fromhex(public), message, bytes.fromhex(signature))


class _PublicKey:
    """A point with the tables of its multiples. Raises ValueError for bytes that are no point of the curve."""

    def __init__(self, public: bytes) -> None:
        self.library = _library()
        c = self.library.c
        self.group = self.library.a_group()
        weakref.finalize(self, c.EC_GROUP_free, self.group).atexit = False
        point = c.EC_POINT_new(self.group)
        try:
            with self.library.lock:
                if c.EC_POINT_oct2point(self.group, point, public, len(public), self.library.room) != 1:
                    c.ERR_clear_error()
                    raise ValueError("no point of the curve")
                order, cofactor = (
                    c.EC_GROUP_get0_order(self.library.group),
                    c.EC_GROUP_get0_cofactor(self.library.group),
                )
                c.EC_GROUP_set_generator(self.group, point, order, cofactor)
                self.library.prepare(self.group)
        finally:
            c.EC_POINT_free(point)
        bits = (len(IDENTITY) * 8).to_bytes(2, "big")
        self.start = self.library.sm3_of(bits + IDENTITY + _CURVE + public[1:])

    def digest(self, message: bytes) -> int:
        """e of the standard: SM3 over signer and message."""
        return int.from_bytes(self.library.sm3_of(self.start + message), "big")

    def x_of(self, s: int, t: int) -> int | None:
        """The x of s·G + t·P; None when that is no point.

        Tables help only where a group's own generator is multiplied together with another point, so the sum is made
        in two: t·P + 1·G in the group whose generator is P, then (s-1)·G + 1·that in the curve's own.
        """
        library, c = self.library, self.library.c
        with library.lock:
            c.BN_bin2bn(t.to_bytes(32, "big"), 32, library.first)
            c.BN_bin2bn((s - 1).to_bytes(32, "big"), 32, library.second)
            if not (
                c.EC_POINT_mul(self.group, library.half, library.first, library.generator, library.one, library.room)
                and c.EC_POINT_mul(library.group, library.sum, library.second, library.half, library.one, library.room)
                and c.EC_POINT_get_affine_coordinates(library.group, library.sum, library.x, None, library.room)
            ):
                c.ERR_clear_error()  # what is left there would be another caller's error
                return None
            c.BN_bn2binpad(library.x, library.bytes, 32)
            return int.from_bytes(library.bytes.raw[:32], "big")


@lru_cache(maxsize=KEPT)
def _public_key(public: bytes) -> _PublicKey:
    return _PublicKey(public)


class _PrivateKey:
    """A key that OpenSSL signs with."""

    def __init__(self, pkcs8: bytes) -> None:
        self.library = _library()
        place = _POINTER(ctypes.cast(ctypes.c_char_p(pkcs8), _POINTER).value)
        self.key = self.library.c.d2i_AutoPrivateKey(None, ctypes.byref(place), len(pkcs8))
        if not self.key:
            self.library.c.ERR_clear_error()
            raise ValueError("no private key of SM2")
        weakref.finalize(self, self.library.c.EVP_PKEY_free, self.key).atexit = False

    def sign(self, message: bytes) -> bytes:
        c = self.library.c
        context = c.EVP_MD_CTX_new()
        try:
            key_context, size = _POINTER(), _SIZE(_DER_MAX)
            der = ctypes.create_string_buffer(_DER_MAX)
            if (
                c.EVP_DigestSignInit(context, ctypes.byref(key_context), self.library.sm3, None, self.key) != 1
                or c.EVP_PKEY_CTX_set1_id(key_context, IDENTITY, len(IDENTITY)) != 1
                or c.EVP_DigestSign(context, der, ctypes.byref(size), message, len(message)) != 1
            ):
                c.ERR_clear_error()
                raise RuntimeError("OpenSSL could not sign")
        finally:
            c.EVP_MD_CTX_free(context)
        return _plain(der.raw[: size.value])


@lru_cache(maxsize=16)
def _private_key(pkcs8: bytes) -> _PrivateKey:
    return _PrivateKey(pkcs8)


def _plain(der: bytes) -> bytes:
    """r ‖ s of an ASN.1 sequence of two integers, as OpenSSL writes it."""
    middle = 4 + der[3]
    r, s = int.from_bytes(der[4:middle], "big"), int.from_bytes(der[middle + 2 :], "big")
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")
