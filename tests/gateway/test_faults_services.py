"""kill -9 of the processes beside the gateway: the worker while it seals, a web process while it is asked."""

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.cluster import Cluster
from tests.server_process import a_free_port

from onecard.check.running import django_at
from onecard.demo.supervise import Child, Supervisor, answers

pytestmark = pytest.mark.processes

FACTS = (
    "INSERT INTO audit_fact (actor, verb, subject)"
    " SELECT 'system:test', 'test', 'card:' || n FROM generate_series(1, 200) n"
)
SEALED = "SELECT coalesce(sum(facts), 0) FROM audit_seal"


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


@contextmanager
def a_worker(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-m", "onecard", "worker"], env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_worker_killed_while_it_seals_leaves_a_whole_chain(
    fresh_database: dict[str, str],
    environment_for: Callable[[str], dict[str, str]],
    postgres: Cluster,
    django_db_blocker: DjangoDbBlocker,
) -> None:
    """Killed with its seal computed and not yet written, then between seals at any moment; the next one goes on."""
    environment = environment_for(fresh_database["worker"])
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    with psycopg.connect(fresh_database["owner"], autocommit=True) as owner:

        def count(statement: str) -> Any:
            return (owner.execute(statement.encode()).fetchone() or (None,))[0]

        before = count("SELECT count(*) FROM audit_fact")
        owner.execute(FACTS.encode())
        with psycopg.connect(fresh_database["owner"]) as holding, a_worker(environment) as worker:
            holding.execute("LOCK TABLE audit_seal IN SHARE MODE")
            until(lambda: _sealer_waits(postgres, owner.info.dbname))
            worker.kill()
            worker.wait()
        assert count(SEALED) == 0
        for _ in range(2):
            owner.execute(FACTS.encode())
            waiting = count("SELECT count(*) FROM audit_fact")
            with a_worker(environment):
                until(lambda waiting=waiting: count(SEALED) >= waiting)  # type: ignore[misc]
                owner.execute(FACTS.encode())
        with a_worker(environment):
            until(lambda: count(SEALED) == count("SELECT count(*) FROM audit_fact"))
        assert count(SEALED) == before + 5 * 200
    with django_db_blocker.unblock(), django_at(fresh_database["owner"]):
        from onecard.kernel.audit import queries

        assert [finding for finding in queries.verify_chain() if finding.is_fault] == []


def _sealer_waits(postgres: Cluster, database: str) -> bool:
    statement = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND starts_with(usename, 'onecard_worker')"
        " AND wait_event_type = 'Lock' AND query LIKE 'INSERT INTO audit_seal%%'"
    )
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        return admin.execute(statement.encode(), [database]).fetchone() != (0,)


def test_a_web_process_killed_under_load_comes_back_by_itself(
    fresh_database: dict[str, str], environment_for: Callable[[str], dict[str, str]], tmp_path: Path
) -> None:
    """Its supervisor starts it again on its port; while it is away, callers see a lost connection and nothing else."""
    port = a_free_port()
    argv = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    argv += ["--workers", "1", "--blocking-threads", "2", "--log-level", "warning", "onecard.urls.public:application"]
    environment = {
        **environment_for(fresh_database["public"]),
        "ONECARD_PORT": str(port),
        "ONECARD_SECRET_KEY": secrets.token_hex(32),
    }
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    web = Child("web", "居民端", "Public web", argv, environment, lambda: answers(port))
    supervisor = Supervisor([web], tmp_path)
    try:
        supervisor.start()
        watching = threading.Thread(target=supervisor.watch)
        watching.start()
        asked, seen = threading.Event(), []

        def ask() -> None:
            while not asked.is_set():
                with suppress(httpx.TransportError):
                    seen.append(httpx.get(f"http://127.0.0.1:{port}/health", timeout=5).status_code)

        callers = [threading.Thread(target=ask) for _ in range(4)]
        for caller in callers:
            caller.start()
        until(lambda: len(seen) > 20)
        assert web.process is not None
        killed = web.process.pid
        os.killpg(killed, signal.SIGKILL)
        until(lambda: web.process is not None and web.process.pid != killed)
        answered = len(seen)
        until(lambda: len(seen) > answered + 20)
        asked.set()
        for caller in callers:
            caller.join()
        assert set(seen) == {200}
    finally:
        supervisor._ask_to_stop(signal.SIGTERM, None)
        watching.join()
        supervisor.stop()
