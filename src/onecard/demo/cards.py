"""Invented cards: generations, states, functions and first top-ups in believable shares. Drawn, never stored here."""

import datetime as dt
import random
from bisect import bisect
from dataclasses import dataclass
from itertools import accumulate

from onecard.kernel.cards.actions import VALID_YEARS
from onecard.kernel.cards.rules import GONE, CardState, FunctionState, last_valid_day
from onecard_kit.terms import Function

GENERATION_3_SHARE = 0.61
# The third generation began; a card of the second is at least this old, and none is past its ten years.
GENERATION_3_DAYS = 6 * 365
GENERATION_2_DAYS = (4 * 365, 9 * 365 + 300)
# Per mille of the cards of the living.
STATES = (
    (CardState.ACTIVE, 960),
    (CardState.INACTIVE, 17),
    (CardState.TEMP_LOST, 3),
    (CardState.LOST, 5),
    (CardState.CANCELLED, 9),
    (CardState.CANCELLED_AFTER_LOSS, 6),
)
_BOUNDS = tuple(accumulate(weight for _, weight in STATES))
ADULT_DAYS = 16 * 365
# Fen and their weights: many small purses, few large ones, some empty or too small for a ride.
TOPUPS = ((0, 4), (50, 1), (150, 2), (1_000, 8), (2_000, 14), (3_000, 16), (5_000, 28), (10_000, 20), (20_000, 7))
_TOPUP_BOUNDS = tuple(accumulate(weight for _, weight in TOPUPS))


@dataclass(frozen=True, slots=True)
class Draft:
    """A card to be loaded."""

    generation: int
    state: CardState
    issued_on: dt.date
    functions: dict[Function, FunctionState]

    def columns(self) -> tuple[int, str, str | None, dt.date, dt.date]:
        """generation, state, state before a loss, first and last day."""
        before = CardState.ACTIVE.value if self.state is CardState.TEMP_LOST else None
        return self.generation, self.state.value, before, self.issued_on, last_valid_day(self.issued_on, VALID_YEARS)


def of_holder(rng: random.Random, birth_date: dt.date, today: dt.date, *, deceased: bool) -> list[Draft]:
    """The cards of one holder: one; after a cancelled loss also its replacement. The dead have theirs locked."""
    state = CardState.LOCKED if deceased else STATES[bisect(_BOUNDS, rng.random() * _BOUNDS[-1])][0]
    first = _draft(rng, birth_date, today, state)
    if state is not CardState.CANCELLED_AFTER_LOSS:
        return [first]
    return [first, _draft(rng, first.issued_on, today, CardState.ACTIVE, generation=3)]


def _draft(
    rng: random.Random, not_before: dt.date, today: dt.date, state: CardState, generation: int | None = None
) -> Draft:
    generation = generation or (3 if rng.random() < GENERATION_3_SHARE else 2)
    oldest, newest = (GENERATION_3_DAYS, 20) if generation == 3 else GENERATION_2_DAYS[::-1]
    issued_on = max(today - days(rng, newest, oldest), min(not_before + dt.timedelta(days=30), today))
    adult = (today - not_before).days > ADULT_DAYS
    return Draft(generation, state, issued_on, _functions(rng, state, generation, adult))


def _functions(rng: random.Random, state: CardState, generation: int, adult: bool) -> dict[Function, FunctionState]:
    """Transit needs the third generation's chip; the bank's part is for those who have been to the bank."""
    if state in GONE:
        return dict.fromkeys(Function, FunctionState.CLOSED)
    if state is CardState.INACTIVE:
        return dict.fromkeys(Function, FunctionState.INACTIVE)
    return {
        Function.SOCIAL_SECURITY: _one(rng, 0.992, FunctionState.SUSPENDED),
        Function.FINANCIAL: _one(rng, 0.86 if adult else 0.3, FunctionState.INACTIVE),
        Function.TRANSIT: _one(rng, 0.88 if generation == 3 else 0.0, FunctionState.INACTIVE),
    }


def _one(rng: random.Random, share: float, otherwise: FunctionState) -> FunctionState:
    return FunctionState.ACTIVE if rng.random() < share else otherwise


def account_token(rng: random.Random) -> str:
    """What the simulated bank calls the account linked with a card; it makes one when it first hears of it."""
    return f"tok_{rng.getrandbits(128):032x}"


def first_topup_fen(rng: random.Random) -> int:
    """What a purse starts with, in fen; 0 for one that was opened and never filled."""
    return TOPUPS[bisect(_TOPUP_BOUNDS, rng.random() * _TOPUP_BOUNDS[-1])][0]


def days(rng: random.Random, least: int, most: int) -> dt.timedelta:
    """A span of whole days from `least` to `most`."""
    return dt.timedelta(days=least + int(rng.random() * (most - least + 1)))
