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
