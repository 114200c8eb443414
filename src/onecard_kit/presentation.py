"""A presentation (出示): what a terminal was shown, for which item, and the digest by which two tellings of it are one.

A terminal tells of a presentation in the body of a request, or in a line of its journal, or in both when the answer to
the request was lost on the way. All three have the same content, so they are one use.
"""

import hashlib
import re
from typing import Final

import msgspec

from onecard_kit.chips import COUNTER_MAX, NUMBER_CHARS
from onecard_kit.terms import Leg

AMOUNT_FEN_MAX: Final = 10_000_000
# Nothing else travels on as an item, known or not.
_ITEM: Final = re.compile(r"[a-z0-9_.]{1,100}")


class Chip(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A physical card as its reader read it: the number, the chip's counter and its cryptogram in hex."""

    number: str
    counter: int
    cryptogram: str


class Presentation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One presentation: exactly one of `code` (the text of the QR), `card` and `number` (as staff typed what was read
    aloud); `amount_fen` where the item's price is open, `leg` where it is used by tapping in and out.
    """

    item: str
    code: str | None = None
    card: Chip | None = None
    amount_fen: int | None = None
    leg: Leg | None = None
    number: str | None = None

    @property
    def content(self) -> bytes:
        """A digest of what was presented, the same online and from a journal: 16 bytes of BLAKE2b."""
        shown = self.number if self.code is None else self.code
        if self.card is not None:
            shown = msgspec.json.encode(self.card).decode()
        leg = "" if self.leg is None else f"\n{self.leg}"
        text = f"{self.item}\n{self.amount_fen}\n{shown}{leg}"
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()

    @property
    def flaw(self) -> str | None:
        """Where it is no presentation that anybody could have made, as path and expectation; None: it may be one."""
        if sum(shown is not None for shown in (self.code, self.card, self.number)) != 1:
            return "$: expected exactly one of code, card, number"
        if not _ITEM.fullmatch(self.item):
            return "$.item: expected an item's code: at most 100 lower-case letters, digits, _ and ."
        if self.amount_fen is not None and not 0 < self.amount_fen <= AMOUNT_FEN_MAX:
            return f"$.amount_fen: expected 1 to {AMOUNT_FEN_MAX}"
        return None if self.card is None or _is_readable(self.card) else _CHIP_FLAW


_CHIP_FLAW: Final = "$.card: expected a number of 9 characters and a counter of 32 bits"


def _is_readable(chip: Chip) -> bool:
    return len(chip.number) == NUMBER_CHARS and chip.number.isascii() and 0 <= chip.counter <= COUNTER_MAX
