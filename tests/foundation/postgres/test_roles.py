"""The six roles hold what the golden table says, and nothing else."""

import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.cluster import SUFFIX, Cluster

from onecard.foundation.errors import BadInput, Unavailable
from onecard.foundation.postgres import grants, roles, urls
from onecard.foundation.postgres.embedded import EmbeddedPostgres

TABLE = """
[person]
staff = "SELECT, INSERT"
gateway = { SELECT = ["id", "state"] }
worker = { SELECT = true, UPDATE = ["state"] }
[table_prefix.queue_]
worker = "SELECT"
[sequence.serial]
usage = ["staff"]
[function."pay(int, text[])"]
execute = ["gateway"]
[function_prefix.queue_]
execute = ["worker"]
"""
CONTENT = """
CREATE TABLE person (id bigint GENERATED ALWAYS AS IDENTITY, name text, state text);
CREATE TABLE queue_jobs (id int); CREATE TABLE queue_events (id int);
CREATE SEQUENCE serial;
CREATE FUNCTION pay(amount int, why text[]) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION pay(amount int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION queue_take() RETURNS int LANGUAGE sql AS 'SELECT 1';
"""


@pytest.fixture
def made(postgres: Cluster) -> Iterator[dict[str, str]]:
    name = f"角色 roles_{secrets.token_hex(4)}"
    yield postgres.create(name)
    postgres.drop(name)


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    path = tmp_path / "grants.toml"
    path.write_text(TABLE)
    return path


@pytest.fixture
def owner(made: dict[str, str], golden: Path) -> Iterator[grants.Connection]:
    with psycopg.connect(made["owner"], autocommit=True) as connection:
        connection.execute(CONTENT)
        grants.apply_grants(connection, suffix=SUFFIX, grants=golden)
        yield connection


def run(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def test_making_it_again_changes_nothing(postgres: Cluster, made: dict[str, str]) -> None:
    name = psycopg.conninfo.conninfo_to_dict(made["owner"])["dbname"]
    run(made["owner"], "CREATE TABLE kept (id int)")
    assert postgres.create(str(name)) == made
    assert run(made["owner"], "SELECT * FROM kept") == []


@pytest.mark.parametrize("role", roles.SERVING)
def test_a_serving_role_may_do_nothing_by_default(made: dict[str, str], role: str) -> None:
    run(made["owner"], "CREATE TABLE secret (id int)")
    run(made["owner"], "CREATE FUNCTION reveal() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT id FROM secret'")
    for statement in (
        "SELECT * FROM secret",
        "SELECT reveal()",
        "CREATE TABLE mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "DROP TABLE secret",
        "CREATE ROLE mine",
        "CREATE DATABASE mine",
    ):
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ActiveSqlTransaction)):
            run(made[role], statement)


@pytest.mark.parametrize("role", roles.ROLES)
def test_a_role_waits_so_long_and_no_longer(made: dict[str, str], role: str) -> None:
    """The gateway says its own with each connection, and migrations take the time they need."""
    said = {setting: run(made[role], f"SHOW {setting}")[0][0] for setting in roles.PATIENCE["public"]}
    spans = {"60s": "1min"}
    assert said == {
        setting: spans.get(span, span)
        for setting, span in roles.PATIENCE.get(role, dict.fromkeys(said, "0")).items()
    }  # fmt: skip


def test_a_lock_that_somebody_holds_is_waited_for_a_while_only(made: dict[str, str]) -> None:
    run(made["owner"], "CREATE TABLE held (id int)")
    run(made["owner"], f"GRANT SELECT ON held TO {roles.role_name('public', SUFFIX)}")
    with psycopg.connect(made["owner"]) as holder:
        holder.execute("LOCK TABLE held")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            run(made["public"], "SELECT * FROM held")


@pytest.mark.usefixtures("owner")
def test_what_is_granted_works_and_its_neighbour_does_not(made: dict[str, str]) -> None:
    run(made["staff"], "INSERT INTO person (name, state) VALUES ('张三', 'alive')")
    assert run(made["gateway"], "SELECT id, state FROM person") == [(1, "alive")]
    assert run(made["gateway"], "SELECT pay(1, '{}')") == [(1,)]
    assert run(made["worker"], "SELECT queue_take()") == [(1,)]
    assert run(made["staff"], "SELECT nextval('serial')") == [(1,)]
    run(made["worker"], "UPDATE person SET state = 'gone'")
    for role, statement in (
        ("gateway", "SELECT name FROM person"),
        ("gateway", "SELECT pay(1)"),
        ("staff", "DELETE FROM person"),
        ("staff", "TRUNCATE person"),
        ("worker", "UPDATE person SET name = ''"),
        ("worker", "DELETE FROM queue_jobs"),
        ("public", "SELECT id FROM person"),
        ("public", "SELECT nextval('serial')"),
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            run(made[role], statement)


def test_applying_again_changes_nothing(owner: grants.Connection, golden: Path) -> None:
    assert not grants.apply_grants(owner, suffix=SUFFIX, grants=golden)


def test_every_difference_is_reported_and_mended(owner: grants.Connection, golden: Path) -> None:
    gateway, public = roles.role_name("gateway", SUFFIX), roles.role_name("public", SUFFIX)
    for statement in (
        f"GRANT SELECT (name) ON person TO {gateway}",
        f"GRANT TRUNCATE ON queue_jobs TO {public}",
        "GRANT EXECUTE ON FUNCTION pay(int) TO PUBLIC",
        f"GRANT UPDATE ON SEQUENCE serial TO {public}",
        f"REVOKE SELECT (state) ON person FROM {gateway}",
    ):
        owner.execute(statement.encode())
    found = grants.difference(owner, suffix=SUFFIX, grants=golden)
    assert found.lines() == [
        "extra    PUBLIC: EXECUTE on function pay(integer)",
        "extra    gateway: SELECT on column person.name",
        "extra    public: TRUNCATE on table queue_jobs",
        "extra    public: UPDATE on sequence serial",
        "missing  gateway: SELECT on column person.state",
    ]
    assert grants.apply_grants(owner, suffix=SUFFIX, grants=golden) == found
    assert not grants.difference(owner, suffix=SUFFIX, grants=golden)


def test_rights_on_the_schema_are_watched_too(owner: grants.Connection, golden: Path) -> None:
    owner.execute(f"GRANT CREATE ON SCHEMA public TO {roles.role_name('staff', SUFFIX)}".encode())
    assert grants.difference(owner, suffix=SUFFIX, grants=golden).lines() == ["extra    staff: CREATE on schema public"]
    with pytest.raises(BadInput, match="GRANTS_OUTSIDE_TABLE"):
        grants.apply_grants(owner, suffix=SUFFIX, grants=golden)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[nowhere]\nstaff = "SELECT"', "[nowhere]: there is no such table"),
        ('[function."pay(uuid)"]\nexecute = ["staff"]', "there is no such function"),
        ("[table_prefix.nowhere_]\nstaff = 'SELECT'", "there is no such table"),
        ('[person]\nmayor = "SELECT"', "unknown role mayor"),
        ('[person]\nowner = "SELECT"', "unknown role owner"),
        ('[person]\nstaff = "LOOK"', "unknown privilege or column: LOOK"),
        ('[person]\nstaff = { SELECT = ["age"] }', "unknown privilege or column: SELECT ['age']"),
        ("[person]\nstaff = 1", 'expected "SELECT, …"'),
        ('[sequence.serial]\nselect = ["staff"]', "expected usage = [roles]"),
        ("person = 1", "expected a table [name]"),
    ],
)
def test_a_wrong_row_is_named(owner: grants.Connection, golden: Path, text: str, said: str) -> None:
    golden.write_text(text)
    with pytest.raises(BadInput, match="GRANTS_MALFORMED") as refused:
        grants.difference(owner, grants=golden)
    assert said in refused.value.en


def test_what_is_missing_may_be_allowed(owner: grants.Connection, golden: Path) -> None:
    golden.write_text(TABLE + '[nowhere]\nstaff = "SELECT"')
    assert not grants.difference(owner, suffix=SUFFIX, grants=golden, allow_missing=True)


def test_the_printed_script_does_the_same(postgres: Cluster, tmp_path: Path) -> None:
    """An administrator may run it by hand, twice; the owner then finds nothing to add."""
    if postgres.embedded is None:
        pytest.skip("needs the embedded server's psql")
    suffix, name = f"_{secrets.token_hex(3)}", f"by_hand_{secrets.token_hex(4)}"
    file = tmp_path / "roles.sql"
    file.write_text(roles.script(name, suffix))
    passwords = {role: secrets.token_hex(4) for role in roles.ROLES}
    given = [f"-v{roles.role_name(role, suffix)}_password={passwords[role]}" for role in roles.ROLES]
    for _ in range(2):
        psql(postgres.embedded, postgres.admin_url, *given, f"--file={file}")
    before = live(postgres, name, passwords, suffix)
    roles.ensure_database(postgres.admin_url, name, passwords, suffix=suffix)
    assert live(postgres, name, passwords, suffix) == before
    postgres.drop(name)


def psql(server: EmbeddedPostgres, url: str, *options: str) -> None:
    subprocess.run(
        [server.binary("psql"), "-X", "-v", "ON_ERROR_STOP=1", url, *options], check=True, capture_output=True
    )


def live(postgres: Cluster, name: str, passwords: dict[str, str], suffix: str) -> frozenset[grants.Grant]:
    base = urls.with_name(postgres.admin_url, name)
    with psycopg.connect(urls.with_role(base, roles.role_name("owner", suffix), passwords["owner"])) as connection:
        return grants.live_grants(connection, suffix)


def test_an_unreachable_server_is_one_sentence(tmp_path: Path) -> None:
    passwords = dict.fromkeys(roles.ROLES, "x")
    with pytest.raises(Unavailable, match="DATABASE_UNREACHABLE") as refused:
        roles.ensure_database(f"postgresql://a:topsecret@/x?host={tmp_path}", "y", passwords)
    assert "topsecret" not in refused.value.en
