"""The time at a gate: the platform's, carried on by a clock that nobody sets, or the machine's own before any signal.

A gate's clock may be hours off, and somebody may set it while a presentation is decided. So a signal is kept with the
reading of CLOCK_BOOTTIME, which only grows and runs on while the machine sleeps, and with the boot it belongs to: after
a restart of the program it still holds, after a restart of the machine it does not.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from onecard_gate.home import Home

NAME: Final = "clock.json"
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
KEPT_ANEW_MS: Final = 1500
"""A signal that differs by less from what the clock says is no news: it is told in whole seconds."""


class Signal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The platform's time `unix_ms` when CLOCK_BOOTTIME read `boot_ms`, in the boot of that name."""

    unix_ms: int
    boot_ms: int
    boot: str


@dataclass(slots=True)
class Clock:
    """`signal` is None before the first one of this boot."""

    home: Home
    signal: Signal | None = None

    @classmethod
    def open(cls, home: Home) -> "Clock":
        """Take up a signal of this boot. A damaged file is none."""
        kept = home.read_or_none(NAME, Signal)
        return cls(home, kept if kept is not None and kept.boot == _boot() else None)

    def now_ms(self) -> int:
        """Unix milliseconds, as right as this gate can tell."""
        if self.signal is None:
            return wall_ms()
        return self.signal.unix_ms + boot_ms() - self.signal.boot_ms

    def shift_ms(self, now_ms: int) -> int | None:
        """What `now_ms` has in it beyond the machine's own clock; None before a signal."""
        return None if self.signal is None else now_ms - wall_ms()

    def shown_ms(self) -> int:
        """What the machine's own clock shows, whatever the platform said of it."""
        return wall_ms()

    def take(self, unix_ms: int) -> None:
        """Take the platform's time as it is now. Keeping it for later is no reason to fail."""
        heard = Signal(unix_ms, boot_ms(), _boot())
        is_news = self.signal is None or abs(self.now_ms() - unix_ms) > KEPT_ANEW_MS
        if is_news:
            self.signal = heard
            try:
                self.home.write(NAME, heard)
            except OSError:
                return


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


def boot_ms() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def _boot() -> str:
    try:
        return _BOOT.read_text("ascii").strip()
    except OSError:
        return ""
