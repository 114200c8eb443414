"""What a resident knows of themselves and of the place they stand at, and what each visit leaves behind.

Amounts in whole fen; days in Asia/Shanghai; moments in Unix seconds. What to expect of a visit says `expecting`.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from onecard_simulators.tariff import Json, Moment, period

Counts = tuple[tuple[str, str, int], ...]
"""(rule, period, how much)."""


class Expected(NamedTuple):
    """What a terminal is told: verdict, full price, what the holder pays, what the operator lets off besides, what is
    held for a journey that begins, and whose terms count.
    """

    verdict: str
    full_fen: int = 0
    paid_fen: int = 0
    waived_fen: int = 0
    held_fen: int | None = None
    concession: str | None = None


@dataclass(frozen=True)
class Place:
    """A point as the sign on its door describes it: where, open when, which media it reads, what it offers."""

    code: str
    division: str
    items: tuple[str, ...]
    hours: tuple[Json, ...] = ()
    media: tuple[str, ...] = ("code", "card")


@dataclass(eq=False)
class Pass:
    """A pass that a resident bought: it waits for its first use, or starts by itself after `activate_by`. `standing` is
    how many uses were not given back, as far as is known.
    """

    item: str
    activate_by: dt.date
    lasts_days: int
    starts_on: dt.date | None = None
    uses_left: int | None = None
    standing: int = 0

    def good_on(self, day: dt.date) -> bool:
        start = self.starts_on or min(day, self.activate_by + dt.timedelta(days=1))
        return start <= day < start + dt.timedelta(days=self.lasts_days) and self.uses_left != 0

    def serve(self, day: dt.date) -> None:
        """Take in a use."""
        self.starts_on = self.starts_on or min(day, self.activate_by + dt.timedelta(days=1))
        self.standing += 1
        if self.uses_left is not None:
            self.uses_left -= 1

    def serve_not(self) -> None:
        """Take in that a use was given back; the last one leaves it as new."""
        self.standing -= 1
        self.starts_on = self.starts_on if self.standing else None
        if self.uses_left is not None:
            self.uses_left += 1


@dataclass
class Begun:
    """A journey under way: the use that began it, where, on whose terms, what is held, and between which moments."""

    use: str
    point: str
    concession: str | None
    held_fen: int
    earliest: float
    latest: float


@dataclass
class Account:
    """A resident's bank account: what is free for certain, what may be free besides, whether the bank pays at all."""

    free_fen: int
    perhaps_fen: int = 0
    blocked: bool = False

    def pays(self, fen: int, *, generous: bool) -> bool:
        """Whether the bank approves, given what may be free besides or not."""
        return not self.blocked and fen <= self.free_fen + (self.perhaps_fen if generous else 0)


@dataclass(frozen=True)
class Asked:
    """What is asked for, where and how, and what clocks, doors and the bank say when it is decided.

    attended  staff stand beside the terminal
    changed   within the time for changing     full  the point takes nobody more
    minutes   since the journey began          bank  it counts what is ``sure`` to be free, ``all``, or is ``silent``
    """

    item: str
    place: Place
    medium: str
    moment: Moment
    amount_fen: int | None = None
    leg: str | None = None
    changed: bool = False
    minutes: int = 0
    full: bool = False
    bank: str = "sure"
    attended: bool = False


class Ride(NamedTuple):
    """A use that a change may follow: when it was, between two moments."""

    use: str
    item: str
    earliest: float
    latest: float


@dataclass(frozen=True)
class Outcome:
    """What a visit comes to and what it does. `purse_fen` is added to the purse (below 0: taken), `bank_fen` taken from
    the account; `counts` is what it counts against, `returns` what of that a refund gives back.
    """

    told: Expected
    purse_fen: int = 0
    bank_fen: int = 0
    counts: Counts = ()
    returns: Counts = ()
    serves: Pass | None = None
    sells: Pass | None = None


@dataclass
class Resident:
    """What a resident knows of themselves; it follows each visit.

    `place` issued their card; `balance_fen` is what they may spend, `room_fen` what fits in besides, None: no purse;
    `used` counts by (rule, period); `rides` are the uses that were not given back, `orders` their own order of
    ways to pay. `sure` is False after a visit that nobody answered or that surprised.
    """

    kind: str
    card_state: str
    functions: dict[str, str]
    place: str
    classes: list[tuple[str, str, str | None]]
    balance_fen: int | None
    room_fen: int | None
    used: dict[tuple[str, str], int] = field(default_factory=dict)
    passes: list[Pass] = field(default_factory=list)
    journeys: dict[str, Begun] = field(default_factory=dict)
    rides: list[Ride] = field(default_factory=list)
    orders: dict[str, tuple[str, ...]] = field(default_factory=dict)
    account: Account | None = None
    sure: bool = True

    # --- What they know ---

    def counts_as(self, class_: str, day: dt.date) -> bool:
        """Whether they are of a class on a day."""
        on = day.isoformat()
        return class_ == "everyone" or any(
            code == class_ and begins <= on and (ends is None or on < ends) for code, begins, ends in self.classes
        )

    def used_up(self, rule: str, quota: Json, day: dt.date) -> bool:
        return self.used.get((rule, period(quota["period"], day)), 0) >= int(quota["count"])

    def pass_for(self, item: str, day: dt.date) -> Pass | None:
        """The pass that serves: one in use before one that waits."""
        good = [each for each in self.passes if each.item == item and each.good_on(day)]
        return min(good, key=lambda each: each.starts_on is None, default=None)

    def has_bank(self) -> bool:
        return self.account is not None and self.functions["financial"] == "active"

    # --- What a visit leaves ---

    def follow(self, asked: Asked, outcome: Outcome, use: str, earliest: float, latest: float) -> Begun | None:
        """Take in what came of a visit between two moments. Returns the journey that ended by itself thereby."""
        if outcome.told.verdict != "ADMITTED":
            return None
        self._count(outcome.counts, 1)
        self._move(outcome.purse_fen)
        if self.account is not None:
            self.account.free_fen -= outcome.bank_fen
        if outcome.sells is not None:
            self.passes.append(outcome.sells)
        if outcome.serves is not None:
            outcome.serves.serve(asked.moment.day)
        if asked.leg != "in":
            self.rides.append(Ride(use, asked.item, earliest, latest))
        if asked.leg is None:
            return None
        return self._travel(asked, outcome.told, use, earliest, latest)

    def _travel(self, asked: Asked, told: Expected, use: str, earliest: float, latest: float) -> Begun | None:
        """Begin or end a journey. One that was left open costs what was held for it."""
        before = self.journeys.pop(asked.item, None)
        if asked.leg == "out":
            assert before is not None
            self._hold(-before.held_fen)
            return None
        self._hold(told.held_fen or 0)
        self.journeys[asked.item] = Begun(
            use, asked.place.code, told.concession, told.held_fen or 0, earliest, latest
        )  # fmt: skip
        if before is not None and self.room_fen is not None:
            self.room_fen += before.held_fen
        return before

    def undo(self, outcome: Outcome, use: str) -> None:
        """Take in that a visit was given back: money, what was counted, passes, what a change would follow."""
        self.rides = [each for each in self.rides if each.use != use]
        self._count(outcome.returns, -1)
        self._move(-outcome.purse_fen)
        if self.account is not None:
            self.account.perhaps_fen += outcome.bank_fen
        if outcome.sells is not None:
            self.passes.remove(outcome.sells)
        if outcome.serves is not None:
            outcome.serves.serve_not()

    def _count(self, counts: Iterable[tuple[str, str, int]], sign: int) -> None:
        for rule, period_, more in counts:
            self.used[rule, period_] = max(0, self.used.get((rule, period_), 0) + sign * more)

    def _move(self, fen: int) -> None:
        if self.balance_fen is not None:
            self.balance_fen += fen
        if self.room_fen is not None:
            self.room_fen -= fen

    def _hold(self, fen: int) -> None:
        if self.balance_fen is not None:
            self.balance_fen -= fen
