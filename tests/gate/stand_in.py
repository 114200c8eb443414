"""A platform in this process, over real HTTP, that behaves as a test wants: well, silent, slow, restored from a backup.

It signs packs and lists under keys of the tests, answers uses, and takes journals as docs/api-gateway.md says. What it
was asked stands in `uses` and `lines`. The real platform has tests of its own.
"""

import contextlib
import dataclasses
import email.utils
import hashlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from msgspec.structs import replace
from tests.kit.packs import LASTING, PLACE, RIDE, SIGNER, a_key, a_list, a_pack

from onecard_kit import journal, pack, requests, status_list, withdrawn
from onecard_kit.pack import PackTerminal
from onecard_kit.status_list import Status
from onecard_kit.suites import Signer
from onecard_kit.terms import Item

TERMINAL = "NT-BUS-0001"
KEY = bytes(range(32))
JOURNAL = "0192f0c1-2f6e-4c7a-9b64-1f0e8a4d5c3b"
SECOND_JOURNAL = "0192f0c1-2f6e-4c7a-9b64-1f0e8a4d5c3c"


class StandIn:
    """Set `mood` to well, hang, drip, reset, busy or reused for the uses; `stop` it for no connection at all. `instead`
    is what somebody else answers to everything: status, content type, body.
    """

    def __init__(self, item: Item = RIDE) -> None:
        self.mood, self.off_s, self.attended = "well", 0, True
        self.item, self.signer = item, SIGNER
        self.marked: dict[int, Status] = {}
        self.withdrawn: dict[bytes, int] = {}
        self.mac = requests.HMAC_SHA256
        self.uses: dict[tuple[str, int], bytes] = {}
        self.asked: list[dict[str, Any]] = []
        self.lines: dict[tuple[str, int], journal.Written] = {}
        self.uploads: list[tuple[str, int]] = []
        self.upload_headers: list[dict[str, str]] = []
        self.macs: dict[tuple[str, int], str] = {}
        self.through: dict[str, int] = {}
        self.paths: list[str] = []
        self.journals = iter((JOURNAL, SECOND_JOURNAL))
        self.list_issued: int | None = None
        self.pack_changes: dict[str, Any] = {}
        self.packed: bytes | None = None
        self.not_made = ""
        self.takes_lines = True
        self.instead: tuple[int, str, bytes] | None = None
        self._server: _Server | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        made = type("Bound", (_Handler,), {"platform": self})
        self._server = _Server(("127.0.0.1", self._port), made)
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """No line: connections are refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.cut()
            self._server = None

    # --- what it hands out ---

    def now(self) -> int:
        return int(time.time()) + self.off_s

    def pack(self) -> str:
        keys = (a_key(self.signer), a_key(SIGNER), a_key(LASTING)) if self.signer is not SIGNER else (
            a_key(SIGNER), a_key(LASTING)
        )  # fmt: skip
        told = {"made": self.now(), "keys": keys, "terminal": PackTerminal(TERMINAL, 3, "active", self.attended)}
        return pack.to_jwt(replace(a_pack(self.item), **(told | self.pack_changes)), self.signer)

    def status_list(self, path: str) -> bytes:
        issued = self.now() if self.list_issued is None else self.list_issued
        made = a_list(path, {} if path.endswith("terminals") else self.marked, issued)
        if self.packed is not None and not path.endswith("terminals"):
            made = dataclasses.replace(made, packed=self.packed)
        return status_list.to_cwt(made, self.signer)

    def keys(self) -> dict[str, Any]:
        made = withdrawn.WithdrawnKeys(PLACE, self.now(), self.withdrawn)
        told = [_plain(signer) for signer in (self.signer, LASTING)]
        return {"issuer": PLACE, "keys": told, "withdrawn_keys": withdrawn.to_jwt(made, self.signer)}


def _plain(signer: Signer) -> dict[str, Any]:
    key = a_key(signer)
    return {
        "kid": key.kid, "suite": key.suite, "public": key.public, "purpose": key.purpose,
        "signs_from": 0, "signs_to": None, "verifies_to": None,
    }  # fmt: skip


class _Server(ThreadingHTTPServer):
    """Its connections can be cut, as when a line goes."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, *arguments: Any) -> None:
        self.connections: list[socket.socket] = []
        super().__init__(*arguments)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self.connections.append(connection)
        return connection, address

    def handle_error(self, request: object, client_address: object) -> None:
        """A gate that goes away in the middle is what these tests are about."""

    def cut(self) -> None:
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    platform: StandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def date_time_string(self, timestamp: float | None = None) -> str:
        return email.utils.formatdate(self.platform.now(), usegmt=True)

    def do_GET(self) -> None:
        self.platform.paths.append(self.path)
        if self.path == "/health":
            self._answer(200, b"{}")
        elif self.path == "/v1/keys":
            self._answer(200, json.dumps(self.platform.keys()).encode())
        elif self.path == "/v1/pack":
            self._tagged(self.platform.pack().encode(), "application/jwt")
        elif self.platform.not_made and self.path.endswith(self.platform.not_made):
            self._problem(404, "LIST_NOT_MADE")
        elif self.path.startswith("/v1/status-lists/"):
            self._tagged(self.platform.status_list(self.path), "application/statuslist+cwt")
        elif self.path.startswith("/v1/journals/"):
            self._answer(200, json.dumps(self._head(self.path.rpartition("/")[2])).encode())
        else:
            self._problem(404, "NO_SUCH_PATH")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.path == "/v1/pairings":
            self._pair(json.loads(body))
        elif self.path == "/v1/uses":
            self._use(body)
        elif self.path == "/v1/uses:batch":
            self._batch(body)
        else:
            self._problem(404, "NO_SUCH_PATH")

    def _pair(self, told: dict[str, str]) -> None:
        if told["pairing_code"] != "TRYTHECARD":
            self._problem(401, "PAIRING_CODE_INVALID")
            return
        made = {"terminal": TERMINAL, "key_id": 7, "key": KEY.hex(), "algorithm": self.platform.mac.name,
                "journal": next(self.platform.journals)}  # fmt: skip
        self._answer(200, json.dumps(made).encode())

    def _use(self, body: bytes) -> None:
        platform = self.platform
        key = (self.headers[requests.JOURNAL], int(self.headers[requests.SEQUENCE]))
        if abs(int(self.headers[requests.TIME]) - platform.now()) > requests.TIME_TOLERANCE_S:
            self._problem(401, "TERMINAL_CLOCK_OFF")
            return
        if not self._is_signed(body):
            self._problem(401, "TERMINAL_SIGNATURE_INVALID")
            return
        if platform.mood == "reused":
            self._problem(409, "SEQUENCE_REUSED")
            return
        if platform.mood in ("hang", "drip", "well"):
            platform.uses[key] = body
            platform.asked.append(json.loads(body))
        if platform.mood == "hang":
            time.sleep(5)
        elif platform.mood == "busy":
            self._problem(503, "QUEUE_FULL")
        elif platform.mood == "reset":
            self.connection.close()
        elif platform.mood == "drip":
            with contextlib.suppress(OSError):
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                for _ in range(50):
                    self.wfile.write(b" ")
                    time.sleep(0.1)
        else:
            self._admit()

    def _admit(self) -> None:
        verdict = {"code": "ADMITTED", "zh": "通过", "en": "Admitted", "next_zh": "", "next_en": ""}
        price = {
            "full_fen": 200,
            "paid_fen": 200,
            "funded_fen": 0,
            "waived_fen": 0,
            "held_fen": None,
            "concession": None,
        }
        told = {"use": "u", "balance_fen": 9800, "repeated": False, "admitted": True, "verdict": verdict, "reasons": [],
                "price": price}  # fmt: skip
        self._answer(200, json.dumps(told).encode())

    def _batch(self, body: bytes) -> None:
        """Take each line that shows that it is the terminal's; one that was taken before is a repeat."""
        if not self._is_signed(b""):
            self._problem(401, "TERMINAL_SIGNATURE_INVALID")
            return
        platform, told, id_ = self.platform, [], self.headers[requests.JOURNAL]
        platform.uploads.append((id_, body.count(b"\n")))
        platform.upload_headers.append(dict(self.headers))
        for raw in body.splitlines(keepends=True):
            written = journal.decode(raw)
            if not platform.takes_lines:
                told.append({"sequence": written.line.sequence, "result": "rejected", "code": "OUR_FAULT"})
                continue
            assert written.is_of(id_, KEY, platform.mac)
            key = (id_, written.line.sequence)
            repeated = key in platform.lines
            platform.lines[key] = written
            platform.macs.setdefault(key, written.mac)
            platform.through[id_] = max(platform.through.get(id_, -1), written.line.sequence)
            told.append({"sequence": key[1], "result": "repeated" if repeated else "recorded", "verdict": "ADMITTED",
                         "gate_verdict": written.line.verdict})  # fmt: skip
        told.append({"done": True, **self._head(id_)})
        self._answer(200, b"".join(json.dumps(each).encode() + b"\n" for each in told), "application/x-ndjson")

    def _head(self, journal: str) -> dict[str, Any]:
        """How far it took a journal, with the mac of the line that it took there first."""
        through = self.platform.through.get(journal, -1)
        chain = self.platform.macs.get((journal, through), journal)
        return {"through": through, "chain": chain, "server_time": self.platform.now()}

    def _is_signed(self, body: bytes) -> bool:
        told = [self.headers[name] for name in (requests.SIGNATURE, requests.TIME, requests.JOURNAL, requests.SEQUENCE)]
        signature, at, id_, sequence = told
        return requests.verify(
            KEY, signature, self.command, self.path, int(at), id_, int(sequence), body, mac=self.platform.mac
        )  # fmt: skip

    def _tagged(self, body: bytes, kind: str) -> None:
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if self.headers.get("if-none-match") == tag:
            self._answer(304, b"", kind, tag)
        else:
            self._answer(200, body, kind, tag)

    def _problem(self, status: int, code: str) -> None:
        detail = {"zh": code, "en": code, "next_zh": "", "next_en": ""}
        self._answer(status, json.dumps({"code": code, "detail": detail}).encode())

    def _answer(self, status: int, body: bytes, kind: str = "application/json", tag: str | None = None) -> None:
        if self.platform.instead is not None:
            status, kind, body = self.platform.instead
        with contextlib.suppress(OSError):
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            if tag is not None:
                self.send_header("etag", tag)
            self.end_headers()
            self.wfile.write(body)


@contextlib.contextmanager
def a_platform(item: Item = RIDE) -> Iterator[StandIn]:
    platform = StandIn(item)
    platform.start()
    try:
        yield platform
    finally:
        platform.stop()
