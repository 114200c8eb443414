"""A scanner that types: what keyboards, layouts and input methods do to a code is undone, and nothing else."""

import os
import struct
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.kit.packs import SIGNER, a_code

from onecard_gate.inputs import text, wedge
from onecard_kit import codes
from onecard_kit.terms import Leg

CODE = a_code()
KEYS = {(codes.decode(CODE).claims.issuer, SIGNER.kid): SIGNER.public_key}


@pytest.mark.parametrize(
    "typed",
    [
        CODE,
        CODE.lower(),
        f"  {CODE}\r",
        f"]Q1{CODE}",
        f"]q3{CODE.lower()} ",
        f"\x02{CODE}\x03",
        "".join(chr(ord(each) + 0xFEE0) for each in CODE),
        "".join(chr(ord(each) + 0xFEE0) for each in CODE.lower()).replace("．", "。"),
    ],
)
def test_a_code_survives_the_keyboard(typed: str) -> None:
    assert codes.verify(codes.lenient(wedge.clean(typed)), KEYS)


def test_what_the_scanner_was_set_to_add_goes() -> None:
    assert wedge.clean(f"qr:{CODE}#", "QR:", "#") == CODE
    assert wedge.clean(CODE, "QR:", "#") == CODE


@given(st.text(max_size=400))
def test_any_typing_comes_to_a_text_and_no_code(typed: str) -> None:
    with pytest.raises(codes.CodeRefused):
        codes.verify(codes.lenient(wedge.clean(typed)), KEYS)


@given(st.lists(st.sampled_from([CODE, "x" * 2000, ""]), max_size=5), st.sampled_from("\r\n\t"))
def test_each_end_of_line_ends_a_code(scanned: list[str], end: str) -> None:
    found = list(wedge.lines("".join(each + end for each in scanned)))
    assert found == [each[: wedge.KEYS_MAX] for each in scanned if each]


# --- key events ---------------------------------------------------------------------------------------------------

EVENT = struct.Struct("@llHHi")
PLAIN = {each: code for code, each in wedge._PLAIN.items() if code < 60}
SHIFTED = {each: code for code, each in wedge._SHIFTED.items() if code < 60 and each not in PLAIN}


def pressed(typed: str) -> bytes:
    """Key events as a scanner sends them: shift down, key down and up, shift up, each with its report."""
    raw = b""
    for each in typed:
        keys = [PLAIN[each]] if each in PLAIN else [42, SHIFTED[each]]
        for value, order in ((1, keys), (0, keys[::-1])):
            for code in order:
                raw += EVENT.pack(0, 0, 4, 4, code) + EVENT.pack(0, 0, 1, code, value) + EVENT.pack(0, 0, 0, 0, 0)
    return raw


@given(st.lists(st.integers(1, 200), min_size=1, max_size=50))
def test_key_events_in_pieces_of_any_size_are_the_text(sizes: list[int]) -> None:
    raw = pressed(f"]Q1{CODE}\n")
    pieces, at = [], 0
    for size in sizes:
        pieces.append(raw[at : at + size])
        at += size
    pieces.append(raw[at:])
    (line,) = wedge.lines(wedge.characters(pieces))
    assert wedge.clean(line) == CODE


@given(st.binary(max_size=500))
def test_any_bytes_of_a_device_are_taken(raw: bytes) -> None:
    assert isinstance("".join(wedge.characters([raw])), str)


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "scanner"
    os.mkfifo(path)
    return path


def test_a_scanner_behind_a_tty_or_pipe(pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is unplugged and plugged in again goes on."""
    monkeypatch.setattr(wedge, "LOOKED_EVERY_S", 0.01)
    found = wedge.presentations(pipe, suffix="#")

    def typing(typed: bytes) -> None:
        with open(pipe, "wb") as scanner:
            scanner.write(typed)

    for typed in (f"{CODE.lower()}#\r\n", f"\xff{CODE}\n"):
        thread = threading.Thread(target=typing, args=(typed.encode("latin-1"),))
        thread.start()
        assert CODE in codes.lenient(next(found).code or "")
        thread.join()


# --- pasted text --------------------------------------------------------------------------------------------------


def test_a_till_says_more_than_a_code() -> None:
    asked = text.of_line(
        '{"code": "OC1.X", "item": "a.b", "amount_fen": 5, "leg": "in", "manual": true, "reason": "r"}'
    )
    assert (asked.code, asked.item, asked.amount_fen, asked.leg, asked.manual, asked.reason) == (
        "OC1.X", "a.b", 5, Leg.IN, True, "r",
    )  # fmt: skip
    assert text.of_line(f" {CODE.lower()} \n").code == CODE.lower()


@given(st.text(max_size=300) | st.text(max_size=300).map(lambda each: "{" + each))
def test_any_line_is_a_presentation_or_nothing(line: str) -> None:
    assert all(asked.code is not None for asked in text.presentations([line]))
