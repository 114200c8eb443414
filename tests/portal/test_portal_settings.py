"""Settings: what stays with the account, the phones that show my code, and where I am signed in."""

import datetime as dt
import re

import pytest
from django.core.cache import cache
from django.test import Client, RequestFactory
from tests.foundation.web.faces import SYSTEM, a_resident, a_resident_client

from onecard.foundation import clock
from onecard.foundation.web import browsers
from onecard.kernel.audit import queries as audit
from onecard.kernel.cards.models import Standing
from onecard.kernel.cards.rules import CardState
from onecard.kernel.ecards import actions as ecards
from onecard.kernel.ecards.models import Device
from onecard.kernel.signins.models import PublicSession, User
from onecard.kernel.signins.sessions import public as stored

pytestmark = pytest.mark.django_db
PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36"
TABLET = "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"
PIN = "836194"
PATHS = ("/settings/", "/settings/sessions/", "/settings/passkeys/", "/ecard/phones/", "/lost/")


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    cache.clear()


def a_browser(user: User, agent: str = PHONE) -> Client:
    client = a_resident_client(user)
    client.defaults["HTTP_USER_AGENT"] = agent
    client.get("/cards/")
    return client


def holder_with_phones() -> tuple[User, int, Client, Client]:
    """A holder whose e-card two phones show."""
    user, card = a_resident()
    serial = ecards.sign_up(SYSTEM, card.pk).serial
    first, second = a_browser(user), a_browser(user, TABLET)
    for client in (first, second):
        assert client.post("/ecard/begin/", {"pin": PIN, "again": PIN}).status_code == 302
    return user, serial, first, second


@pytest.mark.parametrize("path", PATHS)
def test_they_need_a_holder(path: str) -> None:
    assert Client().get(path)["Location"].startswith("/sign-in/")


def test_language_and_mode_go_with_the_account() -> None:
    user, _ = a_resident()
    a_browser(user).get("/settings/?lang=en&mode=elder")
    page = a_browser(user, TABLET).get("/settings/").content.decode()
    assert '<html lang="en" data-mode="elder">' in page
    assert "stay with your account" in page


def test_phones_are_listed_with_names_and_the_one_at_hand_is_marked() -> None:
    _, _, first, _ = holder_with_phones()
    page = first.get("/ecard/phones/").content.decode()
    assert page.index("iPad · Safari") < page.index("Android · Chrome") < page.index("就是这一台")
    assert page.count("就是这一台") == 1
    assert "还没有" in page
    Device.objects.update(last_used_at=clock.now())
    assert "还没有" not in first.get("/ecard/phones/").content.decode()


def test_a_phone_is_withdrawn() -> None:
    user, serial, first, second = holder_with_phones()
    other = Device.objects.get(label="iPad · Safari")
    done = first.post("/ecard/phones/", {"phone": other.pk}, follow=True).content.decode()
    assert "已停用" in done
    assert "iPad" not in done
    assert first.cookies["onecard_device"].value
    assert Standing.objects.get(ecard_serial=serial).codes_from is not None
    fact = audit.facts_about(f"ecard:{serial}")[0]
    assert (fact.verb, fact.actor) == ("ecards.revoke_device", f"holder:{user.holder_id}")
    assert fact.detail["device"] == other.pk
    assert "还没有" in second.get("/ecard/phones/").content.decode()  # still listed there: the one that is left


def test_the_phone_at_hand_is_withdrawn_and_locks() -> None:
    _, _, first, _ = holder_with_phones()
    here = Device.objects.get(label="Android · Chrome")
    first.post("/ecard/phones/", {"phone": here.pk})
    assert first.cookies["onecard_device"].value == ""
    assert "在这台手机上启用" in first.get("/ecard/").content.decode()


def test_all_others_are_withdrawn_at_once() -> None:
    _, serial, first, _ = holder_with_phones()
    assert "已停用 1 台手机" in first.post("/ecard/phones/", follow=True).content.decode()
    assert [device.label for device in Device.objects.filter(ecard_id=serial, revoked_at=None)] == ["Android · Chrome"]
    assert "没有可停用的其他手机" in first.post("/ecard/phones/", follow=True).content.decode()


def test_nobody_withdraws_another_s_phone() -> None:
    holder_with_phones()
    stranger, card = a_resident("li", sequence=2)
    ecards.sign_up(SYSTEM, card.pk)
    client = a_browser(stranger)
    for wanted in (Device.objects.first().pk, 0, "x", "9" * 30):  # type: ignore[union-attr]
        assert client.post("/ecard/phones/", {"phone": wanted}).status_code == 404
    assert not Device.objects.exclude(revoked_at=None).exists()


def test_phones_come_a_page_at_a_time() -> None:
    user, serial, first, _ = holder_with_phones()
    for _ in range(20):
        ecards.enrol_device(SYSTEM, serial, "Windows · Edge")
    page = first.get("/ecard/phones/").content.decode()
    assert page.count("Windows · Edge</b>") == 20
    assert "Android" not in page
    following = re.search(r'href="(/ecard/phones/\?before=\d+)"', page)
    assert following is not None
    assert "Android · Chrome" in first.get(following[1]).content.decode()
    assert user.holder_id is not None


def test_without_an_e_card_or_a_phone_it_says_what_comes_first() -> None:
    user, card = a_resident()
    client = a_browser(user)
    assert "签发电子社保卡" in client.get("/ecard/phones/").content.decode()
    ecards.sign_up(SYSTEM, card.pk)
    assert "在这台手机上启用" in client.get("/ecard/phones/").content.decode()


def test_sessions_are_listed_and_ended_one_by_one() -> None:
    user, _ = a_resident()
    here, there = a_browser(user), a_browser(user, TABLET)
    page = here.get("/settings/sessions/").content.decode()
    assert page.index("Android · Chrome") < page.index("您现在用的就是它") < page.index("iPad · Safari")
    for client in (here, there):
        assert str(client.session.session_key) not in page
    [handle] = re.findall(r'name="session" value="(\w+)"', page)
    done = here.post("/settings/sessions/", {"session": handle}, follow=True).content.decode()
    assert "已退出 1 处登录" in done
    assert there.get("/cards/").status_code == 302
    assert here.get("/cards/").status_code == 200
    fact = audit.facts_about(f"holder:{user.holder_id}")[0]
    assert (fact.verb, fact.detail) == ("signins.end_sessions", {"sessions": 1})


def test_all_other_sessions_end_at_once_and_only_mine() -> None:
    user, _ = a_resident()
    other, _ = a_resident("li", sequence=2)
    here, *elsewhere, strangers = (a_browser(each) for each in (user, user, user, other))
    wanted = stored.handle(strangers.session.session_key or "")
    assert "没有可退出" in here.post("/settings/sessions/", {"session": wanted}, follow=True).content.decode()
    assert "已退出 2 处登录" in here.post("/settings/sessions/", follow=True).content.decode()
    assert [client.get("/cards/").status_code for client in (here, *elsewhere, strangers)] == [200, 302, 302, 200]


def test_an_ended_session_is_not_listed() -> None:
    user, _ = a_resident()
    here, there = a_browser(user), a_browser(user, TABLET)
    key = there.session.session_key
    PublicSession.objects.filter(pk=key).update(expire_date=clock.now() - dt.timedelta(seconds=1))
    assert "iPad" not in here.get("/settings/sessions/").content.decode()


def test_a_row_tells_whose_session_it_is() -> None:
    user, _ = a_resident()
    Client().get("/cards/")
    key = a_browser(user).session.session_key
    [row] = PublicSession.objects.filter(user_id=user.pk)
    assert (row.session_key, row.browser) == (key, "Android · Chrome")
    assert row.began_at is not None


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (PHONE, "Android · Chrome"),
        (TABLET, "iPad · Safari"),
        (PHONE + " MicroMessenger/8.0", "Android · WeChat"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Windows · Edge"),
        ("curl/8", "?"),
        ("", "?"),
    ],
)
def test_browsers_have_names(agent: str, name: str) -> None:
    assert browsers.name_of(RequestFactory(HTTP_USER_AGENT=agent).get("/")) == name


def test_one_tap_leads_to_the_report_and_the_second_makes_it() -> None:
    user, card = a_resident()
    client = a_browser(user)
    assert client.get("/lost/")["Location"] == f"/cards/{card.pk}/lost/"
    client.post(f"/cards/{card.pk}/lost/")
    assert client.get("/lost/")["Location"] == "/cards/"


def test_with_no_card_or_several_the_list_comes_first() -> None:
    user, card = a_resident(state=CardState.LOCKED)
    assert a_browser(user).get("/lost/")["Location"] == "/cards/"
    assert card.pk
