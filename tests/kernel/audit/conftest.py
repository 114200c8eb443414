"""A database of its own for each test, committed and thrown away, with Django pointed at it."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.cluster import Cluster

from onecard.foundation.postgres import urls as addresses


@pytest.fixture
def city(
    postgres: Cluster, template: str, keys_folder: Path, django_db_blocker: DjangoDbBlocker
) -> Iterator[dict[str, str]]:
    """role → URL of a fresh city; Django is its owner, in autocommit: the sealer sees only what was committed."""
    from django.db import connection

    name = f"onecard_audit_{secrets.token_hex(4)}"
    urls = postgres.create(name, template)
    with django_db_blocker.unblock():
        connection.close()
        before = dict(connection.settings_dict)
        address = addresses.parse(urls["owner"])
        connection.settings_dict.update(
            NAME=address.name, USER=address.role, PASSWORD=address.password, HOST=address.host, PORT=address.port or ""
        )
        yield urls
        connection.close()
        connection.settings_dict.update(before)
    postgres.drop(name)
