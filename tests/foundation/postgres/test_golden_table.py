"""The repository's own golden table against the repository's own tables."""

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from tests.cluster import SUFFIX

from onecard.foundation.postgres import grants
from onecard.foundation.postgres.raw import rows


def test_the_migrated_database_equals_the_golden_table(urls: dict[str, str]) -> None:
    """Every row names something there is, and nobody holds a right that no row gives."""
    with psycopg.connect(urls["owner"]) as owner:
        assert grants.difference(owner, suffix=SUFFIX).lines() == []


@pytest.mark.django_db
def test_raw_statements_run_in_djangos_transaction_and_are_counted() -> None:
    with CaptureQueriesContext(connection) as queries:
        assert rows("SELECT $1::int + $2::int", 1, 2) == [(3,)]
    assert len(queries) == 1
    assert rows("CREATE TEMPORARY TABLE once (id int PRIMARY KEY) ON COMMIT DROP") == []
    rows("INSERT INTO once VALUES ($1)", 1)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows("INSERT INTO once VALUES ($1)", 1)
    assert rows("SELECT id FROM once") == [(1,)]
