"""The ladder of moves: the tables below are the specification."""

import dataclasses
import datetime as dt

import pytest

from onecard.kernel.cards import rules
from onecard.kernel.cards.rules import (
    Blocked,
    CardFacts,
    CardState,
    CardVerb,
    FunctionState,
    FunctionVerb,
    function_move_of,
    move_of,
)

# State → what complete, activate, report_temp_lost, report_lost, unreport, lock and cancel lead to; a code: blocked.
CARD = {
    "allocated": "inactive CARD_NOT_MADE CARD_NOT_MADE CARD_NOT_MADE CARD_NOT_MADE CARD_NOT_MADE cancelled",
    "inactive": "inactive active temp_lost lost inactive locked cancelled",
    "active": "CARD_MADE_ALREADY active temp_lost lost active locked cancelled",
    "temp_lost": "CARD_TEMP_LOST CARD_TEMP_LOST temp_lost lost active locked cancelled_after_loss",
    "lost": "CARD_LOST CARD_LOST CARD_LOST lost CARD_LOST CARD_LOST cancelled_after_loss",
    "locked": "CARD_LOCKED CARD_LOCKED CARD_LOCKED CARD_LOCKED CARD_LOCKED locked cancelled",
    "cancelled_after_loss": "CARD_CANCELLED " * 6 + "cancelled_after_loss",
    "cancelled": "CARD_CANCELLED " * 6 + "cancelled",
}

# Function state → what activate, suspend, close lead to on a card in use.
FUNCTION = {
    "inactive": "active FUNCTION_INACTIVE closed",
    "active": "active suspended closed",
    "suspended": "active suspended closed",
    "closed": "FUNCTION_CLOSED FUNCTION_CLOSED closed",
}


def said(result: CardState | FunctionState | Blocked) -> str:
    return result.code if isinstance(result, Blocked) else result.value


@pytest.mark.parametrize(
    ("state", "verb", "expected"),
    [(state, verb, row.split()[n]) for state, row in CARD.items() for n, verb in enumerate(CardVerb)],
)
def test_card_move(state: str, verb: CardVerb, expected: str) -> None:
    before = CardState.ACTIVE if state == "temp_lost" else None
    assert said(move_of(CardFacts(CardState(state), before), verb)) == expected


@pytest.mark.parametrize("before", [CardState.INACTIVE, CardState.ACTIVE])
def test_a_lifted_loss_leads_back_to_where_it_was(before: CardState) -> None:
    assert move_of(CardFacts(CardState.TEMP_LOST, before), CardVerb.UNREPORT) is before


@pytest.mark.parametrize(
    ("state", "verb", "expected"),
    [(state, verb, row.split()[n]) for state, row in FUNCTION.items() for n, verb in enumerate(FunctionVerb)],
)
@pytest.mark.parametrize("card", [CardState.INACTIVE, CardState.ACTIVE])
def test_function_move(card: CardState, state: str, verb: FunctionVerb, expected: str) -> None:
    assert said(function_move_of(CardFacts(card), FunctionState(state), verb)) == expected


@pytest.mark.parametrize("verb", FunctionVerb)
@pytest.mark.parametrize("state", FunctionState)
@pytest.mark.parametrize("card", [state for state in CardState if state not in ("inactive", "active")])
def test_a_card_out_of_use_moves_no_function(card: CardState, state: FunctionState, verb: FunctionVerb) -> None:
    result = function_move_of(CardFacts(card, CardState.ACTIVE), state, verb)
    assert result is state or result is rules.CARD_BLOCKS[card]


def test_an_expired_card_is_not_activated() -> None:
    expired = CardFacts(CardState.INACTIVE, expired=True)
    assert move_of(expired, CardVerb.ACTIVATE) is rules.EXPIRED
    assert function_move_of(expired, FunctionState.INACTIVE, FunctionVerb.ACTIVATE) is rules.EXPIRED
    assert move_of(expired, CardVerb.CANCEL) is CardState.CANCELLED


def test_every_blocked_move_speaks_both_languages() -> None:
    blocked = [value for value in vars(rules).values() if isinstance(value, Blocked)]
    assert blocked
    assert all(all(dataclasses.astuple(one)) for one in blocked)
    assert len({one.code for one in blocked}) == len(blocked)


@pytest.mark.parametrize(
    ("drawn", "number"),
    [(1, "A00000001"), (99_999_999, "A99999999"), (100_000_000, "B00000000"), (2_599_999_999, "Z99999999")],
)
def test_card_number(drawn: int, number: str) -> None:
    assert rules.card_number(drawn) == number


@pytest.mark.parametrize(
    ("issued", "last"),
    [
        (dt.date(2026, 11, 21), dt.date(2036, 11, 20)),
        (dt.date(2028, 2, 29), dt.date(2038, 2, 28)),
        (dt.date(2026, 1, 1), dt.date(2035, 12, 31)),
        (dt.date(2026, 3, 1), dt.date(2036, 2, 29)),
    ],
)
def test_last_valid_day(issued: dt.date, last: dt.date) -> None:
    assert rules.last_valid_day(issued, 10) == last
