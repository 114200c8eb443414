"""A database of its own for each test, committed and thrown away, with Django pointed at it."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.cluster import Cluster
from tests.kernel.cards.roles import django_as


@pytest.fixture
def city(
    postgres: Cluster, template: str, keys_folder: Path, django_db_blocker: DjangoDbBlocker
) -> Iterator[dict[str, str]]:
    """role → URL of a fresh city; Django is its owner, in autocommit: the sealer sees only what was committed."""
    name = f"onecard_audit_{secrets.token_hex(4)}"
    urls = postgres.create(name, template)
    with django_as(urls["owner"], django_db_blocker):
        yield urls
    postgres.drop(name)
