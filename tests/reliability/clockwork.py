"""The gateway on a machine whose clock a test sets: granian loads `tests.reliability.clockwork:application`.

``TESTS_CLOCK`` names a file that holds the time as Unix milliseconds in eight bytes. How long things take is measured
by other clocks, which run on.
"""

import datetime as dt
import mmap
import os
import struct
import time
from pathlib import Path

CLOCK = "TESTS_CLOCK"
_MILLISECONDS = struct.Struct("<q")


class ClockFile:
    """The hands of the clock, for who sets it."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(_MILLISECONDS.size))
        with path.open("r+b") as file:
            self._hands = mmap.mmap(file.fileno(), _MILLISECONDS.size)

    def set(self, unix_ms: int) -> None:
        self._hands[:] = _MILLISECONDS.pack(unix_ms)


def _go_by(path: str) -> None:
    with open(path, "rb") as file:
        hands = mmap.mmap(file.fileno(), _MILLISECONDS.size, prot=mmap.PROT_READ)

    def now_ms() -> int:
        told: int = _MILLISECONDS.unpack(hands[:])[0]
        return told

    time.time_ns = lambda: now_ms() * 1_000_000
    time.time = lambda: now_ms() / 1000
    from onecard.foundation import clock

    clock.now = lambda: dt.datetime.fromtimestamp(now_ms() / 1000, dt.UTC)


if CLOCK in os.environ:
    _go_by(os.environ[CLOCK])
    from onecard.gateway.app import application as application
