"""What lasts: paper codes and card files, who issues them, and that lists and keys void them."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from tests.kernel.cards.builders import PLACE, a_card

from onecard.foundation import clock
from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, Conflict, NotFound, NotPermitted, Unavailable
from onecard.kernel.audit import queries as audit
from onecard.kernel.cards import actions as cards
from onecard.kernel.cards.models import Card, Standing
from onecard.kernel.cards.rules import CardState, FunctionState
from onecard.kernel.ecards import actions, lasting, lists
from onecard.kernel.ecards.models import CardFile, Ecard, Key, PaperCode, StatusList
from onecard_kit import card_file, codes, status_list
from onecard_kit.codes import CodeRefused, Refusal, Via
from onecard_kit.pack import CARDS, PAPERS
from onecard_kit.status_list import Status
from onecard_kit.suites import SUITES, PublicKey, Purpose
from onecard_kit.terms import Function

CLERK = Actor("staff:7", frozenset({"*"}))
OTHER = Actor("staff:8", frozenset({"*"}))
SENIOR, CARE = 3, 4
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def signing(database: object, db: object) -> None:
    for purpose in Purpose:
        actions.rotate_issuer_key(CLERK, purpose)


def public_keys() -> dict[tuple[str, bytes], PublicKey]:
    return {
        (PLACE, bytes(key.kid)): PublicKey(SUITES[key.suite], bytes(key.kid), bytes(key.public), Purpose(key.purpose))
        for key in Key.objects.filter(withdrawn_at=None)
    }


def an_ecard(card: Card | None = None) -> Ecard:
    return actions.sign_up(CLERK, (card or a_card()).pk)


def a_paper(ecard: Ecard, **options: object) -> codes.Claims:
    return codes.verify(lasting.issue_paper_code(CLERK, ecard.serial, **options), public_keys())  # type: ignore[arg-type]


def listed(name: str, index: int) -> Status:
    lists.build(PLACE)
    keys = {kid: key for (_, kid), key in public_keys().items()}
    return status_list.from_cwt(bytes(StatusList.objects.get(name=name, form="cwt").body), keys).status(index)


def paper_facts(serial: int) -> list[tuple[str, str]]:
    return [(fact.verb, fact.reason) for fact in reversed(audit.facts_about(f"paper_code:{serial}"))]


def test_a_paper_code_says_what_it_is_and_lasts() -> None:
    card = a_card()
    ecard = an_ecard(card)
    Standing.objects.filter(pk=card.pk).update(
        classes=[
            ["senior_70", "2020-03-14", None], ["care_free", "2020-01-01", "2099-01-01"],
            ["pupil_6_14", "1956-01-01", "1964-01-01"],
        ]
    )  # fmt: skip
    before = int(clock.now().timestamp())
    text = lasting.issue_paper_code(CLERK, ecard.serial, days=90, reason="no phone")
    claims = codes.verify(text, public_keys())
    assert (claims.via, claims.classes) == (Via.PAPER, (SENIOR, CARE))
    assert before <= claims.not_before <= before + 60
    assert claims.expires - claims.not_before == 90 * 86_400
    row = PaperCode.objects.get(pk=claims.ref)
    assert (row.ecard_id, bytes(row.kid), row.revoked_at) == (ecard.serial, claims.kid, None)
    assert paper_facts(claims.ref) == [("ecards.issue_paper_code", "no phone")]
    assert text not in str(audit.facts_about(f"paper_code:{claims.ref}")[0].detail)


def test_it_ends_with_its_card() -> None:
    card = a_card(valid_to=clock.today() + dt.timedelta(days=10))
    claims = a_paper(an_ecard(card))
    ends = dt.datetime.fromtimestamp(claims.expires, clock.CHINA)
    assert ends == dt.datetime.combine(card.valid_to + dt.timedelta(days=1), dt.time(), clock.CHINA)


def test_a_new_one_voids_the_one_before() -> None:
    ecard = an_ecard()
    first, second = a_paper(ecard), a_paper(ecard)
    assert first.ref != second.ref
    assert [PaperCode.objects.get(pk=each.ref).revoked_at is None for each in (first, second)] == [False, True]
    assert paper_facts(first.ref)[-1] == ("ecards.revoke_paper_code", "superseded")
    with pytest.raises(IntegrityError, match="one_is_good"), transaction.atomic():
        PaperCode.objects.filter(pk=first.ref).update(revoked_at=None)


def test_who_issues_and_revokes() -> None:
    card = a_card()
    ecard = an_ecard(card)
    holder, elsewhere = Actor(f"holder:{card.holder_id}"), Actor("staff:9", frozenset({"*"}), ("3205",))
    for actor in (holder, elsewhere):
        with pytest.raises(NotPermitted):
            lasting.issue_paper_code(actor, ecard.serial)
    claims = a_paper(ecard)
    for actor in (holder, elsewhere):
        with pytest.raises(NotPermitted):
            lasting.revoke_paper_code(actor, claims.ref, reason="lost")
        with pytest.raises(NotPermitted):
            lasting.write_card_file(actor, card.pk)
    with pytest.raises(NotFound, match="PAPER_CODE_UNKNOWN"):
        lasting.revoke_paper_code(CLERK, 2**24 - 1, reason="lost")
    for _ in range(2):
        assert lasting.revoke_paper_code(CLERK, claims.ref, reason="lost").revoked_at is not None
    assert paper_facts(claims.ref)[1:] == [("ecards.revoke_paper_code", "lost")]


@pytest.mark.parametrize("days", [0, -1, 367])
def test_how_long_it_may_last(days: int) -> None:
    with pytest.raises(BadInput, match="DAYS_INVALID"):
        lasting.issue_paper_code(CLERK, an_ecard().serial, days=days)


def test_it_stands_on_an_open_ecard_of_an_active_card() -> None:
    closed, lost = an_ecard(), an_ecard()
    actions.close(CLERK, closed.serial)
    cards.report_lost(CLERK, lost.card_id, "temporary")
    with pytest.raises(Conflict, match="ECARD_CLOSED"):
        lasting.issue_paper_code(CLERK, closed.serial)
    with pytest.raises(Conflict, match="CARD_NOT_VALID"):
        lasting.issue_paper_code(CLERK, lost.serial)
    with pytest.raises(NotFound, match="ECARD_UNKNOWN"):
        lasting.issue_paper_code(CLERK, 2**24 - 1)


def test_without_a_key_for_what_lasts_nothing_is_issued() -> None:
    Key.objects.filter(purpose=Purpose.LASTING).delete()
    ecard = an_ecard()
    with pytest.raises(Unavailable, match="NO_LASTING_KEY"), transaction.atomic():
        lasting.issue_paper_code(CLERK, ecard.serial)
    with pytest.raises(Unavailable, match="NO_LASTING_KEY"), transaction.atomic():
        lasting.write_card_file(CLERK, ecard.card_id)
    assert not PaperCode.objects.exists()
    assert not CardFile.objects.exists()


def test_each_loss_of_a_paper_code_is_in_the_next_list() -> None:
    ecard, other = an_ecard(), an_ecard()
    paper, neighbour = a_paper(ecard), a_paper(other)
    assert [listed(PAPERS, each.ref) for each in (paper, neighbour)] == [Status.VALID] * 2
    cards.report_lost(CLERK, ecard.card_id, "temporary")
    assert listed(PAPERS, paper.ref) is Status.SUSPENDED
    cards.unreport(CLERK, ecard.card_id)
    assert listed(PAPERS, paper.ref) is Status.VALID
    lasting.revoke_paper_code(CLERK, paper.ref, reason="lost")
    assert listed(PAPERS, paper.ref) is Status.INVALID
    actions.close(CLERK, other.serial)
    assert listed(PAPERS, neighbour.ref) is Status.INVALID
    actions.sign_up(CLERK, other.card_id)
    assert listed(PAPERS, neighbour.ref) is Status.INVALID  # it does not come back with the e-card
    assert listed(PAPERS, a_paper(other).ref) is Status.VALID


def test_a_cancelled_card_takes_its_paper_along() -> None:
    ecard = an_ecard()
    paper = a_paper(ecard)
    cards.cancel(CLERK, ecard.card_id, approved_by=OTHER, reason="test")
    assert listed(PAPERS, paper.ref) is Status.INVALID


def test_a_card_file_says_what_the_register_says() -> None:
    card = a_card()
    Standing.objects.filter(pk=card.pk).update(classes=[["senior_70", "2020-03-14", None]])
    cards.suspend_function(CLERK, card.pk, Function.FINANCIAL, reason="test")
    text = lasting.write_card_file(CLERK, card.pk)
    said = card_file.verify(text, public_keys())
    assert (said.issuer, said.number, said.serial, said.generation) == (PLACE, card.number, card.pk, 3)
    assert said.functions == (Function.SOCIAL_SECURITY, Function.TRANSIT)
    assert listed(CARDS, said.serial) is Status.VALID
    ends = dt.datetime.fromtimestamp(said.expires, clock.CHINA)
    assert ends.date() == card.valid_to + dt.timedelta(days=1)
    (fact,) = (each for each in audit.facts_about(f"card:{card.pk}") if each.verb == "ecards.write_card_file")
    assert text not in str(fact.detail)
    cards.report_lost(CLERK, card.pk, "formal")
    assert listed(CARDS, said.serial) is Status.SUSPENDED


def test_a_card_that_is_not_activated_yet_gets_its_file_and_opens_no_gate_by_it() -> None:
    card = a_card(state=CardState.INACTIVE, functions=FunctionState.INACTIVE)
    said = card_file.verify(lasting.write_card_file(CLERK, card.pk), public_keys())
    assert said.functions == ()
    assert listed(CARDS, said.serial) is Status.SUSPENDED
    cards.activate_function(CLERK, card.pk, Function.SOCIAL_SECURITY)
    assert listed(CARDS, said.serial) is Status.VALID
    again = card_file.verify(lasting.write_card_file(CLERK, card.pk), public_keys())
    assert (again.serial, again.functions) == (said.serial, (Function.SOCIAL_SECURITY,))
    assert CardFile.objects.count() == 1


def test_a_cancelled_or_expired_card_gets_no_file() -> None:
    with pytest.raises(Conflict, match="CARD_CANCELLED"):
        lasting.write_card_file(CLERK, a_card(state=CardState.CANCELLED, functions=FunctionState.CLOSED).pk)
    with pytest.raises(Conflict, match="CARD_NOT_VALID"):
        lasting.write_card_file(CLERK, a_card(valid_to=clock.today() - dt.timedelta(days=1)).pk)


def test_what_was_signed_before_a_rotation_holds_and_before_a_withdrawal_not() -> None:
    ecard = an_ecard()
    text = lasting.issue_paper_code(CLERK, ecard.serial)
    file = lasting.write_card_file(CLERK, ecard.card_id)
    kid = codes.decode(text).claims.kid
    actions.rotate_issuer_key(CLERK, Purpose.LASTING)
    actions.rotate_issuer_key(CLERK, Purpose.CODES)
    codes.verify(text, public_keys())
    card_file.verify(file, public_keys())
    actions.withdraw_key(CLERK, kid, reason="stolen", approved_by=OTHER)
    for verify, shown in ((codes.verify, text), (card_file.verify, file)):
        with pytest.raises(CodeRefused) as refused:
            verify(shown, public_keys())
        assert refused.value.reason is Refusal.UNKNOWN_KEY
