"""The books of the simulated bank, in one SQLite file: accounts, holds, refunds, and the statement of what was booked.

Every act carries its caller's id. The same act again gets the first answer, another act under that id is refused. A
release is final even for a hold that never came: should it come after its release, it holds nothing.
"""

import datetime as dt
import hashlib
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

Json = dict[str, Any]
CHINA = dt.timezone(dt.timedelta(hours=8))
TOKEN = re.compile(r"tok_[0-9a-f]{32}")
PAGE = 500
# Return codes; 51 is that of card networks, for too little money.
NO_SUCH_ACCOUNT, MALFORMED, BUSY, SHORT = "01", "07", "09", "51"
# What an account holds when it is first heard of: from 50 yuan up to 80,000, most of them modest.
LEAST_FEN, MOST_FEN = 5_000, 8_000_000

TABLES = """
CREATE TABLE IF NOT EXISTS account (token TEXT PRIMARY KEY, balance_fen INTEGER NOT NULL, reason TEXT);
CREATE TABLE IF NOT EXISTS hold (
    id TEXT PRIMARY KEY, token TEXT, amount_fen INTEGER, merchant TEXT, state TEXT NOT NULL, reason TEXT,
    captured_fen INTEGER NOT NULL DEFAULT 0, refunded_fen INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS hold_open ON hold (token) WHERE state = 'held';
CREATE TABLE IF NOT EXISTS refund (id TEXT PRIMARY KEY, hold TEXT NOT NULL, amount_fen INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS entry (
    number INTEGER PRIMARY KEY, day TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, hold TEXT NOT NULL,
    amount_fen INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS entry_day ON entry (day, number);
"""


class Told(NamedTuple):
    """An answer of the bank: HTTP status and body."""

    status: int
    body: Json


def _conflict(code: str, **more: object) -> Told:
    return Told(409, {"error": code, **more})


class Book:
    """The bank's books. Each act is one transaction, on the disk before it is answered."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.row_factory = sqlite3.Row
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(TABLES)

    @contextmanager
    def _act(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    # --- Holds ---

    def hold(self, hold: str, token: str, amount_fen: int, merchant: str, refuse: str | None = None) -> Told:
        """Hold an amount of an account; `refuse` is a return code with which a new hold is to be refused."""
        with self._act() as database:
            known = self._hold(hold)
            if known is not None:
                asked = (token, amount_fen, merchant)
                fits = known["token"] is None or asked == (known["token"], known["amount_fen"], known["merchant"])
                return _shown(known) if fits else _conflict("ID_REUSED")
            reason = refuse or self._refusal(token, amount_fen)
            state = "held" if reason is None else "refused"
            database.execute(
                "INSERT INTO hold (id, token, amount_fen, merchant, state, reason) VALUES (?, ?, ?, ?, ?, ?)",
                (hold, token, amount_fen, merchant, state, reason),
            )
            return _shown(self._hold(hold))

    def _refusal(self, token: str, amount_fen: int) -> str | None:
        account = self._account(token)
        if account is None:
            return NO_SUCH_ACCOUNT
        if amount_fen <= 0:
            return MALFORMED
        if account["reason"] is not None:
            return str(account["reason"])
        return SHORT if account["balance_fen"] - self._held_fen(token) < amount_fen else None

    def capture(self, hold: str, amount_fen: int) -> Told:
        """Book all of a hold or a part; the rest is free again."""
        with self._act() as database:
            known = self._hold(hold)
            if known is None:
                return Told(404, {"error": "UNKNOWN"})
            if known["state"] == "captured":
                return _shown(known) if known["captured_fen"] == amount_fen else _conflict("ID_REUSED")
            if known["state"] != "held":
                return _conflict("NOT_HELD", state=known["state"])
            if not 0 < amount_fen <= known["amount_fen"]:
                return _conflict("EXCEEDS")
            database.execute("UPDATE hold SET state = 'captured', captured_fen = ? WHERE id = ?", (amount_fen, hold))
            self._book("capture", hold, hold, known["token"], -amount_fen)
            return _shown(self._hold(hold))

    def release(self, hold: str) -> Told:
        """Let a hold go. One that is not known will hold nothing when it comes."""
        with self._act() as database:
            known = self._hold(hold)
            if known is None:
                database.execute("INSERT INTO hold (id, state) VALUES (?, 'released')", (hold,))
            elif known["state"] == "captured":
                return _conflict("NOT_HELD", state="captured")
            elif known["state"] == "held":
                database.execute("UPDATE hold SET state = 'released' WHERE id = ?", (hold,))
            return _shown(self._hold(hold))

    def look_up(self, hold: str) -> Told:
        """A hold as it stands."""
        with self._act():
            known = self._hold(hold)
            return Told(404, {"error": "UNKNOWN"}) if known is None else _shown(known)

    # --- Refunds ---

    def refund(self, refund: str, hold: str, amount_fen: int) -> Told:
        """Give back all of what was captured or a part; never more altogether."""
        with self._act() as database:
            known = database.execute("SELECT hold, amount_fen FROM refund WHERE id = ?", (refund,)).fetchone()
            if known is not None:
                same = (known["hold"], known["amount_fen"]) == (hold, amount_fen)
                return Told(200, {"id": refund, "state": "refunded"}) if same else _conflict("ID_REUSED")
            taken = self._hold(hold)
            if taken is None:
                return Told(404, {"error": "UNKNOWN"})
            if taken["state"] != "captured":
                return _conflict("NOT_CAPTURED", state=taken["state"])
            if not 0 < amount_fen <= taken["captured_fen"] - taken["refunded_fen"]:
                return _conflict("EXCEEDS")
            database.execute("INSERT INTO refund (id, hold, amount_fen) VALUES (?, ?, ?)", (refund, hold, amount_fen))
            database.execute("UPDATE hold SET refunded_fen = refunded_fen + ? WHERE id = ?", (amount_fen, hold))
            self._book("refund", refund, hold, taken["token"], amount_fen)
            return Told(200, {"id": refund, "state": "refunded"})

    # --- What was booked ---

    def statement(self, day: str, after: int = 0) -> Told:
        """A page of what was booked on a day, in order, and what is held at this moment; `next` continues it."""
        with self._act() as database:
            found = database.execute(
                "SELECT number, kind, id, hold, amount_fen FROM entry WHERE day = ? AND number > ?"
                " ORDER BY number LIMIT ?",
                (day, after, PAGE),
            ).fetchall()
            held, held_fen = database.execute(
                "SELECT count(*), coalesce(sum(amount_fen), 0) FROM hold WHERE state = 'held'"
            ).fetchone()
        last = found[-1]["number"] if len(found) == PAGE else None
        entries = [dict(row) for row in found]
        return Told(200, {"day": day, "entries": entries, "next": last, "held": held, "held_fen": held_fen})

    def account(self, token: str) -> Told:
        """For tests: what an account holds, what of it is free, and the code with which it refuses."""
        with self._act():
            found = self._account(token)
            if found is None:
                return Told(404, {"error": "UNKNOWN"})
            free_fen = found["balance_fen"] - self._held_fen(token)
            return Told(200, {"balance_fen": found["balance_fen"], "free_fen": free_fen, "reason": found["reason"]})

    def set_account(self, token: str, balance_fen: int, reason: str | None) -> Told:
        """For tests: give an account a balance, and a return code with which it refuses from now on."""
        with self._act() as database:
            if self._account(token) is None:
                return Told(404, {"error": "UNKNOWN"})
            database.execute(
                "UPDATE account SET balance_fen = ?, reason = ? WHERE token = ?", (balance_fen, reason, token)
            )
        return self.account(token)

    # --- Inside an act ---

    def _hold(self, hold: str) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self._database.execute("SELECT * FROM hold WHERE id = ?", (hold,)).fetchone()
        return found

    def _account(self, token: str) -> sqlite3.Row | None:
        """An account; one with a well-formed token is made when it is first heard of."""
        if not TOKEN.fullmatch(token):
            return None
        self._database.execute(
            "INSERT INTO account (token, balance_fen) VALUES (?, ?) ON CONFLICT DO NOTHING", (token, first_fen(token))
        )
        found: sqlite3.Row = self._database.execute("SELECT * FROM account WHERE token = ?", (token,)).fetchone()
        return found

    def _held_fen(self, token: str) -> int:
        (held_fen,) = self._database.execute(
            "SELECT coalesce(sum(amount_fen), 0) FROM hold WHERE token = ? AND state = 'held'", (token,)
        ).fetchone()
        return int(held_fen)

    def _book(self, kind: str, act: str, hold: str, token: str, change_fen: int) -> None:
        day = dt.datetime.now(CHINA).date().isoformat()
        self._database.execute("UPDATE account SET balance_fen = balance_fen + ? WHERE token = ?", (change_fen, token))
        self._database.execute(
            "INSERT INTO entry (day, kind, id, hold, amount_fen) VALUES (?, ?, ?, ?, ?)",
            (day, kind, act, hold, abs(change_fen)),
        )


def first_fen(token: str) -> int:
    """What an account holds when it is first heard of: always the same for the same token."""
    drawn = int.from_bytes(hashlib.sha256(token.encode()).digest()[:4], "big") / 2**32
    return LEAST_FEN + int((MOST_FEN - LEAST_FEN) * drawn**3)


def _shown(hold: sqlite3.Row | None) -> Told:
    assert hold is not None
    shown: Json = {"id": hold["id"], "state": hold["state"]}
    if hold["state"] == "refused":
        shown["reason"] = hold["reason"]
    if hold["state"] == "captured":
        shown["captured_fen"] = hold["captured_fen"]
    return Told(200, shown)
