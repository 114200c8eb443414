"""Reads the lines of a gate's journal: whose they are, when they happened, and what was presented.

A line is judged by the keys that were good at its moment, of the terminal and of the issuer, whatever became of them.
"""

import datetime as dt
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from onecard.foundation import crypto, suite
from onecard.foundation.ids import uuid7
from onecard.foundation.keys import Keyring
from onecard.gateway.terminals import Signed, key_aad
from onecard.kernel.ecards.refs import Refs
from onecard.kernel.uses.chain import Link
from onecard.kernel.uses.lines import Gate, Line, Rejected
from onecard.kernel.uses.offline import Arrived
from onecard.kernel.uses.present import Presented, read_chip, read_code
from onecard_kit import requests
from onecard_kit.journal import JournalLine, LineRefused, Written, decode
from onecard_kit.suites import PublicKey, Purpose
from onecard_kit.verdicts import Verdict

LOOK_AGAIN_S: Final = 0.2
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_CHINA_DAY_S: Final = 86_400, 8 * 3_600

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class TerminalKey:
    """A terminal's key, with its algorithm; `good_to` in Unix seconds, None while it is open."""

    key: bytes
    mac: requests.Mac
    good_to: float | None


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """An issuer's public key; `good_to` in Unix seconds: until it was withdrawn, or verified no more."""

    public: PublicKey
    good_to: float | None


@dataclass(slots=True)
class Readers:
    """Makes readers of uploads. `fetch_terminal` reads ``catalogue/sql/terminal_keys.sql``, `fetch_issuer`
    ``ecards/sql/issuer_keys_ever.sql``, `fetch_refs` ``ecards/sql/ref_keys.sql``.
    """

    place: str
    fetch_terminal: Callable[[int], Awaitable[Rows]]
    fetch_issuer: Callable[[], Awaitable[Rows]]
    fetch_refs: Callable[[], Awaitable[Sequence[tuple[int, dt.date, bytes]]]]
    terminal_ring: Keyring
    card_ring: Keyring
    code_ring: Keyring
    chip_root: bytes

    async def reader(self, signed: Signed, correction_s: int) -> "Reader":
        """A reader of an upload that a terminal signed."""
        rows = await self.fetch_terminal(signed.terminal_id)
        keys = {row["id"]: self._terminal_key(signed.terminal_id, row) for row in rows}
        refs = Refs.opened(self.code_ring, await self.fetch_refs())
        return Reader(self, signed, correction_s, keys, await self.issuer_keys(), refs)

    async def issuer_keys(self) -> dict[tuple[str, bytes], IssuerKey]:
        found = {}
        for row in await self.fetch_issuer():
            kid = bytes(row["kid"])
            signature = suite.signature_suite(row["suite"])
            public = PublicKey(signature, kid, bytes(row["public"]), Purpose(row["purpose"]))
            found[self.place, kid] = IssuerKey(public, row["good_to"])
        return found

    def _terminal_key(self, terminal_id: int, row: Mapping[str, Any]) -> TerminalKey:
        key = crypto.open_sealed(self.terminal_ring, row["key_sealed"], key_aad(terminal_id))
        return TerminalKey(key, requests.MACS[row["algorithm"]], row["good_to"])


@dataclass(slots=True)
class Reader:
    """Reads the lines of one upload."""

    of: Readers
    signed: Signed
    correction_s: int
    terminal_keys: dict[int, TerminalKey]
    issuer_keys: dict[tuple[str, bytes], IssuerKey]
    refs: Refs
    _public: dict[tuple[str, bytes], PublicKey] = field(default_factory=dict)
    _journal: str = ""
    _looked_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._journal = str(self.signed.journal)
        self._public = {name: key.public for name, key in self.issuer_keys.items()}

    async def read(self, raw: bytes) -> tuple[int | None, Arrived | Rejected]:
        """A line's sequence, and the line or why it is not taken."""
        try:
            written = decode(raw)
        except LineRefused:
            return None, Rejected("LINE_MALFORMED")
        said = written.line
        at, correction_s = self._moment(said)
        code = self._flaw(written, at)
        if code is not None:
            return said.sequence, Rejected(code)
        gate = Gate(
            said.verdict, said.manual, _EPOCH + dt.timedelta(milliseconds=said.at_ms), correction_s, said.paid_fen,
            _oldest(said, at), said.reason,
        )  # fmt: skip
        shown = said.presentation
        line = Line(
            uuid7(), at, self.signed.terminal_id, self.signed.key_id, self.signed.journal, said.sequence, shown.content,
            shown.item, shown.amount_fen, await self._presented(said, at), shown.leg, gate=gate,
        )  # fmt: skip
        return said.sequence, Arrived(line, Link(said.sequence, written.previous, written.mac))

    def day_of(self, told: Arrived | Rejected) -> int | None:
        """The number of the China day on which a line happened; None for one that is not taken."""
        if isinstance(told, Rejected):
            return None
        day_s, offset_s = _CHINA_DAY_S
        return int(told.line.at.timestamp() + offset_s) // day_s

    def _moment(self, said: JournalLine) -> tuple[dt.datetime, int]:
        """When a line happened, and what was added to the gate's clock for that, in seconds: the signal of this upload
        where the gate never had one, and nothing happens after it was told.
        """
        now_ms = time.time_ns() // 1_000_000
        shift_ms = self.correction_s * 1000 if said.shift_ms is None else 0
        at_ms = min(max(said.at_ms + shift_ms, 0), now_ms)
        return _EPOCH + dt.timedelta(milliseconds=at_ms), (at_ms - said.at_ms) // 1000

    def _flaw(self, written: Written, at: dt.datetime) -> str | None:
        """Why a line is not the terminal's, if so."""
        key = self.terminal_keys.get(written.line.key_id)
        if key is None:
            return "KEY_UNKNOWN"
        if not written.is_of(self._journal, key.key, key.mac):
            return "MAC_INVALID"
        return None if key.good_to is None or at.timestamp() < key.good_to else "KEY_EXPIRED"

    async def _presented(self, said: JournalLine, at: dt.datetime) -> Presented:
        if said.card is not None:
            chip = said.card
            return read_chip(
                chip.number, chip.counter, _unhex(chip.cryptogram),
                crypto.blind_index(self.of.card_ring, "card_number", chip.number), self.of.chip_root,
                self.signed.terminal, self._journal, said.sequence,
            )  # fmt: skip
        shown = read_code(said.code or "", at, self._public, self.refs)
        if shown.problem is Verdict.KEY_UNKNOWN and time.monotonic() - self._looked_at > LOOK_AGAIN_S:
            await self._look_again()
            shown = read_code(said.code or "", at, self._public, self.refs)
        return self._as_of(shown, at)

    async def _look_again(self) -> None:
        """A key may have begun to sign while the upload was under way."""
        self.issuer_keys = await self.of.issuer_keys()
        self._public = {name: key.public for name, key in self.issuer_keys.items()}
        self._looked_at = time.monotonic()

    def _as_of(self, shown: Presented, at: dt.datetime) -> Presented:
        """Judge the key that signed a code as of the line's moment, not as of now."""
        if shown.kid is None:
            return shown
        key = self.issuer_keys[self.of.place, shown.kid]
        gone = key.good_to is not None and at.timestamp() >= key.good_to
        problem = Verdict.KEY_UNKNOWN if gone and shown.problem is None else shown.problem
        return msgspec.structs.replace(shown, kid=None, problem=problem)


def _oldest(said: JournalLine, at: dt.datetime) -> int | None:
    """How old the oldest list was by which a gate decided, in seconds."""
    return max(0, int(at.timestamp()) - min(said.lists.values())) if said.lists else None


def _unhex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
