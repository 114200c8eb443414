"""The formats as they stand on paper: a golden file, the page that documents it, and the bare import."""

import base64
import datetime as dt
import json
import pkgutil
import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import msgspec
import pytest

import onecard_kit
from onecard_kit import chips, journal, requests
from onecard_kit.codes import Claims, Via, encode, verify
from onecard_kit.refs import Permutation
from onecard_kit.suites import ED25519, SM2, SUITES, Purpose, Signer

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
GOLDEN: dict[str, Any] = json.loads((HERE / "golden" / "formats.json").read_text("utf-8"))
PAGE = (ROOT / "docs" / "code-format.md").read_text("utf-8")


def claims_of(row: dict[str, Any]) -> Claims:
    return Claims(
        **row
        | {
            "kid": bytes.fromhex(row["kid"]),
            "via": Via(row["via"]),
            "nonce": bytes.fromhex(row["nonce"]),
            "classes": tuple(row["classes"]),
        }
    )


@pytest.mark.parametrize("row", GOLDEN["codes"], ids=[row["what"] for row in GOLDEN["codes"]])
def test_codes_keep_their_text(row: dict[str, Any]) -> None:
    claims = claims_of(row["claims"])
    purpose = Purpose.LASTING if claims.via is Via.PAPER else Purpose.CODES
    signer = Signer.of(ED25519, claims.kid, bytes.fromhex(GOLDEN["seed"]), purpose)
    assert signer.public_key.public.hex() == GOLDEN["public"]
    assert encode(claims, signer) == row["text"]
    assert verify(row["text"], {(claims.issuer, claims.kid): signer.public_key}) == claims


@pytest.mark.parametrize("row", GOLDEN["sm2"]["codes"], ids=[row["what"] for row in GOLDEN["sm2"]["codes"]])
def test_codes_of_sm2_keep_their_text_up_to_the_signature(row: dict[str, Any]) -> None:
    """SM2 draws a number for each signature, so two signatures of one message differ; both verify."""
    claims = claims_of(row["claims"])
    signer = Signer.of(SM2, claims.kid, bytes.fromhex(GOLDEN["seed"]))
    assert signer.public_key.public.hex() == GOLDEN["sm2"]["public"]
    keys = {(claims.issuer, claims.kid): signer.public_key}
    again = encode(claims, signer)
    assert verify(row["text"], keys) == verify(again, keys) == claims
    assert len(again) == len(row["text"])
    assert again[:-SIGNED_CHARS] == row["text"][:-SIGNED_CHARS]


# 64 bytes, and the character in which they begin.
SIGNED_CHARS = 64 * 8 // 5 + 2


def test_refs_keep_their_values() -> None:
    golden = GOLDEN["refs"]
    permutation = Permutation(bytes.fromhex(golden["key"]), dt.date.fromisoformat(golden["day"]))
    assert {serial: permutation.ref(int(serial)) for serial in golden["of"]} == golden["of"]


def test_cryptograms_keep_their_bytes() -> None:
    golden = dict(GOLDEN["chip"])
    root, key, cryptogram = (bytes.fromhex(golden.pop(name)) for name in ("root", "card_key", "cryptogram"))
    assert chips.card_key(root, golden["number"]) == key
    assert chips.cryptogram(key, **golden) == cryptogram


def test_request_signatures_keep_their_bytes() -> None:
    golden = dict(GOLDEN["request"])
    key, signature, of_sm3 = bytes.fromhex(golden.pop("key")), golden.pop("signature"), golden.pop("signature_sm3")
    golden["body"] = golden["body"].encode()
    assert requests.sign(key, **golden) == signature
    assert requests.sign(key, **golden, mac=requests.HMAC_SM3) == of_sm3


def test_lines_of_a_journal_keep_their_bytes() -> None:
    golden = GOLDEN["journal"]
    key, id_ = bytes.fromhex(golden["key"]), golden["journal"]
    line = msgspec.convert(golden["line"], journal.JournalLine)
    raw, mac = journal.encode(line, id_, id_, key, requests.HMAC_SHA256)
    assert (mac, journal.encode(line, id_, id_, key, requests.HMAC_SM3)[1]) == (golden["mac"], golden["mac_sm3"])
    assert line.presentation.content.hex() == golden["content"]
    assert fenced("journal").encode() == raw
    assert golden["mac_sm3"] in PAGE


def fenced(language: str, number: int = 0) -> str:
    found = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert len(found) > number, f"the page has too few blocks of {language}"
    return str(found[number])


def test_the_page_shows_the_golden_code() -> None:
    row = GOLDEN["codes"][0]
    text = fenced("onecard").replace("\n", "")
    shown = bytes.fromhex("".join(line.partition("#")[0] for line in fenced("cbor").splitlines()))
    body = text.removeprefix("OC1.")
    assert text == row["text"]
    assert shown == base64.b32decode(body + "=" * (-len(body) % 8))
    assert json.loads(fenced("json")) == row["claims"]
    assert GOLDEN["seed"] in PAGE
    assert GOLDEN["public"] in PAGE


def test_the_page_shows_the_golden_code_of_sm2() -> None:
    row = GOLDEN["sm2"]["codes"][0]
    assert fenced("onecard", 1).replace("\n", "") == row["text"]
    assert row["claims"] == GOLDEN["codes"][0]["claims"] | {"kid": "0002"}
    assert GOLDEN["sm2"]["public"] in PAGE.replace("\n", "")


def test_the_page_names_every_suite_with_its_number() -> None:
    for suite in SUITES.values():
        assert f"| `{suite.name}` | {suite.algorithm} |" in PAGE


def test_the_page_shows_the_golden_cryptogram_and_signature() -> None:
    assert GOLDEN["chip"]["cryptogram"] in PAGE
    assert GOLDEN["request"]["signature"] in PAGE
    assert GOLDEN["request"]["signature_sm3"] in PAGE


BARE = """
import importlib, sys
sys.path += {paths!r}
importlib.import_module({module!r})
heavy = {{"django", "psycopg", "asyncpg", "procrastinate", "httpx", "onecard"}} & set(sys.modules)
assert not heavy, heavy
"""
MODULES = ["onecard_kit", *(f"onecard_kit.{each.name}" for each in pkgutil.iter_modules(onecard_kit.__path__))]


@pytest.mark.parametrize("module", MODULES)
def test_a_gate_imports_neither_django_nor_a_database(module: str) -> None:
    paths = [str(ROOT / "src"), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    program = BARE.format(paths=paths, module=module)
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
