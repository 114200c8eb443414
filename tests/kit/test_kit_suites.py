"""Ed25519 against the vectors of RFC 8032 §7.1, and the lengths libsodium itself does not check."""

from dataclasses import replace

import cbor2
import pytest

from onecard_kit.suites import ED25519, SUITES, PublicKey, Signer, Suite

# (seed, public, message, signature): TEST 1, TEST 2, TEST 3.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]
ORDER = 2**252 + 27742317777372353535851937790883648493


@pytest.mark.parametrize("vector", RFC_8032, ids=["test 1", "test 2", "test 3"])
def test_rfc_8032(vector: tuple[str, str, str, str]) -> None:
    seed, public, message, signature = map(bytes.fromhex, vector)
    signer = Signer.of(ED25519, b"\x00\x01", seed)
    assert signer.public_key.public == public
    assert signer.sign(message) == signature
    assert ED25519.verify(public, message, signature)
    assert not ED25519.verify(public, message + b"\x00", signature)


def test_a_signature_has_no_second_form() -> None:
    """S and S + L verify alike under careless code; RFC 8032 §5.1.7 wants the smaller one only."""
    _, public, message, signature = map(bytes.fromhex, RFC_8032[1])
    larger = (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")
    assert not ED25519.verify(public, message, signature[:32] + larger)


@pytest.mark.parametrize(("public", "signature"), [(31, 64), (33, 64), (0, 64), (32, 63), (32, 65), (32, 0)])
def test_wrong_lengths_are_no_signature(public: int, signature: int) -> None:
    assert not ED25519.verify(bytes(public), b"message", bytes(signature))


@pytest.mark.parametrize("public", [bytes(32), b"\x01" + bytes(31), b"\xff" * 32])
def test_a_weak_public_key_verifies_nothing(public: bytes) -> None:
    """The all-zero signature holds under points of small order if nobody looks."""
    assert not ED25519.verify(public, b"message", public + bytes(32))


@pytest.mark.parametrize(("kid", "public"), [(b"\x01", bytes(32)), (bytes(3), bytes(32)), (bytes(2), bytes(31))])
def test_a_public_key_has_the_lengths_of_its_suite(kid: bytes, public: bytes) -> None:
    with pytest.raises(ValueError, match="kid"):
        PublicKey(ED25519, kid, public)


def test_a_seed_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="seed"):
        Signer.of(ED25519, b"\x00\x01", bytes(31))


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES.keys())
def test_headers_are_deterministic_cbor(suite: Suite) -> None:
    key = Signer.of(suite, b"\x12\x34", bytes(32)).public_key
    assert key.protected == cbor2.dumps({1: suite.algorithm, 4: b"\x12\x34"}, canonical=True)
    assert key.signed_start + b"\x40" == cbor2.dumps(["Signature1", key.protected, b"", b""])


def test_private_use_algorithm_numbers_encode_too() -> None:
    for algorithm in (-1, -24, -25, -256, -257, -65_536, -65_537):
        start = replace(ED25519, algorithm=algorithm).header_start
        assert start + b"\x12\x34" == cbor2.dumps({1: algorithm, 4: b"\x12\x34"}, canonical=True)


def test_a_signer_does_not_print_its_secret() -> None:
    signer = Signer.of(ED25519, b"\x00\x01", bytes(range(32)))
    assert signer.secret.hex() not in repr(signer)
    assert "secret" not in repr(signer)
