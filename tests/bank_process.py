"""The simulated bank as a real process, which may be killed and comes back on its port with its books."""

import datetime as dt
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from tests.server_process import SimulatorProcess

from onecard.connectors.bank.caller import Bank
from onecard.connectors.bank.protocol import Entry
from onecard.foundation import clock


def a_token() -> str:
    """A token of an account that nobody used yet."""
    return f"tok_{secrets.token_hex(16)}"


class BankProcess(SimulatorProcess):
    """A bank."""

    def __init__(self, folder: Path) -> None:
        self.key = secrets.token_bytes(32)
        super().__init__("bank", "--book", str(folder / "bank.sqlite3"), BANK_KEY=self.key.hex())

    @property
    def callers_environment(self) -> dict[str, str]:
        """What a process of ours needs to find it."""
        return {"ONECARD_BANK_URL": self.url, "ONECARD_BANK_KEY": self.key.hex()}

    @property
    def caller(self) -> Bank:
        return Bank(self.url, self.key)

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
        """What was booked since this bank runs, in order: today, and yesterday where midnight came meanwhile."""
        today = clock.today()
        days = (today - dt.timedelta(days=1), today)
        return [entry for day in days for page in self.caller.statement(day) for entry in page.entries]

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
