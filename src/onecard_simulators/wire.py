"""A terminal's and a phone's side of the gateway, written after docs/code-format.md."""

import asyncio
import hashlib
import hmac
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from onecard_simulators.http import ConnectionLost, Connections

Json = dict[str, Any]
# How long a terminal keeps repeating a line that nobody answered before it gives up.
PATIENCE_S = 60.0
PAUSE_S = 0.2
ANSWER_S = 10.0
AGAIN = (500, 502, 503, 504)


class Unanswered(Exception):
    """Nobody answered within the patience of a terminal; whether the line was recorded is unknown."""


@dataclass(frozen=True)
class Reply:
    """An answer: the HTTP status, its JSON, and when to come back if the server said so."""

    status: int
    body: Json
    later_s: int | None = None

    @property
    def code(self) -> str:
        """The verdict's code, or the problem's."""
        if self.status == 200 and "verdict" in self.body:
            return str(self.body["verdict"]["code"])
        return str(self.body.get("code", self.status))


@dataclass
class Terminal:
    """A paired terminal: its key, its journal, and the sequence of its lines."""

    code: str
    point: str
    operator: str
    items: tuple[str, ...]
    key_id: int
    key: bytes
    journal: str
    algorithm: str = "hmac-sha256"
    attended: bool = False
    _sequences: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def next(self) -> int:
        """The sequence of its next line."""
        return next(self._sequences)

    def headers(self, path: str, sequence: int, body: bytes, *, sent_at: int | None = None) -> dict[str, str]:
        """The six headers that prove a POST is this terminal's: HMAC over method, path, time, journal, sequence,
        body digest.
        """
        when = int(time.time()) if sent_at is None else sent_at
        digest = self.algorithm.removeprefix("hmac-")
        lines = ("POST", path, str(when), self.journal, str(sequence), hashlib.new(digest, body).hexdigest())
        return {
            "OneCard-Terminal": self.code,
            "OneCard-Key": str(self.key_id),
            "OneCard-Time": str(when),
            "OneCard-Journal": self.journal,
            "OneCard-Sequence": str(sequence),
            "OneCard-Signature": hmac.digest(self.key, "\n".join(lines).encode(), digest).hex(),
        }


@dataclass
class Chip:
    """The simulated chip of a card: number, key, and a counter that grows with each reading."""

    number: str
    key: bytes
    counter: int

    def answer(self, terminal: Terminal, sequence: int, counter: int | None = None) -> Json:
        """What the reader gets. Without `counter` the chip counts on, never behind the clock, so that it grows from one
        day's play to the next.
        """
        if counter is None:
            counter = self.counter = max(self.counter + 1, int(time.time()))
        parts = (
            self.number.encode(),
            counter.to_bytes(4, "big"),
            terminal.code.encode(),
            terminal.journal.encode(),
            str(sequence).encode(),
        )
        cryptogram = hmac.digest(self.key, b"|".join(parts), "sha256")[:8]
        return {"number": self.number, "counter": counter, "cryptogram": cryptogram.hex()}


class Gateway:
    """The gateway's address and the connections to it: at most `connections` at once."""

    def __init__(self, url: str, connections: int) -> None:
        self._http = Connections(url, connections, ANSWER_S)
        self.counts: Counter[str] = Counter()

    @property
    def waits_ms(self) -> list[float]:
        """How long each answer took, in ms, in the order they came."""
        return self._http.waits_ms

    def close(self) -> None:
        self._http.close()

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """One request, one answer. Raises ConnectionLost."""
        answer = await self._http.post(path, body, headers)
        self.counts[f"http {answer.status}"] += 1
        try:
            return Reply(answer.status, json.loads(answer.body), answer.later_s)
        except ValueError:
            raise ConnectionLost("an answer that is no JSON") from None

    async def hang_up(self, path: str, body: bytes, headers: Mapping[str, str], after_s: float) -> None:
        """Send a request and leave before the answer: what a time-out on a bus looks like from the server."""
        self.counts["hung up"] += 1
        with suppress(ConnectionLost):
            await self._http.hang_up(path, body, headers, after_s)

    async def send(self, terminal: Terminal, path: str, content: Json, sequence: int) -> Reply:
        """Send a terminal's line and repeat it under its sequence until somebody answers. Raises Unanswered."""
        body = json.dumps(content).encode()
        return await self._patiently(path, body, lambda: terminal.headers(path, sequence, body))

    async def windows(self, token: str, count: int = 1) -> Reply:
        """Fetch a phone's next code windows. Raises Unanswered."""
        headers = {"Authorization": f"Bearer {token}"}
        return await self._patiently("/v1/codes", json.dumps({"windows": count}).encode(), lambda: headers)

    async def number(self, token: str) -> Reply:
        """Ask for a number to read aloud. Raises Unanswered."""
        headers = {"Authorization": f"Bearer {token}"}
        return await self._patiently("/v1/numbers", b"", lambda: headers)

    async def _patiently(self, path: str, body: bytes, headers: Callable[[], dict[str, str]]) -> Reply:
        """Ask until the answer is neither lost nor "come back later"; as long as a device would."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            pause_s = PAUSE_S
            try:
                reply = await self.post(path, body, headers())
            except ConnectionLost:
                self.counts["connection lost"] += 1
            else:
                if reply.status not in AGAIN:
                    return reply
                pause_s = PAUSE_S if reply.later_s is None else reply.later_s
            if time.monotonic() > deadline:
                raise Unanswered(path)
            await asyncio.sleep(pause_s + random.random() * PAUSE_S)  # not all at the same moment

    async def pair(self, known: Json) -> Terminal:
        """Turn a pairing code into a terminal with a key and a journal."""
        body = json.dumps({"pairing_code": known["pairing_code"]}).encode()
        reply = await self.post("/v1/pairings", body, {})
        if reply.status != 200:
            raise Unanswered(f"{known['code']} was not paired: {reply.code}")
        told = reply.body
        return Terminal(
            told["terminal"],
            known["point"],
            known["operator"],
            tuple(known["items"]),
            told["key_id"],
            bytes.fromhex(told["key"]),
            told["journal"],
            told["algorithm"],
            known["attended"],
        )


class BankDesk:
    """The bank's side of the counter: what a resident sees of their own account there."""

    def __init__(self, url: str) -> None:
        self._http = Connections(url, 4, ANSWER_S)

    def close(self) -> None:
        self._http.close()

    async def account(self, token: str) -> tuple[int, bool]:
        """What is free in an account, in fen, and whether the bank refuses to pay from it. Raises ConnectionLost."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                told = json.loads((await self._http.get(f"/simulator/accounts/{token}")).body)
            except ConnectionLost:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(PAUSE_S)
            else:
                return told["free_fen"], told["reason"] is not None
