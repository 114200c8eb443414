"""A gate without a line, as a stranger would build it: it writes a journal and uploads it."""

import datetime as dt
import json
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from tests.small_city import Card, SmallCity, Terminal

from onecard.foundation import crypto
from onecard.gateway.terminals import key_aad
from onecard_kit import requests
from onecard_kit.journal import JournalLine, encode
from onecard_kit.presentation import Chip
from onecard_kit.terms import Leg

UPLOAD = "/v1/uses:batch"


@dataclass
class OfflineGate:
    """A terminal with its journal. `slow_ms` is how far its clock is behind."""

    city: SmallCity
    terminal: Terminal
    slow_ms: int = 0
    item: str = "transit.bus_ride"
    lines: list[bytes] = field(default_factory=list)
    last: str = ""

    def __post_init__(self) -> None:
        self.last = str(self.terminal.journal)

    @property
    def journal(self) -> UUID:
        return self.terminal.journal

    def write(
        self, card: Card | None = None, *, item: str | None = None, code: str | None = None,
        counter: int | None = None, chip: dict[str, Any] | None = None, verdict: str = "ADMITTED",
        at: float | None = None, sequence: int | None = None,
        leg: Leg | None = None, amount_fen: int | None = None, **more: Any,
    ) -> bytes:  # fmt: skip
        """Decide something at a moment (Unix seconds, of the true clock) and write it down; the line."""
        at = time.time() if at is None else at
        sequence = self.terminal.next() if sequence is None else sequence
        if counter is not None:
            assert card is not None
            chip = self.city.a_tap(card, counter, self.terminal, sequence)
        elif code is None and chip is None:
            assert card is not None
            code = self.code_at(card, at)
        line = JournalLine(
            sequence=sequence, at_ms=int(at * 1000) - self.slow_ms, shift_ms=more.pop("shift_ms", None),
            key_id=self.terminal.key_id, item=item or self.item, code=code,
            card=Chip(**chip) if chip is not None else None, amount_fen=amount_fen, leg=leg,
            verdict=verdict, paid_fen=more.pop("paid_fen", 0), **more,
        )  # fmt: skip
        raw, self.last = encode(line, str(self.terminal.journal), self.last, self.terminal.key, self.terminal.mac)
        self.lines.append(raw)
        return raw

    def undo(self) -> None:
        """Take the only line back."""
        self.lines.clear()
        self.last = str(self.journal)

    def pair_again(self) -> None:
        """Get a new key, as after a pairing, and go on in the same journal."""
        key = os.urandom(32)
        sealed = crypto.seal(self.city.terminals_ring, key, key_aad(self.terminal.id))
        self.terminal.key_id = self.city.one(
            "INSERT INTO catalogue_terminal_key (terminal_id, key_sealed) VALUES ($1, $2) RETURNING id",
            self.terminal.id,
            sealed,
        )
        self.terminal.key = key

    def code_at(self, card: Card, at: float) -> str:
        start = int(at) - int(at) % 60
        return self.city.a_code(card, at=_moment(at), not_before=start, expires=start + 60)

    def headers(self, method: str, path: str, sequence: int = 1, *, clock_s: int | None = None) -> dict[str, str]:
        """The headers of a signed request without a body, by this gate's clock."""
        terminal, journal = self.terminal, str(self.terminal.journal)
        now = int(time.time()) - self.slow_ms // 1000 if clock_s is None else clock_s
        return {
            requests.TERMINAL: terminal.code,
            requests.KEY: str(terminal.key_id),
            requests.TIME: str(now),
            requests.JOURNAL: journal,
            requests.SEQUENCE: str(sequence),
            requests.SIGNATURE: requests.sign(
                terminal.key, method, path, now, journal, sequence, b"", mac=terminal.mac
            ),
            "content-type": "application/x-onecard-journal",
        }

    def upload(
        self, client: httpx.Client, lines: Iterable[bytes] | None = None, *, first: int = 0, **signing: Any
    ) -> "Uploaded":
        """Upload lines, all of them by default, and read the answer."""
        body = self.lines if lines is None else lines
        answer = client.post(
            UPLOAD, content=_sent(body), headers=self.headers("POST", UPLOAD, first, **signing)
        )  # fmt: skip
        return Uploaded.of(answer)

    def head(self, client: httpx.Client) -> dict[str, Any]:
        path = f"/v1/journals/{self.terminal.journal}"
        answer = client.get(path, headers=self.headers("GET", path))
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told


@dataclass
class Uploaded:
    """What was answered to an upload."""

    results: list[dict[str, Any]]
    end: dict[str, Any]

    @classmethod
    def of(cls, answer: httpx.Response) -> "Uploaded":
        assert answer.status_code == 200, answer.text
        *results, end = map(json.loads, answer.text.splitlines())
        assert answer.headers["content-type"] == "application/x-ndjson"
        assert end["lines"] == len(results) == sum(end[kind] for kind in ("recorded", "repeated", "rejected"))
        return cls(results, end)

    @property
    def kinds(self) -> list[str]:
        return [each["result"] for each in self.results]

    def told(self, *names: str) -> list[Any]:
        """Of each line what is asked for; of one name alone the values themselves."""
        if len(names) == 1:
            return [each[names[0]] for each in self.results]
        return [tuple(each[name] for name in names) for each in self.results]


def _sent(lines: Iterable[bytes]) -> Iterator[bytes]:
    yield from lines


def _moment(at: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(at, dt.UTC)
