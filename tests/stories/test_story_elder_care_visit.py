"""Elder day care: for the elderly of this city, ten visits a month, on trial in Rugao."""

import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.kernel.cards.roles import django_as
from tests.stories.city import SHANGHAI, WORKING, StoryCity, at

from onecard.demo.plan import ACTOR
from onecard.foundation.errors import Conflict
from onecard.kernel.catalogue import actions
from onecard_kit.verdicts import Verdict

ITEM, CENTRE, OTHER_CENTRE = "protection.elder_care_visit", "NT-CARE-D1", "NT-CARE-D2"
MORNING = at(WORKING, "09:00")
CARE, CITY = "NT-CARE operator.receivable purse", "NT-CARE operator.receivable treasury"
TREASURY = "NT-FIN treasury.city treasury"


@pytest.mark.parametrize(
    ("classes", "paid_fen"),
    [(("senior_60",), 2_000), (("senior_70",), 1_000), (("senior_60", "low_income"), 0)],
)
def test_each_pays_what_their_class_leaves(city: StoryCity, classes: tuple[str, ...], paid_fen: int) -> None:
    card = city.a_holder(*classes)
    with city.money() as moved:
        visit = city.use(card, ITEM, CENTRE, MORNING)
    assert (visit.full_fen, visit.paid_fen) == (2_000, paid_fen)
    wanted = {CARE: paid_fen, CITY: 2_000 - paid_fen, TREASURY: paid_fen - 2_000}
    assert moved == {account: fen for account, fen in wanted.items() if fen}


def test_half_price_four_times_and_ten_visits_a_month(city: StoryCity) -> None:
    card = city.a_holder("senior_70", fen=50_000)
    visits = [city.use(card, ITEM, CENTRE, at(f"2026-03-{day:02d}")) for day in range(11, 22)]
    assert [each.paid_fen for each in visits] == [1_000] * 4 + [2_000] * 6 + [0]
    assert visits[10].verdict is Verdict.QUOTA_EXHAUSTED
    assert city.use(card, ITEM, CENTRE, at("2026-04-01")).paid_fen == 1_000


def test_refusals(city: StoryCity) -> None:
    assert city.verdict(city.a_holder(), ITEM, CENTRE, MORNING) is Verdict.NOT_ENTITLED
    assert city.verdict(city.a_holder("low_income"), ITEM, CENTRE, MORNING) is Verdict.NOT_ENTITLED
    assert city.verdict(city.a_holder("senior_70", place=SHANGHAI), ITEM, CENTRE, MORNING) is Verdict.NOT_ENTITLED
    assert city.verdict(city.a_holder("senior_70", fen=999), ITEM, CENTRE, MORNING) is Verdict.FUNDS_SHORT
    assert city.say(city.a_holder("senior_70"), ITEM, CENTRE, MORNING) is Verdict.MEDIUM_NOT_ACCEPTED  # it costs money
    not_yet = city.a_card(classes=[("senior_60", "2026-03-12", None)])
    assert city.verdict(not_yet, ITEM, CENTRE, MORNING) is Verdict.NOT_ENTITLED
    assert city.verdict(not_yet, ITEM, CENTRE, at("2026-03-12")) is Verdict.ADMITTED


def test_it_is_live_in_rugao_alone(city: StoryCity, django_db_blocker: DjangoDbBlocker) -> None:
    with django_as(city.urls["owner"], django_db_blocker), pytest.raises(Conflict, match="OFFER_OUTSIDE_PILOT"):
        actions.offer(ACTOR, "NT-HOTEL-F1", ITEM)


def test_a_visit_is_given_back_within_seven_days_with_its_quota(city: StoryCity) -> None:
    card = city.a_holder("senior_70")
    visits = [city.use(card, ITEM, CENTRE, MORNING) for _ in range(4)]
    assert city.use(card, ITEM, CENTRE, MORNING).paid_fen == 2_000
    with city.money() as moved:
        city.give_back(visits[0], OTHER_CENTRE, at("2026-03-18"))
    assert moved == {CARE: -1_000, CITY: -1_000, TREASURY: 1_000}
    assert city.use(card, ITEM, CENTRE, MORNING).paid_fen == 1_000
    with pytest.raises(Conflict, match="REFUND_TOO_LATE"):
        city.give_back(visits[1], CENTRE, at("2026-03-19"))
