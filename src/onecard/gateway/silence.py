"""Leaves a bank alone that does not answer: a holder at a gate waits two seconds for it, and then the next one does.

After `SILENT_MAX` silences in a row it rests: nobody asks it, and lines are decided as if it had been silent once more.
When the rest is over, one line asks: an answer ends it, another silence begins a new one. Each process counts for
itself. What was asked before is followed up as ever (`connectors/bank`): a rest is about asking, never about what an
answer would have been.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from onecard.gateway.answers import BankHealth

log = logging.getLogger("onecard.gateway")

SILENT_MAX = 3
REST_S = 5.0


@dataclass(slots=True)
class Silence:
    """How often in a row a bank was silent, and until when it rests. Of one event loop. `now` is a clock in seconds.

    `silences` and `rests` count what there was of each since the process began.
    """

    now: Callable[[], float] = time.monotonic
    silences: int = 0
    rests: int = 0
    _in_row: int = 0
    _until: float = 0.0
    _tried: bool = False

    @property
    def resting(self) -> bool:
        """Whether the bank is not to be asked now."""
        return self._out and (self._tried or self.now() < self._until)

    @property
    def _out(self) -> bool:
        return self._in_row >= SILENT_MAX

    @contextmanager
    def asking(self) -> Iterator[bool]:
        """Whether the line that would ask the bank may. After a rest it is one at a time."""
        if self.resting:
            yield False
            return
        tries = self._tried = self._out
        try:
            yield True
        finally:
            if tries:
                self._tried = False

    def answered(self) -> None:
        """The bank said something, whatever it was."""
        if self._out:
            log.warning("the bank answers again: bank accounts are a means to pay")
        self._in_row = 0

    def plain(self) -> BankHealth:
        """What `/health` says of the bank."""
        return {"resting": self.resting, "silences": self.silences, "rests": self.rests}

    def was_silent(self) -> None:
        """The bank did not answer in its time."""
        self.silences += 1
        self._in_row += 1
        if self._out and self.now() >= self._until:
            self.rests += 1
            self._until = self.now() + REST_S
            log.warning("the bank was silent %s times in a row: it is not asked for %s s", self._in_row, REST_S)
