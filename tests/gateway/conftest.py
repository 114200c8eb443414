"""What a module of gateway tests stands on: a small city in a database of its own, and a gateway there as a process."""

from collections.abc import Callable, Iterator

import httpx
import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.gateway import documented
from tests.gateway.process import GatewayProcess, a_gateway
from tests.small_city import SmallCity

from onecard.check import running as check

ADDS_UP = {
    "BALANCES", "LEDGERS", "HOLDS", "USE_TRANSFERS", "REFUNDS", "JOURNEYS", "NONCES", "JOURNAL_KEYS", "OFFLINE_LINES",
    "QUOTAS", "PARTITIONS", "PASSES", "CAPACITIES",
}  # fmt: skip
"""The invariants that hold in a city which a test made by hand."""


@pytest.fixture(scope="module")
def city(fresh_database: dict[str, str]) -> Iterator[SmallCity]:
    """A module that needs more in it takes this one and adds to it, under the same name."""
    made = SmallCity(fresh_database["owner"])
    yield made
    made.connection.close()


@pytest.fixture
def gate(fresh_database: dict[str, str]) -> str:
    """The address of the gateway's role there, for a lane or gateway inside the test's own process."""
    return fresh_database["gateway"]


@pytest.fixture(scope="module")
def gateway(
    city: SmallCity, fresh_database: dict[str, str], environment_for: Callable[[str], dict[str, str]]
) -> Iterator[GatewayProcess]:
    with a_gateway(environment_for, fresh_database["gateway"]) as running:
        yield running


@pytest.fixture
def http(gateway: GatewayProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gateway.url, timeout=20, event_hooks={"response": [documented.check]}) as client:
        yield client


@pytest.fixture(scope="module")
def client(gateway: GatewayProcess) -> Iterator[httpx.Client]:
    """For what takes longer than a use, such as an upload; nothing is held against the reference."""
    with httpx.Client(base_url=gateway.url, timeout=60) as made:
        yield made


@pytest.fixture
def adds_up(city: SmallCity, fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """After a test the books balance, and everything that is counted is what its uses say."""
    yield
    with django_db_blocker.unblock():
        found = check.run(fresh_database["owner"])
    assert [each.plain() for each in found if each.code in ADDS_UP and not each.ok] == []
