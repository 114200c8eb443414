"""Signing in by social-security number and short message: one person's door, and the same answer for everybody else."""

import datetime as dt
import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client
from tests.foundation.web.faces import (
    PASSWORD,
    SYSTEM,
    a_registered_holder,
    a_resident,
    a_resident_client,
    number_of,
)
from tests.sms_process import KEY, SmsProcess, an_operator, code_in

from onecard.connectors.sms import caller, sending
from onecard.connectors.sms.caller import NotTaken, Operator
from onecard.foundation import clock
from onecard.foundation.errors import Unavailable
from onecard.foundation.postgres.raw import rows
from onecard.kernel.holders import actions as holders
from onecard.kernel.holders.models import Holder
from onecard.kernel.signins import codes
from onecard.kernel.signins.models import Code, User

pytestmark = pytest.mark.django_db
WRONG = "验证码不正确、已过期，或输错次数过多"


@pytest.fixture(scope="module")
def operator() -> Iterator[SmsProcess]:
    with an_operator() as process:
        yield process


@pytest.fixture(autouse=True)
def ready(operator: SmsProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    operator.behave("normal")
    monkeypatch.setenv(caller.URL, operator.url)
    monkeypatch.setenv(caller.KEY, KEY)


def ask(client: Client, number: str, **more: str) -> Any:
    return client.post("/sign-in/", {"number": number, **more})


def asked() -> Code:
    """The newest code that was asked for."""
    return Code.objects.latest("made_at")


def sent() -> str:
    """Do the newest job that was queued, as the worker would; the code that its message holds."""
    newest = (
        "SELECT args ->> 'code_id' FROM procrastinate_jobs WHERE task_name = 'sms.send_code' ORDER BY id DESC LIMIT 1"
    )
    assert sending.send_code(UUID(rows(newest)[0][0]))
    return code_of(asked())


def code_of(code: Code) -> str:
    told = codes.to_send(code.pk)
    assert told is not None
    return told.code


def test_a_number_and_a_short_message_open_a_session(operator: SmsProcess) -> None:
    holder = a_registered_holder()
    client = Client()
    assert ask(client, number_of(1).lower(), next="/paying/")["Location"] == "/sign-in/code/"
    before = len(operator.sent())
    code = sent()
    [message] = operator.sent()[before:]
    assert message["to"] == "15400000001"
    assert code_in(message["text"]) == code
    done = client.post("/sign-in/code/", {"code": f"{code[:3]} {code[3:]}"})
    assert done["Location"] == "/paying/"
    assert client.get("/cards/").status_code == 200
    assert not User.objects.get(holder_id=holder.pk).has_usable_password()


def test_who_signs_in_again_is_the_same_user() -> None:
    user, _ = a_resident()
    client = Client()
    ask(client, number_of(1))
    client.post("/sign-in/code/", {"code": sent()})
    assert client.session["_auth_user_id"] == str(user.pk)
    assert User.objects.count() == 1


def test_an_unknown_number_is_answered_as_a_known_one() -> None:
    a_registered_holder()
    known, unknown = Client(), Client()
    answers = [(ask(client, number), client.get("/sign-in/code/")) for client, number in
               ((known, number_of(1)), (unknown, number_of(2)))]  # fmt: skip
    for answer, page in answers:
        assert answer.status_code == 302
        assert answer["Location"] == "/sign-in/code/"
        assert page.status_code == 200
    assert words(answers[0][1]) == words(answers[1][1])
    refused = [words(client.post("/sign-in/code/", {"code": "00000a"})) for client in (known, unknown)]
    assert refused[0] == refused[1]
    nobodys = Code.objects.get(holder_id=None)
    assert not sending.send_code(nobodys.pk)


def words(page: Any) -> str:
    """A page without what differs from one request to the next."""
    return re.sub(r'csrfmiddlewaretoken" value="\w+"', "", page.content.decode())


def test_a_code_opens_one_session() -> None:
    a_registered_holder()
    first, second = Client(), Client()
    ask(first, number_of(1))
    code = sent()
    assert first.post("/sign-in/code/", {"code": code}).status_code == 302
    session = second.session
    session["sign_in_code"] = str(asked().pk)
    session.save()
    assert WRONG in second.post("/sign-in/code/", {"code": code}).content.decode()


def test_five_wrong_codes_close_the_door_for_the_right_one() -> None:
    a_registered_holder()
    client = Client()
    ask(client, number_of(1))
    code = sent()
    for _ in range(5):
        wrong = f"{(int(code) + 1) % 1_000_000:06d}"
        assert WRONG in client.post("/sign-in/code/", {"code": wrong}).content.decode()
    assert WRONG in client.post("/sign-in/code/", {"code": code}).content.decode()


def test_a_code_lapses() -> None:
    a_registered_holder()
    client = Client()
    ask(client, number_of(1))
    code = sent()
    Code.objects.update(expires_at=clock.now())
    assert WRONG in client.post("/sign-in/code/", {"code": code}).content.decode()
    assert not sending.send_code(asked().pk)


def test_one_number_gets_one_code_a_minute() -> None:
    for number in (number_of(1), number_of(2)):
        assert ask(Client(), number).status_code == 302
        again = ask(Client(), number)
        assert again.status_code == 200
        assert "刚刚已经发送过验证码" in again.content.decode()
    assert Code.objects.count() == 2


def test_the_code_of_another_browser_does_not_help() -> None:
    a_registered_holder()
    ask(Client(), number_of(1))
    thief = Client()
    assert thief.post("/sign-in/code/", {"code": sent()})["Location"] == "/sign-in/"


@pytest.mark.parametrize("number", ["", "1", "99060119500501001", "990601195005010019", "x" * 100, "\0", "٣" * 18])
def test_a_malformed_number_says_so(number: str) -> None:
    page = ask(Client(), number)
    assert page.status_code == 200
    assert 'role="alert"' in page.content.decode()
    assert not Code.objects.exists()


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５"])
def test_a_malformed_code_costs_no_try(code: str) -> None:
    client = Client()
    ask(client, number_of(1))
    assert client.post("/sign-in/code/", {"code": code}).status_code == 200
    assert asked().tries == 0


def test_the_dead_and_the_closed_do_not_sign_in() -> None:
    user, _ = a_resident()
    User.objects.update(is_active=False)
    client = Client()
    ask(client, number_of(1))
    assert WRONG in client.post("/sign-in/code/", {"code": sent()}).content.decode()
    cache.clear()
    assert Holder.objects.filter(pk=user.holder_id or 0).update(life="deceased") == 1
    ask(client, number_of(1))
    assert asked().holder_id is None


def test_it_leads_to_no_other_site() -> None:
    a_registered_holder()
    client = Client()
    ask(client, number_of(1), next="https://elsewhere.example/")
    assert client.post("/sign-in/code/", {"code": sent()})["Location"] == "/cards/"


@pytest.mark.parametrize("wanted", ["foo", "portal_lost", "https://example.org/", "\\\\example.org", "x" * 9000])
def test_what_is_no_path_of_this_site_leads_nowhere(wanted: str) -> None:
    user, _ = a_resident()
    client = a_resident_client(user)
    assert client.post("/sign-in/stay/", {"next": wanted})["Location"] == "/cards/"


def test_who_was_signed_out_meanwhile_comes_back_to_the_page_of_the_form() -> None:
    page = {"referer": "http://testserver/ecard/?lang=zh"}
    for path in ("/ecard/unlock/", "/sign-in/stay/"):
        assert Client().post(path, headers=page)["Location"] == "/sign-in/?next=/ecard/%3Flang%3Dzh"
        elsewhere = Client().post(path, headers={"referer": "https://example.org/ecard/"})
        assert elsewhere["Location"] == f"/sign-in/?next={path}"
    opened = a_resident_client(a_resident()[0]).get("/sign-in/stay/")
    assert (opened.status_code, opened["Allow"]) == (405, "POST")
    assert "这一步要从页面上的按钮进入" in opened.content.decode()


def test_who_died_is_signed_out_and_no_password_helps() -> None:
    user, _ = a_resident()
    client = a_resident_client(user)
    assert client.get("/cards/").status_code == 200
    holders.mark_deceased(SYSTEM, user.holder_id or 0, "民政通报")
    session = client.session
    session.set_expiry(clock.now() + dt.timedelta(minutes=14))
    session.save()
    for refused in (client.get("/cards/"), a_resident_client(user).get("/cards/")):
        assert refused.status_code == 403
        assert "已登记死亡" in refused.content.decode()
    assert client.get("/cards/").status_code == 302


def test_who_pressed_twice_is_led_to_where_the_code_is_typed() -> None:
    a_registered_holder()
    client = Client()
    ask(client, number_of(1), next="/lost/")
    again = ask(client, number_of(1), next="/lost/").content.decode()
    assert 'href="/sign-in/code/"' in again
    assert 'href="/sign-in/code/"' not in ask(Client(), number_of(1), next="/lost/").content.decode()
    assert 'href="/sign-in/?next=/lost/"' in client.get("/sign-in/code/").content.decode()  # asking again keeps why
    wide = "".join(chr(ord(each) + 0xFEE0) for each in sent())
    assert client.post("/sign-in/code/", {"code": wide})["Location"] == "/lost/"


def test_the_code_rests_sealed() -> None:
    a_registered_holder()
    ask(Client(), number_of(1))
    code = asked()
    assert code_of(code).encode() not in bytes(code.code_sealed)
    [(args,)] = rows("SELECT args::text FROM procrastinate_jobs WHERE task_name = 'sms.send_code'")
    assert json.loads(args) == {"code_id": str(code.pk)}


@pytest.mark.parametrize("behaviour", ["broken", "down"])
def test_an_operator_that_fails_is_asked_again(operator: SmsProcess, behaviour: str) -> None:
    a_registered_holder()
    ask(Client(), number_of(1))
    operator.behave(behaviour)
    with pytest.raises(NotTaken):
        sending.send_code(asked().pk)
    operator.behave("answer_lost")
    with pytest.raises(NotTaken):
        sending.send_code(asked().pk)
    operator.behave("normal")
    assert sending.send_code(asked().pk)
    assert [each["id"] for each in operator.sent()].count(str(asked().pk)) == 1


def test_without_an_operator_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    a_registered_holder()
    ask(Client(), number_of(1))
    monkeypatch.delenv(caller.URL)
    monkeypatch.delenv(caller.KEY)
    assert not sending.send_code(asked().pk)


@pytest.mark.parametrize(("url", "key"), [("ftp://x", "k"), ("http://x/path", "k"), ("http://x", ""), ("", "k")])
def test_wrong_settings_are_named(url: str, key: str) -> None:
    with pytest.raises(Unavailable, match="SMS_MISCONFIGURED"):
        Operator.from_environment({caller.URL: url, caller.KEY: key})


def test_a_session_is_kept_and_ends() -> None:
    user, _ = a_resident()
    client = Client()
    client.post("/sign-in/password/", {"login": user.username, "password": PASSWORD})
    page = client.get("/cards/").content.decode()
    left = re.search(r'data-left="(\d+)"', page)
    assert left is not None
    assert 1700 < int(left[1]) <= 1800
    session = client.session
    session.set_expiry(clock.now() + dt.timedelta(seconds=60))
    session.save()
    stayed = client.post("/sign-in/stay/", headers={"accept": "application/json"})
    assert stayed.status_code == 204
    assert (client.session.get_expiry_date() - clock.now()).total_seconds() > 1700
    session = client.session
    session.set_expiry(clock.now() - dt.timedelta(seconds=1))
    session.save()
    assert client.get("/cards/").status_code == 302
    assert Client().post("/sign-in/stay/").status_code == 302


def test_a_passkey_is_offered_once_and_never_to_who_has_one() -> None:
    user, _ = a_resident()
    client = Client()
    ask(client, number_of(1))
    page = client.post("/sign-in/code/", {"code": sent()}, follow=True).content.decode()
    assert '<a href="/settings/passkeys/">添加通行密钥</a>' in page
    assert "添加通行密钥" not in client.get("/cards/").content.decode()
    Authenticator.objects.create(user=user, type="webauthn", data={"name": "x"})
    cache.clear()
    again = Client()
    ask(again, number_of(1))
    assert "添加通行密钥" not in again.post("/sign-in/code/", {"code": sent()}, follow=True).content.decode()


def test_nobody_keeps_a_loss_from_being_reported_by_asking_for_codes() -> None:
    _, card = a_resident()
    stranger, client = Client(), Client()
    assert ask(stranger, number_of(1)).status_code == 302
    assert "急需挂失请拨打 12333" in ask(stranger, number_of(1)).content.decode()
    page = client.get("/sign-in/?next=/lost/").content.decode()
    assert "不需要数字密码" in page
    assert ask(client, number_of(1), next="/lost/").status_code == 302
    first = client.post("/sign-in/code/", {"code": sent()})
    assert first["Location"] == "/lost/"
    assert client.get("/lost/")["Location"] == f"/cards/{card.pk}/lost/"
    done = client.post(f"/cards/{card.pk}/lost/", follow=True).content.decode()
    assert "已临时挂失" in done
    assert "添加通行密钥" not in done
    card.refresh_from_db()
    assert card.state == "temp_lost"
    assert ask(Client(), number_of(1), next="/lost/").status_code == 200  # it has an end too


def test_the_home_and_the_sign_in_page_lead_to_the_report() -> None:
    assert 'href="/lost/"' in Client().get("/").content.decode()
    assert Client().get("/lost/")["Location"] == "/sign-in/?next=/lost/"
    assert "/sign-in/?next=/lost/" in Client().get("/sign-in/").content.decode()


def test_nobody_else_s_number_is_shown() -> None:
    client = Client()
    ask(client, number_of(1))
    assert number_of(1) not in client.get("/sign-in/code/").content.decode()
