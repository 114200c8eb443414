"""The simulated chip: what a cryptogram binds, against the formula written out once more."""

import hashlib
import hmac
from typing import Any

import pytest

from onecard_kit import chips

ROOT = bytes(range(32))
READING: dict[str, Any] = {
    "number": "C20260001",
    "counter": 7,
    "terminal": "NT-BUS-0001",
    "journal": "j1",
    "sequence": 42,
}
KEY = chips.card_key(ROOT, "C20260001")


def test_the_formula() -> None:
    key = hmac.new(ROOT, b"C20260001", hashlib.sha256).digest()[:16]
    message = b"C20260001" + b"|" + b"\x00\x00\x00\x07" + b"|NT-BUS-0001|j1|42"
    assert key == KEY
    assert chips.cryptogram(KEY, **READING) == hmac.new(key, message, hashlib.sha256).digest()[:8]
    assert chips.is_genuine(chips.cryptogram(KEY, **READING), KEY, **READING)


@pytest.mark.parametrize(
    "changed",
    [{"number": "C20260002"}, {"counter": 8}, {"terminal": "NT-BUS-0002"}, {"journal": "j2"}, {"sequence": 43}],
)
def test_a_cryptogram_is_of_one_reading(changed: dict[str, Any]) -> None:
    assert not chips.is_genuine(chips.cryptogram(KEY, **READING), KEY, **(READING | changed))


@pytest.mark.parametrize("shown", [b"", bytes(7), bytes(8), bytes(9)])
def test_other_bytes_are_not_genuine(shown: bytes) -> None:
    assert not chips.is_genuine(shown, KEY, **READING)


def test_another_card_has_another_key() -> None:
    other = chips.card_key(ROOT, "C20260002")
    assert other != KEY
    assert not chips.is_genuine(chips.cryptogram(other, **READING), KEY, **READING)


@pytest.mark.parametrize(
    "changed",
    [
        {"number": "C2026000"},
        {"number": "C2026000１"},
        {"counter": -1},
        {"counter": 2**32},
        {"terminal": "a|b"},
        {"journal": "a|b"},
        {"journal": "\ud800"},
        {"sequence": -1},
    ],
)
def test_impossible_readings(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        chips.cryptogram(KEY, **(READING | changed))
    assert not chips.is_genuine(bytes(8), KEY, **(READING | changed))


def test_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[bytes, bytes]] = []
    monkeypatch.setattr("hmac.compare_digest", lambda *pair: asked.append(pair))
    assert not chips.is_genuine(bytes(8), KEY, **READING)
    assert asked == [(chips.cryptogram(KEY, **READING), bytes(8))]
