"""Journeys, passes, capacity and changes on a real database: what they hold, cost, count and give back."""

import asyncio
import datetime as dt
import itertools
from collections.abc import Iterator

import asyncpg
import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.kernel.cards.roles import django_as
from tests.kernel.uses.town import (
    METRO,
    METRO_ITEM,
    MUSEUM_ITEM,
    PARK_ITEM,
    PASS_ITEM,
    Town,
    explained,
    minutes_ago,
    told,
)
from tests.small_city import SmallCity, record

from onecard.foundation import clock
from onecard.kernel.uses import journeys, refunds
from onecard.kernel.uses.actions import Memory, record_group
from onecard.kernel.uses.lines import Answer, Outcome
from onecard.kernel.uses.refunds import Asked
from onecard.kernel.uses.settle import AccountMissing
from onecard_kit.terms import Leg

HALL = """
code = "culture.hall_visit"
version = 1
starts_on = 2020-01-01
name = { zh = "体育馆", en = "Sports hall" }
legal_basis = ["test"]
journey = { ends_after_hours = 4 }
price = { hourly = { fen = 300, max_fen = 600 }, from = "holder.purse", to = "operator.receivable" }
[[concession]]
class = "senior_60"
price = { percent = 50 }
funded_by = "merchant.offer"
"""


@pytest.fixture(scope="module")
def town(fresh_database: dict[str, str]) -> Iterator[Town]:
    city = SmallCity(fresh_database["owner"])
    yield Town(city, fresh_database["gateway"])
    city.connection.close()


def test_a_journey_holds_its_most_and_pays_its_fare(town: Town) -> None:
    card = town.city.a_card(purse_fen=1000)
    begun = town.tap(card, "S1", Leg.IN)
    assert (told(begun), begun.held_fen, begun.balance_fen) == (("ADMITTED", 0, 0, 0), 600, 400)
    ended = town.tap(card, "S3", Leg.OUT)
    assert (told(ended), ended.balance_fen) == (("ADMITTED", 400, 400, 0), 600)
    assert town.city.purse_of(card) == 600


def test_the_beginning_of_a_journey_told_again_says_what_it_held(town: Town) -> None:
    card = town.city.a_card(purse_fen=1000, classes=[("senior_60", "2020-01-01", None)])
    line = town.city.a_line(town.stations["S1"], card, item=METRO_ITEM, leg=Leg.IN)
    [[first], [again]] = record(town.gate, [line], [line])
    assert isinstance(first, Answer)
    assert isinstance(again, Answer)
    assert (again.repeated, again.use_id) == (True, first.use_id)
    assert (again.held_fen, again.concession) == (first.held_fen, first.concession) == (300, "senior_60")


def test_a_journey_in_one_group_is_begun_and_ended_once(town: Town) -> None:
    card = town.city.a_card(purse_fen=1000)
    lines = [
        town.city.a_line(town.stations["S1"], card, item=METRO_ITEM, leg=Leg.IN),
        town.city.a_line(town.stations["S2"], card, item=METRO_ITEM, leg=Leg.OUT),
    ]
    [answers] = record(town.gate, lines)
    assert [told(a) for a in answers if isinstance(a, Answer)] == [("ADMITTED", 0, 0, 0), ("ADMITTED", 200, 200, 0)]
    rows = town.city.run("SELECT ended_by FROM uses_journey WHERE card_id = $1", card.id)
    assert rows == [(lines[1].id,)]
    assert town.city.purse_of(card) == 800


def test_a_journeys_concession_is_funded_on_the_fare_and_not_on_what_was_held(town: Town) -> None:
    card = town.city.a_card(purse_fen=1000, classes=[("senior_60", "2020-01-01", None)])
    owed = town.city.balance(town.city.treasury, "treasury.city", "treasury")
    assert town.tap(card, "S1", Leg.IN).held_fen == 300
    assert told(town.tap(card, "S4", Leg.OUT)) == ("ADMITTED", 600, 300, 0)
    assert town.city.balance(town.city.treasury, "treasury.city", "treasury") - owed == -300


def test_without_what_it_may_cost_nobody_gets_in_and_without_a_beginning_nobody_out(town: Town) -> None:
    poor = town.city.a_card(purse_fen=599)
    assert town.tap(poor, "S1", Leg.IN).verdict == "FUNDS_SHORT"
    assert town.tap(poor, "S1", Leg.OUT).verdict == "NO_JOURNEY"
    assert town.use(poor, town.stations["S1"], METRO_ITEM).verdict == "LEG_INVALID"


def test_changing_takes_off_and_the_days_cap_ends_paying(town: Town) -> None:
    card = town.city.a_card(purse_fen=3000)
    town.tap(card, "S1", Leg.IN)
    town.tap(card, "S3", Leg.OUT)
    town.tap(card, "S3", Leg.IN)
    assert told(town.tap(card, "S1", Leg.OUT)) == ("ADMITTED", 400, 300, 100)  # changed within the hour
    town.tap(card, "S1", Leg.IN)
    assert told(town.tap(card, "S4", Leg.OUT)) == ("ADMITTED", 600, 200, 400)  # 900 a day
    town.tap(card, "S4", Leg.IN)
    assert told(town.tap(card, "S1", Leg.OUT)) == ("ADMITTED", 600, 0, 600)
    assert town.city.purse_of(card) == 3000 - 900


def test_who_taps_in_twice_pays_the_most_for_what_stayed_open(town: Town) -> None:
    card = town.city.a_card(purse_fen=2000)
    town.tap(card, "S1", Leg.IN)
    again = town.tap(card, "S2", Leg.IN)
    assert (again.verdict, again.balance_fen) == ("ADMITTED", 2000 - 600 - 600)
    assert told(town.tap(card, "S3", Leg.OUT))[:2] == ("ADMITTED", 400)
    [(open_journeys,)] = town.city.run(
        "SELECT count(*) FROM uses_journey WHERE card_id = $1 AND ended_at IS NULL", card.id
    )
    assert open_journeys == 0


def test_a_journey_that_nobody_ends_ends_by_itself_at_its_most(
    town: Town, fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker
) -> None:
    card = town.city.a_card(purse_fen=1000, classes=[("senior_60", "2020-01-01", None)])
    free = town.city.a_card(purse_fen=1000)
    town.tap(card, "S1", Leg.IN, minutes_ago(241))
    town.tap(free, "S1", Leg.IN, minutes_ago(200))
    with django_as(fresh_database["worker"], django_db_blocker):
        assert [journeys.end_due(), journeys.end_due()] == [1, 0]
    assert (town.city.purse_of(card), town.city.purse_of(free)) == (700, 400)
    assert town.tap(card, "S4", Leg.OUT).verdict == "NO_JOURNEY"
    assert told(town.tap(free, "S2", Leg.OUT)) == ("ADMITTED", 200, 200, 0)


def test_a_journey_that_cannot_be_ended_holds_up_no_other(
    town: Town, fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker
) -> None:
    """There is no account any more for who is to fund the concession of the first."""
    town.city.an_item(HALL)
    hall = town.a_terminal("culture.hall_visit")
    stuck = town.city.a_card(purse_fen=1000, classes=[("senior_60", "2020-01-01", None)])
    with pytest.raises(AccountMissing):  # a fault of set-up, told before anybody is in
        town.use(stuck, hall, "culture.hall_visit", Leg.IN)
    sponsor = f"party:{town.city.operator}"
    for role in ("merchant.offer", "operator.receivable"):
        town.city.run("SELECT ledger_open(ARRAY[$1], $2, 'bank', false, NULL)", sponsor, role)
    begun = town.use(stuck, hall, "culture.hall_visit", Leg.IN, minutes_ago(300))
    assert begun.verdict == "ADMITTED"
    town.city.run("UPDATE ledger_account SET owner = 'party:0' WHERE role = 'merchant.offer'")
    card = town.city.a_card(purse_fen=1000)
    town.tap(card, "S1", Leg.IN, minutes_ago(250))
    with django_as(fresh_database["worker"], django_db_blocker), pytest.raises(journeys.JourneysStuck):
        journeys.end_due(at_once=1)
    assert (town.city.purse_of(stuck), town.city.purse_of(card)) == (700, 400)
    town.city.run("UPDATE ledger_account SET owner = $1 WHERE role = 'merchant.offer'", sponsor)
    with django_as(fresh_database["worker"], django_db_blocker):
        assert journeys.end_due() == 1
    holds = "SELECT count(*) FROM ledger_hold h JOIN uses_journey j ON j.hold_id = h.id WHERE j.card_id = ANY ($1)"
    assert town.city.one(holds, [stuck.id, card.id]) == 0


def test_a_journey_keeps_the_fares_it_began_on(town: Town) -> None:
    card = town.city.a_card(purse_fen=1000)
    town.tap(card, "S1", Leg.IN)
    today = clock.today().isoformat()
    town.city.run("UPDATE catalogue_item_version SET ends_on = $1 WHERE item_id = $2", clock.today(), METRO_ITEM)
    town.city.an_item(METRO.format(version=2, starts_on=today, least=300))
    assert told(town.tap(card, "S2", Leg.OUT))[1] == 200
    other = town.city.a_card(purse_fen=1000)
    town.tap(other, "S1", Leg.IN)
    assert told(town.tap(other, "S2", Leg.OUT))[1] == 300


def test_a_refunded_journey_gives_back_fare_and_cap(town: Town) -> None:
    card = town.city.a_card(purse_fen=1000)
    begun = town.tap(card, "S1", Leg.IN)
    ended = town.tap(card, "S4", Leg.OUT)
    assert town.give_back(begun.use_id, town.stations["S1"]) == "JOURNEY_NOT_ENDED"
    assert town.give_back(ended.use_id, town.stations["S4"]) == ""
    assert town.city.purse_of(card) == 1000
    assert town.city.run(
        "SELECT used FROM entitlements_quota WHERE holder_id = $1 AND rule = 'transit.metro_ride#fen'", card.holder_id
    ) == [(0,)]


def test_a_refunded_journey_over_midnight_gives_back_to_the_cap_of_the_day_it_counted_on(town: Town) -> None:
    card, midnight = town.city.a_card(purse_fen=1000), dt.datetime.combine(clock.today(), dt.time(), clock.CHINA)
    town.tap(card, "S1", Leg.IN, midnight - dt.timedelta(minutes=5))
    ended = town.tap(card, "S4", Leg.OUT, midnight + dt.timedelta(minutes=5))
    assert town.give_back(ended.use_id, town.stations["S4"]) == ""
    assert town.city.run(
        "SELECT period, used FROM entitlements_quota WHERE holder_id = $1 AND rule = 'transit.metro_ride#fen'",
        card.holder_id,
    ) == [(clock.today().isoformat(), 0)]


def test_a_ride_that_was_given_back_is_nothing_to_change_from(town: Town) -> None:
    card, bus = town.city.a_card(purse_fen=3000), town.city.a_terminal()
    ridden = town.use(card, bus, "transit.bus_ride")
    assert town.give_back(ridden.use_id, bus) == ""
    town.tap(card, "S1", Leg.IN)
    assert town.tap(card, "S2", Leg.OUT).waived_fen == 0


def test_who_is_in_gets_out_though_the_items_last_day_is_over(town: Town) -> None:
    card = town.city.a_card(purse_fen=1000)
    town.tap(card, "S1", Leg.IN)
    newest = "SELECT id FROM catalogue_item_version WHERE item_id = $1 AND ends_on IS NULL"
    version = town.city.one(newest, METRO_ITEM)
    town.city.run("UPDATE catalogue_item_version SET ends_on = $1 WHERE id = $2", clock.today(), version)
    ended = town.tap(card, "S2", Leg.OUT)
    town.city.an_item(METRO.format(version=9, starts_on=clock.today().isoformat(), least=200))
    assert told(ended)[0] == "ADMITTED"


def test_a_pass_is_sold_started_used_up_and_given_back(town: Town) -> None:
    card = town.city.a_card(purse_fen=20_000)
    assert told(town.use(card, town.park, PARK_ITEM))[:3] == ("ADMITTED", 3000, 3000)
    sold = town.use(card, town.shop, PASS_ITEM)
    entries = [town.use(card, town.park, PARK_ITEM) for _ in range(3)]
    assert [entry.paid_fen for entry in entries] == [0, 0, 3000]
    assert town.give_back(sold.use_id, town.shop) == "PASS_IN_USE"
    assert town.give_back(entries[0].use_id, town.park) == ""
    assert town.use(card, town.park, PARK_ITEM).paid_fen == 0
    [(starts_on, uses_left)] = town.city.run(
        "SELECT starts_on, uses_left FROM entitlements_pass WHERE holder_id = $1", card.holder_id
    )
    assert (starts_on, uses_left) == (clock.today(), 0)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_a_pass_whose_every_use_was_given_back_is_as_new_whatever_the_order(town: Town, order: tuple[int, ...]) -> None:
    card = town.city.a_card(purse_fen=20_000)
    sold = town.use(card, town.shop, PASS_ITEM)
    how_it_is = "SELECT starts_on, uses_left FROM entitlements_pass WHERE holder_id = $1"
    town.city.run("UPDATE entitlements_pass SET uses = 3, uses_left = 3 WHERE holder_id = $1", card.holder_id)
    entries = [town.use(card, town.park, PARK_ITEM) for _ in order]
    for left, n in enumerate(order, 1):
        assert town.give_back(entries[n].use_id, town.park) == ""
        started = None if left == len(order) else clock.today()
        assert town.city.run(how_it_is, card.holder_id) == [(started, left)]
    tomorrow = clock.now() + dt.timedelta(days=1)
    again = town.use(card, town.park, PARK_ITEM, at=tomorrow)
    assert (again.paid_fen, town.city.run(how_it_is, card.holder_id)) == (0, [(clock.day_of(tomorrow), 2)])
    assert all(explained(town, use.use_id).agrees for use in (*entries, again))
    assert town.give_back(again.use_id, town.park) == ""
    assert town.give_back(sold.use_id, town.shop) == ""


def test_an_unused_pass_is_given_back_and_opens_nothing(town: Town) -> None:
    card = town.city.a_card(purse_fen=20_000)
    sold = town.use(card, town.shop, PASS_ITEM)
    used = town.use(card, town.park, PARK_ITEM)
    assert town.give_back(used.use_id, town.park) == ""  # as new again
    assert town.give_back(sold.use_id, town.shop) == ""
    assert town.use(card, town.park, PARK_ITEM).paid_fen == 3000


def test_a_pass_is_not_given_back_while_another_card_of_its_holder_uses_it(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    card, other = town.city.a_card(purse_fen=20_000), town.city.a_card(purse_fen=20_000)
    town.city.run("UPDATE cards_standing SET holder_id = $1 WHERE card_id = $2", card.holder_id, other.id)
    sold = town.use(card, town.shop, PASS_ITEM)
    give_back, entered = refunds._give_back, []

    async def enter() -> list[Outcome]:
        connection = await asyncpg.connect(town.gate)
        try:
            return await record_group(connection, [town.city.a_line(town.park, other, item=PARK_ITEM)], Memory())
        finally:
            await connection.close()

    async def give_back_slowly(*arguments: object) -> None:
        entered.append(asyncio.create_task(enter()))
        await asyncio.sleep(0.3)
        await give_back(*arguments)  # type: ignore[arg-type]

    async def go() -> list[Outcome]:
        connection = await asyncpg.connect(town.gate)
        try:
            asked = Asked(sold.use_id, town.shop.id, town.shop.key_id, town.shop.journal, town.shop.next())
            await refunds.refund(connection, asked, Memory())
            return await entered[0]
        finally:
            await connection.close()

    monkeypatch.setattr(refunds, "_give_back", give_back_slowly)
    [answer] = asyncio.run(go())
    assert isinstance(answer, Answer)
    assert answer.paid_fen == 3000


def test_a_pass_ends_with_the_midnight_of_its_last_day(town: Town) -> None:
    card = town.city.a_card(purse_fen=20_000)
    town.use(card, town.shop, PASS_ITEM)
    today = clock.today()
    for started, paid_fen in ((today - dt.timedelta(days=364), 0), (today - dt.timedelta(days=365), 3000)):
        town.city.run(
            "UPDATE entitlements_pass SET starts_on = $1 WHERE holder_id = $2", started, card.holder_id
        )  # fmt: skip
        assert town.use(card, town.park, PARK_ITEM).paid_fen == paid_fen


def test_the_last_place_is_given_once_and_given_back(town: Town) -> None:
    gates = [town.city.a_terminal(MUSEUM_ITEM, point=town.city.a_point(MUSEUM_ITEM, town.city.library))]
    gates.append(town.city.a_terminal(MUSEUM_ITEM, point=town.city.one(
        "SELECT point_id FROM catalogue_terminal WHERE id = $1", gates[0].id
    )))  # fmt: skip
    cards = [town.city.a_card() for _ in range(3)]
    lines = [town.city.a_line(gates[n % 2], card, item=MUSEUM_ITEM) for n, card in enumerate(cards)]
    [answers] = record(town.gate, lines)
    assert [a.verdict for a in answers if isinstance(a, Answer)] == ["ADMITTED", "ADMITTED", "CAPACITY_FULL"]
    assert town.give_back(lines[0].id, gates[0]) == ""
    assert town.use(cards[2], gates[1], MUSEUM_ITEM).verdict == "ADMITTED"


def test_two_processes_fight_for_the_last_place(town: Town) -> None:
    gate = town.a_terminal(MUSEUM_ITEM)
    cards = [town.city.a_card() for _ in range(8)]

    async def go() -> list[str]:
        connections = [await asyncpg.connect(town.gate) for _ in cards]
        lines = [town.city.a_line(gate, card, item=MUSEUM_ITEM) for card in cards]
        groups = await asyncio.gather(
            *(record_group(c, [line], Memory()) for c, line in zip(connections, lines, strict=True))
        )
        for connection in connections:
            await connection.close()
        return [a.verdict for [a] in groups if isinstance(a, Answer)]

    assert sorted(asyncio.run(go())) == ["ADMITTED"] * 2 + ["CAPACITY_FULL"] * 6


def test_a_refund_comes_too_late_after_its_days(town: Town) -> None:
    gate, card = town.a_terminal(MUSEUM_ITEM), town.city.a_card()
    yesterday = town.use(card, gate, MUSEUM_ITEM, at=clock.now() - dt.timedelta(days=1))
    assert town.give_back(yesterday.use_id, gate) == "REFUND_TOO_LATE"


COURT = """
code = "culture.{name}"
version = {version}
starts_on = {starts_on}
{ends_on}
name = {{ zh = "球场", en = "Court" }}
legal_basis = ["test"]
refund = {{ within_days = 800 }}
{counts} = {{ count = 2, period = "{period}" }}
"""


@pytest.mark.parametrize("counts", ["limit", "capacity"])
@pytest.mark.parametrize(("before", "after"), [("day", "month"), ("month", "year"), ("day", "year")])
def test_what_counts_by_the_day_never_mixes_with_what_counts_by_the_month(
    town: Town, counts: str, before: str, after: str
) -> None:
    """The first day of the year is also the key's first day of its month and year."""
    name, year = f"court_{counts}_{before}_{after}", clock.today().year - 1
    item, new_year = f"culture.{name}", dt.datetime(year, 1, 1, 12, tzinfo=clock.CHINA)
    for version, starts_on, ends_on, period in (
        (1, "2020-01-01", f"ends_on = {year}-01-02", before),
        (2, f"{year}-01-02", "", after),
    ):
        declared = {"name": name, "counts": counts, "version": version, "starts_on": starts_on, "ends_on": ends_on}
        town.city.an_item(COURT.format(**declared, period=period))
    gate, card = town.a_terminal(item), town.city.a_card()
    uses = [town.use(card, gate, item, at=new_year + dt.timedelta(hours=n)) for n in (0, 1, 2, 24, 25, 26)]
    refused = "QUOTA_EXHAUSTED" if counts == "limit" else "CAPACITY_FULL"
    assert [use.verdict for use in uses] == ["ADMITTED", "ADMITTED", refused] * 2
    assert all(explained(town, use.use_id).agrees for use in uses)
    assert town.give_back(uses[0].use_id, gate) == ""
    assert town.use(card, gate, item, at=new_year + dt.timedelta(hours=27)).verdict == refused


def test_a_ride_in_the_same_group_counts_as_a_change(town: Town) -> None:
    card, bus = town.city.a_card(purse_fen=3000), town.city.a_terminal()
    lines = [
        town.city.a_line(bus, card),
        town.city.a_line(town.stations["S1"], card, item=METRO_ITEM, leg=Leg.IN),
        town.city.a_line(town.stations["S4"], card, item=METRO_ITEM, leg=Leg.OUT),
    ]
    [answers] = record(town.gate, lines)
    assert [told(answer)[1:] for answer in answers if isinstance(answer, Answer)][2] == (600, 500, 100)


def test_a_ride_counts_as_a_change_for_a_group_that_an_older_line_leads(town: Town) -> None:
    """The bank's answer may come late, so that a line from before another's ride leads the group after it."""
    card, other, bus = town.city.a_card(purse_fen=3000), town.city.a_card(purse_fen=3000), town.city.a_terminal()
    older = town.city.a_line(town.stations["S1"], other, item=METRO_ITEM, leg=Leg.IN, at=minutes_ago(3))
    town.use(card, bus, "transit.bus_ride", at=minutes_ago(2))
    town.tap(card, "S1", Leg.IN, at=minutes_ago(1))
    [answers] = record(town.gate, [older, town.city.a_line(town.stations["S4"], card, item=METRO_ITEM, leg=Leg.OUT)])
    assert [told(answer)[1:] for answer in answers if isinstance(answer, Answer)][1] == (600, 500, 100)
