"""The card's chip (卡芯片), simulated: a cryptogram that shows a card number was read from a card and not typed.

The keys here are simulated. The key hierarchies of PBOC and JT/T 978, their derivation levels, and the security modules
(PSAM, 加密机) that hold them are not public; a node that has them replaces this module by calls to its own. What is
kept from the real thing is the shape: a key per card derived from a root, a counter that grows with each reading, a MAC
over where it was read and as which line of the terminal's journal.

    card key    = first 16 bytes of HMAC-SHA256(root, card number)
    cryptogram  = first 8 bytes of HMAC-SHA256(card key, number "|" counter "|" terminal "|" journal "|" sequence)

The number is its nine characters, the counter four bytes in network order, terminal and journal their UTF-8, the
sequence decimal digits. Number and counter have fixed lengths and neither text may contain "|", so no two readings
share a message.
"""

import hmac
from typing import Final

CARD_KEY_BYTES: Final = 16
CRYPTOGRAM_BYTES: Final = 8
NUMBER_CHARS: Final = 9
COUNTER_MAX: Final = 2**32 - 1


def card_key(root: bytes, number: str) -> bytes:
    """The simulated key of a card; `root` is the issuer's 32-byte chip secret."""
    return hmac.digest(root, _number(number), "sha256")[:CARD_KEY_BYTES]


def cryptogram(key: bytes, number: str, counter: int, terminal: str, journal: str, sequence: int) -> bytes:
    """The eight bytes a chip answers to one reading. Raises ValueError for a reading that no chip could have made."""
    if not 0 <= counter <= COUNTER_MAX or sequence < 0 or "|" in terminal or "|" in journal:
        raise ValueError('a counter has 32 bits, a sequence is not negative, and no text contains "|"')
    parts = (_number(number), counter.to_bytes(4, "big"), terminal.encode(), journal.encode(), str(sequence).encode())
    return hmac.digest(key, b"|".join(parts), "sha256")[:CRYPTOGRAM_BYTES]


def is_genuine(shown: bytes, key: bytes, number: str, counter: int, terminal: str, journal: str, sequence: int) -> bool:
    """Whether a chip with this key made `shown` for this reading; compared in constant time.

    A reading that no chip could have made is not genuine. A replay is: only the counter on record tells it apart.
    """
    try:
        expected = cryptogram(key, number, counter, terminal, journal, sequence)
    except ValueError:
        return False
    return hmac.compare_digest(expected, shown)


def _number(number: str) -> bytes:
    if len(number) != NUMBER_CHARS or not number.isascii():
        raise ValueError("a card number has nine ASCII characters")
    return number.encode()
