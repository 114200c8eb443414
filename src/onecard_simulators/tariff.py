"""What a resident may expect: the published terms of the three items, and what each visit leaves behind.

Written down once more, on purpose: the day compares the gateway's answers with this. Amounts in whole fen.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")
RIDE, ENTRY, TOPUP = "transit.bus_ride", "culture.library_entry", "payments.purse_topup"
RIDE_FEN = 200
TOPUP_PAID_PERCENT = 95
TOPUP_FEN = (1_000, 50_000)


class Fare(NamedTuple):
    """What a class pays of a ride, and how often a day at most."""

    class_: str
    percent: int
    times_a_day: int | None = None


FARES = (
    Fare("everyone", 95),
    Fare("pupil_6_14", 80),
    Fare("senior_60", 50, 20),
    Fare("senior_70", 0),
    Fare("care_half", 50, 20),
    Fare("care_free", 0),
)
STATES = {
    "inactive": "CARD_INACTIVE",
    "temp_lost": "CARD_LOST",
    "lost": "CARD_LOST",
    "locked": "CARD_LOCKED",
    "cancelled": "CARD_CANCELLED",
    "cancelled_after_loss": "CARD_CANCELLED",
}
FUNCTIONS = {RIDE: "transit", ENTRY: "social_security"}


class Expected(NamedTuple):
    """An outcome: verdict, full price, what the holder pays, and the class whose terms count."""

    verdict: str
    full_fen: int = 0
    paid_fen: int = 0
    concession: str | None = None


def today() -> dt.date:
    """The calendar day in China, on which classes and daily counts turn over."""
    return dt.datetime.now(CHINA).date()


@dataclass
class Resident:
    """What a resident knows of themselves; it follows each visit. `balance_fen` None: no purse."""

    kind: str
    card_state: str
    functions: dict[str, str]
    classes: list[tuple[str, str, str | None]]
    balance_fen: int | None
    room_fen: int | None
    used: dict[str, int] = field(default_factory=dict)
    sure: bool = True  # False after a visit that nobody answered

    def expect(self, item: str, day: dt.date, amount_fen: int | None = None) -> Expected:
        """What a genuine and fresh presentation comes to on a day."""
        if self.card_state != "active":
            return Expected(STATES[self.card_state])
        function = FUNCTIONS.get(item)
        if function is not None and self.functions[function] != "active":
            return Expected("FUNCTION_INACTIVE")
        if item == RIDE:
            return self._ride(day)
        return Expected("ADMITTED") if item == ENTRY else self._topup(amount_fen or 0)

    def _ride(self, day: dt.date) -> Expected:
        fare = min(self._fares(day), key=lambda each: each.percent)
        paid_fen = RIDE_FEN * fare.percent // 100
        if paid_fen and self.balance_fen is None:
            return Expected("PURSE_MISSING")
        if self.balance_fen is not None and self.balance_fen < paid_fen:
            return Expected("FUNDS_SHORT")
        return Expected("ADMITTED", RIDE_FEN, paid_fen, fare.class_)

    def _fares(self, day: dt.date) -> Iterator[Fare]:
        """The fares that apply, in the published order."""
        for fare in FARES:
            used_up = fare.times_a_day is not None and self.used.get(rule(fare.class_), 0) >= fare.times_a_day
            if not used_up and (fare.class_ == "everyone" or self._counts_as(fare.class_, day)):
                yield fare

    def _counts_as(self, class_: str, day: dt.date) -> bool:
        on = day.isoformat()
        return any(
            code == class_ and begins <= on and (ends is None or on < ends) for code, begins, ends in self.classes
        )

    def _topup(self, amount_fen: int) -> Expected:
        if self.room_fen is None:
            return Expected("PURSE_MISSING")
        if self.room_fen < amount_fen:
            return Expected("PURSE_FULL")
        return Expected("ADMITTED", amount_fen, amount_fen * TOPUP_PAID_PERCENT // 100, "everyone")

    def follow(self, item: str, came: Expected, sign: int = 1) -> None:
        """Take in an admitted visit, or with `sign` -1 its refund."""
        if came.verdict != "ADMITTED":
            return
        if came.concession in ("senior_60", "care_half"):
            counted = rule(came.concession)
            self.used[counted] = max(0, self.used.get(counted, 0) + sign)
        change_fen = sign * (came.full_fen if item == TOPUP else -came.paid_fen)
        if self.balance_fen is not None:
            self.balance_fen += change_fen
        if self.room_fen is not None:
            self.room_fen -= change_fen


def rule(class_: str) -> str:
    """The name under which a ride at a class's fare is counted."""
    return f"{RIDE}/{class_}"
