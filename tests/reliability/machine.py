"""The machine under a simulated gate: a clock that may be hours off, a disk that keeps what was synced, and power.

The gate's own code runs on it unchanged. What it reads of the machine it reads here: the clocks, and `os.fsync`, by
which the disk learns what must still be there after the power has gone.
"""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

import onecard_gate.clock
import onecard_gate.gate
import onecard_gate.sync

MEMORY = "memory.sqlite"


class PowerCut(BaseException):
    """The power goes in the middle of something. No code of a gate survives it, so none may catch it."""


@dataclass
class Machine:
    """`error_ms` is what its wall clock shows beyond the time; `fuse` how many syncs it has power for, None: enough."""

    folder: Path
    error_ms: int
    booted_ms: int
    boots: int = 1
    fuse: int | None = None


@dataclass
class Hall:
    """Every machine, one of which runs at a time; and the true time."""

    random: Random
    now_ms: int
    running: Machine | None = None
    _synced: dict[int, int] = field(default_factory=dict)

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Let the code of gates read these clocks, and tell this disk."""
        patch.setattr(os, "fsync", self._fsync)
        patch.setattr(onecard_gate.clock, "wall_ms", lambda: self.now_ms + self._machine.error_ms)
        patch.setattr(onecard_gate.clock, "boot_ms", lambda: self.now_ms - self._machine.booted_ms)
        patch.setattr(onecard_gate.clock, "_boot", lambda: f"{self._machine.folder}:{self._machine.boots}")
        monotonic: Any = SimpleNamespace(monotonic=lambda: self.now_ms / 1000)
        patch.setattr(onecard_gate.gate, "time", monotonic)
        patch.setattr(onecard_gate.sync, "time", monotonic)

    @property
    def _machine(self) -> Machine:
        assert self.running is not None
        return self.running

    def _fsync(self, file: int) -> None:
        told = os.fstat(file)
        if not stat.S_ISREG(told.st_mode):
            return
        machine = self.running
        if machine is not None and machine.fuse is not None:
            machine.fuse -= 1
            if machine.fuse < 0:
                raise PowerCut
        self._synced[told.st_ino] = told.st_size

    def cut(self, machine: Machine, close: Callable[[], None]) -> bool:
        """Let the power go: what was not synced is torn at any byte, or left as zeros. Whether any of it was. `close`
        frees the files.
        """
        remembered = machine.folder / MEMORY
        kept = remembered.read_bytes()  # without what its log held: that was never synced
        close()
        for each in machine.folder.glob(MEMORY + "*"):
            each.unlink()
        remembered.write_bytes(kept)
        remembered.chmod(0o600)
        torn = [self._tear(path) for path in sorted((machine.folder / "journals").iterdir())]
        machine.boots += 1
        machine.booted_ms, machine.fuse = self.now_ms, None
        return any(torn)

    def settle(self, folder: Path) -> None:
        """Let all of a folder be on the disk."""
        for path in folder.rglob("*"):
            told = path.stat()
            self._synced[told.st_ino] = told.st_size

    def _tear(self, path: Path) -> bool:
        told = path.stat()
        synced = min(self._synced.get(told.st_ino, 0), told.st_size)
        if synced == told.st_size:
            return False
        kept = self.random.randint(synced, told.st_size)
        with path.open("r+b") as file:
            file.truncate(kept)
            if self.random.random() < 0.3:
                file.truncate(told.st_size)
        return True
