"""Asks the gateway for what a phone shows: codes ahead, and a number to read aloud."""

import http.client
import json
import os
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from onecard.foundation.errors import Unavailable

URL = "ONECARD_GATEWAY_URL"
ANSWER_S = 5.0
WINDOWS = 10


class Code(NamedTuple):
    """A code and when it holds, in Unix seconds."""

    not_before: int
    expires: int
    text: str


class Number(NamedTuple):
    """A number to read aloud, and until when it holds, in Unix seconds."""

    text: str
    expires: int


class Refused(Exception):
    """The gateway gives this phone nothing: `code` is its own word for why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def codes(token: str) -> tuple[int, list[Code]]:
    """The gateway's time, and the next ten codes of the e-card that a token is for. Raises Refused, Unavailable."""
    told = _ask("/v1/codes", token, {"windows": WINDOWS})
    return told["server_time"], [Code(each["not_before"], each["expires"], each["code"]) for each in told["windows"]]


def number(token: str) -> Number:
    """A new number; the last one is void. Raises Refused, Unavailable."""
    told = _ask("/v1/numbers", token, {})
    return Number(told["number"], told["expires"])


def _ask(path: str, token: str, content: dict[str, int]) -> Any:
    parts = urlsplit(os.environ.get(URL, ""))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _away()
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=ANSWER_S)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    try:
        connection.request("POST", path, json.dumps(content), headers)
        response = connection.getresponse()
        told = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError):  # TimeoutError is an OSError
        raise _away() from None
    finally:
        connection.close()
    if response.status in (401, 409):
        raise Refused(told["code"])
    if response.status != 200:
        raise _away()
    return told


def _away() -> Unavailable:
    return Unavailable(
        "CODES_AWAY",
        "暂时取不到二维码。",
        "Codes cannot be fetched at the moment.",
        next_zh="请稍后再试，或使用实体卡。卡和码在同一个用卡点都能用。",
        next_en="Try again shortly, or use the physical card: wherever the code is taken, so is the card.",
    )
