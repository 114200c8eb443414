"""A city with a day behind it: rides, entries, a top-up, a refund and a hold, by every way money moves."""

from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.small_city import SmallCity


@pytest.fixture(scope="module")
def city(fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker) -> Iterator[SmallCity]:
    """Built by its owner; the check may point Django at it."""
    built = SmallCity(fresh_database["owner"])
    with django_db_blocker.unblock():
        yield built
    built.connection.close()
