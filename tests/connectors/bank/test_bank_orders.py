"""Orders in the database: which steps exist, who may take them, what check and alarm find; and the job itself."""

import itertools
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.bank_process import a_bank, a_token
from tests.connectors.bank.banking_city import BankingCity
from tests.kernel.cards.roles import django_as

from onecard.connectors.bank import settling
from onecard.foundation import sql

STATES = {
    "payment": ("asked", "approved", "refused", "held", "captured", "releasing", "released"),
    "refund": ("due", "refunded"),
}
STEPS = {
    ("asked", "approved"), ("asked", "refused"), ("asked", "releasing"), ("approved", "held"),
    ("approved", "releasing"), ("held", "captured"), ("releasing", "released"), ("due", "refunded"),
}  # fmt: skip


def state_of(city: BankingCity, order: UUID) -> str:
    state: str = city.one("SELECT state FROM uses_bank_order WHERE id = $1", order)
    return state


@pytest.mark.parametrize("kind", STATES)
def test_every_step_that_is_none_is_refused_by_the_database(city: BankingCity, kind: str) -> None:
    for here, there in itertools.permutations(STATES[kind], 2):
        order = city.an_order(here)
        if (here, there) in STEPS:
            city.move(order, there)
        else:
            with pytest.raises(psycopg.errors.CheckViolation, match="BANK_STEP"):
                city.move(order, there)
        assert state_of(city, order) == (there if (here, there) in STEPS else here)


@pytest.mark.parametrize("state", [state for state in STATES["payment"] if state != "asked"])
def test_an_order_starts_at_the_beginning(city: BankingCity, state: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        city.run(
            "INSERT INTO uses_bank_order (id, kind, terminal_id, journal, sequence, content, card_id, bank_id, token,"
            " item, amount_fen, state, use_id, next_try_at)"
            " VALUES ($1, 'payment', 1, $1, 1, '-', 1, 1, '-', 'x', 1, $2,"
            " CASE WHEN $2 IN ('held', 'captured') THEN $1 END, now())",
            uuid4(), state,
        )  # fmt: skip


@pytest.mark.parametrize(
    "change",
    ["amount_fen = 1", "token = 'another'", "card_id = 2", "id = gen_random_uuid()", "sequence = -1", "content = 'x'"],
)
def test_what_an_order_is_about_never_changes(city: BankingCity, change: str) -> None:
    order = city.an_order()
    with pytest.raises(psycopg.errors.CheckViolation, match="does not change"):
        city.run(f"UPDATE uses_bank_order SET {change} WHERE id = $1", order)


def test_a_use_that_stands_on_an_order_stays_there_and_no_order_goes(city: BankingCity) -> None:
    order = city.an_order("held")
    with pytest.raises(psycopg.errors.CheckViolation, match="does not change"):
        city.run("UPDATE uses_bank_order SET use_id = gen_random_uuid() WHERE id = $1", order)
    for statement in ("DELETE FROM uses_bank_order", "TRUNCATE uses_bank_order CASCADE"):
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
            city.run(statement)


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("public", "SELECT id FROM uses_bank_order"),
        ("staff", "SELECT token FROM uses_bank_order"),
        ("staff", "UPDATE uses_bank_order SET state = 'released'"),
        ("worker", "SELECT token FROM uses_bank_order"),
        ("worker", "UPDATE uses_bank_order SET use_id = NULL"),
        ("gateway", "UPDATE uses_bank_order SET amount_fen = 1"),
        ("gateway", "INSERT INTO uses_bank_step VALUES ('refused', 'held')"),
    ],
)
def test_each_role_may_do_its_part_and_no_more(fresh_database: dict[str, str], role: str, statement: str) -> None:
    with (
        psycopg.connect(fresh_database[role]) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


def test_an_order_that_waits_for_a_day_is_told_once(
    city: BankingCity, fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker
) -> None:
    old = [city.an_order(state, age="25 h") for state in ("releasing", "captured")]
    city.an_order("releasing", age="23 h")
    with django_as(fresh_database["worker"], django_db_blocker):
        assert [settling.alarm(), settling.alarm()] == [1, 0]
    told = city.run("SELECT kind, subject, detail FROM audit_risk_fact WHERE subject LIKE 'bank_order:%'")
    assert told == [("bank_order_stuck", f"bank_order:{old[0]}", {"state": "releasing", "tries": 0})]


def found(url: str) -> dict[str, int]:
    with psycopg.connect(url) as connection:
        cursor = connection.execute(sql.load("onecard.check", "bank_orders").encode())
        names = [column.name for column in cursor.description or ()]
        row: tuple[Any, ...] = cursor.fetchone() or ()
    return {name: number for name, number in zip(names, row, strict=True) if number and name != "checked"}


def test_the_check_finds_orders_and_transfers_without_each_other(
    postgres: Any, template: str, keys_folder: Path
) -> None:
    name = "onecard_bank_check"
    try:
        city = BankingCity(postgres.create(name, template)["owner"])
        city.an_order("releasing", age="25 h")
        assert found(city.url) == {"a_day_old": 1}
        city.an_order("held")
        assert found(city.url) == {"a_day_old": 1, "without_transfer": 1, "of_no_admitted_use": 1}
        operator = city.account(city.operator, "operator.receivable", "bank")
        city.transfer(city.account(city.bank, "bank.settlement", "bank"), operator, 200, "paid")
        assert found(city.url) == {
            "a_day_old": 1, "without_transfer": 1, "of_no_admitted_use": 1, "without_order": 1
        }  # fmt: skip
        city.connection.close()
    finally:
        postgres.drop(name)


@pytest.mark.processes
def test_the_worker_settles_by_the_clock(
    city: BankingCity, fresh_database: dict[str, str], environment_for: Callable[[str], dict[str, str]], tmp_path: Path
) -> None:
    """The real worker, told of the bank by its environment."""
    with a_bank(tmp_path) as bank:
        order, token = city.an_order(), bank.give(a_token(), 1_000)
        environment = {**environment_for(fresh_database["worker"]), **bank.callers_environment}
        environment.pop("DJANGO_SETTINGS_MODULE", None)
        held = city.an_order(token=token)
        bank.caller.hold(held, token, 200, "bus")
        city.move(held, "approved")
        city.move(held, "held")
        worker = subprocess.Popen([sys.executable, "-m", "onecard", "worker"], env=environment)
        try:
            deadline = time.monotonic() + 60
            while (state_of(city, order), state_of(city, held)) != ("released", "captured"):
                assert time.monotonic() < deadline, "it did not happen in time"
                assert worker.poll() is None
                time.sleep(0.2)
        finally:
            worker.kill()
            worker.wait()
        assert bank.account(token)["balance_fen"] == 800
