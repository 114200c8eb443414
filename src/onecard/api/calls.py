"""The client's own calls: what it asked, how it was answered, and how long that took."""

import datetime as dt
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from onecard.api.access import caller
from onecard.api.declare import operation
from onecard.api.fields import PAGE, PAGE_MAX, Asked, Limit, Moment, StatusCode, Trace
from onecard.kernel.sharing import calls
from onecard.kernel.sharing.scopes import Scope

router = Router(tags=["calls"])


class Call(Schema):
    """A request of yours: by which credential (`client_id`), of which operation, how it was answered, and how many
    milliseconds that took. `code` is that of a problem.
    """

    trace: str = Field(examples=["019b2f6e7c1a7d3e9a513c0f5b7e2d10"])
    at: dt.datetime
    client_id: str
    method: str = Field(examples=["GET"])
    operation: str = Field(examples=["list_uses"])
    status: int = Field(examples=[200])
    code: str | None
    took_ms: int


class Calls(Schema):
    """A page, the newest first; `next` goes into `after`, null is the last."""

    calls: list[Call]
    next: str | None


class CallsAsked(Asked):
    since: Moment | None = Field(None, description="came then or later")
    until: Moment | None = Field(None, description="came before then")
    status: StatusCode | None = Field(None, description="answered with it")
    after: Trace | None = Field(None, description="`next` of the page above")
    limit: Limit = Field(PAGE, ge=1, le=PAGE_MAX)


@operation(router, "GET", "/calls", Scope.CALLS, Calls)
def list_calls(request: HttpRequest, asked: Query[CallsAsked]) -> Calls:
    """Your calls of the last thirty days, the newest first. A call is there within seconds."""
    wanted = calls.Wanted(asked.since, asked.until, asked.status)
    before = UUID(asked.after) if asked.after else None
    found = calls.page(caller(request).client_id, wanted, before=before, limit=asked.limit + 1)
    page = found[: asked.limit]
    return Calls(calls=[_call(row) for row in page], next=page[-1].id.hex if len(found) > len(page) else None)


@operation(router, "GET", "/calls/{trace}", Scope.CALLS, Call, 404)
def get_call(request: HttpRequest, trace: Trace) -> Call:
    """The call whose answer carried this trace."""
    return _call(calls.one(caller(request).client_id, UUID(trace)))


def _call(row: calls.Call) -> Call:
    return Call(
        trace=row.id.hex,
        at=row.at,
        client_id=row.credential,
        method=row.method,
        operation=row.operation,
        status=row.status,
        code=row.code,
        took_ms=row.took_ms,
    )
