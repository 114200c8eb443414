"""The officers' pages: the second factor before everything, permissions and scope on every page."""

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from tests.foundation.web.faces import (
    SYSTEM,
    a_registered_holder,
    a_resident,
    a_staff_client,
    a_use,
    an_authenticator,
    an_officer,
    code_now,
    secret_on,
    sign_in,
    the_catalogue,
)
from tests.kernel.cards.builders import a_card

from onecard.kernel.holders import rules
from onecard.kernel.staff import actions as staff
from onecard.kernel.uses import figures
from onecard_kit.verdicts import WORDS, Verdict

pytestmark = pytest.mark.django_db


def test_everything_leads_to_sign_in() -> None:
    for path in ("/", "/holders/"):
        assert Client().get(path)["Location"].startswith("/sign-in/")


def test_a_password_alone_opens_the_set_up_page_only() -> None:
    an_officer("zhou", "auditor")
    client = Client()
    sign_in(client, "zhou")
    for path in ("/", "/holders/", "/second-factor/done/"):
        assert client.get(path)["Location"] == "/second-factor/", path
    page = client.get("/second-factor/")
    assert page.status_code == 200
    assert "设置第二步验证" in page.content.decode()


def test_setting_up_the_second_factor_opens_the_house() -> None:
    officer = an_officer("zhou", "auditor")
    client = Client()
    sign_in(client, "zhou")
    secret = secret_on(client.get("/second-factor/").content.decode())
    client.post("/second-factor/", {"code": code_now(secret)})
    assert client.get("/").status_code == 200
    stored = Authenticator.objects.get(user=officer.user).data["secret"]
    assert secret not in stored


def test_a_wrong_code_does_not_set_up() -> None:
    officer = an_officer("zhou")
    client = Client()
    sign_in(client, "zhou")
    client.get("/second-factor/")
    response = client.post("/second-factor/", {"code": "000000"})
    assert "验证码不正确" in response.content.decode()
    assert not Authenticator.objects.filter(user=officer.user).exists()


def test_with_a_second_factor_the_password_alone_opens_nothing() -> None:
    officer = an_officer("zhou", "auditor")
    an_authenticator(officer.user)
    client = Client()
    assert sign_in(client, "zhou")["Location"].startswith("/sign-in/code/")
    assert client.get("/")["Location"].startswith("/sign-in/")


def test_a_session_from_before_the_second_factor_is_closed() -> None:
    officer = an_officer("zhou", "auditor")
    thief = Client()
    sign_in(thief, "zhou")
    an_authenticator(officer.user)
    assert thief.get("/second-factor/")["Location"] == "/sign-in/"
    assert "_auth_user_id" not in thief.session


def test_a_code_is_good_once() -> None:
    officer = an_officer("zhou", "auditor")
    secret = an_authenticator(officer.user)
    code = code_now(secret)
    first, second = Client(), Client()
    for client in (first, second):
        sign_in(client, "zhou")
    assert first.post("/sign-in/code/", {"code": code}).status_code == 302
    assert "验证码不正确" in second.post("/sign-in/code/", {"code": code}).content.decode()


def test_residents_cannot_sign_in_here() -> None:
    a_resident("zhang")
    assert "用户名或密码不正确" in sign_in(Client(), "zhang").content.decode()


def test_the_home_shows_what_the_roles_allow() -> None:
    auditor = a_staff_client(an_officer("sun", "auditor")).get("/").content.decode()
    assert "最新审计事实" in auditor
    assert "查找持卡人" not in auditor
    clerk = a_staff_client(an_officer("zhou", "clerk")).get("/").content.decode()
    assert "查找持卡人" in clerk
    assert "最新审计事实" not in clerk


def test_todays_uses_are_counted_within_the_scope() -> None:
    card = a_card(holder=a_registered_holder())
    stop = the_catalogue()
    for _ in range(3):
        a_use(card, stop, Verdict.ADMITTED)
    a_use(card, stop, Verdict.CARD_LOST)
    assert "指标还在统计" in a_staff_client(an_officer("wu", "auditor")).get("/").content.decode()
    figures.count()
    here = a_staff_client(an_officer("sun", "auditor", place="3206")).get("/").content.decode()
    assert "公交乘车" in here
    assert '<td class="n">3</td>' in here
    assert WORDS[Verdict.CARD_LOST].zh in here
    elsewhere = a_staff_client(an_officer("he", "auditor", place="3205")).get("/").content.decode()
    assert "今天还没有用卡" in elsewhere


def test_without_a_permission_the_page_is_refused() -> None:
    response = a_staff_client(an_officer("sun", "auditor")).get("/holders/")
    assert response.status_code == 403
    assert "holders.read" in response.content.decode()


def test_who_left_is_refused_at_once() -> None:
    officer = an_officer("zhou", "clerk")
    client = a_staff_client(officer)
    staff.suspend(SYSTEM, officer, "left")
    assert client.get("/")["Location"].startswith("/sign-in/")


def test_a_holder_is_found_by_number_or_card_and_masked() -> None:
    holder = a_registered_holder()
    card = a_card(holder=holder)
    client = a_staff_client(an_officer("zhou", "clerk"))
    first_17 = "99060119500501001"
    number = first_17 + rules.check_character(first_17)
    for asked in (number, number.lower(), card.number):
        page = client.post("/holders/", {"number": asked}).content.decode()
        assert "张" in page
        assert "张小明" not in page
        assert number not in page
        assert card.number not in page
        assert f"/holders/{holder.pk}/" in page


def test_other_places_do_not_exist_for_a_clerk() -> None:
    card = a_card(holder=a_registered_holder())
    client = a_staff_client(an_officer("zhou", "clerk", place="3205"))
    assert "没有找到" in client.post("/holders/", {"number": card.number}).content.decode()


@pytest.mark.parametrize("asked", ["", "12", "张小明1", "<script>", "1" * 40])
def test_a_malformed_number_is_refused_in_words(asked: str) -> None:
    client = a_staff_client(an_officer("zhou", "clerk"))
    response = client.post("/holders/", {"number": asked})
    assert response.status_code == 422
    assert "alert bad" in response.content.decode()
