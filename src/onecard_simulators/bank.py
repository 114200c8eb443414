"""A partner bank as a server of its own: holds on card-linked accounts, captured or released; refunds; statements.

    BANK_KEY=<64 hex digits> python -m onecard_simulators.bank --port PORT --book FILE

Written after docs/bank-interface.md. What it books lies in FILE and survives a kill. Paths under /simulator/ are no
bank's: there tests say how it is to behave (`Behaviour`; a restart makes it normal again) and what an account holds.
"""

import argparse
import hashlib
import hmac
import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from onecard_simulators.bank_book import BUSY, Book, Json, Told

TIME_TOLERANCE_S = 300
BODY_BYTES_MAX = 4096
# How long a connection whose answer never comes is kept.
NEVER_S = 120.0
ID = r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"


class Behaviour(StrEnum):
    """How the bank takes requests."""

    NORMAL = "normal"
    SLOW = "slow"  # works after a while
    SILENT = "silent"  # takes the request, does nothing, never answers
    ANSWER_LOST = "answer_lost"  # does the work and never answers
    REFUSE = "refuse"  # refuses every new hold
    DOWN = "down"  # hangs up at once


@dataclass
class Mood:
    """How the bank behaves now, towards which acts (all, if none is named); `until` ends waiting when it changes."""

    behaviour: Behaviour = Behaviour.NORMAL
    only: frozenset[str] = frozenset()
    slow_s: float = 1.0
    reason: str = BUSY
    until: threading.Event = field(default_factory=threading.Event)

    def towards(self, act: str) -> Behaviour:
        return self.behaviour if not self.only or act in self.only else Behaviour.NORMAL


class Malformed(Exception):
    """The request does not say what the act needs."""


def _needs(body: Json, **kinds: type) -> Json:
    if body.keys() != kinds.keys() or any(type(body[name]) is not kind for name, kind in kinds.items()):
        raise Malformed(f"expected {', '.join(f'{name}: {kind.__name__}' for name, kind in kinds.items())}")
    return body


def _hold(bank: "Bank", _: str, body: Json) -> Told:
    asked = _needs(body, id=str, token=str, amount_fen=int, merchant=str)
    if not re.fullmatch(ID, asked["id"]):
        raise Malformed("expected id: a UUID in lower case")
    refuse = bank.mood.reason if bank.mood.towards("hold") is Behaviour.REFUSE else None
    return bank.book.hold(asked["id"], asked["token"], asked["amount_fen"], asked["merchant"], refuse)


def _capture(bank: "Bank", hold: str, body: Json) -> Told:
    return bank.book.capture(hold, _needs(body, amount_fen=int)["amount_fen"])


def _release(bank: "Bank", hold: str, body: Json) -> Told:
    _needs(body)
    return bank.book.release(hold)


def _look_up(bank: "Bank", hold: str, _: Json) -> Told:
    return bank.book.look_up(hold)


def _refund(bank: "Bank", _: str, body: Json) -> Told:
    asked = _needs(body, id=str, hold=str, amount_fen=int)
    return bank.book.refund(asked["id"], asked["hold"], asked["amount_fen"])


def _statement(bank: "Bank", _: str, query: Json) -> Told:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", query.get("day", "")) or not query.get("after", "0").isdigit():
        raise Malformed("expected ?day=YYYY-MM-DD, and after=N for a later page")
    return bank.book.statement(query["day"], int(query.get("after", 0)))


class Route(NamedTuple):
    """An act of the bank: its word, method and path, and what does it with the path's id and the request's body."""

    act: str
    method: str
    path: re.Pattern[str]
    do: Callable[["Bank", str, Json], Told]


ROUTES = (
    Route("hold", "POST", re.compile("/v1/holds"), _hold),
    Route("capture", "POST", re.compile(f"/v1/holds/{ID}/capture"), _capture),
    Route("release", "POST", re.compile(f"/v1/holds/{ID}/release"), _release),
    Route("look_up", "GET", re.compile(f"/v1/holds/{ID}"), _look_up),
    Route("refund", "POST", re.compile("/v1/refunds"), _refund),
    Route("statement", "GET", re.compile("/v1/statement"), _statement),
)


class Bank(ThreadingHTTPServer):
    """The server: its book, its key, its mood."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int, book: Book, key: bytes) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.book, self.key, self.mood = book, key, Mood()

    def set_mood(self, body: Json) -> Told:
        """Take another behaviour; whoever waits for an answer is hung up on."""
        try:
            mood = Mood(
                Behaviour(body.get("behaviour", "normal")),
                frozenset(map(str, body.get("only", ()))),
                float(body.get("slow_s", 1.0)),
                str(body.get("reason", BUSY)),
            )
        except (ValueError, TypeError):
            return Told(400, {"error": "MALFORMED"})
        before, self.mood = self.mood, mood
        before.until.set()
        return Told(200, {"behaviour": mood.behaviour})


class Handler(BaseHTTPRequestHandler):
    """One connection, request after request."""

    server: Bank
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def do_GET(self) -> None:
        self._serve("GET", b"")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > BODY_BYTES_MAX:
            self.close_connection = True
            self._tell(Told(400, {"error": "MALFORMED"}))
            return
        self._serve("POST", self.rfile.read(int(length)))

    def _serve(self, method: str, body: bytes) -> None:
        path = urlsplit(self.path).path
        if path == "/health":
            self._tell(Told(200, {"status": "ok"}))
        elif path.startswith("/simulator/"):
            self._tell(self._control(method, path, body))
        else:
            self._bank(method, path, body)

    # --- As a bank ---

    def _bank(self, method: str, path: str, body: bytes) -> None:
        route, named = _route(method, path)
        mood = self.server.mood
        behaviour = mood.towards(route.act) if route else Behaviour.NORMAL
        if behaviour is Behaviour.DOWN:
            self.close_connection = True
            return
        if behaviour is Behaviour.SILENT:
            self._never(mood)
            return
        if behaviour is Behaviour.SLOW:
            time.sleep(mood.slow_s)
        told = self._told(method, route, named, body)
        if behaviour is Behaviour.ANSWER_LOST:
            self._never(mood)
        else:
            self._tell(told, signed=True)

    def _told(self, method: str, route: Route | None, named: str, body: bytes) -> Told:
        problem = self._not_proven(method, body)
        if problem is not None:
            return Told(401, {"error": problem})
        if route is None:
            return Told(404, {"error": "NO_SUCH_PATH"})
        try:
            asked = json.loads(body) if method == "POST" else _query(self.path)
            if not isinstance(asked, dict):
                raise Malformed("expected an object")
            return route.do(self.server, named, asked)
        except (Malformed, ValueError) as error:
            return Told(400, {"error": "MALFORMED", "detail": str(error)})

    def _not_proven(self, method: str, body: bytes) -> str | None:
        """Why the request is not taken for the partner's: HMAC-SHA256 over method, target, time and body digest."""
        sent_at = self.headers.get("Bank-Time", "")
        lines = (method, self.path, sent_at, hashlib.sha256(body).hexdigest())
        wanted = hmac.digest(self.server.key, "\n".join(lines).encode(), "sha256").hex()
        if not hmac.compare_digest(wanted, self.headers.get("Bank-Signature", "")) or not sent_at.isdigit():
            return "SIGNATURE_INVALID"
        return "CLOCK_OFF" if abs(time.time() - int(sent_at)) > TIME_TOLERANCE_S else None

    def _never(self, mood: Mood) -> None:
        """Leave the caller waiting."""
        mood.until.wait(NEVER_S)
        self.close_connection = True

    # --- As a simulator ---

    def _control(self, method: str, path: str, body: bytes) -> Told:
        try:
            asked = json.loads(body or b"{}")
        except ValueError:
            return Told(400, {"error": "MALFORMED"})
        if (method, path) == ("POST", "/simulator/behaviour"):
            return self.server.set_mood(asked)
        token = path.removeprefix("/simulator/accounts/")
        if token == path:
            return Told(404, {"error": "NO_SUCH_PATH"})
        if method == "GET":
            return self.server.book.account(token)
        return self.server.book.set_account(token, int(asked["balance_fen"]), asked.get("reason"))

    # --- Answers ---

    def _tell(self, told: Told, *, signed: bool = False) -> None:
        body = json.dumps(told.body).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        if signed:
            headers["Bank-Signature"] = self._signature(told.status, body)
        with suppress(OSError):  # the caller has gone
            self.send_response(told.status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    def _signature(self, status: int, body: bytes) -> str:
        """Binds the answer to the request it answers."""
        lines = ("ANSWER", self.headers.get("Bank-Signature", ""), str(status), hashlib.sha256(body).hexdigest())
        return hmac.digest(self.server.key, "\n".join(lines).encode(), "sha256").hex()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the library
        """Say nothing: the book says what happened."""


def _route(method: str, path: str) -> tuple[Route | None, str]:
    for route in ROUTES:
        found = route.path.fullmatch(path)
        if found is not None and route.method == method:
            return route, found[1] if found.groups() else ""
    return None, ""


def _query(target: str) -> Json:
    return {name: values[-1] for name, values in parse_qs(urlsplit(target).query).items()}


def key_of(environment: Mapping[str, str]) -> bytes:
    """The key that the bank shares with its partner: 64 hex digits in BANK_KEY."""
    key = bytes.fromhex(environment.get("BANK_KEY", ""))
    if len(key) != 32:
        raise ValueError("BANK_KEY: expected 64 hex digits")
    return key


def main(argv: list[str] | None = None) -> int:
    """Serve until it is ended."""
    parser = argparse.ArgumentParser(prog="onecard_simulators.bank", description="A partner bank")
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--book", required=True, type=Path)
    chosen = parser.parse_args(argv)
    try:
        key = key_of(os.environ)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    os.umask(0o077)
    with Bank(chosen.port, Book(chosen.book), key) as bank, suppress(KeyboardInterrupt):
        bank.serve_forever()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
