"""The pages of uses: filters and pages, one use and its refund, and lists written by a job."""

import csv
import datetime as dt
import io
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.foundation.web.faces import a_registered_holder, a_staff_client, a_use, an_officer, the_catalogue
from tests.kernel.cards.builders import a_card

from onecard.foundation import clock
from onecard.foundation.exports import OPEN_MAX
from onecard.foundation.ids import uuid7
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import queries as audit
from onecard.kernel.cards.models import Card
from onecard.kernel.catalogue.models import Point
from onecard.kernel.uses import exports, listing
from onecard_kit.verdicts import WORDS, Verdict

pytestmark = pytest.mark.django_db
NOBODY = UUID(int=7)
PATHS = ("/uses/", f"/uses/{NOBODY}/", "/exports/", f"/exports/{NOBODY}/", f"/exports/{NOBODY}.csv")


@pytest.fixture
def card() -> Card:
    return a_card(holder=a_registered_holder())


@pytest.fixture
def stop() -> Point:
    return the_catalogue()


@pytest.fixture
def client() -> Client:
    return a_staff_client(an_officer("sun", "auditor"))


def shown(client: Client, path: str) -> str:
    return client.get(path).content.decode()


def _listed(content: str) -> list[UUID]:
    return [UUID(part[:36]) for part in content.split('<a href="/uses/')[1:] if part[36:37] == "/"]


def _offline(use: UUID, *, verdict: str = "ADMITTED", double: bool = False) -> None:
    rows(
        "INSERT INTO uses_offline_line (use_id, terminal_id, journal, sequence, verdict, gate_verdict, manual, at_gate,"
        " correction_s, gate_paid_fen, double, shortfall_fen, chain_state)"
        " VALUES ($1, 1, $2, 1, $3, 'ADMITTED', false, now(), 0, 0, $4, 0, 'linked')",
        use, uuid7(), verdict, double,
    )  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_other_roles_open_none_of_them(path: str) -> None:
    response = a_staff_client(an_officer("li", "clerk")).get(path)
    assert response.status_code == 403
    assert "uses." in response.content.decode()
    assert Client().get(path)["Location"].startswith("/sign-in/")


def test_an_empty_list_says_so(client: Client) -> None:
    assert "还没有用卡" in shown(client, "/uses/")
    assert "没有符合条件的用卡" in shown(client, "/uses/?item=transit.bus_ride")


def test_the_list_filters_and_names_no_holder(client: Client, card: Card, stop: Point) -> None:
    plain = a_use(card, stop, Verdict.ADMITTED, paid_fen=200)
    lost = a_use(card, stop, Verdict.CARD_LOST)
    twice = a_use(card, stop, Verdict.ADMITTED)
    other = a_use(card, stop, Verdict.ADMITTED)
    _offline(twice, double=True)
    _offline(other, verdict="FUNDS_SHORT")
    today, tomorrow = clock.today(), clock.today() + dt.timedelta(days=1)
    newest_first = [other, twice, lost, plain]
    wanted: dict[str, list[UUID]] = {
        "": newest_first,
        "?verdict=CARD_LOST": [lost],
        "?line=offline": [other, twice],
        "?line=double": [twice],
        "?line=differs": [other],
        "?item=transit.metro_ride": [],
        f"?point={stop.code}": newest_first,
        f"?point={stop.code}&line=offline&verdict=ADMITTED": [other, twice],
        "?point=nowhere": [],
        f"?from={today}&to={today}": newest_first,
        f"?from={tomorrow}": [],
        "?from=x&to=y&verdict=z&line=w&before=v": newest_first,
    }
    assert {path: _listed(shown(client, f"/uses/{path}")) for path in wanted} == wanted
    page = shown(client, "/uses/")
    assert card.number not in page
    assert f"/holders/{card.holder_id}/" not in page


def test_other_places_do_not_exist_for_an_officer(card: Card, stop: Point) -> None:
    use = a_use(card, stop, Verdict.ADMITTED)
    far = a_staff_client(an_officer("he", "auditor", place="3205"))
    assert _listed(shown(far, "/uses/")) == []
    assert far.get(f"/uses/{use}/").status_code == 403
    assert far.get(f"/uses/{NOBODY}/").status_code == 404


def test_pages_follow_one_another_by_key(client: Client, card: Card, stop: Point) -> None:
    made = [a_use(card, stop, Verdict.ADMITTED) for _ in range(listing.PAGE + 2)][::-1]
    first = shown(client, "/uses/")
    assert _listed(first) == made[: listing.PAGE]
    assert f'href="/uses/?before={made[listing.PAGE - 1]}"' in first
    second = shown(client, f"/uses/?before={made[listing.PAGE - 1]}")
    assert _listed(second) == made[listing.PAGE :]
    assert "下一页" not in second


def test_a_page_that_found_few_among_many_goes_on_where_it_stood(
    client: Client, card: Card, stop: Point, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = a_use(card, stop, Verdict.CARD_LOST)
    for _ in range(4):
        a_use(card, stop, Verdict.ADMITTED)
    monkeypatch.setattr(listing, "READ_MAX", 3)
    first = shown(client, "/uses/?verdict=CARD_LOST")
    assert _listed(first) == []
    assert "继续查更早的" in first
    path = first.split('href="/uses/?')[-1].split('"')[0].replace("&amp;", "&")
    assert _listed(shown(client, f"/uses/?{path}")) == [wanted]


def test_a_list_takes_the_same_few_queries_whatever_it_shows(client: Client, card: Card, stop: Point) -> None:
    def taken() -> int:
        with CaptureQueriesContext(connection) as queries:
            shown(client, "/uses/")
        return len(queries)

    a_use(card, stop, Verdict.ADMITTED)
    before = taken()
    for _ in range(20):
        a_use(card, stop, Verdict.ADMITTED)
    assert taken() == before


def test_one_use_tells_what_was_paid_and_what_the_gate_said(client: Client, card: Card, stop: Point) -> None:
    use = a_use(card, stop, Verdict.ADMITTED, paid_fen=190, concession="senior_70")
    _offline(use, verdict="FUNDS_SHORT")
    page = shown(client, f"/uses/{use}/")
    assert "¥1.90" in page
    assert "70周岁及以上老人" in page
    assert WORDS[Verdict.FUNDS_SHORT].zh in page
    assert card.number not in page


def test_an_explanation_and_a_refund_take_a_reason_and_their_permission(card: Card, stop: Point) -> None:
    use = a_use(card, stop, Verdict.ADMITTED)
    auditor = a_staff_client(an_officer("sun", "auditor"))
    finance = a_staff_client(an_officer("qian", "finance_officer"))
    assert auditor.post(f"/uses/{use}/", {"reason": ""}).status_code == 422
    assert "退回这笔用卡" not in shown(auditor, f"/uses/{use}/")
    assert auditor.post(f"/uses/{use}/refund/", {"refund-reason": "x"}).status_code == 403
    assert finance.post(f"/uses/{use}/", {"reason": "投诉核查"}).status_code == 403
    assert finance.post(f"/uses/{use}/refund/", {"refund-reason": ""}).status_code == 422
    assert "退回这笔用卡" in shown(finance, f"/uses/{use}/")


# --- Lists to take along ----------------------------------------------------------------------------------------------


def ask(client: Client, **wanted: Any) -> UUID:
    answer = client.post("/exports/", wanted)
    assert answer.status_code == 302, answer.content.decode()
    return UUID(answer["Location"].split("/")[2])


def table(client: Client, id_: UUID) -> list[list[str]]:
    answer = client.get(f"/exports/{id_}.csv")
    asked = exports.EXPORTS.load(id_)
    assert asked is not None
    asked_at = asked.asked_at.astimezone(clock.CHINA)
    assert answer["Content-Disposition"] == f'attachment; filename="uses-{asked_at:%Y%m%d-%H%M}.csv"'
    content = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]  # a streaming answer
    return list(csv.reader(io.StringIO(content)))


def test_a_list_is_written_by_a_job_and_fetched_once_done(
    client: Client, card: Card, stop: Point, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [a_use(card, stop, Verdict.ADMITTED) for _ in range(5)][::-1]
    a_use(card, stop, Verdict.CARD_LOST)
    monkeypatch.setattr(exports, "PART", 2)
    id_ = ask(client, verdict="ADMITTED")
    waiting = client.get(f"/exports/{id_}/").content.decode()
    assert "等待中" in waiting
    assert client.get(f"/exports/{id_}.csv")["Location"] == f"/exports/{id_}/"
    assert rows("SELECT args->>'export' FROM procrastinate_jobs WHERE task_name = 'uses.export'") == [(str(id_),)]
    assert exports.write(id_) == 5
    assert "已完成" in shown(client, f"/exports/{id_}/")
    head, *lines = table(client, id_)
    assert head[0] == "用卡编号"
    assert [line[0] for line in lines] == [str(use) for use in made]
    assert card.number not in str(lines)
    assert str(id_) in shown(client, "/exports/")
    (fact,) = audit.facts_about(f"export:{id_}")
    assert (fact.verb, fact.detail) == ("uses.export", {"wanted": {"verdict": "ADMITTED"}})


def test_a_job_that_was_killed_goes_on_where_it_stood(
    client: Client, card: Card, stop: Point, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [a_use(card, stop, Verdict.ADMITTED) for _ in range(5)]
    monkeypatch.setattr(exports, "PART", 2)
    id_ = ask(client)
    export = exports.EXPORTS.load(id_)
    assert export is not None
    exports._write_part(export)
    assert 0 <= rows("SELECT percent FROM uses_export")[0][0] < 100
    exports.write(id_)
    exports.write(id_)
    assert sorted(line[0] for line in table(client, id_)[1:]) == sorted(str(use) for use in made)


def test_a_list_that_is_stopped_is_written_no_further(client: Client, card: Card, stop: Point) -> None:
    a_use(card, stop, Verdict.ADMITTED)
    id_ = ask(client)
    client.post(f"/exports/{id_}/")
    assert exports.write(id_) == 0
    assert "已停止" in shown(client, f"/exports/{id_}/")


def test_a_list_is_its_askers_alone_and_gone_after_its_day(client: Client) -> None:
    id_ = ask(client)
    other = a_staff_client(an_officer("li", "auditor"))
    for path in (f"/exports/{id_}/", f"/exports/{id_}.csv"):
        assert other.get(path).status_code == 404
    assert other.post(f"/exports/{id_}/").status_code == 404
    assert str(id_) not in shown(other, "/exports/")
    rows("UPDATE uses_export SET expires_at = now() - interval '1 second'")
    assert client.get(f"/exports/{id_}/").status_code == 404
    assert exports.drop_expired() == 1


def test_three_lists_at_once_and_no_more(client: Client) -> None:
    for _ in range(OPEN_MAX):
        ask(client)
    answer = client.post("/exports/", follow=True)
    assert "您已有3个导出正在进行" in answer.content.decode()
    assert len(exports.of_actor(_actor())) == OPEN_MAX


def _actor() -> Any:
    from onecard.foundation.actors import Actor

    return Actor(rows("SELECT actor FROM uses_export LIMIT 1")[0][0])
