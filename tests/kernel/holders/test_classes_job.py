"""The walk over all holders that writes classes anew: by the worker, in batches, and none twice."""

import datetime as dt
import json

from pytest_django.plugin import DjangoDbBlocker
from tests.kernel.cards.builders import a_holder
from tests.kernel.cards.roles import django_as

from onecard.foundation.postgres.raw import rows
from onecard.kernel.holders import actions
from onecard.kernel.holders.models import HolderClass


def queued() -> list[tuple[str, dict[str, object]]]:
    found = rows("SELECT task_name, args::text FROM procrastinate_jobs ORDER BY id")
    return [(name, json.loads(args)) for name, args in found]


def classes() -> set[tuple[int, str, dt.date, dt.date | None]]:
    return set(HolderClass.objects.values_list("holder_id", "code", "from_day", "to_day"))


def test_the_worker_walks_over_all_holders_in_batches(
    fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker
) -> None:
    with django_as(fresh_database["owner"], django_db_blocker):
        holders = [a_holder() for _ in range(3)]
        assert actions.rewrite_classes(0, limit=10) == 3
        before = classes()
        assert {code for _, code, _, _ in before} >= {"senior_60", "senior_70"}
        rows("DELETE FROM holders_class WHERE holder_id = $1", holders[0].pk)
        HolderClass.objects.create(
            holder=holders[1], code="pupil_6_14", from_day=dt.date(2000, 1, 1), to_day=None, source="birth"
        )
        rows("DELETE FROM procrastinate_jobs")
    with django_as(fresh_database["worker"], django_db_blocker):
        assert actions.rewrite_classes(0, limit=2) == 2
        assert ("holders.rewrite_classes", {"after_id": holders[1].pk}) in queued()
        assert actions.rewrite_classes(holders[1].pk, limit=2) == 0
        assert actions.rewrite_classes(0, limit=2) == 0
        followed = {args["holder_id"] for name, args in queued() if name == "cards.refresh_standing"}
    assert followed == {holders[0].pk, holders[1].pk}
    with django_as(fresh_database["owner"], django_db_blocker):
        assert classes() == before
