"""What truly happened, and what must come of it: the platform's rules told plainly, one presentation after the other.

It shares no code with the product and never looks into its tables. It is told what was shown where and when, what
reached the platform, and in which order.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

DAY_MS = 86_400_000
CHINA_MS = 8 * 3_600_000
HALF_PRICE_A_DAY = 2


class Terms(NamedTuple):
    """An item: its price, who pays for what a gate should not have let pass, and how often a day it may be used."""

    full_fen: int = 0
    off_fen: int = 0
    half_for_seniors: bool = False
    shortfall: str = "operator"
    double: str = "operator"
    refused: str = "operator"
    a_day: int | None = None


class Cost(NamedTuple):
    """What a use costs: the holder, the treasury."""

    paid_fen: int
    funded_fen: int = 0


@dataclass(eq=False)
class Shown:
    """One presentation. `token` is the code or the reading of a chip: what may be used once. `gate` is the verdict of
    the gate where it decided by itself, `opened` whether somebody walked through, `destroyed` that the only disk which
    knew of it is gone.
    """

    key: tuple[int, int, bytes]
    item: str
    holder: int
    token: bytes | int
    at_ms: int
    gate: str | None = None
    opened: bool = False
    destroyed: bool = False
    shifts: bool = True
    error_ms: int = 0


@dataclass
class Came:
    """What must stand on the platform. `verdict` is the use's; `ours` and what follows are of the journal's line."""

    verdict: str
    paid_fen: int = 0
    ours: str | None = None
    double: bool = False
    shortfall_fen: int = 0
    borne_by: str | None = None
    given_back: bool = False
    is_half: bool = field(default=False, compare=False)


@dataclass
class Oracle:
    """Money in fen; what others than holders have, as it changed."""

    terms: dict[str, Terms]
    seniors: set[int] = field(default_factory=set)
    purses: dict[int, int] = field(default_factory=dict)
    debts: Counter[int] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    lost: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    used: set[tuple[int, bytes | int]] = field(default_factory=set)
    highest: Counter[int] = field(default_factory=Counter)
    counts: Counter[tuple[int, str, int]] = field(default_factory=Counter)
    came: dict[tuple[int, int, bytes], Came] = field(default_factory=dict)

    # --- what reaches the platform ---

    def online(self, shown: Shown) -> Came:
        """A request. The same one again changes nothing."""
        if shown.key in self.came:
            return self.came[shown.key]
        came = self.came[shown.key] = Came(self._verdict(shown, is_late=False))
        self._use_up(shown, came.verdict)
        if came.verdict == "ADMITTED":
            came.is_half = self._cost(shown).funded_fen > 0
            came.paid_fen = self._pay(shown)
        return came

    def lines(self, group: list[Shown]) -> None:
        """Lines that are recorded together: whoever was turned away without knowing of their use gets it back first."""
        for shown in group:
            came = self.came.get(shown.key)
            if came is not None and came.ours is None and shown.gate != "ADMITTED" and came.verdict == "ADMITTED":
                self._give_back(shown, came)
        for shown in group:
            self.line(shown)

    def line(self, shown: Shown) -> Came:
        """A line of a journal: what the gate decided stands."""
        came = self.came.get(shown.key)
        if came is not None and came.ours is not None:
            return came
        admitted = shown.gate == "ADMITTED"
        if came is not None:  # it was told online, and the gate never heard the answer
            came.ours = came.verdict
            if admitted and came.verdict != "ADMITTED":
                self._stands(shown, came)
            return came
        ours = self._verdict(shown, is_late=True)
        came = self.came[shown.key] = Came("ADMITTED" if admitted else "REFUSED", ours=ours)
        if admitted:
            self._use_up(shown, ours)
            if ours == "ADMITTED":
                came.paid_fen = self._pay(shown)
            else:
                self._stands(shown, came)
        return came

    def top_up(self, holder: int, amount_fen: int) -> None:
        """What is owed is paid first."""
        cleared = min(self.debts[holder], amount_fen)
        self.debts[holder] -= cleared
        self.purses[holder] += amount_fen - cleared

    # --- the rules ---

    def is_lost(self, holder: int, at_ms: int) -> bool:
        return any(start <= at_ms < end for start, end in self.lost.get(holder, ()))

    def _verdict(self, shown: Shown, *, is_late: bool) -> str:
        terms = self.terms[shown.item]
        if self._is_used(shown, is_late=is_late):
            return "REPLAYED"
        if self.is_lost(shown.holder, shown.at_ms):
            return "CARD_LOST"
        if terms.a_day is not None and self.counts[shown.holder, shown.item, day(shown.at_ms)] >= terms.a_day:
            return "QUOTA_EXHAUSTED"
        return "ADMITTED" if self._cost(shown).paid_fen <= self.purses[shown.holder] else "FUNDS_SHORT"

    def _is_used(self, shown: Shown, *, is_late: bool) -> bool:
        """A chip's counter must grow while there is a line; told late, it must only be another one."""
        if isinstance(shown.token, int) and not is_late:
            return shown.token <= self.highest[shown.holder]
        return (shown.holder, shown.token) in self.used

    def _use_up(self, shown: Shown, verdict: str) -> None:
        if verdict == "REPLAYED":
            return
        self.used.add((shown.holder, shown.token))
        if isinstance(shown.token, int):
            self.highest[shown.holder] = max(self.highest[shown.holder], shown.token)

    def _cost(self, shown: Shown) -> Cost:
        terms = self.terms[shown.item]
        if terms.half_for_seniors and shown.holder in self.seniors and self._half_left(shown):
            return Cost(terms.full_fen // 2, terms.full_fen - terms.full_fen // 2)
        return Cost(terms.full_fen - terms.off_fen)

    def _half_left(self, shown: Shown) -> bool:
        return self.counts[shown.holder, shown.item, day(shown.at_ms)] < HALF_PRICE_A_DAY

    def _pay(self, shown: Shown) -> int:
        """The holder pays as far as the purse goes; what was paid."""
        terms, cost = self.terms[shown.item], self._cost(shown)
        if terms.a_day is not None or cost.funded_fen:
            self.counts[shown.holder, shown.item, day(shown.at_ms)] += 1
        paid_fen = min(cost.paid_fen, self.purses[shown.holder])
        self.purses[shown.holder] -= paid_fen
        self.others["operator"] += paid_fen
        self.others["treasury"] -= cost.funded_fen
        return paid_fen

    def _give_back(self, shown: Shown, came: Came) -> None:
        """All of what it came to, but what was used up."""
        came.given_back = True
        terms = self.terms[shown.item]
        funded_fen = terms.full_fen // 2 if came.is_half else 0
        self.purses[shown.holder] += came.paid_fen
        self.others["operator"] -= came.paid_fen
        self.others["treasury"] += funded_fen
        if terms.a_day is not None or funded_fen:
            self.counts[shown.holder, shown.item, day(shown.at_ms)] -= 1

    def _stands(self, shown: Shown, came: Came) -> None:
        """It was let in, and should not have been: the item says who pays."""
        terms, refusal = self.terms[shown.item], came.ours
        came.double = refusal == "REPLAYED"
        who = {"FUNDS_SHORT": "holder", "REPLAYED": terms.double}.get(refusal or "", terms.refused)
        if who == "holder":
            should_fen = self._cost(shown).paid_fen
            came.paid_fen = self._pay(shown)
            came.shortfall_fen, who = should_fen - came.paid_fen, terms.shortfall
        else:
            came.shortfall_fen = terms.full_fen
        if came.shortfall_fen:
            came.borne_by = who
            self._bear(shown.holder, who, came.shortfall_fen)

    def _bear(self, holder: int, who: str, amount_fen: int) -> None:
        if who == "holder":
            self.debts[holder] += amount_fen
        if who in ("holder", "platform"):
            self.others["operator"] += amount_fen
        if who == "platform":
            self.others["platform"] -= amount_fen
        if who == "treasury.city":
            self.others["treasury"] -= amount_fen


def day(at_ms: int) -> int:
    """The number of the day in China."""
    return (at_ms + CHINA_MS) // DAY_MS
