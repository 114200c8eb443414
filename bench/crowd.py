"""A city of any size, in minutes: the demo's city with some thousand real people, and as many more as are asked for.

Those more are rows that the planner cannot tell from real ones: uses over a year of partitions, with their transfers,
lines of gates, refunds, orders to the bank, facts and risks. What is sealed of them is filler that no page opens, but
for namesakes, whom searches find. Nothing goes through a verb: journal keys, spent nonces and seals are left out, so
`onecard check` does not hold here.
"""

import datetime as dt
import random
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg

from onecard.demo import city, owner, people
from onecard.foundation import clock, keys
from onecard.foundation.clock import CHINA
from onecard.foundation.ids import uuid7_floor
from onecard.kernel.holders import loading, rules
from onecard.kernel.uses import figures

SEEDS = 2_000
SEED = 320600
NAME, NAMESAKES_SHARE, NAMESAKES_MIN = "王芳", 0.004, 60
BIRTH_YEAR, INITIALS, COUNTY = 1965, "WF", "320613"
# Where ids of what is made here begin, beside the holder's: above those of the demo's own rows.
CARDS_FROM, ACCOUNTS_FROM, SERIALS_FROM = 10_000, 20_000, 10_000
WRITERS = 2
FOLDER = Path(__file__).parent / "sql"
PARTITIONED = ("uses_use", "uses_offline_line", "ledger_transfer")


@dataclass(frozen=True)
class Crowd:
    """How many there are, and the first holder that is not the demo's."""

    holders: int
    uses: int
    first: int


def build(
    url_admin: str, url_owner: str, holders: int, uses: int, say: Callable[[str], None] = lambda _: None
) -> Crowd:
    """Fill a migrated database. `url_admin` is of a superuser there, past the guards of single rows."""
    with owner.connected(url_owner):
        city.load(url_owner, min(SEEDS, holders // 2), SEED, lambda *_: None)
    with _at(url_admin) as connection:
        first = int(_one(connection, "SELECT max(id) + 1 FROM holders_holder"))
        crowd = Crowd(holders, uses, first)
        namesakes = max(NAMESAKES_MIN, int(holders * NAMESAKES_SHARE))
        _namesakes(connection, first, namesakes)
        _people(connection, crowd, first + namesakes)
        _places(connection, crowd)
        say("people and places are there")
    _uses(url_admin, crowd)
    say("uses are there")
    with _at(url_admin) as connection:
        _rest(connection, crowd)
        connection.execute("DROP TABLE crowd_door")
        connection.execute("VACUUM ANALYZE")
    with owner.connected(url_owner):
        figures.count()
    say("facts and figures are there")
    return crowd


def _at(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    connection = psycopg.connect(url, autocommit=True)
    connection.execute("SET session_replication_role = replica")
    connection.execute("SET synchronous_commit = off")
    connection.execute("SET work_mem = '256MB'")
    return connection


def _one(connection: psycopg.Connection[tuple[Any, ...]], statement: str, *params: object) -> Any:
    with psycopg.RawCursor(connection) as cursor:
        cursor.execute(statement.encode(), params)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def _run(connection: psycopg.Connection[tuple[Any, ...]], name: str, *params: object) -> None:
    """Run ``bench/sql/<name>.sql``."""
    _one(connection, (FOLDER / f"{name}.sql").read_text(encoding="utf-8"), *params)


def _namesakes(connection: psycopg.Connection[tuple[Any, ...]], first: int, count: int) -> None:
    """Those whom searches by name and initials find: sealed as real people are; a third were born in the same year."""
    ring, rng = keys.load("identity"), random.Random(SEED)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY holders_holder ({', '.join(loading.HOLDER_COLUMNS)}) FROM STDIN") as copy,
    ):
        for n in range(count):
            year = BIRTH_YEAR if n % 3 == 0 else rng.randrange(1940, 2010)
            birth_date = dt.date(year, 1, 1) + dt.timedelta(days=rng.randrange(365))
            number = f"990601{birth_date:%Y%m%d}{n % 500 * 2:03d}"
            number += rules.check_character(number)
            address = "江苏省南通市云笺路1号"
            person = people.Person(
                COUNTY, number, NAME, f"154{n:08d}", address, birth_date, 2, True, ()
            )  # fmt: skip
            row = list(loading.holder_row(ring, first + n, person))
            row[3] = secrets.token_bytes(16)  # a number of their own each, which nobody looks for
            copy.write_row(row)


def _people(connection: psycopg.Connection[tuple[Any, ...]], crowd: Crowd, first_unnamed: int) -> None:
    _run(connection, "holders", first_unnamed, crowd.holders)
    _run(connection, "classes", crowd.first)
    _run(connection, "cards", crowd.first, CARDS_FROM)
    _run(connection, "functions", crowd.first)
    _run(connection, "standings", crowd.first, ACCOUNTS_FROM, SERIALS_FROM)
    _run(connection, "ecards", crowd.first)
    _run(connection, "accounts", crowd.first, crowd.holders, ACCOUNTS_FROM)
    _run(connection, "sequences", crowd.holders + 1, CARDS_FROM, ACCOUNTS_FROM)


def _places(connection: psycopg.Connection[tuple[Any, ...]], crowd: Crowd) -> None:
    _run(connection, "points", max(50, crowd.holders // 400))
    _run(connection, "doors")
    for begin, end in pairwise(_months()):
        for parent in PARTITIONED:
            low, high = uuid7_floor(begin), uuid7_floor(end)
            connection.execute(
                f"CREATE TABLE IF NOT EXISTS {parent}_{begin.astimezone(CHINA):%Y%m} PARTITION OF {parent}"
                f" FOR VALUES FROM ('{low}') TO ('{high}')"
            )


def _months() -> list[dt.datetime]:
    """The beginnings of this month and the eleven before, in China, and of the next."""
    this = clock.today().replace(day=1)
    months = [this.year * 12 + this.month - 1 - n for n in range(11, -2, -1)]
    return [dt.datetime(month // 12, month % 12 + 1, 1, tzinfo=CHINA) for month in months]


def _span(uses: int) -> tuple[dt.datetime, float]:
    """When the first use was, and the seconds between two: the last one is just now."""
    first = _months()[0]
    return first, (clock.now() - first).total_seconds() / (uses + 1)


def _uses(url_admin: str, crowd: Crowd) -> None:
    """Uses with what follows from them, a month after the other on a few connections."""
    first, apart_s = _span(crowd.uses)

    def write(bounds: tuple[dt.datetime, dt.datetime]) -> None:
        begin, end = bounds
        before, through = (int((moment - first).total_seconds() / apart_s) for moment in (begin, end))
        numbers = before + 1, min(crowd.uses, through)
        ids = uuid7_floor(begin), uuid7_floor(end)
        with _at(url_admin) as connection:
            holders = crowd.holders - crowd.first + 1
            _run(connection, "uses", *numbers, first, apart_s, crowd.uses, crowd.first, holders, CARDS_FROM)
            treasury = _one(connection, "SELECT id FROM ledger_account WHERE role = 'treasury.city'")
            connection.execute(f"ANALYZE uses_use_{begin.astimezone(CHINA):%Y%m}")
            _run(connection, "transfers", *ids, ACCOUNTS_FROM - CARDS_FROM, treasury)
            for name in ("lines", "refunds", "orders"):
                _run(connection, name, *ids)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, pairwise(_months())))


def _rest(connection: psycopg.Connection[tuple[Any, ...]], crowd: Crowd) -> None:
    first, apart_s = _span(crowd.uses)
    clearing = _one(connection, "SELECT id FROM ledger_account WHERE role = 'bank.clearing' LIMIT 1")
    _run(connection, "journals")
    _run(connection, "openings", ACCOUNTS_FROM, clearing, first)
    _run(connection, "facts", crowd.uses // 10, first, apart_s * 10, crowd.first, crowd.holders - crowd.first + 1)
    _run(connection, "seal")
    _run(connection, "risks", crowd.uses // 2_000, first, apart_s * 2_000)
