"""The client's own points and terminals: which there are, and stopping one that went missing."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from onecard.api.access import caller
from onecard.api.declare import Words, operation
from onecard.api.fields import PAGE, PAGE_MAX, Asked, Code, Limit, Reason
from onecard.api.writing import Key, write
from onecard.kernel.catalogue import models, queries
from onecard.kernel.sharing import terminals
from onecard.kernel.sharing.scopes import Scope

router = Router(tags=["terminals"])


class Point(Schema):
    """One of your points: what it offers, who runs it, where it is (GB/T 2260)."""

    code: str = Field(examples=["NT-BUS-L01"])
    name: Words
    division: str = Field(examples=["320602"])
    operator: str = Field(examples=["NT-BUS"])
    state: str = Field(examples=["active"])
    items: list[str]


class Points(Schema):
    """A page by code; `next` goes into `after`, null is the last."""

    points: list[Point]
    next: str | None


class Terminal(Schema):
    """A device at one of your points. `suspended_by` is null while it serves, else `client` where you stopped it
    yourself, or `office`.
    """

    code: str = Field(examples=["NT-BUS-L01-1"])
    point: str
    attended: bool
    state: str = Field(examples=["active"])
    suspended_by: str | None


class Terminals(Schema):
    """A page by code; `next` goes into `after`, null is the last."""

    terminals: list[Terminal]
    next: str | None


class PointsAsked(Asked):
    after: Code = Field("", description="the last code of the page above")
    limit: Limit = Field(PAGE, ge=1, le=PAGE_MAX)


class TerminalsAsked(PointsAsked):
    point: Code = ""


class Why(Asked):
    """Why; it is kept in the audit trail."""

    reason: Reason


@operation(router, "GET", "/points", Scope.TERMINALS, Points)
def list_points(request: HttpRequest, asked: Query[PointsAsked]) -> Points:
    """Your points, by code."""
    found = queries.points_of_client(caller(request).client_id, after=asked.after, limit=asked.limit + 1)
    page = found[: asked.limit]
    return Points(points=[_point(row) for row in page], next=page[-1].code if len(found) > len(page) else None)


@operation(router, "GET", "/terminals", Scope.TERMINALS, Terminals)
def list_terminals(request: HttpRequest, asked: Query[TerminalsAsked]) -> Terminals:
    """Your terminals, or those of one point, by code."""
    client_id = caller(request).client_id
    found = queries.terminals_of_client(client_id, asked.point, after=asked.after, limit=asked.limit + 1)
    page = found[: asked.limit]
    last = page[-1].code if len(found) > len(page) else None
    return Terminals(terminals=[_terminal(row) for row in page], next=last)


@operation(router, "POST", "/terminals/{code}/suspension", Scope.SUSPEND, Terminal, 404, 409)
def suspend_terminal(request: HttpRequest, code: Code, asked: Why, idempotency_key: Key) -> HttpResponse:
    """Refuse every use at one of your terminals from now on. Stopping one that is stopped changes nothing."""

    def do() -> dict[str, Any]:
        return _terminal(terminals.suspend(caller(request), code, asked.reason)).model_dump(mode="json")

    return write(request, idempotency_key, asked, do)


@operation(router, "POST", "/terminals/{code}/resumption", Scope.SUSPEND, Terminal, 404, 409)
def resume_terminal(request: HttpRequest, code: Code, asked: Why, idempotency_key: Key) -> HttpResponse:
    """Let a terminal serve again that you stopped yourself. One that the office stopped is the office's to resume."""

    def do() -> dict[str, Any]:
        return _terminal(terminals.resume(caller(request), code, asked.reason)).model_dump(mode="json")

    return write(request, idempotency_key, asked, do)


def _point(row: models.Point) -> Point:
    return Point(
        code=row.code,
        name=Words(zh=row.name_zh, en=row.name_en),
        division=row.division,
        operator=row.operator.code,
        state=row.state,
        items=sorted(offer.item_id for offer in row.offer_set.all()),
    )


def _terminal(row: models.Terminal) -> Terminal:
    stopped = row.state == models.State.SUSPENDED
    by = "client" if row.suspended_by.startswith("client:") else "office"
    return Terminal(
        code=row.code,
        point=row.point.code,
        attended=row.attended,
        state=row.state,
        suspended_by=by if stopped else None,
    )
