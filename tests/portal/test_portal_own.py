"""My uses, money and rights: one's own and nobody else's, with reasons, a page at a time, at a constant cost."""

import datetime as dt
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.foundation.web.faces import (
    a_resident,
    a_resident_client,
    a_risk,
    a_staff_client,
    a_use,
    an_officer,
    face,
    sign_in,
    the_catalogue,
)

from onecard.foundation import clock
from onecard.foundation.actors import Actor
from onecard.foundation.ids import uuid7
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions as audit
from onecard.kernel.cards.models import Card
from onecard.kernel.catalogue import queries as catalogue
from onecard.kernel.catalogue.models import LegalBasis, Point
from onecard.kernel.holders import queries as holders
from onecard.kernel.ledger import actions as ledger
from onecard.kernel.ledger.rules import Ledger, Transfer
from onecard.kernel.sharing.disclosures import VERB
from onecard.kernel.sharing.models import Agreement
from onecard_kit.verdicts import WORDS, Verdict

pytestmark = pytest.mark.django_db
OWN = ("/uses/", "/money/", "/rights/", "/seen/", "/uses/0190aa00-0000-7000-8000-000000000000/")


@pytest.fixture
def mine() -> tuple[Client, Card, Point]:
    user, card = a_resident()
    return a_resident_client(user), card, the_catalogue()


def text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, response.status_code
    return str(response.content.decode())


@pytest.mark.parametrize("path", OWN)
def test_they_need_a_sign_in_and_a_holder(path: str) -> None:
    assert Client().get(path).status_code == 302
    an_officer("zhou", "clerk")
    staff = Client()
    sign_in(staff, "zhou")
    assert staff.get(path).status_code == 302
    assert Client().post(path).status_code == 302


def test_a_use_says_what_it_cost_and_who_paid_the_rest(mine: tuple[Client, Card, Point]) -> None:
    client, card, stop = mine
    use = a_use(card, stop, Verdict.ADMITTED, paid_fen=0, concession="senior_70")
    for page in (text(client, "/uses/"), text(client, f"/uses/{use}/")):
        assert "0.00 元" in page
        assert "财政" in page
    page = text(client, f"/uses/{use}/")
    assert "全价" in page
    assert "−2.00 元" in page
    assert "虚构广场" in page


def test_a_refusal_says_why_and_what_to_do(mine: tuple[Client, Card, Point]) -> None:
    client, card, stop = mine
    use = a_use(card, stop, Verdict.FUNDS_SHORT)
    told = WORDS[Verdict.FUNDS_SHORT]
    for page in (text(client, "/uses/"), text(client, f"/uses/{use}/")):
        assert told.zh in page
        assert told.next_zh in page
    assert "您付" not in text(client, f"/uses/{use}/")


def test_uses_are_filtered_and_paged(mine: tuple[Client, Card, Point]) -> None:
    client, card, stop = mine
    # By id: those of one millisecond are in no order of their own.
    newest = sorted((a_use(card, stop, Verdict.ADMITTED, paid_fen=n) for n in range(21)), reverse=True)
    refused = a_use(card, stop, Verdict.REPLAYED)
    everything = sorted([refused, *newest], reverse=True)[:20]
    assert listed(text(client, "/uses/")) == everything
    page = text(client, "/uses/?outcome=admitted&field=transit")
    assert listed(page) == newest[:20]
    following = f"/uses/?field=transit&outcome=admitted&before={newest[19]}"
    assert following.replace("&", "&amp;") in page
    assert listed(text(client, following)) == newest[20:]
    assert listed(text(client, "/uses/?outcome=refused")) == [refused]
    assert "没有符合条件的记录" in text(client, "/uses/?field=health")
    assert listed(text(client, "/uses/?field=x&outcome=y&before=z")) == everything


def listed(page: str) -> list[UUID]:
    return [UUID(part[:36]) for part in page.split('href="/uses/')[1:] if part[:8].isalnum()]


def test_somebody_else_s_use_does_not_exist(mine: tuple[Client, Card, Point]) -> None:
    client, _, stop = mine
    _, other = a_resident("li", sequence=2)
    use = a_use(other, stop, Verdict.ADMITTED, paid_fen=100)
    assert client.get(f"/uses/{use}/").status_code == 404
    assert str(use) not in text(client, "/uses/")
    for nonsense in (uuid4(), "1", "%00", UUID(int=(1 << 128) - 1)):
        assert client.get(f"/uses/{nonsense}/").status_code == 404


def test_the_list_costs_the_same_for_one_use_and_for_many(mine: tuple[Client, Card, Point]) -> None:
    client, card, stop = mine
    text(client, "/uses/")
    a_use(card, stop, Verdict.ADMITTED)
    few = queries(client, "/uses/")
    for _ in range(19):
        a_use(card, stop, Verdict.ADMITTED, concession="senior_70")
    assert queries(client, "/uses/") == few


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        text(client, path)
    return len(seen)


def a_purse(card: Card) -> tuple[int, int]:
    """The holder's purse and an account that it is filled from."""
    owner = f"holder:{card.holder_id}"
    [purse] = ledger.open_accounts([owner], "holder.purse", Ledger.PURSE, limited=True, ceiling_fen=100_000)
    [bank] = ledger.open_accounts(["party:1"], "bank.clearing", Ledger.PURSE, limited=False)
    return purse, bank


def move(debit: int, credit: int, fen: int, code: str) -> None:
    assert ledger.post([Transfer(uuid7(), debit, credit, fen, code)]) == {}


def test_the_purse_shows_its_balance_and_each_transfer(mine: tuple[Client, Card, Point]) -> None:
    client, card, _ = mine
    assert "您还没有钱包" in text(client, "/money/")
    purse, bank = a_purse(card)
    assert "还没有收支" in text(client, "/money/")
    move(bank, purse, 5000, "opening")
    move(purse, bank, 190, "paid")
    page = text(client, "/money/")
    assert "48.10 元" in page
    assert "+50.00" in page
    assert "−1.90" in page
    assert "尚欠" not in page


def test_what_is_owed_is_said(mine: tuple[Client, Card, Point]) -> None:
    client, card, _ = mine
    _, bank = a_purse(card)
    [debt] = ledger.open_accounts([f"holder:{card.holder_id}"], "holder.debt", Ledger.PURSE, limited=False)
    move(debt, bank, 250, "shortfall")
    assert "尚欠 2.50 元" in text(client, "/money/")


def test_the_statement_is_paged_at_a_constant_cost(mine: tuple[Client, Card, Point]) -> None:
    client, card, _ = mine
    purse, bank = a_purse(card)
    move(bank, purse, 1, "opening")
    text(client, "/money/")
    few = queries(client, "/money/")
    for fen in range(2, 23):
        move(bank, purse, fen, "opening")
    assert queries(client, "/money/") == few
    page = text(client, "/money/")
    assert page.count("开户充值") == 20
    after = page.split("/money/?after=")[1].split('"')[0]
    assert text(client, f"/money/?after={after}").count("开户充值") == 2
    assert client.get("/money/?after=x").status_code == 400


def test_passes_and_counts_are_shown(mine: tuple[Client, Card, Point]) -> None:
    client, card, _ = mine
    page = text(client, "/rights/")
    assert "没有套票或年卡" in page
    assert "本期还没有计次" in page
    a_pass(card, starts_on=None, uses=None)
    a_pass(card, starts_on=clock.today(), uses=10)
    page = text(client, "/rights/")
    assert "待使用" in page
    assert "使用中" in page
    assert "剩余 9 次，共 10 次" in page


def a_pass(card: Card, *, starts_on: Any, uses: int | None) -> None:
    rows(
        "INSERT INTO entitlements_pass"
        " (id, holder_id, item, sold_on, activate_by, lasts_days, starts_on, uses, uses_left)"
        " VALUES ($1, $2, 'tourism.park_pass', $3, $3, 365, $4, $5::int, $5::int - 1)",
        uuid7(), card.holder_id, clock.today(), starts_on, uses,
    )  # fmt: skip


def test_a_count_is_shown_in_its_period(mine: tuple[Client, Card, Point]) -> None:
    client, card, _ = mine
    item = next(item for item in catalogue.in_force(clock.today()) if item.limit is not None)
    assert item.limit is not None
    period = item.limit.period.of(clock.today())
    rows("INSERT INTO entitlements_quota VALUES ($1, $2, $3, 1)", card.holder_id, item.rule(), period)
    assert f"{period}已用 1 次，共 {item.limit.count} 次" in text(client, "/rights/")


def test_who_looked_is_told_with_the_reason_and_nobody_else_s(mine: tuple[Client, Card, Point]) -> None:
    client, card, _ = mine
    assert "还没有人看过" in text(client, "/seen/")
    _, other = a_resident("li", sequence=2)
    officer = Actor("staff:1", frozenset({"holders.reveal"}))
    holders.reveal(officer, card.holder_id, ["phone"], "核对领卡人")
    holders.reveal(officer, other.holder_id, ["phone"], "与他人有关")
    page = text(client, "/seen/")
    assert "核对领卡人" in page
    assert "手机" in page
    assert "工作人员" in page
    assert "与他人有关" not in page


def test_an_officer_is_told_by_office_and_by_what_they_saw(mine: tuple[Client, Card, Point]) -> None:
    client, card, _ = mine
    officer = Actor("staff:1", frozenset({"holders.reveal"}), office="卡管科")
    holders.reveal(officer, card.holder_id, ["phone", "address"], "核对领卡人")
    audit.record(officer, "holders.read", f"holder:{card.holder_id}", detail=officer.signed)
    page = text(client, "/seen/")
    for told in ("卡管科", "手机", "住址", "核对领卡人", "持卡人页面（信息已脱敏）"):
        assert told in page, told
    assert "your page, with masked data" in text(client, "/seen/?lang=en")


@pytest.mark.parametrize(
    ("role", "address", "zh", "en"),
    [
        ("finance_officer", "/accounts/{account}/", "账户余额和收支", "what an account of yours holds"),
        ("risk_officer", "/risks/{risk}/", "核查风险时涉及的用卡", "to look into a sign of misuse"),
        ("clerk", "/holders/{holder}/?fact=9", "持卡人页面（信息已脱敏）", "your page, with masked data"),
    ],
)
def test_what_an_officer_opens_in_the_console_is_told_here(
    mine: tuple[Client, Card, Point], role: str, address: str, zh: str, en: str
) -> None:
    client, card, _ = mine
    known = {"account": a_purse(card)[0], "risk": a_risk("chip_replayed", f"card:{card.pk}"), "holder": card.holder_id}
    officer = an_officer("zhou", role)
    with face("staff"):
        assert a_staff_client(officer).get(address.format_map(known)).status_code == 200
    page = text(client, "/seen/")
    for told in (zh, "卡管科", "工作人员"):
        assert told in page, told
    assert "周敏" not in page
    assert en in text(client, "/seen/?lang=en")


def test_a_system_that_read_my_data_is_named(mine: tuple[Client, Card, Point]) -> None:
    client, card, stop = mine
    agreement = Agreement.objects.create(
        client=stop.client, scope="cards.read", purpose_zh="核对乘车资格", purpose_en="Check who may ride",
        basis=LegalBasis.objects.all()[0], per_minute=60, starts_on=clock.today(),
        ends_on=clock.today() + dt.timedelta(days=1), agreed_by="staff:1",
    )  # fmt: skip
    audit.record(Actor("client:nt-bus"), VERB, f"holder:{card.holder_id}", detail={"agreement": agreement.pk})
    page = text(client, "/seen/")
    assert "核对乘车资格" in page
    assert "查询卡与电子社保卡状态" in page


def test_looks_are_paged_at_a_constant_cost(mine: tuple[Client, Card, Point]) -> None:
    client, card, _ = mine
    me = Actor(f"holder:{card.holder_id}")
    holders.reveal(me, card.holder_id, ["name"], "第1次")
    text(client, "/seen/")
    few = queries(client, "/seen/")
    for n in range(2, 23):
        holders.reveal(me, card.holder_id, ["name"], f"第{n}次")
    assert queries(client, "/seen/") == few
    page = text(client, "/seen/")
    assert page.count("您本人") == 20
    before = page.split("/seen/?before=")[1].split('"')[0]
    assert text(client, f"/seen/?before={before}").count("您本人") == 2
    assert text(client, "/seen/?before=x").count("您本人") == 20
