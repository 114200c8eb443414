"""Under which key an e-card's serial is permuted on a day (`onecard_kit.refs`): the first derives from the keyring
``codes`` and never changes; later ones stand in `ecards_ref_key`, sealed under that ring, each from a day on.

Such a day is one that no list has been made for yet, so gates hold no list in which a code would name another's mark.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from onecard.foundation import crypto
from onecard.foundation.keys import Keyring
from onecard_kit.refs import Permutation, permutation

PLACE = "ecards_ref_key.key_sealed:{}"
"""What a key's seal is bound to; `{}` is its id."""


@dataclass(frozen=True, slots=True)
class Refs:
    """The keys of an issuing place: the `first`, and the `later` ones with their first days, ascending."""

    first: bytes
    later: tuple[tuple[dt.date, bytes], ...] = ()

    @classmethod
    def opened(cls, ring: Keyring, rows: Iterable[tuple[int, dt.date, bytes]]) -> "Refs":
        """From the ring ``codes`` and what `sql/ref_keys.sql` reads."""
        later = (
            (from_day, crypto.open_sealed(ring, sealed, PLACE.format(key_id))) for key_id, from_day, sealed in rows
        )
        return cls(ring.derive("ref"), tuple(later))

    def key_on(self, day: dt.date) -> bytes:
        """The key of a day's permutation."""
        return next((key for from_day, key in reversed(self.later) if from_day <= day), self.first)

    def on(self, day: dt.date) -> Permutation:
        """The permutation of a day."""
        return permutation(self.key_on(day), day)
