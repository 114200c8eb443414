"""Two gateway processes and one thing left: a place, a yearly pass, the last fen, the last visit of a month."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier
from typing import Any

import httpx
import pytest
from tests.gateway.process import a_gateway, send
from tests.small_city import Card, Terminal
from tests.stories.city import StoryCity

from onecard_kit.verdicts import Verdict

pytestmark = pytest.mark.processes

ROUNDS = 8
Shown = tuple[Terminal, dict[str, Any]]
Race = Callable[[Shown, Shown], Counter[str]]


@pytest.fixture(scope="module")
def race(city: StoryCity, environment_for: Callable[[str], dict[str, str]]) -> Iterator[Race]:
    """Present two things at the same moment, each to a gateway of its own; the verdicts."""
    with ExitStack() as stack:
        gateways = [stack.enter_context(a_gateway(environment_for, city.urls["gateway"])) for _ in range(2)]
        clients = [stack.enter_context(httpx.Client(base_url=each.url, timeout=20)) for each in gateways]
        pool = stack.enter_context(ThreadPoolExecutor(2))
        start = Barrier(2)

        def present(client: httpx.Client, shown: Shown) -> str:
            start.wait()
            code: str = send(client, *shown).json()["verdict"]["code"]
            return code

        yield lambda *both: Counter(pool.map(present, clients, both))


def two_cards(city: StoryCity, *classes: str, fen: int = 10_000) -> tuple[Card, Card]:
    """Two cards of one holder with one purse, so that no lock on a card stands between the gateways."""
    first, second = city.a_holder(*classes, fen=fen), city.a_holder(*classes, fen=None)
    city.run(
        "UPDATE cards_standing SET holder_id = $1, purse_account_id = $2 WHERE card_id = $3",
        first.holder_id, first.purse, second.id,
    )  # fmt: skip
    return first, second


def two_terminals(city: StoryCity, point: str) -> tuple[Terminal, Terminal]:
    point_id = city.one("SELECT id FROM catalogue_point WHERE code = $1", point)
    return city.a_terminal(point=point_id), city.a_terminal(point=point_id)


def shown(city: StoryCity, terminal: Terminal, card: Card, item: str) -> Shown:
    return terminal, {"item": item, "code": city.a_code(card)}


def one_of_two(refusal: Verdict) -> Counter[str]:
    return Counter({Verdict.ADMITTED.value: 1, refusal.value: 1})


def test_the_last_place_of_a_museum_is_one_persons(city: StoryCity, race: Race) -> None:
    museum, item = "NT-MUS-M4", "culture.museum_entry"
    doors = two_terminals(city, museum)
    for taken in range(1, ROUNDS + 1):
        city.run(
            "UPDATE catalogue_offer o SET capacity_count = $1 FROM catalogue_point p"
            " WHERE p.id = o.point_id AND p.code = $2 AND o.item_id = $3",
            taken, museum, item,
        )  # fmt: skip
        visitors = [shown(city, door, city.a_holder(), item) for door in doors]
        assert race(*visitors) == one_of_two(Verdict.CAPACITY_FULL)


def test_a_holder_buys_one_pass_a_year_with_whichever_card(city: StoryCity, race: Race) -> None:
    counters = two_terminals(city, "NT-PARK-P4")
    for _ in range(ROUNDS):
        first, second = two_cards(city, fen=30_000)
        both = [shown(city, *each, "tourism.park_pass") for each in zip(counters, (first, second), strict=True)]
        assert race(*both) == one_of_two(Verdict.QUOTA_EXHAUSTED)
        assert city.purse_of(first) == 21_000
        assert city.one("SELECT count(*) FROM entitlements_pass WHERE holder_id = $1", first.holder_id) == 1


def test_the_last_visit_of_the_month_is_paid_once(city: StoryCity, race: Race) -> None:
    desks = two_terminals(city, "NT-CARE-D1")
    for _ in range(ROUNDS):
        first, second = two_cards(city, "senior_60")
        city.run(
            "INSERT INTO entitlements_quota (holder_id, rule, period, used)"
            " VALUES ($1, 'protection.elder_care_visit', to_char(now() AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM'), 9)",
            first.holder_id,
        )
        both = [shown(city, *each, "protection.elder_care_visit") for each in zip(desks, (first, second), strict=True)]
        assert race(*both) == one_of_two(Verdict.QUOTA_EXHAUSTED)
        assert city.purse_of(first) == 8_000


def test_the_last_fen_of_a_purse_is_spent_once(city: StoryCity, race: Race) -> None:
    bus, gate = city.terminal_at("NT-BUS-L01"), city.terminal_at("NT-BUS-L02")
    for _ in range(ROUNDS):
        first, second = two_cards(city, fen=200)
        both = shown(city, bus, first, "transit.bus_ride"), shown(city, gate, second, "transit.bus_ride")
        assert race(*both) == one_of_two(Verdict.FUNDS_SHORT)
        assert city.purse_of(first) == 10


def test_one_code_at_two_gateways_is_one_use(city: StoryCity, race: Race) -> None:
    doors = two_terminals(city, "NT-LIB-B1")
    for _ in range(ROUNDS):
        _, content = shown(city, doors[0], city.a_holder(), "culture.library_entry")
        assert race((doors[0], content), (doors[1], content)) == one_of_two(Verdict.REPLAYED)
