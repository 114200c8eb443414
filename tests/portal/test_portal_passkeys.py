"""Passkeys without a browser: who may ask, and what is refused."""

import json

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client
from tests.foundation.web.faces import PASSWORD, a_passkey, a_resident, a_resident_client

from onecard.kernel.audit import queries as audit
from onecard.kernel.signins import passkeys

pytestmark = pytest.mark.django_db
MINE, ENTER = "/settings/passkeys/", "/sign-in/passkey/"
NOT_ONE = ["", "x", "null", "[]", "{}", '"x"', "1", "[" * 10_000, '{"id": "x", "response": {}}', json.dumps({
    "id": "AAAA", "rawId": "AAAA", "type": "public-key", "clientExtensionResults": {},
    "response": {"clientDataJSON": "AAAA", "attestationObject": "AAAA", "authenticatorData": "AAAA",
                 "signature": "AAAA", "userHandle": "MQ"},
})]  # fmt: skip


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    cache.clear()


def test_the_browser_is_asked_for_one_that_knows_its_owner() -> None:
    user, _ = a_resident()
    told = a_resident_client(user).post(MINE + "begin/").json()["publicKey"]
    assert told["authenticatorSelection"]["userVerification"] == "required"
    assert told["authenticatorSelection"]["residentKey"] == "required"
    assert told["rp"]["id"] == "testserver"
    assert "张*明" in told["user"]["name"]
    assert "小" not in told["user"]["name"]


@pytest.mark.parametrize("credential", NOT_ONE)
def test_what_is_no_passkey_is_refused_and_kept_nowhere(credential: str) -> None:
    user, _ = a_resident()
    client = a_resident_client(user)
    client.post(MINE + "begin/")
    refused = client.post(MINE, {"credential": credential})
    assert refused.status_code == 400
    assert "没有得到有效的通行密钥" in refused.content.decode()
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize("credential", NOT_ONE)
def test_what_is_no_answer_opens_nothing(credential: str) -> None:
    a_resident()
    client = Client()
    told = client.post(ENTER + "begin/").json()["publicKey"]
    assert (told["userVerification"], told.get("allowCredentials")) in [("required", None), ("required", [])]
    refused = client.post(ENTER, {"credential": credential}, follow=True)
    assert "没能用通行密钥登录" in refused.content.decode()
    assert client.get("/cards/").status_code == 302


def test_each_step_needs_a_holder() -> None:
    for path in (MINE, MINE + "begin/", MINE + "1/", MINE + "1/remove/"):
        assert Client().post(path)["Location"].startswith("/sign-in/")
    assert Client().get(ENTER).status_code == 405
    assert Client().get(MINE)["Location"].startswith("/sign-in/")


def test_mine_are_listed_renamed_and_removed_and_nobody_else_s() -> None:
    user, _ = a_resident()
    other, _ = a_resident("li", sequence=2)
    mine, theirs = a_passkey(user), a_passkey(other, "iPad · Safari")
    client = a_resident_client(user)
    page = client.get(MINE).content.decode()
    assert "Android · Chrome" in page
    assert "iPad" not in page
    for path in (f"{MINE}{theirs}/", f"{MINE}{theirs}/remove/", f"{MINE}0/"):
        assert client.post(path, {"name": "x"}).status_code == 404
    assert client.post(f"{MINE}{mine}/", {"name": " "}).status_code == 422
    assert client.post(f"{MINE}{mine}/", {"name": "x" * 61}).status_code == 422
    assert "我的手机" in client.post(f"{MINE}{mine}/", {"name": "我的手机"}, follow=True).content.decode()
    gone = client.post(f"{MINE}{mine}/remove/", follow=True).content.decode()
    assert "已删除" in gone
    assert [each.pk for each in Authenticator.objects.all()] == [theirs]
    fact = audit.facts_about(f"holder:{user.holder_id}")[0]
    assert (fact.verb, fact.detail) == ("signins.remove_passkey", {"passkey": mine})


def test_there_are_ten_at_most() -> None:
    user, _ = a_resident()
    for _ in range(passkeys.OF_ONE_MAX):
        a_passkey(user)
    client = a_resident_client(user)
    assert client.post(MINE + "begin/").status_code == 409
    assert "passkey-go" not in client.get(MINE).content.decode()


def test_a_passkey_is_no_second_factor() -> None:
    user, _ = a_resident()
    a_passkey(user)
    done = Client().post("/sign-in/password/", {"login": user.username, "password": PASSWORD})
    assert done["Location"] == "/cards/"
