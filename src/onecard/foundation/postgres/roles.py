"""The database and its six roles.

owner owns every table and migrates; public, staff, gateway, api and worker serve. Nothing is granted by default, not
even to run a function: what they may do stands in the golden table (`grants`). Roles belong to a whole server, so
several databases share them; a suffix (``onecard_owner_test``) keeps the roles of a test apart from a product's on one
server.
"""

from collections.abc import Mapping

import psycopg
from psycopg import sql

from onecard.foundation.errors import Unavailable
from onecard.foundation.postgres import urls
from onecard.foundation.postgres.grants import (
    OWNER,
    ROLES,
    SCHEMA,
    SERVING,
    Connection,
    apply_grants,
    difference,
    live_grants,
    role_name,
)

__all__ = [
    "OWNER",
    "PATIENCE",
    "ROLES",
    "SERVING",
    "apply_grants",
    "closing",
    "connect",
    "difference",
    "ensure_database",
    "live_grants",
    "role_name",
    "script",
]


# How long a role's sessions wait for a lock, for one statement, and idle inside a transaction, before the server ends
# it: whoever hangs holds up nobody else for longer. A job that needs more says so (`raw.wait_at_most`). The gateway
# says its own with each connection; the owner's migrations wait as long as they must.
PATIENCE: dict[str, dict[str, str]] = {
    "public": {"lock_timeout": "3s", "statement_timeout": "15s", "idle_in_transaction_session_timeout": "30s"},
    "staff": {"lock_timeout": "5s", "statement_timeout": "60s", "idle_in_transaction_session_timeout": "2min"},
    "api": {"lock_timeout": "3s", "statement_timeout": "15s", "idle_in_transaction_session_timeout": "30s"},
    "worker": {"lock_timeout": "30s", "statement_timeout": "10min", "idle_in_transaction_session_timeout": "10min"},
}


def ensure_database(
    admin_url: str, name: str, passwords: Mapping[str, str], *, suffix: str = "", template: str = "template0"
) -> dict[str, str]:
    """Make the six roles and the database where they are missing, close it to everyone else; role → URL.

    `admin_url` may make databases and roles. `passwords` has one for each of ROLES and is set each time. `template`
    copies another database that nobody is connected to.
    Raises Unavailable ``DATABASE_UNREACHABLE``, ``POSTGRES_TOO_OLD``.
    """
    with connect(admin_url) as admin:
        admin.autocommit = True
        _refuse_old(admin)
        for role in ROLES:
            _ensure_role(admin, role_name(role, suffix), passwords[role])
            for statement in waiting(role, suffix):
                admin.execute(statement)
        _ensure_database(admin, name, role_name(OWNER, suffix), template)
    base = urls.with_name(admin_url, name)
    addresses = {role: urls.with_role(base, role_name(role, suffix), passwords[role]) for role in ROLES}
    with connect(addresses[OWNER]) as owner:
        for statement in closing(name, suffix):
            owner.execute(statement)
    return addresses


def connect(url: str) -> Connection:
    """A connection, or Unavailable ``DATABASE_UNREACHABLE`` in words. It does not repeat the address."""
    try:
        return psycopg.connect(url, connect_timeout=30)
    except psycopg.OperationalError as error:
        # libpq's hints are indented; the last line that is none tells of the last host it tried.
        reason = [line for line in str(error).strip().splitlines() if not line.startswith("\t")][-1]
        raise Unavailable(
            "DATABASE_UNREACHABLE",
            f"无法连接数据库：{reason}",
            f"The database cannot be reached: {reason}",
            next_zh=f"请检查 {urls.ENVIRONMENT} 与数据库服务器是否运行。",
            next_en=f"Check {urls.ENVIRONMENT} and whether the server runs.",
        ) from error


def _refuse_old(admin: Connection) -> None:
    if admin.info.server_version >= 150000:
        return
    version = admin.info.server_version // 10000
    raise Unavailable(
        "POSTGRES_TOO_OLD",
        f"该服务器是 PostgreSQL {version}，需要 15 或更新版本。",
        f"That server is PostgreSQL {version}; 15 or newer is needed.",
        next_zh="请升级服务器，或不设 ONECARD_DATABASE_URL 而使用内置数据库。",
        next_en="Upgrade it, or leave ONECARD_DATABASE_URL unset and use the embedded one.",
    )


def _ensure_role(admin: Connection, name: str, password: str) -> None:
    """The password travels as its SCRAM verifier, so that it reaches no log of the server."""
    verifier = admin.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    if admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone() is None:
        admin.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))
    admin.execute(
        sql.SQL("ALTER ROLE {} LOGIN NOCREATEDB NOCREATEROLE PASSWORD {}").format(
            sql.Identifier(name), sql.Literal(verifier)
        )
    )


def _ensure_database(admin: Connection, name: str, owner: str, template: str) -> None:
    if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None:
        return
    superuser = admin.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    if superuser == (False,):
        # Only a member of a role may give it a database.
        admin.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(owner)))
    locale = sql.SQL(" ENCODING 'UTF8' LOCALE_PROVIDER libc LOCALE 'C'" if template == "template0" else "")
    admin.execute(
        sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}{}").format(
            sql.Identifier(name), sql.Identifier(owner), sql.Identifier(template), locale
        )
    )


def waiting(role: str, suffix: str = "") -> list[sql.Composed]:
    """What an administrator runs so that a role's sessions wait no longer than PATIENCE says."""
    return [
        sql.SQL("ALTER ROLE {} SET {} = {}").format(
            sql.Identifier(role_name(role, suffix)), sql.Identifier(setting), sql.Literal(span)
        )
        for setting, span in PATIENCE.get(role, {}).items()
    ]


def closing(name: str, suffix: str = "") -> list[sql.Composed]:
    """What the owner runs in a new database so that nobody may do anything there unless the golden table says so."""
    owner = sql.Identifier(role_name(OWNER, suffix))
    serving = sql.SQL(", ").join(sql.Identifier(role_name(role, suffix)) for role in SERVING)
    words = {"database": sql.Identifier(name), "schema": sql.Identifier(SCHEMA), "owner": owner, "serving": serving}
    texts = (
        "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
        "GRANT CONNECT ON DATABASE {database} TO {serving}",
        "REVOKE ALL ON SCHEMA {schema} FROM PUBLIC",
        "GRANT USAGE ON SCHEMA {schema} TO {serving}",
        "ALTER DATABASE {database} SET search_path TO {schema}",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
    )
    return [sql.SQL(text).format(**words) for text in texts]


def script(name: str, suffix: str = "") -> str:
    """The same for psql, for an administrator who runs it by hand; passwords come as ``-v <role>_password=…``."""
    lines = ["-- psql -v ON_ERROR_STOP=1 " + " ".join(f"-v {role_name(r, suffix)}_password=…" for r in ROLES)]
    for role in ROLES:
        full = role_name(role, suffix)
        missing = f"WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{full}')"
        lines += [f"SELECT 'CREATE ROLE {full}' {missing} \\gexec"]
        lines += [f"ALTER ROLE {full} LOGIN NOCREATEDB NOCREATEROLE PASSWORD :'{full}_password';"]
        lines += [f"{statement.as_string(None)};" for statement in waiting(role, suffix)]
    owner = role_name(OWNER, suffix)
    absent = f"WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{name}')"
    create = (
        f"CREATE DATABASE {name} OWNER {owner} TEMPLATE template0 ENCODING ''UTF8'' LOCALE_PROVIDER libc LOCALE ''C''"
    )
    lines += [f"SELECT '{create}' {absent} \\gexec", f"\\connect {name}", f"SET ROLE {owner};"]
    lines += [f"{statement.as_string(None)};" for statement in closing(name, suffix)]
    return "\n".join(lines) + "\n"
