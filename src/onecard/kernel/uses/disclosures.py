"""The verbs by which an officer learns why a use came to what it did, or what would become of one.

Both tell something of a person: they take the permission ``uses.explain`` in the point's place and a reason, and leave
a fact.
"""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, Conflict, NotFound
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions as audit
from onecard.kernel.cards import queries
from onecard.kernel.cards.models import Card, Standing
from onecard.kernel.cards.rules import CardState
from onecard.kernel.catalogue.models import Item, Point, State
from onecard.kernel.holders import rules
from onecard.kernel.uses.present import Presented
from onecard.kernel.uses.refunds import use_unknown
from onecard_kit.terms import Medium


class Named(NamedTuple):
    """A card, by its number or by its holder."""

    number: str | None = None
    holder_id: int | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A card as it would be shown, and the terminal it would be shown at."""

    terminal_id: int
    presented: Presented


@transaction.atomic
def disclose_use(actor: Actor, use_id: UUID, reason: str) -> None:
    """Let an officer ask why a use came to what it did. Raises NotFound USE_UNKNOWN, BadInput REASON_MISSING."""
    found = rows(
        "SELECT p.division, s.holder_id FROM uses_use u JOIN catalogue_point p ON p.id = u.point_id"
        " LEFT JOIN cards_standing s ON s.card_id = u.card_id WHERE u.id = $1",
        use_id,
    )
    if not found:
        raise use_unknown()
    [(division, holder_id)] = found
    actor.require("uses.explain", division)
    subject = f"use:{use_id}" if holder_id is None else f"holder:{holder_id}"
    audit.record(
        actor,
        "uses.explain",
        subject,
        place=division,
        reason=rules.check_reason(reason),
        detail={"use": str(use_id), **actor.signed},
    )


@transaction.atomic
def disclose_card(actor: Actor, named: Named, item: str, point_code: str, medium: Medium | None, reason: str) -> Shown:
    """Let an officer ask what would become of a use of an item at a point. Without a medium the card is shown as the
    code of its e-card, if it has one.

    Raises NotFound ITEM_UNKNOWN, POINT_UNKNOWN, CARD_UNKNOWN, ECARD_UNKNOWN, Conflict TERMINAL_MISSING, BadInput
    CARD_OR_HOLDER, REASON_MISSING.
    """
    point = Point.objects.filter(code=point_code).first()
    if point is None:
        raise NotFound("POINT_UNKNOWN", f"没有用卡点 {point_code}。", f"There is no point {point_code}.")
    actor.require("uses.explain", point.division)
    if not Item.objects.filter(code=item).exists():
        raise NotFound("ITEM_UNKNOWN", f"没有应用项目 {item}。", f"There is no item {item}.")
    card, shown = as_shown(named, point, medium)
    audit.record(
        actor,
        "uses.explain",
        f"holder:{card.holder_id}",
        place=point.division,
        reason=rules.check_reason(reason),
        detail={"card": card.pk, "item": item, "point": point_code, **actor.signed},
    )
    return shown


def as_shown(named: Named, point: Point, medium: Medium | None) -> tuple[Card, Shown]:
    """A card as it would be shown at a point, genuine and fresh, for whoever may ask about it. Without a medium it is
    shown as the code of its e-card, if it has one.

    Raises NotFound CARD_UNKNOWN, ECARD_UNKNOWN, Conflict TERMINAL_MISSING, BadInput CARD_OR_HOLDER.
    """
    card = _card(named)
    return card, Shown(_terminal(point), _presented(card, medium))


def _card(named: Named) -> Card:
    """The card that is named, or the holder's: one that is active before others, then the newest."""
    if (named.number is None) == (named.holder_id is None):
        raise BadInput("CARD_OR_HOLDER", "请指明卡号或持卡人之一。", "Name one of card and holder.")
    if named.holder_id is None:
        return queries.by_number(named.number or "")
    held = sorted(queries.of_holder(named.holder_id), key=lambda card: card.state != CardState.ACTIVE)
    if not held:
        raise NotFound("CARD_UNKNOWN", "该持卡人没有卡。", "The holder has no card.")
    return held[0]


def _terminal(point: Point) -> int:
    """One of the point's terminals: what a use comes to there does not depend on which, unless it is suspended."""
    terminals = sorted(point.terminals.all(), key=lambda each: (each.state != State.ACTIVE, each.pk))
    if not terminals:
        raise Conflict(
            "TERMINAL_MISSING",
            f"用卡点 {point.code} 没有终端。",
            f"The point {point.code} has no terminal.",
            next_zh="请先登记终端。",
            next_en="Register a terminal first.",
        )
    return terminals[0].pk


def _presented(card: Card, medium: Medium | None) -> Presented:
    """The card as a gate would read it, genuine and fresh."""
    standing = Standing.objects.filter(pk=card.pk).first()
    serial = standing.ecard_serial if standing is not None else None
    if medium is Medium.CODE and serial is None:
        raise NotFound(
            "ECARD_UNKNOWN",
            "该卡没有电子社保卡，无法出示二维码。",
            "The card has no e-card, so no code can be shown.",
            next_zh="请改问出示实体卡。",
            next_en="Ask about the physical card instead.",
        )
    if medium is not Medium.CARD and serial is not None:
        return Presented(Medium.CODE, serial=serial)
    return Presented(Medium.CARD, number_index=bytes(standing.number_index) if standing is not None else b"")
