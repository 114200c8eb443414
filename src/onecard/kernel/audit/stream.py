"""Rows of any number through a server-side cursor, so that a million facts need the memory of a thousand."""

from collections.abc import Iterator
from typing import Any

import psycopg
from django.db import connection

from onecard.foundation.ids import uuid7

ROWS_A_FETCH = 2_000


def stream(sql: str, *params: Any) -> Iterator[tuple[Any, ...]]:
    """Run one statement with ``$1`` parameters and yield its rows as they arrive; needs an open transaction."""
    connection.ensure_connection()
    name = f"audit_{uuid7().hex}"
    with (
        connection.wrap_database_errors,
        psycopg.RawServerCursor(connection.connection, name) as cursor,
    ):
        cursor.itersize = ROWS_A_FETCH
        cursor.execute(sql.encode(), params)
        yield from cursor
