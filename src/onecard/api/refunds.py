"""Giving a use at the client's own points back."""

import hashlib
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema

from onecard.api.access import caller
from onecard.api.declare import operation
from onecard.api.fields import Asked, Id, Reason
from onecard.api.writing import Key, write
from onecard.foundation.web import bridge
from onecard.kernel.audit import actions as audit
from onecard.kernel.sharing.queries import Caller
from onecard.kernel.sharing.scopes import Scope
from onecard.kernel.uses import own_points
from onecard.kernel.uses.actions import Memory
from onecard.kernel.uses.own_points import OwnUse
from onecard.kernel.uses.refunds import Asked as RefundAsked
from onecard.kernel.uses.refunds import refund

router = Router(tags=["uses"])


class Refund(Schema):
    """A refund that stands; in whole fen what went back to the holder, and what to who bore the concession."""

    refund: UUID
    use: UUID
    paid_fen: int
    funded_fen: int


class WhyGivenBack(Asked):
    """Why; it is kept in the audit trail."""

    reason: Reason


@operation(router, "POST", "/uses/{use}/refund", Scope.REFUND, Refund, 404, 409)
def refund_use(request: HttpRequest, use: Id, asked: WhyGivenBack, idempotency_key: Key) -> HttpResponse:
    """Give a use at one of your points back: in full, and once. What it paid, who bore the rest, a counted right and a
    place are as if it had not been.
    """
    who = caller(request)

    def do() -> dict[str, Any]:
        found = own_points.one(who.client_id, use)
        question = RefundAsked(use, found.terminal_id, None, _journal(who, idempotency_key), 0, who.client_id)
        made = bridge.run(lambda connection: refund(connection, question, Memory()))
        _record(who, found, asked.reason, made.id)
        told = Refund(refund=made.id, use=use, paid_fen=made.paid_fen, funded_fen=made.funded_fen)
        return told.model_dump(mode="json")

    return write(request, idempotency_key, asked, do)


def _journal(who: Caller, key: str) -> UUID:
    """The journal of this write alone, the same whenever it is sent: what makes a repetition the same refund."""
    return UUID(
        bytes=hashlib.blake2b(f"{who.client_id}\n{key}".encode(), digest_size=16, person=b"api-refund").digest()
    )


def _record(who: Caller, use: OwnUse, reason: str, refund_id: UUID) -> None:
    detail = {"refund": str(refund_id)}
    audit.record(who.actor, "uses.refund", f"use:{use.id}", place=use.division, reason=reason, detail=detail)
