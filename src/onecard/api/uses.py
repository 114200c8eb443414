"""Uses at the client's own points: pages in the order in which they were recorded, and one use."""

import datetime as dt
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from onecard.api.access import caller
from onecard.api.declare import Words, operation
from onecard.api.fields import PAGE, PAGE_MAX, Asked, Code, Id, Limit, Moment
from onecard.kernel.sharing import disclosures, pseudonyms
from onecard.kernel.sharing.queries import Caller
from onecard.kernel.sharing.scopes import Scope
from onecard.kernel.uses import own_points
from onecard.kernel.uses.own_points import OwnUse, Wanted
from onecard_kit.verdicts import WORDS, Verdict

router = Router(tags=["uses"])


class VerdictWords(Words):
    """A verdict: decide by `code` or `admitted`, show the words."""

    code: str = Field(examples=["ADMITTED"])


class Price(Schema):
    """In whole fen: the full price, what the holder paid, what the funder of a concession bears, what the operator
    waived.
    """

    full_fen: int
    paid_fen: int
    funded_fen: int
    waived_fen: int
    concession: str | None


class Use(Schema):
    """A use at one of your points. `at` is when it happened, `recorded_at` when it was recorded.

    `holder` is your pseudonym of whose it was; null without the scope `uses.holders`, or where no card was recognised.
    """

    id: UUID
    at: dt.datetime
    recorded_at: dt.datetime
    point: str = Field(examples=["NT-BUS-L01"])
    terminal: str = Field(examples=["NT-BUS-L01-1"])
    item: str = Field(examples=["transit.bus_ride"])
    version: int | None
    medium: str = Field(examples=["code"])
    leg: str | None
    admitted: bool
    verdict: VerdictWords
    price: Price
    refunded: bool
    holder: str | None


class Uses(Schema):
    """A page, the oldest first. `next` goes into `after`; null is the end for now: then go on later from `resume`, and
    know a use that you have seen by its `id`.
    """

    uses: list[Use]
    next: UUID | None
    resume: UUID


class UsesAsked(Asked):
    """What to keep of the list. A page may be short and still have a next one."""

    since: Moment | None = Field(None, description="recorded then or later")
    until: Moment | None = Field(None, description="recorded before then")
    point: Code = ""
    item: Code = ""
    verdict: Verdict | None = None
    after: Id | None = Field(None, description="`next` or `resume` of an answer before")
    limit: Limit = Field(PAGE, ge=1, le=PAGE_MAX)


@operation(router, "GET", "/uses", Scope.USES, Uses)
def list_uses(request: HttpRequest, asked: Query[UsesAsked]) -> Uses:
    """The uses at your points, the oldest first."""
    who = caller(request)
    wanted = Wanted(asked.since, asked.until, asked.point, asked.item, asked.verdict.value if asked.verdict else "")
    page = own_points.page(who.client_id, wanted, after=asked.after, limit=asked.limit)
    disclosures.disclose_list(who, [use.holder_id for use in page.uses])
    return Uses(uses=[_use(who, use) for use in page.uses], next=page.next, resume=page.resume)


@operation(router, "GET", "/uses/{use}", Scope.USES, Use, 404)
def get_use(request: HttpRequest, use: Id) -> Use:
    """One use at one of your points; another client's is not there."""
    who = caller(request)
    found = own_points.one(who.client_id, use)
    disclosures.disclose_list(who, [found.holder_id])
    return _use(who, found)


def _use(who: Caller, use: OwnUse) -> Use:
    verdict = Verdict(use.verdict)
    named = use.holder_id is not None and Scope.USES_HOLDERS in who.scopes
    return Use(
        id=use.id,
        at=use.at,
        recorded_at=use.recorded_at,
        point=use.point,
        terminal=use.terminal,
        item=use.item,
        version=use.version,
        medium=use.medium,
        leg=use.leg,
        admitted=verdict is Verdict.ADMITTED,
        verdict=VerdictWords(code=verdict.value, zh=WORDS[verdict].zh, en=WORDS[verdict].en),
        price=Price(
            full_fen=use.full_fen,
            paid_fen=use.paid_fen,
            funded_fen=use.full_fen - use.paid_fen - use.waived_fen,
            waived_fen=use.waived_fen,
            concession=use.concession,
        ),
        refunded=use.refunded,
        holder=pseudonyms.of_holder(who.client_id, use.holder_id or 0) if named else None,
    )
