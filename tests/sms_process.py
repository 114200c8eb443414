"""The simulated operator of short messages as a real process."""

import os
import re
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
KEY = "k" * 32


class SmsProcess:
    """An operator that has sent nothing yet."""

    def __init__(self) -> None:
        self.url = f"http://127.0.0.1:{a_free_port()}"
        port = self.url.rpartition(":")[2]
        argv = [sys.executable, "-m", "onecard_simulators.sms", "--port", port]
        self.process = subprocess.Popen(
            argv, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), "SMS_KEY": KEY}
        )
        for _ in range(600):
            try:
                httpx.get(self.url + "/health", timeout=2, trust_env=False)
                return
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError("the operator did not answer")

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
    try:
        yield operator
    finally:
        operator.process.kill()
        operator.process.wait()
