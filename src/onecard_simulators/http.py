"""Just enough of an HTTP/1.1 client (RFC 9112) for many small requests at once: a device's own, kept connections.

Answers must carry Content-Length, as the gateway's do. No redirects, no chunks, no TLS: the demo speaks on one machine.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_LATER = re.compile(rb"\r\nretry-after: *([0-9]{1,4})", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)


class Answer(NamedTuple):
    """Status and body of an answer, and after how many seconds the server wants to be asked again, if it said so."""

    status: int
    body: bytes
    later_s: int | None
    stays: bool  # whether the connection stays open


class ConnectionLost(Exception):
    """No whole answer came; whether the request was carried out is unknown."""


class Connections:
    """At most so many connections to one server; each request waits for a free one."""

    def __init__(self, url: str, most: int, answer_s: float) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "localhost", parts.port or 80
        self._answer_s = answer_s
        self._turn = asyncio.Semaphore(most)
        self._kept: list[Connection] = []
        self.waits_ms: list[float] = []

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The answer to a POST of JSON. Raises ConnectionLost."""
        return await self._ask("POST", path, body, headers)

    async def get(self, path: str) -> Answer:
        """The answer to a GET. Raises ConnectionLost."""
        return await self._ask("GET", path, b"", {})

    async def _ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        async with self._turn:
            started = time.perf_counter()
            async with self._connection() as connection, asyncio.timeout(self._answer_s):
                answer = await connection.ask(method, path, body, headers)
                if answer.stays:
                    self._kept.append(connection)
            self.waits_ms.append((time.perf_counter() - started) * 1000)
            return answer

    async def hang_up(self, path: str, body: bytes, headers: Mapping[str, str], after_s: float) -> None:
        """Send a request and leave without the answer."""
        async with self._turn, self._connection() as connection:
            connection.write("POST", path, body, headers)
            await asyncio.sleep(after_s)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator["Connection"]:
        """A kept connection or a new one; closed on leaving unless it was kept again. Raises ConnectionLost."""
        connection: Connection | None = None
        try:
            connection = self._kept.pop() if self._kept else await Connection.open(self._host, self._port)
            yield connection
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:  # TimeoutError is an OSError
            raise ConnectionLost(type(error).__name__) from error
        finally:
            if connection is not None and connection not in self._kept:
                connection.close()

    def close(self) -> None:
        """Close what is not in use."""
        while self._kept:
            self._kept.pop().close()


class Connection:
    """One connection, one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, host: str, port: int) -> "Connection":
        return cls(*await asyncio.open_connection(host, port))

    def write(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Put a request on the wire."""
        sent = {"Host": "gateway", "Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
        self._writer.write("\r\n".join(lines).encode() + body)

    async def ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a request and read its answer."""
        self.write(method, path, body, headers)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if length is None:
            raise ValueError("an answer without Content-Length")
        answer = await self._reader.readexactly(int(length[1]))
        later = _LATER.search(head)
        status, stays = int(head.split(b" ", 2)[1]), _CLOSE.search(head) is None
        return Answer(status, answer, int(later[1]) if later else None, stays)

    def close(self) -> None:
        self._writer.close()
