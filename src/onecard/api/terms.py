"""Terms explained: why a use at the client's own points came to what it did, and what would become of one."""

import datetime as dt
from typing import Any

import msgspec
from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from onecard.api.access import caller
from onecard.api.declare import Detail, Words, operation
from onecard.api.fields import Asked, Code, Id, Moment, Pseudonym
from onecard.foundation import clock
from onecard.foundation.errors import BadInput, NotFound
from onecard.foundation.web import bridge
from onecard.kernel.catalogue.models import Item, Point
from onecard.kernel.sharing import disclosures
from onecard.kernel.sharing.scopes import Scope
from onecard.kernel.uses import explain, own_points
from onecard.kernel.uses.actions import Memory
from onecard.kernel.uses.disclosures import Named, as_shown
from onecard.kernel.uses.explain import Explanation
from onecard_kit.terms import Leg, Medium

router = Router(tags=["terms"])
FEN_MAX = 100_000_000
# How far from now a question may be: who could ask about any year would find the day on which a price changes with age,
# and so a birth date.
DAYS_AWAY_MAX = 31


class Verdict(Detail):
    """What it comes to, and what to do next."""

    code: str = Field(examples=["ADMITTED"])


class Reason(Words):
    code: str = Field(examples=["CONCESSION:senior_60"])


class PriceExplained(Schema):
    """In whole fen; `held_fen` is what a purse would hold for a journey that begins."""

    full_fen: int
    paid_fen: int
    funded_fen: int
    waived_fen: int
    held_fen: int | None
    concession: str | None


class Step(Words):
    """One rule that was looked at. `outcome` is `passed`, a verdict, or what a concession came to; `left_fen` what it
    leaves to pay. `as_recorded`: what it looked at was not kept, and is taken from what was recorded.
    """

    rule: str = Field(examples=["transit.bus_ride/senior_60"])
    outcome: str = Field(examples=["best"])
    left_fen: int | None
    as_recorded: bool


class Recorded(Schema):
    """What was recorded of the use."""

    verdict: str
    full_fen: int
    paid_fen: int
    waived_fen: int
    concession: str | None


class Explained(Schema):
    """Every rule that the decision looked at, in order, up to the first refusal.

    Of a recorded use, `agrees` says whether deciding it again on the facts as they stood comes to what was recorded;
    where not, `differs` says so in words.
    """

    admitted: bool
    verdict: Verdict
    reasons: list[Reason]
    price: PriceExplained
    steps: list[Step]
    agrees: bool | None
    recorded: Recorded | None
    differs: Words | None


class WhatIf(Asked):
    """A use that does not happen: your pseudonym of the holder, the item, one of your points, and how it would be."""

    holder: Pseudonym
    item: Code = Field(examples=["transit.bus_ride"])
    point: Code = Field(examples=["NT-BUS-L01"])
    at: Moment | None = Field(None, description=f"by default now; within {DAYS_AWAY_MAX} days of it")
    medium: Medium | None = Field(None, description="by default the code where there is an e-card")
    amount_fen: int | None = Field(None, ge=1, le=FEN_MAX, strict=True)
    leg: Leg | None = None


@operation(router, "GET", "/uses/{use}/explanation", Scope.EXPLAIN, Explained, 404)
def explain_use(request: HttpRequest, use: Id) -> dict[str, Any]:
    """Why a use at one of your points came to what it did. The holder sees that you asked, and what for."""
    who = caller(request)
    found = own_points.one(who.client_id, use)
    if found.holder_id is not None:
        disclosures.disclose(who, Scope.EXPLAIN, found.holder_id, {"use": str(use)})
    return _told(bridge.run(lambda connection: explain.of_use(connection, use, Memory())))


@operation(router, "POST", "/what-ifs", Scope.EXPLAIN, Explained, 404, 409)
def what_if(request: HttpRequest, asked: WhatIf) -> dict[str, Any]:
    """What would become of a use at one of your points. Nothing is recorded, spent or held, and no bank is asked.

    The holder sees that you asked, and what for.
    """
    who, at = caller(request), _moment(asked.at)
    holder_id = disclosures.holder_named(who, asked.holder)
    point = Point.objects.filter(code=asked.point, client_id=who.client_id).first()
    if point is None:
        raise NotFound(
            "POINT_UNKNOWN", f"您没有用卡点 {asked.point}。", f"You have no point {asked.point}.",
            next_zh="用卡点清单见 /v1/points。", next_en="See /v1/points for what there is.",
        )  # fmt: skip
    if not Item.objects.filter(code=asked.item).exists():
        raise NotFound("ITEM_UNKNOWN", f"没有应用项目 {asked.item}。", f"There is no item {asked.item}.")
    card, shown = as_shown(Named(holder_id=holder_id), point, asked.medium)
    disclosures.disclose(who, Scope.EXPLAIN, holder_id, {"card": card.pk, "item": asked.item, "point": point.code})
    question = explain.WhatIf(
        shown.terminal_id, asked.item, shown.presented, at, asked.amount_fen, asked.leg, bank=None
    )
    return _told(bridge.run(lambda connection: explain.what_if(connection, question, Memory())))


def _moment(asked: dt.datetime | None) -> dt.datetime:
    """The moment that a question is about. Raises BadInput MOMENT_TOO_FAR."""
    now = clock.now()
    if asked is not None and abs(asked - now) > dt.timedelta(days=DAYS_AWAY_MAX):
        raise BadInput(
            "MOMENT_TOO_FAR",
            f"只能询问前后 {DAYS_AWAY_MAX} 天以内的时间。",
            f"Ask about a moment within {DAYS_AWAY_MAX} days of now.",
        )
    return asked or now


def _told(explained: Explanation) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(explained.plain())
    return told
