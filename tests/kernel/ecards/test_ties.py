"""Ties: a relative's phone shows a code by consent of both, says so, and stops at once when either ends it."""

import datetime as dt

import pytest
from tests.foundation.web.faces import a_registered_holder
from tests.kernel.cards.builders import a_card

from onecard.foundation import clock, sql
from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, Conflict, NotFound, NotPermitted
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import queries as audit
from onecard.kernel.cards.models import Card, Standing
from onecard.kernel.ecards import actions, queries, ties
from onecard.kernel.ecards.models import Ecard, Tie
from onecard.kernel.holders.models import Holder
from onecard.kernel.holders.queries import reveal

pytestmark = pytest.mark.django_db
DEVICE = sql.load("onecard.kernel.ecards", "device")
OFFICER = Actor("staff:7", frozenset({"*"}))


def number_of(holder: Holder) -> str:
    return reveal(me(holder), holder.pk, ["number"], "test")["number"]


def me(holder: Holder) -> Actor:
    return Actor(f"holder:{holder.pk}")


def a_mother() -> tuple[Holder, Card, Ecard]:
    mother = a_registered_holder(sequence=11)
    card = a_card(holder=mother)
    return mother, card, actions.sign_up(me(mother), card.pk)


def a_son(sequence: int = 12) -> Holder:
    return a_registered_holder(sequence=sequence, name="李小军")


def tied(mother: Holder, ecard: Ecard, son: Holder) -> Tie:
    ties.offer(me(mother), ecard.serial, number_of(son), "parent")
    [tie] = queries.shown_by(son.pk)
    return ties.agree(me(son), tie.pk)


def fetches(token: str) -> list[tuple[object, ...]]:
    return rows(DEVICE, queries.token_digest(token))


def test_a_relative_shows_a_code_that_says_so_once_both_agreed() -> None:
    mother, card, ecard = a_mother()
    son = a_son()
    tie = tied(mother, ecard, son)
    token = ties.enrol_phone(me(son), tie.pk, "手机")
    [device] = fetches(token)
    assert device[-1] is True, "it says that a relative shows it"
    own = actions.enrol_device(me(mother), ecard.serial, "手机")
    assert fetches(own)[0][-1] is False
    assert queries.is_phone_of(mother.pk, own)
    assert not queries.is_phone_of(mother.pk, token)
    told = [(fact.verb, fact.actor) for fact in reversed(audit.facts_about(f"ecard:{ecard.serial}"))]
    assert told[1:4] == [
        ("ecards.offer_tie", f"holder:{mother.pk}"),
        ("ecards.agree_tie", f"holder:{son.pk}"),
        ("ecards.enrol_device", f"holder:{son.pk}"),
    ]
    assert [each.holder_id for each in queries.relatives_of(ecard.serial)] == [son.pk]
    assert queries.tie_of(son.pk, tie.pk) == tie
    assert queries.tie_of(mother.pk, tie.pk) is None
    assert card.holder_id == mother.pk


def test_an_offer_alone_shows_nothing_and_is_not_told_to_who_made_it() -> None:
    mother, _, ecard = a_mother()
    son = a_son()
    ties.offer(me(mother), ecard.serial, number_of(son), "parent")
    ties.offer(me(mother), ecard.serial, number_of(son), "spouse")
    [tie] = queries.shown_by(son.pk)
    assert (tie.kind, tie.agreed_at) == ("parent", None)
    assert queries.relatives_of(ecard.serial) == []
    assert queries.tie_of(son.pk, tie.pk) is None
    with pytest.raises(Conflict) as refused:
        ties.enrol_phone(me(son), tie.pk, "手机")
    assert refused.value.code == "TIE_NOT_AGREED"


def test_an_offer_to_nobody_looks_like_any_other() -> None:
    mother, _, ecard = a_mother()
    ties.offer(me(mother), ecard.serial, "990601195005019999", "parent")
    ties.offer(me(mother), ecard.serial, "not a number", "parent")
    assert not Tie.objects.exists()


@pytest.mark.parametrize("by", ["mother", "son"])
def test_either_ends_it_and_what_the_phone_fetched_is_void(by: str) -> None:
    mother, card, ecard = a_mother()
    son = a_son()
    tie = tied(mother, ecard, son)
    token = ties.enrol_phone(me(son), tie.pk, "手机")
    ties.end(me(mother if by == "mother" else son), tie.pk)
    assert fetches(token) == []
    assert Standing.objects.get(pk=card.pk).codes_from is not None
    assert queries.shown_by(son.pk) == queries.relatives_of(ecard.serial) == []
    for verb in (ties.agree, ties.end):
        with pytest.raises(NotFound):
            verb(me(son), tie.pk)
    tied(mother, ecard, son)  # and it may be made anew


def test_nobody_else_has_a_say() -> None:
    mother, _, ecard = a_mother()
    son, stranger = a_son(), a_son(13)
    with pytest.raises(NotPermitted):
        ties.offer(me(son), ecard.serial, number_of(stranger), "parent")
    with pytest.raises(NotPermitted):
        ties.offer(OFFICER, ecard.serial, number_of(son), "parent")
    ties.offer(me(mother), ecard.serial, number_of(son), "parent")
    [tie] = queries.shown_by(son.pk)
    for actor in (me(stranger), OFFICER):
        for verb in (ties.agree, ties.end):
            with pytest.raises(NotFound):
                verb(actor, tie.pk)
    with pytest.raises(NotFound):
        ties.agree(me(mother), tie.pk)
    ties.agree(me(son), tie.pk)
    with pytest.raises(NotFound):
        ties.enrol_phone(me(mother), tie.pk, "手机")


def test_bad_offers_say_what_is_wrong() -> None:
    mother, _, ecard = a_mother()
    for number, kind, code in ((number_of(mother), "parent", "OWN_NUMBER"), ("1", "friend", "TIE_KIND_UNKNOWN")):
        with pytest.raises(BadInput) as refused:
            ties.offer(me(mother), ecard.serial, number, kind)
        assert refused.value.code == code
    actions.close(me(mother), ecard.serial)
    with pytest.raises(Conflict):
        ties.offer(me(mother), ecard.serial, number_of(a_son()), "parent")


def test_an_offer_lapses_and_may_be_made_again() -> None:
    mother, _, ecard = a_mother()
    son = a_son()
    ties.offer(me(mother), ecard.serial, number_of(son), "parent")
    Tie.objects.update(offered_at=clock.now() - queries.OFFER_LIFE - dt.timedelta(seconds=1))
    old = Tie.objects.get()
    assert queries.shown_by(son.pk) == []
    with pytest.raises(NotFound):
        ties.agree(me(son), old.pk)
    assert tied(mother, ecard, son).pk != old.pk


def test_a_relative_shows_so_many_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ties, "TIES_MAX", 1)
    mother, _, ecard = a_mother()
    tied(mother, ecard, a_son())
    with pytest.raises(Conflict) as refused:
        tied(mother, ecard, a_son(13))
    assert refused.value.code == "TIES_FULL"


def test_a_closed_e_card_takes_its_relatives_phones_with_it() -> None:
    mother, _, ecard = a_mother()
    son = a_son()
    token = ties.enrol_phone(me(son), tied(mother, ecard, son).pk, "手机")
    actions.close(me(mother), ecard.serial)
    assert fetches(token) == []
