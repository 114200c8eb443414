"""Who is behind a ref: under the first key, and under later ones from days on that no list was made for."""

import datetime as dt

import pytest
from tests.kernel.cards.builders import PLACE

from onecard.foundation import clock, keys
from onecard.foundation.actors import Actor
from onecard.foundation.errors import Conflict, NotPermitted
from onecard.kernel.audit import queries as audit
from onecard.kernel.ecards import actions, lists, queries
from onecard.kernel.ecards.models import RefKey, StatusList
from onecard.kernel.ecards.refs import Refs

CLERK = Actor("staff:7", frozenset({"*"}))
DAY = dt.date(2026, 3, 1)
A, B, C = (bytes([number]) * 32 for number in (1, 2, 3))


@pytest.mark.parametrize(
    ("day", "key"),
    [(DAY - dt.timedelta(days=1), A), (DAY, B), (DAY + dt.timedelta(days=8), B), (DAY + dt.timedelta(days=9), C)],
)
def test_a_day_has_the_newest_key_that_has_begun(day: dt.date, key: bytes) -> None:
    refs = Refs(A, ((DAY, B), (DAY + dt.timedelta(days=9), C)))
    assert refs.key_on(day) == key
    assert refs.on(day).serial(refs.on(day).ref(4711)) == 4711


@pytest.mark.django_db
def test_another_key_begins_where_no_list_reaches(database: object) -> None:
    actions.rotate_issuer_key(CLERK)
    first = queries.refs()
    assert first == Refs(keys.load("codes").derive("ref"))
    made = actions.rotate_ref_key(CLERK)
    lists.build(PLACE)
    days = [day for (day,) in StatusList.objects.values_list("day") if day is not None]
    assert max(days) < made.from_day
    now = queries.refs()
    assert {now.key_on(day) for day in days} == {first.first}
    assert now.key_on(made.from_day) not in (first.first, bytes(made.key_sealed))
    (fact,) = audit.facts_about(f"ref_key:{made.pk}")
    assert (fact.verb, fact.detail) == ("ecards.rotate_ref_key", {"from_day": made.from_day.isoformat()})


@pytest.mark.django_db
def test_one_key_waits_at_a_time(database: object) -> None:
    with pytest.raises(NotPermitted):
        actions.rotate_ref_key(Actor("staff:9"))
    first = actions.rotate_ref_key(CLERK)
    with pytest.raises(Conflict, match="REF_KEY_WAITS") as refused:
        actions.rotate_ref_key(CLERK)
    assert first.from_day.isoformat() in refused.value.en
    RefKey.objects.update(from_day=clock.today())
    assert actions.rotate_ref_key(CLERK).from_day == first.from_day
    assert len(queries.refs().later) == 2
