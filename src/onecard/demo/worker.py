"""The worker process: runs queued jobs, seals the audit trail every second, anchors it daily.

Two things run side by side and neither waits for the other: procrastinate on the event loop, and the sealer in a thread
with a Django connection of its own. Each survives a restart of the database by itself, trying again ever more slowly.
A job may run twice (a worker killed in the middle leaves it to the next one), so every job is written to be repeated.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from asgiref.sync import sync_to_async
from django.db import DatabaseError, close_old_connections, connection
from django.utils.module_loading import autodiscover_modules
from procrastinate import App, PsycopgConnector
from procrastinate.contrib.django import app as django_app
from procrastinate.contrib.django.db_cleanup import DjangoApp
from procrastinate.contrib.django.utils import connector_params
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Job, Status

from onecard.kernel.audit import actions as audit

logger = logging.getLogger(__name__)

READY_FILE = "ONECARD_READY_FILE"
SEAL_EVERY_S = 1.0
ANCHOR_CHECK_EVERY_S = 3600.0
PAUSE_MAX_S = 5.0
STALLED_CHECK_EVERY_S = 30.0
# Asked to stop, running jobs get this long; then the process ends, since any job may be repeated.
STOP_S = 5
JOBS_AT_ONCE = 2


def run(arguments: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT; 0. Writes the file named by ONECARD_READY_FILE once jobs and sealer both work."""
    autodiscover_modules("jobs")
    asyncio.run(_serve())
    return 0


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    stop, sealing, working = asyncio.Event(), asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    sealer = Sealer(lambda: loop.call_soon_threadsafe(sealing.set))
    sealer.start()
    jobs = asyncio.create_task(_run_jobs(working))
    ready = asyncio.create_task(_tell_when_ready(sealing, working))
    await stop.wait()
    logger.info("stopping")
    _end_in_any_case()
    sealer.stop()
    ready.cancel()
    jobs.cancel()
    await asyncio.wait({jobs}, timeout=STOP_S)
    await asyncio.to_thread(sealer.join)


async def _tell_when_ready(sealing: asyncio.Event, working: asyncio.Event) -> None:
    await sealing.wait()
    await working.wait()
    if name := os.environ.get(READY_FILE):
        Path(name).write_text("ready\n", encoding="ascii")
    logger.info("ready")


def _end_in_any_case() -> None:
    """A job in a thread cannot be interrupted and a lost database can hold a socket; neither may hold the process."""
    timer = threading.Timer(STOP_S + 2, os._exit, (0,))
    timer.daemon = True
    timer.start()


class Sealer(threading.Thread):
    """Seals each second and anchors once a day; `on_first` is called after the first round that worked."""

    def __init__(self, on_first: Callable[[], object]) -> None:
        super().__init__(name="sealer", daemon=True)
        self._stop_asked = threading.Event()
        self._on_first = on_first
        self._first = True
        self._anchor_check_at = 0.0
        self._failures = 0

    def stop(self) -> None:
        """Ask it to end after the batch it is at."""
        self._stop_asked.set()

    def run(self) -> None:
        pause_s = 0.0
        while not self._stop_asked.wait(pause_s):
            pause_s = self._round()
        connection.close()

    def _round(self) -> float:
        """Seal and anchor once; how long to pause, in seconds."""
        try:
            close_old_connections()
            self._seal_and_anchor()
        except Exception as error:  # whatever it is, facts go on being written and must go on being sealed
            _tell("sealing failed, trying again", error)
            connection.close()
            self._failures += 1
            return backoff_s(self._failures)
        self._failures = 0
        if self._first:
            self._first = False
            self._on_first()
        return SEAL_EVERY_S

    def _seal_and_anchor(self) -> None:
        while audit.seal() and not self._stop_asked.is_set():
            pass
        if time.monotonic() >= self._anchor_check_at and audit.last_seal()[0]:
            audit.anchor()
            self._anchor_check_at = time.monotonic() + ANCHOR_CHECK_EVERY_S


async def _run_jobs(working: asyncio.Event) -> None:
    """Run jobs for ever; begin anew when the database went away."""
    failures = 0
    while True:
        began = time.monotonic()
        try:
            # Periodic jobs are queued through Django's connection of this context, which may be the dead one.
            await sync_to_async(close_old_connections)()
            await _work(working)
            logger.warning("the job runner ended by itself, starting it again")
        except Exception as error:
            _tell("running jobs failed, trying again", error)
        failures = 1 if time.monotonic() - began > 60 else failures + 1
        await asyncio.sleep(backoff_s(failures))


async def _work(working: asyncio.Event) -> None:
    """One life of the job runner: ends when a part of it fails, or with the cancellation of this task."""
    app = _worker_app()
    async with app.open_async():
        rescuer = asyncio.create_task(_rescue_stalled(app))
        working.set()
        try:
            await app.run_worker_async(
                concurrency=JOBS_AT_ONCE,
                delete_jobs="successful",
                install_signal_handlers=False,
                shutdown_graceful_timeout=STOP_S - 1,
                fetch_job_polling_interval=2.0,
            )
        finally:
            rescuer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await rescuer


async def _rescue_stalled(app: App) -> None:
    """Give the jobs of killed workers to the living ones."""
    while True:
        for job in await app.job_manager.get_stalled_jobs():
            await _rescue(app, job)
        await asyncio.sleep(STALLED_CHECK_EVERY_S)


async def _rescue(app: App, job: Job) -> None:
    """Run a dead worker's job again. Of those that queue once, the next one may wait already, behind this one's lock:
    it does what this one left.
    """
    try:
        await app.job_manager.retry_job(job)
    except UniqueViolation:
        await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)
        logger.warning("job %s of a dead worker is left to the next one", job.id)
    else:
        logger.warning("job %s of a dead worker is run again", job.id)


def _worker_app() -> App:
    """An app of the same tasks with an asynchronous connector of its own.

    The tasks keep Django's connector, so that a job which queues another does it in its own transaction.
    """
    connector = PsycopgConnector(kwargs=connector_params(), min_size=1, max_size=JOBS_AT_ONCE + 3, timeout=10)
    app = DjangoApp(connector=connector)
    app.tasks = django_app.tasks
    app.periodic_registry = django_app.periodic_registry
    return app


def _tell(what: str, error: Exception) -> None:
    """A database that is away is one line each time; anything else is a fault of ours and shows where."""
    away = isinstance(error, (DatabaseError, psycopg.Error, ConnectorException))
    logger.warning("%s: %s", what, str(error).strip().partition("\n")[0] if away else repr(error), exc_info=not away)


def backoff_s(failures: int) -> float:
    """How long to wait after so many failures in a row: 0.2 s, doubling, at most 5 s."""
    return min(0.1 * 2.0 ** min(failures, 10), PAUSE_MAX_S)
