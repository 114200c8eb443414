"""What opens (道闸): a command, or a file such as a GPIO line's value. Called when the use is on disk, never before."""

import contextlib
import logging
import subprocess
import threading
from dataclasses import dataclass
from typing import Final

from onecard_gate.config import Barrier

log = logging.getLogger("onecard.gate")
COMMAND_S_MAX: Final = 10.0


@dataclass(slots=True)
class Opener:
    """A barrier. `close` leaves it shut."""

    barrier: Barrier
    _shutting: threading.Timer | None = None

    def open(self) -> bool:
        """Open for one admission; False when that failed, and nobody came through. A command is waited for in a thread
        of its own; a file that is open already stays so for longer.
        """
        try:
            if self.barrier.command:
                started = subprocess.Popen(self.barrier.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
                threading.Thread(target=_reap, args=(started,), daemon=True).start()
            elif self.barrier.file is not None:
                self._write(self.barrier.open_text)
                self._shut_later()
        except OSError as error:
            log.error("the barrier did not open: %s", error)
            return False
        return True

    def close(self) -> None:
        if self._shutting is not None:
            self._shutting.cancel()
            self._shut()

    def _shut_later(self) -> None:
        if self._shutting is not None:
            self._shutting.cancel()
        self._shutting = threading.Timer(self.barrier.open_ms / 1000, self._shut)
        self._shutting.daemon = True
        self._shutting.start()

    def _shut(self) -> None:
        try:
            self._write(self.barrier.shut_text)
        except OSError as error:
            log.error("the barrier did not shut: %s", error)

    def _write(self, text: str) -> None:
        assert self.barrier.file is not None
        with open(self.barrier.file, "w", encoding="ascii") as file:
            file.write(text)


def _reap(started: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        started.wait(COMMAND_S_MAX)
    if started.poll() is None:
        started.kill()
    status = started.wait()
    if status:
        log.error("the barrier's command ended with status %s", status)
