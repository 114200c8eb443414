"""The pages of risk facts: who may open them, what they list and tell, and how a fact is followed up."""

import csv
import datetime as dt
import html
import io
from typing import Any
from urllib.parse import parse_qsl

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.foundation.web.faces import a_registered_holder, a_risk, a_staff_client, a_use, an_officer, the_catalogue
from tests.kernel.cards.builders import a_card

from onecard.foundation import clock
from onecard.foundation.actors import Actor
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions as audit_actions
from onecard.kernel.audit import queries as audit
from onecard.kernel.audit import risks
from onecard.kernel.audit.risks import State
from onecard.kernel.cards.models import Card
from onecard_kit.verdicts import WORDS, Verdict

pytestmark = pytest.mark.django_db
PAGES = ("/risks/", "/risks.csv", "/risks/1/")


@pytest.fixture
def client() -> Client:
    return a_staff_client(an_officer("zhou", "risk_officer"))


@pytest.fixture
def card() -> Card:
    return a_card(holder=a_registered_holder())


def page(client: Client, path: str) -> str:
    return client.get(path).content.decode()


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("role", ["clerk", "card_officer", "finance_officer", "catalogue_editor", "administrator"])
def test_other_roles_open_none_of_them(path: str, role: str) -> None:
    response = a_staff_client(an_officer("sun", role)).get(path)
    assert response.status_code == 403
    assert "audit.read_risks" in response.content.decode()


@pytest.mark.parametrize("path", PAGES)
def test_strangers_are_led_to_sign_in(path: str) -> None:
    assert Client().get(path)["Location"].startswith("/sign-in/")


def test_who_may_read_has_them_in_the_menu() -> None:
    assert "风险监测" in page(a_staff_client(an_officer("li", "auditor")), "/")
    assert "风险监测" not in page(a_staff_client(an_officer("sun", "clerk")), "/")


def test_an_empty_list_says_what_is_listed_here(client: Client) -> None:
    assert "没有待核查的风险" in page(client, "/risks/")
    a_risk("chip_replayed", "card:1")
    assert "没有符合条件的风险事实" in page(client, "/risks/?state=acted")


def test_the_list_shows_what_is_not_settled_and_filters(client: Client, card: Card) -> None:
    replayed = a_risk("chip_replayed", f"card:{card.pk}")
    missed = a_risk("number_misses_city", "city:320600", place="320600", count=31)
    done = a_risk("used_twice", "terminal:7")
    officer = Actor("staff:1", frozenset({"audit.follow_risk"}))
    risks.follow(officer, done, State.DISMISSED, "误报", seen=0)
    risks.follow(officer, missed, State.LOOKED_AT, "", seen=0)
    listed = {path: _listed(page(client, f"/risks/{path}")) for path in (
        "", "?state=all", "?state=dismissed", "?severity=high", "?kind=chip_replayed", "?state=open",
        "?kind=chip_replayed&severity=medium", "?kind=nowhere&severity=x&state=y&before=z",
    )}  # fmt: skip
    assert listed == {
        "": [missed, replayed],
        "?state=all": [done, missed, replayed],
        "?state=dismissed": [done],
        "?severity=high": [missed, replayed],
        "?kind=chip_replayed": [replayed],
        "?state=open": [replayed],
        "?kind=chip_replayed&severity=medium": [],
        "?kind=nowhere&severity=x&state=y&before=z": [missed, replayed],
    }
    shown = page(client, "/risks/")
    assert card.number not in shown
    assert f"{card.number[:3]}****{card.number[-2:]}" in shown
    assert '<td class="n">31</td>' in shown


def _listed(content: str) -> list[int]:
    return [int(part.split("/", 1)[0]) for part in content.split('<a href="/risks/')[1:] if part[0].isdigit()]


def test_other_places_do_not_exist_for_an_officer() -> None:
    here, far = a_risk("chip_replayed", "card:1"), a_risk("chip_replayed", "card:2", place="310100")
    nowhere = a_risk("bank_order_stuck", "bank_order:1", place="")
    client = a_staff_client(an_officer("sun", "risk_officer", place="3206"))
    assert _listed(page(client, "/risks/")) == [here]
    assert [client.get(f"/risks/{each}/").status_code for each in (here, far, nowhere)] == [200, 403, 403]
    assert client.post(f"/risks/{far}/", {"seen": 0, "state": "dismissed", "reason": "x"}).status_code == 403
    everywhere = a_staff_client(an_officer("li", "auditor", place=""))
    assert _listed(page(everywhere, "/risks/")) == [nowhere, far, here]
    assert client.get("/risks/999999/").status_code == 404


def test_pages_follow_one_another_by_key(client: Client) -> None:
    made = [a_risk("chip_replayed", f"card:{n}") for n in range(risks.PAGE + 3)]
    first = page(client, "/risks/")
    assert _listed(first) == made[:2:-1]
    after = made[3]
    assert f'href="/risks/?before={after}"' in first
    second = page(client, f"/risks/?before={after}")
    assert _listed(second) == made[2::-1]
    assert "下一页" not in second
    assert "回到第一页" in second


def test_a_list_takes_the_same_few_queries_whatever_it_shows(client: Client, card: Card) -> None:
    def taken() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get("/risks/")
        return len(queries)

    a_risk("chip_replayed", f"card:{card.pk}")
    before = taken()
    for n in range(20):
        a_risk("chip_replayed", f"card:{card.pk}", n=n)
    assert taken() == before


def test_a_fact_tells_what_it_means_the_uses_concerned_and_what_to_do(client: Client, card: Card) -> None:
    stop = the_catalogue()
    use = a_use(card, stop, Verdict.REPLAYED)
    a_use(card, stop, Verdict.ADMITTED)
    other = a_use(a_card(holder=a_registered_holder(sequence=2, name="王五")), stop, Verdict.CARD_LOST)
    risk = a_risk("chip_replayed", f"card:{card.pk}", use, counter=7)
    told = page(client, f"/risks/{risk}/")
    kind = risks.kinds()["chip_replayed"]
    assert kind.meaning.zh in told
    assert all(advice.zh in told for advice in kind.advice)
    assert WORDS[Verdict.REPLAYED].zh in told
    assert told.count("本条所指") == 1
    assert told.count("<td>前后的用卡") == 1
    assert WORDS[Verdict.CARD_LOST].zh not in told
    assert str(other) not in told
    assert card.number not in told
    assert "卡片计数器" in told
    assert kind.name.en in html.unescape(page(client, f"/risks/{risk}/?lang=en"))


def test_looking_at_a_fact_and_taking_the_table_along_leave_facts(client: Client) -> None:
    risk = a_risk("chip_replayed", "card:1")
    client.get(f"/risks/{risk}/")
    client.get("/risks.csv")
    (looked,), (taken,) = audit.facts_about(f"risk:{risk}"), audit.facts_about("risks")
    assert (looked.verb, looked.place, taken.verb) == ("audit.read_risks", "320602", "audit.export_risks")
    assert looked.actor == taken.actor


def test_looking_at_a_fact_about_a_card_leaves_one_about_its_holder(client: Client, card: Card) -> None:
    risk = a_risk("chip_replayed", f"card:{card.pk}")
    client.get(f"/risks/{risk}/")
    (looked,) = audit.facts_about(f"holder:{card.holder_id}", verb="audit.read_risks")
    assert (looked.place, looked.detail) == ("320602", {"risk": risk, "office": "卡管科"})


def test_a_bulk_looking_names_the_officer_and_leads_auditors_to_the_facts(client: Client) -> None:
    wu = an_officer("wu", "card_officer")
    rows("UPDATE staff_officer SET display_name = '吴桐' WHERE id = $1", wu.pk)
    noon = dt.datetime.combine(clock.today() - dt.timedelta(days=2), dt.time(12), clock.CHINA)
    for holder in range(3):
        audit_actions.record(Actor(f"staff:{wu.pk}"), "holders.read", f"holder:{holder}", place="320602")
    fact: int = rows("SELECT max(id) FROM audit_fact")[0][0]
    span = {"from": noon.isoformat(), "until": (noon + dt.timedelta(minutes=40)).isoformat()}
    risk = a_risk("bulk_looking", f"staff:{wu.pk}", count=120, fact=fact, **span)
    listed = page(client, "/risks/")
    assert "吴桐" in listed
    assert '<td class="n">120</td>' in listed
    told = page(client, f"/risks/{risk}/")
    assert "60 分钟内了解至少 100 位持卡人的信息" in told
    assert "看了谁由审计人员核查" in told
    assert "/audit/" not in told
    assert "涉及的用卡" not in told
    auditor = a_staff_client(an_officer("li", "auditor"))
    led = html.unescape(page(auditor, f"/risks/{risk}/")).split('href="/audit/?')[1].split('"')[0]
    day = noon.date().isoformat()
    assert dict(parse_qsl(led)) == {
        "looks": "1", "actor": f"staff:{wu.pk}", "from": day, "to": day, "before": str(fact + 1),
    }  # fmt: skip
    # Facts of today are not of that day; without days the address shows the three.
    assert "没有符合条件的审计事实" in page(auditor, f"/audit/?{led}")
    whole = page(auditor, f"/audit/?looks=1&actor=staff:{wu.pk}&before={fact + 1}")
    assert [f"holder:{holder}" in whole for holder in range(4)] == [True, True, True, False]


def test_an_officer_does_not_follow_up_what_is_about_themselves() -> None:
    zhou = an_officer("zhou", "risk_officer")
    own = a_staff_client(zhou)
    risk = a_risk("bulk_looking", f"staff:{zhou.pk}", count=120)
    told = page(own, f"/risks/{risk}/")
    assert "这条风险事实涉及您本人" in told
    assert 'name="state"' not in told
    assert follow_up(own, risk, state="dismissed", reason="误报").status_code in (403, 422)
    assert rows("SELECT count(*)::int FROM audit_risk_follow") == [(0,)]
    other = a_staff_client(an_officer("sun", "risk_officer"))
    assert follow_up(other, risk, state="acted", reason="已核实").status_code == 302


def follow_up(client: Client, risk: int, **form: Any) -> Any:
    return client.post(f"/risks/{risk}/", {"seen": 0, **form})


def test_a_follow_up_is_recorded_under_the_officers_name(client: Client) -> None:
    risk = a_risk("chip_replayed", "card:1")
    answer = follow_up(client, risk, state="acted", reason="已联系持卡人换卡")
    assert (answer.status_code, answer["Location"]) == (302, f"/risks/{risk}/")
    told = page(client, f"/risks/{risk}/")
    assert "处置已记录" in told
    assert "已联系持卡人换卡" in told
    assert "周敏" in told
    assert rows("SELECT state FROM audit_risk_state WHERE risk_id = $1", risk) == [("acted",)]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, "请选择处置结果"),
        ({"state": "open"}, "open"),
        ({"state": "dismissed", "reason": " "}, "请填写理由"),
        ({"state": "dismissed", "reason": "长" * 501}, "501"),
    ],
)
def test_a_follow_up_that_lacks_something_is_said_beside_the_field(
    client: Client, form: dict[str, str], said: str
) -> None:
    risk = a_risk("chip_replayed", "card:1")
    answer = follow_up(client, risk, **form)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert rows("SELECT count(*)::int FROM audit_risk_follow") == [(0,)]


def test_whoever_decides_on_an_old_page_is_told_and_shown_the_new_one(client: Client) -> None:
    risk = a_risk("chip_replayed", "card:1")
    follow_up(client, risk, state="looked_at")
    answer = client.post(f"/risks/{risk}/", {"seen": 0, "state": "dismissed", "reason": "误报"}, follow=True)
    assert "其他工作人员刚刚处置了" in answer.content.decode()
    assert rows("SELECT state FROM audit_risk_state WHERE risk_id = $1", risk) == [("looked_at",)]


def test_who_may_only_read_is_offered_nothing_and_refused(card: Card) -> None:
    risk = a_risk("chip_replayed", f"card:{card.pk}")
    reader = a_staff_client(an_officer("li", "auditor"))
    assert "您可以查看，不能处置" in page(reader, f"/risks/{risk}/")
    answer = follow_up(reader, risk, state="dismissed", reason="误报")
    assert answer.status_code in (403, 422)
    assert rows("SELECT count(*)::int FROM audit_risk_follow") == [(0,)]


def test_the_table_has_the_same_filter_and_no_formulas(client: Client, card: Card) -> None:
    a_risk("chip_replayed", f"card:{card.pk}")
    a_risk("number_misses_city", "city:320600", place="320600", count=31)
    a_risk("used_twice", "=cmd|' /C calc'!A0")
    answer = client.get("/risks.csv?kind=number_misses_city")
    assert answer["Content-Disposition"] == 'attachment; filename="risks.csv"'
    heads, row = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert heads == ["编号", "时间", "风险种类", "轻重", "对象", "地区", "次数", "状态"]
    assert row[2:] == ["多台终端数字码输错", "高", "南通市", "南通市", "31", "待处置"]
    every = list(csv.reader(io.StringIO(client.get("/risks.csv").content.decode("utf-8-sig"))))
    assert len(every) == 4
    assert every[1][4].startswith("'=cmd")
    assert card.number not in str(every)


def test_a_kind_that_no_file_declares_is_shown_by_its_code(client: Client) -> None:
    rows("INSERT INTO audit_risk_fact (kind, subject, detail) VALUES ('odd_thing', 'x:1', '{\"place\": \"320602\"}')")
    assert "odd_thing" in page(client, "/risks/")
    (risk,) = _listed(page(client, "/risks/"))
    assert "该风险种类未在文件中声明" in page(client, f"/risks/{risk}/")
