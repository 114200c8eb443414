"""The bank's messages against a golden file of bytes, and what is no answer."""

import datetime as dt
import hashlib
import hmac
import json
from pathlib import Path
from uuid import UUID

import pytest

from onecard.connectors.bank import protocol
from onecard.connectors.bank.protocol import SIGNATURE, Request, Said, State, Unreadable

KEY = bytes(range(32))
ORDER, PAYMENT = UUID("01900000-0000-7000-8000-000000000001"), UUID("01900000-0000-7000-8000-000000000002")
AT = 1_790_000_000
GOLDEN = Path(__file__).parent / "golden" / "messages.json"


def requests() -> dict[str, Request]:
    return {
        "hold": protocol.hold(KEY, AT, ORDER, "tok_0123456789abcdef0123456789abcdef", 200, "NT-BUS"),
        "capture": protocol.capture(KEY, AT, ORDER, 200),
        "release": protocol.release(KEY, AT, ORDER),
        "refund": protocol.refund(KEY, AT, ORDER, PAYMENT, 200),
        "statement": protocol.statement(KEY, AT, dt.date(2026, 11, 22), 500),
    }


def test_requests_are_these_bytes() -> None:
    """If a change is meant, the bank has to agree to it first."""
    plain = {
        name: {"method": r.method, "target": r.target, "headers": r.headers, "body": r.body.decode()}
        for name, r in requests().items()
    }
    assert plain == json.loads(GOLDEN.read_text())


def an_answer(request: Request, status: int, body: bytes, key: bytes = KEY) -> tuple[int, str, bytes]:
    lines = ("ANSWER", request.headers[SIGNATURE], str(status), hashlib.sha256(body).hexdigest())
    return status, hmac.digest(key, "\n".join(lines).encode(), "sha256").hex(), body


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b'{"id": "x", "state": "held"}', Said(State.HELD)),
        (200, b'{"id": "x", "state": "refused", "reason": "51"}', Said(State.REFUSED, "51")),
        (200, b'{"id": "x", "state": "captured", "captured_fen": 3}', Said(State.CAPTURED)),
        (409, b'{"error": "NOT_HELD", "state": "released"}', Said(None, "NOT_HELD")),
        (404, b'{"error": "UNKNOWN"}', Said(None, "UNKNOWN")),
    ],
)
def test_answers_are_read(status: int, body: bytes, said: Said) -> None:
    request = requests()["hold"]
    assert protocol.said(KEY, request, *an_answer(request, status, body)) == said


HELD = b'{"id": "x", "state": "held"}'


@pytest.mark.parametrize(
    "answer",
    [
        (200, "", HELD),
        an_answer(requests()["capture"], 200, HELD),
        an_answer(requests()["hold"], 200, HELD, bytes(32)),
        (200, an_answer(requests()["hold"], 200, HELD)[1], HELD + b" "),
        (201, an_answer(requests()["hold"], 200, HELD)[1], HELD),
        (200, "täglich", HELD),
        an_answer(requests()["hold"], 200, b'{"state": "perhaps"}'),
        an_answer(requests()["hold"], 200, b"{}"),
        an_answer(requests()["hold"], 200, b"<html>"),
        an_answer(requests()["hold"], 401, b'{"error": "CLOCK_OFF"}'),
        an_answer(requests()["hold"], 503, b'{"error": "BUSY"}'),
    ],
    ids=[
        "unsigned", "of another request", "another key", "another body", "another status", "no hex", "unknown state",
        "no state", "a page", "we are not known", "unavailable",
    ],
)  # fmt: skip
def test_what_does_not_prove_itself_or_says_nothing_is_no_answer(answer: tuple[int, str, bytes]) -> None:
    with pytest.raises(Unreadable):
        protocol.said(KEY, requests()["hold"], *answer)
