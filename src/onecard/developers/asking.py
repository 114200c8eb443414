"""Asks gateway and department API over HTTP, as an integrator does. Blocks its thread for `ANSWER_S` at most a request,
and follows no redirect.
"""

import http.client
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from onecard.foundation.errors import Unavailable

ANSWER_S: Final = 5.0


class Answer(NamedTuple):
    """Status, body and trace of an answer; the trace is empty where it carries none."""

    status: int
    body: bytes
    trace: str


def ask(
    base: str, method: str, path: str, body: bytes | None, headers: dict[str, str], silent: Unavailable,
    answer_s: float = ANSWER_S,
) -> Answer:  # fmt: skip
    """What is answered at an address. Raises `silent` where nothing is."""
    parts = urlsplit(base)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=answer_s)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return Answer(response.status, response.read(), response.getheader("X-Trace", ""))
    except (OSError, http.client.HTTPException):
        raise silent from None
    finally:
        connection.close()


def gateway_silent() -> Unavailable:
    return Unavailable(
        "GATEWAY_SILENT", "网关没有答复。", "The gateway did not answer.",
        next_zh="请稍后再试。", next_en="Try again shortly.",
    )  # fmt: skip


def api_silent() -> Unavailable:
    return Unavailable(
        "API_SILENT", "部门接口没有答复。", "The department API did not answer.",
        next_zh="请稍后再试。", next_en="Try again shortly.",
    )  # fmt: skip
