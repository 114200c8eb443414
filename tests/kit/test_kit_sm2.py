"""SM2 against the standard's example, the openssl program and Tongsuo, both ways; and against everything that is no
signature."""

import re
import shutil
import subprocess
from base64 import b32decode, b32encode, b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SM3, Hash
from hypothesis import given, settings
from hypothesis import strategies as st
from tongsuopy.crypto import hashes as tongsuo_hashes
from tongsuopy.crypto.asymciphers import ec as tongsuo

from onecard_kit import sm2
from onecard_kit.codes import CHARS_MAX, PREFIX, Claims, CodeRefused, CodeTooLong, Refusal, Via, encode, verify
from onecard_kit.status_list import Status, StatusList, compress, from_cwt, from_jwt, pack, to_cwt, to_jwt
from onecard_kit.suites import ED25519, SM2, Signer

# The example of GB/T 32918.5, annex A.
PRIVATE = bytes.fromhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")
PUBLIC = bytes.fromhex(
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
MESSAGE = b"message digest"
SIGNATURE = bytes.fromhex(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)
SECRET, _ = SM2.key_pair(PRIVATE)
D = int.from_bytes(PRIVATE, "big")
few = settings(max_examples=30, deadline=None)
seeds = st.binary(min_size=32, max_size=32)
numbers = st.integers(1, sm2.N - 1)


def pair(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def test_the_example_of_the_standard() -> None:
    assert SM2.key_pair(PRIVATE)[1] == PUBLIC
    assert SM2.verify(PUBLIC, MESSAGE, SIGNATURE)
    assert not SM2.verify(PUBLIC, MESSAGE + b"\x00", SIGNATURE)


def test_the_digest_is_over_signer_and_message() -> None:
    """e of the example, and SM3 as another library computes it."""
    assert sm2._public_key(PUBLIC).digest(MESSAGE) == 0xF0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640
    other = Hash(SM3())
    other.update(b"abc")
    assert sm2._library().sm3_of(b"abc") == other.finalize()


@given(seeds, st.binary(max_size=300))
@few
def test_what_is_signed_verifies_and_only_under_its_key(seed: bytes, message: bytes) -> None:
    secret, public = SM2.key_pair(seed)
    signature = SM2.sign(secret, message)
    assert len(signature) == 64
    assert SM2.verify(public, message, signature)
    assert not SM2.verify(PUBLIC, message, signature)
    assert SM2.sign(secret, message) != signature


@pytest.mark.parametrize("seed", [0, 1, sm2.N - 2, sm2.N - 1, sm2.N, 2**256 - 1])
def test_every_seed_has_a_key(seed: int) -> None:
    """Numbers outside 1 … n-2 are brought inside; all others are the private number themselves."""
    secret, public = SM2.key_pair(seed.to_bytes(32, "big"))
    assert SM2.verify(public, b"", SM2.sign(secret, b""))
    inside = seed if 1 <= seed <= sm2.N - 2 else 1 + (seed - 1) % (sm2.N - 2)
    assert public == sm2._library().point_of(inside)


# --- judges -------------------------------------------------------------------------------------------------------

OPENSSL = shutil.which("openssl")
openssl = pytest.mark.skipif(OPENSSL is None, reason="the openssl program is not installed")
PUBLIC_START = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")


def pem(what: str, der: bytes) -> bytes:
    return b"-----BEGIN %b-----\n%b\n-----END %b-----\n" % (what.encode(), b64encode(der), what.encode())


def pkeyutl(folder: Path, *arguments: str, distid: bool = True) -> "subprocess.CompletedProcess[bytes]":
    """`openssl pkeyutl` over the raw message, with the identity string or with none at all."""
    (folder / "private").write_bytes(pem("PRIVATE KEY", SECRET))
    (folder / "public").write_bytes(pem("PUBLIC KEY", PUBLIC_START + PUBLIC))
    (folder / "message").write_bytes(MESSAGE)
    identity = ["-pkeyopt", "distid:1234567812345678"] if distid else []
    command = [str(OPENSSL), "pkeyutl", "-rawin", "-in", "message", "-digest", "sm3", *identity, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False)


def plain(der: bytes) -> bytes:
    return pair(*decode_dss_signature(der))


def in_der(signature: bytes) -> bytes:
    return encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))


@openssl
def test_openssl_verifies_what_we_sign(tmp_path: Path) -> None:
    (tmp_path / "signature").write_bytes(in_der(SM2.sign(SECRET, MESSAGE)))
    told = pkeyutl(tmp_path, "-verify", "-pubin", "-inkey", "public", "-sigfile", "signature")
    assert told.returncode == 0, told.stderr
    assert b"Verified Successfully" in told.stdout
    (tmp_path / "signature").write_bytes(in_der(SM2.sign(SECRET, MESSAGE + b".")))
    assert pkeyutl(tmp_path, "-verify", "-pubin", "-inkey", "public", "-sigfile", "signature").returncode != 0


@openssl
def test_we_verify_what_openssl_signs_with_the_identity_and_not_without(tmp_path: Path) -> None:
    assert SM2.verify(PUBLIC, MESSAGE, plain(pkeyutl(tmp_path, "-sign", "-inkey", "private").stdout))
    without = pkeyutl(tmp_path, "-sign", "-inkey", "private", distid=False)
    assert without.returncode == 0
    assert not SM2.verify(PUBLIC, MESSAGE, plain(without.stdout))


@given(seeds.filter(lambda seed: 0 < int.from_bytes(seed, "big") < sm2.N - 1), st.binary(max_size=300))
@few
def test_tongsuo_and_we_verify_each_other(seed: bytes, message: bytes) -> None:
    secret, public = SM2.key_pair(seed)
    stranger = tongsuo.derive_private_key(int.from_bytes(seed, "big"), tongsuo.SM2())
    theirs = stranger.public_key().public_numbers()
    assert public == b"\x04" + pair(theirs.x, theirs.y)
    with_sm3 = tongsuo.ECDSA(tongsuo_hashes.SM3())
    assert SM2.verify(public, message, plain(stranger.sign(message, with_sm3)))
    stranger.public_key().verify(in_der(SM2.sign(secret, message)), message, with_sm3)


# --- what is no signature -----------------------------------------------------------------------------------------


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_changed_bit_never_verifies(data: st.DataObject) -> None:
    parts = [bytearray(PUBLIC), bytearray(MESSAGE), bytearray(SIGNATURE)]
    changed = data.draw(st.sampled_from(parts))
    bit = data.draw(st.integers(0, len(changed) * 8 - 1))
    changed[bit // 8] ^= 1 << bit % 8
    assert not SM2.verify(*map(bytes, parts))


@given(st.binary(max_size=70) | st.binary(min_size=65, max_size=65), st.binary(max_size=70), st.binary(max_size=70))
def test_noise_never_verifies(public: bytes, message: bytes, signature: bytes) -> None:
    assert not SM2.verify(public, message, signature)
    assert not SM2.verify(PUBLIC, message, signature)
    assert not SM2.verify(public, MESSAGE, SIGNATURE)


@given(st.binary(min_size=64, max_size=64))
@few
def test_any_other_64_bytes_are_no_signature(signature: bytes) -> None:
    assert SM2.verify(PUBLIC, MESSAGE, signature) == (signature == SIGNATURE)


R, S = int.from_bytes(SIGNATURE[:32], "big"), int.from_bytes(SIGNATURE[32:], "big")
OUTSIDE = {
    "r is 0": (0, S),
    "s is 0": (R, 0),
    "both are 0": (0, 0),
    "r is n": (sm2.N, S),
    "s is n": (R, sm2.N),
    "r + s is n": (R, sm2.N - R),
    "s is 1": (R, 1),
    "the largest": (2**256 - 1, 2**256 - 1),
    "t·P is -G": (R, (-pow(D, -1, sm2.N) - R) % sm2.N),
    "the sum is no point": (R, -R * D * pow(1 + D, -1, sm2.N) % sm2.N),
}


@pytest.mark.parametrize(("r", "s"), OUTSIDE.values(), ids=OUTSIDE.keys())
def test_numbers_at_the_edge_are_refused(r: int, s: int) -> None:
    assert not SM2.verify(PUBLIC, MESSAGE, pair(r, s))


@given(numbers, numbers)
@few
def test_the_sum_over_tables_is_the_sum(s: int, t: int) -> None:
    """s·G + t·P is (s + t·d)·G, also where one of the two steps comes to no point."""
    key = sm2._public_key(PUBLIC)
    for some_s, some_t in ((s, t), (1, t), (s, -pow(D, -1, sm2.N) % sm2.N), (-t * D % sm2.N, t), (1, 1)):
        whole = (some_s + some_t * D) % sm2.N
        expected = int.from_bytes(sm2._library().point_of(whole)[1:33], "big") if whole else None
        assert key.x_of(some_s, some_t) == expected


@pytest.mark.parametrize(
    "public",
    [bytes(65), b"\x00" * 64 + b"\x01", b"\x04" + bytes(64), b"\x02" + PUBLIC[1:33], PUBLIC[1:], PUBLIC[:64] + b"\x14",
     b"\x06" + PUBLIC[1:], b"\x07" + PUBLIC[1:], b""],
)  # fmt: skip
def test_what_is_no_point_verifies_nothing(public: bytes) -> None:
    assert not SM2.verify(public, MESSAGE, SIGNATURE)


def test_many_threads_do_not_disturb_each_other() -> None:
    drawn = [SM2.key_pair(bytes([n]) * 32) for n in range(1, 9)]
    signed = [(public, SM2.sign(secret, bytes([n]))) for n, (secret, public) in enumerate(drawn)]

    def look(n: int) -> bool:
        public, signature = signed[n % 8]
        return SM2.verify(public, bytes([n % 8]), signature) and not SM2.verify(public, b"other", signature)

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(look, range(400)))


def test_more_keys_than_are_kept() -> None:
    sm2._public_key.cache_clear()
    try:
        for n in range(sm2.KEPT + 10):
            assert not SM2.verify(SM2.key_pair(n.to_bytes(32, "big"))[1], MESSAGE, SIGNATURE)
        assert sm2._public_key.cache_info().currsize == sm2.KEPT
        assert SM2.verify(PUBLIC, MESSAGE, SIGNATURE)
    finally:
        sm2._public_key.cache_clear()


# --- the library --------------------------------------------------------------------------------------------------


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The library is looked for anew, and once more afterwards."""
    caches = (sm2._library, sm2._known_is_right, sm2._public_key, sm2._private_key)
    for cache in caches:
        cache.cache_clear()
    yield monkeypatch
    for cache in caches:
        cache.cache_clear()


def test_a_machine_without_the_library_says_so(forgotten: pytest.MonkeyPatch) -> None:
    forgotten.setattr(sm2, "LIBRARY", "libcrypto.so.none")
    assert not SM2.is_ready()
    for ask in (lambda: SM2.key_pair(PRIVATE), lambda: SM2.verify(PUBLIC, MESSAGE, SIGNATURE)):
        with pytest.raises(sm2.NoLibrary, match="none"):
            ask()


def test_a_library_that_cannot_do_all_of_it_is_none(forgotten: pytest.MonkeyPatch) -> None:
    forgotten.setattr(sm2, "_GIVES_INT", sm2._GIVES_INT | {"SM2_of_the_future": ()})
    assert not SM2.is_ready()


def test_a_library_that_errs_is_not_used(forgotten: pytest.MonkeyPatch) -> None:
    forgotten.setattr(sm2, "_KNOWN", (sm2._KNOWN[0], b"another message", sm2._KNOWN[2]))
    assert not SM2.is_ready()


def test_without_tables_it_is_as_right(forgotten: pytest.MonkeyPatch) -> None:
    forgotten.setattr(sm2._Library, "prepare", lambda self, group: None)
    assert SM2.is_ready()
    assert SM2.verify(PUBLIC, MESSAGE, SM2.sign(SECRET, MESSAGE))
    assert not SM2.verify(PUBLIC, b"", SIGNATURE)


def test_what_is_no_private_key_signs_nothing() -> None:
    with pytest.raises(ValueError, match="private"):
        SM2.sign(b"\x30\x00", MESSAGE)


# --- what the suite signs -----------------------------------------------------------------------------------------

SIGNER = Signer.of(SM2, b"\x00\x02", PRIVATE)
KEYS = {("320600", b"\x00\x02"): SIGNER.public_key}


def some_claims(ref: int = 2**24 - 1, classes: tuple[int, ...] = (3, 7)) -> Claims:
    return Claims(
        "320600", b"\x00\x02", ref, Via.SELF, 1_767_225_600, 1_767_225_660, bytes(range(12)), classes
    )  # fmt: skip


SIZES = [
    ("ref below 65,536, no class", 65_535, (), 209),
    ("usual ref, no class", 2**24 - 1, (), 212),
    ("usual ref, three classes below 24", 2**24 - 1, (1, 2, 3), 217),
    ("usual ref, five classes below 24", 2**24 - 1, tuple(range(5)), 220),
    ("usual ref, two classes from 24", 2**24 - 1, (200, 201), 219),
]


@pytest.mark.parametrize(("what", "ref", "classes", "chars"), SIZES)
def test_codes_of_this_suite_fit(what: str, ref: int, classes: tuple[int, ...], chars: int) -> None:
    claims = some_claims(ref, classes)
    text = encode(claims, SIGNER)
    assert len(text) == chars <= CHARS_MAX
    assert verify(text, KEYS) == claims
    page = Path(__file__).parents[2] / "docs" / "code-format.md"
    assert re.search(rf"^\| {what} \| .* \| {chars} \|$", page.read_text("utf-8"), re.MULTILINE)


def test_one_class_more_is_refused_whole() -> None:
    with pytest.raises(CodeTooLong):
        encode(some_claims(classes=tuple(range(6))), SIGNER)


def test_every_bit_of_a_code_counts() -> None:
    body = encode(some_claims(), SIGNER).removeprefix(PREFIX)
    raw = b32decode(body + "=" * (-len(body) % 8))
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CodeRefused):
            verify(PREFIX + b32encode(flipped).decode().rstrip("="), KEYS)


def test_a_key_of_the_other_suite_is_another_key() -> None:
    other = Signer.of(ED25519, SIGNER.kid, PRIVATE)
    for signer, key in ((SIGNER, other.public_key), (other, SIGNER.public_key)):
        with pytest.raises(CodeRefused) as caught:
            verify(encode(some_claims(), signer), {("320600", signer.kid): key})
        assert caught.value.reason is Refusal.UNKNOWN_KEY


def test_status_lists_of_this_suite() -> None:
    made = StatusList(
        "320600/2026-03-01", 1_772_294_400, 1_772_467_200, 300, compress(pack(100, [(7, Status.SUSPENDED)]))
    )
    keys = {SIGNER.kid: SIGNER.public_key}
    assert from_cwt(to_cwt(made, SIGNER), keys) == from_jwt(to_jwt(made, SIGNER), keys) == made


def test_a_signer_does_not_print_its_secret() -> None:
    assert PRIVATE.hex() not in repr(SIGNER)
    assert "secret" not in repr(SIGNER)
