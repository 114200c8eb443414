"""A terminal's request signature, against the formula written out once more."""

import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecard_kit import requests

KEY = bytes(range(32))
REQUEST: dict[str, Any] = {
    "method": "POST",
    "path": "/v1/uses",
    "time": 1_767_225_600,
    "journal": "j1",
    "sequence": 42,
    "body": b'{"item":"transit.bus_ride"}',
}


def test_the_formula() -> None:
    message = "\n".join(["POST", "/v1/uses", "1767225600", "j1", "42", hashlib.sha256(REQUEST["body"]).hexdigest()])
    signature = hmac.new(KEY, message.encode(), hashlib.sha256).hexdigest()
    assert requests.sign(KEY, **REQUEST) == signature
    assert requests.verify(KEY, signature, **REQUEST)


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "PUT"},
        {"path": "/v1/uses?x=1"},
        {"time": 1_767_225_601},
        {"journal": "j2"},
        {"sequence": 43},
        {"body": b""},
    ],
)
def test_every_part_is_signed(changed: dict[str, Any]) -> None:
    assert not requests.verify(KEY, requests.sign(KEY, **REQUEST), **(REQUEST | changed))


def test_the_key_and_the_spelling_matter() -> None:
    signature = requests.sign(KEY, **REQUEST)
    assert not requests.verify(bytes(32), signature, **REQUEST)
    assert not requests.verify(KEY, signature.upper(), **REQUEST)
    assert not requests.verify(KEY, signature[:-1], **REQUEST)


@given(st.text() | st.text("0123456789abcdef", min_size=64, max_size=64))
def test_any_other_text_is_no_signature(signature: str) -> None:
    assert not requests.verify(KEY, signature, **REQUEST)


@given(st.text(st.characters(codec=None)))
def test_any_journal_is_taken_or_refused_cleanly(journal: str) -> None:
    request = REQUEST | {"journal": journal}
    if "\n" in journal:
        with pytest.raises(ValueError, match="line end"):
            requests.sign(KEY, **request)
        assert not requests.verify(KEY, "", **request)
    else:
        assert requests.verify(KEY, requests.sign(KEY, **request), **request)


@pytest.mark.parametrize("field", ["method", "path", "journal"])
def test_a_line_end_cannot_move_a_field(field: str) -> None:
    assert not requests.verify(KEY, requests.sign(KEY, **REQUEST), **(REQUEST | {field: f"{REQUEST[field]}\n"}))


def test_names_and_tolerance() -> None:
    assert requests.HEADERS == (
        "OneCard-Terminal",
        "OneCard-Key",
        "OneCard-Time",
        "OneCard-Journal",
        "OneCard-Sequence",
        "OneCard-Signature",
    )
    assert requests.TIME_TOLERANCE_S == 300


def test_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[bytes, bytes]] = []
    monkeypatch.setattr("hmac.compare_digest", lambda *pair: asked.append(pair))
    assert not requests.verify(KEY, "00", **REQUEST)
    assert asked == [(requests.sign(KEY, **REQUEST).encode(), b"00")]
