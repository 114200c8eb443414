"""What happens beside the gate (同步): the line is tried again, journals are uploaded, supplies are fetched.

One thread does all of it, a step at a time, with a connection of its own: nobody at the barrier waits for it. A line of
a journal counts as had by the platform only when the platform says so, and it may take that back: one that was restored
from a backup gets again what it lost.
"""

import logging
import threading
import time
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

import msgspec

from onecard_gate.connection import Connection
from onecard_gate.errors import GateError, Told, Unreachable
from onecard_gate.home import Home, Identity, Journal
from onecard_gate.platform import Platform, lines_of, problem_of, signed
from onecard_gate.supplies import Supplies
from onecard_kit.journal import Written
from onecard_kit.journal_file import JournalFile

log = logging.getLogger("onecard.gate")

UPLOAD: Final = "/v1/uses:batch"
JOURNALS: Final = "/v1/journals/"
KIND: Final = "application/x-onecard-journal"
LINES_MAX: Final = 200
"""So many lines an upload has at most; the answer to as many fits in what a socket holds while they are sent."""
SENT_AGAIN: Final = frozenset({"CARD_BUSY", "OUR_FAULT"})
"""Why a line was rejected that will be taken later; any other reason stays."""
UPLOAD_S: Final = 60.0
RESTS_S: Final = 30.0
"""After an upload of which the platform took nothing, for so long none is tried."""
TRY_S: Final = 3.0
TICK_S: Final = 1.0


class Uploads(msgspec.Struct):
    """What became of lines since the program began, by the platform's word; `problem` is the last one, in words."""

    recorded: int = 0
    repeated: int = 0
    rejected: int = 0
    differing: int = 0
    problem: str | None = None


@dataclass(slots=True)
class Sync:
    """`journal` is the one that is written; `writing` is held while it is. `wrong` says what the last round could not
    fetch.
    """

    home: Home
    identity: Identity
    platform: Platform
    connection: Connection
    supplies: Supplies
    journal: JournalFile
    writing: threading.Lock
    every_s: float = 60.0
    trusts_connection: bool = False
    uploads: Uploads = field(default_factory=Uploads)
    wrong: list[str] = field(default_factory=list)
    _fetched_at: float = -1e9
    _asked: set[str] = field(default_factory=set)
    _through: set[str] = field(default_factory=set)  # older journals of which the platform has all
    _rests_until: float = 0.0
    _wake: threading.Event = field(default_factory=threading.Event)
    _ends: bool = False

    def run(self) -> None:
        """Until `end`. Nothing that goes wrong in a round ends the thread."""
        while not self._ends:
            try:
                self.round()
            except Exception:
                log.exception("a round of synchronisation failed")
            self._wake.wait(TICK_S)
            self._wake.clear()

    def wake(self) -> None:
        """There is something to upload."""
        self._wake.set()

    def end(self) -> None:
        self._ends = True
        self._wake.set()

    def round(self) -> None:
        """Try the line if it is away; with a line, upload what is not had yet, and fetch what is due."""
        now = time.monotonic()
        if not self.connection.is_up(now) and not (self.connection.should_try(now) and self._reaches()):
            return
        try:
            if now >= self._rests_until:
                self.upload()
            if now - self._fetched_at >= self.every_s:
                self.fetch()
        except Unreachable as error:
            log.info("the line is away: %s", error)
            self.connection.silent(time.monotonic())
            self._asked.clear()  # who comes back may be a platform from a backup
            self._through.clear()

    def fetch(self) -> None:
        """Fetch supplies. Raises Unreachable."""
        self._fetched_at = time.monotonic()
        now = self.platform.clock.now_ms() // 1000
        self.wrong = self.supplies.refresh(self.platform, self.identity, now, self.trusts_connection)
        for each in self.wrong:
            log.warning("%s", each)
        with self.writing:
            self.journal.drop_old(now)

    def upload(self) -> int:
        """Upload what the platform does not have, of older journals first; return how many lines went. Raises
        Unreachable; a problem that the platform tells is kept in words.
        """
        sent = 0
        for journal in self.identity.journals:
            try:
                sent += self._upload(journal)
            except Told as problem:
                self.uploads.problem = f"{problem.code}: {problem.en}"
                self._rests_until = time.monotonic() + RESTS_S
                log.warning("journal %s: %s", journal.id, self.uploads.problem)
        return sent

    def unsent(self) -> int:
        """How many lines the platform has not said that it has."""
        return sum(1 for _ in self.journal.after(self.journal.acknowledged.through))

    # --- one journal ---

    def _upload(self, journal: Journal) -> int:
        if journal.id == self.identity.journal.id:
            return self._upload_file(journal, self.journal)
        if journal.id in self._through:
            return 0
        try:
            file = JournalFile.open(self.home.journals, journal.id, self.identity.macs)
        except OSError as error:
            raise Told(0, "JOURNAL_UNREADABLE", {"en": str(error)}) from None
        try:
            sent = self._upload_file(journal, file)
            if file.acknowledged.through >= file.last_sequence:
                self._through.add(journal.id)
            return sent
        finally:
            file.close()

    def _upload_file(self, journal: Journal, file: JournalFile) -> int:
        if file.last_sequence < 0:
            return 0
        if journal.id not in self._asked:
            self._ask_how_far(journal, file)
        sent = 0
        while True:
            through = file.acknowledged.through
            lines = list(islice(file.after(through), LINES_MAX))
            if not lines:
                return sent
            self._send(journal, file, lines)
            sent += len(lines)
            if file.acknowledged.through <= through:
                self._rests_until = time.monotonic() + RESTS_S
                return sent  # it wants none of these now

    def _ask_how_far(self, journal: Journal, file: JournalFile) -> None:
        """Ask what the platform has, once for each time that the line came back. Raises Unreachable or Told."""
        path = JOURNALS + journal.id
        told = self._answered(self.platform.ask("GET", path, headers=self._signed(journal, "GET", path, 0))).json()
        if not isinstance(told, dict) or type(told.get("through")) is not int:
            raise Unreachable("no answer about a journal")
        if _is_of(file, told["through"], str(told.get("chain"))):
            self._acknowledge(file, told["through"])
        else:
            log.warning("journal %s: the platform has lines that are not here; this disk is an older copy", journal.id)
        self._asked.add(journal.id)

    def _send(self, journal: Journal, file: JournalFile, lines: list[Written]) -> None:
        """Upload lines; those up to the first that is to be sent again count as had, by what is answered to each. Where
        the platform has less than it had said, it gets that again.
        """
        through, body = file.acknowledged.through, b"".join(written.raw for written in lines)
        headers = {**self._signed(journal, "POST", UPLOAD, through + 1), "content-type": KIND}
        answer = self._answered(self.platform.ask("POST", UPLOAD, body, headers, UPLOAD_S))
        told = list(lines_of(answer.body))
        for each in told:
            self._count(each)
        end = told[-1] if told else {}
        if end.get("done") is not True or type(end.get("through")) is not int:
            return
        if end["through"] < through and _is_of(file, end["through"], str(end.get("chain"))):
            self._acknowledge(file, end["through"])
        else:
            self._acknowledge(file, _had(through, lines, told))

    def _signed(self, journal: Journal, method: str, path: str, sequence: int) -> dict[str, str]:
        """An upload is signed without its body: each line of it is signed by itself. It says what the machine's clock
        shows, by which the lines were written that had no signal; the platform moves those by what that is off.
        """
        return signed(self.identity, journal, method, path, sequence, b"", self.platform.clock.shown_ms())

    def _acknowledge(self, file: JournalFile, through: int) -> None:
        file.acknowledge(min(through, file.last_sequence), self.platform.clock.now_ms() // 1000)

    def _count(self, told: dict[str, Any]) -> None:
        result = told.get("result")
        if result in ("recorded", "repeated", "rejected"):
            setattr(self.uploads, result, getattr(self.uploads, result) + 1)
        if told.get("verdict") != told.get("gate_verdict"):
            self.uploads.differing += 1
        if result == "rejected":
            log.warning("the platform rejects line %s: %s", told.get("sequence"), told.get("code"))

    @staticmethod
    def _answered(answer: Any) -> Any:
        if answer.status >= 400:
            raise problem_of(answer)
        return answer

    def _reaches(self) -> bool:
        """Whether the line answers again."""
        self.connection.tried(time.monotonic())
        try:
            self.platform.ask("GET", "/health", within_s=TRY_S)
        except (Unreachable, GateError):
            return False
        self.connection.reached(time.monotonic())
        return self.connection.is_up(time.monotonic())


def _had(through: int, lines: list[Written], told: list[dict[str, Any]]) -> int:
    """Up to which sequence the answers to an upload leave nothing to be sent again."""
    for written, each in zip(lines, told, strict=False):
        if each.get("sequence") != written.line.sequence or each.get("code") in SENT_AGAIN:
            break
        through = written.line.sequence
    return through


def _is_of(file: JournalFile, through: int, chain: str) -> bool:
    """Whether what the platform has is what stands here, or stood here before it was dropped."""
    first = next(iter(file.after(-1)), None)
    return first is None or through < first.line.sequence or file.holds(through, chain)
