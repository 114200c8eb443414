"""HTTP to the gateway (docs/api-gateway.md): each answer within its time, whatever the line does.

A person waits at the gate, so the time is that of the whole exchange: one that trickles is cut off like one that is
silent. What comes of a request that was cut off is unknown; the same presentation under the same sequence is one use.
"""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from onecard_gate.clock import Clock
from onecard_gate.errors import BadConfig, Told, Unreachable
from onecard_gate.home import Identity, Journal
from onecard_kit import requests

UNANSWERED: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that say nothing of what became of a request; all others of 400 and above recorded nothing."""
BODY_BYTES_MAX: Final = 64 << 20
_KINDS: Final = "application/"
"""What the platform answers in, all of it."""
_FROM_SIGNAL_MS: Final = 5000
"""An answer that took longer is no signal of the time."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Raises Unreachable: what does not answer in JSON is not the platform."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.MsgspecError, RecursionError):
            raise Unreachable(f"status {self.status} without JSON") from None


@dataclass(slots=True)
class Platform:
    """The gateway at `url`, for one thread; its connection is kept open between exchanges. `clock` takes its time from
    each answer.
    """

    url: str
    clock: Clock
    ca_file: str | None = None
    _kept: http.client.HTTPConnection | None = None

    @property
    def is_private(self) -> bool:
        """Whether nobody between here and there can change what is said: TLS, or one machine."""
        parts = urlsplit(self.url)
        return parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1", "::1")

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None, within_s: float = 10
    ) -> Answer:
        """One exchange. Raises Unreachable, and nothing else; what the platform then did is unknown."""
        began = time.monotonic()
        answer = self._exchange(method, path, body, dict(headers or {}), began + within_s)
        self._hear(answer, began)
        if answer.status in UNANSWERED:
            raise Unreachable(f"status {answer.status}")
        return answer

    def _exchange(self, method: str, path: str, body: bytes, headers: dict[str, str], until: float) -> Answer:
        """On the kept connection; if that was closed meanwhile, on a new one, since the server has seen nothing."""
        kept = self._kept
        if kept is not None:
            with contextlib.suppress(_Stale):
                return self._within(kept, method, path, body, headers, until)
        return self._within(self._connection(until), method, path, body, headers, until)

    def _connection(self, until: float) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or parts.hostname is None:
            raise BadConfig(f"网关地址不正确：{self.url}", f"This is no gateway's address: {self.url}")
        left_s = max(0.05, until - time.monotonic())
        if parts.scheme == "http":
            return http.client.HTTPConnection(parts.hostname, parts.port, timeout=left_s)
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise BadConfig(f"{self.ca_file} 无法读取：{error}", f"{self.ca_file} cannot be read: {error}") from None
        return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=left_s, context=context)

    def _within(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: bytes, headers: dict[str, str],
        until: float,
    ) -> Answer:  # fmt: skip
        """Do it in a thread of its own, so that it can be given up: no timeout of a socket ends what trickles."""
        self._kept = None
        done: list[Answer | Exception] = []
        talk = threading.Thread(target=_talk, args=(connection, method, path, body, headers, done), daemon=True)
        talk.start()
        talk.join(max(0.0, until - time.monotonic()))
        if not done:
            _cut(connection)
            raise Unreachable("no answer in time")
        answer = done[0]
        if isinstance(answer, Answer):
            if answer.headers.get("connection", "").lower() != "close":
                self._kept = connection
            return answer
        connection.close()
        if isinstance(answer, _Stale):
            raise answer
        raise Unreachable(f"{type(answer).__name__}: {answer}")

    def _hear(self, answer: Answer, began: float) -> None:
        """Take the time that an answer names; half of the way it went through is on average after that moment. The page
        of a network at which nobody has signed in yet is no answer.
        """
        took_ms = (time.monotonic() - began) * 1000
        told = answer.headers.get("date")
        if told is None or took_ms > _FROM_SIGNAL_MS or not answer.headers.get("content-type", "").startswith(_KINDS):
            return
        with contextlib.suppress(ValueError, TypeError, OverflowError):
            self.clock.take(int(parsedate_to_datetime(told).timestamp() * 1000 + 500 + took_ms / 2))

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()


class _Stale(Exception):
    """A kept connection that the server had closed before it saw the request."""


def _talk(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes, headers: dict[str, str],
    done: list[Answer | Exception],
) -> None:  # fmt: skip
    was_open = connection.sock is not None
    try:
        connection.request(method, path, body or None, headers)
        response = connection.getresponse()
        told = {name.lower(): value for name, value in response.getheaders()}
        content = response.read(BODY_BYTES_MAX + 1)
        if len(content) > BODY_BYTES_MAX:
            raise OSError("the answer is too large")
        done.append(Answer(response.status, told, content))
    except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as error:
        done.append(_Stale() if was_open else error)
    except (OSError, http.client.HTTPException, ValueError) as error:
        done.append(error)


def _cut(connection: http.client.HTTPConnection) -> None:
    """End an exchange that another thread waits in."""
    with contextlib.suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        connection.close()


def signed(
    identity: Identity, journal: Journal, method: str, path: str, sequence: int, body: bytes, now_ms: int
) -> dict[str, str]:
    """The headers of a request that proves which terminal it comes from: by its newest key, since one from before a
    pairing ends a day later, and a journal may wait for longer. Each of its lines stays under the key that wrote it.
    """
    key_id = identity.key_id if journal.terminal == identity.terminal else journal.key_id
    key, mac = identity.key_of(key_id)
    now = now_ms // 1000
    return {
        requests.TERMINAL: journal.terminal,
        requests.KEY: str(key_id),
        requests.TIME: str(now),
        requests.JOURNAL: journal.id,
        requests.SEQUENCE: str(sequence),
        requests.SIGNATURE: requests.sign(key, method, path, now, journal.id, sequence, body, mac=mac),
    }


def problem_of(answer: Answer) -> Told:
    """What a status of 400 or above says, in its own words."""
    told = answer.json()
    if not isinstance(told, dict):
        raise Unreachable(f"status {answer.status}")
    detail = told.get("detail")
    return Told(answer.status, str(told.get("code", answer.status)), detail if isinstance(detail, dict) else {})


def lines_of(body: bytes) -> Iterator[dict[str, Any]]:
    """The objects of an NDJSON answer, as far as it goes: a broken line cuts it off anywhere."""
    for line in filter(None, body.split(b"\n")):
        try:
            told = msgspec.json.decode(line)
        except (msgspec.MsgspecError, RecursionError):
            return
        if isinstance(told, dict):
            yield told
