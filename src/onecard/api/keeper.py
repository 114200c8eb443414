"""Keeps the log of calls beside the answers: who serves hands a call over and goes on; a thread writes what came, all
of it in one statement, twice a second. A second's calls are lost with a process that is killed, and answers never wait.
"""

import logging
import threading
from collections import deque
from multiprocessing.util import Finalize

from django.db import Error, close_old_connections, connection

from onecard.kernel.sharing import calls
from onecard.kernel.sharing.calls import Call

log = logging.getLogger("onecard.api")

EVERY_S = 0.5
BATCH_MAX = 1_000
# Half a minute of a thousand a second, while the database is away; then the oldest go.
WAITING_MAX = 30_000
END_S = 5.0


class Keeper:
    """Calls that wait to be written. Takes none until it is started, by the process that serves."""

    def __init__(self) -> None:
        self._waiting: deque[Call] = deque(maxlen=WAITING_MAX)
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Write from now on, until the process ends."""
        self._thread = threading.Thread(target=self._run, name="calls", daemon=True)
        self._thread.start()
        # Workers of the server are children of multiprocessing, which run this at their end and no `atexit`.
        Finalize(None, self.stop, exitpriority=1)

    def stop(self) -> None:
        """Write what waits, and no more."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(END_S)

    def take(self, call: Call) -> None:
        """A call whose answer is ready."""
        if self._thread is None:
            return
        if len(self._waiting) == WAITING_MAX:
            log.warning("calls wait too long, the oldest goes: %s", self._waiting[0].id)
        self._waiting.append(call)

    def _run(self) -> None:
        while not self._ended.wait(EVERY_S):
            self._write()
        self._write()
        connection.close()

    def _write(self) -> None:
        """Everything that waits; what cannot be written waits on."""
        while batch := [self._waiting.popleft() for _ in range(min(BATCH_MAX, len(self._waiting)))]:
            try:
                close_old_connections()
                calls.keep(batch)
            except Error:
                log.warning("%s calls could not be kept yet", len(batch), exc_info=True)
                self._waiting.extendleft(reversed(batch[: WAITING_MAX - len(self._waiting)]))
                return


keeper = Keeper()
