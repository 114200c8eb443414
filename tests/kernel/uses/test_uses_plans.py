"""How PostgreSQL finds what it is asked for once there is a lot: by key, also by a plan older than the rows."""

import asyncio
import datetime as dt
import json
import secrets
from collections.abc import Callable, Iterator
from uuid import UUID

import asyncpg
import psycopg
import pytest
from tests.small_city import SmallCity

from onecard.foundation import clock, sql
from onecard.foundation.ids import uuid7_floor
from onecard.gateway import services
from onecard.kernel.uses import listing, mine
from onecard.kernel.uses.listing import NEWEST, OLDEST

CARDS, USES, FEW = 4_000, 6_000, 500
SCANNED = "SELECT relname, coalesce(seq_tup_read, 0) FROM pg_stat_user_tables"
TRAVELLED = f"""
INSERT INTO uses_journey (id, card_id, item, item_version_id, point, operator, at, ends_by, purse, held_fen, ended_at)
SELECT uuid7_beside(uuid7_floor(now()), n), n, 'transit.metro_ride', 1, 'p', 'party:1', now() - interval '1 day',
       now() - interval '20 hours', 1, 0, now() - interval '20 hours'
FROM generate_series(1, {CARDS}) n
"""
GROWN = (
    "INSERT INTO ledger_account (ledger, role, owner, limited, ceiling_fen)"
    f" SELECT 'purse', 'holder.purse', 'holder:' || 5000000 + n, true, 100000 FROM generate_series(1, {CARDS}) n",
    "INSERT INTO ledger_balance (account_id, ledger, free_fen, room_fen)"
    " SELECT id, 'purse', 0, 100000 FROM ledger_account WHERE role = 'holder.purse' ON CONFLICT DO NOTHING",
    "INSERT INTO cards_standing (card_id, holder_id, issuing_place, generation, card_state, social_security, financial,"
    " transit, number_index, ecard_serial, purse_account_id, classes)"
    " SELECT n, 5000000 + n, '320600', 3, 'active', 'active', 'active', 'active', decode(md5(n::text), 'hex'), n, a.id,"
    " '[]'"
    f" FROM generate_series(1, {CARDS}) n JOIN ledger_account a ON a.owner = 'holder:' || 5000000 + n",
)
RECORDED = f"""
INSERT INTO uses_use (id, at, terminal_id, point_id, item, card_id, medium, verdict, full_fen, paid_fen)
SELECT uuid7_beside(uuid7_floor(now() - n * interval '10 minutes'), n), now() - n * interval '10 minutes', 1,
       (SELECT min(id) FROM catalogue_point) + n % 3, 'transit.bus_ride', n % 500, 'code',
       CASE WHEN n % 50 = 0 THEN 'CARD_LOST' ELSE 'ADMITTED' END, 0, 0
FROM generate_series(1, {USES}) n
"""
SENT = """
INSERT INTO uses_offline_line (use_id, terminal_id, journal, sequence, verdict, gate_verdict, manual, at_gate,
                               correction_s, gate_paid_fen, double, shortfall_fen, chain_state)
SELECT id, 1, id, 1, verdict, 'ADMITTED', false, at, 0, 0, false, 0, 'linked'
FROM uses_use
"""


@pytest.fixture(scope="module")
def city(fresh_database: dict[str, str]) -> Iterator[SmallCity]:
    built = SmallCity(fresh_database["owner"])
    yield built
    built.connection.close()


# --- A plan that was made while the tables were empty -----------------------------------------------------------------


class Asked:
    """A statement as it was planned on a connection, and what was scanned for it since."""

    def __init__(self, url: str, connect: Callable[[str], asyncpg.Connection], name: str) -> None:
        self.runner = asyncio.Runner()
        self.connection = self.runner.run(connect(url))
        self.prepared = self.runner.run(self.connection.prepare(sql.load("onecard.kernel.uses.load", name)))

    def of(self, city: SmallCity, *params: object) -> tuple[list[asyncpg.Record], dict[str, int]]:
        """What it gives, and how many rows were read by scans for it, by table."""
        before = _scanned(city)
        found = self.runner.run(self.prepared.fetch(*params))
        self.runner.run(self.connection.execute("SELECT pg_stat_force_next_flush()"))
        return found, {table: read - before[table] for table, read in _scanned(city).items() if read > before[table]}

    def close(self) -> None:
        self.runner.run(self.connection.close())
        self.runner.close()


def _scanned(city: SmallCity) -> dict[str, int]:
    """Rows read by scans so far, by table, also by what this connection did just now."""
    city.run("SELECT pg_stat_force_next_flush()")
    return dict(city.run(SCANNED))


async def _as_scans_like_it(url: str) -> asyncpg.Connection:
    """Planned once, with nothing that keeps the plan from what is small today."""
    settings = {"plan_cache_mode": "force_generic_plan"}
    return await asyncpg.connect(url, server_settings=settings)


def test_cards_are_locked_by_key_with_a_plan_from_when_there_were_none(
    city: SmallCity, fresh_database: dict[str, str]
) -> None:
    url = fresh_database["gateway"]
    held, free = Asked(url, services.connect, "lock_cards"), Asked(url, _as_scans_like_it, "lock_cards")
    for asked in (held, free):
        assert asked.of(city, [1], []) == ([], {})  # planned here, and kept
    for statement in GROWN:
        city.run(statement)
    serials = [secrets.randbelow(CARDS) + 1 for _ in range(8)]
    locked, scanned = held.of(city, serials, [])
    assert len(locked) == len(set(serials))
    assert scanned == {}
    # What this test looks at does tell: a plan of the same age that is not held to keys reads every card.
    assert free.of(city, serials, [])[1]["cards_standing"] >= CARDS
    for asked in (held, free):
        asked.close()


def test_journeys_that_are_over_are_found_by_card(city: SmallCity, fresh_database: dict[str, str]) -> None:
    asked = Asked(fresh_database["gateway"], services.connect, "late_journeys")
    now = clock.now()
    given = ([7], ["transit.metro_ride"], now - dt.timedelta(days=2), now, uuid7_floor(now - dt.timedelta(days=2)))
    assert asked.of(city, *given)[1] == {}
    city.run(TRAVELLED)
    [found], scanned = asked.of(city, *given)
    assert len(json.loads(found["left"])) == 1
    assert scanned == {}
    asked.close()


# --- Lists ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many(city: SmallCity) -> SmallCity:
    """Uses of six weeks, each of them sent by a gate without a line, with what the planner knows of them."""
    city.run(RECORDED)
    city.run(SENT)
    city.run("ANALYZE uses_use")
    city.run("ANALYZE uses_offline_line")
    city.run("ANALYZE catalogue_point")
    return city


PAGE = (NEWEST, OLDEST, listing.READ_MAX, ["3206%"], "", "", listing.PAGE + 1)
LISTS: dict[str, tuple[object, ...]] = {
    "listed_all": PAGE,
    "listed_at_point": (*PAGE, 1),
    "listed_offline": (*PAGE, None),
    "listed_odd": (*PAGE, None, False),
    "listed_of_cards": ([7, 8], NEWEST, listing.PAGE),
    "mine": ([7, 8], NEWEST, mine.PAGE, "", ""),
}


@pytest.mark.parametrize("planned", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("name", LISTS)
def test_no_list_scans_uses(many: SmallCity, name: str, planned: str) -> None:
    """Whether it is planned for what is asked or once for all."""
    many.run(f"SET plan_cache_mode = {planned}")
    _scans_no_uses(many, _plan(many, name, *LISTS[name]))


@pytest.mark.parametrize("number", [listing.PAGE, USES // 2])
def test_what_is_told_of_uses_is_found_by_their_keys(many: SmallCity, number: int) -> None:
    """Of a page, and of a part of an export, which is no small share of what there is here."""
    many.run("SET plan_cache_mode = force_custom_plan")
    ids = [id_ for (id_,) in many.run("SELECT id FROM uses_use ORDER BY id DESC LIMIT $1", number)]
    beside = [line for line in _plan(many, "listed_some", ids) if " on uses_use_" not in line]
    _scans_no_uses(many, beside)


def _scans_no_uses(city: SmallCity, plan: list[str]) -> None:
    """A partition of a few pages may be read as a whole, as that of a month on its first day."""
    scans = [line for line in plan if "Seq Scan on uses_" in line and "never executed" not in line]
    scanned = [line.split("Seq Scan on ")[1].split()[0] for line in scans]
    large = "SELECT relname FROM pg_class WHERE relname = ANY ($1::text[]) AND reltuples > $2"
    assert city.run(large, scanned, FEW) == [], "\n".join(plan)


def test_a_page_reads_no_more_than_it_shows(many: SmallCity) -> None:
    """The newest page of all stops where it is full, among however many."""
    plan = _plan(many, "listed_all", *PAGE)
    read = [line for line in plan if "Scan" in line and "uses_use_" in line and "never executed" not in line]
    assert read
    assert sum(int(line.split("rows=")[-1].split(".")[0].split()[0]) for line in read) < 3 * listing.PAGE, "\n".join(
        plan
    )


def test_what_is_odd_is_found_by_its_own_index(many: SmallCity) -> None:
    plan = "\n".join(_plan(many, "listed_odd", *PAGE, None, False))
    assert "_use_id_terminal_id_idx" in plan


def _plan(city: SmallCity, name: str, *params: object) -> list[str]:
    """The executed plan of a list, planned as a statement that was prepared."""
    text = sql.load(listing.HERE, name).encode()
    with psycopg.RawCursor(city.connection) as cursor:
        cursor.execute(
            b"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) " + text, params, prepare=True
        )
        return [line for (line,) in cursor.fetchall()]


def test_pages_of_every_filter_are_what_walking_through_all_gives(many: SmallCity) -> None:
    """Page after page by key gives each use that fits once, newest first, also where few fit among many."""
    everything = many.run("SELECT id, point_id, verdict FROM uses_use ORDER BY id DESC")
    for read_max in (listing.READ_MAX, 40):
        assert _walk(many, "listed_all", read_max, "CARD_LOST") == [
            id_ for id_, _p, v in everything if v == "CARD_LOST"
        ]
    point = everything[0][1]
    assert _walk(many, "listed_at_point", 40, "", point) == [id_ for id_, p, _v in everything if p == point]
    odd = [id_ for id_, _p, v in everything if v == "CARD_LOST"]
    assert _walk(many, "listed_odd", 10, "", None, False) == odd
    assert _walk(many, "listed_odd", 10, "", None, True) == []


def _walk(city: SmallCity, name: str, read_max: int, verdict: str, *more: object) -> list[UUID]:
    """The ids of all pages, each beginning where the one before says."""
    found: list[UUID] = []
    before: UUID | None = NEWEST
    limit = listing.PAGE
    while before is not None:
        given = (before, OLDEST, read_max, ["3206%"], "", verdict, limit + 1, *more)
        page = city.run(sql.load(listing.HERE, name), *given)
        fit = [id_ for id_, fits in page if fits][:limit]
        found += fit
        before = fit[-1] if len(page) > limit else next((id_ for id_, fits in page if not fits), None)
    return found
