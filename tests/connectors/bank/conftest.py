"""A city whose holders pay by bank account; the simulated bank and a gateway as processes; the worker's settling."""

from collections.abc import Callable, Iterator

import httpx
import psycopg
import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.bank_process import BankProcess, a_bank
from tests.connectors.bank.banking_city import FERRY, BankingCity, Settle, a_ferry
from tests.gateway.process import GatewayProcess, a_gateway, send, verdict
from tests.kernel.cards.roles import django_as

from onecard.connectors.bank import settling
from onecard.connectors.bank.caller import Bank
from onecard.foundation import sql


@pytest.fixture(scope="module")
def bank_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BankProcess]:
    with a_bank(tmp_path_factory.mktemp("bank")) as running:
        yield running


@pytest.fixture(scope="module")
def city(fresh_database: dict[str, str]) -> Iterator[BankingCity]:
    made = BankingCity(fresh_database["owner"])
    yield made
    made.connection.close()


@pytest.fixture(scope="module")
def gateway(
    bank_process: BankProcess,
    city: BankingCity,
    fresh_database: dict[str, str],
    environment_for: Callable[[str], dict[str, str]],
) -> Iterator[GatewayProcess]:
    with a_gateway(
        lambda url: environment_for(url) | bank_process.callers_environment, fresh_database["gateway"]
    ) as running:
        yield running


@pytest.fixture
def http(gateway: GatewayProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gateway.url, timeout=20) as client:
        yield client


@pytest.fixture
def bank(bank_process: BankProcess) -> BankProcess:
    bank_process.behave("normal")
    return bank_process


@pytest.fixture
def settle(fresh_database: dict[str, str], bank: BankProcess, django_db_blocker: DjangoDbBlocker) -> Settle:
    """What the worker's job does, as the worker's role; the bank has half a second."""

    def run() -> int:
        with django_as(fresh_database["worker"], django_db_blocker):
            return settling.settle(Bank(bank.url, bank.key, answer_s=0.5))

    return run


@pytest.fixture
def all_is_conserved(city: BankingCity, bank: BankProcess, gateway: GatewayProcess, settle: Settle) -> Iterator[None]:
    """After each test: settled, the bank holds nothing, took what our ledger says, and `onecard check` agrees."""
    yield
    bank.behave("normal")
    with httpx.Client(base_url=gateway.url, timeout=20) as http:
        # So that the bank rests after no test: this is the next silence's first in a row.
        assert verdict(send(http, city.a_terminal(FERRY), a_ferry(city, city.a_customer(bank)[0]))) == "ADMITTED"
    for _ in range(2):  # a refund waits for its capture
        city.hurry()
        settle()
    assert (
        city.run("SELECT id FROM uses_bank_order WHERE state NOT IN ('refused', 'captured', 'released', 'refunded')")
        == []
    )
    assert bank.held_fen() == 0
    booked = bank.booked()
    taken = sum(entry.amount_fen if entry.kind == "capture" else -entry.amount_fen for entry in booked)
    assert taken == city.by_bank()
    assert_the_check_agrees(city)


def assert_the_check_agrees(city: BankingCity) -> None:
    with psycopg.connect(city.url) as connection:
        cursor = connection.execute(sql.load("onecard.check", "bank_orders").encode())
        names = [column.name for column in cursor.description or ()]
        found = dict(zip(names, cursor.fetchone() or (), strict=True))
    assert {name: number for name, number in found.items() if name != "checked" and number} == {}
