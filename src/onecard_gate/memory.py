"""What a gate has seen (闸机记忆): what was shown once and must not be shown again, counts, capacities, open journeys.

It is made of what was presented here, online and offline. After a power cut its last entries may be missing; those that
rest on the journal are taken from it again (`applied`). Whoever loses the file loses no money: the platform finds the
double use, and charges it.
"""

import contextlib
import datetime as dt
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from onecard_kit.decide import OpenJourney
from onecard_kit.offline import Remembered, Shown
from onecard_kit.terms import Item, Leg

FORGOTTEN_AFTER_S: Final = 400 * 86_400
"""Longer than any period over which something is counted."""
_CHANGE_S: Final = 86_400
_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS spent (what TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counted (
    holder TEXT, rule TEXT, period TEXT, amount INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (holder, rule, period)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS journey (
    holder TEXT, item TEXT, point TEXT NOT NULL, at INTEGER NOT NULL, concession TEXT, held_fen INTEGER NOT NULL,
    PRIMARY KEY (holder, item)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS latest (
    holder TEXT, item TEXT, at INTEGER NOT NULL, PRIMARY KEY (holder, item)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS applied (journal TEXT PRIMARY KEY, sequence INTEGER NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Use:
    """An admitted use as far as it is remembered: the rules that it counts against with period and how much, and what
    the beginning of a journey holds.
    """

    item: Item
    leg: Leg | None
    point: str
    day: dt.date
    counts: tuple[tuple[str, str, int], ...] = ()
    concession: str | None = None
    held_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A presentation: whether it is used up by its verdict, and the line that tells of it, where one does."""

    is_spent: bool
    journal: str | None = None
    sequence: int = 0


@dataclass(slots=True)
class Memory:
    """An SQLite file. For one thread."""

    _db: sqlite3.Connection

    @classmethod
    def open(cls, path: Path) -> "Memory":
        """Open it, or begin anew if it is damaged. Raises sqlite3.Error when it cannot be read or written for any other
        reason, such as a full disk: what was seen stays.
        """
        try:
            return cls(_opened(path))
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in _DAMAGED:
                raise
            for each in path.parent.glob(path.name + "*"):
                each.unlink()
            return cls(_opened(path))

    @staticmethod
    def look(path: Path) -> None:
        """Read it through without changing it. Raises sqlite3.Error for a damaged one; none at all is sound."""
        if not path.exists():
            return
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            told = db.execute("PRAGMA quick_check").fetchone()
            if told != ("ok",):
                raise sqlite3.DatabaseError(str(told))

    def of(self, shown: Shown, item: Item | None, day: dt.date, now: int) -> Remembered:
        """What was seen of a holder, for an item, on a day."""
        if shown.problem is not None or item is None:
            return Remembered()
        return Remembered(
            spent=self.is_spent(shown, now),
            quota_used={
                rule: self._counted(shown.holder, rule, period.of(day)) for rule, period in item.counts
            },
            journey=self._journey(shown.holder, item, now),
            capacity_used=self._counted("", _capacity_rule(item), item.capacity.period.of(day)) if item.capacity else 0,
            changed_minutes_ago=self._changed(shown.holder, item, now),
        )  # fmt: skip

    def is_spent(self, shown: Shown, now: int) -> bool:
        """Whether this very code or reading was used up here before."""
        row = self._one("SELECT until FROM spent WHERE what = ?", shown.spends)
        return row is not None and now < row[0]

    def remember(self, seen: Seen, shown: Shown, use: Use | None, now: int) -> None:
        """Take up one presentation, all of it or nothing: it is used up, whatever the verdict on the card; `use` where
        it was admitted; and which line of a journal told of it.
        """
        with self._db:
            if seen.is_spent and shown.spends is not None:
                until = shown.good_until if shown.good_until is not None else now + FORGOTTEN_AFTER_S
                self._db.execute("INSERT OR REPLACE INTO spent VALUES (?, ?)", (shown.spends, until))
            if use is not None:
                self._count(shown.holder, use, now)
                self._move(shown.holder, use, now)
            if seen.journal is not None:
                self._db.execute("INSERT OR REPLACE INTO applied VALUES (?, ?)", (seen.journal, seen.sequence))

    def _count(self, holder: str, use: Use, now: int) -> None:
        counts = [(holder, *each) for each in use.counts]
        capacity = use.item.capacity
        if capacity is not None and use.leg is not Leg.OUT:
            counts.append(("", _capacity_rule(use.item), capacity.period.of(use.day), 1))
        self._db.executemany(
            "INSERT INTO counted VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET amount = amount + excluded.amount",
            [(*each, now) for each in counts],
        )

    def _move(self, holder: str, use: Use, now: int) -> None:
        """A journey begins, or ends; whatever does not begin one may be what somebody changes from."""
        if use.leg is Leg.IN:
            began = (holder, use.item.code, use.point, now, use.concession, use.held_fen or 0)
            self._db.execute("INSERT OR REPLACE INTO journey VALUES (?, ?, ?, ?, ?, ?)", began)
            return
        self._db.execute("DELETE FROM journey WHERE holder = ? AND item = ?", (holder, use.item.code))
        self._db.execute("INSERT OR REPLACE INTO latest VALUES (?, ?, ?)", (holder, use.item.code, now))

    def applied(self, journal: str) -> int:
        """Up to which sequence of a journal its lines are in here; -1 for none."""
        row = self._one("SELECT sequence FROM applied WHERE journal = ?", journal)
        return -1 if row is None else int(row[0])

    def forget_old(self, now: int) -> None:
        """Forget what can make no difference any more."""
        long_ago = now - FORGOTTEN_AFTER_S
        with self._db:
            self._db.execute("DELETE FROM spent WHERE until <= ?", (now,))
            for table in ("counted", "journey", "latest"):
                self._db.execute(f"DELETE FROM {table} WHERE at < ?", (long_ago,))  # noqa: S608 - names of ours

    def close(self) -> None:
        self._db.close()

    def _journey(self, holder: str, item: Item, now: int) -> OpenJourney | None:
        row = self._one(
            "SELECT point, at, concession, held_fen FROM journey WHERE holder = ? AND item = ?", holder, item.code
        )
        if row is None or item.journey is None or now - row[1] >= item.journey.ends_after_hours * 3600:
            return None
        return OpenJourney(row[0], max(0, now - row[1]) // 60, row[2], row[3])

    def _counted(self, holder: str, rule: str, period: str) -> int:
        row = self._one("SELECT amount FROM counted WHERE holder = ? AND rule = ? AND period = ?", holder, rule, period)
        return 0 if row is None else int(row[0])

    def _changed(self, holder: str, item: Item, now: int) -> int | None:
        times = [
            row[0]
            for after in (item.transfer.after if item.transfer is not None else ())
            if (row := self._one("SELECT at FROM latest WHERE holder = ? AND item = ?", holder, after)) is not None
        ]
        latest = max(times, default=None)
        return None if latest is None or now - latest > _CHANGE_S else max(0, now - latest) // 60

    def _one(self, statement: str, *params: object) -> tuple[Any, ...] | None:
        found: tuple[Any, ...] | None = self._db.execute(statement, params).fetchone()
        return found


def _capacity_rule(item: Item) -> str:
    return f"{item.code}@capacity"


def _opened(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level="DEFERRED")
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "cache_size = -1024"):
        db.execute(f"PRAGMA {pragma}")
    db.executescript(_TABLES)
    db.execute("SELECT count(*) FROM applied").fetchone()
    return db
