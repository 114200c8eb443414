"""The bank's statement against what we had it book, after a day."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.bank_process import BankProcess, a_bank, a_token
from tests.connectors.bank.banking_city import BankingCity
from tests.kernel.cards.roles import django_as

from onecard.demo import banking

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def city(fresh_database: dict[str, str]) -> Iterator[BankingCity]:
    made = BankingCity(fresh_database["owner"])
    yield made
    made.connection.close()


@pytest.fixture
def bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BankProcess]:
    with a_bank(tmp_path) as running:
        for name, value in running.callers_environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(banking, "SETTLED_WITHIN_S", 0.1)
        yield running


def booked(bank: BankProcess, order: UUID, amount_fen: int = 200) -> UUID:
    """Let the bank capture under an order's id."""
    bank.caller.hold(order, a_token(), amount_fen, "bus")
    bank.caller.capture(order, amount_fen)
    return order


def uses_of(city: BankingCity, order: UUID) -> list[str]:
    return [city.one("SELECT use_id::text FROM uses_bank_order WHERE id = $1", order)]


def test_what_agrees_and_what_does_not(
    city: BankingCity, bank: BankProcess, fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker
) -> None:
    paid = booked(bank, city.an_order("captured"))
    missing = city.an_order("captured")
    with django_as(fresh_database["owner"], django_db_blocker):
        assert [list(each.against) for each in banking.invariants(uses_of(city, paid))] == [[], []]
        [_, lacking] = banking.invariants(uses_of(city, missing))
        assert list(lacking.against) == [f"payment {missing} of 200 fen is not in the bank's statement"]
        strange = booked(bank, uuid4(), 77)
        [_, unknown] = banking.invariants(uses_of(city, paid))
        assert list(unknown.against) == [f"the bank booked capture {strange} of 77 fen, we None"]
        waiting = city.an_order("releasing")
        [unsettled, _] = banking.invariants(uses_of(city, paid))
        assert list(unsettled.against) == [f"order {waiting} is releasing"]
        bank.kill()
        [_, silent] = banking.invariants(uses_of(city, paid))
        assert "gave no statement" in silent.against[0]


def test_without_a_bank_there_is_nothing_to_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONECARD_BANK_URL", raising=False)
    monkeypatch.delenv("ONECARD_BANK_KEY", raising=False)
    assert banking.invariants([]) == []
