"""The demo city's own items, parties and points, loaded once; each module tells its stories in a copy."""

import secrets
from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.cluster import Cluster
from tests.stories.city import StoryCity

from onecard import scenarios
from onecard.demo import city as demo
from onecard.demo import owner
from onecard.demo.plan import ACTOR, Plan
from onecard.foundation import clock
from onecard.kernel.catalogue import files, loading


@pytest.fixture(scope="session")
def demo_template(
    postgres: Cluster, template: str, keys_folder: object, django_db_blocker: DjangoDbBlocker
) -> Iterator[str]:
    """The name of a database with all items published and offered at the demo city's points, and no people."""
    name = f"onecard_stories_{secrets.token_hex(4)}"
    url = postgres.create(name, template)["owner"]
    with django_db_blocker.unblock(), owner.connected(url):
        loading.load(ACTOR, files.read(scenarios.FOLDER), publish=True)
        demo.found(Plan(0, 0, clock.today(), lambda zh, en="", /: None))
    yield name
    postgres.drop(name)


@pytest.fixture(scope="module")
def urls(postgres: Cluster, demo_template: str) -> Iterator[dict[str, str]]:
    """role → URL of a copy of the city for one module."""
    name = f"onecard_story_{secrets.token_hex(4)}"
    yield postgres.create(name, demo_template)
    postgres.drop(name)


@pytest.fixture(scope="module")
def city(urls: dict[str, str]) -> Iterator[StoryCity]:
    made = StoryCity(urls)
    yield made
    made.close()
