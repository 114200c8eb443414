"""A small city with real registers, two clients with points in it, and the API that serves them."""

from collections.abc import Callable, Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.api.office import Office
from tests.api.process import an_api
from tests.kernel.cards.roles import django_as
from tests.small_city import SmallCity


@pytest.fixture(scope="module")
def city(fresh_database: dict[str, str]) -> Iterator[SmallCity]:
    made = SmallCity(fresh_database["owner"])
    yield made
    made.connection.close()


@pytest.fixture(scope="module")
def url(
    city: SmallCity, fresh_database: dict[str, str], environment_for: Callable[[str], dict[str, str]]
) -> Iterator[str]:
    """The address of the API, served by two processes."""
    with an_api(environment_for, fresh_database["api"], workers=2) as address:
        yield address


@pytest.fixture
def office(
    city: SmallCity, fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker, url: str
) -> Iterator[Office]:
    """The office that agrees, registers and issues: what it does is committed."""
    with django_as(fresh_database["owner"], django_db_blocker):
        yield Office(city, fresh_database, url)
