"""One presentation, from what a reader saw to the barrier: take a sequence, ask the platform or decide here, write it
down, open.

Online and offline are one use: the sequence is taken first, and when no answer comes in time the gate decides by itself
and writes a line under the same sequence; the platform finds by its content that it is what it was asked before.
"""

import logging
import sqlite3
import threading
import time
from dataclasses import dataclass, field
from typing import Final

import msgspec

from onecard_gate.asked import Asked, CardGone
from onecard_gate.barrier import Opener
from onecard_gate.clock import Clock
from onecard_gate.connection import Connection
from onecard_gate.errors import Told, Unreachable
from onecard_gate.home import Identity
from onecard_gate.memory import Memory, Seen, Use
from onecard_gate.platform import Platform, problem_of, signed
from onecard_gate.supplies import Supplies
from onecard_kit import offline, reasons
from onecard_kit.journal import JournalLine, LineRefused
from onecard_kit.journal_file import JournalFile, Sequences
from onecard_kit.offline import OFFLINE_WORDS, Knowledge, OfflineRefusal, Outcome, Shown, decide_offline
from onecard_kit.presentation import Presentation
from onecard_kit.refs import day_of
from onecard_kit.terms import Item, Leg, counted
from onecard_kit.verdicts import WORDS, Verdict, Words

log = logging.getLogger("onecard.gate")

USES: Final = "/v1/uses"
SHOWN_CHARS_MAX: Final = 2000
ONLINE_S: Final = 1.5
"""So long the platform is waited for before a pack says how long."""
UNANSWERED: Final = "unanswered"
SEQUENCE_REUSED: Final = "SEQUENCE_REUSED"
# Verdicts by which a code or a reading is used up: those from the card's state on.
_SPENDING: Final = frozenset(list(Verdict)[list(Verdict).index(Verdict.CARD_UNKNOWN) :])


class Result(msgspec.Struct, frozen=True):
    """What became of a presentation, as a line of JSON says it. `mode`: who decided; `opened`: whether the barrier was
    told to open; `lists`: how old what was decided on is, in seconds. `balance_fen` is known online only.
    """

    sequence: int | None
    at_ms: int
    item: str
    mode: str
    admitted: bool
    verdict: str
    zh: str
    en: str
    next_zh: str
    next_en: str
    paid_fen: int = 0
    balance_fen: int | None = None
    reasons: tuple[dict[str, str], ...] = ()
    lists: dict[str, int] = {}
    manual: bool = False
    opened: bool = False
    use: str | None = None


class _Verdict(msgspec.Struct, frozen=True):
    code: str
    zh: str
    en: str
    next_zh: str
    next_en: str


class _Price(msgspec.Struct, frozen=True):
    paid_fen: int
    concession: str | None = None
    held_fen: int | None = None


class _Answer(msgspec.Struct, frozen=True):
    """The platform's answer to a use, as far as a gate looks at it. Anything else is none."""

    use: str
    admitted: bool
    verdict: _Verdict
    price: _Price
    balance_fen: int | None = None
    reasons: tuple[dict[str, str], ...] = ()


class _Unsent(Exception):
    """What was shown is nothing that could be told to anybody."""


@dataclass(slots=True)
class Gate:
    """The parts, put together; `present` is for one thread, and shares `journal` with the one that uploads it by
    `writing`.
    """

    identity: Identity
    clock: Clock
    platform: Platform
    connection: Connection
    supplies: Supplies
    memory: Memory
    journal: JournalFile
    sequences: Sequences
    barrier: Opener
    item: str | None = None
    leg: Leg | None = None
    amount_fen: int | None = None
    writing: threading.Lock = field(default_factory=threading.Lock)

    def present(self, asked: Asked) -> Result:
        """Decide one presentation and open for it. Raises nothing that a stranger, the line or the disk could cause."""
        try:
            sequence = self.sequences.take()
        except OSError as error:
            log.error("no sequence can be reserved: %s", error)
            return self._refusal(asked, None, "offline", OfflineRefusal.NOT_RECORDED)
        try:
            presented, file = self._presented(asked, sequence)
        except (_Unsent, CardGone) as error:
            verdict = Verdict.CODE_MALFORMED if isinstance(error, _Unsent) else Verdict.CRYPTOGRAM_INVALID
            return self._refusal(asked, sequence, "offline", verdict)
        return self._decide(asked, presented, file, sequence)

    def _presented(self, asked: Asked, sequence: int) -> tuple[Presentation, str | None]:
        """What was shown as it is told of, with the card's file. Raises _Unsent, or CardGone."""
        chip, file, code = None, None, asked.code
        if asked.tap is not None:
            chip, file = asked.tap(self.identity.terminal, self.identity.journal.id, sequence)
            file = file if file is not None and len(file) <= SHOWN_CHARS_MAX else None
        leg = asked.leg if asked.leg is not None else self.leg
        amount_fen = asked.amount_fen if asked.amount_fen is not None else self.amount_fen
        presented = Presentation(self._item_of(asked), code, chip, amount_fen, leg)
        if presented.flaw is not None or len(code or "") > SHOWN_CHARS_MAX or not _is_text(code or ""):
            raise _Unsent
        return presented, file

    def _decide(self, asked: Asked, presented: Presentation, file: str | None, sequence: int) -> Result:
        now_ms = self.clock.now_ms()
        known = self.supplies.known
        shown = offline.read(presented, file, known, now_ms / 1000)
        was_sent = False
        if self._asks_platform(asked, shown, now_ms):
            try:
                return self._online(presented, shown, sequence, now_ms)
            except Unreachable as error:
                was_sent = True
                log.info("offline: %s", error)
                self.connection.failed(time.monotonic())
            except Told as problem:
                if problem.code != SEQUENCE_REUSED:
                    log.warning("the platform refuses to be asked: %s", problem)
                    return self._told(presented, sequence, problem)
                log.warning("sequence %s was used before: this disk is an older copy", sequence)
                self.connection.answered()
                self.sequences.leap()
        return self._offline(asked, presented, file, shown, known, sequence, now_ms, was_sent)

    def _asks_platform(self, asked: Asked, shown: Shown, now_ms: int) -> bool:
        """Not while the line is away, nor for what only this gate knows: what staff admit, what was used up here."""
        if self._is_manual(asked) or not self.connection.is_up(time.monotonic()):
            return False
        return shown.problem is not None or not self.memory.is_spent(shown, now_ms // 1000)

    # --- online ---

    def _online(self, presented: Presentation, shown: Shown, sequence: int, now_ms: int) -> Result:
        """Raises Unreachable: what became of it is unknown; or Told: nothing was recorded."""
        answer = self._ask(presented, sequence)
        self.connection.answered()
        verdict = answer.verdict
        result = Result(
            sequence, now_ms, presented.item, "online", answer.admitted, verdict.code, verdict.zh, verdict.en,
            verdict.next_zh, verdict.next_en, paid_fen=answer.price.paid_fen, balance_fen=answer.balance_fen,
            reasons=answer.reasons, use=answer.use,
        )  # fmt: skip
        self._remember_online(presented, shown, answer, now_ms)
        return self._open(result)

    def _ask(self, presented: Presentation, sequence: int) -> _Answer:
        """The platform's answer to a use; a clock that was off is set by the answer that says so, and asked again."""
        body = _body_of(presented)
        pack = self.supplies.known.pack
        until = time.monotonic() + (ONLINE_S if pack is None else pack.online_timeout_ms / 1000)
        for attempt in (1, 2):
            headers = signed(
                self.identity, self.identity.journal, "POST", USES, sequence, body, self.clock.now_ms()
            )  # fmt: skip
            headers["content-type"] = "application/json"
            answer = self.platform.ask("POST", USES, body, headers, until - time.monotonic())
            if answer.status == 200:
                try:
                    return msgspec.convert(answer.json(), _Answer)
                except msgspec.ValidationError as error:
                    raise Unreachable(f"no answer to a use: {error}") from None
            problem = problem_of(answer)
            if attempt == 1 and problem.code == "TERMINAL_CLOCK_OFF":
                continue
            raise problem
        raise AssertionError

    def _remember_online(self, presented: Presentation, shown: Shown, answer: _Answer, now_ms: int) -> None:
        """Keep what a gate that goes offline the next moment must know of this use."""
        if shown.problem is not None or answer.verdict.code not in _SPENDING:
            return
        price, now = answer.price, now_ms // 1000
        use, item, pack = None, self._version(presented.item, now), self.supplies.known.pack
        if answer.admitted and item is not None and pack is not None:
            concession, day = price.concession, day_of(now)
            counts = counted(item, concession, price.paid_fen, day)
            if presented.leg is Leg.OUT:  # the rest counted when the journey began
                counts = tuple(each for each in counts if each[0] == item.paid_rule)
            use = Use(item, presented.leg, pack.point.code, day, counts, concession, price.held_fen)
        self._remember(Seen(is_spent=True), shown, use, now)

    # --- offline ---

    def _offline(
        self, asked: Asked, presented: Presentation, file: str | None, shown: Shown, known: Knowledge, sequence: int,
        now_ms: int, was_sent: bool,
    ) -> Result:  # fmt: skip
        now = now_ms // 1000
        memory = self._remembered(shown, self._version(presented.item, now), now)
        outcome = decide_offline(presented, shown, known, memory, now_ms / 1000)
        manual = self._is_manual(asked)
        if outcome.verdict is Verdict.CODE_MALFORMED and not (was_sent or manual):
            return self._refusal(asked, sequence, "offline", outcome.verdict)
        reason = UNANSWERED if was_sent else asked.reason
        line = JournalLine(
            sequence=sequence, at_ms=now_ms, shift_ms=self.clock.shift_ms(now_ms), key_id=self.identity.key_id,
            item=presented.item, code=presented.code, card=presented.card, card_file=file,
            amount_fen=presented.amount_fen, leg=presented.leg, verdict=outcome.verdict.value,
            paid_fen=outcome.paid_fen, manual=manual, lists=outcome.lists, reason=reason,
        )  # fmt: skip
        try:
            with self.writing:
                self.journal.append(line)
        except (OSError, LineRefused) as error:
            log.error("the journal takes no line: %s", error)
            return self._refusal(asked, sequence, "offline", OfflineRefusal.NOT_RECORDED)
        self._remember_line(line, shown, outcome)
        result = _result_of(
            outcome, presented, sequence, now_ms, manual, {n: now - at for n, at in outcome.lists.items()}
        )
        return self._open(result)

    def catch_up(self) -> int:
        """Take into memory what the journal has and memory has not, after a power cut; return how many lines."""
        taken = 0
        for written in self.journal.after(self.memory.applied(self.identity.journal.id)):
            line = written.line
            known, presented, now = self.supplies.known, line.presentation, line.at_ms // 1000
            shown = offline.read(presented, line.card_file, known, line.at_ms / 1000)
            memory = self._remembered(shown, self._version(line.item, now), now)
            outcome = decide_offline(presented, shown, known, memory, line.at_ms / 1000)
            self._remember_line(line, shown, outcome)
            taken += 1
        return taken

    def _remember_line(self, line: JournalLine, shown: Shown, outcome: Outcome) -> None:
        """What a line leaves behind, by the verdict that it says. Who was admitted by hand counts like all others."""
        now, pack = line.at_ms // 1000, self.supplies.known.pack
        item, use = self._version(line.item, now), None
        is_spent = shown.problem is None and (line.manual or line.verdict in _SPENDING)
        if is_spent and (line.manual or line.verdict == Verdict.ADMITTED) and item is not None and pack is not None:
            decision = outcome.decision if outcome.is_admitted else None
            concession = decision.concession.key if decision is not None and decision.concession is not None else None
            counts = decision.counts if decision is not None else counted(item, None, 0, day_of(now))
            held_fen = decision.hold_fen if decision is not None else None
            use = Use(item, line.leg, pack.point.code, day_of(now), counts, concession, held_fen)
        self._remember(Seen(is_spent, self.identity.journal.id, line.sequence), shown, use, now)

    # --- both ---

    def _remember(self, seen: Seen, shown: Shown, use: Use | None, now: int) -> None:
        """A memory that fails costs a double use, which the platform finds; it is no reason to keep people out."""
        try:
            self.memory.remember(seen, shown, use, now)
        except sqlite3.Error as error:
            log.error("memory takes nothing: %s", error)

    def _remembered(self, shown: Shown, item: Item | None, now: int) -> offline.Remembered:
        try:
            return self.memory.of(shown, item, day_of(now), now)
        except sqlite3.Error as error:
            log.error("memory gives nothing: %s", error)
            return offline.Remembered()

    def _open(self, result: Result) -> Result:
        """The use is recorded: by the platform, or on this disk."""
        if not (result.admitted or result.manual):
            return result
        return msgspec.structs.replace(result, opened=self.barrier.open())

    def _version(self, item: str, now: int) -> Item | None:
        pack = self.supplies.known.pack
        return pack.item_on(item, day_of(now)) if pack is not None else None

    def _is_manual(self, asked: Asked) -> bool:
        """Only where staff stand beside the gate may anybody admit by hand."""
        pack = self.supplies.known.pack
        return asked.manual and pack is not None and pack.terminal.attended

    def _item_of(self, asked: Asked) -> str:
        """The item that is meant: named by the input, by the configuration, or the only one of the point."""
        named = asked.item or self.item
        if named is not None:
            return named
        pack = self.supplies.known.pack
        return (pack.only_item if pack is not None else None) or ""

    def _refusal(self, asked: Asked, sequence: int | None, mode: str, verdict: Verdict | OfflineRefusal) -> Result:
        """A refusal of which nothing is written down."""
        words = _words_of(verdict)
        return Result(
            sequence, self.clock.now_ms(), self._item_of(asked), mode, False, verdict.value,
            words.zh, words.en, words.next_zh, words.next_en,
        )  # fmt: skip

    def _told(self, presented: Presentation, sequence: int, problem: Told) -> Result:
        """The platform answers, and says that it cannot be asked so: no reason to decide by oneself."""
        self.connection.answered()
        return Result(
            sequence, self.clock.now_ms(), presented.item, "online", False, problem.code,
            problem.zh, problem.en, problem.next_zh, problem.next_en,
        )  # fmt: skip


def _result_of(
    outcome: Outcome, presented: Presentation, sequence: int, now_ms: int, manual: bool, lists: dict[str, int]
) -> Result:
    words, decision = _words_of(outcome.verdict), outcome.decision
    why: list[dict[str, str]] = []
    if decision is not None and isinstance(outcome.verdict, Verdict):
        key = decision.concession.key if decision.concession else None
        why = reasons.reasons(
            outcome.verdict, outcome.item, decision.full_fen, decision.paid_fen, decision.waived_fen, key,
            decision.hold_fen,
        )  # fmt: skip
    return Result(
        sequence, now_ms, presented.item, "offline", outcome.is_admitted or manual, outcome.verdict.value,
        words.zh, words.en, words.next_zh, words.next_en, outcome.paid_fen, None, tuple(why), lists, manual,
    )  # fmt: skip


def _words_of(verdict: Verdict | OfflineRefusal) -> Words:
    return WORDS[verdict] if isinstance(verdict, Verdict) else OFFLINE_WORDS[verdict]


def _body_of(presented: Presentation) -> bytes:
    told = {name: value for name, value in msgspec.to_builtins(presented).items() if value is not None}
    return msgspec.json.encode(told)


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
