"""What purses hold for journeys, and each way in which it could be wrong."""

from collections.abc import Iterator

import pytest
from tests.kernel.uses.town import Town, minutes_ago
from tests.small_city import SmallCity

from onecard.check import running
from onecard_kit.terms import Leg

FIGURES = next(each for each in running.FIGURES if each.code == "JOURNEYS")


@pytest.fixture(scope="module")
def town(fresh_database: dict[str, str]) -> Iterator[Town]:
    """One journey open, one ended at a gate, one that stayed open until the holder tapped in again."""
    city = SmallCity(fresh_database["owner"])
    town = Town(city, fresh_database["gateway"])
    card, forgetful = city.a_card(), city.a_card()
    town.tap(card, "S1", Leg.IN, minutes_ago(30))
    town.tap(card, "S2", Leg.OUT)
    for _ in range(2):
        town.tap(forgetful, "S1", Leg.IN, minutes_ago(10))
    yield town
    city.connection.close()


def test_journeys_and_holds_are_of_one_mind(town: Town) -> None:
    found = running._figures(town.city.connection, FIGURES)
    assert found.ok, found.numbers
    assert found.numbers["checked"] == 3


BREACHES = {
    "open_without_hold": "DELETE FROM ledger_hold",
    "ended_and_held": "UPDATE uses_journey SET ended_at = now() WHERE ended_at IS NULL",
    "held_different": "UPDATE uses_journey SET held_fen = held_fen - 1",
    "of_no_admitted_use": "UPDATE uses_journey SET ended_by = id WHERE ended_by IS NOT NULL",
    "a_day_overdue": "UPDATE uses_journey SET ends_by = ends_by - interval '2 days'",
    "held_for_none": "UPDATE uses_journey SET hold_id = NULL, held_fen = 0 WHERE ended_at IS NULL",
}


@pytest.mark.parametrize("fault", BREACHES)
def test_a_breach_is_found(town: Town, fault: str) -> None:
    with town.city.connection.transaction(force_rollback=True):
        town.city.run(BREACHES[fault])
        assert running._figures(town.city.connection, FIGURES).numbers[fault] > 0
