"""How long a request's body may take: one sweep a second over the requests being read, in place of a timer for each."""

import asyncio
import time
from collections.abc import Awaitable

from onecard.gateway import errors

SWEEP_S = 1.0


class Patience:
    """Ends what reads for longer than `seconds`, to the second."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._reading: dict[asyncio.Task[object], float] = {}
        self._ended: set[asyncio.Task[object]] = set()

    async def read(self, reading: Awaitable[bytes]) -> bytes:
        """What one reading of a body comes to. Raises TooSlow when it took too long."""
        task = asyncio.current_task()
        assert task is not None
        self._reading[task] = time.monotonic()
        try:
            return await reading
        except asyncio.CancelledError:
            if task not in self._ended:
                raise
            task.uncancel()
            raise errors.too_slow() from None
        finally:
            del self._reading[task]
            self._ended.discard(task)

    async def run(self) -> None:
        """Sweep, for ever."""
        while True:
            await asyncio.sleep(SWEEP_S)
            oldest = time.monotonic() - self._seconds
            for task in [task for task, since in self._reading.items() if since < oldest]:
                if task not in self._ended:
                    self._ended.add(task)
                    task.cancel()
