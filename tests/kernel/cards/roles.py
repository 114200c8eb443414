"""Django as another role, or on another database, for as long as a test needs it."""

import contextlib
from collections.abc import Iterator

from pytest_django.plugin import DjangoDbBlocker

from onecard.foundation.postgres import urls as addresses


@contextlib.contextmanager
def django_as(url: str, blocker: DjangoDbBlocker) -> Iterator[None]:
    """Point Django's connection at a URL, in autocommit: what is done there is committed."""
    from django.db import connection

    with blocker.unblock():
        connection.close()
        before = dict(connection.settings_dict)
        address = addresses.parse(url)
        connection.settings_dict.update(
            NAME=address.name, USER=address.role, PASSWORD=address.password, HOST=address.host, PORT=address.port or ""
        )
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict.update(before)
