"""Passkeys of officers: both factors at once, one's own to add and remove, and never those of residents."""

import datetime as dt
import json
import time
from argparse import Namespace
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt
from django.core.cache import cache
from django.test import Client, override_settings
from fido2.utils import websafe_encode
from tests.foundation.web.faces import (
    PASSWORD,
    SYSTEM,
    a_passkey,
    a_resident,
    a_resident_client,
    a_staff_client,
    an_authenticator,
    an_officer,
    code_now,
    face,
    secret_on,
    sign_in,
)
from tests.foundation.web.soft_key import SoftKey

from onecard.foundation import clock
from onecard.foundation.errors import Conflict, NotPermitted
from onecard.kernel.audit import queries as audit
from onecard.kernel.signins import factors, passkeys
from onecard.kernel.signins.models import Kind, User
from onecard.kernel.signins.sessions.staff import end_all
from onecard.kernel.staff import actions as staff
from onecard.kernel.staff import command
from onecard.kernel.staff.models import Officer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_limits_of_other_tests")]
MINE, MAKE, ADD = "/my-sign-in/", "/my-sign-in/passkeys/begin/", "/my-sign-in/passkeys/"
ENTER, CONFIRM, SET_UP = "/sign-in/passkey/", "/sign-in/confirm/", "/second-factor/"
PORTAL = "/settings/passkeys/"


@pytest.fixture
def zhou() -> Officer:
    return an_officer("zhou", "clerk")


def added(client: Client, key: SoftKey | None = None) -> SoftKey:
    """A passkey that the client's officer adds."""
    key = key or SoftKey()
    assert client.post(ADD, {"credential": key.made(client.post(MAKE).json())}).status_code == 302
    return key


def entered(key: SoftKey, client: Client | None = None, to: str = ENTER) -> Client:
    """A client at which somebody signs in with a passkey."""
    client = client or Client()
    client.post(to, {"credential": key.signed(client.post(ENTER + "begin/").json())})
    return client


def is_in(client: Client) -> bool:
    return bool(client.get("/").status_code == 200)


def a_while_ago(client: Client) -> None:
    """The last proof of who sits at a client, and all that it was shown by, lie longer back than it counts."""
    Authenticator.objects.update(created_at=clock.now() - dt.timedelta(hours=1))
    session: Any = client.session
    for record in session["account_authentication_methods"]:
        record["at"] = time.time() - factors.FRESH_S - 1
    session.save()


def told_of(officer: Officer) -> list[str]:
    return [fact.verb for fact in audit.facts_about(f"staff:{officer.pk}") if fact.verb.startswith("signins.")]


def test_a_newcomer_sets_up_a_passkey_and_needs_no_other_factor(zhou: Officer) -> None:
    client = Client()
    sign_in(client, "zhou")
    page = client.get(SET_UP).content.decode()
    for way in ("添加通行密钥", "扫描二维码"):
        assert way in page
    asked = client.post(MAKE).json()["publicKey"]
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert asked["user"]["name"] == "周敏 zhou"
    refused = client.post(ADD, {"credential": "{}"}, follow=True)
    assert "没有得到有效的通行密钥" in refused.content.decode()
    assert not is_in(client)
    key = added(client)
    assert is_in(client)
    assert told_of(zhou) == ["signins.add_passkey"]
    again = entered(key)
    assert is_in(again)
    assert passkeys.of_user(zhou.user).get().last_used_at is not None


def test_where_somebody_wanted_to_go_they_go(zhou: Officer) -> None:
    key, client = added(a_staff_client(zhou)), Client()
    assert 'value="/holders/"' in client.get("/sign-in/?next=/holders/").content.decode()
    for wanted, leads_to in (("/holders/", "/holders/"), ("https://example.org/", "/")):
        answered = key.signed(client.post(ENTER + "begin/").json())
        assert client.post(ENTER, {"credential": answered, "next": wanted})["Location"] == leads_to


@pytest.mark.parametrize("key", [SoftKey(verifies=False), SoftKey(origin="https://testserver.example")])
def test_one_that_does_not_know_its_owner_or_stands_elsewhere_is_refused(zhou: Officer, key: SoftKey) -> None:
    client = a_staff_client(zhou)
    client.post(ADD, {"credential": key.made(client.post(MAKE).json())})
    assert not passkeys.of_user(zhou.user).exists()
    verifies, origin = key.verifies, key.origin
    key.verifies, key.origin = True, "https://testserver"
    added(client, key)
    key.verifies, key.origin = verifies, origin
    refused = entered(key)
    assert "没能用通行密钥登录" in refused.get("/sign-in/").content.decode()
    assert not is_in(refused)


def test_an_answer_is_good_once(zhou: Officer) -> None:
    key, client = added(a_staff_client(zhou)), Client()
    answered = key.signed(client.post(ENTER + "begin/").json())
    client.post(ENTER, {"credential": answered})
    assert is_in(client)
    client.post("/sign-out/")
    client.post(ENTER, {"credential": answered})
    assert not is_in(client)


def test_a_password_begun_before_is_dropped(zhou: Officer) -> None:
    sun = an_officer("sun", "clerk")
    an_authenticator(sun.user)
    key, client = added(a_staff_client(zhou)), Client()
    assert sign_in(client, "sun")["Location"].startswith("/sign-in/code/")
    entered(key, client)
    assert client.session["_auth_user_id"] == str(zhou.user_id)
    assert "account_login" not in client.session


def test_after_the_password_who_has_a_passkey_alone_is_sent_to_it(zhou: Officer) -> None:
    newcomer = Client()
    sign_in(newcomer, "zhou")
    added(newcomer)
    client = Client()
    assert sign_in(client, "zhou")["Location"].startswith("/sign-in/code/")
    page = client.get("/sign-in/code/").content.decode()
    assert "没有绑定身份验证器" in page
    assert "用通行密钥登录" in page
    for sent in ({}, {"code": "123456"}, {"credential": "{}"}):
        assert client.post("/sign-in/code/", sent).status_code == 200
    assert not is_in(client)


def test_a_resident_s_passkey_enters_no_office_and_an_officer_s_no_portal(zhou: Officer) -> None:
    theirs = added(a_staff_client(zhou))
    resident, _ = a_resident()
    own = SoftKey()
    with face("public"):
        client = a_resident_client(resident)
        client.post(PORTAL, {"credential": own.made(client.post(PORTAL + "begin/").json())})
        assert entered(own).get("/cards/").status_code == 200
        assert entered(theirs).get("/cards/").status_code == 302
    assert not is_in(entered(own))
    assert passkeys.of_user(zhou.user).get().last_used_at is None
    assert is_in(entered(theirs))


def test_whoever_is_suspended_or_closed_enters_no_more(zhou: Officer) -> None:
    client = a_staff_client(zhou)
    key = added(client)
    User.objects.filter(pk=zhou.user_id).update(is_active=False)
    assert not is_in(entered(key))
    User.objects.filter(pk=zhou.user_id).update(is_active=True)
    Officer.objects.filter(pk=zhou.pk).update(is_active=False)
    assert not is_in(entered(key))
    Officer.objects.filter(pk=zhou.pk).update(is_active=True)
    assert is_in(entered(key))
    staff.suspend(SYSTEM, zhou, "离岗")
    assert not is_in(entered(key))


def test_too_many_tries_are_slowed_down(zhou: Officer) -> None:
    key = added(a_staff_client(zhou))
    with override_settings(ACCOUNT_RATE_LIMITS={"passkey": "1/m/ip"}):
        client = Client()
        told = client.post(ENTER + "begin/").json()
        assert client.post(ENTER + "begin/").status_code == 429
        client.post(ENTER, {"credential": key.signed(told)})
        assert not is_in(client)


def test_adding_asks_who_sits_there_once_a_while_has_passed(zhou: Officer) -> None:
    client = a_staff_client(zhou)
    secret = decrypt(Authenticator.objects.get(user=zhou.user).data["secret"])
    assert "passkey-go" in client.get(MINE).content.decode()
    made = SoftKey().made(client.post(MAKE).json())
    a_while_ago(client)
    page = client.get(MINE).content.decode()
    assert "passkey-go" not in page
    assert f"{CONFIRM}?next={MINE}" in page
    for path, sent in ((MAKE, {}), (ADD, {"credential": made})):
        assert "请先确认是您本人" in client.post(path, sent).content.decode()
    assert not passkeys.of_user(zhou.user).exists()
    cache.clear()  # the code that signed in is still the one shown
    shown = code_now(secret)
    for change in ({"password": "x"}, {"code": "000000"}, {"code": ""}):
        wrong = {"password": PASSWORD, "code": shown, "next": MINE, **change}
        assert client.post(CONFIRM, wrong).status_code == 422
    cache.clear()
    assert client.post(CONFIRM, {"password": PASSWORD, "code": shown, "next": MINE})["Location"] == MINE
    added(client)


def test_who_sits_there_is_told_by_their_own_passkey_and_by_nobody_else_s(zhou: Officer) -> None:
    own, theirs = added(a_staff_client(zhou)), added(a_staff_client(an_officer("sun", "clerk")))
    client = entered(own)
    a_while_ago(client)
    assert entered(theirs, client, to=CONFIRM).post(MAKE).status_code == 403
    assert client.session["_auth_user_id"] == str(zhou.user_id)
    entered(own, client, to=CONFIRM)
    assert client.post(MAKE).status_code == 200


def test_an_authenticator_beside_a_passkey_takes_the_proof_and_leaves_a_fact(zhou: Officer) -> None:
    client = Client()
    sign_in(client, "zhou")
    key = added(client)
    a_while_ago(client)
    assert client.get(SET_UP)["Location"] == f"{CONFIRM}?next={SET_UP}"
    entered(key, client, to=CONFIRM)
    page = client.get(SET_UP).content.decode()
    assert "绑定身份验证器" in page
    assert "passkey-go" not in page
    secret = secret_on(page)
    assert client.post(SET_UP, {"code": code_now(secret)})["Location"] == MINE
    assert told_of(zhou) == ["signins.add_authenticator", "signins.add_passkey"]


def test_there_are_ten_at_most(zhou: Officer) -> None:
    client = a_staff_client(zhou)
    made = SoftKey().made(client.post(MAKE).json())
    for _ in range(passkeys.OF_ONE_MAX):
        a_passkey(zhou.user)
    assert client.post(MAKE).status_code == 409
    assert client.post(ADD, {"credential": made}).status_code == 409
    assert "passkey-go" not in client.get(MINE).content.decode()
    assert passkeys.of_user(zhou.user).count() == passkeys.OF_ONE_MAX


def test_mine_are_named_and_removed_and_nobody_else_s(zhou: Officer) -> None:
    client = a_staff_client(zhou)
    key = added(client)
    elsewhere, other = entered(key), a_passkey(an_officer("sun").user)
    own = passkeys.of_user(zhou.user).get().pk
    for path in (f"{ADD}{other}/", f"{ADD}{other}/remove/", f"{ADD}0/"):
        assert client.post(path, {"name": "x"}).status_code == 404
    assert client.post(f"{ADD}{own}/", {"name": " "}).status_code == 422
    assert "办公室电脑" in client.post(f"{ADD}{own}/", {"name": "办公室电脑"}, follow=True).content.decode()
    assert "已删除" in client.post(f"{ADD}{own}/remove/", follow=True).content.decode()
    assert [is_in(each) for each in (client, elsewhere, entered(key))] == [True, False, False]
    assert told_of(zhou) == ["signins.remove_passkey", "signins.rename_passkey", "signins.add_passkey"]
    assert audit.facts_about(f"staff:{zhou.pk}")[0].detail == {"passkey": own}


def test_nobody_is_left_without_a_second_factor(zhou: Officer) -> None:
    client = Client()
    sign_in(client, "zhou")
    added(client)
    own = passkeys.of_user(zhou.user).get().pk
    assert "/remove/" not in client.get(f"{ADD}{own}/").content.decode()
    refused = client.post(f"{ADD}{own}/remove/")
    assert refused.status_code == 409
    for said in ("唯一的第二步验证方式", "请先绑定身份验证器或添加另一个通行密钥"):
        assert said in refused.content.decode()
    with pytest.raises(Conflict, match="FACTOR_LAST"):
        passkeys.remove(zhou.user, own)
    a_passkey(zhou.user)
    assert client.post(f"{ADD}{own}/remove/").status_code == 302
    resident, _ = a_resident()
    passkeys.remove(resident, a_passkey(resident))


def test_a_reset_by_two_takes_passkeys_too(zhou: Officer) -> None:
    theirs = a_staff_client(zhou)
    key = added(theirs)
    admin = a_staff_client(an_officer("gu", "administrator", place=""))
    secret = an_authenticator(an_officer("he", "administrator", place="").user)
    path = f"/officers/{zhou.pk}/second-factor/"
    assert "全部通行密钥作废" in admin.get(path).content.decode()
    asked = {"reason": "手机遗失，已当面核验", "checker": "he", "password": PASSWORD, "code": code_now(secret)}
    assert admin.post(path, asked).status_code == 302
    assert not factors.of_user(zhou.user).exists()
    assert [is_in(each) for each in (theirs, entered(key))] == [False, False]
    again = Client()
    sign_in(again, "zhou")
    assert again.get("/")["Location"] == SET_UP


@pytest.mark.parametrize("kind", ["passkey", "authenticator"])
def test_nothing_is_added_that_a_reset_would_have_taken(
    zhou: Officer, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client()
    sign_in(client, "zhou")
    key, asked = SoftKey(), client.post(MAKE).json()
    secret = secret_on(client.get(SET_UP).content.decode())
    # The reset was first at the officer's row, and ended their sessions.
    monkeypatch.setattr(factors, "lock", lambda user: end_all(user.pk))
    sent = {"credential": key.made(asked)} if kind == "passkey" else {"code": code_now(secret)}
    answer = client.post(ADD if kind == "passkey" else SET_UP, sent)
    assert answer.status_code == 403
    assert "您的登录刚才已被结束" in answer.content.decode()
    assert not factors.of_user(zhou.user).exists()
    assert told_of(zhou) == []


def test_a_session_ends_with_the_factor_that_it_showed(zhou: Officer) -> None:
    """A sign-in that was under way during a reset writes its session after the reset has taken all there were."""
    client = a_staff_client(zhou)
    assert is_in(client)
    factors.of_user(zhou.user).delete()
    assert client.get("/")["Location"].startswith("/sign-in/")
    late = a_staff_client(zhou)
    factors.of_user(zhou.user).delete()
    an_authenticator(zhou.user)
    assert late.get("/")["Location"].startswith("/sign-in/")


def test_who_waited_while_another_set_up_the_first_factor_adds_none_by_password_alone(
    zhou: Officer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client()
    sign_in(client, "zhou")
    key, asked = SoftKey(), client.post(MAKE).json()
    monkeypatch.setattr(factors, "lock", an_authenticator)
    answer = client.post(ADD, {"credential": key.made(asked)})
    assert answer.status_code == 403
    assert "请先确认是您本人" in answer.content.decode()


def test_an_authenticator_that_is_sent_twice_at_once_is_set_up_once(
    zhou: Officer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client()
    sign_in(client, "zhou")
    key = added(client)
    secret = secret_on(client.get(SET_UP).content.decode())
    monkeypatch.setattr(factors, "lock", an_authenticator)
    assert client.post(SET_UP, {"code": code_now(secret)})["Location"] == MINE
    assert factors.of_user(zhou.user).count() == 2
    assert is_in(entered(key))


def test_the_command_line_takes_a_code(zhou: Officer, monkeypatch: pytest.MonkeyPatch) -> None:
    a_passkey(zhou.user)
    monkeypatch.setattr("sys.stdin", StringIO(f"{PASSWORD}\n123456\n"))
    with pytest.raises(NotPermitted, match="SECOND_FACTOR_MISSING"):
        command.acting(Namespace(officer="zhou"))


def broken_off(packed: bytes) -> str:
    """An answer whose packed part (CBOR) ends before what it says that follows."""
    said = b'{"type": "webauthn.get", "challenge": "eA", "origin": "http://testserver"}'
    parts = {"clientDataJSON": said, "authenticatorData": bytes(32) + b"\x80" + bytes(4) + packed, "signature": b"x"}
    told = {name: websafe_encode(part) for name, part in parts.items()}
    return json.dumps({"id": "eA", "rawId": "eA", "type": "public-key", "response": told})


def test_what_is_no_answer_is_nobody_s() -> None:
    broken = [broken_off(packed) for packed in (b"\xa1", b"\x99\x00", b"\x9b" + b"\xff" * 8)]
    for answered in ("", "x", "null", "[" * 10_000, '{"id": "x", "response": {}}', *broken):
        assert passkeys.prove(answered, Kind.STAFF) is None
        client = Client()
        client.post(ENTER + "begin/")
        assert client.post(ENTER, {"credential": answered})["Location"] == "/sign-in/"
