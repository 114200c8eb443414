"""Showing a relative's code: offered and agreed by the two, said whose it is, ended by either, and nobody else's."""

import pytest
from django.core.cache import cache
from django.test import Client
from tests.foundation.web.faces import SYSTEM, a_resident, a_resident_client, a_tie

from onecard.kernel.cards.models import Card
from onecard.kernel.ecards import actions as ecards
from onecard.kernel.ecards import queries
from onecard.kernel.ecards.models import Device, Tie
from onecard.kernel.holders.queries import reveal
from onecard.kernel.signins.models import User
from onecard.portal import gateway

pytestmark = pytest.mark.django_db
PIN = "836194"
FAMILY = "/ecard/family/"


@pytest.fixture(autouse=True)
def no_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    monkeypatch.delenv(gateway.URL, raising=False)


def a_mother() -> tuple[User, Card, Client]:
    user, card = a_resident("mother", sequence=21)
    ecards.sign_up(SYSTEM, card.pk)
    return user, card, a_resident_client(user)


def a_son() -> tuple[User, Client]:
    user, card = a_resident("son", sequence=22)
    ecards.sign_up(SYSTEM, card.pk)
    return user, a_resident_client(user)


def number_of(user: User) -> str:
    return reveal(SYSTEM, user.holder_id or 0, ["number"], "测试")["number"]


def text(client: Client, path: str = FAMILY) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return str(response.content.decode())


def unlocked(client: Client) -> Client:
    assert client.post("/ecard/begin/", {"pin": PIN, "again": PIN}).status_code == 302
    return client


@pytest.mark.parametrize("path", [FAMILY, FAMILY + "1/answer/", FAMILY + "1/code/", FAMILY + "1/code/fresh/"])
def test_they_need_a_holder(path: str) -> None:
    for asked in (Client().get(path), Client().post(path)):
        assert asked["Location"].startswith("/sign-in/")


def test_both_agree_and_either_ends_it() -> None:
    _, _, mother = a_mother()
    son_user, son = a_son()
    told = mother.post(FAMILY, {"number": number_of(son_user), "kind": "parent"}, follow=True).content.decode()
    assert "已邀请" in told
    assert "没有别人可以出示您的码" in told, "an offer is not told to who made it"
    [tie] = Tie.objects.all()
    asked = text(son)
    for words in ("张*明", "父母", "同意", "不同意"):
        assert words in asked
    assert "已同意" in son.post(f"{FAMILY}{tie.pk}/answer/", {"answer": "agree"}, follow=True).content.decode()
    assert f'href="{FAMILY}{tie.pk}/code/"' in text(son)
    assert "子女" in text(mother)
    assert "已解除" in mother.post(f"{FAMILY}{tie.pk}/answer/", {"answer": "end"}, follow=True).content.decode()
    assert "还没有家人请您亮码" in text(son)
    assert son.get(f"{FAMILY}{tie.pk}/code/").status_code == 404


def test_an_offer_to_a_number_that_is_nobodys_says_the_same() -> None:
    son_user, son = a_son()
    _, _, mother = a_mother()
    nobody = number_of(a_resident("gone", sequence=23)[0])
    User.objects.filter(username="gone").update(is_active=False)
    for number in (nobody[:17] + nobody[17], number_of(son_user)):
        assert "已邀请" in mother.post(FAMILY, {"number": number, "kind": "child"}, follow=True).content.decode()
    assert queries.shown_by(son_user.holder_id or 0)[0].kind == "child"
    assert son.get(FAMILY).status_code == 200


def test_what_nobody_took_up_is_taken_back_and_nothing_is_told_of_it() -> None:
    _, _, mother = a_mother()
    son_user, son = a_son()
    said = []
    for _ in range(2):
        said.append(mother.post(FAMILY + "withdrawn/", follow=True).content.decode())
        mother.post(FAMILY, {"number": number_of(son_user), "kind": "parent"})
    assert "张*明" in text(son)
    assert "都已撤回" in mother.post(FAMILY + "withdrawn/", follow=True).content.decode()
    assert "还没有家人请您亮码" in text(son)
    assert all("都已撤回" in each for each in said)
    mother.post(FAMILY, {"number": number_of(son_user), "kind": "parent"})
    tie = Tie.objects.get(ended_at=None)
    son.post(f"{FAMILY}{tie.pk}/answer/", {"answer": "agree"})
    mother.post(FAMILY + "withdrawn/")
    son.post(FAMILY + "withdrawn/")
    assert "子女" in text(mother), "what was agreed to stands"


def test_a_bad_number_and_a_sixth_offer_of_a_day_are_refused() -> None:
    _, _, mother = a_mother()
    son_user, _ = a_son()
    assert mother.post(FAMILY, {"number": "12", "kind": "parent"}).status_code == 422
    assert mother.post(FAMILY, {"number": number_of(son_user), "kind": "friend"}).status_code == 422
    for _ in range(5):
        assert mother.post(FAMILY, {"number": number_of(son_user), "kind": "parent"}).status_code == 302
    refused = mother.post(FAMILY, {"number": number_of(son_user), "kind": "parent"})
    assert (refused.status_code, "今天邀请的次数太多" in refused.content.decode()) == (422, True)


def test_a_relatives_code_takes_my_own_lock_and_says_whose_it_is() -> None:
    user, card, _ = a_mother()
    son_user, son = a_son()
    ecard = queries.of_card(card.pk)
    assert ecard is not None
    tie = a_tie(ecard, son_user.holder_id or 0)
    here = f"{FAMILY}{tie}/code/"
    assert son.get(here)["Location"] == "/ecard/"
    assert son.post(here + "fresh/").status_code == 403
    page = text(unlocked(son), here)
    for words in ("正在出示 张*明（您的父母）的码", "回到我自己的码", "在这台手机上启用"):
        assert words in page
    assert son.post(here).status_code == 302
    device = Device.objects.get(tie_id=tie)
    assert (device.ecard_id, device.label[:3]) == (ecard.serial, "亲属：")
    cookie = son.cookies[f"onecard_relative_{tie}"]
    assert (cookie["path"], bool(cookie["httponly"]), cookie["samesite"]) == (here, True, "Strict")
    assert user.holder_id != son_user.holder_id


def test_somebody_elses_tie_does_not_exist() -> None:
    _, card, _ = a_mother()
    ecard = queries.of_card(card.pk)
    assert ecard is not None
    son_user, _ = a_son()
    tie = a_tie(ecard, son_user.holder_id or 0)
    stranger = unlocked_stranger()
    assert stranger.get(f"{FAMILY}{tie}/code/").status_code == 404
    assert stranger.post(f"{FAMILY}{tie}/answer/", {"answer": "end"}).status_code == 404
    assert Tie.objects.get().ended_at is None


def unlocked_stranger() -> Client:
    user, card = a_resident("stranger", sequence=24)
    ecards.sign_up(SYSTEM, card.pk)
    return unlocked(a_resident_client(user))


def test_a_phone_that_was_another_holders_shows_nothing_of_theirs() -> None:
    """The cookie of a phone outlives the session: whoever signs in next starts anew."""
    _, _, mother = a_mother()
    unlocked(mother)
    son_user, _ = a_son()
    unlocked(a_resident_client(son_user))  # a phone of his own, so that he has a PIN
    borrowed = a_resident_client(son_user)
    borrowed.cookies["onecard_device"] = mother.cookies["onecard_device"].value
    page = borrowed.post("/ecard/unlock/", {"pin": PIN}).content.decode()
    assert "在这台手机上启用" in page
    assert 'id="qr"' not in page
