"""The pages of points and terminals: lists, suspending and resuming for a reason, and pairing codes."""

import hashlib
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.foundation.web.faces import a_staff_client, an_officer, the_catalogue

from onecard.kernel.audit import queries as audit
from onecard.kernel.catalogue import register
from onecard.kernel.catalogue.models import Pairing, Point, State, Terminal

pytestmark = pytest.mark.django_db
PATHS = ("/points/", "/points/1/", "/terminals/", "/terminals/1/")


@pytest.fixture
def stop() -> Point:
    return the_catalogue()


@pytest.fixture
def terminal(stop: Point) -> Terminal:
    return Terminal.objects.create(code="NT-BUS-L01", point=stop)


@pytest.fixture
def client() -> Client:
    return a_staff_client(an_officer("sun", "administrator"))


def shown(client: Client, path: str) -> str:
    return client.get(path).content.decode()


def _listed(content: str, kind: str) -> list[int]:
    return [int(part.split("/", 1)[0]) for part in content.split(f'<a href="/{kind}/')[1:] if part[0].isdigit()]


@pytest.mark.parametrize("path", PATHS)
def test_other_roles_open_none_of_them(path: str) -> None:
    response = a_staff_client(an_officer("li", "clerk")).get(path)
    assert response.status_code == 403
    assert "catalogue.read" in response.content.decode()
    assert Client().get(path)["Location"].startswith("/sign-in/")


def test_empty_lists_say_so(client: Client) -> None:
    assert "还没有用卡点" in shown(client, "/points/")
    assert "还没有终端" in shown(client, "/terminals/")
    assert "没有符合条件的终端" in shown(client, "/terminals/?state=ended")


def test_lists_filter_and_stay_within_the_places(client: Client, stop: Point, terminal: Terminal) -> None:
    found = dict.fromkeys(("", "?code=nt-bus", "?place=320602", "?state=x&place=y"), True)
    missed = dict.fromkeys(("?code=nt-metro", "?place=3205", "?state=suspended"), False)
    for query, there in {**found, **missed}.items():
        assert _listed(shown(client, f"/points/{query}"), "points") == [stop.pk] * there, query
    assert _listed(shown(client, "/terminals/"), "terminals") == [terminal.pk]
    far = a_staff_client(an_officer("he", "administrator", place="3205"))
    assert _listed(shown(far, "/points/"), "points") == []
    assert far.get(f"/points/{stop.pk}/").status_code == 404
    assert far.get(f"/terminals/{terminal.pk}/").status_code == 404
    assert far.post(f"/terminals/{terminal.pk}/pairing-code/").status_code == 404


def test_pages_follow_one_another_by_code_with_the_same_queries(client: Client, terminal: Terminal) -> None:
    def taken() -> int:
        with CaptureQueriesContext(connection) as queries:
            shown(client, "/terminals/")
        return len(queries)

    before = taken()
    made = [Terminal.objects.create(code=f"T{n:03}", point=terminal.point).pk for n in range(register.PAGE + 1)]
    assert taken() == before
    first = shown(client, "/terminals/")
    assert _listed(first, "terminals") == [terminal.pk, *made[: register.PAGE - 1]]
    last = f"T{register.PAGE - 2:03}"
    assert f'href="/terminals/?after={last}"' in first
    assert _listed(shown(client, f"/terminals/?after={last}"), "terminals") == made[register.PAGE - 1 :]


@pytest.mark.parametrize("kind", ["points", "terminals"])
def test_suspending_and_resuming_take_a_reason_and_leave_facts(client: Client, terminal: Terminal, kind: str) -> None:
    row: Point | Terminal = terminal if kind == "terminals" else terminal.point
    path = f"/{kind}/{row.pk}/"
    assert "暂停使用" in shown(client, path)
    assert client.post(path, {"reason": " ", "step": "suspend"}).status_code == 422
    assert client.post(path, {"reason": "设备故障", "step": "suspend"}).status_code == 302
    row.refresh_from_db()
    assert row.state == State.SUSPENDED
    assert "恢复使用" in shown(client, path)
    client.post(path, {"reason": "已修复", "step": "resume"})
    row.refresh_from_db()
    assert row.state == State.ACTIVE
    facts = audit.facts_about(f"{kind[:-1]}:{row.code}")[:2]
    assert [(fact.verb, fact.reason) for fact in facts] == [
        ("catalogue.resume", "已修复"), ("catalogue.suspend", "设备故障"),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["points", "terminals"])
def test_a_page_that_is_old_or_sent_twice_never_does_the_opposite(
    client: Client, terminal: Terminal, kind: str
) -> None:
    row: Point | Terminal = terminal if kind == "terminals" else terminal.point
    path = f"/{kind}/{row.pk}/"
    page = shown(client, path)
    offered = dict(re.findall(r'type="hidden" name="(step)" value="(\w+)"', page))
    for _ in range(2):
        answer = client.post(path, {**offered, "reason": "设备故障"}, follow=True)
    assert "这次没有改动" in answer.content.decode()
    row.refresh_from_db()
    assert row.state == State.SUSPENDED
    assert next(fact.verb for fact in audit.facts_about(f"{kind[:-1]}:{row.code}")) == "catalogue.suspend"
    assert client.post(path, {"reason": "设备故障"}).status_code == 422


def test_who_may_only_read_suspends_nothing_and_pairs_nothing(terminal: Terminal) -> None:
    reader = a_staff_client(an_officer("li", "catalogue_editor"))
    path = f"/terminals/{terminal.pk}/"
    page = shown(reader, path)
    assert "您可以查看，不能暂停或恢复" in page
    assert "pairing-code" not in page
    assert reader.post(path, {"reason": "设备故障", "step": "suspend"}).status_code == 403
    assert reader.post(f"{path}pairing-code/").status_code == 403
    terminal.refresh_from_db()
    assert terminal.state == State.ACTIVE
    for state, told in ((State.SUSPENDED, "需要“catalogue.resume”权限"), (State.ENDED, "终止后不能再暂停或恢复")):
        Terminal.objects.filter(pk=terminal.pk).update(state=state)
        assert told in shown(reader, path)


def test_a_pairing_code_is_shown_once_and_kept_as_a_digest(client: Client, terminal: Terminal) -> None:
    answer = client.post(f"/terminals/{terminal.pk}/pairing-code/")
    code = answer.content.decode().split('<p class="code-no mono">')[1].split("<")[0]
    pairing = Pairing.objects.get(terminal=terminal)
    assert bytes(pairing.code_digest) == hashlib.sha256(code.encode()).digest()
    assert code not in shown(client, f"/terminals/{terminal.pk}/")
    assert client.get(f"/terminals/{terminal.pk}/pairing-code/").status_code == 405
