"""The gateway as a real process, and a terminal that speaks to it as a stranger would: HTTP and HMAC. And one
inside the test's own process, for what has to be arranged in it."""

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from tests.server_process import ServerProcess
from tests.small_city import Terminal

from onecard.gateway.app import Gateway
from onecard_kit import requests


class GatewayProcess(ServerProcess):
    """A gateway under Granian."""

    def __init__(
        self, environment: dict[str, str], workers: int = 1, application: str = "onecard.gateway.app:application"
    ) -> None:
        super().__init__(
            "granian", "--interface", "rsgi", "--host", "127.0.0.1", "--workers", str(workers),
            "--log-level", "warning", "--no-access-log", application, environment=environment,
        )  # fmt: skip


@contextmanager
def a_gateway(environment_for: Callable[[str], dict[str, str]], url: str, workers: int = 1) -> Iterator[GatewayProcess]:
    gateway = GatewayProcess(environment_for(url), workers)
    gateway.start()
    try:
        yield gateway
    finally:
        gateway.stop()


def signed(
    terminal: Terminal, path: str, body: bytes, sequence: int, *, at: int | None = None, key: bytes | None = None,
    method: str = "POST",
) -> dict[str, str]:  # fmt: skip
    """The headers of a signed request."""
    now = int(time.time()) if at is None else at
    journal = str(terminal.journal)
    return {
        requests.TERMINAL: terminal.code,
        requests.KEY: str(terminal.key_id),
        requests.TIME: str(now),
        requests.JOURNAL: journal,
        requests.SEQUENCE: str(sequence),
        requests.SIGNATURE: requests.sign(
            key or terminal.key, method, path, now, journal, sequence, body, mac=terminal.mac
        ),
        "content-type": "application/json",
    }


def send(
    client: httpx.Client, terminal: Terminal, content: dict[str, Any], *, sequence: int | None = None,
    path: str = "/v1/uses", **signing: Any,
) -> httpx.Response:  # fmt: skip
    """Send a signed request under the terminal's next sequence."""
    body = json.dumps(content).encode()
    number = terminal.next() if sequence is None else sequence
    return client.post(path, content=body, headers=signed(terminal, path, body, number, **signing))


def verdict(response: httpx.Response) -> str:
    """The verdict of a 200, else the code of the problem."""
    told = response.json()
    return str(told["verdict"]["code"] if response.status_code == 200 else told["code"])


@dataclass
class Exchange:
    """What the server hands over for one request, and what it was answered."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    query_string: str = ""
    status: int = 0
    json: Any = None

    async def __call__(self) -> bytes:
        return self.body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.body

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status, self.headers, self.json = status, dict(headers), json.loads(body)

    def response_file(self, status: int, headers: list[tuple[str, str]], file: str) -> None:
        raise AssertionError("what is asked here is answered at once")


async def ask(gateway: Gateway, path: str, headers: dict[str, str], body: bytes, method: str = "POST") -> Exchange:
    """Ask a gateway in this process."""
    exchange = Exchange(method, path, {name.lower(): value for name, value in headers.items()}, body)
    await gateway.__rsgi__(exchange, exchange)
    return exchange
