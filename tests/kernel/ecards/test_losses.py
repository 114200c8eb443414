"""The loss of an issuer's key: what it voids is counted, whom it concerns is listed, and the drill fails where a step
would.
"""

import datetime as dt
from argparse import Namespace

import pytest
from tests.kernel.cards.builders import PLACE, a_card

from onecard.foundation import clock
from onecard.foundation.actors import Actor
from onecard.foundation.errors import NotFound, NotPermitted
from onecard.kernel.audit import queries as audit
from onecard.kernel.ecards import actions, command, drills, lasting, lists, losses, queries
from onecard.kernel.ecards.losses import Toll
from onecard.kernel.ecards.models import Device, Key, PaperCode, StatusList
from onecard_kit.pack import DAYS_OF_CODES, FIXED
from onecard_kit.suites import Purpose

CLERK = Actor("staff:7", frozenset({"*"}))
OTHER = Actor("staff:8", frozenset({"*"}))
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def signing(database: object, db: object) -> None:
    for purpose in Purpose:
        actions.rotate_issuer_key(CLERK, purpose)


def signs(purpose: Purpose) -> Key:
    key = queries.signing_key(purpose)
    assert key is not None
    return key


def stands_by(purpose: Purpose) -> Key:
    key = queries.standing_by(purpose)
    assert key is not None
    return key


def a_phone() -> Device:
    ecard = actions.sign_up(CLERK, a_card().pk)
    actions.enrol_device(CLERK, ecard.serial, "phone")
    return Device.objects.get(ecard=ecard)


def test_phones_that_may_hold_codes_are_counted() -> None:
    good, revoked, lapsed, closed, lost = (a_phone() for _ in range(5))
    assert losses.toll_of(signs(Purpose.CODES)) == Toll(5, 0, 0)
    actions.revoke_device(CLERK, revoked.pk)
    Device.objects.filter(pk=lapsed.pk).update(expires_at=clock.now())
    actions.close(CLERK, closed.ecard_id)
    Device.objects.filter(pk=closed.pk).update(revoked_at=None)
    type(lost.ecard.card).objects.filter(pk=lost.ecard.card_id).update(state="temp_lost", state_before_loss="active")
    assert losses.toll_of(signs(Purpose.CODES)) == Toll(1, 0, 0)
    assert good.revoked_at is None


def test_a_key_that_phones_hold_no_codes_of_costs_nothing() -> None:
    a_phone()
    old = signs(Purpose.CODES)
    assert losses.toll_of(stands_by(Purpose.CODES)) == Toll(0, 0, 0)
    actions.rotate_issuer_key(CLERK)
    old.refresh_from_db()
    assert losses.toll_of(old) == Toll(1, 0, 0)
    Key.objects.filter(pk=old.pk).update(sign_to=clock.now() - actions.CODES_LIFE)
    old.refresh_from_db()
    assert losses.toll_of(old) == Toll(0, 0, 0)


def test_what_lasts_is_counted_and_listed_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses, "PAGE", 2)
    cards = [a_card() for _ in range(5)]
    ecards = [actions.sign_up(CLERK, card.pk) for card in cards]
    for ecard in ecards:
        lasting.issue_paper_code(CLERK, ecard.serial)
        lasting.write_card_file(CLERK, ecard.card_id)
    key = signs(Purpose.LASTING)
    actions.rotate_issuer_key(CLERK, Purpose.LASTING)
    lasting.write_card_file(CLERK, cards[0].pk)  # written anew: under the other key now
    papers = list(PaperCode.objects.order_by("serial"))
    lasting.revoke_paper_code(CLERK, papers[1].pk, reason="lost")
    PaperCode.objects.filter(pk=papers[2].pk).update(expires_at=clock.now())
    assert losses.toll_of(key) == Toll(0, 3, 4)
    left = [papers[0], papers[3], papers[4]]
    assert list(losses.affected(key)) == [
        *(f"paper_code:{paper.pk} card:{cards[papers.index(paper)].pk}" for paper in left),
        *(f"card_file card:{card.pk}" for card in cards[1:]),
    ]
    assert losses.toll_of(signs(Purpose.LASTING)) == Toll(0, 0, 1)


def test_losing_the_signing_key_makes_the_lists_anew(capsys: pytest.CaptureFixture[str]) -> None:
    a_phone()
    lists.build(PLACE)
    key, next_one = signs(Purpose.CODES), stands_by(Purpose.CODES)
    lost = losses.lose(CLERK, key, PLACE, reason="stolen")
    assert (lost.toll, lost.lists) == (Toll(1, 0, 0), DAYS_OF_CODES + len(FIXED))
    assert set(StatusList.objects.values_list("kid", flat=True).distinct()) == {bytes(next_one.kid)}
    assert losses.lose(CLERK, lost.key, PLACE, reason="again") == losses.Lost(lost.key, Toll(0, 0, 0), 0)


def test_the_command_says_what_it_came_to(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    card = a_card()
    lasting.write_card_file(CLERK, card.pk)
    key, next_one = signs(Purpose.LASTING), stands_by(Purpose.LASTING)
    kid = bytes(key.kid).hex()
    with pytest.raises(NotPermitted, match="OFFICER_NEEDED"):
        command.withdraw(Namespace(kid=kid, reason="stolen", officer=None, approver=None))
    officers = iter([CLERK, OTHER])
    monkeypatch.setattr(command, "acting", lambda arguments: next(officers))
    assert command.withdraw(Namespace(kid=kid, reason="stolen", officer="a", approver="b")) == 0
    said = capsys.readouterr().err
    assert f"Key {kid} (paper codes and card files) is withdrawn" in said
    assert f"{bytes(next_one.kid).hex()} signs now" in said
    assert "0 phones, 0 paper codes, 1 card files" in said
    assert command.affected(Namespace(kid=kid)) == 0
    assert capsys.readouterr().out == f"card_file card:{card.pk}\n"
    fact = audit.facts_about(f"issuer_key:{key.pk}")[0]
    assert (fact.reason, fact.detail["approved_by"]) == ("stolen", "staff:8")


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_drill_costs_nobody_anything(
    purpose: Purpose, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    a_phone()
    before, gone = {each: signs(each) for each in Purpose}, stands_by(purpose)
    assert command.drill(Namespace(purpose=purpose.value, gateway=None)) == 0
    assert {each: signs(each) for each in Purpose} == before
    assert stands_by(purpose) != gone
    gone.refresh_from_db()
    assert gone.withdrawn_at is not None
    said = capsys.readouterr().err
    assert said.count("✓") == 5
    assert "✗" not in said
    fact = audit.facts_about(f"issuer_key:{gone.pk}")[0]
    assert (fact.verb, fact.reason) == ("ecards.withdraw_key", "drill")


def test_a_step_that_fails_is_said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drills, "_passes", lambda *told: True)
    assert command.drill(Namespace(purpose="codes", gateway=None)) == 1
    assert capsys.readouterr().err.count("✗") == 1


def test_a_gateway_that_is_away_fails_its_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drills, "GATEWAY_S_MAX", 0.2)
    steps = list(drills.practise(CLERK, Purpose.CODES, PLACE, "http://127.0.0.1:9"))
    assert [step.holds for step in steps] == [True] * 5 + [False] * 2


def test_without_a_key_that_stands_by_there_is_nothing_to_practise_on() -> None:
    Key.objects.filter(sign_from=None).delete()
    with pytest.raises(NotFound, match="KEY_UNKNOWN") as refused:
        command.drill(Namespace(purpose="codes", gateway=None))
    assert "rotate-issuer" in refused.value.next_en
    assert Key.objects.filter(sign_to=None, sign_from__lte=clock.now() + dt.timedelta(seconds=1)).count() == 2
