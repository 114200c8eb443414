"""A terminal proves itself: a MAC under its own key over method, path, time, journal, sequence and body digest.

Keys are unwrapped once and kept for a minute; whether a key and its terminal are still good is judged again in the
transaction that records the use, so that a suspension holds from its commit on.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

import msgspec

from onecard.foundation import crypto
from onecard.foundation.keys import Keyring
from onecard.gateway import errors
from onecard.gateway.rsgi import Headers
from onecard_kit import requests

KEPT_S = 60.0
UNKNOWN_KEPT_S = 1.0
SEQUENCE_MAX = 2**63 - 1
_SIGNED = tuple(name.lower() for name in requests.HEADERS)


class Signed(msgspec.Struct, frozen=True, gc=False):
    """A request whose signature was checked: which terminal, under which key, and its line's journal and sequence;
    `time` is what the terminal's clock said (Unix seconds).
    """

    terminal_id: int
    terminal: str
    key_id: int
    journal: UUID
    sequence: int
    time: int = 0


@dataclass(frozen=True, slots=True)
class _Known:
    """A terminal as read. Until `unknown_until` a key that is not here is unknown, so that no stranger makes us look
    all the time; after it, the terminal may have been paired in another process.
    """

    terminal_id: int
    keys: dict[int, tuple[bytes, requests.Mac]]
    until: float
    unknown_until: float


def key_aad(terminal_id: int) -> str:
    """The place a terminal's key is sealed for."""
    return f"catalogue_terminal_key.key_sealed:{terminal_id}"


@lru_cache(maxsize=65536)
def _journal(text: str) -> UUID:
    """A journal as an id: a terminal writes thousands of lines in it."""
    return UUID(text)


def _number(text: str) -> int:
    """Digits and nothing else: int() would take signs, spaces and underscores, too."""
    if not (text.isdigit() and text.isascii()) or len(text) > 19:
        raise ValueError
    return int(text)


@dataclass(slots=True)
class Terminals:
    """Checks requests. `fetch` reads ``catalogue/sql/terminal.sql`` for a terminal's code."""

    ring: Keyring
    fetch: Callable[[str], Awaitable[Mapping[str, object] | None]]
    _known: dict[str, _Known] = field(default_factory=dict)

    async def check(
        self, method: str, path: str, headers: Headers, body: bytes, *, any_time: bool = False
    ) -> Signed:  # fmt: skip
        """Raises Unauthenticated TERMINAL_SIGNATURE_INVALID or, unless any time will do, TERMINAL_CLOCK_OFF."""
        code, key_written, time_written, journal_written, sequence_written, signature = [
            headers.get(name) or "" for name in _SIGNED
        ]
        try:
            key_id, sent_at, sequence = _number(key_written), _number(time_written), _number(sequence_written)
            journal = _journal(journal_written)
        except ValueError:
            raise errors.signature_invalid() from None
        if sequence > SEQUENCE_MAX:
            raise errors.signature_invalid()
        known = self._remembered(code, key_id) or await self._look_up(code)
        found = known.keys.get(key_id)
        if found is None:
            raise errors.signature_invalid()
        key, mac = found
        if not requests.verify(key, signature, method, path, sent_at, journal_written, sequence, body, mac=mac):
            raise errors.signature_invalid()
        now = int(time.time())
        if not any_time and abs(now - sent_at) > requests.TIME_TOLERANCE_S:
            raise errors.clock_off(now)
        return Signed(known.terminal_id, code, key_id, journal, sequence, sent_at)

    def _remembered(self, code: str, key_id: int) -> _Known | None:
        """The terminal, unless it was read long ago or a key is named that was not there then."""
        known = self._known.get(code)
        if known is None:
            return None
        now = time.monotonic()
        if known.until > now and (key_id in known.keys or known.unknown_until > now):
            return known
        return None

    async def _look_up(self, code: str) -> _Known:
        row = await self.fetch(code)
        now = time.monotonic()
        known = _Known(0, {}, now + UNKNOWN_KEPT_S, now + UNKNOWN_KEPT_S) if row is None else self._unwrap(row)
        if len(self._known) > 200_000:
            self._known.clear()
        self._known[code] = known
        return known

    def _unwrap(self, row: Mapping[str, object]) -> _Known:
        terminal_id: int = row["id"]  # type: ignore[assignment]
        told = zip(row["key_ids"], row["keys_sealed"], row["algorithms"], strict=True)  # type: ignore[call-overload]
        keys = {
            key_id: (crypto.open_sealed(self.ring, value, key_aad(terminal_id)), requests.MACS[algorithm])
            for key_id, value, algorithm in told
        }
        return _Known(terminal_id, keys, time.monotonic() + KEPT_S, time.monotonic() + UNKNOWN_KEPT_S)

    def forget(self, code: str) -> None:
        """Read a terminal anew, e.g. after it was paired here."""
        self._known.pop(code, None)
