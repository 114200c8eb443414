"""What a reader saw (出示): the text of a code, or a card that can be tapped. What inputs give and the gate takes."""

from collections.abc import Callable
from dataclasses import dataclass

from onecard_kit.presentation import Chip
from onecard_kit.terms import Leg

Tap = Callable[[str, str, int], tuple[Chip, str | None]]
"""A card on a reader: asked for a cryptogram over (terminal, journal, sequence), it gives its signed file as well."""


class CardGone(Exception):
    """The card left the reader, or answers with nothing that a card of ours would."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One of `code` and `tap`, and what else the input says of it; what it does not say, the gate's configuration does.
    `manual`: staff admit by hand, for a `reason`.
    """

    code: str | None = None
    tap: Tap | None = None
    item: str | None = None
    amount_fen: int | None = None
    leg: Leg | None = None
    manual: bool = False
    reason: str | None = None
