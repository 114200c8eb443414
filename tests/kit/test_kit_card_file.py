"""The card file: what was signed is read, under a key that is for it; what a stranger writes on a chip is refused."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecard_kit import card_file, codes
from onecard_kit.card_file import CardFile, kid_of, verify, write
from onecard_kit.classes import BY_CODE
from onecard_kit.codes import CodeRefused, Refusal
from onecard_kit.suites import ED25519, SM2, PublicKey, Purpose, Signer, Suite
from onecard_kit.terms import Function

PLACE = "320600"
SUITES = [ED25519, SM2]
SAID = CardFile(
    PLACE, "C20260001", 1_234_567, 3, (Function.SOCIAL_SECURITY, Function.TRANSIT), (3, 8), 1_772_294_400,
    2_087_827_200,
)  # fmt: skip


def a_signer(suite: Suite = ED25519, purpose: Purpose = Purpose.LASTING, seed: bytes = bytes(range(32))) -> Signer:
    return Signer.of(suite, b"\x00\x09", seed, purpose)


def keys_of(signer: Signer, place: str = PLACE) -> dict[tuple[str, bytes], PublicKey]:
    return {(place, signer.kid): signer.public_key}


KEYS = keys_of(a_signer())


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_it_says_what_was_signed_and_fits_on_any_chip(suite: Suite) -> None:
    signer = a_signer(suite)
    text = write(SAID, signer)
    assert verify(text, keys_of(signer)) == SAID
    assert kid_of(text) == signer.kid
    assert text.isascii()
    assert len(text) < 300


@given(
    st.builds(
        CardFile,
        issuer=st.from_regex(r"[0-9]{6}", fullmatch=True),
        number=st.from_regex(r"[A-Z0-9][0-9]{8}", fullmatch=True),
        serial=st.integers(0, card_file.SERIAL_MAX),
        generation=st.sampled_from((2, 3)),
        functions=st.sets(st.sampled_from(Function)).map(lambda some: tuple(each for each in Function if each in some)),
        classes=st.sets(st.sampled_from([each.number for each in BY_CODE.values()])).map(
            lambda some: tuple(sorted(some))
        ),
        issued=st.integers(1, 2**31),
        expires=st.integers(2**31 + 1, 2**32 - 1),
    )
)
def test_whatever_a_card_is_is_read_back(said: CardFile) -> None:
    signer = a_signer()
    assert verify(write(said, signer), keys_of(signer, said.issuer)) == said


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({}, Refusal.UNKNOWN_ISSUER),
        (keys_of(a_signer(), "320500"), Refusal.UNKNOWN_ISSUER),
        ({(PLACE, b"\x00\x08"): a_signer().public_key}, Refusal.UNKNOWN_KEY),
        (keys_of(a_signer(purpose=Purpose.CODES)), Refusal.UNKNOWN_KEY),
        (keys_of(a_signer(SM2)), Refusal.UNKNOWN_KEY),
        (keys_of(a_signer(seed=bytes(32))), Refusal.BAD_SIGNATURE),
    ],
    ids=["no key", "another issuer's", "another kid", "a key for codes", "another suite", "another's signature"],
)
def test_which_keys_refuse_it(keys: dict[tuple[str, bytes], PublicKey], reason: Refusal) -> None:
    with pytest.raises(CodeRefused) as refused:
        verify(write(SAID, a_signer()), keys)
    assert refused.value.reason is reason


def test_a_key_for_codes_writes_none() -> None:
    with pytest.raises(ValueError, match="lasts"):
        write(SAID, a_signer(purpose=Purpose.CODES))


@given(st.data())
def test_a_changed_file_is_never_taken(data: Any) -> None:
    text = write(SAID, a_signer())
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.sampled_from("AZaz09-_.=! é")) + text[at + 1 :]
    with suppress(CodeRefused):
        assert verify(changed, KEYS) == SAID
        assert changed == text


@given(st.one_of(st.text(max_size=300), st.binary(max_size=300).map(lambda raw: "OCF1." + raw.hex())))
def test_noise_is_no_file(noise: str) -> None:
    with pytest.raises(CodeRefused) as refused:
        verify(noise, KEYS)
    assert refused.value.reason is Refusal.MALFORMED


def test_a_code_is_no_file_and_a_file_no_code() -> None:
    signer = a_signer()
    claims = codes.Claims(PLACE, signer.kid, 5, codes.Via.PAPER, 1_772_294_400, 1_772_294_460, bytes(12))
    code = codes.encode(claims, signer)
    for text in (code, code.replace(codes.PREFIX, card_file.PREFIX)):
        with pytest.raises(CodeRefused):
            verify(text, KEYS)
    with pytest.raises(CodeRefused):
        codes.verify(write(SAID, signer), KEYS)


@pytest.mark.parametrize(
    "changed",
    [
        {"number": "C2026"}, {"generation": 1}, {"serial": 2**28}, {"expires": SAID.issued}, {"classes": (8, 3)},
        {"functions": (Function.TRANSIT, Function.SOCIAL_SECURITY)}, {"issuer": "32060"},
    ],
    ids=lambda changed: next(iter(changed)),
)  # fmt: skip
def test_what_no_file_can_say(changed: dict[str, object]) -> None:
    said = {name: getattr(SAID, name) for name in SAID.__struct_fields__} | changed
    with pytest.raises(ValueError, match=r"."):
        CardFile(**said)
