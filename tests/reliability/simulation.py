"""Two days of many gates, played event after event in simulated time, from one seed."""

import heapq
import itertools
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

import httpx
from tests.gateway.process import send
from tests.reliability.clockwork import ClockFile
from tests.reliability.coast import TERMS, Coast, Holder
from tests.reliability.gates import SimGate, lines_of
from tests.reliability.machine import Hall, Machine
from tests.reliability.oracle import CHINA_MS, DAY_MS, Oracle, Shown, day

from onecard_kit.status_list import StatusList

MINUTE, HOUR = 60_000, 3_600_000
TWO_DAYS = 2 * DAY_MS
ERRORS_MS = (0, 0, 800, -2500, 20_000, -45_000, 3 * HOUR, -5 * HOUR, 40 * DAY_MS)
"""How far gates' clocks are off: some a little, some by hours, one by weeks."""
QUIET_MS = 3 * MINUTE
"""So near to the moment in which a card is lost or found, and to midnight, nobody shows it: clocks differ."""
TOP_UP = "payments.purse_topup"


@dataclass(frozen=True)
class Size:
    gates: int = 200
    holders: int = 300
    presentations: int = 6_000
    shared: int = 250
    losses: int = 14
    restored: int = 6
    cuts_a_gate: float = 1.5
    top_ups: int = 150


@dataclass
class Simulation:
    """A `World` for its gates. `run` plays it all; what came of it is for the test to compare with `oracle`."""

    coast: Coast
    url: str
    clock: ClockFile
    folder: Path
    seed: int
    size: Size = field(default_factory=Size)
    happened: Counter[str] = field(default_factory=Counter)
    shown: dict[tuple[int, int, bytes], Shown] = field(default_factory=dict)
    gates: list[SimGate] = field(default_factory=list)
    may_lose: list[Holder] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        noon_ms = 4 * HOUR  # in China: one seed is one story, whenever it is played
        self.ends_ms = (int(time.time() * 1000) - noon_ms) // DAY_MS * DAY_MS + noon_ms
        self.begins_ms = self.ends_ms - TWO_DAYS
        self.hall = Hall(self.random, self.begins_ms)
        self.oracle = Oracle(dict(TERMS))
        self._order = itertools.count()
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._later: list[Callable[[], None]] = []
        self._counters: Counter[int] = Counter()
        self._lists: dict[tuple[int, int], dict[str, StatusList]] = {}
        self._http = httpx.Client(base_url=self.url, timeout=60)

    # --- the town ---

    def build(self) -> None:
        """Holders with purses that will not last, gates with clocks and lines that are off."""
        drawn = self.random
        self.holders = [
            self.coast.a_holder(n, drawn.choice([600, 2000, 8000]), drawn.random() < 0.3)
            for n in range(self.size.holders)
        ]  # fmt: skip
        for each in self.holders:
            holder = each.card.holder_id
            self.oracle.purses[holder] = self.coast.purse_of(each.card)
            if each.is_senior:
                self.oracle.seniors.add(holder)
        self.teller = self.coast.a_terminal(TOP_UP)
        items = list(TERMS)
        for n in range(self.size.gates):
            item = items[n % len(items)]
            machine = Machine(self.folder / f"gate-{n}", drawn.choice(ERRORS_MS), self.begins_ms)
            gate = SimGate(self, self.url, self.coast.a_gate(item, n), item, machine, self._ups())
            self.gates.append(gate)

    def _ups(self) -> list[int]:
        """When a line comes and goes. All are there at the beginning and in the end."""
        drawn = self.random
        up_ms, down_ms = drawn.choice(
            [
                (5 * HOUR, 3 * HOUR),
                (5 * HOUR, 3 * HOUR),
                (2 * HOUR, 9 * HOUR),
                (25 * MINUTE, 40 * MINUTE),
                (HOUR, TWO_DAYS),
            ]
        )
        at, moments = self.begins_ms, [self.begins_ms - HOUR]
        while True:
            for mean_ms in (up_ms, down_ms):
                at += int(drawn.expovariate(1 / mean_ms)) + MINUTE
                if at >= self.ends_ms - HOUR:
                    return moments if len(moments) % 2 else [*moments, self.ends_ms]
                moments.append(at)

    # --- the plan ---

    def plan(self) -> None:
        """Put everything that will happen in its place."""
        drawn, size = self.random, self.size
        for gate in self.gates:
            self._plan_line(gate)
            for _ in range(int(drawn.expovariate(1 / size.cuts_a_gate))):
                self._at(self._moment(), partial(self._cut, gate))
        self.may_lose = drawn.sample(self.holders, size.losses)
        for holder in self.may_lose:
            self._plan_loss(holder)
        for _ in range(size.presentations):
            self._at(self._moment(), self._somebody_comes)
        for _ in range(size.shared):
            self._plan_shared()
        for _ in range(size.top_ups):
            self._at(self._moment(), self._top_up)
        for gate in drawn.sample(self.gates, size.restored):
            copied = self.begins_ms + int(drawn.uniform(0.1, 0.5) * TWO_DAYS)
            self._at(copied, gate.back_up)
            self._at(copied + int(drawn.uniform(0.1, 0.4) * TWO_DAYS), gate.restore)

    def _plan_line(self, gate: SimGate) -> None:
        for n, at in enumerate(gate.ups):
            if n % 2:  # it hears the lists until the last minute
                self._at(at - 1, gate.hear_lists)
                continue
            until = gate.ups[n + 1] if n + 1 < len(gate.ups) else self.ends_ms
            for later in (1000, 6000, 75_000):
                self._at(max(at, self.begins_ms) + later, gate.tick)
            for moment in range(max(at, self.begins_ms) + 30 * MINUTE, until, 45 * MINUTE):
                self._at(moment, gate.hear_lists)
                self._at(moment + 1, gate.tick)

    def _plan_loss(self, holder: Holder) -> None:
        lost = self.begins_ms + int(self.random.uniform(0.15, 0.8) * TWO_DAYS)
        found = lost + int(self.random.uniform(0.05, 0.6) * TWO_DAYS)
        self.oracle.lost[holder.card.holder_id] = [(lost, found)]
        self._at(lost, lambda: self._set_state(holder, "lost"))
        if found < self.ends_ms - HOUR:
            self._at(found, lambda: self._set_state(holder, "active"))

    def _plan_shared(self) -> None:
        """A code in somebody else's hands, or a card that was copied: shown within a minute at several gates."""
        drawn = self.random
        at = self._moment() // MINUTE * MINUTE + 5000
        shown: dict[str, bytes | int | str] = {}
        holder, by_code = drawn.choice(self.holders), drawn.random() < 0.6
        for n in range(drawn.choice([2, 2, 2, 3])):
            gate = drawn.choice(self.gates)
            self._at(at + n * 15_000, partial(self._show, gate, holder, by_code, shown))

    def _moment(self) -> int:
        """Any, but in the quiet at midnight."""
        while True:
            at = int(self.random.uniform(self.begins_ms + 10 * MINUTE, self.ends_ms - 10 * MINUTE))
            if QUIET_MS < (at + CHINA_MS) % DAY_MS < DAY_MS - QUIET_MS:
                return at

    def _at(self, at_ms: int, act: Callable[[], None]) -> None:
        heapq.heappush(self._events, (at_ms, next(self._order), act))

    # --- playing ---

    def run(self) -> None:
        """Play it, and let every gate send what it has."""
        self._set(self.begins_ms)
        for gate in self.gates:
            gate.on(gate.pair)
        self.plan()
        while self._events:
            at, _, act = heapq.heappop(self._events)
            self._set(max(at, self.hall.now_ms))
            act()
        for gate in self.gates:
            gate.machine.fuse, gate.cut_at_door = None, False
            self._send_all(gate)
            gate.close()

    def _send_all(self, gate: SimGate) -> None:
        for _ in range(60):
            self._set(self.hall.now_ms + 7)
            if gate.sync.connection.is_up(self.hall.now_ms / 1000):
                gate.tick()
                if gate.sync.unsent() == 0:
                    return
            gate.sync.connection.answered()
        raise AssertionError(f"gate {gate.terminal.code} keeps {gate.sync.unsent()} lines: {gate.sync.uploads}")

    def _set(self, now_ms: int) -> None:
        self.hall.now_ms = now_ms
        self.clock.set(now_ms)

    def _somebody_comes(self) -> None:
        self._show(self.random.choice(self.gates), self.random.choice(self.holders), self.random.random() < 0.65, {})

    def _show(self, gate: SimGate, holder: Holder, by_code: bool, shown: dict[str, bytes | int | str]) -> None:
        """Show a code or a card; `shown` is kept for who shows the same again."""
        now, card = self.hall.now_ms, holder.card
        if any(abs(edge - now) < QUIET_MS for edges in self.oracle.lost.get(card.holder_id, ()) for edge in edges):
            return
        if not shown and by_code:
            shown["code"] = self.coast.code_at(holder, now)
        elif not shown:
            self._counters[card.id] += 1
            shown["counter"] = self._counters[card.id]
        code, counter = shown.get("code"), shown.get("counter")
        assert code is None or isinstance(code, str)
        token = code.encode() if code is not None else counter
        assert isinstance(token, bytes | int)
        had_line, lists_at_ms = gate.has_line, gate.lists_at_ms
        result = gate.present(holder, token, code)
        if result is None:
            return
        self.happened[result.mode] += 1
        if result.opened and result.mode == "offline":
            known_lost = [
                start for start, end in self.oracle.lost.get(card.holder_id, ()) if start <= lists_at_ms < end
            ]
            assert not known_lost, "a card that its list calls lost was let in"
        if had_line:
            gate.tick()

    def _cut(self, gate: SimGate) -> None:
        """The power goes: now, at one of the next writes to the disk, or between the line and the door."""
        drawn = self.random.random()
        if drawn < 0.2:
            gate.lose_power()
        elif drawn < 0.8:
            gate.machine.fuse = self.random.choice([0, 0, 1, 2, 3])
        else:
            gate.cut_at_door = True

    def _set_state(self, holder: Holder, state: str) -> None:
        self.coast.set_state(holder, state, self.hall.now_ms)
        self._lists.clear()

    def lists(self) -> dict[str, StatusList]:
        """The lists as of now; they change with a loss, and with the day."""
        now = self.hall.now_ms
        lost = [each for each in self.may_lose if self.oracle.is_lost(each.card.holder_id, now)]
        key = ((now + CHINA_MS) // DAY_MS, len(lost))
        if key not in self._lists:
            self._lists = {key: self.coast.lists_with(lost, now)}
        return self._lists[key]

    def _top_up(self) -> None:
        holder, now = self.random.choice(self.holders), self.hall.now_ms
        if holder.card.holder_id in self.oracle.lost:
            return
        amount_fen = self.random.choice([1000, 2000])
        code = self.coast.code_at(holder, now)
        told = {"item": TOP_UP, "code": code, "amount_fen": amount_fen}
        answer = send(self._http, self.teller, told, at=now // 1000)
        assert answer.status_code == 200, answer.text
        assert answer.json()["admitted"], answer.text
        self.oracle.top_up(holder.card.holder_id, amount_fen)

    # --- what gates tell of ---

    def arrive(self, gate: SimGate, body: bytes) -> None:
        """Lines have reached the platform in this order."""
        arrived = []
        for line in lines_of(body):
            shown = self.shown[gate.key_of(line.sequence, line.presentation)]
            shown.gate, shown.shifts = line.verdict, line.shift_ms is not None
            arrived.append(shown)
        for _, group in itertools.groupby(arrived, lambda shown: day(shown.at_ms)):
            self.oracle.lines(list(group))

    def keep_for_later(self, send: Callable[[], None]) -> None:
        """Somebody on the way keeps an upload and sends it again."""
        self._at(self.hall.now_ms + self.random.randrange(MINUTE, 6 * HOUR), send)
