"""Tries a use at the sandbox's own terminal: a phone's code, the signed request, its answer, the explanation, and
giving it back, so that the next one who tries finds the purse as it was.

Speaks to the gateway over HTTP, as an integrator does.
"""

import json
import threading
import time
from typing import Any, NamedTuple

from markupsafe import Markup

from onecard.developers import asking
from onecard.developers.colours import coloured
from onecard.developers.sandbox import Paired, Sandbox, TestHolder
from onecard_kit import requests

_CODES, _USES, _EXPLANATIONS, _REFUNDS = "/v1/codes", "/v1/uses", "/v1/explanations", "/v1/refunds"


class Exchange(NamedTuple):
    """A request and its answer, as they travelled."""

    path: str
    request: Markup
    status: int
    answer: Markup
    told: dict[str, Any]

    @property
    def refused(self) -> dict[str, str] | None:
        """What a problem says, in both languages; None where it is none."""
        return self.told["detail"] if self.status >= 400 else None


class Trial(NamedTuple):
    """What was tried, up to where it ended: without a code there is no use, without a use nothing to explain, and only
    an admission is given back.
    """

    code: Exchange
    use: Exchange | None = None
    explanation: Exchange | None = None
    refund: Exchange | None = None


class Sequences:
    """Numbers for the trial's lines: each greater than any before it, also after a restart."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def next(self) -> int:
        with self._lock:
            self._last = max(self._last + 1, time.time_ns())
            return self._last


_sequences = Sequences()


def attempt(sandbox: Sandbox, holder: TestHolder, item: str) -> Trial:
    """Try an item with a test holder's phone. Raises Unavailable GATEWAY_SILENT."""
    code = _ask(sandbox, _CODES, {"windows": 1}, {"Authorization": f"Bearer {holder.token}"})
    if code.status != 200:
        return Trial(code)
    use = _signed(sandbox, _USES, {"item": item, "code": code.told["windows"][0]["code"]})
    if use.status != 200:
        return Trial(code, use)
    which = {"use": use.told["use"]}
    explanation = _signed(sandbox, _EXPLANATIONS, which)
    return Trial(code, use, explanation, _signed(sandbox, _REFUNDS, which) if use.told["admitted"] else None)


def _signed(sandbox: Sandbox, path: str, content: dict[str, Any]) -> Exchange:
    return _ask(sandbox, path, content, _headers(sandbox.trial, path, _body(content), _sequences.next()))


def _headers(terminal: Paired, path: str, body: bytes, sequence: int) -> dict[str, str]:
    now = int(time.time())
    key, mac = bytes.fromhex(terminal.key), requests.MACS[terminal.algorithm]
    return {
        requests.TERMINAL: terminal.terminal,
        requests.KEY: str(terminal.key_id),
        requests.TIME: str(now),
        requests.JOURNAL: terminal.journal,
        requests.SEQUENCE: str(sequence),
        requests.SIGNATURE: requests.sign(key, "POST", path, now, terminal.journal, sequence, body, mac=mac),
    }


def _body(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()


def _ask(sandbox: Sandbox, path: str, content: dict[str, Any], headers: dict[str, str]) -> Exchange:
    body = _body(content)
    sent = {"Content-Type": "application/json", **headers}
    status, answer, _ = asking.ask(sandbox.gateway, "POST", path, body, sent, asking.gateway_silent())
    told = json.loads(answer)
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", body.decode()]
    return Exchange(path, coloured("\n".join(lines)), status, coloured(_pretty(told)), told)


def _pretty(told: dict[str, Any]) -> str:
    return json.dumps(told, ensure_ascii=False, indent=2)
