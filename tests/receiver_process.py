"""The simulated receiver of messages as a real process."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from tests.server_process import SimulatorProcess

PATH = "/onecard"


class ReceiverProcess(SimulatorProcess):
    """A receiver that knows no key yet, and nothing more each time it starts."""

    def __init__(self) -> None:
        super().__init__("receiver", "--path", PATH, host="localhost", RECEIVER_KEYS="{}")
        self.endpoint = self.url + PATH

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
