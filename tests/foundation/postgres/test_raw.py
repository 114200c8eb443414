"""Statements on Django's connection, and how long they may wait."""

from collections.abc import Iterator

import pytest
from django.db import OperationalError, connection, transaction
from pytest_django.plugin import DjangoDbBlocker
from tests.kernel.cards.roles import django_as

from onecard.foundation.postgres.raw import rows, wait_at_most


@pytest.fixture
def as_worker(urls: dict[str, str], django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Django's connection is the worker's."""
    with django_as(urls["worker"], django_db_blocker):
        yield


def waits() -> tuple[str, str]:
    return rows("SHOW lock_timeout")[0][0], rows("SHOW statement_timeout")[0][0]


@transaction.atomic
def sleep_too_long() -> None:
    wait_at_most(statement_s=0.05)
    rows("SELECT pg_sleep(20)")


@pytest.mark.usefixtures("as_worker")
def test_a_long_job_says_how_long_it_may_take() -> None:
    usual = waits()
    with transaction.atomic():
        wait_at_most(lock_s=1.5, statement_s=7200)
        assert waits() == ("1500ms", "2h")
        wait_at_most(statement_s=0)
        assert waits() == ("1500ms", "0")
    assert waits() == usual == ("30s", "10min")


@pytest.mark.usefixtures("as_worker")
def test_a_statement_that_takes_longer_is_ended_and_the_next_one_runs() -> None:
    with pytest.raises(OperationalError):
        sleep_too_long()
    assert rows("SELECT 1") == [(1,)]
    assert connection.is_usable()
