"""The worker as a real process, with its own database role: ready, working, cut off from the database, stopped."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from tests.cluster import Cluster
from tests.small_city import SmallCity

pytestmark = pytest.mark.processes

WAIT_S = 40
HOLDER = (
    "INSERT INTO holders_holder (place, number_sealed, number_index, name_sealed, name_index, initials_index,"
    " birth_date, sex)"
    " VALUES ('320600', '-', gen_random_uuid()::text::bytea, '-', '-', '-', '1950-05-01', 1) RETURNING id"
)
CARD = (
    "INSERT INTO cards_card (number, identifier, holder_id, issuing_place, bank_id, generation, state, issued_on,"
    " valid_to)"
    " VALUES ('W00000001', repeat('A', 32), %s, '320600', %s, 3, 'inactive', '2026-01-01', '2036-01-01') RETURNING id"
)
BANK = (
    "INSERT INTO partners_party (code, kind, name_zh, name_en, division) VALUES ('b', 'bank', 'b', 'b', '320600')"
    " RETURNING id"
)
QUEUE = (
    "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('cards', 'cards.refresh_standing', %s::jsonb)"
)
FACT = "INSERT INTO audit_fact (actor, verb, subject) VALUES ('system:test', 'test', 'card:0')"
SEALED = "SELECT coalesce(sum(facts), 0) FROM audit_seal"

Owner = psycopg.Connection[tuple[int]]


@pytest.fixture
def owner(fresh_database: dict[str, str]) -> Iterator[Owner]:
    with psycopg.connect(fresh_database["owner"], autocommit=True) as connected:
        yield connected


@pytest.fixture
def worker(
    fresh_database: dict[str, str], environment_for: Callable[[str], dict[str, str]], tmp_path: Path
) -> Iterator[subprocess.Popen[bytes]]:
    ready = tmp_path / "worker.ready"
    environment = {**environment_for(fresh_database["worker"]), "ONECARD_READY_FILE": str(ready)}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    process = subprocess.Popen([sys.executable, "-m", "onecard", "worker"], env=environment)
    try:
        until(lambda: ready.exists() or process.poll() is not None)
        assert process.poll() is None
        yield process
    finally:
        process.kill()
        process.wait()


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def one(owner: Owner, statement: str, *values: object) -> int:
    found = owner.execute(statement.encode(), values).fetchone()
    assert found is not None
    return found[0]


def test_the_worker_works_survives_and_stops(
    worker: subprocess.Popen[bytes], owner: Owner, postgres: Cluster, fresh_database: dict[str, str]
) -> None:
    holder = one(owner, HOLDER)
    card = one(owner, CARD, holder, one(owner, BANK))
    standings = b"SELECT count(*) FROM cards_standing WHERE card_id = %s AND card_state = %s"
    job = f'{{"holder_id": {holder}}}'

    owner.execute(QUEUE.encode(), [job])
    owner.execute(FACT.encode())
    until(lambda: one(owner, standings.decode(), card, "inactive") == 1)
    until(lambda: one(owner, SEALED) == 1)
    until(lambda: one(owner, "SELECT count(*) FROM audit_anchor") == 1)

    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE starts_with(usename, 'onecard_worker') AND datname = %s",
            [owner.info.dbname],
        )
    owner.execute(b"UPDATE holders_holder SET life = 'deceased' WHERE id = %s", [holder])
    owner.execute(QUEUE.encode(), [job])
    owner.execute(FACT.encode())
    until(lambda: one(owner, standings.decode(), card, "locked") == 1)
    until(lambda: one(owner, SEALED) == 3)  # the second fact of the test, and the lock

    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=WAIT_S) == 0


def test_the_worker_makes_the_lists_of_a_new_key(
    worker: subprocess.Popen[bytes], owner: Owner, fresh_database: dict[str, str]
) -> None:
    city = SmallCity(fresh_database["owner"])
    owner.execute(
        b"INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('ecards', 'ecards.sign_lists', '{}')"
    )
    until(lambda: one(owner, "SELECT count(*) FROM ecards_status_list") == 22)
    city.connection.close()


def test_a_job_of_a_killed_worker_is_run_by_the_next(worker: subprocess.Popen[bytes], owner: Owner) -> None:
    """What a dead worker was doing belongs to whoever lives."""
    owner.execute(
        b"WITH dead AS"
        b" (INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour') RETURNING id)"
        b" INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, worker_id)"
        b" SELECT 'cards', 'cards.refresh_standing', '{\"holder_id\": 0}', 'doing', id FROM dead"
    )
    until(lambda: one(owner, "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'cards.refresh_standing'") == 0)


def test_a_job_of_a_killed_worker_does_not_stop_the_next_one_of_its_kind(
    fresh_database: dict[str, str], owner: Owner, request: pytest.FixtureRequest
) -> None:
    """The clock queued the next one before anybody found out, and that one waits for the lock of the dead one."""
    which = "'webhooks', 'webhooks.deliver', '{\"timestamp\": 0}', 'webhooks.deliver', 'webhooks.deliver'"
    insert = "INSERT INTO procrastinate_jobs (queue_name, task_name, args, lock, queueing_lock, status, worker_id)"
    dead = one(
        owner,
        "WITH dead AS"
        " (INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour') RETURNING id)"
        f" {insert} SELECT {which}, 'doing', id FROM dead RETURNING id",
    )
    waiting = one(owner, f"{insert} VALUES ({which}, 'todo', NULL) RETURNING id")
    request.getfixturevalue("worker")
    until(lambda: one(owner, "SELECT count(*) FROM procrastinate_jobs WHERE id IN (%s, %s)", dead, waiting) == 0)
