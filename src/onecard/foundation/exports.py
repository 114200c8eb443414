"""What all lists have in common that an officer takes along (导出): asked for, written by a job a part at a time,
fetched once done, dropped after a day.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Generic, Protocol, TypeVar
from uuid import UUID

from onecard.foundation import sql
from onecard.foundation.actors import Actor
from onecard.foundation.errors import Conflict, NotFound
from onecard.foundation.postgres.raw import rows
from onecard.foundation.web.tables import cell

KEPT_HOURS: Final = 24
ROWS_MAX: Final = 1_000_000
OPEN_MAX: Final = 3
PART: Final = 5_000
"""Rows that are written in one transaction."""
# What one officer asks for comes one after the other. The number is of a range that is ours alone.
LOCK: Final = "SELECT pg_advisory_xact_lock(21072, hashtext($1))"


class State(StrEnum):
    """Where a list stands. `stopped`: by who asked for it."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"

    @property
    def is_open(self) -> bool:
        return self in (State.WAITING, State.RUNNING)


class Export(Protocol):
    """What every list that was asked for tells of itself."""

    @property
    def id(self) -> UUID: ...
    @property
    def actor(self) -> str: ...
    @property
    def places(self) -> Sequence[str]: ...
    @property
    def state(self) -> State: ...
    @property
    def parts(self) -> int: ...


E = TypeVar("E", bound=Export)


@dataclass(frozen=True)
class Exports(Generic[E]):
    """The lists of one kind, which take a permission. `here` is the package whose ``sql/`` reads and changes them;
    `made_of` reads a row.
    """

    here: str
    permission: str
    made_of: Callable[[tuple[Any, ...]], E]

    def of_actor(self, actor: Actor, limit: int = 20) -> list[E]:
        """An officer's own lists, newest first."""
        return [self.made_of(row) for row in rows(sql.load(self.here, "exports_of"), actor.name, limit)]

    def load(self, export_id: UUID) -> E | None:
        """A list, whoever asked for it; None once its day is over."""
        found = rows(sql.load(self.here, "export"), export_id)
        return self.made_of(found[0]) if found else None

    def one(self, actor: Actor, export_id: UUID) -> E:
        """One of an officer's own lists. Raises NotFound EXPORT_UNKNOWN."""
        found = self.load(export_id)
        if found is None or found.actor != actor.name:
            raise NotFound(
                "EXPORT_UNKNOWN",
                "没有这个导出，或者已经过期。",
                "There is no such export, or it has expired.",
                next_zh="请重新导出。",
                next_en="Ask for it again.",
            )
        return found

    def stop(self, actor: Actor, export_id: UUID) -> None:
        """Stop writing a list; what was written is dropped with it when it expires. One that is done stays so."""
        self.one(actor, export_id)
        rows(sql.load(self.here, "stop_export"), export_id)

    def refuse_one_more(self, actor: Actor) -> None:
        """Raise Conflict EXPORTS_OPEN where an officer has as many lists under way as one may. Who asks for another at
        once waits until the transaction ends.
        """
        rows(LOCK, actor.name)
        if sum(each.state.is_open for each in self.of_actor(actor)) >= OPEN_MAX:
            raise Conflict(
                "EXPORTS_OPEN",
                f"您已有{OPEN_MAX}个导出正在进行。",
                f"You have {OPEN_MAX} exports under way.",
                next_zh="请等待完成，或停止其中一个。",
                next_en="Wait for one, or stop one.",
            )

    def keep(self, export: E, text: str) -> None:
        """Keep the next part of a list."""
        rows(sql.load(self.here, "keep_export_part"), export.id, export.parts, text)

    def require(self, actor: Actor, places: Iterable[str]) -> None:
        """Raise NotPermitted unless the actor may take along what is of each of some places."""
        for place in places:
            actor.require(self.permission, place)

    def content(self, actor: Actor, export: E, heads: Sequence[str]) -> Iterator[bytes]:
        """The list as a CSV file, a part at a time (UTF-8 with a byte-order mark). Raises NotPermitted where the actor
        may no longer take it along: a role may have ended since it was asked for.
        """
        self.require(actor, export.places)
        return self._content(export, heads)

    def _content(self, export: E, heads: Sequence[str]) -> Iterator[bytes]:
        yield lines([heads]).encode("utf-8-sig")
        for number in range(export.parts):
            for (text,) in rows(sql.load(self.here, "export_part"), export.id, number):
                yield text.encode()

    def drop_expired(self) -> int:
        """Drop the lists whose day is over; how many."""
        return len(rows(sql.load(self.here, "drop_exports")))


def lines(table: Iterable[Sequence[object]]) -> str:
    """Rows as CSV (RFC 4180); no cell is a formula."""
    text = io.StringIO()
    csv.writer(text).writerows([cell(value) for value in row] for row in table)
    return text.getvalue()
