"""The bank's messages (docs/bank-interface.md) without I/O: requests built and signed, answers checked and read."""

import datetime as dt
import hashlib
import hmac
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

ANSWER_BYTES_MAX = 262_144
SIGNATURE = "Bank-Signature"


class State(StrEnum):
    """What the bank says of a hold or a refund."""

    HELD = "held"
    REFUSED = "refused"
    CAPTURED = "captured"
    RELEASED = "released"
    REFUNDED = "refunded"


class Request(msgspec.Struct, frozen=True):
    """A request as it goes on the wire; `target` is the path with its query."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Said(msgspec.Struct, frozen=True):
    """What the bank said: a state; `reason` is the return code of a refusal.

    Without a state the bank did nothing and `reason` is its error, e.g. ``NOT_HELD``.
    """

    state: State | None
    reason: str = ""


class Entry(msgspec.Struct, frozen=True):
    """One line of a statement: `kind` is capture or refund, `id` the order's, `hold` the payment it belongs to."""

    number: int
    kind: str
    id: UUID
    hold: UUID
    amount_fen: int


class Statement(msgspec.Struct, frozen=True):
    """A page of what was booked on a day; `held`, `held_fen`: what is held at this moment. `next` continues it."""

    day: dt.date
    entries: tuple[Entry, ...]
    held: int
    held_fen: int
    next: int | None = None


class Unreadable(Exception):
    """What came is no answer: it does not prove itself, or says nothing that the interface knows."""


class _Told(msgspec.Struct, frozen=True):
    state: State | None = None
    reason: str = ""
    error: str = ""


_told = msgspec.json.Decoder(_Told)
_statement = msgspec.json.Decoder(Statement)


def hold(key: bytes, sent_at: int, order: UUID, token: str, amount_fen: int, merchant: str) -> Request:
    """Hold an amount under the order's id; `merchant` is the party code of the operator, `sent_at` Unix seconds."""
    body = {"id": str(order), "token": token, "amount_fen": amount_fen, "merchant": merchant}
    return _signed(key, sent_at, "POST", "/v1/holds", body)


def capture(key: bytes, sent_at: int, order: UUID, amount_fen: int) -> Request:
    """Book what is held under an order's id."""
    return _signed(key, sent_at, "POST", f"/v1/holds/{order}/capture", {"amount_fen": amount_fen})


def release(key: bytes, sent_at: int, order: UUID) -> Request:
    """Let go what is, or may come to be, held under an order's id."""
    return _signed(key, sent_at, "POST", f"/v1/holds/{order}/release", {})


def refund(key: bytes, sent_at: int, order: UUID, payment: UUID, amount_fen: int) -> Request:
    """Give back what was captured under `payment`; `order` is the refund's own."""
    body = {"id": str(order), "hold": str(payment), "amount_fen": amount_fen}
    return _signed(key, sent_at, "POST", "/v1/refunds", body)


def statement(key: bytes, sent_at: int, day: dt.date, after: int = 0) -> Request:
    """Ask for a page of what was booked on a day."""
    return _signed(key, sent_at, "GET", f"/v1/statement?day={day.isoformat()}&after={after}", None)


def _signed(key: bytes, sent_at: int, method: str, target: str, content: dict[str, Any] | None) -> Request:
    body = b"" if content is None else msgspec.json.encode(content)
    signature = _signature(key, method, target, str(sent_at), hashlib.sha256(body).hexdigest())
    headers = {"Content-Type": "application/json", "Bank-Time": str(sent_at), SIGNATURE: signature}
    return Request(method, target, headers, body)


def said(key: bytes, request: Request, status: int, signature: str, body: bytes) -> Said:
    """Read the answer to a request. Raises Unreadable."""
    proved = _proved(key, request, status, signature, body)
    try:
        told = _told.decode(proved)
    except msgspec.MsgspecError as error:
        raise Unreadable(str(error)) from None
    if status == 200 and told.state is not None:
        return Said(told.state, told.reason)
    if status in (400, 404, 409) and told.error:
        return Said(None, told.error)
    raise Unreadable(f"status {status}")


def read_statement(key: bytes, request: Request, status: int, signature: str, body: bytes) -> Statement:
    """Read a page of a statement. Raises Unreadable."""
    proved = _proved(key, request, status, signature, body)
    try:
        return _statement.decode(proved)
    except msgspec.MsgspecError as error:
        raise Unreadable(f"status {status}: {error}") from None


def _proved(key: bytes, request: Request, status: int, signature: str, body: bytes) -> bytes:
    digest = hashlib.sha256(body).hexdigest()
    wanted = _signature(key, "ANSWER", request.headers[SIGNATURE], str(status), digest)
    if not hmac.compare_digest(wanted.encode(), signature.encode()):
        raise Unreadable(f"status {status}, not signed by the bank")
    return body


def _signature(key: bytes, *lines: str) -> str:
    return hmac.digest(key, "\n".join(lines).encode(), "sha256").hex()
