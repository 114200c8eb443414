"""Journeys that nobody ends at a gate: ended by themselves, given back, and what the way out says then."""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.kernel.cards.roles import django_as
from tests.kernel.uses.town import METRO_ITEM, Town, explained, minutes_ago, suppose, told
from tests.small_city import Card, SmallCity, record

from onecard.kernel.uses import journeys
from onecard.kernel.uses.lines import Answer
from onecard_kit.terms import Leg

HALL_ITEM = "culture.hall_visit"
HALL = """
code = "culture.hall_visit"
version = 1
starts_on = 2020-01-01
name = { zh = "体育馆", en = "Sports hall" }
legal_basis = ["test"]
journey = { ends_after_hours = 4 }
limit = { count = 3, period = "month" }
capacity = { count = 50, period = "day" }
refund = { within_days = 0 }
price = { hourly = { fen = 300, max_fen = 600 }, from = "holder.purse", to = "operator.receivable" }
[[concession]]
class = "senior_60"
price = { percent = 50 }
funded_by = "treasury.city"
quota = { count = 2, period = "day" }
"""
SENIOR: list[tuple[str, str, str | None]] = [("senior_60", "2020-01-01", None)]


class Hall(Town):
    """A town with a sports hall."""

    def __init__(self, city: SmallCity, gate: str) -> None:
        super().__init__(city, gate)
        city.an_item(HALL)
        self.hall = self.a_terminal(HALL_ITEM)

    def visit(self, card: Card, leg: Leg, at: dt.datetime | None = None) -> Answer:
        return self.use(card, self.hall, HALL_ITEM, leg, at)

    def treasury(self) -> int:
        return self.city.balance(self.city.treasury, "treasury.city", "treasury")

    def counted(self, card: Card) -> list[tuple[str, int]]:
        """What is counted against a holder, and how many are in the hall's books."""
        quotas = self.city.run("SELECT rule, used FROM entitlements_quota WHERE holder_id = $1", card.holder_id)
        inside = self.city.run(
            "SELECT 'inside', coalesce(sum(used), 0)::int FROM entitlements_capacity WHERE rule = $1", HALL_ITEM
        )
        return sorted(quotas) + inside


@pytest.fixture(scope="module")
def town(fresh_database: dict[str, str]) -> Iterator[Hall]:
    city = SmallCity(fresh_database["owner"])
    yield Hall(city, fresh_database["gateway"])
    city.connection.close()


@pytest.fixture
def end_due(fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker) -> Callable[[], int]:
    """The job, as the worker runs it."""

    def run() -> int:
        with django_as(fresh_database["worker"], django_db_blocker):
            return journeys.end_due()

    return run


# --- Given back ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ended_by", ["the job", "tapping in again"])
def test_a_journey_that_ended_by_itself_is_given_back_once_by_its_beginning(
    town: Hall, end_due: Callable[[], int], ended_by: str
) -> None:
    card, owed_fen = town.city.a_card(purse_fen=1000, classes=SENIOR), town.treasury()
    *_, inside = town.counted(card)
    begun = town.visit(card, Leg.IN, minutes_ago(241))
    if ended_by == "the job":
        assert end_due() == 1
    else:
        again = town.visit(card, Leg.IN)
        town.give_back(town.visit(card, Leg.OUT).use_id, town.hall)
        assert again.verdict == "ADMITTED"
    assert (town.city.purse_of(card), town.treasury() - owed_fen) == (700, -300)
    assert town.give_back(begun.use_id, town.hall) == ""
    assert (town.city.purse_of(card), town.treasury()) == (1000, owed_fen)
    *quotas, inside_again = town.counted(card)  # of a day more where the visit began before midnight
    assert len(quotas) >= 2
    assert {used for _, used in quotas} == {0}
    assert inside_again == inside
    assert town.give_back(begun.use_id, town.hall) == "ALREADY_REFUNDED"
    assert (town.city.purse_of(card), town.treasury()) == (1000, owed_fen)


def test_the_answer_says_what_went_back_and_says_it_again(town: Hall, end_due: Callable[[], int]) -> None:
    card = town.city.a_card(purse_fen=1000, classes=SENIOR)
    begun = town.visit(card, Leg.IN, minutes_ago(241))
    end_due()
    asked = town.asked(begun.use_id, town.hall)
    first, again = (town.refund(asked) for _ in range(2))
    assert (first.paid_fen, first.funded_fen, first.repeated) == (300, 300, False)
    assert (again.id, again.paid_fen, again.funded_fen, again.repeated) == (first.id, 300, 300, True)


def test_a_journey_under_way_or_ended_at_a_gate_is_not_given_back_by_its_beginning(town: Hall) -> None:
    card = town.city.a_card(purse_fen=1000)
    begun = town.visit(card, Leg.IN)
    assert town.give_back(begun.use_id, town.hall) == "JOURNEY_NOT_ENDED"
    town.visit(card, Leg.OUT)
    assert town.give_back(begun.use_id, town.hall) == "JOURNEY_NOT_ENDED"


@pytest.mark.parametrize(("ended_days_ago", "why_not"), [(0, ""), (1, "REFUND_TOO_LATE")])
def test_the_days_for_giving_it_back_run_from_its_end(
    town: Hall, end_due: Callable[[], int], ended_days_ago: int, why_not: str
) -> None:
    card = town.city.a_card(purse_fen=1000)
    begun = town.visit(card, Leg.IN, minutes_ago(60 * 24 + 1))
    end_due()
    town.city.run(
        "UPDATE uses_journey SET ended_at = ended_at - make_interval(days => $1) WHERE id = $2",
        ended_days_ago, begun.use_id,
    )  # fmt: skip
    assert town.give_back(begun.use_id, town.hall) == why_not
    assert town.city.purse_of(card) == (400 if why_not else 1000)


def test_giving_back_an_earlier_ride_leaves_the_later_ones_as_they_were_and_the_cap_at_their_sum(town: Hall) -> None:
    card = town.city.a_card(purse_fen=5000)

    def ride(start: str, end: str) -> Answer:
        town.tap(card, start, Leg.IN)
        return town.tap(card, end, Leg.OUT)

    rides = [ride("S1", "S3"), ride("S3", "S1"), ride("S1", "S4")]
    prices = [(400, 400, 0), (400, 300, 100), (600, 200, 400)]  # then changed, then changed and at the cap of 900
    assert [told(each)[1:] for each in rides] == prices
    assert town.give_back(rides[0].use_id, town.stations["S3"]) == ""
    kept = "SELECT full_fen, paid_fen, waived_fen FROM uses_use WHERE card_id = $1 AND leg = 'out' ORDER BY id"
    assert town.city.run(kept, card.id) == prices
    assert all(explained(town, each.use_id).agrees for each in rides)
    assert town.city.purse_of(card) == 5000 - 300 - 200
    assert told(ride("S4", "S1"))[1:] == (600, 400, 200)  # 500 after the change, of which 400 are left under the cap
    assert town.give_back(rides[2].use_id, town.stations["S4"]) == ""
    assert told(ride("S1", "S4"))[1:] == (600, 200, 400)
    assert town.city.purse_of(card) == 5000 - 300 - 400 - 200


# --- Too late -----------------------------------------------------------------------------------------------------


def charged(town: Hall, begun: Answer) -> list[tuple[int]]:
    """What was paid for a journey, transfer by transfer."""
    return town.city.run(
        "SELECT amount_fen FROM ledger_transfer WHERE reference = $1 AND code = 'paid'", begun.use_id
    )  # fmt: skip


def test_who_taps_out_after_the_time_has_paid_the_most_though_the_job_has_not_come_by(
    town: Hall, end_due: Callable[[], int]
) -> None:
    card = town.city.a_card(purse_fen=1000)
    begun = town.tap(card, "S1", Leg.IN, minutes_ago(241))
    late = town.tap(card, "S2", Leg.OUT)
    assert (told(late), late.balance_fen) == (("NO_JOURNEY", 0, 0, 0), 400)
    assert charged(town, begun) == [(600,)]
    assert (end_due(), town.city.purse_of(card)) == (0, 400)
    assert town.give_back(begun.use_id, town.stations["S2"]) == ""
    assert town.city.purse_of(card) == 1000


def test_a_journey_lasts_to_the_last_moment_of_its_time_and_not_a_moment_longer(town: Hall) -> None:
    card, begins = town.city.a_card(purse_fen=2000), minutes_ago(300)
    for ends, verdict in (
        (begins + dt.timedelta(hours=4) - dt.timedelta(microseconds=1), "ADMITTED"),
        (begins + dt.timedelta(hours=4), "NO_JOURNEY"),
    ):
        town.tap(card, "S1", Leg.IN, begins)
        assert town.tap(card, "S2", Leg.OUT, ends).verdict == verdict


def test_a_late_way_out_in_one_group_with_what_follows_charges_once(town: Hall) -> None:
    card = town.city.a_card(purse_fen=2000)
    begun = town.tap(card, "S1", Leg.IN, minutes_ago(241))
    lines = [
        town.city.a_line(town.stations[station], card, item=METRO_ITEM, leg=leg)
        for station, leg in (("S2", Leg.OUT), ("S2", Leg.OUT), ("S2", Leg.IN), ("S3", Leg.OUT))
    ]
    [answers] = record(town.gate, lines)
    verdicts = [answer.verdict for answer in answers if isinstance(answer, Answer)]
    assert verdicts == ["NO_JOURNEY", "NO_JOURNEY", "ADMITTED", "ADMITTED"]
    assert charged(town, begun) == [(600,)]
    assert town.city.purse_of(card) == 2000 - 600 - 400


def _let_go(holding: psycopg.Connection) -> None:
    time.sleep(0.3)
    holding.commit()


def test_a_late_way_out_and_the_job_at_once_charge_once(town: Hall, end_due: Callable[[], int]) -> None:
    """Both wait for the card; whoever gets it first ends the journey, and the other finds it ended."""
    ended = []
    for _ in range(4):
        card = town.city.a_card(purse_fen=1000)
        begun = town.tap(card, "S1", Leg.IN, minutes_ago(241))
        with psycopg.connect(town.city.url) as holding, ThreadPoolExecutor() as pool:
            holding.execute("SELECT FROM cards_standing WHERE card_id = %s FOR UPDATE", [card.id])
            late = pool.submit(town.tap, card, "S2", Leg.OUT)
            letting_go = pool.submit(_let_go, holding)
            ended.append(end_due())
            letting_go.result()
            assert late.result().verdict == "NO_JOURNEY"
        assert charged(town, begun) == [(600,)]
        assert town.city.purse_of(card) == 400
    assert set(ended) <= {0, 1}


def test_what_is_said_of_a_late_way_out_is_what_happens_and_what_happened(town: Hall) -> None:
    card = town.city.a_card(purse_fen=1000)
    town.tap(card, "S1", Leg.IN, minutes_ago(241))
    assert suppose(town, card, town.stations["S2"], METRO_ITEM, Leg.OUT).verdict == "NO_JOURNEY"
    explanation = explained(town, town.tap(card, "S2", Leg.OUT).use_id)
    assert (explanation.verdict, explanation.agrees) == ("NO_JOURNEY", True)


# --- What was suspended or lost meanwhile -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suspend", "verdict"),
    [
        ("UPDATE catalogue_point SET state = 'suspended' WHERE code = 'S2'", "POINT_SUSPENDED"),
        ("UPDATE catalogue_item SET state = 'suspended' WHERE code = 'transit.metro_ride'", "ITEM_SUSPENDED"),
    ],
)
def test_who_is_in_when_point_or_item_are_suspended_gets_out_at_the_fare(
    town: Hall, suspend: str, verdict: str
) -> None:
    inside, outside, late = (town.city.a_card(purse_fen=1000) for _ in range(3))
    town.tap(inside, "S1", Leg.IN)
    town.tap(late, "S1", Leg.IN, minutes_ago(241))
    town.city.run(suspend)
    refused = [town.tap(outside, "S2", leg) for leg in (Leg.IN, Leg.OUT)] + [town.tap(late, "S2", Leg.OUT)]
    assert suppose(town, inside, town.stations["S2"], METRO_ITEM, Leg.OUT).verdict == "ADMITTED"
    ended = town.tap(inside, "S2", Leg.OUT)
    town.city.run(suspend.replace("'suspended'", "'active'"))
    assert [answer.verdict for answer in refused] == [verdict] * 3
    assert (told(ended), town.city.purse_of(inside)) == (("ADMITTED", 200, 200, 0), 800)
    for answer in (*refused, ended):
        assert explained(town, answer.use_id).agrees


def test_who_is_in_when_the_offer_is_withdrawn_gets_out_at_the_fare(town: Hall) -> None:
    inside, outside = (town.city.a_card(purse_fen=1000) for _ in range(2))
    town.tap(inside, "S1", Leg.IN)
    point = town.city.one("SELECT id FROM catalogue_point WHERE code = 'S2'")
    town.city.run("DELETE FROM catalogue_offer WHERE point_id = $1", point)
    refused = [town.tap(outside, "S2", leg) for leg in (Leg.IN, Leg.OUT)]
    ended = town.tap(inside, "S2", Leg.OUT)
    town.city.run("INSERT INTO catalogue_offer (point_id, item_id) VALUES ($1, $2)", point, METRO_ITEM)
    assert [answer.verdict for answer in refused] == ["ITEM_NOT_OFFERED"] * 2
    assert (told(ended), town.city.purse_of(inside)) == (("ADMITTED", 200, 200, 0), 800)


def test_a_card_lost_inside_is_let_out_only_once_it_is_found(town: Hall) -> None:
    card = town.city.a_card(purse_fen=1000)
    town.tap(card, "S1", Leg.IN)
    for state, verdict in (("temp_lost", "CARD_LOST"), ("active", "ADMITTED")):
        town.city.run("UPDATE cards_standing SET card_state = $1 WHERE card_id = $2", state, card.id)
        assert town.tap(card, "S2", Leg.OUT).verdict == verdict
    assert town.city.purse_of(card) == 800


def test_a_card_lost_inside_costs_no_more_than_was_held(town: Hall, end_due: Callable[[], int]) -> None:
    card = town.city.a_card(purse_fen=1000)
    begun = town.tap(card, "S1", Leg.IN, minutes_ago(241))
    town.city.run("UPDATE cards_standing SET card_state = 'lost' WHERE card_id = $1", card.id)
    assert town.tap(card, "S2", Leg.IN).verdict == "CARD_LOST"
    end_due()
    assert (charged(town, begun), town.city.purse_of(card)) == ([(600,)], 400)
    assert town.give_back(begun.use_id, town.stations["S1"]) == ""
    assert town.city.purse_of(card) == 1000
