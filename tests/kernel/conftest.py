"""What tests of the kernel stand on."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.kernel.cards.roles import django_as
from tests.kernel.side import Side


@pytest.fixture
def side(fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker) -> Iterator[Side]:
    with django_as(fresh_database["owner"], django_db_blocker), ThreadPoolExecutor() as pool:
        yield Side(pool, fresh_database["owner"])
