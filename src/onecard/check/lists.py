"""Whether gates without a line are told the truth: each status list is there, young, signed, and says what the
standings say.

A list says what was committed when it was made. Where it says something else than what is so now, something must have
changed since; what did not is a list that lies, or a worker that passed it over.
"""

import datetime as dt
import re
from array import array
from collections.abc import Mapping
from sys import byteorder
from typing import Any

import psycopg

from onecard.foundation import clock, keys, sql
from onecard.foundation.postgres.grants import Connection
from onecard.kernel.ecards.refs import Refs
from onecard_kit import status_list
from onecard_kit.pack import CARDS, DAYS_OF_CODES, FIXED, PAPERS, TERMINALS
from onecard_kit.status_list import ListRefused, StatusList
from onecard_kit.suites import SUITES, PublicKey

HERE = "onecard.check"
ECARDS = "onecard.kernel.ecards"
STALE_S = 900
"""Past this age a list that is made anew at least every five minutes was forgotten, past an hour more one of a day
ahead."""
AHEAD_STALE_S = STALE_S + 3600
UNDER_WAY = dt.timedelta(minutes=1)
"""What changed so shortly before a list was made may have been committed after."""
FORMS = ("cwt", "jwt")

Marks = dict[int, int]


def compare(connection: Connection, issuer: str) -> tuple[dict[str, int], tuple[str, ...]]:
    """Compare the lists of an issuing place with its standings: the figures of a finding, and its lines. Needs the keys
    of codes (`foundation.keys`).
    """
    numbers = dict.fromkeys(("checked", "missing", "stale", "unreadable", "different"), 0)
    lines: list[str] = []
    public = _public_keys(connection)
    for name in _names() if public else ():
        for form in FORMS:
            numbers["checked"] += 1
            fault = _fault(connection, issuer, name, form, public)
            if fault is not None:
                numbers[fault] += 1
                lines.append(f"{name} {form}: {fault}")
    return numbers, tuple(lines)


def _day_of_lists() -> dt.date:
    """The day from which lists reach ahead: today, or yesterday until whoever makes them had time since midnight."""
    return clock.day_of(clock.now() - dt.timedelta(seconds=STALE_S))


def _names() -> list[str]:
    """The lists there should be now; what is over is of no use to anybody."""
    days = (_day_of_lists() + dt.timedelta(days=n) for n in range(DAYS_OF_CODES))
    return [*(day.isoformat() for day in days if day >= clock.today()), *FIXED]


def _public_keys(connection: Connection) -> dict[bytes, PublicKey]:
    """The issuer's keys that are not withdrawn, by kid; none before one signs."""
    found = _rows(
        connection,
        "SELECT kid, suite, public, sign_from FROM ecards_key WHERE withdrawn_at IS NULL AND purpose = 'codes'",
    )
    if all(begins is None for _, _, _, begins in found):
        return {}
    return {bytes(kid): PublicKey(SUITES[suite], bytes(kid), bytes(public)) for kid, suite, public, _ in found}


def _fault(connection: Connection, issuer: str, name: str, form: str, public: Mapping[bytes, PublicKey]) -> str | None:
    """What is wrong with a list, None if nothing is."""
    held = _rows(connection, "SELECT made_at, body FROM ecards_status_list WHERE name = $1 AND form = $2", name, form)
    if not held:
        return "missing"
    made_at, body = held[0]
    is_ahead = name not in FIXED and name > (_day_of_lists() + dt.timedelta(days=1)).isoformat()
    if (clock.now() - made_at).total_seconds() > (AHEAD_STALE_S if is_ahead else STALE_S):
        return "stale"
    try:
        said = _read(bytes(body), form, public)
    except ListRefused:
        return "unreadable"
    if said.subject != status_list.subject_of(issuer, name) or said.issued != int(made_at.timestamp()):
        return "unreadable"
    return "different" if _unexplained(connection, name, said, made_at) else None


def _read(body: bytes, form: str, public: Mapping[bytes, PublicKey]) -> StatusList:
    return status_list.from_cwt(body, public) if form == "cwt" else status_list.from_jwt(body.decode(), public)


def _unexplained(connection: Connection, name: str, said: StatusList, made_at: dt.datetime) -> int:
    """In how many places a list differs from what is so now although nothing changed there since it was made."""
    what = name if name in FIXED else "serials"
    stands, told = _marked(connection, what), _marks_of(said.entries)
    if what == "serials":
        refs = Refs.opened(keys.load("codes"), _rows(connection, sql.load(ECARDS, "ref_keys")))
        serial_of = refs.on(dt.date.fromisoformat(name)).serial
        told = {serial_of(ref): mark for ref, mark in told.items()}
    differing = [index for index, _ in stands.items() ^ told.items()]
    if not differing:
        return 0
    if what == TERMINALS:  # their register says not when; a list that is this young had no turn yet
        return 0 if clock.now() - made_at < UNDER_WAY * 3 else len(differing)
    statement = {"serials": "changed_ecards", CARDS: "changed_cards", PAPERS: "changed_papers"}[what]
    changed = {row[0] for row in _rows(connection, sql.load(HERE, statement), differing, made_at - UNDER_WAY)}
    return len(set(differing) - changed)


def _marked(connection: Connection, what: str) -> Marks:
    """What is marked now, by serial or index."""
    marks: Marks = {}
    for mark, packed in _rows(connection, sql.load(ECARDS, f"marked_{what}")):
        indexes = array("i", packed)
        if byteorder == "little":
            indexes.byteswap()
        marks.update(dict.fromkeys(indexes, mark))
    return marks


def _rows(connection: Connection, statement: str, *params: object) -> list[tuple[Any, ...]]:
    with psycopg.RawCursor(connection) as cursor:
        return cursor.execute(statement.encode(), params).fetchall()


def _marks_of(entries: bytes) -> Marks:
    """What a list marks, by index."""
    return {
        found.start() * 4 + place: mark
        for found in re.finditer(rb"[^\0]", entries)
        for place in range(4)
        if (mark := found[0][0] >> place * 2 & 3)
    }
