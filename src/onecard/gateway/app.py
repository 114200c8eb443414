"""The ASGI application: routes, limits on what a stranger may send, and the two connections a process holds.

Environment: ONECARD_DATABASE_URL (the gateway's role), ONECARD_KEYS, ONECARD_NODE.
"""

import asyncio
import gc
import logging
import os
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import msgspec

from onecard.foundation.errors import BadInput, OneCardError
from onecard.gateway import errors, wire
from onecard.gateway.patience import Patience
from onecard.gateway.services import Services
from onecard.gateway.wire import Response

log = logging.getLogger("onecard.gateway")

BODY_S_MAX = 10.0
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = dict[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Route:
    """A path's method and handler: (services, path, headers, body) → Response."""

    method: str
    handle: Callable[[Services, str, Headers, bytes], Awaitable[Response]]


async def use(services: Services, path: str, headers: Headers, body: bytes) -> Response:
    signed = await services.terminals.check("POST", path, headers, body)
    return await services.use(signed, wire.use_request(body))


async def refund(services: Services, path: str, headers: Headers, body: bytes) -> Response:
    signed = await services.terminals.check("POST", path, headers, body)
    return await services.refund(signed, wire.decode(body, _refund_request))


async def pairing(services: Services, path: str, headers: Headers, body: bytes) -> Response:
    return await services.pair(wire.decode(body, _pairing_request).pairing_code)


async def code_windows(services: Services, path: str, headers: Headers, body: bytes) -> Response:
    return await services.codes(headers.get(b"authorization", b""), wire.decode(body or b"{}", _codes_request).windows)


async def health(services: Services, path: str, headers: Headers, body: bytes) -> Response:
    return await services.health()


_refund_request = msgspec.json.Decoder(wire.RefundRequest)
_pairing_request = msgspec.json.Decoder(wire.PairingRequest)
_codes_request = msgspec.json.Decoder(wire.CodesRequest)

ROUTES = {
    "/v1/uses": Route("POST", use),
    "/v1/refunds": Route("POST", refund),
    "/v1/pairings": Route("POST", pairing),
    "/v1/codes": Route("POST", code_windows),
    "/health": Route("GET", health),
}


class Gateway:
    """One process of the gateway."""

    def __init__(self) -> None:
        self._services: Services | None = None
        self._patience = Patience(BODY_S_MAX)
        self._tasks: list[asyncio.Task[None]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self._stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _start(self) -> Services:
        if self._services is None:
            self._services = Services.from_environment(os.environ)
            loop = asyncio.get_running_loop()
            self._tasks = [loop.create_task(self._services.lane.run()), loop.create_task(self._patience.run())]
            # What was imported lives as long as the process: the collector need not look at it again and again.
            gc.collect()
            gc.freeze()
        return self._services

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._services is not None:
            await self._services.close()

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        services = self._services or self._start()
        try:
            response = await self._respond(services, scope, receive)
        except ConnectionResetError:
            return
        headers = [
            (b"content-type", b"application/json" if response.status < 400 else b"application/problem+json"),
            (b"content-length", str(len(response.body)).encode()),
            (b"cache-control", b"no-store"),
            *response.headers,
        ]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})

    async def _respond(self, services: Services, scope: Scope, receive: Receive) -> Response:
        try:
            route = _route(scope)
            headers = dict(scope["headers"])
            body = await _read_body(headers, receive, self._patience) if route.method == "POST" else b""
            return await route.handle(services, scope["path"], headers, body)
        except OneCardError as error:
            return wire.problem(error, uuid4().hex, _extra_headers(error))
        except ConnectionResetError:
            raise
        except Exception:
            trace = uuid4().hex
            log.exception("a request failed, trace %s", trace)
            return wire.problem(errors.our_fault(), trace)


def _route(scope: Scope) -> Route:
    route = ROUTES.get(scope["path"])
    if route is None or scope["query_string"]:  # no path takes a query, and none is signed
        raise errors.NoSuchPath("NO_SUCH_PATH", "没有这个接口。", "There is no such path.")
    if route.method != scope["method"]:
        raise errors.MethodNotAllowed("METHOD_NOT_ALLOWED", f"请使用 {route.method}。", f"Use {route.method}.")
    return route


async def _read_body(headers: Headers, receive: Receive, patience: Patience) -> bytes:
    """The whole body. Raises TooLarge, TooSlow, or ConnectionResetError when the caller left in the middle."""
    try:
        declared = int(headers.get(b"content-length", b"0"))
    except ValueError:
        raise BadInput("REQUEST_MALFORMED", "Content-Length 无效。", "The Content-Length is not a number.") from None
    if declared > wire.BODY_BYTES_MAX:
        raise _too_large()
    with patience.reading():
        return await _collect(receive, declared)


async def _collect(receive: Receive, declared: int) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError
        part: bytes = message.get("body", b"")
        body += part
        if len(body) > wire.BODY_BYTES_MAX:
            raise _too_large()
        if not message.get("more_body", False):
            break
    if declared and len(body) < declared:
        raise ConnectionResetError
    return body


def _too_large() -> OneCardError:
    most = wire.BODY_BYTES_MAX
    return errors.TooLarge("REQUEST_TOO_LARGE", f"请求超过 {most} 字节。", f"The request is over {most} bytes.")


def _extra_headers(error: OneCardError) -> tuple[tuple[bytes, bytes], ...]:
    return ((b"retry-after", b"1"),) if error.status == 503 else ()


application = Gateway()
