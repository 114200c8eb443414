"""What a gate admitted stands (闸机放行成立), also where the platform would have refused: only who pays is left to say.

The item's `offline` says it. What a gate could see by itself (its own state, item, point, medium, a forged code) is the
operator's; so is everything of an item that no gate may decide without a line.
"""

import msgspec

from onecard_kit.decide import Decision, Facts, cost_of
from onecard_kit.terms import BORNE_BY_HOLDER, BORNE_BY_OPERATOR, Item
from onecard_kit.verdicts import Verdict

_LACKS_MONEY = frozenset({Verdict.FUNDS_SHORT, Verdict.PURSE_MISSING})
_VERDICTS = tuple(Verdict)
# From here on a refusal is about the card and its holder, which a gate knows from lists of some age.
_OF_CARD = frozenset(_VERDICTS[_VERDICTS.index(Verdict.CARD_UNKNOWN) : _VERDICTS.index(Verdict.ADMITTED)])


class Stands(msgspec.Struct, frozen=True):
    """What becomes of an admission that the platform would have refused.

    `decision` is admitted and says what is paid: `paid_fen` or `hold_fen` is no more than the purse has, and what the
    operator bears is in `waived_fen`. `shortfall_fen` is what should have been paid and was not; a journey tells it at
    its end, by what is held then. `borne_by` is who bears it, or would.
    """

    decision: Decision
    shortfall_fen: int = 0
    borne_by: str = BORNE_BY_OPERATOR


def stands(facts: Facts, refusal: Verdict) -> Stands:
    """What becomes of a use that a gate admitted and that the platform, on these facts, refuses."""
    if facts.problem is not None:  # whoever showed it is not the holder
        return _unpaid(facts, BORNE_BY_OPERATOR, spent=False)
    if facts.standing is None:
        return _unpaid(facts, BORNE_BY_OPERATOR, spent=True)
    who = payer_of(facts.item, refusal)
    return _charged(facts) if who == BORNE_BY_HOLDER else _unpaid(facts, who, spent=True)


def payer_of(item: Item | None, refusal: Verdict) -> str:
    """Who pays for an admission that the platform would have refused so: one of `BEARERS`."""
    if refusal in _LACKS_MONEY:
        return BORNE_BY_HOLDER
    if item is None or item.offline is None:
        return BORNE_BY_OPERATOR
    if refusal is Verdict.REPLAYED:
        return item.offline.double
    return item.offline.refused if refusal in _OF_CARD else BORNE_BY_OPERATOR


def bearer_of(item: Item) -> str:
    """Who bears what the purse of a holder who should pay lacks: one of `BEARERS`."""
    return BORNE_BY_OPERATOR if item.offline is None else item.offline.shortfall


def _charged(facts: Facts) -> Stands:
    """The holder pays, as far as the purse goes."""
    cost = cost_of(facts)
    if cost is None or facts.item is None:
        return _unpaid(facts, BORNE_BY_OPERATOR, spent=True)
    price = facts.item.price
    if price is not None and price.payee == "holder.purse":  # whoever gave money at a counter gets it back there
        return Stands(Decision(Verdict.ADMITTED, True))
    borne_by, free_fen = bearer_of(facts.item), facts.purse_free_fen or 0
    if cost.hold_fen is not None:
        return Stands(msgspec.structs.replace(cost, hold_fen=min(cost.hold_fen, free_fen)), 0, borne_by)
    if facts.journey is not None or price is None or price.payer != "holder.purse":
        return Stands(cost, 0, borne_by)
    return lessened(cost, facts.item, free_fen, borne_by)


def lessened(cost: Decision, item: Item, free_fen: int, borne_by: str) -> Stands:
    """What is paid of a price with no more than `free_fen` at hand."""
    paid_fen = min(cost.paid_fen, free_fen)
    lacks_fen = cost.paid_fen - paid_fen
    waived_fen = cost.waived_fen + (lacks_fen if borne_by == BORNE_BY_OPERATOR else 0)
    counts = tuple((rule, day, paid_fen if rule == item.paid_rule else more) for rule, day, more in cost.counts)
    decision = msgspec.structs.replace(cost, paid_fen=paid_fen, waived_fen=waived_fen, counts=counts)
    return Stands(decision, lacks_fen, borne_by)


def _unpaid(facts: Facts, who: str, *, spent: bool) -> Stands:
    """The holder pays nothing, nor does who funds the holder's concession; nothing counts against them."""
    full_fen = _full_fen(facts)
    by_operator = who == BORNE_BY_OPERATOR
    decision = Decision(
        Verdict.ADMITTED,
        spent,
        full_fen=full_fen,
        waived_fen=full_fen if by_operator else 0,
        hold_fen=0 if facts.leg == "in" else None,
    )
    return Stands(decision, full_fen, who)


def _full_fen(facts: Facts) -> int:
    """The full price, as far as it can be told; of a journey's beginning nothing yet."""
    item = facts.item
    if item is None or item.price is None or item.price.payer != "holder.purse":
        return 0
    cost = cost_of(facts)
    if cost is not None:
        return cost.full_fen
    return item.price.full_fen or 0
