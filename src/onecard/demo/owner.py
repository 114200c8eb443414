"""Django's connection, lent to the owner of a node's database: so that verbs and COPY share one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import connection, connections

from onecard.foundation.postgres import urls


@contextmanager
def connected(url: str) -> Iterator[None]:
    """Inside, the verbs run on the database that `url` names, whatever the settings say; it is closed on leaving."""
    address = urls.parse(url)
    before = connections["default"]
    lent = connections.create_connection("default")
    lent.settings_dict = {
        **lent.settings_dict,
        "NAME": address.name,
        "USER": address.role,
        "PASSWORD": address.password,
        "HOST": address.host,
        "PORT": str(address.port or ""),
        "OPTIONS": {"application_name": "onecard-demo", **dict(address.options)},
    }
    connections["default"] = lent
    try:
        yield
    finally:
        lent.close()
        connections["default"] = before


def driver() -> psycopg.Connection[tuple[object, ...]]:
    """The psycopg connection under Django's, inside its transaction: for COPY."""
    connection.ensure_connection()
    below: psycopg.Connection[tuple[object, ...]] = connection.connection
    return below
