"""The daily `ref`: an e-card's serial (0 .. 2**24-1) under a keyed permutation that changes with the China day.

A code carries the ref in place of the serial: it is the index in that day's status list, and two scanners cannot tell
from it that they met the same person on two days. A permutation, not a hash, because the issuer must find the card
again, no two cards may share an index, and the list must have no holes.

The construction is a balanced Feistel network over two 12-bit halves whose round function is BLAKE2b keyed with the
issuer's secret over (day, round, half). Twelve rounds: FF1 of NIST SP 800-38G takes ten for the same kind of network
and a domain of at least a million, which ours exceeds; two more are the margin, and at a table look-up each they cost
about a tenth of a microsecond. All 12 x 4096 round values of a day are made once (one or two milliseconds) and kept.
"""

import datetime as dt
import sys
from array import array
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final

BITS: Final = 24
ROUNDS: Final = 12
KEY_BYTES: Final = 32

_CHINA_S: Final = 8 * 3600  # China Standard Time, without summer time since 1991
_DAY_S: Final = 86_400
_EPOCH_DAY: Final = dt.date(1970, 1, 1).toordinal()
_PERSON: Final = b"onecard ref v1"
_VALUES_PER_BLOCK: Final = 32  # one BLAKE2b digest of 64 bytes holds so many round values


def day_of(unix_s: int) -> dt.date:
    """The China day whose permutation a code's `not_before` (Unix seconds) names; right from 1992 on."""
    return dt.date.fromordinal(_EPOCH_DAY + (unix_s + _CHINA_S) // _DAY_S)


def permute(value: int, tables: Sequence[Sequence[int]], half_bits: int) -> int:
    """One pass through the network. Feeding the tables in reverse with the halves swapped undoes it.

    Only shifts, masks, exclusive-ors and look-ups: given arrays for `value` and for each table (they are flat 16-bit
    buffers), an array library runs it over ten million serials at once, unchanged.
    """
    left, right = value >> half_bits, value & ((1 << half_bits) - 1)
    for table in tables:
        left, right = right, left ^ table[right]
    return (left << half_bits) | right


class Permutation:
    """The permutation of one key and one day (China). Make it through `permutation()`, which keeps recent days.

    `key`: 32 secret bytes of the issuer. `bits` is 24 outside tests; it must be even. Raises ValueError otherwise.
    """

    __slots__ = ("_backward", "_half_bits", "_mask", "bits", "day", "tables")

    def __init__(self, key: bytes, day: dt.date, bits: int = BITS) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a permutation key has {KEY_BYTES} bytes")
        if bits % 2 or not 2 <= bits <= 32:
            raise ValueError("a balanced network needs an even number of bits, at most 32")
        self.day = day
        self.bits = bits
        self._half_bits = bits // 2
        self._mask = (1 << self._half_bits) - 1
        self.tables = tuple(_table(key, day, number, self._half_bits) for number in range(ROUNDS))
        self._backward = self.tables[::-1]

    def ref(self, serial: int) -> int:
        """The ref that stands for a serial on this day. Raises ValueError outside 0 .. 2**bits-1."""
        self._check(serial)
        return permute(serial, self.tables, self._half_bits)

    def serial(self, ref: int) -> int:
        """The serial behind a ref of this day; every ref has one, whether or not a card was issued under it."""
        self._check(ref)
        return self._swapped(permute(self._swapped(ref), self._backward, self._half_bits))

    def _swapped(self, value: int) -> int:
        return (value & self._mask) << self._half_bits | value >> self._half_bits

    def _check(self, value: int) -> None:
        if not 0 <= value < 1 << self.bits:
            raise ValueError(f"not a number of {self.bits} bits")


@lru_cache(maxsize=64)
def permutation(key: bytes, day: dt.date) -> Permutation:
    """The permutation of a day, kept (100 kB each): a paper code (纸质码) brings its own, older day."""
    return Permutation(key, day)


def _table(key: bytes, day: dt.date, number: int, half_bits: int) -> "array[int]":
    """All values of one round function: 16-bit little-endian words of BLAKE2b(key; day, round, block), masked."""
    size = 1 << half_bits
    keyed = blake2b(day.isoformat().encode() + bytes((number, half_bits)), key=key, person=_PERSON)
    words = b"".join(_block(keyed, block) for block in range(-(-size // _VALUES_PER_BLOCK)))[: size * 2]
    mask = int.from_bytes(((1 << half_bits) - 1).to_bytes(2, "little") * size, "little")
    table = array("H", (int.from_bytes(words, "little") & mask).to_bytes(size * 2, "little"))
    if sys.byteorder == "big":
        table.byteswap()
    return table


def _block(keyed: blake2b, block: int) -> bytes:
    hashed = keyed.copy()
    hashed.update(block.to_bytes(4, "big"))
    return hashed.digest()
