"""What a purse may spend and take in, as the fold goes on; the ledger judges the same again when it posts."""

from onecard.kernel.uses.load.facts import Debt, Journey
from onecard_kit.admissions import Stands, bearer_of, lessened
from onecard_kit.decide import Decision
from onecard_kit.terms import Item, Means


def move_purse(
    purses: dict[int, list[int | None]], purse: int | None, item: Item, decision: Decision, held_fen: int = 0
) -> None:
    """Move [free, room] after a decision; `held_fen` was held for it before and is free again.

    A hold lessens what is free and leaves the room; what is paid gives room.
    """
    assert item.price is not None
    if purse is None or purse not in purses or decision.means is Means.BANK:
        return
    free, room = purses[purse]
    spent_fen = held_fen_now = added_fen = 0
    if item.price.payer == "holder.purse":
        spent_fen, held_fen_now = decision.paid_fen, decision.hold_fen or 0
    elif item.price.payee == "holder.purse":
        added_fen = decision.full_fen
    purses[purse] = [
        None if free is None else free + held_fen - held_fen_now - spent_fen + added_fen,
        None if room is None else room + spent_fen - added_fen,
    ]


def take_back(purses: dict[int, list[int | None]], journey: Journey) -> None:
    """Move a purse by what comes back of a journey that ended by itself."""
    if journey.back and journey.purse in purses:
        free, room = purses[journey.purse]
        back_fen = back_of(journey)
        purses[journey.purse] = [
            None if free is None else free + back_fen,
            None if room is None else room - back_fen - journey.back_owed_fen,
        ]


def back_of(journey: Journey) -> int:
    """What comes back to the purse of a journey that ended by itself."""
    return sum(each.amount_fen or 0 for each in journey.back if each.credit == journey.purse)


def has_room(purses: dict[int, list[int | None]], journey: Journey) -> bool:
    """Whether a purse can take all that comes back of a journey that ended by itself, also what was owed for it: that
    may have been paid since. What the way costs goes out only afterwards.
    """
    room = purses.get(journey.purse, (None, None))[1]
    return not journey.back or room is None or back_of(journey) + journey.back_owed_fen <= room


def at_hand(journey: Journey, item: Item, decision: Decision, free_fen: int = 0) -> Stands:
    """What is paid at a journey's end: from what is held for it, then from what is free; somebody bears the rest.

    What began online holds the most it can cost, and lacks nothing.
    """
    borne_by = journey.borne_by or bearer_of(item)
    if decision.paid_fen <= journey.held_fen:
        return Stands(decision, 0, borne_by)
    return lessened(decision, item, journey.held_fen + free_fen, borne_by)


def clear(
    purses: dict[int, list[int | None]], purse: int | None, debt: Debt | None, added_fen: int
) -> tuple[Debt, int] | None:
    """What of money that came into a purse goes on to what its holder owes; None: nothing. The purse is moved on."""
    if purse is None or debt is None or not debt.owed_fen or not added_fen:
        return None
    cleared_fen = min(debt.owed_fen, added_fen)
    free, room = purses[purse]
    purses[purse] = [
        None if free is None else free - cleared_fen, None if room is None else room + cleared_fen
    ]  # fmt: skip
    return debt, cleared_fen
