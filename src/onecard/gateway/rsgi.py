"""HTTP as the server hands it over (Granian's RSGI): reading what a stranger sends, writing the answer. The one file
that knows the server; it costs about half of what the same does over ASGI."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Protocol

from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]

from onecard.foundation.errors import BadInput, OneCardError
from onecard.gateway import errors, wire
from onecard.gateway.patience import Patience
from onecard.gateway.wire import Response

PART_S_MAX = 30.0
OPENED_S_MAX = 60.0

Gone = ProtocolClosed
"""The caller left in the middle of its request."""


class Headers(Protocol):
    """A request's headers by their lower-case names; what is not ASCII reads as absent."""

    def get(self, name: str, /) -> str | None: ...


class Scope(Protocol):
    """What the server says of a request."""

    method: str
    path: str
    query_string: str

    @property
    def headers(self) -> Headers: ...


class Exchange(Protocol):
    """A request's body, whole or in parts, and the way to answer it."""

    def __call__(self) -> Awaitable[bytes]: ...

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...

    def response_file(self, status: int, headers: list[tuple[str, str]], file: str) -> None: ...


async def read_body(headers: Headers, exchange: Exchange, patience: Patience) -> bytes:
    """The whole body. Raises TooLarge, TooSlow, or Gone."""
    declared = headers.get("content-length")
    if declared is None:
        return await patience.read(_collect(exchange))
    try:
        size = int(declared)
    except ValueError:
        raise BadInput("REQUEST_MALFORMED", "Content-Length 无效。", "The Content-Length is not a number.") from None
    if size > wire.BODY_BYTES_MAX:
        raise _too_large()
    return await patience.read(exchange())


async def _collect(exchange: Exchange) -> bytes:
    """A body of undeclared size, given up as soon as it is too large."""
    body = b""
    async for part in exchange:
        body += part
        if len(body) > wire.BODY_BYTES_MAX:
            raise _too_large()
    return body


async def parts_of(exchange: Exchange) -> AsyncIterator[bytes]:
    """A body of any length as it comes. Raises TooSlow when nothing comes for long."""
    parts = aiter(exchange)
    while True:
        try:
            async with asyncio.timeout(PART_S_MAX):
                part = await anext(parts)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise errors.too_slow() from None
        yield part


def _too_large() -> OneCardError:
    most = wire.BODY_BYTES_MAX
    return errors.TooLarge("REQUEST_TOO_LARGE", f"请求超过 {most} 字节。", f"The request is over {most} bytes.")


_ANSWER = [("content-type", "application/json"), ("cache-control", "no-store")]
_PROBLEM = [("content-type", "application/problem+json"), ("cache-control", "no-store")]


def send(exchange: Exchange, response: Response, trace: str) -> None:
    """Answer, with the trace; the server adds the length. A caller who has gone hears nothing."""
    if response.kind is not None:
        headers = [("content-type", response.kind)]
    else:
        headers = _ANSWER if response.status < 400 else _PROBLEM
    headers = [*headers, *response.headers, ("x-trace", trace)]
    if response.file is None:
        exchange.response_bytes(response.status, headers, response.body)
        return
    # The server reads a file as fast as the caller takes it; what is sent in parts it would keep in memory, all of it.
    # It opens the file for itself, by its number, a moment after this.
    exchange.response_file(response.status, headers, f"/dev/fd/{response.file.fileno()}")
    asyncio.get_running_loop().call_later(OPENED_S_MAX, response.file.close)
