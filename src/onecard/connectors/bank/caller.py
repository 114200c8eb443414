"""Calls the bank: one request, one answer, within a time limit. Blocks its thread; imports no Django."""

import datetime as dt
import http.client
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID

from onecard.connectors.bank import protocol
from onecard.connectors.bank.protocol import Request, Said, Statement, Unreadable
from onecard.foundation.errors import Unavailable

ANSWER_S = 2.0
URL, KEY = "ONECARD_BANK_URL", "ONECARD_BANK_KEY"
KEY_BYTES = 32


class BankSilent(Exception):
    """No answer came within the time limit that proves itself the bank's. What was asked for may be done or not."""


@dataclass(frozen=True, slots=True)
class Bank:
    """The bank behind an address (``https://host:port``), and the key we share with it; `answer_s` is its time limit.

    Every method raises BankSilent.
    """

    url: str
    key: bytes = field(repr=False)
    answer_s: float = ANSWER_S

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Bank | None":
        """The bank that ONECARD_BANK_URL and ONECARD_BANK_KEY name; None where neither is set.

        Raises Unavailable BANK_MISCONFIGURED.
        """
        url, key = environment.get(URL, ""), environment.get(KEY, "")
        if not url and not key:
            return None
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
            raise _misconfigured(URL, "应为 https://主机:端口", "expected https://host:port")
        if len(key) != 2 * KEY_BYTES or not key.isascii() or not key.isalnum():
            raise _misconfigured(KEY, "应为 64 位十六进制", "expected 64 hex digits")
        try:
            return cls(url, bytes.fromhex(key))
        except ValueError:
            raise _misconfigured(KEY, "应为 64 位十六进制", "expected 64 hex digits") from None

    def hold(self, order: UUID, token: str, amount_fen: int, merchant: str) -> Said:
        """Hold an amount: held, refused, or released when it was let go before it came."""
        return self._said(protocol.hold(self.key, _now(), order, token, amount_fen, merchant))

    def capture(self, order: UUID, amount_fen: int) -> Said:
        """Book what an order holds."""
        return self._said(protocol.capture(self.key, _now(), order, amount_fen))

    def release(self, order: UUID) -> Said:
        """Let go what an order holds or would hold."""
        return self._said(protocol.release(self.key, _now(), order))

    def refund(self, order: UUID, payment: UUID, amount_fen: int) -> Said:
        """Give back what a payment's order captured."""
        return self._said(protocol.refund(self.key, _now(), order, payment, amount_fen))

    def statement(self, day: dt.date) -> Iterator[Statement]:
        """The pages of what was booked on a day of China."""
        after: int | None = 0
        while after is not None:
            request = protocol.statement(self.key, _now(), day, after)
            try:
                page = protocol.read_statement(self.key, request, *self._exchange(request))
            except Unreadable as error:
                raise BankSilent(str(error)) from None
            yield page
            after = page.next

    def _said(self, request: Request) -> Said:
        try:
            return protocol.said(self.key, request, *self._exchange(request))
        except Unreadable as error:
            raise BankSilent(str(error)) from None

    def _exchange(self, request: Request) -> tuple[int, str, bytes]:
        """Status, signature and body of the answer."""
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=self.answer_s)
        until = time.monotonic() + self.answer_s
        try:
            connection.request(request.method, request.target, request.body or None, request.headers)
            _hurry(connection, until)
            response = connection.getresponse()
            body = b""
            while len(body) <= protocol.ANSWER_BYTES_MAX and (part := response.read1(65536)):
                body += part
                _hurry(connection, until)
            return response.status, response.headers.get(protocol.SIGNATURE, ""), body
        except (OSError, http.client.HTTPException, UnicodeError) as error:  # TimeoutError is an OSError
            raise BankSilent(type(error).__name__) from None
        finally:
            connection.close()


def _hurry(connection: http.client.HTTPConnection, until: float) -> None:
    """Leave the rest of the answer the rest of the time."""
    left_s = until - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    if connection.sock is not None:
        connection.sock.settimeout(left_s)


def _now() -> int:
    return int(time.time())


def _misconfigured(name: str, zh: str, en: str) -> Unavailable:
    return Unavailable(
        "BANK_MISCONFIGURED",
        f"合作银行的设置 {name} 不正确：{zh}。",
        f"The setting {name} of the partner bank is wrong: {en}.",
        next_zh="请改正后重新启动；不设置则不使用银行账户支付。",
        next_en="Correct it and start again; without it, bank accounts are not a means to pay.",
    )
