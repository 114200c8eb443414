"""Statements with ``$1`` parameters on Django's connection, so that one text serves both drivers."""

import time
from typing import Any

import psycopg
from django.db import connection


def rows(sql: str, *params: Any) -> list[tuple[Any, ...]]:
    """Run one statement in Django's current transaction; its rows, or [] where it returns none.

    Errors arrive as Django's (IntegrityError, …). The statement counts as a query for `CaptureQueriesContext`.
    """
    connection.ensure_connection()
    started = time.monotonic()
    with connection.wrap_database_errors, psycopg.RawCursor(connection.connection) as cursor:
        cursor.execute(sql.encode(), params)
        result = cursor.fetchall() if cursor.description else []
    if connection.queries_logged:
        connection.queries_log.append({"sql": sql, "time": f"{time.monotonic() - started:.3f}"})
    return result


def wait_at_most(*, lock_s: float | None = None, statement_s: float | None = None) -> None:
    """Let the rest of the current transaction wait so long for a lock and for one statement, in seconds, in place of
    what its role waits (`roles.PATIENCE`). 0 is as long as it takes.
    """
    for setting, seconds in (("lock_timeout", lock_s), ("statement_timeout", statement_s)):
        if seconds is not None:
            rows("SELECT set_config($1, $2, true)", setting, f"{round(seconds * 1000)}ms")
