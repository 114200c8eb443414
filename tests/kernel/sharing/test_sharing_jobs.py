"""What is over is cleared by the worker: watches by the day in China, whatever day it is in London."""

import datetime as dt

import pytest
from oauth2_provider.models import AccessToken
from pytest_django.plugin import DjangoDbBlocker
from tests.kernel.cards.builders import a_holder
from tests.kernel.cards.roles import django_as
from tests.kernel.sharing.builders import SYSTEM, a_client

from onecard.foundation import clock
from onecard.foundation.postgres.raw import rows
from onecard.kernel.sharing import actions, jobs
from onecard.kernel.sharing.models import Credential, Watch

DAY = dt.timedelta(days=1)
ANSWER = (
    "INSERT INTO sharing_kept_answer (client_id, key, content, begun_at)"
    " VALUES ($1, $2, ''::bytea, now() - make_interval(days => $3))"
)
LEFT = (
    "SELECT (SELECT array_agg(token) FROM oauth2_provider_accesstoken),"
    " (SELECT array_agg(key) FROM sharing_kept_answer), (SELECT array_agg(until) FROM sharing_watch)"
)


@pytest.mark.parametrize("hour", [1, 12])
def test_the_worker_clears_what_is_over(
    fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch, hour: int
) -> None:
    today = clock.today()
    moment = dt.datetime.combine(today, dt.time(hour), clock.CHINA)
    with django_as(fresh_database["owner"], django_db_blocker):
        client = a_client(f"C-{hour}")
        key = Credential.objects.get(client_id=actions.give_credential(SYSTEM, client.code)[0]).pk
        for name, days in (("over", -1), ("good", 1)):
            AccessToken.objects.create(token=f"{name}-{hour}", expires=clock.now() + days * DAY, application_id=key)
        for name, days_ago in (("over", 8), ("good", 6)):
            rows(ANSWER, client.pk, f"{name}-{hour}", days_ago)
        for until in (today - DAY, today, today + DAY):
            Watch.objects.create(client=client, holder=a_holder(), until=until)
    with django_as(fresh_database["worker"], django_db_blocker), monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: moment)
        assert jobs.clear_expired(0) == 4
        assert jobs.clear_expired(0) == 0
    with django_as(fresh_database["owner"], django_db_blocker):
        assert rows(LEFT) == [([f"good-{hour}"], [f"good-{hour}"], [today + DAY])]
        for table in ("oauth2_provider_accesstoken", "sharing_kept_answer", "sharing_watch"):
            rows(f"DELETE FROM {table}")
