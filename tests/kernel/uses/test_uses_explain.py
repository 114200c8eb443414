"""What an explanation says is what happens, or what happened; and asking leaves nothing behind."""

import asyncio
import datetime as dt
import random
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest
from tests.kernel.uses.town import (
    METRO_ITEM,
    MUSEUM_ITEM,
    PARK_ITEM,
    PASS_ITEM,
    Town,
    ask,
    explained,
    minutes_ago,
    suppose,
    told,
)
from tests.small_city import Card, SmallCity, Terminal, record

from onecard.foundation import clock
from onecard.foundation.errors import NotFound
from onecard.foundation.ids import uuid7
from onecard.kernel.uses import orders
from onecard.kernel.uses.actions import Memory
from onecard.kernel.uses.explain import Explanation, WhatIf, of_use, what_if
from onecard.kernel.uses.lines import Answer, BankAsked, Line
from onecard.kernel.uses.present import Presented
from onecard_kit.decide import LADDER, Fit
from onecard_kit.suites import ED25519, Signer
from onecard_kit.terms import Leg, Medium
from onecard_kit.verdicts import Verdict

BUS, LIBRARY, TOPUP = "transit.bus_ride", "culture.library_entry", "payments.purse_topup"
SHOP = """
code = "commerce.purchase"
version = 1
starts_on = 2020-01-01
name = { zh = "购物", en = "Purchase" }
legal_basis = ["test"]
function = "transit"
means = ["bank", "purse"]
price = { open_fen = [1, 50000], from = "holder.purse", to = "operator.receivable" }
[[concession]]
class = "senior_60"
price = { percent = 90 }
funded_by = "operator"
"""
SHOP_ITEM = "commerce.purchase"
SENIOR: list[tuple[str, str, str | None]] = [("senior_60", "2020-01-01", None)]


@pytest.fixture(scope="module")
def town(fresh_database: dict[str, str]) -> Iterator[Town]:
    city = SmallCity(fresh_database["owner"])
    city.an_item(SHOP)
    for ledger, party, role in (("bank", city.operator, "operator.receivable"), ("bank", city.bank, "bank.settlement")):
        city.run("SELECT ledger_open(ARRAY[$1], $2, $3, false, NULL)", f"party:{party}", role, ledger)
    yield Town(city, fresh_database["gateway"])
    city.connection.close()


def outcomes(explanation: Explanation) -> dict[str, str]:
    return {step.rule: step.outcome for step in explanation.steps}


def as_told(explanation: Explanation) -> tuple[object, ...]:
    e = explanation
    return e.verdict, e.full_fen, e.paid_fen, e.waived_fen, e.concession, e.held_fen


# --- What if ------------------------------------------------------------------------------------------------------


class Then:
    """Asks first and does afterwards: both come to the same."""

    def __init__(self, town: Town) -> None:
        self.town = town

    def __call__(self, card: Card, terminal: Terminal, item: str, leg: Leg | None = None, **more: Any) -> Explanation:
        explanation = suppose(self.town, card, terminal, item, leg, **more)
        counter = None
        if more.pop("medium", Medium.CODE) is Medium.CARD:
            counter = 1 + self.town.city.one("SELECT chip_counter FROM cards_standing WHERE card_id = $1", card.id)
        line = self.town.city.a_line(terminal, card, item=item, leg=leg, counter=counter, **more)
        [[answer]] = record(self.town.gate, [line])
        assert isinstance(answer, Answer)
        assert as_told(explanation) == (
            answer.verdict, answer.full_fen, answer.paid_fen, answer.waived_fen, answer.concession, answer.held_fen
        )  # fmt: skip
        assert explanation.full_fen == explanation.paid_fen + explanation.funded_fen + explanation.waived_fen
        return explanation


@pytest.fixture
def then(town: Town) -> Then:
    return Then(town)


def test_a_bus_ride_is_explained_before_its_quota_is_used_up_and_after(town: Town, then: Then) -> None:
    card, bus = town.city.a_card(classes=SENIOR), town.city.a_terminal()
    rides = [then(card, bus, BUS) for _ in range(3)]
    assert [(ride.paid_fen, ride.concession) for ride in rides] == [
        (100, "senior_60"),
        (100, "senior_60"),
        (190, "everyone"),
    ]
    assert outcomes(rides[0]) == {
        **dict.fromkeys(LADDER, "passed"),
        f"{BUS}/everyone": Fit.BEATEN,
        f"{BUS}/senior_60": Fit.BEST,
        f"{BUS}/senior_70": Fit.NOT_HELD,
        "funds": "paid:purse",
    }
    assert outcomes(rides[2])[f"{BUS}/senior_60"] == Fit.USED_UP
    assert [step.left_fen for step in rides[0].steps if step.rule == f"{BUS}/senior_60"] == [100]


def test_a_journey_is_explained_at_both_ends_and_by_its_change(town: Town, then: Then) -> None:
    card, stations = town.city.a_card(purse_fen=2000, classes=SENIOR), town.stations
    begun = then(card, stations["S1"], METRO_ITEM, Leg.IN)
    assert (begun.held_fen, outcomes(begun)["funds"]) == (300, "held")
    ended = then(card, stations["S3"], METRO_ITEM, Leg.OUT)
    assert outcomes(ended)[f"{METRO_ITEM}/senior_60"] == Fit.SINCE_START
    then(card, stations["S3"], METRO_ITEM, Leg.IN)
    assert outcomes(then(card, stations["S4"], METRO_ITEM, Leg.OUT))["transfer"] == "applied"
    assert then(card, stations["S4"], METRO_ITEM, Leg.OUT).verdict is Verdict.NO_JOURNEY


def test_a_pass_is_explained_before_it_is_bought_and_after(town: Town, then: Then) -> None:
    card = town.city.a_card(purse_fen=20_000)
    rule = f"{PARK_ITEM}/{PASS_ITEM}"
    assert outcomes(then(card, town.park, PARK_ITEM))[rule] == Fit.NOT_HELD
    then(card, town.shop, PASS_ITEM)
    assert [outcomes(then(card, town.park, PARK_ITEM))[rule] for _ in range(3)] == [Fit.BEST, Fit.BEST, Fit.NOT_HELD]


def test_refusals_are_explained_by_the_first_rule_that_refuses(town: Town, then: Then) -> None:
    city, museum = town.city, town.a_terminal(MUSEUM_ITEM)
    for _ in range(2):
        then(city.a_card(), museum, MUSEUM_ITEM)
    assert then(city.a_card(), museum, MUSEUM_ITEM).steps[-1].outcome == Verdict.CAPACITY_FULL
    lost = then(city.a_card(state="lost"), city.a_terminal(), BUS)
    assert [step.rule for step in lost.steps][-1] == "card"
    assert then(city.a_card(), city.a_terminal(), LIBRARY).verdict is Verdict.ITEM_NOT_OFFERED
    poor = then(city.a_card(purse_fen=10), city.a_terminal(), BUS)
    assert (poor.steps[-1].rule, poor.steps[-1].outcome) == ("funds", Verdict.FUNDS_SHORT)
    bank = city.a_terminal(TOPUP)
    assert then(city.a_card(), bank, TOPUP, amount_fen=5).verdict is Verdict.AMOUNT_INVALID
    assert then(city.a_card(), bank, TOPUP, amount_fen=5000).verdict is Verdict.ADMITTED
    suspended = city.a_terminal()
    city.run("UPDATE catalogue_terminal SET state = 'suspended' WHERE id = $1", suspended.id)
    assert [step.rule for step in then(city.a_card(), suspended, BUS).steps] == ["terminal"]


def test_a_medium_that_the_point_does_not_read_is_explained_and_the_other_passes(town: Town, then: Then) -> None:
    card, terminal = town.city.a_card(), town.a_terminal(LIBRARY)
    town.city.run(
        "UPDATE catalogue_point SET media = '{card}'"
        " WHERE id = (SELECT point_id FROM catalogue_terminal WHERE id = $1)",
        terminal.id,
    )
    assert then(card, terminal, LIBRARY).steps[-1].outcome == Verdict.MEDIUM_NOT_ACCEPTED
    assert then(card, terminal, LIBRARY, medium=Medium.CARD).verdict is Verdict.ADMITTED


def test_another_moment_is_judged_by_its_own_day(town: Town) -> None:
    ends = clock.today() + dt.timedelta(days=2)
    card = town.city.a_card(classes=[("senior_70", "2020-01-01", ends.isoformat())])
    bus = town.city.a_terminal()
    noon = dt.datetime.combine(ends, dt.time(12), clock.CHINA)
    paid = [suppose(town, card, bus, BUS, at=at).paid_fen for at in (None, noon - dt.timedelta(days=1), noon)]
    assert paid == [0, 0, 190]


def test_the_bank_is_not_asked(town: Town) -> None:
    card = linked(town, town.city.a_card())
    shop = town.a_terminal(SHOP_ITEM)
    would_ask = suppose(town, card, shop, SHOP_ITEM, amount_fen=1000, bank=None)
    assert (would_ask.verdict, outcomes(would_ask)["funds"]) == (Verdict.ADMITTED, "asks:bank")
    assert outcomes(suppose(town, card, shop, SHOP_ITEM, amount_fen=1000))["funds"] == "paid:purse"


TABLES = (
    "SELECT c.relname FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace"
    " AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1"
)


def everything(town: Town) -> dict[str, object]:
    """A digest of the rows of every table."""
    tables = [name for (name,) in town.city.run(TABLES)]
    return {
        name: town.city.one(f"SELECT md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) FROM {name} t")
        for name in tables
    }


def test_nothing_is_written_by_asking(town: Town) -> None:
    card, museum = town.city.a_card(classes=SENIOR), town.a_terminal(MUSEUM_ITEM)
    town.tap(card, "S1", Leg.IN)
    used = town.use(card, town.shop, PASS_ITEM).use_id
    before = everything(town)
    suppose(town, card, museum, MUSEUM_ITEM)
    suppose(town, card, town.park, PARK_ITEM)
    suppose(town, card, town.stations["S2"], METRO_ITEM, Leg.OUT)
    suppose(town, card, town.stations["S2"], METRO_ITEM, Leg.IN, medium=Medium.CARD)
    explained(town, used)
    assert everything(town) == before


def test_who_holds_the_card_is_waited_for_a_tenth_of_a_second_and_no_longer(town: Town) -> None:
    card, bus = town.city.a_card(), town.city.a_terminal()

    async def go() -> None:
        holding, asking = await asyncpg.connect(town.gate), await asyncpg.connect(town.gate)
        try:
            async with holding.transaction():
                await holding.execute("SELECT FROM cards_standing WHERE card_id = $1 FOR NO KEY UPDATE", card.id)
                asked = WhatIf(bus.id, BUS, Presented(Medium.CODE, serial=card.serial), clock.now())
                with pytest.raises(asyncpg.LockNotAvailableError):
                    await what_if(asking, asked, Memory())
                assert not asking.is_in_transaction()
        finally:
            await holding.close()
            await asking.close()

    asyncio.run(go())


# --- Recorded uses ------------------------------------------------------------------------------------------------


def linked(town: Town, card: Card) -> Card:
    """A card with a bank account."""
    town.city.run(
        "INSERT INTO cards_account (card_id, bank_id, token) VALUES ($1, $2, $3)",
        card.id, town.city.bank, f"t{card.id:0>30}",
    )  # fmt: skip
    return card


class Player:
    """Somebody who uses everything there is, in any order, by a seed; and sometimes gives a use back."""

    def __init__(self, town: Town, seed: int) -> None:
        city = town.city
        self.town, self.random = town, random.Random(seed)
        self.cards = [
            city.a_card(purse_fen=200_00),
            city.a_card(purse_fen=200_00, classes=SENIOR),
            city.a_card(purse_fen=700, classes=SENIOR, place="110000"),
            city.a_card(purse_fen=None),
            city.a_card(state="temp_lost"),
            city.a_card(function_state="inactive"),
        ]
        twin = city.a_card(purse_fen=50_00, classes=SENIOR)
        city.run("UPDATE cards_standing SET holder_id = $1 WHERE card_id = $2", self.cards[1].holder_id, twin.id)
        self.cards.append(twin)
        self.bus, self.library, self.bank = (city.a_terminal(item) for item in (BUS, LIBRARY, TOPUP))
        self.museum, self.shop = town.a_terminal(MUSEUM_ITEM), town.a_terminal(SHOP_ITEM)
        self.closed = city.a_terminal()
        city.run("UPDATE catalogue_terminal SET state = 'suspended' WHERE id = $1", self.closed.id)
        self.thief = Signer.of(ED25519, b"\x00\x01", b"\x07" * 32)
        self.shown = city.a_code(self.cards[0])
        self.given_back: set[UUID] = set()

    def lines(self, card: Card) -> list[Line]:
        """One of everything with a card, in some order."""
        town, draw = self.town, self.random
        in_, out = ({"item": METRO_ITEM, "leg": leg} for leg in (Leg.IN, Leg.OUT))
        ways: list[Callable[[], Line]] = [
            *[lambda: self._line(self.bus, card)] * 2,
            lambda: self._line(self.bus, card, counter=self._counter(card)),
            *[lambda: self._line(self.library, card, item=LIBRARY)] * 2,
            lambda: self._line(self.bank, card, item=TOPUP, amount_fen=draw.choice((5, 1000, 49_000))),
            lambda: self._line(self.shop, card, item=SHOP_ITEM, amount_fen=draw.choice((150, 9_999))),
            lambda: self._line(self.museum, card, item=MUSEUM_ITEM),
            lambda: self._line(town.shop, card, item=PASS_ITEM),
            lambda: self._line(town.park, card, item=PARK_ITEM),
            *[lambda: self._line(self._station(), card, **in_)] * 2,
            *[lambda: self._line(self._station(), card, **out)] * 3,
            lambda: self._line(self._station(), card, item=METRO_ITEM),
            lambda: self._line(self.closed, card),
            lambda: self._line(self.bus, card, item=LIBRARY),
            lambda: self._line(self.bus, card, item="transit.rocket"),
            lambda: self._line(self.bus, code=town.city.a_code(card, signer=self.thief)),
            lambda: self._line(self.bus, code=town.city.a_code(card, at=minutes_ago(5))),
            lambda: self._line(self.bus, code=self.shown),
        ]
        draw.shuffle(ways)
        return [way() for way in ways]

    def _line(self, terminal: Terminal, card: Card | None = None, **more: Any) -> Line:
        return self.town.city.a_line(terminal, card, **more)

    def _station(self) -> Terminal:
        return self.random.choice(list(self.town.stations.values()))

    def _counter(self, card: Card) -> int:
        """One more than the chip showed; now and then an old one, or one it never showed."""
        counter: int = self.town.city.one("SELECT chip_counter FROM cards_standing WHERE card_id = $1", card.id)
        return counter + self.random.choice((0, 1, 1, 1))

    def give_back(self) -> str:
        rows = self.town.city.run(
            "SELECT id, terminal_id FROM uses_use WHERE verdict = 'ADMITTED' AND card_id = ANY ($1)",
            [card.id for card in self.cards],
        )
        use_id, terminal_id = self.random.choice(sorted(rows))
        places = (self.bus, self.library, self.bank, self.museum, self.shop, self.town.shop, self.town.park)
        terminal = next(t for t in (*places, *self.town.stations.values()) if t.id == terminal_id)
        return self.town.give_back(use_id, terminal)

    def play(self) -> None:
        """Three times everything with every card, in groups of any size, and what was used given back in between."""
        for card in self.cards * 3:
            waiting, groups = self.lines(card), []
            while waiting:
                size = self.random.choice((1, 1, 2, 4))
                groups.append(waiting[:size])
                waiting = waiting[size:]
            record(self.town.gate, *groups)
            for _ in range(3):
                self.give_back()


def test_every_recorded_use_is_explained_as_it_was_decided(town: Town) -> None:
    Player(town, seed=7).play()
    rows = town.city.run("SELECT id, verdict, full_fen, paid_fen, waived_fen, concession FROM uses_use ORDER BY id")

    async def go(connection: asyncpg.Connection) -> list[Explanation]:
        memory = Memory()
        return [await of_use(connection, row[0], memory) for row in rows]

    explanations = ask(town.gate, go)
    for (_, *recorded), explanation in zip(rows, explanations, strict=True):
        outcome = msgspec.structs.astuple(explanation.recorded)
        assert outcome == tuple(recorded)
        assert (explanation.agrees, explanation.differs) == (True, None), (recorded, outcomes(explanation))
        assert explanation.verdict in (explanation.steps[-1].outcome, Verdict.ADMITTED)
        assert all(step.zh and step.en for step in explanation.steps)
    assert {row[1] for row in rows} >= {
        "ADMITTED", "FUNDS_SHORT", "NO_JOURNEY", "CARD_LOST", "FUNCTION_INACTIVE", "PURSE_MISSING", "CAPACITY_FULL",
        "QUOTA_EXHAUSTED", "AMOUNT_INVALID", "LEG_INVALID", "SIGNATURE_INVALID", "CODE_EXPIRED", "REPLAYED",
        "ITEM_UNKNOWN", "ITEM_NOT_OFFERED", "TERMINAL_SUSPENDED", "NOT_ENTITLED",
    }  # fmt: skip


def test_what_was_not_kept_is_marked(town: Town) -> None:
    card = town.city.a_card(classes=SENIOR)
    explanation = explained(town, town.use(card, town.city.a_terminal(), BUS).use_id)
    marked = {step.rule for step in explanation.steps if step.as_recorded}
    assert marked == {
        "terminal", "item", "point", "medium", "genuine", "fresh", "card", "function", "capacity", "funds"
    }  # fmt: skip


def test_an_old_use_is_explained_by_the_classes_of_its_day(town: Town) -> None:
    yesterday = clock.now() - dt.timedelta(days=1)
    card, bus = town.city.a_card(classes=SENIOR), town.city.a_terminal()
    used = town.use(card, bus, BUS, at=yesterday)
    withdrawn = f'[["senior_60", "2020-01-01", "{clock.today()}"]]'
    town.city.run("UPDATE cards_standing SET classes = $1::jsonb WHERE card_id = $2", withdrawn, card.id)
    explanation = explained(town, used.use_id)
    assert (explanation.agrees, explanation.concession, explanation.paid_fen) == (True, "senior_60", 100)
    assert suppose(town, card, bus, BUS).concession == "everyone"


def test_a_class_taken_away_for_the_day_itself_is_said_in_a_sentence(town: Town) -> None:
    card = town.city.a_card(classes=SENIOR)
    used = town.use(card, town.city.a_terminal(), BUS)
    town.city.run("UPDATE cards_standing SET classes = '[]' WHERE card_id = $1", card.id)
    explanation = explained(town, used.use_id)
    assert (explanation.agrees, explanation.paid_fen) == (False, 190)
    assert explanation.recorded is not None
    assert (explanation.recorded.paid_fen, explanation.recorded.concession) == (100, "senior_60")
    assert explanation.differs is not None
    assert set(explanation.differs) == {"zh", "en"}


@pytest.mark.parametrize(("apart_ms", "apart_us"), [(1, 0), (0, 1)])
def test_a_use_is_no_change_from_itself_nor_from_what_came_after_it_in_the_same_moment(
    town: Town, apart_ms: int, apart_us: int
) -> None:
    """Ids tell apart what was shown at one moment, and moments what was shown in one millisecond."""
    card, bus, at = town.city.a_card(purse_fen=2000), town.city.a_terminal(), clock.now()
    shown = [("S1", Leg.IN), ("S3", Leg.OUT), None, ("S3", Leg.IN), ("S1", Leg.OUT)]
    lines = []
    for n, tap in enumerate(shown):
        moment, unix_ms = at + n * dt.timedelta(microseconds=apart_us), int(at.timestamp() * 1000) + n * apart_ms
        line = town.city.a_line(bus, card, at=moment)
        if tap is not None:
            line = town.city.a_line(town.stations[tap[0]], card, item=METRO_ITEM, leg=tap[1], at=moment)
        line.id = uuid7(unix_ms)
        lines.append(line)
    [answers] = record(town.gate, lines)
    waived_fen = [answer.waived_fen for answer in answers if isinstance(answer, Answer)]
    assert waived_fen == [0, 0, 0, 0, 100]
    for line, waived in zip(lines, waived_fen, strict=True):
        explanation = explained(town, line.id)
        assert (explanation.agrees, explanation.waived_fen) == (True, waived)
        if line.leg is Leg.OUT:
            assert outcomes(explanation)["transfer"] == ("applied" if waived else "not_applied")


def test_a_use_given_back_counts_for_those_before_it_was_and_not_for_those_after(town: Town) -> None:
    card, bus = town.city.a_card(classes=SENIOR), town.city.a_terminal()
    first, second, third = (town.use(card, bus, BUS) for _ in range(3))
    assert [use.paid_fen for use in (first, second, third)] == [100, 100, 190]
    assert town.give_back(first.use_id, bus) == ""
    fourth = town.use(card, bus, BUS)
    assert fourth.paid_fen == 100
    for use in (first, second, third, fourth):
        explanation = explained(town, use.use_id)
        assert (explanation.agrees, explanation.paid_fen) == (True, use.paid_fen)


def test_a_refused_purchase_does_not_tell_what_it_does_not_know(town: Town) -> None:
    card, shop = town.city.a_card(purse_fen=100, classes=SENIOR), town.a_terminal(SHOP_ITEM)
    line = town.city.a_line(shop, card, item=SHOP_ITEM, amount_fen=9_000)
    record(town.gate, [line])
    explanation = explained(town, line.id)
    assert (explanation.verdict, explanation.agrees) == (Verdict.FUNDS_SHORT, True)
    assert outcomes(explanation)[f"{SHOP_ITEM}/senior_60"] == Fit.APPLIES
    assert {step.left_fen for step in explanation.steps} == {None}


@pytest.mark.parametrize(("said", "verdict"), [("approved", "ADMITTED"), ("refused", "BANK_REFUSED")])
def test_what_the_bank_said_is_as_recorded(town: Town, said: str, verdict: str) -> None:
    card, shop = linked(town, town.city.a_card(purse_fen=None)), town.a_terminal(SHOP_ITEM)
    line = town.city.a_line(shop, card, item=SHOP_ITEM, amount_fen=1000)

    async def order(connection: asyncpg.Connection) -> None:
        id_ = uuid7()
        await orders.place(connection, id_, line, BankAsked(1000, card.id, SHOP_ITEM))
        await orders.note(connection, id_, said, None)

    ask(town.gate, order)
    line.bank, line.bank_fen = said, 1000
    [[answer]] = record(town.gate, [line])
    assert isinstance(answer, Answer)
    assert told(answer)[0] == verdict
    explanation = explained(town, line.id)
    assert (explanation.verdict, explanation.agrees) == (verdict, True)
    assert outcomes(explanation)["funds"] == ("paid:bank" if said == "approved" else verdict)


def test_another_operators_use_is_unknown(town: Town) -> None:
    use_id = town.use(town.city.a_card(), town.city.a_terminal(), BUS).use_id
    with pytest.raises(NotFound, match="USE_UNKNOWN"):
        ask(town.gate, lambda connection: of_use(connection, use_id, Memory(), town.city.library))
    with pytest.raises(NotFound, match="USE_UNKNOWN"):
        explained(town, uuid7())
