"""Signing up for the e-card: by the holder, with consent, on a card that bears one."""

import datetime as dt

import pytest
from django.test import Client
from tests.foundation.web.faces import SYSTEM, a_registered_holder, a_resident, a_resident_client

from onecard.foundation import clock
from onecard.kernel.audit import queries as audit
from onecard.kernel.cards.models import Card, Standing
from onecard.kernel.cards.rules import CardState
from onecard.kernel.ecards import actions as ecards
from onecard.kernel.ecards.models import Ecard
from onecard.kernel.signins.models import Kind, User
from onecard.portal.signing_up import CONSENT

pytestmark = pytest.mark.django_db
PATH = "/ecard/sign-up/"
WORDS = {
    CardState.ALLOCATED: "还没有启用",
    CardState.INACTIVE: "还没有启用",
    CardState.TEMP_LOST: "已临时挂失",
    CardState.LOST: "已正式挂失",
    CardState.LOCKED: "已锁定",
    CardState.CANCELLED: "已注销",
    CardState.CANCELLED_AFTER_LOSS: "已注销",
}


def test_consent_opens_the_e_card_and_leaves_a_fact() -> None:
    user, card = a_resident()
    client = a_resident_client(user)
    assert PATH in client.get("/ecard/").content.decode()
    page = client.get(PATH).content.decode()
    assert "不收费" in page
    assert f"{card.number[:3]}****{card.number[-2:]}" in page
    done = client.post(PATH, {"agreed": "on"}, follow=True)
    assert "已签发" in done.content.decode()
    assert "在这台手机上启用" in done.content.decode()
    ecard = Ecard.objects.get(card=card)
    assert Standing.objects.get(pk=card.pk).ecard_serial == ecard.serial
    [fact] = audit.facts_about(f"ecard:{ecard.serial}")
    assert (fact.verb, fact.actor, fact.reason) == ("ecards.sign_up", f"holder:{user.holder_id}", CONSENT)


def test_without_consent_nothing_is_opened() -> None:
    user, _ = a_resident()
    client = a_resident_client(user)
    refused = client.post(PATH)
    assert refused.status_code == 422
    assert "请先勾选同意" in refused.content.decode()
    assert not Ecard.objects.exists()


def test_who_has_one_is_taken_to_it() -> None:
    user, card = a_resident()
    ecards.sign_up(SYSTEM, card.pk)
    client = a_resident_client(user)
    for done in (client.get(PATH, follow=True), client.post(PATH, {"agreed": "on"}, follow=True)):
        assert "您已经有电子社保卡" in done.content.decode()
    assert len(audit.facts_about(f"ecard:{Ecard.objects.get().serial}")) == 1


def test_a_closed_one_opens_again() -> None:
    user, card = a_resident()
    serial = ecards.sign_up(SYSTEM, card.pk).serial
    ecards.close(SYSTEM, serial)
    client = a_resident_client(user)
    assert client.post(PATH, {"agreed": "on"}).status_code == 302
    assert Ecard.objects.get(closed_at=None).serial == serial


@pytest.mark.parametrize("state", [state for state in CardState if state is not CardState.ACTIVE])
def test_a_card_that_bears_none_says_why(state: CardState) -> None:
    user, _ = a_resident(state=state)
    client = a_resident_client(user)
    assert PATH in client.get("/ecard/").content.decode()
    for page, status in ((client.get(PATH), 200), (client.post(PATH, {"agreed": "on"}), 409)):
        assert page.status_code == status
        assert WORDS[state] in page.content.decode()
        assert "同意并签发" not in page.content.decode()
    assert not Ecard.objects.exists()


def test_an_expired_card_and_none_at_all() -> None:
    user, card = a_resident()
    Card.objects.filter(pk=card.pk).update(valid_to=clock.today() - dt.timedelta(days=1))
    assert "已过有效期" in a_resident_client(user).post(PATH, {"agreed": "on"}).content.decode()
    other = a_registered_holder(sequence=2)
    without = User.objects.create_user("li", "wisteria-on-the-7th-gate", kind=Kind.HOLDER, holder_id=other.pk)
    assert "您名下还没有社会保障卡" in a_resident_client(without).get(PATH).content.decode()


def test_it_needs_a_holder() -> None:
    for response in (Client().get(PATH), Client().post(PATH, {"agreed": "on"})):
        assert response["Location"].startswith("/sign-in/")
