"""The simulated operator of short messages as a real process."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from tests.server_process import SimulatorProcess

KEY = "k" * 32


class SmsProcess(SimulatorProcess):
    """An operator that has sent nothing yet."""

    def __init__(self) -> None:
        super().__init__("sms", SMS_KEY=KEY)

    def behave(self, behaviour: str) -> None:
        """Take messages so from now on."""
        told = httpx.post(self.url + "/simulator/behaviour", json={"behaviour": behaviour}, trust_env=False)
        assert told.status_code == 200

    def sent(self) -> list[dict[str, Any]]:
        """What it took, each once, oldest first."""
        found: list[dict[str, Any]] = httpx.get(self.url + "/simulator/messages", trust_env=False).json()["messages"]
        return found

    def newest_code(self) -> str:
        """The six digits of the newest message."""
        return code_in(self.sent()[-1]["text"])


def code_in(text: str) -> str:
    """The six digits that a message holds."""
    found = re.search(r"\b\d{6}\b", text)
    assert found is not None, text
    return found[0]


@contextmanager
def an_operator() -> Iterator[SmsProcess]:
    operator = SmsProcess()
    operator.start()
    try:
        yield operator
    finally:
        operator.kill()
