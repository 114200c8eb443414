"""Each process's own database role can do its verbs, and no more."""

import threading
from collections.abc import Iterator

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from pytest_django.plugin import DjangoDbBlocker
from tests.kernel.cards.builders import PLACE, a_bank, a_card, a_holder
from tests.kernel.cards.roles import django_as

from onecard.foundation import clock
from onecard.foundation.actors import Actor
from onecard.foundation.errors import Conflict
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import queries as audit
from onecard.kernel.cards import actions, jobs, queries
from onecard.kernel.cards.models import Card, Standing
from onecard.kernel.cards.rules import CardState
from onecard.kernel.ecards import actions as ecards
from onecard.kernel.ecards.models import Ecard
from onecard.kernel.holders.models import Holder
from onecard_kit.terms import Function

CLERK = Actor("staff:7", frozenset({"*"}))
CHECKER = Actor("staff:8", frozenset({"*"}))


@pytest.fixture
def card(fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker) -> Iterator[Card]:
    with django_as(fresh_database["owner"], django_db_blocker):
        yield a_card()


def test_staff_do_every_verb(card: Card, fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker) -> None:
    holder, bank = a_holder(), a_bank()
    with django_as(fresh_database["staff"], django_db_blocker):
        issued = actions.issue(CLERK, holder.pk, place=PLACE, bank=bank.code)
        for function in Function:
            actions.activate_function(CLERK, issued.pk, function)
        actions.suspend_function(CLERK, issued.pk, Function.TRANSIT, reason="test")
        actions.close_function(CLERK, issued.pk, Function.TRANSIT, reason="test")
        serial = ecards.sign_up(CLERK, issued.pk).serial
        ecards.enrol_device(CLERK, serial, "phone")
        ecards.close(CLERK, serial)
        actions.report_lost(CLERK, issued.pk, "temporary")
        actions.unreport(CLERK, issued.pk)
        actions.report_lost(CLERK, issued.pk, "formal")
        actions.cancel(CLERK, issued.pk, approved_by=CHECKER, reason="lost")
        actions.lock(CLERK, card.pk, reason="test")
        key = ecards.rotate_issuer_key(CLERK)
        ecards.withdraw_key(CLERK, bytes(key.kid), reason="leaked")
        assert len(audit.facts_about(f"card:{issued.pk}")) == 11
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            Card.objects.filter(pk=issued.pk).update(number="Z00000001")


def test_two_issues_at_once_make_one_card(card: Card) -> None:
    holder, bank = a_holder(), a_bank()
    outcomes: list[str] = []
    together = threading.Barrier(2)

    def issue() -> None:
        together.wait()
        try:
            outcomes.append(actions.issue(CLERK, holder.pk, place=PLACE, bank=bank.code).state)
        except Conflict as refused:
            outcomes.append(refused.code)
        finally:
            connection.close()

    clerks = [threading.Thread(target=issue) for _ in range(2)]
    for clerk in clerks:
        clerk.start()
    for clerk in clerks:
        clerk.join()
    assert sorted(outcomes) == ["CARD_LIVE", "inactive"]


def test_residents_report_a_loss_and_sign_up_for_their_e_card(
    card: Card, fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker
) -> None:
    owner = Actor(f"holder:{card.holder_id}")
    with django_as(fresh_database["public"], django_db_blocker):
        assert actions.report_lost(owner, card.pk, "temporary").state == "temp_lost"
        assert actions.unreport(owner, card.pk).state == "active"
        serial = ecards.sign_up(owner, card.pk).serial
        with pytest.raises(ProgrammingError, match="permission denied"):
            Standing.objects.filter(pk=card.pk).update(ecard_serial=serial + 1)
        with pytest.raises(ProgrammingError, match="permission denied"):
            Ecard.objects.create(serial=serial + 1, card=card, signed_at=clock.now())
        actions.report_lost(owner, card.pk, "temporary")
        with pytest.raises(IntegrityError, match="is not active"):
            rows("SELECT ecards_open($1::bigint, now())", card.pk)
        with pytest.raises(ProgrammingError, match="permission denied"):
            Card.objects.create(holder=card.holder, bank=card.bank, state=CardState.INACTIVE)


def test_the_worker_follows_holders(
    card: Card, fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker
) -> None:
    Holder.objects.filter(pk=card.holder_id).update(life="deceased")
    with django_as(fresh_database["worker"], django_db_blocker):
        jobs.refresh_standing(card.holder_id)
        standing = queries.standing_of(card.pk)
        assert standing is not None
        assert standing.card_state == "locked"
