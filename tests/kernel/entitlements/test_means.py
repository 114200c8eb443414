"""The order in which a holder wants an item paid: their own choice, kept where it differs from the item's."""

import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.foundation.web.faces import the_catalogue
from tests.kernel.cards.roles import django_as

from onecard.foundation import clock
from onecard.foundation.actors import Actor, system
from onecard.foundation.errors import BadInput, NotFound, NotPermitted
from onecard.kernel.audit import queries as audit
from onecard.kernel.catalogue import queries as catalogue_of
from onecard.kernel.entitlements import actions, queries
from onecard_kit.terms import Means

HOLDER, ITEM = 1_000_042, "payments.shop_purchase"
ME = Actor(f"holder:{HOLDER}")
BANK, PURSE = Means.BANK, Means.PURSE


@pytest.fixture
def catalogue(db: None) -> None:
    the_catalogue()


def items_own() -> tuple[Means, ...]:
    version = catalogue_of.version_for(ITEM, clock.today())
    assert version is not None
    return catalogue_of.declared(version).means


def test_a_choice_is_kept_with_a_fact_and_the_items_own_order_is_none(catalogue: None) -> None:
    own = items_own()
    other = own[::-1]
    actions.choose_means(ME, HOLDER, ITEM, other)
    assert queries.means_of(HOLDER) == {ITEM: other}
    actions.choose_means(ME, HOLDER, ITEM, own)
    assert queries.means_of(HOLDER) == {}
    told = [fact.detail for fact in reversed(audit.facts_about(f"holder:{HOLDER}"))]
    assert told == [{"item": ITEM, "means": list(other)}, {"item": ITEM, "means": list(own)}]


def test_the_same_choice_again_leaves_no_second_fact(catalogue: None) -> None:
    for _ in range(2):
        actions.choose_means(ME, HOLDER, ITEM, items_own()[::-1])
    assert len(audit.facts_about(f"holder:{HOLDER}")) == 1


def test_what_is_not_named_follows(catalogue: None) -> None:
    last = items_own()[-1]
    actions.choose_means(ME, HOLDER, ITEM, [last])
    assert queries.means_of(HOLDER)[ITEM][0] is last
    assert set(queries.means_of(HOLDER)[ITEM]) == {BANK, PURSE}


@pytest.mark.parametrize("actor", [Actor("holder:7"), Actor("staff:7", frozenset({"*"})), system("worker")])
def test_nobody_else_chooses(catalogue: None, actor: Actor) -> None:
    with pytest.raises(NotPermitted, match="NOT_YOUR_CHOICE"):
        actions.choose_means(actor, HOLDER, ITEM, [BANK])


@pytest.mark.parametrize(("item", "means"), [(ITEM, []), (ITEM, [BANK, BANK]), ("transit.bus_ride", [BANK])])
def test_only_what_the_item_takes_can_be_chosen(catalogue: None, item: str, means: list[Means]) -> None:
    with pytest.raises(BadInput, match="MEANS_INVALID"):
        actions.choose_means(ME, HOLDER, item, means)


def test_an_item_that_is_none_is_named(catalogue: None) -> None:
    with pytest.raises(NotFound, match="ITEM_UNKNOWN"):
        actions.choose_means(ME, HOLDER, "transit.airship", [BANK])


def test_residents_web_may_write_it(fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker) -> None:
    with django_as(fresh_database["owner"], django_db_blocker):
        the_catalogue()
        own = items_own()
    with django_as(fresh_database["public"], django_db_blocker):
        actions.choose_means(ME, HOLDER, ITEM, own[::-1])
        actions.choose_means(ME, HOLDER, ITEM, own)
        assert queries.means_of(HOLDER) == {}
