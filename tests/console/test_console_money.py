"""The pages of money: accounts, what moved on one, and concessions by who funds them."""

import csv
import io
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.foundation.web.faces import a_registered_holder, a_staff_client, an_officer

from onecard.foundation import clock
from onecard.foundation.ids import uuid7
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import queries as audit
from onecard.kernel.ledger import actions as ledger
from onecard.kernel.ledger import reports
from onecard.kernel.ledger.rules import Transfer
from onecard.kernel.partners.models import Party, PartyKind

pytestmark = pytest.mark.django_db
PATHS = ("/accounts/", "/accounts/1/", "/concessions/", "/concessions.csv")


@pytest.fixture
def client() -> Client:
    return a_staff_client(an_officer("qian", "finance_officer"))


def a_party(code: str, name: str) -> Party:
    return Party.objects.create(code=code, kind=PartyKind.OPERATOR, name_zh=name, name_en=code, division="320600")


def an_account(owner: str, role: str, kind: str = "treasury") -> int:
    account: int = rows("SELECT ledger_open(ARRAY[$1], $2, $3, false, NULL)", owner, role, kind)[0][0]
    return account


def move(debit: int, credit: int, amount_fen: int, code: str) -> None:
    assert ledger.post([Transfer(uuid7(), debit, credit, amount_fen, code, reference=uuid4())]) == {}


@pytest.fixture
def treasury() -> int:
    return an_account(f"party:{a_party('nt-treasury', '市财政局').pk}", "treasury.city")


@pytest.fixture
def bus() -> int:
    return an_account(f"party:{a_party('nt-bus', '公交公司').pk}", "operator.receivable")


def shown(client: Client, path: str) -> str:
    return client.get(path).content.decode()


@pytest.mark.parametrize("path", PATHS)
def test_other_roles_and_parts_of_the_node_open_none_of_them(path: str) -> None:
    response = a_staff_client(an_officer("li", "card_officer")).get(path)
    assert response.status_code == 403
    assert "ledger.read" in response.content.decode()
    assert a_staff_client(an_officer("he", "finance_officer", place="320602")).get(path).status_code == 403
    assert Client().get(path)["Location"].startswith("/sign-in/")


def test_empty_pages_say_so(client: Client) -> None:
    assert "还没有账户" in shown(client, "/accounts/")
    assert "这段时间没有优惠" in shown(client, "/concessions/")
    assert client.get("/accounts/999999/").status_code == 404


def test_accounts_of_parties_are_listed_and_filtered(client: Client, treasury: int, bus: int) -> None:
    purse = an_account(f"holder:{a_registered_holder().pk}", "holder.purse", "purse")
    page = shown(client, "/accounts/")
    assert all(f'href="/accounts/{each}/"' in page for each in (treasury, bus))
    assert f'href="/accounts/{purse}/"' not in page
    assert "市财政局" in page
    narrowed = shown(client, "/accounts/?role=treasury.city")
    assert f'href="/accounts/{treasury}/"' in narrowed
    assert f'href="/accounts/{bus}/"' not in narrowed
    assert "没有符合条件的账户" in shown(client, "/accounts/?ledger=medical")


def test_an_account_tells_its_balance_and_what_moved_by_pages(client: Client, treasury: int, bus: int) -> None:
    for _ in range(reports.PAGE + 1):
        move(treasury, bus, 100, "concession")
    first = shown(client, f"/accounts/{bus}/")
    assert f"{reports.PAGE + 1}.00" in first
    assert first.count('<td class="n">1.00</td>') == reports.PAGE
    following = first.split('href="/accounts/' + str(bus) + "/?after=")[1].split('"')[0]
    assert shown(client, f"/accounts/{bus}/?after={following}").count('<td class="n">1.00</td>') == 1
    assert '<td class="n">-1.00</td>' in shown(client, f"/accounts/{treasury}/")
    assert client.get(f"/accounts/{bus}/?after=nonsense").status_code == 400


def test_looking_at_a_holders_account_leaves_a_fact_about_them(client: Client) -> None:
    holder = a_registered_holder()
    purse = an_account(f"holder:{holder.pk}", "holder.purse", "purse")
    party = an_account(f"party:{a_party('nt-treasury', '市财政局').pk}", "bank.clearing", "purse")
    for _ in range(reports.PAGE + 1):
        move(party, purse, 100, "opening")
    first = shown(client, f"/accounts/{purse}/")
    (fact,) = audit.facts_about(f"holder:{holder.pk}", verb="ledger.read")
    assert fact.detail == {"account": purse, "office": "卡管科"}
    following = first.split(f'href="/accounts/{purse}/?after=')[1].split('"')[0]
    shown(client, f"/accounts/{purse}/?after={following}")
    assert len(audit.facts_about(f"holder:{holder.pk}", verb="ledger.read")) == 2


def test_an_account_takes_the_same_queries_however_much_moved(client: Client, treasury: int, bus: int) -> None:
    def taken() -> int:
        with CaptureQueriesContext(connection) as queries:
            shown(client, f"/accounts/{bus}/")
        return len(queries)

    move(treasury, bus, 100, "concession")
    before = taken()
    for _ in range(10):
        move(treasury, bus, 100, "concession")
    assert taken() == before


def test_concessions_are_summed_by_funder_less_what_came_back(client: Client, treasury: int, bus: int) -> None:
    move(treasury, bus, 150, "concession")
    move(treasury, bus, 50, "concession")
    move(bus, treasury, 50, "refund")
    move(bus, treasury, 7, "correction")
    page = shown(client, "/concessions/")
    assert "市财政局" in page
    assert '<td class="n">2.00</td>' in page
    assert '<td class="n">1.50</td>' in page
    lines = list(csv.reader(io.StringIO(client.get("/concessions.csv").content.decode("utf-8-sig"))))
    assert lines[1] == ["市财政局", "市财政", "公交公司", "2", "2.00", "1", "0.50", "1.50"]
    today = clock.today()
    before = f"?from={today.replace(year=today.year - 1)}&to={today.replace(year=today.year - 1)}"
    assert "这段时间没有优惠" in shown(client, f"/concessions/{before}")
    assert "市财政局" in shown(client, "/concessions/?from=x&to=y")


def test_what_holders_got_is_one_sum_however_many_they_are(client: Client, treasury: int) -> None:
    purses = [an_account(f"holder:{a_registered_holder().pk}", "holder.purse", "treasury") for _ in range(3)]
    for purse in purses:
        move(treasury, purse, 100, "concession")
    move(purses[0], treasury, 40, "refund")
    lines = list(csv.reader(io.StringIO(client.get("/concessions.csv").content.decode("utf-8-sig"))))
    assert lines[1:] == [["市财政局", "市财政", "持卡人（合计）", "3", "3.00", "1", "0.40", "2.60"]]
    assert shown(client, "/concessions/").count("持卡人（合计）") == 1
