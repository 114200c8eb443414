"""The simulated receiver of messages as a real process."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from tests.gateway.process import a_free_port

SOURCE = Path(__file__).parents[1] / "src"
PATH = "/onecard"


class ReceiverProcess:
    """A receiver that knows no key yet. `kill` is kill -9; `start` brings it up again with nothing."""

    def __init__(self) -> None:
        self.port = a_free_port()
        self.url = f"http://localhost:{self.port}"
        self.endpoint = self.url + PATH
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, keys: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "onecard_simulators.receiver", "--port", str(self.port), "--path", PATH],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), "RECEIVER_KEYS": json.dumps(keys or {})},
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/health", timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError("the receiver did not answer")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def set(self, **said: Any) -> None:
        """Behave so, or know these keys."""
        assert httpx.post(f"{self.url}/simulator/set", json=said).status_code == 200

    def took(self) -> list[dict[str, Any]]:
        """The events it believed, each once."""
        events: list[dict[str, Any]] = httpx.get(f"{self.url}/simulator/messages").json()["events"]
        return events

    def refused(self) -> list[str]:
        """Why it did not believe others."""
        told: list[str] = httpx.get(f"{self.url}/simulator/messages").json()["refused"]
        return told


@contextmanager
def a_receiver() -> Iterator[ReceiverProcess]:
    receiver = ReceiverProcess()
    receiver.start()
    try:
        yield receiver
    finally:
        receiver.kill()
