"""The bank account linked with a card: by the bank's token, from the financial function's activation to its end."""

import psycopg
import pytest
from django.db import IntegrityError
from pytest_django.plugin import DjangoDbBlocker
from tests.kernel.cards.builders import a_card
from tests.kernel.cards.roles import django_as

from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, Conflict
from onecard.kernel.audit import queries as audit
from onecard.kernel.cards import actions
from onecard.kernel.cards.models import Account, Card
from onecard.kernel.cards.rules import FunctionState
from onecard_kit.terms import Function

CLERK = Actor("staff:7", frozenset({"*"}))
CHECKER = Actor("staff:8", frozenset({"*"}))
TOKEN, OTHER = "tok_0123456789abcdef0123456789abcdef", "tok_ffffffffffffffffffffffffffffffff"


def activated(card: Card, token: str | None = TOKEN) -> Card:
    return actions.activate_function(CLERK, card.pk, Function.FINANCIAL, account_token=token)


def linked(card: Card) -> list[tuple[int, str]]:
    return list(Account.objects.filter(pk=card.pk).values_list("bank_id", "token"))


def facts(card: Card) -> list[str]:
    return [fact.verb for fact in audit.facts_about(f"card:{card.pk}")]


@pytest.mark.django_db
def test_an_activation_links_the_account_and_its_fact_tells_no_token() -> None:
    card = a_card(functions=FunctionState.INACTIVE)
    activated(card)
    assert linked(card) == [(card.bank_id, TOKEN)]
    assert sorted(facts(card)) == ["cards.activate_function", "cards.link_account"]
    assert TOKEN not in str([fact.detail for fact in audit.facts_about(f"card:{card.pk}")])


@pytest.mark.django_db
def test_an_activation_without_a_token_links_nothing() -> None:
    card = a_card(functions=FunctionState.INACTIVE)
    activated(card, None)
    assert linked(card) == []


@pytest.mark.django_db
def test_the_same_token_changes_nothing_and_a_later_one_takes_its_place() -> None:
    card = a_card()
    activated(card)
    activated(card)
    assert facts(card) == ["cards.link_account"]
    activated(card, OTHER)
    assert linked(card) == [(card.bank_id, OTHER)]
    assert facts(card) == ["cards.link_account"] * 2


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["6228480402564890018", "62284804-02564890018", "short", "a" * 65, f"{TOKEN}\n", ""])
def test_a_number_is_no_token(token: str) -> None:
    card = a_card()
    with pytest.raises(BadInput, match="ACCOUNT_TOKEN_INVALID"):
        activated(card, token)


@pytest.mark.django_db
def test_a_token_comes_with_the_financial_function_alone() -> None:
    with pytest.raises(BadInput, match="ACCOUNT_TOKEN_INVALID"):
        actions.activate_function(CLERK, a_card().pk, Function.TRANSIT, account_token=TOKEN)


@pytest.mark.django_db
def test_an_account_is_linked_with_one_card() -> None:
    activated(a_card())
    with pytest.raises(Conflict, match="ACCOUNT_LINKED"):
        activated(a_card())


@pytest.mark.django_db
def test_the_link_ends_with_the_function_or_the_card() -> None:
    closed, cancelled, other = a_card(), a_card(), a_card()
    activated(closed)
    activated(cancelled, OTHER)
    activated(other, TOKEN.upper())
    actions.close_function(CLERK, closed.pk, Function.FINANCIAL, reason="moved away")
    actions.cancel(CLERK, cancelled.pk, approved_by=CHECKER, reason="moved away")
    actions.close_function(CLERK, other.pk, Function.TRANSIT, reason="not wanted")
    assert linked(closed) == linked(cancelled) == []
    assert linked(other) != []


@pytest.mark.django_db
def test_the_database_refuses_a_number_too() -> None:
    card = a_card()
    with pytest.raises(IntegrityError, match="cards_account_token_form"):
        Account.objects.create(card_id=card.pk, bank_id=card.bank_id, token="6228480402564890018")


def test_staff_link_the_gateway_reads_and_others_see_nothing(
    fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker
) -> None:
    with django_as(fresh_database["owner"], django_db_blocker):
        card = a_card()
    with django_as(fresh_database["staff"], django_db_blocker):
        activated(card)
        activated(card, OTHER)
    with psycopg.connect(fresh_database["gateway"]) as gateway:
        assert gateway.execute("SELECT token FROM cards_account").fetchall() == [(OTHER,)]
    for role in ("public", "worker"):
        with psycopg.connect(fresh_database[role]) as other, pytest.raises(psycopg.errors.InsufficientPrivilege):
            other.execute("SELECT card_id FROM cards_account")
    with django_as(fresh_database["staff"], django_db_blocker):
        actions.close_function(CLERK, card.pk, Function.FINANCIAL, reason="moved away")
        assert linked(card) == []
