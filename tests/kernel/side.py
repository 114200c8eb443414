"""Two people at one thing: the second one's work runs beside the test, on a connection of its own."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import psycopg
from django.db import connection

WAIT_S = 30


@dataclass
class Side:
    """A second person at work: what they do runs beside the test, on a connection of its own."""

    pool: ThreadPoolExecutor
    url: str

    def start(self, work: Callable[[], object]) -> "Future[object]":
        return self.pool.submit(self._run, work)

    def _run(self, work: Callable[[], object]) -> object:
        try:
            return work()
        finally:
            connection.close()

    def wait_for_lock(self, doing: "Future[object]") -> None:
        """Until somebody in this database waits for a lock, or the work is over."""
        with psycopg.connect(self.url, autocommit=True) as watch:
            until = time.monotonic() + WAIT_S
            while not doing.done() and time.monotonic() < until:
                found = watch.execute(
                    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                ).fetchall()
                if found:
                    return
                time.sleep(0.01)
