"""Runs the verbs of uses, which are asyncpg's, from the threads of this process: one event loop in a thread of its own,
and a few connections that are made when they are first needed.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import TimeoutError as TooLong
from functools import cache
from typing import Any, TypeVar

import asyncpg

from onecard.foundation.errors import Unavailable
from onecard.foundation.postgres import urls
from onecard.foundation.web.errors import busy, database_away

T = TypeVar("T")

CONNECTIONS_MAX = 4
# A little more than the role waits for a statement.
ANSWER_S = 20.0


class Bridge:
    """The loop and its connections."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: asyncpg.Pool[Any] | None = None
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="bridge", daemon=True).start()

    def run(self, ask: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """What a verb comes to, on a connection of its own meanwhile. Raises its refusals, and Unavailable where the
        database is away or busy.
        """
        asked = asyncio.run_coroutine_threadsafe(self._ask(ask), self._loop)
        try:
            return asked.result(ANSWER_S)
        except (TooLong, asyncpg.QueryCanceledError):
            asked.cancel()
            raise busy() from None
        except asyncpg.LockNotAvailableError:
            raise _card_busy() from None
        except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.CannotConnectNowError):
            raise database_away() from None

    async def _ask(self, ask: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        if self._pool is None:
            self._pool = await asyncpg.create_pool(self._url, min_size=0, max_size=CONNECTIONS_MAX)
        async with self._pool.acquire() as connection:
            return await ask(connection)


@cache
def _bridge() -> Bridge:
    return Bridge(urls.of_environment())


def run(ask: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    """As `Bridge.run`, on this process's own."""
    return _bridge().run(ask)


def _card_busy() -> Unavailable:
    return Unavailable(
        "CARD_BUSY",
        "该卡正在使用。",
        "The card is in use at this moment.",
        next_zh="请重试。",
        next_en="Try again.",
    )
