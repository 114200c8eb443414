"""The verb of entitlements that a person calls: a holder chooses in which order an item is paid."""

from collections.abc import Sequence

from django.db import transaction

from onecard.foundation import clock, sql
from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, NotPermitted
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions as audit
from onecard.kernel.catalogue import queries as catalogue
from onecard.kernel.entitlements import queries
from onecard_kit.terms import Item, Means

HERE = "onecard.kernel.entitlements"


@transaction.atomic
def choose_means(actor: Actor, holder_id: int, item: str, means: Sequence[Means]) -> None:
    """Pay an item by these means in this order, from the next use on; it holds for all cards of the holder.

    The holder alone chooses. What is not named follows in the item's order; the item's own order is kept as no choice.
    Raises NotPermitted NOT_YOUR_CHOICE, NotFound ITEM_UNKNOWN, BadInput MEANS_INVALID.
    """
    if actor.name != f"holder:{holder_id}":
        raise NotPermitted(
            "NOT_YOUR_CHOICE",
            "付款顺序只能由持卡人本人选择。",
            "Only the holder chooses how to pay.",
            next_zh="请持卡人登录后选择。",
            next_en="Have the holder sign in and choose.",
        )
    allowed = _declared(item).means
    if not means or len(set(means)) < len(means) or not set(means) <= set(allowed):
        raise BadInput(
            "MEANS_INVALID",
            f"该应用项目可用的付款方式为：{'、'.join(allowed)}。",
            f"The ways to pay this item are: {', '.join(allowed)}.",
            next_zh="请从中选择，每种一次。",
            next_en="Choose among them, each once.",
        )
    order = (*means, *(each for each in allowed if each not in means))
    if order == queries.means_of(holder_id).get(item, allowed):
        return
    if order == allowed:
        rows(sql.load(HERE, "forget_means"), holder_id, item)
    else:
        rows(sql.load(HERE, "choose_means"), holder_id, item, list(order))
    audit.record(actor, "entitlements.choose_means", f"holder:{holder_id}", detail={"item": item, "means": list(order)})


def _declared(code: str) -> Item:
    """What the item says today, or will when it begins. Raises NotFound ITEM_UNKNOWN."""
    catalogue.item(code)
    version = catalogue.version_for(code, clock.today())
    assert version is not None
    return catalogue.declared(version)
