"""What all lists have in common that an officer takes along (导出): asked for, written by a job a part at a time,
fetched once done, dropped after a day.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

from onecard.foundation.errors import Conflict, NotFound
from onecard.foundation.web.tables import cell

KEPT_HOURS: Final = 24
ROWS_MAX: Final = 1_000_000
OPEN_MAX: Final = 3
PART: Final = 5_000
"""Rows that are written in one transaction."""


class State(StrEnum):
    """Where a list stands. `stopped`: by who asked for it."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"

    @property
    def is_open(self) -> bool:
        return self in (State.WAITING, State.RUNNING)


def too_many() -> Conflict:
    """An officer has as many lists under way as one may."""
    return Conflict(
        "EXPORTS_OPEN",
        f"您已有{OPEN_MAX}个导出正在进行。",
        f"You have {OPEN_MAX} exports under way.",
        next_zh="请等待完成，或停止其中一个。",
        next_en="Wait for one, or stop one.",
    )


def unknown() -> NotFound:
    """No such list of this officer's, or no more."""
    return NotFound(
        "EXPORT_UNKNOWN",
        "没有这个导出，或者已经过期。",
        "There is no such export, or it has expired.",
        next_zh="请重新导出。",
        next_en="Ask for it again.",
    )


def lines(table: Iterable[Sequence[object]]) -> str:
    """Rows as CSV (RFC 4180); no cell is a formula."""
    text = io.StringIO()
    csv.writer(text).writerows([cell(value) for value in row] for row in table)
    return text.getvalue()
