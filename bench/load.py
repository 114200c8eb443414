"""A load generator that costs little: ready-made requests over keep-alive connections, one process, no HTTP library.

Run as ``python -m bench.load HOST PORT FILE CONNECTIONS SECONDS``: FILE holds the raw requests, each after its length.
Prints one JSON line: answered, admitted, other answers, seconds, and latencies in milliseconds.
"""

import asyncio
import json
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop


def write_requests(path: Path, requests: Iterator[bytes]) -> int:
    """Write requests for a run; how many."""
    count = 0
    with path.open("wb") as out:
        for request in requests:
            out.write(struct.pack(">I", len(request)) + request)
            count += 1
    return count


def read_requests(path: Path) -> list[bytes]:
    data, requests, at = path.read_bytes(), [], 0
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        requests.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return requests


class Run:
    """What all connections share: the requests left, the end, and what was answered."""

    def __init__(self, requests: list[bytes], seconds: float) -> None:
        self.left = iter(requests)
        self.ends = time.perf_counter() + seconds
        self.latencies: list[float] = []
        self.admitted = 0
        self.other: dict[str, int] = {}
        self.ran_dry = False

    def next(self) -> bytes | None:
        if time.perf_counter() >= self.ends:
            return None
        request = next(self.left, None)
        self.ran_dry = self.ran_dry or request is None
        return request


def _length(data: bytes, head_end: int) -> int:
    """The length that the head of a response declares; the gateway writes its headers in lower case."""
    at = data.find(b"content-length: ", 0, head_end) + 16
    end = data.find(b"\r", at)
    return int(data[at:end])


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request in flight."""

    def __init__(self, run: Run, done: "asyncio.Future[None]") -> None:
        self.run, self.done = run, done
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._send()

    def _send(self) -> None:
        request = self.run.next()
        if request is None:
            self.transport.close()
            return
        self.sent_at = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self.buffer:
            data = self.buffer + data
        head_end = data.find(b"\r\n\r\n")
        if head_end < 0 or len(data) < head_end + 4 + _length(data, head_end):
            self.buffer = data
            return
        run = self.run
        run.latencies.append(time.perf_counter() - self.sent_at)
        if data.find(b'"admitted":true', head_end) > 0:
            run.admitted += 1
        else:
            body = data[head_end + 4 : head_end + 240].decode(errors="replace")
            run.other[body] = run.other.get(body, 0) + 1
        self.buffer = b""
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def drive(host: str, port: int, requests: list[bytes], connections: int, seconds: float) -> dict[str, object]:
    loop = asyncio.get_running_loop()
    run = Run(requests, seconds)
    started = time.perf_counter()
    waiting = []
    for _ in range(connections):
        done: asyncio.Future[None] = loop.create_future()
        await loop.create_connection(lambda done=done: Connection(run, done), host, port)  # type: ignore[misc]
        waiting.append(done)
    await asyncio.gather(*waiting)
    taken = sorted(run.latencies)
    return {
        "answered": len(taken),
        "admitted": run.admitted,
        "other": dict(sorted(run.other.items(), key=lambda kv: -kv[1])[:3]),
        "seconds": time.perf_counter() - started,
        "p50_ms": taken[len(taken) // 2] * 1000 if taken else None,
        "p99_ms": taken[len(taken) * 99 // 100] * 1000 if taken else None,
        "ran_dry": run.ran_dry,
    }


def main() -> None:
    host, port, file, connections, seconds = sys.argv[1:]
    requests = read_requests(Path(file))
    print(json.dumps(uvloop.run(drive(host, int(port), requests, int(connections), float(seconds)))))


if __name__ == "__main__":
    main()
