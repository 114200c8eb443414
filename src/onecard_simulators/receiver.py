"""A department's system that takes messages: a server of its own, which believes a message only if its signature holds.

    RECEIVER_KEYS='{"12.1": "<64 hex digits>"}' python -m onecard_simulators.receiver --port PORT --path /onecard

Written after docs/department-api.md, with Python's standard library alone. Paths under /simulator/ are no department's:
there tests say how it is to behave, which keys it knows, and read what it took.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import re
import sys
import threading
import time
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TIME_TOLERANCE_S = 300
BODY_BYTES_MAX = 65_536
KEPT_MAX = 10_000
# What must be under a signature, or it proves nothing about this request.
NEEDED = {'"@method"', '"@authority"', '"@path"', '"content-digest"'}
INPUT = re.compile(r"(?:^|,\s*)(sig\d+)=(\((.*?)\)([^,]*))")
PARAMETER = re.compile(r';(\w+)=("([^"]*)"|\d+)')


class Behaviour(StrEnum):
    """How it takes messages."""

    NORMAL = "normal"
    REFUSE = "refuse"  # answers 400
    BROKEN = "broken"  # answers 500
    SLOW = "slow"  # takes it and answers late
    DOWN = "down"  # hangs up
    ANSWER_LOST = "answer_lost"  # takes it and hangs up


class Receiver(ThreadingHTTPServer):
    """The server: where it listens, what it knows, what it took."""

    daemon_threads = True

    def __init__(self, port: int, path: str, keys: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.path, self.authority, self.keys = path, f"localhost:{port}", keys
        self.behaviour, self.slow_s = Behaviour.NORMAL, 1.0
        self.events: list[dict[str, Any]] = []
        self.refused: list[str] = []
        self.lock = threading.Lock()

    def take(self, event: dict[str, Any]) -> None:
        """Keep an event, once however often it comes."""
        with self.lock:
            if event["id"] not in {known["id"] for known in self.events[-KEPT_MAX:]}:
                self.events.append(event)

    def fault(self, headers: dict[str, str], path: str, body: bytes) -> str:
        """Why a request is not believed; "" if it is."""
        digest = "sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()).decode() + ":"
        if headers.get("content-digest") != digest:
            return "digest"
        fields = {
            '"@method"': "POST",
            '"@authority"': self.authority,
            '"@path"': path,
            '"content-type"': headers.get("content-type", ""),
            '"content-digest"': digest,
        }
        for label, whole, covered, parameters in INPUT.findall(headers.get("signature-input", "")):
            found = re.search(rf"(?:^|,\s*){label}=:([A-Za-z0-9+/=]+):", headers.get("signature", ""))
            if found and self._holds(fields, whole, covered.split(), parameters, base64.b64decode(found[1])):
                return ""
        return "signature"

    def _holds(self, fields: dict[str, str], whole: str, covered: list[str], parameters: str, given: bytes) -> bool:
        said = {name: text or value for name, value, text in PARAMETER.findall(parameters)}
        key = self.keys.get(said.get("keyid", ""))
        recent = abs(time.time() - int(said.get("created", "0"))) <= TIME_TOLERANCE_S
        if key is None or not recent or not NEEDED <= set(covered) <= fields.keys():
            return False
        base = "\n".join([*(f"{name}: {fields[name]}" for name in covered), f'"@signature-params": {whole}'])
        return hmac.compare_digest(hmac.digest(key, base.encode(), "sha256"), given)


class Handler(BaseHTTPRequestHandler):
    """One connection, request after request."""

    server: Receiver
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        if self.path == "/health":
            self._tell(200, {"status": "ok"})
        elif self.path == "/simulator/messages":
            self._tell(200, {"events": self.server.events, "refused": self.server.refused})
        else:
            self._tell(404, {})

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > BODY_BYTES_MAX:
            self.close_connection = True
            self._tell(400, {})
            return
        body = self.rfile.read(int(length))
        if self.path == "/simulator/redirect":
            self._tell(307, {}, {"Location": self.server.path})
        elif self.path.startswith("/simulator/"):
            self._control(json.loads(body))
        elif self.path == self.server.path:
            self._message(body)
        else:
            self._tell(404, {})

    def _control(self, said: dict[str, Any]) -> None:
        self.server.behaviour = Behaviour(said.get("behaviour", self.server.behaviour))
        self.server.slow_s = float(said.get("slow_s", self.server.slow_s))
        self.server.keys |= {name: bytes.fromhex(key) for name, key in said.get("keys", {}).items()}
        self._tell(200, {})

    def _message(self, body: bytes) -> None:
        behaviour = self.server.behaviour
        if behaviour in (Behaviour.REFUSE, Behaviour.BROKEN):
            self._tell(400 if behaviour is Behaviour.REFUSE else 500, {})
            return
        if behaviour is Behaviour.DOWN:
            self.close_connection = True
            return
        fault = self.server.fault({name.lower(): value for name, value in self.headers.items()}, self.path, body)
        if fault:
            self.server.refused.append(fault)
            self._tell(401, {"error": fault})
            return
        self.server.take(json.loads(body))
        if behaviour is Behaviour.ANSWER_LOST:
            self.close_connection = True
            return
        if behaviour is Behaviour.SLOW:
            time.sleep(self.server.slow_s)
        self._tell(204, None)

    def _tell(self, status: int, told: dict[str, Any] | None, more: dict[str, str] | None = None) -> None:
        body = b"" if told is None else json.dumps(told).encode()
        self.send_response(status)
        for name, value in (more or {}).items():
            self.send_header(name, value)
        if told is not None:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *values: object) -> None:  # noqa: A002 - the base class's name
        """One line a request, as the other servers of the demo."""
        sys.stderr.write(f"receiver {self.path} {format % values}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="A department's system that takes messages")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", default="/onecard")
    arguments = parser.parse_args()
    known = json.loads(os.environ.get("RECEIVER_KEYS", "{}"))
    keys = {name: bytes.fromhex(key) for name, key in known.items()}
    Receiver(arguments.port, arguments.path, keys).serve_forever()


if __name__ == "__main__":
    main()
