"""The list of withdrawn keys: signed by a key in force, of one issuer, and whatever a stranger may hand us."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecard_kit.status_list import ListRefused, StatusList, compress, pack, sign_jwt
from onecard_kit.status_list import to_jwt as status_list_jwt
from onecard_kit.suites import ED25519, Signer
from onecard_kit.withdrawn import JWT_TYPE, WithdrawnKeys, from_jwt, to_jwt

SIGNER = Signer.of(ED25519, b"\x00\x07", bytes(range(32)))
KEYS = {SIGNER.kid: SIGNER.public_key}
MADE = WithdrawnKeys("320600", 1_772_294_400, {b"\x00\x03": 1_772_290_000, b"\x00\x01": 1_772_280_000})


def test_it_says_what_was_signed() -> None:
    assert from_jwt(to_jwt(MADE, SIGNER), "320600", KEYS) == MADE


def test_a_withdrawn_key_signs_none() -> None:
    with pytest.raises(ValueError, match="withdrawn"):
        to_jwt(WithdrawnKeys("320600", 0, {SIGNER.kid: 0}), SIGNER)


@pytest.mark.parametrize(
    "text",
    [
        to_jwt(MADE, Signer.of(ED25519, SIGNER.kid, bytes(32))),
        to_jwt(WithdrawnKeys("320500", 0, {}), SIGNER),
        status_list_jwt(StatusList("320600", 0, 0, 0, compress(pack(8, []))), SIGNER),
        sign_jwt(JWT_TYPE, {"iss": "320600", "iat": 0}, SIGNER),
        sign_jwt(JWT_TYPE, {"iss": "320600", "iat": True, "withdrawn_keys": []}, SIGNER),
        sign_jwt(JWT_TYPE, {"iss": "320600", "iat": 0, "withdrawn_keys": [{"kid": "00", "withdrawn": 0}]}, SIGNER),
        sign_jwt(JWT_TYPE, [], SIGNER),  # type: ignore[arg-type]
    ],
    ids=["another's signature", "another issuer", "a status list", "no keys", "no time", "no kid", "no claims"],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(ListRefused):
        from_jwt(text, "320600", KEYS)


@given(st.text(max_size=200))
def test_noise_is_no_list(noise: str) -> None:
    with pytest.raises(ListRefused):
        from_jwt(noise, "320600", KEYS)
