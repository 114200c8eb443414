"""The overview: what waits comes first, figures as the worker counted them, within the officer's places."""

import csv
import datetime as dt
import io
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from tests.foundation.web.faces import (
    SYSTEM,
    a_registered_holder,
    a_risk,
    a_staff_client,
    a_use,
    an_officer,
    the_catalogue,
)
from tests.kernel.cards.builders import a_card

from onecard.foundation import clock
from onecard.foundation.ids import uuid7
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import verification
from onecard.kernel.audit.queries import Finding
from onecard.kernel.cards.rules import CardState
from onecard.kernel.catalogue.models import Point, Terminal
from onecard.kernel.ecards import actions as ecards
from onecard.kernel.uses import figures
from onecard_kit.verdicts import Verdict

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return a_staff_client(an_officer("sun", "auditor"))


def shown(client: Client) -> str:
    return client.get("/").content.decode()


def table(client: Client, path: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(client.get(path).content.decode("utf-8-sig"))))[1:]


def test_nothing_that_waits_is_said_too(client: Client) -> None:
    assert "没有需要处理的事项" in shown(client)


def test_what_waits_is_counted_within_the_places_and_led_to(client: Client) -> None:
    stop, card = the_catalogue(), a_card(holder=a_registered_holder())
    use = a_use(card, stop, Verdict.ADMITTED)
    _differs(use, stop)
    a_risk("chip_replayed", "card:1")
    a_risk("chip_replayed", "card:2", place="310100")
    page = shown(client)
    assert page.index("待处置的风险事实") < page.index("我的身份")
    assert 'href="/risks/?state=open"' in page
    assert 'href="/uses/?line=differs"' in page
    assert "银行指令未了结" not in page
    far = shown(a_staff_client(an_officer("he", "auditor", place="3205")))
    assert "?line=differs" not in far
    clerk = shown(a_staff_client(an_officer("li", "clerk")))
    assert "待处置的风险事实" not in clerk


def _differs(use: UUID, at: Point) -> None:
    terminal, _new = Terminal.objects.get_or_create(code="T-1", point=at)
    rows(
        "INSERT INTO uses_offline_line (use_id, terminal_id, journal, sequence, verdict, gate_verdict, manual, at_gate,"
        " correction_s, gate_paid_fen, double, shortfall_fen, chain_state)"
        " VALUES ($1, $2, $3, 1, 'FUNDS_SHORT', 'ADMITTED', false, now(), 0, 0, false, 0, 'linked')",
        use,
        terminal.pk,
        uuid7(),
    )


def test_counties_tell_holders_cards_and_coverage(client: Client) -> None:
    card = a_card(holder=a_registered_holder(place="320602"))
    ecards.sign_up(SYSTEM, card.pk)
    a_card(holder=a_registered_holder(sequence=2, place="320602"))
    a_card(holder=a_registered_holder(sequence=3, place="320602"), state=CardState.LOCKED)
    a_card(holder=a_registered_holder(sequence=4, place="310101"))
    figures.count()
    assert table(client, "/counties.csv") == [["崇川区", "320602", "3", "3", "2", "1", "50.0"]]
    page = shown(client)
    assert "崇川区" in page
    assert "网格示意图，不表示行政区划界线" in page
    assert "50.0" in page


def test_where_no_card_is_active_no_target_is_missed(client: Client) -> None:
    a_card(holder=a_registered_holder(), state=CardState.LOCKED)
    figures.count()
    page = shown(client)
    assert "还没有正常卡" in page
    assert "距目标" not in page


def test_a_day_that_is_over_is_counted_once_and_today_again(client: Client) -> None:
    stop, card = the_catalogue(), a_card(holder=a_registered_holder())
    assert figures.count() == figures.DAYS
    a_use(card, stop, Verdict.ADMITTED)
    a_use(card, stop, Verdict.CARD_LOST)
    assert figures.count() == 0
    rows("UPDATE uses_day_counted SET counted_at = now() - interval '3 minutes' WHERE day = $1", clock.today())
    assert figures.count() == 1
    days = table(client, "/days.csv")
    assert len(days) == figures.DAYS
    assert days[-1] == [clock.today().isoformat(), "2", "1"]
    assert days[-2] == [(clock.today() - dt.timedelta(days=1)).isoformat(), "0", "0"]


def test_the_overview_takes_the_same_queries_however_much_there_is(client: Client) -> None:
    def taken() -> int:
        with CaptureQueriesContext(connection) as queries:
            shown(client)
        return len(queries)

    stop, card = the_catalogue(), a_card(holder=a_registered_holder())
    a_use(card, stop, Verdict.ADMITTED)
    figures.count()
    before = taken()
    for n in range(10):
        _differs(a_use(card, stop, Verdict.ADMITTED), stop)
        a_risk("chip_replayed", f"card:{n}")
    assert taken() == before


@pytest.mark.parametrize("path", ["/days.csv", "/counties.csv", "/states.csv"])
def test_tables_take_the_permission(path: str) -> None:
    response = a_staff_client(an_officer("li", "clerk")).get(path)
    assert response.status_code == 403
    assert Client().get(path)["Location"].startswith("/sign-in/")


def test_figures_stand_beside_their_target_and_each_chart_has_a_table(client: Client) -> None:
    a_card(holder=a_registered_holder(), state=CardState.ACTIVE)
    figures.count()
    page = shown(client)
    for told in ("目标 75%", "距目标 75.0 个百分点", "近 14 天用卡，可左右滚动", "卡片状态分布，可左右滚动"):
        assert told in page, told
    assert table(client, "/states.csv") == [["正常", "1", "100.0"]]
    with override_settings(ONECARD_ECARDS_TARGET_PERCENT=0.0):
        assert "已达到目标" in shown(client)


def test_a_broken_chain_is_the_first_work(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onecard.kernel.audit.queries.verify_rest", lambda _sealed_to: [Finding("changed", "seal:7")])
    a_risk("chip_replayed", "card:1")
    verification.verify(verification.ask(SYSTEM))
    page = shown(client)
    assert page.index("审计链有问题") < page.index("待处置的风险事实")
