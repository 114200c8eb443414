"""The simulated bank as a real process, which may be killed and comes back on its port with its books."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from tests.gateway.process import a_free_port

from onecard.connectors.bank.caller import Bank
from onecard.connectors.bank.protocol import Entry
from onecard.foundation import clock

SOURCE = Path(__file__).parents[1] / "src"


def a_token() -> str:
    """A token of an account that nobody used yet."""
    return f"tok_{secrets.token_hex(16)}"


class BankProcess:
    """A bank. `kill` is kill -9; `start` brings it up again."""

    def __init__(self, folder: Path) -> None:
        self.port = a_free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.key = secrets.token_bytes(32)
        self.book = folder / "bank.sqlite3"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What a process of ours needs to find it."""
        return {"ONECARD_BANK_URL": self.url, "ONECARD_BANK_KEY": self.key.hex()}

    @property
    def caller(self) -> Bank:
        return Bank(self.url, self.key)

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "onecard_simulators.bank", "--port", str(self.port), "--book", str(self.book)],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), "BANK_KEY": self.key.hex()},
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/health", timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError("the bank did not answer")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    # --- What a test wants of it ---

    def behave(self, behaviour: str, *only: str, **more: object) -> None:
        """Behave so towards the named acts, or towards all."""
        asked = {"behaviour": behaviour, "only": only, **more}
        assert httpx.post(f"{self.url}/simulator/behaviour", json=asked).status_code == 200

    def give(self, token: str, balance_fen: int, reason: str | None = None) -> str:
        """Let an account hold so much, and refuse with a return code from now on, if one is named; its token."""
        answer = httpx.post(
            f"{self.url}/simulator/accounts/{token}", json={"balance_fen": balance_fen, "reason": reason}
        )
        assert answer.status_code == 200
        return token

    def account(self, token: str) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(f"{self.url}/simulator/accounts/{token}").json()
        return found

    def booked(self) -> list[Entry]:
        """What was booked today."""
        return [entry for page in self.caller.statement(clock.today()) for entry in page.entries]

    def held_fen(self) -> int:
        """What is held now, of all accounts."""
        return next(self.caller.statement(clock.today())).held_fen


@contextmanager
def a_bank(folder: Path) -> Iterator[BankProcess]:
    bank = BankProcess(folder)
    bank.start()
    try:
        yield bank
    finally:
        bank.kill()
