"""Simulated gates: the parts of `onecard_gate`, put together as its program does, on machines and lines that fail."""

import http.client
import shutil
import threading
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any, Protocol
from urllib.parse import urlsplit

from tests.reliability.coast import Coast, Holder
from tests.reliability.machine import Hall, Machine, PowerCut
from tests.reliability.oracle import Oracle, Shown
from tests.small_city import Terminal

from onecard_gate import setup
from onecard_gate.asked import Asked
from onecard_gate.barrier import Opener
from onecard_gate.clock import Clock
from onecard_gate.config import Barrier
from onecard_gate.connection import Connection
from onecard_gate.errors import Unreachable
from onecard_gate.gate import USES, Gate, Result
from onecard_gate.home import Home, Identity, Journal, Key
from onecard_gate.memory import Memory
from onecard_gate.platform import Answer, Platform
from onecard_gate.supplies import Supplies
from onecard_gate.sync import UPLOAD, Sync
from onecard_kit.journal import decode
from onecard_kit.journal_file import JournalFile, Sequences
from onecard_kit.presentation import Presentation
from onecard_kit.status_list import StatusList

Send = Callable[[], Answer]
FETCHED_EVERY_S = 6 * 3600


class World(Protocol):
    """What gates share."""

    hall: Hall
    coast: Coast
    oracle: Oracle
    random: Random
    happened: Counter[str]
    shown: dict[tuple[int, int, bytes], Shown]

    def lists(self) -> dict[str, StatusList]: ...

    def arrive(self, gate: "SimGate", body: bytes) -> None: ...

    def keep_for_later(self, send: Callable[[], None]) -> None: ...


class SimGate:
    """A gate with its machine and its line. `ups` are the moments from which on the line is there, each followed by the
    one from which on it is not.
    """

    def __init__(
        self, world: World, url: str, terminal: Terminal, item: str, machine: Machine, ups: list[int]
    ) -> None:  # fmt: skip
        self.world, self.url, self.terminal, self.item = world, url, terminal, item
        self.machine, self.ups = machine, ups
        self.lists: dict[str, StatusList] = {}
        self.lists_at_ms = 0
        self.showing: Shown | None = None
        self.cut_at_door = False
        self.copy: Path | None = None

    @property
    def has_line(self) -> bool:
        return bisect_right(self.ups, self.world.hall.now_ms) % 2 == 1

    # --- its life ---

    def pair(self) -> None:
        """Be the terminal, and fetch everything once."""
        terminal = self.terminal
        home = Home.open(self.machine.folder)
        key = Key(terminal.key.hex(), terminal.mac.name)
        journal = Journal(str(terminal.journal), terminal.code, terminal.key_id)
        identity = Identity(self.url, terminal.code, terminal.key_id, {terminal.key_id: key}, (journal,))
        home.write("identity.json", identity)
        self.boot()
        self.supplies.pin(self.sync.platform)
        self.sync.fetch()
        assert not self.sync.wrong, self.sync.wrong

    def boot(self) -> None:
        """As `onecard-gate run` does."""
        home = Home.open(self.machine.folder)
        identity, clock = home.identity(), Clock.open(home)
        self.supplies = Post.of(self, home)
        connection, writing = Connection(), threading.Lock()
        self.journal = JournalFile.open(home.journals, identity.journal.id, identity.macs)
        first = max(self.journal.last_sequence, 0) + 1
        sequences = Sequences.open(setup.sequences_of(home, identity.journal.id), first)
        memory = Memory.open(home.folder / "memory.sqlite")
        asking, syncing = Wire(self, clock), Wire(self, clock)
        self.gate = Gate(
            identity, clock, asking, connection, self.supplies, memory, self.journal, sequences, Door(self), self.item,
            writing=writing,
        )  # fmt: skip
        self.sync = Sync(
            home, identity, syncing, connection, self.supplies, self.journal, writing, FETCHED_EVERY_S
        )  # fmt: skip
        self.gate.catch_up()

    def close(self) -> None:
        self.gate.platform.close()
        self.sync.platform.close()
        self.gate.memory.close()
        self.journal.close()

    def on(self, act: Callable[[], Any]) -> Any:
        """Let it do something, for as long as it has power; None when that went."""
        hall = self.world.hall
        hall.running = self.machine
        try:
            return act()
        except PowerCut:
            hall.running = None
            self.lose_power()
            return None
        finally:
            hall.running = None

    def lose_power(self) -> None:
        """Go out, and come up again."""
        self.world.happened["power cuts"] += 1
        self.cut_at_door = False
        if self.world.hall.cut(self.machine, self.close):
            self.world.happened["lines torn"] += 1
        self.world.hall.running = self.machine
        self.boot()
        self.world.hall.running = None

    def back_up(self) -> None:
        """Have somebody copy its disk."""
        self.copy = self.machine.folder.with_suffix(".copy")
        shutil.copytree(self.machine.folder, self.copy)

    def restore(self) -> None:
        """Get a new disk with the copy on it; what only the old one knew is gone."""
        assert self.copy is not None
        world, journal = self.world, self.gate.identity.journal.id
        self.close()
        shutil.rmtree(self.machine.folder)
        shutil.copytree(self.copy, self.machine.folder)
        self.machine.boots += 1
        self.machine.booted_ms = world.hall.now_ms
        world.hall.settle(self.machine.folder)
        kept = JournalFile.look(self.machine.folder / "journals", journal, self.gate.identity.macs)
        left = {self.key_of(written.line.sequence, written.line.presentation) for written in kept.after(-1)}
        kept.close()
        for key, shown in world.shown.items():
            if key[0] == self.terminal.id and key not in world.oracle.came and key not in left:
                shown.destroyed = True
        world.happened["disks restored"] += 1
        self.on(self.boot)

    # --- what happens at it ---

    def present(self, holder: Holder, token: bytes | int, code: str | None) -> Result | None:
        """Somebody shows a code, or has a card read under a counter."""
        sequence = self.gate.sequences.next_free
        journal, chip = self.gate.identity.journal.id, None
        if code is None:
            assert isinstance(token, int)
            chip = self.world.coast.tap_at(holder, token, self.terminal, journal, sequence)
        key = self.key_of(sequence, Presentation(self.item, code, chip))
        now_ms = self.world.hall.now_ms
        self.showing = Shown(key, self.item, holder.card.holder_id, token, now_ms, error_ms=self.machine.error_ms)
        self.world.shown[key] = self.showing
        asked = Asked(code) if chip is None else Asked(tap=lambda *_: (chip, holder.file))
        result: Result | None = self.on(lambda: self.gate.present(asked))
        return result

    def key_of(self, sequence: int, presented: Presentation) -> tuple[int, int, bytes]:
        return self.terminal.id, sequence, presented.content

    def tick(self) -> None:
        """One round of what happens beside."""
        self.on(self.sync.round)

    def hear_lists(self) -> None:
        """Fetch the newest lists, as it does each minute while there is a line."""
        self.on(self.supplies.hear)


class Post(Supplies):
    """Supplies whose lists come from the world; keys and packs come over the wire."""

    gate: SimGate

    @classmethod
    def of(cls, gate: SimGate, home: Home) -> "Post":
        made = cls.open(home)
        assert isinstance(made, Post)
        made.gate = gate
        made._know(made.known.pack, gate.lists)
        return made

    def hear(self) -> None:
        self._take_lists()
        self._heard(self.gate.gate.clock.now_ms() // 1000)

    def _take_lists(self) -> None:
        self.gate.lists, self.gate.lists_at_ms = self.gate.world.lists(), self.gate.world.hall.now_ms
        self._know(self.known.pack, self.gate.lists)

    def _kept_lists(self) -> list[tuple[str, StatusList]]:
        return []

    def _refresh_lists(self, platform: Platform, identity: Identity, now: int) -> list[str]:
        self._take_lists()
        return []

    def _drop_old_lists(self, now: int) -> None:
        pass


class Door(Opener):
    """A barrier: whoever comes through it was admitted."""

    def __init__(self, gate: SimGate) -> None:
        super().__init__(Barrier())
        self.gate = gate

    def open(self) -> bool:
        gate = self.gate
        if gate.cut_at_door:
            raise PowerCut
        assert gate.showing is not None
        gate.showing.opened = True
        gate.world.happened["admitted"] += 1
        return True


class Wire(Platform):
    """A line to the gateway over which requests and answers get lost, torn, doubled and mixed up."""

    def __init__(self, gate: SimGate, clock: Clock) -> None:
        super().__init__(gate.url, clock)
        self.gate = gate

    def _hear(self, answer: Answer, began: float) -> None:
        self.clock.take(self.gate.world.hall.now_ms)

    def _exchange(self, method: str, path: str, body: bytes, headers: dict[str, str], until: float) -> Answer:
        if not self.gate.has_line:
            raise Unreachable("there is no line")

        def send() -> Answer:
            return Platform._exchange(self, method, path, body, dict(headers), until + 60)

        if path == USES:
            return self._use(send)
        if path == UPLOAD:
            return self._upload(send, body, dict(headers), until)
        return send()

    def _use(self, send: Send) -> Answer:
        world, drawn = self.gate.world, self.gate.world.random.random()
        if drawn < 0.02:
            raise Unreachable("the request was lost")
        answer = send()
        if answer.status == 200:
            assert self.gate.showing is not None
            came, told = world.oracle.online(self.gate.showing), answer.json()
            says = told["verdict"]["code"], told["price"]["paid_fen"]
            assert says == (came.verdict, came.paid_fen), (says, came, self.gate.showing)
            world.happened["online"] += 1
            if drawn < 0.06:
                world.happened["answers lost"] += 1
                raise Unreachable("the answer was lost")
        return answer

    def _upload(self, send: Send, body: bytes, headers: dict[str, str], until: float) -> Answer:
        """What has arrived counts in its order, whatever becomes of the answer."""
        world, drawn = self.gate.world, self.gate.world.random.random()
        lines, fault = body.splitlines(keepends=True), ""

        def sent(content: bytes) -> Answer:
            return Wire._apart(self, content, headers, until + 60)

        if drawn < 0.10:
            fault = "uploads cut off"
            self._cut_off(body, headers)
        elif drawn < 0.18 and len(lines) > 1:
            fault, mixed = "uploads mixed up", world.random.sample(lines, len(lines))
            answer = sent(b"".join(mixed))
            world.arrive(self.gate, b"".join(mixed))
            world.happened[fault] += 1
            return answer
        elif drawn < 0.26:
            fault = "uploads twice at once"
            self._at_once(sent, body)
        elif drawn < 0.34:
            fault = "uploads twice"
            sent(body)
        elif drawn < 0.42:
            fault = "uploads replayed later"
            world.keep_for_later(lambda: _is_taken(sent(body)))
        answer = send()
        assert answer.status == 200, answer.body
        world.arrive(self.gate, body)
        world.happened[fault or "uploads"] += 1
        if drawn > 0.92:
            world.happened["uploads without an answer"] += 1
            raise Unreachable("the answer was lost")
        return answer

    def _at_once(self, send: Callable[[bytes], Answer], body: bytes) -> None:
        """Two connections bring the same; which of them is first makes no difference."""
        answers: list[Answer] = []
        threads = [threading.Thread(target=lambda: answers.append(send(body))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [answer.status for answer in answers] == [200, 200]

    def _apart(self, content: bytes, headers: Mapping[str, str], until: float) -> Answer:
        """The same on a connection of its own."""
        other = Platform(self.url, self.clock)
        try:
            return other._exchange("POST", UPLOAD, content, dict(headers), until)
        finally:
            other.close()

    def _cut_off(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Send a part of it and go."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        connection.putrequest("POST", UPLOAD)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            connection.putheader(name, value)
        connection.endheaders()
        connection.send(body[: self.gate.world.random.randrange(len(body))])
        connection.close()


def _is_taken(answer: Answer) -> None:
    assert answer.status == 200, answer.body


def lines_of(body: bytes) -> list[Any]:
    """The lines of an upload, as the gate wrote them."""
    return [decode(raw).line for raw in body.splitlines(keepends=True)]
