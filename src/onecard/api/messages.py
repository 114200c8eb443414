"""The messages that a client is sent: its endpoints, what is on its way, a key's rotation, and sending again."""

import datetime as dt
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from onecard.api.access import caller
from onecard.api.declare import operation
from onecard.api.fields import PAGE, PAGE_MAX, Asked, Limit, Number, Text
from onecard.api.writing import Key, write
from onecard.kernel.messages import models, queries, signing
from onecard.kernel.messages.kinds import Kind
from onecard.kernel.sharing import deliveries, endpoint_requests
from onecard.kernel.sharing import models as requests
from onecard.kernel.sharing.scopes import Scope

router = Router(tags=["messages"])


class State(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


class Endpoint(Schema):
    """Where you take messages, of which kinds; `key_id` is what signs them. `waiting` and `dead` are how many
    deliveries wait and were given up; while it rests, because it did not answer, nothing is sent.
    """

    id: int
    url: str
    kinds: list[str]
    state: str = Field(examples=["active"])
    key_id: str
    failures: int
    rests_until: dt.datetime | None
    waiting: int
    dead: int


class Endpoints(Schema):
    endpoints: list[Endpoint]


class Decision(StrEnum):
    """Where a request for an endpoint stands."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    DECLINED = "declined"


class EndpointRequest(Schema):
    """An endpoint that you asked for; `reason` is why it was declined."""

    id: int
    url: str
    kinds: list[str]
    state: Decision
    made_at: dt.datetime
    reason: str


class EndpointRequests(Schema):
    """A page, the newest first; `next` goes into `after`, null is the last."""

    requests: list[EndpointRequest]
    next: int | None


class EndpointRequestsAsked(Asked):
    after: Number | None = Field(None, description="`next` of the page above")
    limit: Limit = Field(PAGE, ge=1, le=PAGE_MAX)


class WantedEndpoint(Asked):
    """Where you want messages, `https://host/path` without an account, a query or a fragment; and of which kinds."""

    url: Text
    kinds: list[Kind] = Field(min_length=1, max_length=len(Kind))


class Delivery(Schema):
    """A message on its way to an endpoint. `message` is the `id` of the event."""

    id: int
    message: UUID
    kind: str = Field(examples=["terminal.suspended"])
    subject: str
    at: dt.datetime
    state: State
    tries: int
    tried_at: dt.datetime | None
    next_try_at: dt.datetime | None
    last_error: str


class Deliveries(Schema):
    """A page, the newest first; `next` goes into `after`, null is the last."""

    deliveries: list[Delivery]
    next: int | None


class DeliveriesAsked(Asked):
    state: State | Literal[""] = ""
    after: Number | None = Field(None, description="the last id of the page above")
    limit: Limit = Field(PAGE, ge=1, le=PAGE_MAX)


class NewKey(Schema):
    """The key that signs from now on, 64 hex digits; until `older_to` the one before it signs, too."""

    key_id: str
    key: str
    older_to: dt.datetime


class Queued(Schema):
    """It is sent within seconds."""

    queued: Literal[True] = True


class Nothing(Asked):
    """There is nothing to say."""


@operation(router, "GET", "/endpoints", Scope.MESSAGES, Endpoints)
def list_endpoints(request: HttpRequest) -> Endpoints:
    """Your endpoints. There are ten at most; the one-card office files them."""
    return Endpoints(endpoints=[_endpoint(row) for row in queries.endpoints_of(caller(request).actor.name)])


@operation(router, "GET", "/endpoint-requests", Scope.MESSAGES, EndpointRequests)
def list_endpoint_requests(request: HttpRequest, asked: Query[EndpointRequestsAsked]) -> EndpointRequests:
    """What you asked to have filed, the newest first, and what became of it."""
    found = endpoint_requests.page(caller(request), before=asked.after, limit=asked.limit + 1)
    page = found[: asked.limit]
    return EndpointRequests(
        requests=[_endpoint_request(row) for row in page], next=page[-1].pk if len(found) > len(page) else None
    )


@operation(router, "POST", "/endpoint-requests", Scope.MESSAGES, EndpointRequest, 409)
def request_endpoint(request: HttpRequest, asked: WantedEndpoint, idempotency_key: Key) -> HttpResponse:
    """Ask for an endpoint. The office looks at the address, since it is where data is sent, and files it or says why
    not. Once it is filed, changing its key tells you the key.
    """

    def do() -> dict[str, Any]:
        made = endpoint_requests.ask(caller(request), asked.url, [kind.value for kind in asked.kinds])
        return _endpoint_request(made).model_dump(mode="json")

    return write(request, idempotency_key, asked, do)


@operation(router, "GET", "/endpoints/{endpoint}/deliveries", Scope.MESSAGES, Deliveries, 404)
def list_deliveries(request: HttpRequest, endpoint: Number, asked: Query[DeliveriesAsked]) -> Deliveries:
    """What is or was on its way to an endpoint in the last thirty days, the newest first."""
    known = deliveries.own(caller(request), endpoint)
    found = queries.deliveries_of(known.pk, state=asked.state, before=asked.after, limit=asked.limit + 1)
    page = found[: asked.limit]
    return Deliveries(
        deliveries=[_delivery(row) for row in page], next=page[-1].pk if len(found) > len(page) else None
    )  # fmt: skip


@operation(router, "POST", "/endpoints/{endpoint}/deliveries/{delivery}/replay", Scope.MESSAGES, Queued, 404, 409)
def replay_delivery(
    request: HttpRequest, endpoint: Number, delivery: Number, asked: Nothing, idempotency_key: Key
) -> HttpResponse:
    """Send a message again at once, also one that was given up, or taken and lost at your side."""

    def do() -> dict[str, Any]:
        deliveries.send_again(caller(request), endpoint, delivery)
        return Queued().model_dump()

    return write(request, idempotency_key, asked, do)


@operation(router, "POST", "/endpoints/{endpoint}/ping", Scope.MESSAGES, Queued, 404, 409)
def ping_endpoint(request: HttpRequest, endpoint: Number, asked: Nothing, idempotency_key: Key) -> HttpResponse:
    """Have a message of the kind `ping` sent to this endpoint."""

    def do() -> dict[str, Any]:
        deliveries.ping(caller(request), endpoint)
        return Queued().model_dump()

    return write(request, idempotency_key, asked, do)


@operation(router, "POST", "/endpoints/{endpoint}/key", Scope.MESSAGES, NewKey, 404, 409)
def rotate_endpoint_key(request: HttpRequest, endpoint: Number, asked: Nothing, idempotency_key: Key) -> HttpResponse:
    """Change the key that signs what you are sent. For a day every message carries a signature under each."""

    def do() -> dict[str, Any]:
        number, older_to = deliveries.rotate_key(caller(request), endpoint)
        return {"key_number": number, "older_to": older_to.isoformat()}

    def shown(done: dict[str, Any]) -> dict[str, Any]:
        number = done["key_number"]
        key_id, key = signing.key_id(endpoint, number), signing.key_of(endpoint, number)
        return NewKey(key_id=key_id, key=key.hex(), older_to=done["older_to"]).model_dump(mode="json")

    return write(request, idempotency_key, asked, do, shown)


def _endpoint(row: models.Endpoint) -> Endpoint:
    return Endpoint(
        id=row.pk,
        url=row.url,
        kinds=sorted(row.kinds),
        state=row.state,
        key_id=signing.key_id(row.pk, row.key_number),
        failures=row.failures,
        rests_until=row.rests_until,
        waiting=row.waiting,  # type: ignore[attr-defined]  # counted beside it
        dead=row.dead,  # type: ignore[attr-defined]
    )


def _endpoint_request(row: requests.EndpointRequest) -> EndpointRequest:
    return EndpointRequest(
        id=row.pk,
        url=row.url,
        kinds=sorted(row.kinds),
        state=Decision(row.state),
        made_at=row.made_at,
        reason=row.reason,
    )


def _delivery(row: models.Delivery) -> Delivery:
    return Delivery(
        id=row.pk,
        message=row.message_id,
        kind=row.message.kind,
        subject=row.message.subject,
        at=row.message.at,
        state=State(row.state),
        tries=row.tries,
        tried_at=row.tried_at,
        next_try_at=row.next_try_at if row.state == State.WAITING else None,
        last_error=row.last_error,
    )
