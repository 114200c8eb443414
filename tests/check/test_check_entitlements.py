"""Passes, places, day's caps and orders of ways to pay, and each way in which they could be wrong."""

from collections.abc import Iterator

import pytest
from tests.kernel.uses.town import MUSEUM_ITEM, PARK_ITEM, PASS_ITEM, Town, minutes_ago
from tests.small_city import SmallCity

from onecard.check import running
from onecard_kit.terms import Leg

FIGURES = {each.code: each for each in running.FIGURES}
YEAR_ITEM = "tourism.year_pass"
YEAR = """
code = "tourism.year_pass"
version = 1
starts_on = 2020-01-01
name = { zh = "全年卡", en = "Year pass" }
legal_basis = ["test"]
pass = { activate_within_days = 90, lasts_days = 365 }
price = { full_fen = 5000, from = "holder.purse", to = "operator.receivable" }
"""


@pytest.fixture(scope="module")
def town(fresh_database: dict[str, str]) -> Iterator[Town]:
    """Passes in use, waiting again, used up by half, given back and without limit; a museum that filled up and emptied;
    journeys under a day's cap; somebody's order of ways to pay.
    """
    city = SmallCity(fresh_database["owner"])
    town = Town(city, fresh_database["gateway"])
    city.an_item(YEAR)
    _passes(town)
    _museum(town)
    card = city.a_card()
    for station, leg in (("S1", Leg.IN), ("S4", Leg.OUT), ("S4", Leg.IN), ("S1", Leg.OUT)):
        last = town.tap(card, station, leg)
    town.give_back(last.use_id, town.stations["S1"])
    city.enrol(card, b"0" * 32)
    city.run(
        "INSERT INTO entitlements_means SELECT id, $1, ARRAY['bank', 'purse'] FROM holders_holder", "transit.bus_ride"
    )
    yield town
    city.connection.close()


def _passes(town: Town) -> None:
    for uses, given_back in ((2, 0), (2, 1), (2, 2), (0, 0)):
        card = town.city.a_card(purse_fen=20_000)
        sold = town.use(card, town.shop, PASS_ITEM)
        entries = [town.use(card, town.park, PARK_ITEM) for _ in range(uses)]
        for entry in entries[:given_back]:
            assert town.give_back(entry.use_id, town.park) == ""
    assert town.give_back(sold.use_id, town.shop) == ""
    town.use(town.city.a_card(), town.a_terminal(YEAR_ITEM), YEAR_ITEM)


def _museum(town: Town) -> None:
    gate = town.a_terminal(MUSEUM_ITEM)
    entered = [town.use(town.city.a_card(), gate, MUSEUM_ITEM, at=minutes_ago(n)) for n in (2, 1, 0)]
    assert [each.verdict for each in entered] == ["ADMITTED", "ADMITTED", "CAPACITY_FULL"]
    town.give_back(entered[0].use_id, gate)


@pytest.mark.parametrize(("code", "checked"), [("PASSES", 5), ("CAPACITIES", 1), ("QUOTAS", 1), ("MEANS", 1)])
def test_a_town_keeps_its_books(town: Town, code: str, checked: int) -> None:
    found = running._figures(town.city.connection, FIGURES[code])
    assert found.ok, found.numbers
    assert found.numbers["checked"] == checked


IN_USE = "(SELECT min(id::text)::uuid FROM entitlements_pass WHERE starts_on IS NOT NULL)"
UNLIMITED = "ALTER TABLE entitlements_pass DROP CONSTRAINT left_of_those_sold"
BREACHES = {
    "fewer left than none": (
        "PASSES",
        "uses_left_outside",
        UNLIMITED,
        "UPDATE entitlements_pass SET uses_left = -1 WHERE uses > 0",
    ),
    "more left than were sold": (
        "PASSES",
        "uses_left_outside",
        UNLIMITED,
        "UPDATE entitlements_pass SET uses_left = 3 WHERE uses = 2",
    ),
    "a use that was not taken off": (
        "PASSES",
        "uses_left_different",
        "UPDATE entitlements_pass SET uses_left = uses_left + 1 WHERE uses_left < uses",
    ),
    "a use of a pass forgotten": ("PASSES", "uses_left_different", "DELETE FROM entitlements_pass_use"),
    "started by nothing": ("PASSES", "start_different", "UPDATE entitlements_pass SET starts_on = sold_on"),
    "in use and not started": ("PASSES", "start_different", "UPDATE entitlements_pass SET starts_on = NULL"),
    "started on another day": ("PASSES", "start_different", "UPDATE entitlements_pass SET starts_on = starts_on + 1"),
    "sold by nobody": (
        "PASSES",
        "of_no_sale",
        "UPDATE entitlements_pass SET id = gen_random_uuid() WHERE starts_on IS NULL",
    ),
    "sold by a refused use": (
        "PASSES",
        "of_no_sale",
        f"UPDATE uses_use SET verdict = 'FUNDS_SHORT' WHERE item = '{PASS_ITEM}'",
    ),
    "given back and still good": ("PASSES", "given_back_different", "UPDATE entitlements_pass SET given_back = false"),
    "taken away": ("PASSES", "given_back_different", "UPDATE entitlements_pass SET given_back = true"),
    "given back while in use": (
        "PASSES",
        "given_back_in_use",
        f"UPDATE entitlements_pass SET given_back = id = {IN_USE}",
    ),
    "served a refused use": (
        "PASSES",
        "of_no_admitted_use",
        f"UPDATE uses_use SET verdict = 'FUNDS_SHORT' WHERE item = '{PARK_ITEM}'",
    ),
    "a place too many": ("CAPACITIES", "different", "UPDATE entitlements_capacity SET used = used + 1"),
    "places that nobody counted": ("CAPACITIES", "different", "DELETE FROM entitlements_capacity"),
    "places that nobody took": (
        "CAPACITIES",
        "different",
        "INSERT INTO entitlements_capacity SELECT point_id, rule, '2020-01-01', 1 FROM entitlements_capacity",
    ),
    "a day's cap that forgot a fare": (
        "QUOTAS",
        "below_uses",
        "UPDATE entitlements_quota SET used = used - 1 WHERE rule = 'transit.metro_ride#fen'",
    ),
    "ways to pay of nobody": ("MEANS", "of_no_holder", "UPDATE entitlements_means SET holder_id = 0"),
    "ways to pay for nothing": ("MEANS", "of_no_item", "UPDATE entitlements_means SET item = 'transit.rocket'"),
    "a way named twice": ("MEANS", "named_twice", "UPDATE entitlements_means SET means = ARRAY['bank', 'bank']"),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_a_breach_is_found(town: Town, breach: str) -> None:
    code, fault, *statements = BREACHES[breach]
    with town.city.connection.transaction(force_rollback=True):
        for table in ("uses_use", "entitlements_pass_use"):
            town.city.run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        town.city.run("ALTER TABLE entitlements_pass_use DROP CONSTRAINT entitlements_pass_use_pass_id_fkey")
        for statement in statements:
            town.city.run(statement)
        found = running._figures(town.city.connection, FIGURES[code])
        assert not found.ok
        assert found.numbers[fault] > 0, found.numbers
