"""Where presentations come from. An input is a thread that puts `Asked` into one queue; one thread takes them out, in
the order in which people came.

    text    pasted text, or JSON of a till, line by line
    wedge   a scanner that types: a tty, or the keys of a device under /dev/input
    camera  pictures, decoded by ZXing
    reader  a card on a PC/SC reader; `pcsc` is the library of the system, `cards` what card and gate say to each other
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from onecard_gate.asked import Asked

Presentations = queue.Queue[Asked | None]
"""None: an input has ended."""
WAITING_MAX: Final = 16


class Again:
    """Leaves out a code that stays where it is: a phone is before a camera for many pictures."""

    def __init__(self, same_code_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.same_code_s, self.clock = same_code_s, clock
        self.text, self.seen_at = "", 0.0

    def is_again(self, text: str) -> bool:
        """Whether this text was seen a moment ago; each sight of it prolongs the moment."""
        now = self.clock()
        is_again = text == self.text and now - self.seen_at < self.same_code_s
        self.text, self.seen_at = text, now
        return is_again


def start(name: str, asked: Iterator[Asked], into: Presentations) -> threading.Thread:
    """Let an input run until it ends."""

    def run() -> None:
        try:
            for each in asked:
                into.put(each)
        finally:
            into.put(None)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread
