"""What a purse may spend and take in, as the fold goes on; the ledger judges the same again when it posts."""

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
