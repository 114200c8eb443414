"""A card on a PC/SC reader: wait for one, present it, wait until it is taken away."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from onecard_gate.asked import Asked, CardGone
from onecard_gate.errors import GateError
from onecard_gate.inputs import cards, pcsc
from onecard_kit.presentation import Chip

LOOKED_EVERY_S: Final = 2.0
WAITED_MS: Final = 1000
DECIDED_S_MAX: Final = 30.0


def presentations(name: str) -> Iterator[Asked]:
    """Each card that is put on a reader whose name holds `name`, once. An unplugged reader is looked for again."""
    while True:
        try:
            with pcsc.Context() as context:
                yield from _of_reader(context, name)
        except (pcsc.PcscError, OSError):
            pass
        time.sleep(LOOKED_EVERY_S)


def _of_reader(context: pcsc.Context, name: str) -> Iterator[Asked]:
    """Until the reader is gone. The card stays connected until its presentation is decided elsewhere."""
    reader = next((each for each in context.readers() if name in each), None)
    while reader is not None:
        if not context.wait(reader, is_present=True, within_ms=WAITED_MS):
            continue
        tapping = Tapping(context, reader)
        yield Asked(tap=tapping)
        tapping.done.wait(DECIDED_S_MAX)
        while not context.wait(reader, is_present=False, within_ms=WAITED_MS):
            pass


@contextmanager
def one(name: str, within_s: float) -> Iterator["Tapping"]:
    """The card that is put on a reader within so many seconds. Raises GateError NO_CARD."""
    try:
        with pcsc.Context() as context:
            reader = next((each for each in context.readers() if name in each), None)
            if reader is None or not context.wait(reader, is_present=True, within_ms=int(within_s * 1000)):
                raise GateError("NO_CARD", "没有读卡器或卡", "There is no reader, or no card on it")
            yield Tapping(context, reader)
    except (pcsc.PcscError, OSError) as error:
        raise GateError("NO_CARD", f"读卡服务不可用：{error}", f"No PC/SC: {error}") from None


class Tapping:
    """A card that waits on a reader to be asked; `done` once it was, however it went."""

    def __init__(self, context: pcsc.Context, reader: str) -> None:
        self.context, self.reader = context, reader
        self.done = threading.Event()

    def __call__(self, terminal: str, journal: str, sequence: int) -> tuple[Chip, str | None]:
        """Raises CardGone."""
        try:
            with self.context.card(self.reader) as card:
                return cards.tap(card.transmit, terminal, journal, sequence)
        except pcsc.PcscError as error:
            raise CardGone(str(error)) from None
        finally:
            self.done.set()
