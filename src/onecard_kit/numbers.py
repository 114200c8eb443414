"""The read-aloud number (数字码): what a holder says to staff when no reader takes the code on the phone.

Twelve digits: eleven that are drawn at random, and a check digit by ISO/IEC 7064 MOD 11,10. It tells every single wrong
digit and all but one in some fifty swaps of neighbours, so that what was misheard is said again before anybody looks
it up. A number means nothing by itself: only the server that gave it out knows whose it is.
"""

import unicodedata
from typing import Final

DIGITS: Final = 12
RANDOM: Final = 10 ** (DIGITS - 1)
LIFE_S: Final = 180
# What people put between groups of digits, and no more of it than anybody would type.
_BETWEEN: Final = str.maketrans("", "", " -")
TYPED_CHARS_MAX: Final = 40


def number_of(drawn: int) -> str:
    """The number with these eleven digits, below `RANDOM`."""
    digits = f"{drawn:011d}"
    return digits + str(_check_digit(digits))


def read(typed: str) -> str | None:
    """The twelve digits that were typed, in groups or not, by a Chinese keyboard or another; None where they are none,
    or their check digit is wrong.
    """
    if len(typed) > TYPED_CHARS_MAX:
        return None
    digits = unicodedata.normalize("NFKC", typed).translate(_BETWEEN)
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdecimal()):
        return None
    return digits if _check_digit(digits[:-1]) == int(digits[-1]) else None


def grouped(number: str) -> str:
    """As it is shown and read aloud: in groups of four."""
    return " ".join(number[start : start + 4] for start in range(0, DIGITS, 4))


def _check_digit(digits: str) -> int:
    product = 10
    for digit in digits:
        product = ((product + int(digit)) % 10 or 10) * 2 % 11
    return (11 - product) % 10
