"""What has lapsed is cleared by the worker, which can read nothing of it."""

import pytest
from django.db import ProgrammingError, transaction
from pytest_django.plugin import DjangoDbBlocker
from tests.kernel.cards.roles import django_as

from onecard.foundation.postgres.raw import rows
from onecard.kernel.signins import jobs
from onecard.kernel.signins.models import Kind, User

# Codes the worker sends, so that it reads them too.
UNREAD = jobs.TABLES.keys() - {"signins_code"}
CODE = (
    "INSERT INTO signins_code (id, code_sealed, made_at, expires_at)"
    " VALUES (gen_random_uuid(), ''::bytea, now(), now() + make_interval(days => $1))"
)

INVITATION = (
    "INSERT INTO signins_invitation (user_id, digest, made_at, expires_at)"
    " VALUES ($1, ''::bytea, now(), now() + make_interval(days => $2))"
)
ROW = "INSERT INTO {} VALUES ($1, 'secret', now() + make_interval(days => $2))"


def left() -> dict[str, int]:
    return {table: rows(f"SELECT count(*) FROM {table}")[0][0] for table in jobs.TABLES}


def test_the_worker_clears_what_has_lapsed(fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker) -> None:
    with django_as(fresh_database["owner"], django_db_blocker):
        for key, days in (("old", -1), ("older", -30), ("live", 1)):
            rows(CODE, days)
            rows(INVITATION, User.objects.create_user(key, kind=Kind.STAFF).pk, days)
            for table in UNREAD - {"signins_invitation"}:
                rows(ROW.format(table), key, days)
    with django_as(fresh_database["worker"], django_db_blocker):
        assert jobs.clear_expired(0) == 10
        assert jobs.clear_expired(0) == 0
        for table in UNREAD:
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                rows(f"SELECT * FROM {table}")
    with django_as(fresh_database["owner"], django_db_blocker):
        assert left() == dict.fromkeys(jobs.TABLES, 1)
