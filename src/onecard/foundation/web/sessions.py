"""How long a session still lasts, as pages tell the script that warns before its end."""

from typing import NamedTuple

WARNING_S = 120


class Lasts(NamedTuple):
    """In how many seconds a session ends, how long it lasts when it is kept, and how long before its end it warns."""

    left_s: int
    life_s: int
    warning_s: int
