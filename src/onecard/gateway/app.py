"""The application: routes, and the life of one process. How requests are read and answered is in `rsgi.py`.

Environment: ONECARD_DATABASE_URL (the gateway's role), ONECARD_KEYS, ONECARD_NODE, ONECARD_SUITE; for payments by
bank account ONECARD_BANK_URL and ONECARD_BANK_KEY.
"""

import asyncio
import gc
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import msgspec

from onecard.foundation.errors import OneCardError
from onecard.foundation.terminal import sentence
from onecard.gateway import batch, errors, lists, packs, page, reference, rsgi, wire
from onecard.gateway.patience import Patience
from onecard.gateway.rsgi import Headers
from onecard.gateway.services import Services
from onecard.gateway.wire import Response

log = logging.getLogger("onecard.gateway")

BODY_S_MAX = 10.0


@dataclass(frozen=True, slots=True)
class Route:
    """A path's method and handler: (services, path, headers, body) → Response. One that takes a body of any length
    gets it in parts.
    """

    method: str
    handle: Callable[[Services, str, Headers, Any], Awaitable[Response]]
    in_parts: bool = False


async def use(services: Services, path: str, headers: Headers, body: bytes) -> Response:
    signed = await services.terminals.check("POST", path, headers, body)
    return await services.use(signed, wire.use_request(body))


async def refund(services: Services, path: str, headers: Headers, body: bytes) -> Response:
    signed = await services.terminals.check("POST", path, headers, body)
    return await services.refund(signed, wire.decode(body, _refund_request))


async def explanation(services: Services, path: str, headers: Headers, body: bytes) -> Response:
    signed = await services.terminals.check("POST", path, headers, body)
    return await services.explain(signed, wire.explanation_request(body))


async def pairing(services: Services, path: str, headers: Headers, body: bytes) -> Response:
    return await services.pair(wire.decode(body, _pairing_request).pairing_code)


async def code_windows(services: Services, path: str, headers: Headers, body: bytes) -> Response:
    return await services.codes(headers.get("authorization") or "", wire.decode(body or b"{}", _codes_request).windows)


async def number(services: Services, path: str, headers: Headers, body: bytes) -> Response:
    wire.decode(body or b"{}", _number_request)
    return await services.number(headers.get("authorization") or "")


async def upload(services: Services, path: str, headers: Headers, parts: AsyncIterator[bytes]) -> Response:
    return await services.uploads.take(path, headers, parts)


async def journal(services: Services, path: str, headers: Headers, body: bytes) -> Response:
    return await services.uploads.head(path, headers)


async def status_list(services: Services, path: str, headers: Headers, body: bytes) -> Response:
    return await services.lists.answer(path, headers.get("accept"), headers.get("if-none-match"))


async def pack(services: Services, path: str, headers: Headers, body: bytes) -> Response:
    signed = await services.terminals.check("GET", path, headers, body)
    return await services.packs.answer(signed, headers.get("if-none-match"))


async def public_keys(services: Services, path: str, headers: Headers, body: bytes) -> Response:
    return await services.public_keys.answer()


async def terminal_page(services: Services, path: str, headers: Headers, body: bytes) -> Response:
    return services.page.answer(path, headers.get("if-none-match"))


async def the_reference(services: Services, path: str, headers: Headers, body: bytes) -> Response:
    return reference.answer()


async def health(services: Services, path: str, headers: Headers, body: bytes) -> Response:
    return await services.health()


_refund_request = msgspec.json.Decoder(wire.RefundRequest)
_pairing_request = msgspec.json.Decoder(wire.PairingRequest)
_codes_request = msgspec.json.Decoder(wire.CodesRequest)
_number_request = msgspec.json.Decoder(wire.NumberRequest)

ROUTES = {
    "/v1/uses": Route("POST", use),
    batch.UPLOAD: Route("POST", upload, in_parts=True),
    "/v1/refunds": Route("POST", refund),
    "/v1/explanations": Route("POST", explanation),
    "/v1/pairings": Route("POST", pairing),
    "/v1/codes": Route("POST", code_windows),
    "/v1/numbers": Route("POST", number),
    packs.PATH: Route("GET", pack),
    "/v1/keys": Route("GET", public_keys),
    reference.PATH: Route("GET", the_reference),
    "/health": Route("GET", health),
}
STATUS_LIST = Route("GET", status_list)
JOURNAL = Route("GET", journal)
TERMINAL_PAGE = Route("GET", terminal_page)


class Gateway:
    """One process of the gateway. The server calls the three methods of its protocol (RSGI)."""

    def __init__(self) -> None:
        self._services: Services | None = None
        self._patience = Patience(BODY_S_MAX)
        self._tasks: list[asyncio.Task[None]] = []

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """The server's first call. What is missing or malformed ends the process with one sentence."""
        try:
            self.start(loop)
        except OneCardError as error:
            raise SystemExit(sentence(error)) from None

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.run_until_complete(self.stop())

    async def __rsgi__(self, scope: rsgi.Scope, exchange: rsgi.Exchange) -> None:
        assert self._services is not None
        trace = uuid4().hex
        try:
            path, headers = scope.path, scope.headers
            route = _route(path, scope)
            if route.in_parts:
                response = await route.handle(self._services, path, headers, rsgi.parts_of(exchange))
            else:
                body = await rsgi.read_body(headers, exchange, self._patience) if route.method == "POST" else b""
                response = await route.handle(self._services, path, headers, body)
        except OneCardError as error:
            response = wire.problem(error, trace, _extra_headers(error))
        except rsgi.Gone:
            return
        except Exception:
            log.exception("a request failed, trace %s", trace)
            response = wire.problem(errors.our_fault(), trace)
        rsgi.send(exchange, response, trace)

    def start(self, loop: asyncio.AbstractEventLoop) -> Services:
        """Wire the process up and set its tasks going on its loop."""
        self._services = Services.from_environment(os.environ)
        self._tasks = [loop.create_task(self._services.lane.run()), loop.create_task(self._patience.run())]
        # What was imported lives as long as the process: the collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        return self._services

    async def stop(self) -> None:
        """End the tasks and close the connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._services is not None:
            await self._services.close()


def _route(path: str, scope: rsgi.Scope) -> Route:
    route: Route | None
    if path.startswith(page.PATH):
        route = TERMINAL_PAGE
    elif path.startswith(batch.JOURNALS):
        route = JOURNAL
    else:
        route = STATUS_LIST if path.startswith(lists.PATH) else ROUTES.get(path)
    if route is None or scope.query_string:  # no path takes a query, and none is signed
        raise errors.no_such_path()
    if route.method != scope.method:
        allowed = route.method
        raise errors.MethodNotAllowed("METHOD_NOT_ALLOWED", f"请使用 {allowed}。", f"Use {allowed}.", allowed=allowed)
    return route


def _extra_headers(error: OneCardError) -> tuple[tuple[str, str], ...]:
    if isinstance(error, errors.MethodNotAllowed):
        return (("allow", error.allowed),)
    return (("retry-after", "1"),) if error.status == 503 else ()


application = Gateway()
