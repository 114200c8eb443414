"""Groups of two processes at once against the rules told plainly, one line after the other.

The model below shares no code with the product. Each round lets two connections record a group each at the same time;
what they answer must be what the model answers when one whole group goes before the other, and the database must hold
what the model holds. Keys, codes and counters are drawn from so few that they meet all the time.
"""

import asyncio
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from tests.small_city import Card, SmallCity, Terminal

from onecard.foundation import clock
from onecard.kernel.uses.actions import Memory, record_group
from onecard.kernel.uses.lines import Answer, BankAsked, Line, Outcome

ITEMS = {"bus": "transit.bus_ride", "door": "culture.library_entry", "bank": "payments.purse_topup"}


class Shown(NamedTuple):
    """One line as drawn: at which terminal, under which sequence, for which item, which card and how."""

    terminal: str
    sequence: int
    item: str
    card: int
    code: int | None  # one of the card's codes; else the chip with `counter`
    counter: int


# Two cards of a senior, two of a holder without a purse, one of a third, and one that is lost.
HOLDER_OF = (0, 0, 1, 1, 2, 3)
SENIOR, PURSELESS, LOST_CARD = 0, 1, 5
OPENING_FEN = 400

lines = st.builds(
    Shown,
    st.sampled_from(["bus", "bus2", "door", "door2", "bank"]),
    st.integers(1, 6),
    st.sampled_from([*["own"] * 9, "bus"]),
    st.sampled_from([0, 0, 1, 1, 2, 2, 3, 3, 4, 5]),
    st.none() | st.integers(0, 3),
    st.integers(1, 6),
)
groups = st.lists(lines, min_size=3, max_size=10)
rounds = st.lists(st.tuples(groups, groups), min_size=2, max_size=3)


# The rules, told plainly ----------------------------------------------------------------------------------------------


@dataclass
class Model:
    """What is so after some lines. Money in fen."""

    known: dict[tuple[str, int], tuple[Shown, str, int]] = field(default_factory=dict)
    spent: set[tuple[int, int]] = field(default_factory=set)
    counters: Counter[int] = field(default_factory=Counter)
    quotas: Counter[tuple[int, str]] = field(default_factory=Counter)
    purses: dict[int, int] = field(default_factory=lambda: dict.fromkeys((0, 2, 3), OPENING_FEN))
    operator: int = 0
    treasury: int = 0
    clearing: int = 0
    offer: int = 0

    def group(self, group: list[Shown]) -> list[tuple[str, int, bool]]:
        """(verdict, paid, repeated) of each line, one after the other."""
        return [self.line(_asked(shown)) for shown in group]

    def line(self, shown: Shown) -> tuple[str, int, bool]:
        key = (shown.terminal, shown.sequence)
        if key in self.known:
            before, verdict, paid = self.known[key]
            return (verdict, paid, True) if before == shown else ("SEQUENCE_REUSED", 0, False)
        verdict, paid = self.decide(shown)
        self.known[key] = (shown, verdict, paid)
        return verdict, paid, False

    def decide(self, shown: Shown) -> tuple[str, int]:
        holder = HOLDER_OF[shown.card]
        if shown.item != shown.terminal.rstrip("2"):
            return "ITEM_NOT_OFFERED", 0
        if shown.code is not None and (shown.card, shown.code) in self.spent:
            return "REPLAYED", 0
        if shown.code is None and shown.counter <= self.counters[shown.card]:
            return "REPLAYED", 0
        if shown.code is not None:
            self.spent.add((shown.card, shown.code))
        else:
            self.counters[shown.card] = shown.counter
        if shown.card == LOST_CARD:
            return "CARD_LOST", 0
        return {"bus": self.ride, "door": self.enter, "bank": self.top_up}[shown.item](holder)

    def ride(self, holder: int) -> tuple[str, int]:
        half = holder == SENIOR and self.quotas[holder, "half"] < 2
        paid = 100 if half else 190
        if holder not in self.purses:
            return "PURSE_MISSING", 0
        if self.purses[holder] < paid:
            return "FUNDS_SHORT", 0
        self.purses[holder] -= paid
        self.operator += paid
        if half:
            self.quotas[holder, "half"] += 1
            self.treasury -= 100
        return "ADMITTED", paid

    def enter(self, holder: int) -> tuple[str, int]:
        if self.quotas[holder, "door"] >= 3:
            return "QUOTA_EXHAUSTED", 0
        self.quotas[holder, "door"] += 1
        return "ADMITTED", 0

    def top_up(self, holder: int) -> tuple[str, int]:
        if holder not in self.purses:
            return "PURSE_MISSING", 0
        if self.purses[holder] + 1000 > 2000:
            return "PURSE_FULL", 0
        self.purses[holder] += 1000
        self.clearing -= 950
        self.offer -= 50
        return "ADMITTED", 950


def _asked(shown: Shown) -> Shown:
    """The line with its item named, and without what its medium does not show."""
    item = shown.terminal.rstrip("2") if shown.item == "own" else shown.item
    return shown._replace(item=item, counter=0 if shown.code is not None else shown.counter)


# The product ----------------------------------------------------------------------------------------------------------


class Play:
    """One example on the real database: cards and journals of its own."""

    def __init__(self, city: SmallCity, terminals: dict[str, Terminal]) -> None:
        self.city = city
        self.at = clock.now()
        self.terminals = {name: _with_a_new_journal(each) for name, each in terminals.items()}
        self.cards = self._cards()
        self.codes = [[city.a_code(card, at=self.at) for _ in range(4)] for card in self.cards]
        self.before = self._parties()

    def _cards(self) -> list[Card]:
        firsts: dict[int, Card] = {}
        made = []
        for n, holder in enumerate(HOLDER_OF):
            purse_fen = None if holder == PURSELESS or holder in firsts else OPENING_FEN
            classes = [("senior_60", "2020-01-01", None)] if holder == SENIOR else None
            state = "temp_lost" if n == LOST_CARD else "active"
            card = self.city.a_card(purse_fen=purse_fen, classes=classes, state=state, ceiling_fen=2000)  # type: ignore[arg-type]
            first = firsts.setdefault(holder, card)
            self.city.run(
                "UPDATE cards_standing SET holder_id = $1, purse_account_id = $2 WHERE card_id = $3",
                first.holder_id, first.purse, card.id,
            )  # fmt: skip
            made.append(Card(card.id, first.holder_id, card.number, card.serial, first.purse))
        return made

    def line(self, drawn: Shown) -> Line:
        shown, terminal = _asked(drawn), self.terminals[drawn.terminal]
        amount_fen = 1000 if shown.item == "bank" else None
        card = self.cards[shown.card]
        if shown.code is None:
            presented = {"card": card, "counter": shown.counter}
        else:
            presented = {"code": self.codes[shown.card][shown.code]}
        return self.city.a_line(
            terminal, item=ITEMS[shown.item], amount_fen=amount_fen, at=self.at, sequence=shown.sequence,
            **presented,  # type: ignore[arg-type]
        )  # fmt: skip

    def _parties(self) -> list[int]:
        city = self.city
        return [
            city.balance(city.operator, "operator.receivable"),
            city.balance(city.treasury, "treasury.city", "treasury"),
            city.balance(city.bank, "bank.clearing"),
            city.balance(city.bank, "bank.offer"),
        ]

    def holds(self, model: Model) -> bool:
        """Whether the database holds exactly what the model does."""
        moved = [after - before for after, before in zip(self._parties(), self.before, strict=True)]
        purses = {holder: self.city.purse_of(self.cards[HOLDER_OF.index(holder)]) for holder in (0, 2, 3)}
        return (
            moved == [model.operator, model.treasury, model.clearing, model.offer]
            and purses == model.purses
            and self._quotas() == {key: used for key, used in model.quotas.items() if used}
            and self._counters() == {n: model.counters[n] for n in range(len(self.cards))}
            and self._recorded() == Counter(verdict for _, verdict, _ in model.known.values())
        )

    def _quotas(self) -> dict[tuple[int, str], int]:
        holders = {card.holder_id: holder for card, holder in zip(self.cards, HOLDER_OF, strict=True)}
        rules = {"transit.bus_ride/senior_60": "half", "culture.library_entry": "door"}
        found = self.city.run(
            "SELECT holder_id, rule, used FROM entitlements_quota WHERE holder_id = ANY ($1)", list(holders)
        )
        return {(holders[holder], rules[rule]): used for holder, rule, used in found}

    def _counters(self) -> dict[int, int]:
        found = dict(
            self.city.run(
                "SELECT card_id, chip_counter FROM cards_standing WHERE card_id = ANY ($1)",
                [card.id for card in self.cards],
            )
        )
        return {n: found[card.id] for n, card in enumerate(self.cards)}

    def _recorded(self) -> Counter[str]:
        found = self.city.run(
            "SELECT u.verdict FROM uses_journal_key k JOIN uses_use u ON u.id = k.use_id WHERE k.journal = ANY ($1)",
            [terminal.journal for terminal in self.terminals.values()],
        )
        return Counter(verdict for (verdict,) in found)


def _with_a_new_journal(terminal: Terminal) -> Terminal:
    return Terminal(terminal.id, terminal.code, terminal.key_id, terminal.key, uuid4())


def told(answers: list[Outcome]) -> list[tuple[str, int, bool]]:
    return [
        (each.verdict.value, each.paid_fen, each.repeated) if isinstance(each, Answer) else (each.code, 0, False)
        for each in answers
        if not isinstance(each, BankAsked)
    ]


@pytest.fixture(scope="module")
def city(fresh_database: dict[str, str]) -> Iterator[SmallCity]:
    made = SmallCity(fresh_database["owner"])
    yield made
    made.connection.close()


@pytest.fixture(scope="module")
def terminals(city: SmallCity) -> dict[str, Terminal]:
    return {name: city.a_terminal(ITEMS[name.rstrip("2")]) for name in ("bus", "bus2", "door", "door2", "bank")}


Pair = tuple[list[Shown], list[Shown]]


@settings(
    max_examples=20,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(drawn=rounds)
def test_two_processes_answer_as_if_one_group_went_before_the_other(
    city: SmallCity, terminals: dict[str, Terminal], fresh_database: dict[str, str], drawn: list[Pair]
) -> None:
    play = Play(city, terminals)

    async def go() -> None:
        here, there = await asyncpg.connect(fresh_database["gateway"]), await asyncpg.connect(fresh_database["gateway"])
        memories = Memory(), Memory()
        possible = [Model()]
        try:
            for one, other in drawn:
                answers = await asyncio.gather(
                    record_group(here, [play.line(shown) for shown in one], memories[0]),
                    record_group(there, [play.line(shown) for shown in other], memories[1]),
                )
                possible = after_either_order(possible, (one, other), (told(answers[0]), told(answers[1])))
                assert possible, "no order of the two groups gives these answers"
                for verdict, _, repeated in told([*answers[0], *answers[1]]):
                    event("repeated" if repeated else verdict)
        finally:
            await here.close()
            await there.close()
        assert any(play.holds(model) for model in possible)

    asyncio.run(go())


def after_either_order(
    models: list[Model], pair: Pair, answers: tuple[list[tuple[str, int, bool]], list[tuple[str, int, bool]]]
) -> list[Model]:
    """The models that answer so when the first group, or the second one, goes before the other."""
    kept = []
    for model in models:
        for first, second in ((0, 1), (1, 0)):
            trial = copy.deepcopy(model)
            same = trial.group(pair[first]) == answers[first] and trial.group(pair[second]) == answers[second]
            if same and trial not in kept:
                kept.append(trial)
    return kept
