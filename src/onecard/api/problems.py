"""What a refusal looks like: application/problem+json (RFC 9457) with a stable code, both languages and the next step.

Every answer carries `X-Trace`, which finds its line in the log.
"""

import json
import logging
import time
from collections.abc import Callable
from uuid import UUID

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from ninja.errors import HttpError, ValidationError

from onecard.api import errors
from onecard.api.keeper import keeper
from onecard.foundation.errors import OneCardError
from onecard.foundation.ids import uuid7
from onecard.foundation.web.errors import busy, database_away
from onecard.foundation.web.middleware import TOO_LONG
from onecard.kernel.sharing.calls import Call
from onecard.kernel.sharing.queries import Caller, TurnedAway

log = logging.getLogger("onecard.api")

KIND = "application/problem+json"
FAULTS_TOLD_MAX = 5
# What every answer carries, as the document says it.
HEADERS = {
    "X-Trace": {
        "description": "The trace: name it when asking for help.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    }
}


def answer(request: HttpRequest, error: OneCardError) -> HttpResponse:
    """The response that says an error."""
    request.refused = error.code  # type: ignore[attr-defined]  # what the log of calls says
    body = {
        "type": "about:blank",
        "status": error.status,
        "code": error.code,
        "title": error.en,
        "detail": {"zh": error.zh, "en": error.en, "next_zh": error.next_zh, "next_en": error.next_en},
        "trace": trace_of(request),
    }
    response = HttpResponse(json.dumps(body, ensure_ascii=False), status=error.status, content_type=KIND)
    if error.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="onecard"' + (
            "" if error.code == "TOKEN_MISSING" else ', error="invalid_token"'
        )
    if isinstance(error, errors.TooMany):
        response["Retry-After"] = str(error.after_s)
    elif error.status == 503:
        response["Retry-After"] = "1"
    return response


def trace_of(request: HttpRequest) -> str:
    """The id of this request in the log, and in the log of the client's calls; it is what somebody names who asks for
    help.
    """
    trace: str | None = getattr(request, "trace", None)
    if trace is None:
        trace = request.trace = uuid7().hex  # type: ignore[attr-defined]
    return trace


def error_of(request: HttpRequest, exception: Exception) -> OneCardError:
    """What an exception that reached an operation's edge is to the caller; a fault of ours is logged."""
    if isinstance(exception, OneCardError):
        return exception
    if isinstance(exception, ValidationError):
        return errors.malformed(_faults(exception))
    if isinstance(exception, (RequestDataTooBig, TooManyFieldsSent)):
        return errors.too_large()
    if isinstance(exception, (BadRequest, SuspiciousOperation, MultiPartParserError, UnreadablePostError)):
        return errors.malformed("$")
    if isinstance(exception, HttpError):
        # The framework wraps what reading a body raised.
        why = exception.__cause__
        return why if isinstance(why, OneCardError) else errors.malformed("$")
    if isinstance(exception, Http404):
        return errors.no_such_path()
    if isinstance(exception, (OperationalError, InterfaceError)):
        return busy() if isinstance(exception.__cause__, TOO_LONG) else database_away()
    log.error("trace %s failed", trace_of(request), exc_info=exception)
    return errors.our_fault()


def _faults(error: ValidationError) -> str:
    """Where a request is wrong and how, without repeating what was sent."""
    told = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors]
    return "; ".join(told[:FAULTS_TOLD_MAX])


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, error_of(request, exception))


def no_such_path(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, errors.no_such_path())


def server_error(request: HttpRequest) -> HttpResponse:
    return answer(request, errors.our_fault())


class Problems:
    """Gives each request its trace, and a problem's form to what the framework refuses by itself; what a client asked
    goes to the log of its calls.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        trace, began = trace_of(request), time.monotonic()
        response = self.get_response(request)
        if response.status_code == 405 and response.get("Content-Type") != KIND:
            allowed = response.get("Allow", "")
            response = answer(request, errors.method_not_allowed(allowed))
            response["Allow"] = allowed
        response["X-Trace"] = trace
        caller = getattr(getattr(request, "auth", None), "code", "-")
        # Not the path as it was sent: it may name a holder, and hold a line of its own.
        route = request.resolver_match.route if request.resolver_match else "-"
        log.info("%s %s %s %s %s", trace, caller, request.method, route, response.status_code)
        _keep(request, response, time.monotonic() - began)
        return response


def _keep(request: HttpRequest, response: HttpResponse, took_s: float) -> None:
    """Hand a client's call over to its log; a stranger's is nobody's."""
    who: Caller | TurnedAway | None = getattr(request, "auth", None)
    if who is None or who.client_id is None:
        return
    operation: str = request.operation  # type: ignore[attr-defined]  # set before anybody was known
    keeper.take(
        Call(
            who.client_id, UUID(trace_of(request)), who.credential, str(request.method), operation,
            response.status_code, getattr(request, "refused", None), round(took_s * 1000),
        )
    )  # fmt: skip
