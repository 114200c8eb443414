"""The golden table of what each role may do (``settings/grants.toml``), and how the database differs from it.

Rights are compared as sets: what the table spells out over the tables, columns, sequences and functions that exist, and
what PostgreSQL's catalog says everybody but their owner holds. Applying the table runs only the difference, so a second
time does nothing; nothing is skipped in silence.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from onecard.foundation.errors import BadInput

OWNER = "owner"
SERVING = ("public", "staff", "gateway", "api", "worker")
ROLES = (OWNER, *SERVING)
PREFIX = "onecard_"
SCHEMA = "public"
GRANTS = Path(__file__).parents[2] / "settings" / "grants.toml"
TABLE_PRIVILEGES = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"})
COLUMN_PRIVILEGES = frozenset({"SELECT", "INSERT", "UPDATE", "REFERENCES"})

Connection = psycopg.Connection[Any]


def role_name(role: str, suffix: str = "") -> str:
    """The database's name of a role: ``role_name("staff") == "onecard_staff"``."""
    return f"{PREFIX}{role}{suffix}"


class Grant(NamedTuple):
    """One right. `kind` is table, column, sequence, function, schema or database; `column` is "" except for columns.

    `role` is one of SERVING, ``PUBLIC`` or another role's own name. A function's name carries its argument types.
    """

    kind: str
    name: str
    column: str
    role: str
    privilege: str

    def __str__(self) -> str:
        where = f"{self.name}.{self.column}" if self.column else self.name
        return f"{self.role}: {self.privilege} on {self.kind} {where}"


@dataclass(frozen=True)
class Difference:
    """What the database lacks and what it has too much, compared with the golden table."""

    missing: frozenset[Grant]
    extra: frozenset[Grant]

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra)

    def lines(self) -> list[str]:
        """One sentence for each difference, sorted."""
        return sorted([f"missing  {grant}" for grant in self.missing] + [f"extra    {grant}" for grant in self.extra])


def live_grants(connection: Connection, suffix: str = "") -> frozenset[Grant]:
    """Every right in the current schema, and on it and the database, that anyone but the objects' owner holds."""
    found = connection.execute(_LIVE).fetchall()
    return frozenset(
        Grant(kind, name, column, _short(role, suffix), privilege) for kind, name, column, role, privilege in found
    )


def _short(role: str, suffix: str) -> str:
    short = role.removeprefix(PREFIX).removesuffix(suffix)
    return short if role_name(short, suffix) == role and short in ROLES else role


_LIVE = """
WITH here AS (SELECT oid, nspname, nspacl, nspowner FROM pg_namespace WHERE nspname = current_schema())
SELECT object.kind, object.name, object.col,
       CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(acl.grantee)::text END, acl.privilege_type
FROM (
    SELECT CASE relkind WHEN 'S' THEN 'sequence' ELSE 'table' END AS kind, relname::text AS name, '' AS col,
           relowner AS owner,
           coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner)) AS rights
    FROM pg_class, here WHERE relnamespace = here.oid AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL
    SELECT 'column', relname::text, attname::text, relowner, attacl
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid, here
    WHERE relnamespace = here.oid AND attacl IS NOT NULL AND NOT attisdropped
    UNION ALL
    SELECT 'function', proname || '(' || oidvectortypes(proargtypes) || ')', '', proowner,
           coalesce(proacl, acldefault('f', proowner))
    FROM pg_proc, here WHERE pronamespace = here.oid
    UNION ALL
    SELECT 'schema', 'public', '', nspowner, coalesce(nspacl, acldefault('n', nspowner)) FROM here
    UNION ALL
    SELECT 'database', 'this', '', datdba, coalesce(datacl, acldefault('d', datdba))
    FROM pg_database WHERE datname = current_database()
) AS object, aclexplode(object.rights) AS acl
WHERE acl.grantee <> object.owner
"""


def golden_grants(connection: Connection, *, grants: Path = GRANTS, allow_missing: bool = False) -> frozenset[Grant]:
    """The golden table spelled out over what exists in the current schema.

    Raises BadInput ``GRANTS_MALFORMED`` for a row it cannot read or, unless `allow_missing`, that names
    nothing there is.
    """
    catalog = _Catalog.read(connection)
    wanted = {Grant("schema", SCHEMA, "", role, "USAGE") for role in SERVING}
    wanted |= {Grant("database", "this", "", role, "CONNECT") for role in SERVING}
    for kind, key, row in _entries(tomllib.loads(grants.read_text(encoding="utf-8"))):
        names = catalog.matching(kind, _known_function(connection, key) if kind == "function" else key)
        if not names and not allow_missing:
            raise _malformed(f"[{key}]", f"there is no such {kind.replace('_prefix', '')}")
        for name in names:
            wanted |= set(_spelled(kind.removesuffix("_prefix"), name, row, catalog))
    return frozenset(wanted)


def difference(
    connection: Connection, *, suffix: str = "", grants: Path = GRANTS, allow_missing: bool = False
) -> Difference:
    """Compare the database with the golden table; empty means that they are equal."""
    golden = golden_grants(connection, grants=grants, allow_missing=allow_missing)
    live = live_grants(connection, suffix)
    return Difference(golden - live, live - golden)


def apply_grants(
    connection: Connection, *, suffix: str = "", grants: Path = GRANTS, allow_missing: bool = False
) -> Difference:
    """Bring the database to the golden table, as owner and in the caller's transaction; what was changed.

    Applying it again changes nothing. Raises BadInput ``GRANTS_MALFORMED``.
    """
    changed = difference(connection, suffix=suffix, grants=grants, allow_missing=allow_missing)
    for grant in sorted(changed.extra):
        connection.execute(_statement("REVOKE", "FROM", grant, suffix))
    for grant in sorted(changed.missing):
        connection.execute(_statement("GRANT", "TO", grant, suffix))
    return changed


def _statement(verb: str, preposition: str, grant: Grant, suffix: str) -> sql.Composed:
    role = role_name(grant.role, suffix) if grant.role in ROLES else grant.role
    return sql.SQL(" ").join(
        [
            sql.SQL(f"{verb} {grant.privilege}"),
            sql.SQL("({})").format(sql.Identifier(grant.column)) if grant.column else sql.SQL(""),
            sql.SQL("ON"),
            _object(grant),
            sql.SQL(f"{preposition}"),
            sql.SQL("PUBLIC") if role == "PUBLIC" else sql.Identifier(role),
        ]
    )


def _object(grant: Grant) -> sql.Composable:
    if grant.kind == "function":
        name, arguments = grant.name.split("(", 1)
        # Argument types are PostgreSQL's own spelling, read from its catalog.
        return sql.SQL("FUNCTION {}({}").format(sql.Identifier(name), sql.SQL(arguments))
    if grant.kind in ("schema", "database"):
        raise BadInput(
            "GRANTS_OUTSIDE_TABLE",
            f"数据库或模式的权限与初始设置不同：{grant}",
            f"The rights on the database or schema differ from how it was made: {grant}",
            next_zh="请运行 onecard db roles。",
            next_en="Run onecard db roles.",
        )
    word = sql.SQL("SEQUENCE {}") if grant.kind == "sequence" else sql.SQL("TABLE {}")
    return word.format(sql.Identifier(grant.name))


@dataclass(frozen=True)
class _Catalog:
    """What exists in the current schema: the columns of each table, sequences, functions with their argument types."""

    tables: dict[str, frozenset[str]]
    sequences: frozenset[str]
    functions: frozenset[str]

    @classmethod
    def read(cls, connection: Connection) -> "_Catalog":
        tables = connection.execute(
            """SELECT relname::text, array_agg(attname::text) FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
               WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
                 AND attnum > 0 AND NOT attisdropped GROUP BY relname"""
        ).fetchall()
        sequences = connection.execute(
            "SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'S'"
        ).fetchall()
        functions = connection.execute(
            """SELECT proname || '(' || oidvectortypes(proargtypes) || ')'
               FROM pg_proc WHERE pronamespace = current_schema()::regnamespace"""
        ).fetchall()
        return cls(
            {name: frozenset(columns) for name, columns in tables},
            frozenset(name for (name,) in sequences),
            frozenset(name for (name,) in functions),
        )

    def matching(self, kind: str, key: str) -> list[str]:
        """The names that a row of the golden table means."""
        names: Iterable[str] = {"table": self.tables, "sequence": self.sequences, "function": self.functions}[
            kind.removesuffix("_prefix")
        ]
        if kind.endswith("_prefix"):
            return [name for name in names if name.startswith(key)]
        return [key] if key in names else []


def _known_function(connection: Connection, signature: str) -> str:
    """The catalog's spelling of a signature; PostgreSQL reads it, so that ``int`` and ``integer`` are one type."""
    found = connection.execute(
        """SELECT proname || '(' || oidvectortypes(proargtypes) || ')' FROM pg_proc
           WHERE oid = to_regprocedure(%s) AND pronamespace = current_schema()::regnamespace""",
        [signature],
    ).fetchone()
    return found[0] if found else signature


def _entries(table: Mapping[str, Any]) -> Iterable[tuple[str, str, Mapping[str, Any]]]:
    """(kind, name or prefix, row) for each row of the golden table."""
    grouped = ("function", "sequence", "function_prefix", "table_prefix", "sequence_prefix")
    for key, row in table.items():
        if not isinstance(row, Mapping):
            raise _malformed(key, "expected a table [name]")
        if key not in grouped:
            yield "table", key, row
            continue
        for name, inner in row.items():
            yield key, name, inner


def _spelled(kind: str, name: str, row: Mapping[str, Any], catalog: _Catalog) -> Iterable[Grant]:
    if kind == "table":
        for role, rights in row.items():
            yield from _table_rights(name, _known_role(name, role), rights, catalog.tables[name])
        return
    word = {"function": "execute", "sequence": "usage"}[kind]
    if set(row) != {word} or not isinstance(row[word], list):
        raise _malformed(f"[{kind}.{name}]", f"expected {word} = [roles]")
    for role in row[word]:
        yield Grant(kind, name, "", _known_role(name, role), word.upper())


def _table_rights(table: str, role: str, rights: object, columns: frozenset[str]) -> Iterable[Grant]:
    if isinstance(rights, str):
        rights = {word.strip(): True for word in rights.split(",")}
    if not isinstance(rights, Mapping):
        raise _malformed(f"[{table}] {role}", 'expected "SELECT, …" or { SELECT = ["column", …] }')
    for privilege, scope in rights.items():
        if scope is True and privilege in TABLE_PRIVILEGES:
            yield Grant("table", table, "", role, privilege)
        elif isinstance(scope, list) and privilege in COLUMN_PRIVILEGES and set(scope) <= columns:
            yield from (Grant("column", table, column, role, privilege) for column in scope)
        else:
            raise _malformed(f"[{table}] {role}", f"unknown privilege or column: {privilege} {scope}")


def _known_role(where: str, role: object) -> str:
    short = str(role).removeprefix(PREFIX)
    if short not in SERVING:
        raise _malformed(f"[{where}]", f"unknown role {role}; expected one of {', '.join(SERVING)}")
    return short


def _malformed(where: str, reason: str) -> BadInput:
    return BadInput(
        "GRANTS_MALFORMED",
        f"权限表 settings/grants.toml 的 {where} 有误：{reason}",
        f"settings/grants.toml, {where}: {reason}",
        next_zh="请改正该行。",
        next_en="Correct that row.",
    )
