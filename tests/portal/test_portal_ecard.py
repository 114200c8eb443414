"""The e-card's pages without a gateway: who may open them, the PIN that unlocks, and what stays hidden until then."""

import datetime as dt

import pytest
from django.core.cache import cache
from django.test import Client
from tests.foundation.web.faces import SYSTEM, a_resident, a_resident_client, an_officer, face, sign_in

from onecard.foundation import clock
from onecard.kernel.audit import queries as audit
from onecard.kernel.cards.models import Card
from onecard.kernel.ecards import actions as ecards
from onecard.kernel.ecards import queries
from onecard.kernel.ecards.models import Device
from onecard.kernel.signins.models import User
from onecard.portal import gateway

pytestmark = pytest.mark.django_db
PIN = "836194"
POSTED = ("begin", "unlock", "fresh", "number", "lock", "licence/revealed")


@pytest.fixture(autouse=True)
def no_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    monkeypatch.delenv(gateway.URL, raising=False)


def holder_with_ecard() -> tuple[User, Card, Client]:
    user, card = a_resident()
    ecards.sign_up(SYSTEM, card.pk)
    return user, card, a_resident_client(user)


def set_up(client: Client, pin: str = PIN, again: str = PIN) -> int:
    return int(client.post("/ecard/begin/", {"pin": pin, "again": again}).status_code)


@pytest.mark.parametrize("path", POSTED)
def test_each_step_needs_a_holder_and_is_posted(path: str) -> None:
    assert Client().post(f"/ecard/{path}/").status_code == 302
    _, _, client = holder_with_ecard()
    assert client.get(f"/ecard/{path}/").status_code == 405
    officer = an_officer("zhou", "clerk")
    stranger = Client()
    sign_in(stranger, officer.user.username)
    assert stranger.post(f"/ecard/{path}/")["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("path", ["/ecard/", "/ecard/licence/"])
def test_the_pages_need_a_holder(path: str) -> None:
    assert Client().get(path)["Location"].startswith("/sign-in/")


def test_without_a_card_or_an_e_card_it_says_where_to_go() -> None:
    user, _ = a_resident()
    client = a_resident_client(user)
    assert "还没有签发电子社保卡" in client.get("/ecard/").content.decode()
    assert client.post("/ecard/begin/", {"pin": PIN, "again": PIN}).status_code == 302
    assert not Device.objects.exists()


def test_setting_a_phone_up_leaves_a_fact_and_a_token_that_scripts_cannot_read() -> None:
    user, card, client = holder_with_ecard()
    assert set_up(client) == 302
    device = Device.objects.get()
    cookie = client.cookies["onecard_device"]
    assert cookie["httponly"]
    assert cookie["path"] == "/ecard/"
    assert bytes(device.token_digest) == queries.token_digest(cookie.value)
    user.refresh_from_db()
    assert user.pin.startswith("argon2$")
    facts = audit.facts_about(f"ecard:{device.ecard_id}")
    assert (facts[0].verb, facts[0].actor) == ("ecards.enrol_device", f"holder:{user.holder_id}")
    assert card.pk == facts[0].detail["card"]


@pytest.mark.parametrize("pin", ["", "1", "12345", "1234567", "abcdef", "111111", "123456", "654321", "٣٣٣٣٣٣"])
def test_a_pin_that_anybody_guesses_is_refused(pin: str) -> None:
    _, _, client = holder_with_ecard()
    assert set_up(client, pin, pin) == 422
    assert set_up(client, PIN, "836195") == 422
    assert not Device.objects.exists()


def test_five_wrong_pins_close_the_door_for_the_right_one() -> None:
    _, _, client = holder_with_ecard()
    set_up(client)
    client.post("/ecard/lock/")
    for _ in range(5):
        assert "数字密码不正确" in client.post("/ecard/unlock/", {"pin": "000001"}).content.decode()
    assert "输错次数过多" in client.post("/ecard/unlock/", {"pin": PIN}).content.decode()


def test_right_pins_are_not_counted_as_wrong_ones() -> None:
    _, _, client = holder_with_ecard()
    set_up(client)
    for _ in range(6):
        client.post("/ecard/unlock/", {"pin": "000001"})
        assert client.post("/ecard/unlock/", {"pin": PIN}).status_code == 503  # unlocked, and no gateway to ask
    assert client.post("/ecard/licence/revealed/").status_code == 200


def signed_in_long_ago(client: Client) -> None:
    session = client.session
    session["signed_in_at"] = (clock.now() - dt.timedelta(minutes=11)).isoformat()
    session.save()


def test_a_forgotten_pin_is_chosen_anew_by_who_signed_in_just_now() -> None:
    user, _, client = holder_with_ecard()
    set_up(client)
    client.post("/ecard/lock/")
    assert 'href="/ecard/forgotten/"' in client.get("/ecard/").content.decode()
    assert client.post("/ecard/forgotten/", {"pin": "111111", "again": "111111"}).status_code == 422
    for _ in range(5):
        client.post("/ecard/unlock/", {"pin": "000001"})
    done = client.post("/ecard/forgotten/", {"pin": "472915", "again": "472915"})
    assert done["Location"] == "/ecard/"
    client.post("/ecard/lock/")
    assert "数字密码不正确" in client.post("/ecard/unlock/", {"pin": PIN}).content.decode()
    assert client.post("/ecard/unlock/", {"pin": "472915"}).status_code == 503
    verbs = [fact.verb for fact in audit.facts_about(f"holder:{user.holder_id}")]
    assert verbs.count("signins.choose_pin") == 2
    assert Device.objects.count() == 1


@pytest.mark.parametrize("path", ["forgotten", "begin"])
def test_an_open_session_alone_does_not_change_the_pin(path: str) -> None:
    """Whoever picks up an unattended phone neither sets another PIN nor enrols a phone with one."""
    user, _, client = holder_with_ecard()
    set_up(client)
    client.post("/ecard/phones/", {"phone": Device.objects.get().pk})
    user.refresh_from_db()
    before = user.pin
    signed_in_long_ago(client)
    assert 'name="pin"' not in client.get("/ecard/forgotten/").content.decode()
    assert client.get("/cards/").status_code == 200, "to look at the page ends nothing"
    refused = client.post(f"/ecard/{path}/", {"pin": "472915", "again": "472915"}, follow=True)
    assert "请重新登录一次" in refused.content.decode()
    assert client.get("/cards/").status_code == 302
    user.refresh_from_db()
    assert user.pin == before
    assert Device.objects.count() == 1


@pytest.mark.parametrize(
    ("path", "sent", "page"),
    [
        ("unlock", {"pin": "000001"}, "/ecard/"),
        ("begin", {"pin": "1", "again": "2"}, "/ecard/"),
        ("licence/revealed", {}, "/ecard/licence/"),
    ],
)
def test_an_answer_to_a_form_goes_by_the_address_of_its_page(path: str, sent: dict[str, str], page: str) -> None:
    """So that a switch of language leads somewhere, and reloading does not send a PIN again (app.js)."""
    _, _, client = holder_with_ecard()
    set_up(client)
    answer = client.post(f"/ecard/{path}/", sent).content.decode()
    assert f'<meta name="at" content="{page}">' in answer
    assert f'href="{page}?lang=en"' in answer
    assert 'name="at"' not in client.get(page).content.decode()


def test_locked_it_fetches_shows_and_reveals_nothing() -> None:
    user, _, client = holder_with_ecard()
    set_up(client)
    client.post("/ecard/lock/")
    assert "解锁后显示二维码" in client.get("/ecard/").content.decode()
    assert client.post("/ecard/fresh/").status_code == 403
    for path in ("number", "licence/revealed"):
        page = client.post(f"/ecard/{path}/").content.decode()
        assert "解锁后显示二维码" in page
        assert "张小明" not in page
    assert not [fact for fact in audit.facts_about(f"holder:{user.holder_id}") if fact.verb == "holders.reveal"]


def test_revealing_my_own_name_leaves_a_fact() -> None:
    user, _, client = holder_with_ecard()
    set_up(client)
    assert "张小明" not in client.get("/ecard/licence/").content.decode()
    assert "张小明" in client.post("/ecard/licence/revealed/").content.decode()
    fact = audit.facts_about(f"holder:{user.holder_id}")[0]
    assert (fact.verb, fact.actor) == ("holders.reveal", f"holder:{user.holder_id}")
    assert fact.detail["fields"] == ["name", "number"]


def test_a_new_session_on_the_same_phone_is_locked() -> None:
    user, _, client = holder_with_ecard()
    set_up(client)
    again = a_resident_client(user)
    again.cookies["onecard_device"] = client.cookies["onecard_device"].value
    assert "解锁后显示二维码" in again.get("/ecard/").content.decode()


def test_without_a_gateway_it_says_what_to_do() -> None:
    _, _, client = holder_with_ecard()
    set_up(client)
    for response in (client.get("/ecard/"), client.post("/ecard/unlock/", {"pin": PIN}), client.post("/ecard/fresh/")):
        assert response.status_code == 503
        assert "使用实体卡" in response.content.decode()


def test_a_lost_card_shows_no_code() -> None:
    _, card, client = holder_with_ecard()
    set_up(client)
    client.post(f"/cards/{card.pk}/lost/")
    page = client.get("/ecard/").content.decode()
    assert "这张卡现在不能使用" in page
    assert 'id="qr"' not in page


def test_staff_pages_know_none_of_it() -> None:
    with face("staff"):
        assert Client().get("/ecard/").status_code == 404
