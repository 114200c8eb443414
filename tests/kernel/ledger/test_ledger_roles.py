"""Who may do what with the ledger's tables, and that its functions cannot be fooled."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors
from tests.kernel.ledger.books import Books, a_transfer

from onecard.foundation.ids import uuid7
from onecard.foundation.postgres.roles import SERVING
from onecard.kernel.ledger.rules import Kind, Outcome

TABLES = ("ledger_account", "ledger_balance", "ledger_transfer", "ledger_hold", "ledger_resolution", "ledger_fold")
WRITES = ("INSERT INTO {} DEFAULT VALUES", "UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {}")


@pytest.fixture
def books(fresh_database: dict[str, str]) -> Iterator[Books]:
    opened = Books(fresh_database["owner"])
    yield opened
    opened.close()


@pytest.mark.parametrize("role", SERVING)
@pytest.mark.parametrize("table", TABLES)
def test_no_role_writes_a_table_of_the_ledger(
    fresh_database: dict[str, str], books: Books, role: str, table: str
) -> None:
    """Nor one of its partitions."""
    partitions = books.run("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = $1::regclass", table)
    column = books.run("SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum = 1", table)[0][0]
    stranger = Books(fresh_database[role])
    for name in [table, *(partition for (partition,) in partitions)]:
        for write in WRITES:
            with pytest.raises(errors.InsufficientPrivilege):
                stranger.run(write.format(name, column, column))
    stranger.close()


@pytest.mark.parametrize("table", ["ledger_transfer", "ledger_resolution"])
def test_the_owner_too_may_only_add(books: Books, table: str) -> None:
    if table == "ledger_resolution":
        books.run("INSERT INTO ledger_resolution VALUES ($1, $1)", uuid7())
    else:
        books.post([a_transfer(books.open(limited=False), books.open(limited=False))])
    for write in (f"DELETE FROM {table}", f"TRUNCATE {table}", f"UPDATE {table} SET {_first(books, table)} = NULL"):
        with pytest.raises(psycopg.DatabaseError, match="APPEND_ONLY"):
            books.run(write)


def _first(books: Books, table: str) -> str:
    column: str = books.run("SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum = 1", table)[0][
        0
    ]
    return column


@pytest.mark.parametrize(
    ("function", "roles"),
    [
        ("ledger_post", {"gateway", "staff", "worker"}),
        ("ledger_lock", {"gateway", "staff", "api"}),
        ("ledger_fold_accounts", {"worker"}),
    ],
)
def test_functions_are_run_by_those_who_need_them(books: Books, function: str, roles: set[str]) -> None:
    found = books.run(
        "SELECT regexp_replace(grantee::regrole::text, '^onecard_|_test.*$', '', 'g')"
        " FROM pg_proc, aclexplode(proacl) WHERE proname = $1 AND grantee <> proowner",
        function,
    )
    assert {role for (role,) in found} == roles


def test_the_world_may_run_none_of_them(books: Books) -> None:
    found = books.run(
        "SELECT proname FROM pg_proc LEFT JOIN LATERAL aclexplode(proacl) ON true"
        " WHERE proname LIKE 'ledger%' AND (proacl IS NULL OR grantee = 0)"
    )
    assert found == []


@pytest.mark.parametrize("kind", [Kind.POSTED, Kind.PENDING])
def test_tables_of_the_same_name_do_not_fool_the_functions(
    fresh_database: dict[str, str], books: Books, kind: Kind
) -> None:
    """A role makes temporary tables that hide ours, with a purse full of money; nothing is paid from it."""
    books.run("DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO PUBLIC', current_database()); END $$")
    purse, operator = books.open(), books.open(limited=False)
    thief = Books(fresh_database["gateway"])
    columns = "account_id bigint, ledger text, free_fen bigint, room_fen bigint, debits_posted bigint"
    thief.run(f"CREATE TEMP TABLE ledger_balance ({columns}, debits_pending bigint, credits_pending bigint)")
    thief.run("INSERT INTO ledger_balance VALUES ($1, 'purse', 1000000, NULL, 0, 0, 0)", purse)
    thief.run("CREATE TEMP TABLE ledger_transfer (id uuid PRIMARY KEY, debit_account bigint, credit_account bigint)")
    thief.run("CREATE TEMP TABLE ledger_hold (id uuid, expires_at timestamptz)")
    thief.run("GRANT ALL ON ledger_balance, ledger_transfer, ledger_hold TO PUBLIC")
    thief.run("SET search_path = pg_temp, public")
    assert thief.post([a_transfer(purse, operator, 100, kind=kind)]) == {0: Outcome.EXCEEDS_BALANCE}
    batch = [a_transfer(purse, operator, 100) for _ in range(4)]
    assert thief.post(batch) == dict.fromkeys(range(4), Outcome.EXCEEDS_BALANCE)
    assert thief.run("SELECT * FROM ledger_lock(ARRAY[$1::bigint])", purse) == [(purse, 0, None)]
    assert thief.run("SELECT count(*) FROM pg_temp.ledger_transfer") == [(0,)]
    thief.close()
