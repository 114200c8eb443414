"""What gates decided without a line, over HTTP: each admission is on the platform once, and somebody pays for it."""

from collections.abc import Callable, Iterator

import httpx
import pytest
from tests.gateway.gates import OfflineGate
from tests.gateway.process import GatewayProcess, a_gateway
from tests.small_city import SmallCity

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def city(fresh_database: dict[str, str]) -> Iterator[SmallCity]:
    made = SmallCity(fresh_database["owner"])
    yield made
    made.connection.close()


@pytest.fixture(scope="module")
def gateway(
    fresh_database: dict[str, str], environment_for: Callable[[str], dict[str, str]]
) -> Iterator[GatewayProcess]:
    with a_gateway(environment_for, fresh_database["gateway"]) as process:
        yield process


@pytest.fixture(scope="module")
def client(gateway: GatewayProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gateway.url, timeout=60) as made:
        yield made


def test_a_day_without_a_line(city: SmallCity, client: httpx.Client) -> None:
    gate, card = OfflineGate(city, city.a_terminal()), city.a_card(purse_fen=1000)
    assert gate.head(client)["through"] == -1
    for _ in range(3):
        gate.write(card, paid_fen=200)
    gate.write(card, verdict="CARD_LOST")
    uploaded = gate.upload(client)
    assert uploaded.kinds == ["recorded"] * 4
    assert uploaded.told("verdict", "gate_verdict", "paid_fen") == [
        *[("ADMITTED", "ADMITTED", 190)] * 3, ("ADMITTED", "CARD_LOST", 0),
    ]  # fmt: skip
    assert (uploaded.end["done"], uploaded.end["through"], uploaded.end["chain"]) == (True, 4, gate.last)
    assert city.purse_of(card) == 1000 - 3 * 190
    again = gate.upload(client)
    assert again.kinds == ["repeated"] * 4
    assert again.told("use", "verdict", "paid_fen") == uploaded.told("use", "verdict", "paid_fen")
    assert city.purse_of(card) == 1000 - 3 * 190
    assert gate.head(client)["through"] == 4
    uses = city.run("SELECT verdict, count(*) FROM uses_use WHERE card_id = $1 GROUP BY 1 ORDER BY 1", card.id)
    assert uses == [("ADMITTED", 3), ("CARD_LOST", 1)]
