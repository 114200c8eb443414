"""A terminal's request signature, against the formula written out once more and the openssl program."""

import hashlib
import hmac
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecard_kit import requests

SOURCE = Path(__file__).parents[2] / "src"
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


OPENSSL = shutil.which("openssl")


@pytest.mark.skipif(OPENSSL is None, reason="the openssl program is not installed")
@pytest.mark.parametrize(("mac", "digest"), [(requests.HMAC_SHA256, "sha256"), (requests.HMAC_SM3, "sm3")])
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=300))
@settings(max_examples=5, deadline=None)
def test_openssl_computes_the_same(mac: requests.Mac, digest: str, key: bytes, body: bytes) -> None:
    def told(message: bytes, *options: str) -> str:
        command = [str(OPENSSL), "dgst", f"-{digest}", "-r", *options]
        return subprocess.run(command, input=message, capture_output=True, check=True).stdout.split()[0].decode()

    lines = "\n".join(["POST", "/v1/uses", "1767225600", "j1", "42", told(body)])
    signature = told(lines.encode(), "-mac", "HMAC", "-macopt", f"hexkey:{key.hex()}")
    assert requests.sign(key, **(REQUEST | {"body": body}), mac=mac) == signature
    assert requests.verify(key, signature, **(REQUEST | {"body": body}), mac=mac)


def test_no_request_chooses_its_algorithm() -> None:
    """The name belongs to the key; a MAC of the other algorithm under the same key is no signature."""
    assert requests.MACS == {"hmac-sha256": requests.HMAC_SHA256, "hmac-sm3": requests.HMAC_SM3}
    assert not requests.verify(KEY, requests.sign(KEY, **REQUEST, mac=requests.HMAC_SM3), **REQUEST)
    assert not requests.verify(KEY, requests.sign(KEY, **REQUEST), **REQUEST, mac=requests.HMAC_SM3)
    assert not any("algorithm" in name.lower() for name in requests.HEADERS)


def test_a_gate_without_sm3_needs_no_library_for_it() -> None:
    program = (
        "import sys; from onecard_kit import requests, sm2, suites;"
        " requests.sign(b'k' * 32, 'POST', '/', 1, 'j', 1, b'');"
        " assert 'cryptography' not in sys.modules; assert not sm2._library.cache_info().currsize"
    )
    subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": str(SOURCE)}, check=True)


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
@pytest.mark.parametrize("mac", requests.MACS.values(), ids=requests.MACS.keys())
def test_every_part_is_signed(changed: dict[str, Any], mac: requests.Mac) -> None:
    assert requests.verify(KEY, requests.sign(KEY, **REQUEST, mac=mac), **REQUEST, mac=mac)
    assert not requests.verify(KEY, requests.sign(KEY, **REQUEST, mac=mac), **(REQUEST | changed), mac=mac)


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
