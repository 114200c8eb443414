"""A scanner that types (键盘口扫码枪): it looks like a keyboard, and sends what it read as keys, with Enter at the end.

What such a scanner and the layout it types into do to a code, and what is undone here:

    lost case                   codes are upper case and have no other
    a prefix, a suffix          as configured; an AIM identifier (``]Q1``), control characters, spaces
    full-width letters          an input method that is on: ＯＣ１．… are taken as OC1.…

Nothing else is: a text that is guessed into shape is no code that anybody signed.
"""

import codecs
import contextlib
import fcntl
import os
import re
import struct
import time
from collections.abc import Iterable, Iterator
from io import FileIO
from pathlib import Path
from typing import Final

from onecard_gate.asked import Asked
from onecard_kit.codes import CHARS_MAX

_AIM: Final = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_FULL_WIDTH: Final = {0xFF01 + n: 0x21 + n for n in range(94)} | {0x3000: 0x20, 0x3002: 0x2E}
KEYS_MAX: Final = 4 * CHARS_MAX
"""Longer than any code with whatever stands around it; then the line is let go, and reading begins anew."""


def clean(typed: str, prefix: str = "", suffix: str = "") -> str:
    """A line as the code that was scanned, as far as can be told."""
    text = "".join(each for each in typed.translate(_FULL_WIDTH) if each.isprintable()).strip()
    text = _cut(text, prefix, suffix)
    found = _AIM.match(text)
    return text[found.end() :] if found is not None else text


def _cut(text: str, prefix: str, suffix: str) -> str:
    """Without what the scanner was set to add, in whatever case it comes."""
    if prefix and text.lower().startswith(prefix.lower()):
        text = text[len(prefix) :]
    if suffix and text.lower().endswith(suffix.lower()):
        text = text[: -len(suffix)]
    return text


def lines(typed: Iterable[str]) -> Iterator[str]:
    """Characters as lines: Enter, Tab or a line end after a code ends it, since scanners are set to either."""
    line = ""
    for character in typed:
        if character in "\r\n\t\x03":
            if line.strip():
                yield line
            line = ""
        elif len(line) < KEYS_MAX:
            line += character


# --- a device under /dev/input ------------------------------------------------------------------------------------

_EVENT: Final = struct.Struct("@llHHi")
"""``struct input_event``: seconds, microseconds, type, code, value; as long as a `long` of this machine makes it."""
_KEY_EVENT, _DOWN, _UP = 1, 1, 0
_SHIFTS: Final = frozenset({42, 54})
# By position, as a layout of the United States has them: letters, digits and signs that codes and prefixes consist of.
_ROWS: Final = ((2, "1234567890-="), (16, "qwertyuiop[]"), (30, "asdfghjkl;'`"), (44, "zxcvbnm,./"))
_PLAIN: Final = {start + n: each for start, row in _ROWS for n, each in enumerate(row)} | {
    28: "\n", 15: "\t", 57: " ", 43: "\\", 96: "\n", 52: ".", 83: ".", 55: "*", 74: "-", 78: "+", 98: "/",
    **dict(zip((82, 79, 80, 81, 75, 76, 77, 71, 72, 73), "0123456789", strict=True)),
}  # fmt: skip
_SHIFTED: Final = {
    **{code: each.upper() for code, each in _PLAIN.items()},
    **dict(zip(range(2, 14), "!@#$%^&*()_+", strict=True)),
    26: "{", 27: "}", 39: ":", 40: '"', 41: "~", 43: "|", 51: "<", 52: ">", 53: "?",
}  # fmt: skip


def characters(events: Iterable[bytes]) -> Iterator[str]:
    """Key events, in pieces of any size, as the characters that a layout of the United States makes of them."""
    held: set[int] = set()
    waiting = b""
    for piece in events:
        waiting += piece
        whole = len(waiting) - len(waiting) % _EVENT.size
        for _, _, kind, code, value in _EVENT.iter_unpack(waiting[:whole]):
            if kind != _KEY_EVENT:
                continue
            if code in _SHIFTS:
                (held.discard if value == _UP else held.add)(code)
            elif value == _DOWN and code in _PLAIN:
                yield (_SHIFTED if held else _PLAIN)[code]
        waiting = waiting[whole:]


# --- reading one --------------------------------------------------------------------------------------------------

_GRAB: Final = 0x40044590
"""EVIOCGRAB: the keys go to nobody else, so that no code lands in a login."""
_INPUT_MAJOR: Final = 13
LOOKED_EVERY_S: Final = 2.0


def presentations(device: Path, prefix: str = "", suffix: str = "") -> Iterator[Asked]:
    """What a scanner types, for good: one that is unplugged is waited for. A device of the input system speaks in key
    events, a tty or a pipe in characters.
    """
    while True:
        try:
            with open(device, "rb", buffering=0) as file:
                for line in lines(_typed(file)):
                    yield Asked(code=clean(line, prefix, suffix))
        except OSError:
            pass
        time.sleep(LOOKED_EVERY_S)


def _typed(file: FileIO) -> Iterator[str]:
    pieces = iter(lambda: file.read(_EVENT.size * 64), b"")
    if os.major(os.fstat(file.fileno()).st_rdev) == _INPUT_MAJOR:
        with contextlib.suppress(OSError):
            fcntl.ioctl(file, _GRAB, 1)
        yield from characters(pieces)
        return
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for piece in pieces:
        yield from decoder.decode(piece)
