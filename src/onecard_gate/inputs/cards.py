"""What a gate and a card say to each other: ISO/IEC 7816-4 commands, as docs/card-interface.md has them. Pure: the way
to the card is a function.

The application, its commands and the card's keys are simulated; a node with real cards puts its own here.
"""

from collections.abc import Callable
from typing import Final

from onecard_gate.asked import CardGone
from onecard_kit.chips import CRYPTOGRAM_BYTES, NUMBER_CHARS
from onecard_kit.presentation import Chip

AID: Final = bytes.fromhex("F04F4E454341524401")
"""F0 (a proprietary category of ISO/IEC 7816-5), "ONECARD", 01."""
FILE_BYTES_MAX: Final = 2000
READ_BYTES: Final = 200
_OK: Final = b"\x90\x00"
_ANSWER_BYTES: Final = NUMBER_CHARS + 4 + CRYPTOGRAM_BYTES

Transmit = Callable[[bytes], bytes]
"""A command to the card, its answer with the two status bytes. Raises CardGone."""


def tap(transmit: Transmit, terminal: str, journal: str, sequence: int) -> tuple[Chip, str | None]:
    """One reading: the chip's answer over terminal, journal and sequence, and the card's signed file; None where it has
    none that could be one. Raises CardGone.
    """
    _command(transmit, b"\x00\xa4\x04\x00" + bytes((len(AID),)) + AID)
    asked = f"{terminal}|{journal}|{sequence}".encode()
    if len(asked) > 255:
        raise CardGone("terminal and journal are too long to ask a card about")
    told = _command(transmit, b"\x80\x88\x00\x00" + bytes((len(asked),)) + asked + bytes((_ANSWER_BYTES,)))
    if len(told) != _ANSWER_BYTES or not told[:NUMBER_CHARS].isascii():
        raise CardGone("its answer has another length")
    number, counter = told[:NUMBER_CHARS].decode(), int.from_bytes(told[NUMBER_CHARS : NUMBER_CHARS + 4], "big")
    return Chip(number, counter, told[NUMBER_CHARS + 4 :].hex()), _file(transmit)


def _file(transmit: Transmit) -> str | None:
    """The card's file: two bytes that say how long it is, then its text."""
    size = int.from_bytes(_read(transmit, 0, 2), "big")
    if not 0 < size <= FILE_BYTES_MAX:
        return None
    raw = b""
    while len(raw) < size:
        part = _read(transmit, 2 + len(raw), min(READ_BYTES, size - len(raw)))
        if not part:
            return None
        raw += part
    return raw.decode("ascii") if raw.isascii() else None


def _read(transmit: Transmit, at: int, size: int) -> bytes:
    return _command(transmit, b"\x00\xb0" + at.to_bytes(2, "big") + bytes((size,)))


def _command(transmit: Transmit, command: bytes) -> bytes:
    """Its data; with GET RESPONSE for what a card of protocol T=0 keeps back. Raises CardGone unless it says 9000."""
    answer = transmit(command)
    data = b""
    while len(answer) >= 2 and answer[-2] == 0x61:
        data += answer[:-2]
        answer = transmit(b"\x00\xc0\x00\x00" + answer[-1:])
    if answer[-2:] != _OK:
        raise CardGone(f"it answers {answer[-2:].hex() or 'nothing'} to {command[:2].hex()}")
    return data + answer[:-2]
