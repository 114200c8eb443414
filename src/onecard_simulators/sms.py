"""An operator of short messages as a server of its own: takes messages, and shows what it would have sent.

    SMS_KEY=... python -m onecard_simulators.sms --port PORT

Written after docs/sms-gateway.md, with Python's standard library alone. Its home page shows what was sent, newest
first; paths under /simulator/ are no operator's: there tests say how it is to behave and read what it took.
"""

import argparse
import datetime as dt
import hmac
import html
import json
import os
import sys
import threading
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BODY_BYTES_MAX = 4096
KEPT_MAX = 1000
CHINA = dt.timezone(dt.timedelta(hours=8))
PAGE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>模拟短信 / Simulated messages</title>
<meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="3">
<h1>模拟短信 / Simulated messages</h1>
<p>号码均为虚构，没有真正发送。/ All numbers are invented; nothing is really sent.</p>{}</html>"""
EMPTY = "<p>还没有短信，本页每三秒刷新。/ No message yet; this page looks again every three seconds.</p>"


class Behaviour(StrEnum):
    """How it takes messages."""

    NORMAL = "normal"
    BROKEN = "broken"  # answers 500
    DOWN = "down"  # hangs up
    ANSWER_LOST = "answer_lost"  # takes it and hangs up


class Operator(ThreadingHTTPServer):
    """The server: the key it knows its customer by, and what it took."""

    daemon_threads = True

    def __init__(self, port: int, key: str) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.key = key
        self.behaviour = Behaviour.NORMAL
        self.messages: list[dict[str, Any]] = []
        self.lock = threading.Lock()

    def take(self, message: dict[str, Any]) -> None:
        """Send a message, once however often it comes."""
        with self.lock:
            if message["id"] not in {known["id"] for known in self.messages}:
                self.messages.append({**message, "at": dt.datetime.now(CHINA).strftime("%H:%M:%S")})
                del self.messages[:-KEPT_MAX]


class Handler(BaseHTTPRequestHandler):
    """One connection, request after request."""

    server: Operator
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        if self.path == "/":
            self._answer(200, "text/html; charset=utf-8", self._page().encode())
        elif self.path == "/simulator/messages":
            self._tell(200, {"messages": self.server.messages})
        else:
            self._tell(200 if self.path == "/health" else 404, {})

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > BODY_BYTES_MAX:
            self.close_connection = True
            self._tell(400, {"error": "MALFORMED"})
            return
        body = self.rfile.read(int(length))
        if self.path == "/simulator/behaviour":
            self.server.behaviour = Behaviour(json.loads(body)["behaviour"])
            self._tell(200, {})
        elif self.path == "/v1/messages":
            self._message(body)
        else:
            self._tell(404, {})

    def _message(self, body: bytes) -> None:
        behaviour = self.server.behaviour
        if behaviour is Behaviour.DOWN:
            self.close_connection = True
            return
        if behaviour is Behaviour.BROKEN:
            self._tell(500, {})
            return
        if not hmac.compare_digest(self.headers.get("Authorization", ""), f"Bearer {self.server.key}"):
            self._tell(401, {"error": "KEY_UNKNOWN"})
            return
        message = _read(body)
        if message is None:
            self._tell(400, {"error": "MALFORMED"})
            return
        self.server.take(message)
        if behaviour is Behaviour.ANSWER_LOST:
            self.close_connection = True
            return
        self._tell(202, {"id": message["id"]})

    def _page(self) -> str:
        rows = (
            f"<li value='{number}'>{each['at']} <b>{html.escape(each['to'])}</b> {html.escape(each['text'])}</li>"
            for number, each in reversed(list(enumerate(self.server.messages, 1)))
        )
        shown = "".join(rows)
        return PAGE.format(f"<ol reversed>{shown}</ol>" if shown else EMPTY)

    def _tell(self, status: int, told: dict[str, Any]) -> None:
        self._answer(status, "application/json", json.dumps(told).encode())

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *values: object) -> None:  # noqa: A002 - the base class's name
        """One line a request, as the other servers of the demo; never what a message says."""
        sys.stderr.write(f"sms {self.path} {format % values}\n")


def _read(body: bytes) -> dict[str, Any] | None:
    """A message with its three texts, or None."""
    try:
        message = json.loads(body)
    except ValueError:
        return None
    if not isinstance(message, dict) or message.keys() != {"id", "to", "text"}:
        return None
    return message if all(isinstance(value, str) and value for value in message.values()) else None


def main() -> None:
    parser = argparse.ArgumentParser(description="An operator of short messages")
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    key = os.environ.get("SMS_KEY", "")
    if not key:
        parser.error("SMS_KEY is not set")
    Operator(arguments.port, key).serve_forever()


if __name__ == "__main__":
    main()
