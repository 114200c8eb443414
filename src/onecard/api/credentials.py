"""The client's own credentials: which there are, a further one beside them, and withdrawing one.

A secret is shown once, by the answer that made it, and is kept nowhere: who sends the same again is told of the
credential without it.
"""

import datetime as dt
from enum import StrEnum
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from onecard.api.access import caller
from onecard.api.declare import operation
from onecard.api.fields import PAGE, PAGE_MAX, Asked, Code, Day, Limit, Reason
from onecard.api.writing import Key, write
from onecard.foundation import clock
from onecard.kernel.sharing import credentials, models
from onecard.kernel.sharing.scopes import Scope

router = Router(tags=["credentials"])


class Standing(StrEnum):
    """Where a credential stands: good, good until `valid_to`, or worth nothing any more."""

    ACTIVE = "active"
    ENDING = "ending"
    ENDED = "ended"


class Credential(Schema):
    """An id by which you get tokens. `valid_to` is from when on it is worth nothing, null is open. `in_use`: it got the
    token of this very request.
    """

    client_id: str = Field(examples=["NT-BUS.1a2b3c4d"])
    state: Standing
    given_at: dt.datetime
    given_by: Literal["client", "office"]
    valid_to: dt.datetime | None
    in_use: bool


class Credentials(Schema):
    """A page, the newest first; `next` goes into `after`, null is the last."""

    credentials: list[Credential]
    next: str | None


class CredentialsAsked(Asked):
    after: Code = Field("", description="`next` of the page above")
    limit: Limit = Field(PAGE, ge=1, le=PAGE_MAX)


class TurnOver(Asked):
    """How the credentials before the new one go on."""

    older_until: Day | None = Field(
        None, description="the day before which those before it stay good; without it, as long as they were to"
    )


class NewCredential(Schema):
    """`client_secret` is shown here and never again; in a repeated answer it is null: then withdraw this credential and
    make another.
    """

    credential: Credential
    client_secret: str | None


class WhyWithdrawn(Asked):
    """Why; it is kept in the audit trail."""

    reason: Reason


@operation(router, "GET", "/credentials", Scope.CREDENTIALS, Credentials, 404)
def list_credentials(request: HttpRequest, asked: Query[CredentialsAsked]) -> Credentials:
    """Your credentials, the newest first, those that ended too. No secret is in it: we know its hash only."""
    found = credentials.page(caller(request), before=asked.after, limit=asked.limit + 1)
    page = found[: asked.limit]
    last = page[-1].client_id if len(found) > len(page) else None
    return Credentials(credentials=[_credential(request, row) for row in page], next=last)


@operation(router, "POST", "/credentials", Scope.CREDENTIALS, NewCredential, 409)
def make_credential(request: HttpRequest, asked: TurnOver, idempotency_key: Key) -> HttpResponse:
    """Make a further credential, to change over without a gap. There are three in force at most."""
    drawn: list[str] = []

    def do() -> dict[str, Any]:
        made, secret = credentials.turn_over(caller(request), asked.older_until)
        drawn.append(secret)
        return _credential(request, made).model_dump(mode="json")

    def shown(done: dict[str, Any]) -> dict[str, Any]:
        return {"credential": done, "client_secret": drawn[0] if drawn else None}

    return write(request, idempotency_key, asked, do, shown)


@operation(router, "POST", "/credentials/{client_id}/withdrawal", Scope.CREDENTIALS, Credential, 404, 409)
def withdraw_credential(
    request: HttpRequest, client_id: Code, asked: WhyWithdrawn, idempotency_key: Key
) -> HttpResponse:
    """Withdraw a credential at once, with every token that it got. Withdrawing it again changes nothing."""

    def do() -> dict[str, Any]:
        withdrawn = credentials.withdraw(caller(request), client_id, asked.reason)
        return _credential(request, withdrawn).model_dump(mode="json")

    return write(request, idempotency_key, asked, do)


def _credential(request: HttpRequest, row: models.Credential) -> Credential:
    return Credential(
        client_id=row.client_id,
        state=_standing(row.valid_to),
        given_at=row.created,
        given_by="client" if row.given_by.startswith("client:") else "office",
        valid_to=row.valid_to,
        in_use=row.client_id == caller(request).credential,
    )


def _standing(valid_to: dt.datetime | None) -> Standing:
    if valid_to is None:
        return Standing.ACTIVE
    return Standing.ENDING if clock.now() < valid_to else Standing.ENDED
