"""The pages of holders: finding one, what the page shows and to whom, what is masked, and the moves of cards."""

import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.foundation.web.faces import (
    PASSWORD,
    SYSTEM,
    a_registered_holder,
    a_staff_client,
    a_use,
    an_authenticator,
    an_officer,
    code_now,
    number_of,
    the_catalogue,
)
from tests.kernel.cards.builders import a_card

from onecard.console import history
from onecard.kernel.audit import queries as audit
from onecard.kernel.cards import actions as cards
from onecard.kernel.cards.models import Card
from onecard.kernel.cards.rules import CardState
from onecard.kernel.ecards import actions as ecards
from onecard.kernel.ecards import lasting, queries
from onecard.kernel.holders import actions as holder_actions
from onecard.kernel.holders.models import Holder
from onecard_kit.suites import Purpose
from onecard_kit.verdicts import WORDS, Verdict

pytestmark = pytest.mark.django_db


@pytest.fixture
def holder() -> Holder:
    return a_registered_holder()


@pytest.fixture
def card(holder: Holder) -> Card:
    return a_card(holder=holder)


@pytest.fixture
def client() -> Client:
    return a_staff_client(an_officer("zhou", "card_officer"))


def shown(client: Client, path: str) -> str:
    return client.get(path).content.decode()


def found(client: Client, asked: str, **more: object) -> str:
    return client.post("/holders/", {"number": asked, **more}).content.decode()


def test_a_holder_is_found_by_name_initials_and_phone(client: Client, holder: Holder) -> None:
    other = a_registered_holder(sequence=2, name="王五")
    for asked in ("张小明", "ZXM 1950", "zxm1950", "15400000001"):
        page = found(client, asked)
        assert f"/holders/{holder.pk}/" in page, asked
        assert "张小明" not in page
    assert f"/holders/{other.pk}/" not in found(client, "张小明")
    assert "没有找到" in found(client, "ZXM 1951")


def test_a_number_is_found_as_an_input_method_writes_it_and_in_groups(
    client: Client, holder: Holder, card: Card
) -> None:
    wide = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x30, 0x5B)})
    number = number_of(1)
    for asked in (
        number.translate(wide),
        card.number.translate(wide),
        "15400000001".translate(wide),
        f"{number[:6]} {number[6:]}",
    ):
        assert f"/holders/{holder.pk}/" in found(client, asked), asked


def test_namesakes_are_paged_by_key(client: Client) -> None:
    made = [a_registered_holder(sequence=n).pk for n in range(1, 23)]
    first = found(client, "张小明")
    assert _listed(first) == made[:1:-1]
    assert _listed(found(client, "张小明", after=made[2])) == made[1::-1]


def _listed(content: str) -> list[int]:
    return [int(part.split("/", 1)[0]) for part in content.split('<a href="/holders/')[1:] if part[0].isdigit()]


def test_a_paper_code_that_is_scanned_finds_its_holder(client: Client, holder: Holder, card: Card) -> None:
    serial = ecards.sign_up(SYSTEM, card.pk).serial
    ecards.rotate_issuer_key(SYSTEM, Purpose.LASTING)
    code = lasting.issue_paper_code(SYSTEM, serial, days=30)
    assert f"/holders/{holder.pk}/" in found(client, code.lower())
    answer = client.post("/holders/", {"number": "A" * 120})
    assert answer.status_code == 422


def test_the_page_tells_cards_classes_and_history_masked(client: Client, holder: Holder, card: Card) -> None:
    use = a_use(card, the_catalogue(), Verdict.FUNDS_SHORT)
    cards.report_lost(SYSTEM, card.pk, "temporary")
    page = shown(client, f"/holders/{holder.pk}/")
    assert "张小明" not in page
    assert card.number not in page
    assert "70周岁及以上老人" in page
    assert "公交乘车" in page
    assert WORDS[Verdict.FUNDS_SHORT].zh in page
    assert "正常 → 临时挂失" in page
    assert f"/uses/{use}/" in page


def test_opening_any_page_of_it_leaves_a_fact_that_the_history_tells(client: Client, holder: Holder) -> None:
    for number, query in enumerate(("", "?fact=99999999"), 1):
        shown(client, f"/holders/{holder.pk}/{query}")
        facts = audit.facts_about(f"holder:{holder.pk}", verb="holders.read")
        assert [(fact.place, fact.actor[:6]) for fact in facts] == [("320600", "staff:")] * number
    assert "查看持卡人页面" in shown(client, f"/holders/{holder.pk}/?kind=disclosures")


def test_uses_are_told_to_whoever_may_read_them_alone(holder: Holder, card: Card) -> None:
    a_use(card, the_catalogue(), Verdict.ADMITTED)
    clerk = shown(a_staff_client(an_officer("li", "clerk")), f"/holders/{holder.pk}/")
    assert "公交乘车" not in clerk
    assert "uses.read" in clerk


def test_other_places_and_other_roles_see_no_holder(holder: Holder, card: Card) -> None:
    paths = (f"/holders/{holder.pk}/", f"/holders/{holder.pk}/cards/{card.pk}/lock/")
    auditor = a_staff_client(an_officer("sun", "auditor"))
    far = a_staff_client(an_officer("he", "card_officer", place="3205"))
    for path in paths:
        assert auditor.get(path).status_code == 403
        assert far.get(path).status_code == 404
        assert Client().get(path)["Location"].startswith("/sign-in/")
    clerk = a_staff_client(an_officer("li", "clerk"))
    assert clerk.get(f"/holders/{holder.pk}/data/").status_code == 403
    assert far.get(f"/holders/{holder.pk}/data/").status_code == 404


def test_a_history_is_paged_by_key_over_facts_and_uses(client: Client, holder: Holder, card: Card) -> None:
    stop = the_catalogue()
    for n in range(history.PAGE):
        a_use(card, stop, Verdict.ADMITTED, paid_fen=n)
        if n % 2:
            cards.report_lost(SYSTEM, card.pk, "temporary")
        else:
            cards.unreport(SYSTEM, card.pk)
    path, told = f"/holders/{holder.pk}/", []
    for _page in range(4):
        content = shown(client, path)
        told += [part.split("</li>", 1)[0] for part in content.split('<li><time class="num"')[1:]]
        following = [part.split('"', 1)[0] for part in content.split('href="') if "下一页" in part.split("</a>", 1)[0]]
        if not following:
            break
        path = following[0].split("#")[0].replace("&amp;", "&")
    # A registration, thirty uses, a loss and its end fourteen times and once more, and the page opened once.
    assert sum("公交乘车" in each for each in told) == history.PAGE
    assert len(told) == 1 + history.PAGE + (history.PAGE - 1) + 1
    assert not following


def test_a_page_takes_the_same_queries_however_much_it_tells(client: Client, holder: Holder, card: Card) -> None:
    stop = the_catalogue()
    a_use(card, stop, Verdict.ADMITTED)

    def taken() -> int:
        with CaptureQueriesContext(connection) as queries:
            shown(client, f"/holders/{holder.pk}/")
        return len(queries)

    taken()
    before = taken()
    for _n in range(10):
        a_use(card, stop, Verdict.ADMITTED)
    cards.report_lost(SYSTEM, card.pk, "temporary")
    holder_actions.grant_certificate(SYSTEM, holder.pk, "veteran", "民政局", valid_from=holder.birth_date)
    assert taken() == before


# --- What is masked ---------------------------------------------------------------------------------------------------


def test_what_is_masked_is_shown_for_a_reason_and_leaves_a_fact(client: Client, holder: Holder) -> None:
    path = f"/holders/{holder.pk}/data/"
    answer = client.post(path, {"fields_shown": ["name", "number"], "reason": "核对户口簿"})
    page = answer.content.decode()
    assert "张小明" in page
    assert "15400000001" not in page
    assert "no-store" in answer["Cache-Control"]
    (fact,) = audit.facts_about(f"holder:{holder.pk}", verb="holders.reveal")
    assert (fact.reason, fact.detail) == ("核对户口簿", {"fields": ["name", "number"], "office": "卡管科"})


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"reason": "核对户口簿"}, "请至少选择一项"),
        ({"fields_shown": ["name"]}, "请填写理由"),
        ({"fields_shown": ["name"], "reason": "为张小明办理"}, "不能出现姓名"),
        ({"fields_shown": ["shoes"], "reason": "核对户口簿"}, "shoes"),
    ],
)
def test_without_a_sound_reason_nothing_is_shown(client: Client, holder: Holder, form: Any, said: str) -> None:
    answer = client.post(f"/holders/{holder.pk}/data/", form)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not audit.facts_about(f"holder:{holder.pk}", verb="holders.reveal")


# --- Moves ------------------------------------------------------------------------------------------------------------


def test_a_move_is_made_and_told(client: Client, holder: Holder, card: Card) -> None:
    path = f"/holders/{holder.pk}/cards/{card.pk}/report-temporary/"
    assert "立即停用" in shown(client, path)
    answer = client.post(path, {"reason": ""}, follow=True)
    assert "已办理：临时挂失" in answer.content.decode()
    card.refresh_from_db()
    assert card.state == CardState.TEMP_LOST


def test_a_move_that_takes_a_reason_is_not_made_without(client: Client, holder: Holder, card: Card) -> None:
    path = f"/holders/{holder.pk}/cards/{card.pk}/lock/"
    assert client.post(path, {"reason": " "}).status_code == 422
    assert client.post(path, {"reason": "身份证 320602195005010011"}).status_code == 422
    card.refresh_from_db()
    assert card.state == CardState.ACTIVE


def test_a_blocked_move_says_whether_the_state_or_a_permission_is_missing(holder: Holder, card: Card) -> None:
    clerk = a_staff_client(an_officer("li", "clerk"))
    page = shown(clerk, f"/holders/{holder.pk}/")
    assert "需要“cards.lock”权限" in page
    assert f"/cards/{card.pk}/lock/" not in page
    assert f"/cards/{card.pk}/report-temporary/" in page
    assert clerk.post(f"/holders/{holder.pk}/cards/{card.pk}/lock/", {"reason": "x"}).status_code == 403
    cards.lock(SYSTEM, card.pk, reason="去世")
    assert "锁定的卡只能注销" in shown(clerk, f"/holders/{holder.pk}/")
    assert "锁定的卡只能注销" in shown(clerk, f"/holders/{holder.pk}/cards/{card.pk}/report-temporary/")


def test_moves_stand_by_what_they_are_about_and_the_final_ones_last(client: Client, holder: Holder, card: Card) -> None:
    page = shown(client, f"/holders/{holder.pk}/")
    made = re.findall(rf'<a class="btn *(danger|)" href="/holders/{holder.pk}/cards/{card.pk}/([a-z-]+)/"', page)
    functions = [(kind, f"{verb}-{name}") for name in ("social-security", "financial", "transit")
                 for kind, verb in (("", "suspend"), ("danger", "close"))]  # fmt: skip
    assert [each for each in made if each[1] != "paper"] == [
        ("", "report-temporary"), ("danger", "report-formal"), ("danger", "lock"), ("danger", "cancel"), *functions
    ]  # fmt: skip


def test_a_card_of_somebody_else_is_not_reached_through_a_holder(client: Client, holder: Holder) -> None:
    other = a_card(holder=a_registered_holder(sequence=2, name="王五"))
    assert client.get(f"/holders/{holder.pk}/cards/{other.pk}/lock/").status_code == 404
    assert client.get(f"/holders/{holder.pk}/cards/{other.pk}/nonsense/").status_code == 404


def _second(secret: str, **more: str) -> dict[str, str]:
    return {"reason": "持卡人去世", "checker": "qian", "password": PASSWORD, "code": code_now(secret), **more}


def test_cancelling_takes_a_second_officer_who_shows_both_factors(client: Client, holder: Holder, card: Card) -> None:
    path = f"/holders/{holder.pk}/cards/{card.pk}/cancel/"
    secret = an_authenticator(an_officer("qian", "card_officer").user)
    for wrong in ({"code": "000000"}, {"password": "wrong"}, {"checker": "nobody"}, {"reason": ""}):
        assert client.post(path, _second(secret, **wrong)).status_code == 422, wrong
        card.refresh_from_db()
        assert card.state == CardState.ACTIVE
    answer = client.post(path, _second(secret))
    assert answer.status_code == 302, answer.content.decode()
    card.refresh_from_db()
    assert card.state == CardState.CANCELLED
    (fact,) = audit.facts_about(f"card:{card.pk}", verb="cards.cancel")
    assert fact.detail["approved_by"] != fact.actor


def test_nobody_is_their_own_second_officer_nor_is_who_may_not(client: Client, holder: Holder, card: Card) -> None:
    path = f"/holders/{holder.pk}/cards/{card.pk}/cancel/"
    secret = an_authenticator(an_officer("qian", "clerk").user)
    answer = client.post(path, _second(secret))
    assert answer.status_code == 422
    assert "复核人在这里没有“cards.cancel”权限" in answer.content.decode()
    own = totp.decrypt(Authenticator.objects.get(user__username="zhou").data["secret"])
    cache.clear()
    answer = client.post(path, {**_second(own), "checker": "zhou"})
    assert "经办人与复核人不能是同一人" in answer.content.decode()
    card.refresh_from_db()
    assert card.state == CardState.ACTIVE


# --- paper codes ------------------------------------------------------------------------------------------------------


def a_paper_path(card: Card) -> str:
    return f"/holders/{card.holder_id}/cards/{card.pk}/paper-code/"


def test_a_paper_code_is_printed_once_replaced_and_revoked(client: Client, card: Card) -> None:
    ecards.rotate_issuer_key(SYSTEM, purpose=Purpose.LASTING)
    serial = ecards.sign_up(SYSTEM, card.pk).serial
    assert a_paper_path(card) in shown(client, f"/holders/{card.holder_id}/")
    assert '<svg class="q"' in client.post(a_paper_path(card), {"days": "30"}).content.decode()
    first = queries.paper_code_of(serial)
    assert first is not None
    assert (first.expires_at - first.issued_at).days == 30
    again = shown(client, a_paper_path(card))
    assert '<svg class="q"' not in again
    assert "已有一张有效的纸质码" in again
    client.post(a_paper_path(card), {"days": "366"})
    second = queries.paper_code_of(serial)
    assert second is not None
    assert second.pk != first.pk
    assert client.post(f"{a_paper_path(card)}revoked/", {"reason": " "}).status_code == 302
    assert queries.paper_code_of(serial) == second
    assert client.post(f"{a_paper_path(card)}revoked/", {"reason": "遗失作废"}).status_code == 302
    assert queries.paper_code_of(serial) is None
    assert client.post(f"{a_paper_path(card)}revoked/", {"reason": "遗失作废"}).status_code == 404


@pytest.mark.parametrize("days", ["", "0", "367", "many"])
def test_a_paper_code_for_other_days_is_not_printed(client: Client, card: Card, days: str) -> None:
    ecards.rotate_issuer_key(SYSTEM, purpose=Purpose.LASTING)
    serial = ecards.sign_up(SYSTEM, card.pk).serial
    answer = client.post(a_paper_path(card), {"days": days})
    assert answer.status_code == 422
    assert "请填写 1 至 366 天" in answer.content.decode()
    assert queries.paper_code_of(serial) is None


def test_a_card_that_stopped_gets_no_paper_code(client: Client, card: Card) -> None:
    ecards.rotate_issuer_key(SYSTEM, purpose=Purpose.LASTING)
    serial = ecards.sign_up(SYSTEM, card.pk).serial
    cards.report_lost(SYSTEM, card.pk, "temporary")
    assert client.post(a_paper_path(card), {"days": "30"}).status_code == 422
    assert queries.paper_code_of(serial) is None


def test_without_an_e_card_there_is_nothing_to_print(client: Client, card: Card) -> None:
    assert "没有电子社保卡" in shown(client, a_paper_path(card))
    assert '<svg class="q"' not in client.post(a_paper_path(card), {"days": "30"}).content.decode()
