"""The residents' pages: who sees what, and the two taps of reporting a loss."""

import pytest
from django.test import Client
from tests.foundation.web.faces import a_resident, a_resident_client, a_use, an_officer, sign_in, the_catalogue

from onecard.foundation.actors import Actor
from onecard.foundation.ids import uuid7
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import queries as audit
from onecard.kernel.cards import actions as cards
from onecard.kernel.cards.rules import CardState
from onecard.kernel.cards.words import masked
from onecard.kernel.catalogue.models import Item
from onecard_kit.verdicts import WORDS, Verdict

pytestmark = pytest.mark.django_db


def test_home_is_open_and_sets_no_cookie() -> None:
    response = Client().get("/")
    assert response.status_code == 200
    assert not response.cookies


def test_cards_need_a_sign_in() -> None:
    response = Client().get("/cards/")
    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in/")


def test_a_resident_sees_their_cards_masked() -> None:
    user, card = a_resident()
    page = a_resident_client(user).get("/cards/").content.decode()
    assert card.number not in page
    assert card.number[-2:] in page
    assert "临时挂失" in page


def test_reporting_lost_is_two_taps_and_leaves_a_fact() -> None:
    user, card = a_resident()
    client = a_resident_client(user)
    confirm = client.get(f"/cards/{card.pk}/lost/")
    assert "马上停止" in confirm.content.decode()
    assert "怎样恢复" in confirm.content.decode()
    done = client.post(f"/cards/{card.pk}/lost/", follow=True)
    assert "已临时挂失" in done.content.decode()
    card.refresh_from_db()
    assert card.state == CardState.TEMP_LOST
    assert audit.facts_about(f"card:{card.pk}")[0].actor == f"holder:{user.holder_id}"


def test_looking_at_the_confirmation_changes_nothing() -> None:
    user, card = a_resident()
    a_resident_client(user).get(f"/cards/{card.pk}/lost/")
    card.refresh_from_db()
    assert card.state == CardState.ACTIVE


def test_a_loss_can_be_lifted() -> None:
    user, card = a_resident(state=CardState.TEMP_LOST)
    client = a_resident_client(user)
    assert "解除挂失" in client.get("/cards/").content.decode()
    client.post(f"/cards/{card.pk}/found/")
    card.refresh_from_db()
    assert card.state == CardState.ACTIVE


@pytest.mark.parametrize("path", ["lost", "found"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_somebody_elses_card_does_not_exist(path: str, method: str) -> None:
    user, _ = a_resident()
    _, other = a_resident("li", sequence=2)
    response = getattr(a_resident_client(user), method)(f"/cards/{other.pk}/{path}/")
    assert response.status_code == 404
    assert "没有找到" in response.content.decode()
    other.refresh_from_db()
    assert other.state == CardState.ACTIVE


def test_a_blocked_move_says_why() -> None:
    user, card = a_resident(state=CardState.CANCELLED)
    response = a_resident_client(user).post(f"/cards/{card.pk}/lost/")
    assert response.status_code == 409
    assert "办理没有成功" in response.content.decode()


def test_uses_are_shown_with_price_and_reason() -> None:
    user, card = a_resident()
    _, other = a_resident("li", sequence=2)
    stop = the_catalogue()
    a_use(card, stop, Verdict.ADMITTED, paid_fen=100, concession="senior_60")
    a_use(card, stop, Verdict.FUNDS_SHORT)
    a_use(other, stop, Verdict.REPLAYED)
    page = a_resident_client(user).get("/cards/").content.decode()
    assert "公交乘车" in page
    assert "虚构广场" in page
    assert "1.00" in page
    assert "60至69周岁老人" in page
    assert WORDS[Verdict.FUNDS_SHORT].zh in page
    assert WORDS[Verdict.REPLAYED].zh not in page


def test_a_use_that_was_given_back_says_so() -> None:
    user, card = a_resident()
    stop = the_catalogue()
    for reason in ("asked", "turned_away"):
        use = a_use(card, stop, Verdict.ADMITTED, paid_fen=100)
        rows("INSERT INTO uses_refund (id, use_id, terminal_id, reason) VALUES ($1, $2, 1, $3)", uuid7(), use, reason)
    page = a_resident_client(user).get("/cards/").content.decode()
    assert "闸机未收到答复、未放行，已全额退回" in page
    assert "<small>已全额退回</small>" in page


def test_home_lists_what_the_card_is_for_today() -> None:
    the_catalogue()
    page = Client().get("/").content.decode()
    assert "公交乘车" in page
    assert 'href="/services?field=transit"' in page
    assert 'href="/services"' in page
    Item.objects.filter(pk="transit.bus_ride").update(state="suspended")
    assert "公交乘车" not in Client().get("/").content.decode()


def test_home_greets_who_is_signed_in_with_their_card_and_its_last_uses() -> None:
    user, card = a_resident()
    stop = the_catalogue()
    for paid in (50, 100, 150, 200):
        a_use(card, stop, Verdict.ADMITTED, paid_fen=paid)
    client = a_resident_client(user)
    page = client.get("/").content.decode()
    assert "，您好" in page
    assert masked(card.number) in page
    assert card.number not in page
    assert "<b>正常</b>" in page
    assert [paid for paid in ("0.50", "1.00", "1.50", "2.00") if f'<span class="amt">{paid} 元' in page] == [
        "1.00",
        "1.50",
        "2.00",
    ]
    assert 'href="/lost/"' in page
    client.post(f"/cards/{card.pk}/lost/")
    page = client.get("/").content.decode()
    assert "<b>临时挂失</b>" in page
    assert f'href="/cards/{card.pk}/found/"' in page


@pytest.mark.parametrize("mode", ["standard", "elder"])
def test_home_begins_with_what_the_card_can_do_now(mode: str) -> None:
    user, card = a_resident()
    client = a_resident_client(user)

    def first() -> str:
        page = client.get(f"/?mode={mode}").content.decode()
        return page.split('class="fill" href="' if mode == "elder" else 'class="go" href="')[1].partition('"')[0]

    assert first() == "/ecard/"
    client.post(f"/cards/{card.pk}/lost/")
    assert first() == f"/cards/{card.pk}/found/"
    cards.report_lost(Actor(f"holder:{card.holder_id}"), card.pk, "formal")
    assert first() == "/cards/"
    assert 'href="/lost/"' not in client.get("/?mode=standard").content.decode()


def test_home_lets_a_session_last_anew() -> None:
    user, _card = a_resident()
    client = Client()
    sign_in(client, user.username)
    page = client.get("/").content.decode()
    left = int(page.split('data-left="')[1].partition('"')[0])
    assert left > 1_700
    assert 'data-left="' not in Client().get("/").content.decode()


def test_no_address_holds_a_null() -> None:
    for path in ("/services/%00", "/legal-bases/a%00b", "/uses/%00/", "/%00"):
        assert Client().get(path).status_code == 404


def test_home_tells_a_stranger_nothing_of_anybody() -> None:
    user, card = a_resident()
    a_use(card, the_catalogue(), Verdict.ADMITTED, paid_fen=100)
    a_resident_client(user).get("/")
    page = Client().get("/").content.decode()
    assert "，您好" not in page
    assert masked(card.number) not in page
    assert "最近用卡" not in page


def test_a_wrong_host_leaves_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    assert Client().get("/", headers={"host": "elsewhere.example"}).status_code == 400
    [told] = [each for each in caplog.records if "elsewhere.example" in each.getMessage()]
    assert told.exc_info is None


def test_staff_cannot_sign_in_here() -> None:
    an_officer("zhou", "clerk")
    response = sign_in(Client(), "zhou")
    assert response.status_code == 200
    assert "用户名或密码不正确" in response.content.decode()


def test_english_keeps_the_page_and_is_remembered() -> None:
    client = Client()
    assert '<html lang="en"' in client.get("/?lang=en").content.decode()
    assert '<html lang="en"' in client.get("/").content.decode()


def test_the_account_remembers_language_and_mode() -> None:
    user, _ = a_resident()
    client = a_resident_client(user)
    client.get("/cards/?lang=en&mode=elder")
    client.cookies.pop("onecard_public_language")
    client.cookies.pop("onecard_public_mode")
    page = client.get("/cards/").content.decode()
    assert '<html lang="en" data-mode="elder"' in page
