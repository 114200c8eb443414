"""The pages of clients: what stands of one, what is taken from it for a reason, and the endpoints that they ask for."""

import html
import re
from typing import Any

import pytest
from django.test import Client
from tests.foundation.web.faces import a_staff_client, an_officer
from tests.kernel.sharing.builders import SYSTEM, a_client, agree

from onecard.foundation.errors import Conflict
from onecard.kernel.audit import queries as audit
from onecard.kernel.catalogue.models import Client as System
from onecard.kernel.catalogue.models import State
from onecard.kernel.messages import outbox
from onecard.kernel.messages.kinds import Kind
from onecard.kernel.messages.models import Delivery, Endpoint
from onecard.kernel.sharing import actions, endpoints, queries, register
from onecard.kernel.sharing.models import EndpointRequest
from onecard.kernel.sharing.scopes import Scope

pytestmark = pytest.mark.django_db
URL, KINDS = "https://bus.example/onecard", ["card.changed", "terminal.suspended"]
PATHS = ("/clients/", "/clients/1/", "/endpoint-requests/", "/endpoint-requests/1/")


@pytest.fixture
def system() -> System:
    return a_client()


@pytest.fixture
def client() -> Client:
    return a_staff_client(an_officer("sun", "administrator", place=""))


def a_request(system: System, url: str = URL, kinds: list[str] = KINDS) -> EndpointRequest:
    return EndpointRequest.objects.create(client=system, url=url, kinds=kinds)


def shown(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.status_code
    return html.unescape(answer.content.decode())


def accept(client: Client, asked: EndpointRequest, page: str) -> Any:
    seen = re.findall(r'name="seen" value="([^"]*)"', page)
    return client.post(f"/endpoint-requests/{asked.pk}/accepted/", {"seen": seen[0]})


def facts(system: System) -> list[tuple[str, str]]:
    return [(fact.verb, fact.reason) for fact in audit.facts_about(f"client:{system.code}")]


@pytest.mark.parametrize("path", PATHS)
def test_other_roles_open_none_of_them(path: str) -> None:
    response = a_staff_client(an_officer("li", "card_officer")).get(path)
    assert response.status_code == 403
    assert "sharing.read" in response.content.decode()
    assert Client().get(path)["Location"].startswith("/sign-in/")


def test_empty_lists_say_so(client: Client) -> None:
    assert "还没有接入系统" in shown(client, "/clients/")
    assert "没有符合条件的接入系统" in shown(client, "/clients/?text=x%00&state=ended")
    assert "没有这样的申请" in shown(client, "/endpoint-requests/?state=x&after=x")
    assert client.get("/clients/1/").status_code == 404
    assert client.get("/endpoint-requests/1/").status_code == 404


def test_clients_are_found_within_the_places_by_pages(client: Client, system: System) -> None:
    a_request(system)
    for query, there in {"": True, "?text=test": True, "?text=nobody": False, "?state=suspended": False}.items():
        assert (f'href="/clients/{system.pk}/"' in shown(client, f"/clients/{query}")) is there, query
    far = a_staff_client(an_officer("he", "administrator", place="3205"))
    assert "还没有接入系统" in shown(far, "/clients/")
    assert far.get(f"/clients/{system.pk}/").status_code == 404
    assert far.get(f"/clients/{system.pk}/suspended/").status_code == 404
    assert far.get(f"/endpoint-requests/{EndpointRequest.objects.get().pk}/").status_code == 404
    made = [System.objects.create(code=f"Z{n:03}", party=system.party, name_zh="系统", name_en="S") for n in range(50)]
    assert len(made) == register.PAGE
    assert '?after=Z048"' in shown(client, "/clients/")
    assert f'href="/clients/{made[49].pk}/"' in shown(client, "/clients/?after=Z048")


def test_a_client_shows_what_stands_of_it_and_no_secret(client: Client, system: System) -> None:
    agree(system.code, Scope.MESSAGES)
    credential, secret = actions.give_credential(SYSTEM, system.code)
    endpoint, key = endpoints.add(SYSTEM, system.code, URL, KINDS)
    outbox.tell(f"client:{system.code}", Kind.TERMINAL_SUSPENDED, "terminal:T", {})
    Delivery.objects.update(tries=2, last_error="connection refused")
    page = shown(client, f"/clients/{system.pk}/")
    for told in ("messages.manage", credential, URL, "connection refused", "terminal.suspended"):
        assert told in page, told
    for kept in (secret, key.hex(), endpoint.receiver + "."):
        assert kept not in page
    Delivery.objects.update(state="delivered")
    assert "没有送不到的消息" in shown(client, f"/clients/{system.pk}/")


def test_what_is_taken_away_takes_a_reason_and_leaves_a_fact(client: Client, system: System) -> None:
    credential, _ = actions.give_credential(SYSTEM, system.code)
    endpoint, _ = endpoints.add(SYSTEM, system.code, URL, KINDS)
    here = f"/clients/{system.pk}/"
    steps = (
        (f"credentials/{credential}/withdrawn/", "sharing.withdraw_credential"),
        (f"endpoints/{endpoint.pk}/ended/", "sharing.end_endpoint"),
        ("suspended/", "catalogue.suspend"),
        ("resumed/", "catalogue.resume"),
    )
    for path, verb in steps:
        assert f'href="{here}{path}"' in shown(client, here), path
        assert "确认办理" in shown(client, here + path)
        assert client.post(here + path, {"reason": " "}).status_code == 422
        assert client.post(here + path, {"reason": "310101199001010018"}).status_code == 422
        assert client.post(here + path, {"reason": "系统停用"})["Location"] == here
        assert facts(system)[0] == (verb, "系统停用")
        assert f'href="{here}{path}"' not in shown(client, here), path
    assert queries.open_credentials(system.code) == []
    assert Endpoint.objects.get().state == "ended"
    system.refresh_from_db()
    assert system.state == State.ACTIVE


def test_anothers_credential_and_endpoint_are_not_there(client: Client, system: System) -> None:
    other = a_client("NT-OTHER")
    credential, _ = actions.give_credential(SYSTEM, other.code)
    endpoint, _ = endpoints.add(SYSTEM, other.code, URL, KINDS)
    for path in (f"credentials/{credential}/withdrawn/", f"endpoints/{endpoint.pk}/ended/"):
        assert client.get(f"/clients/{system.pk}/{path}").status_code == 404
        assert client.post(f"/clients/{system.pk}/{path}", {"reason": "系统停用"}).status_code == 404
    assert len(queries.open_credentials(other.code)) == 1


def test_a_request_that_waits_is_work_and_shows_what_it_would_change(client: Client, system: System) -> None:
    agree(system.code, Scope.WATCH)
    endpoints.add(SYSTEM, system.code, URL, ["card.changed", "item.published"])
    asked = a_request(system)
    assert re.search(r'href="/endpoint-requests/">等待审核的接收地址</a>.*?>1<', shown(client, "/"), re.S)
    assert f'href="/endpoint-requests/{asked.pk}/"' in shown(client, "/endpoint-requests/")
    page = shown(client, f"/endpoint-requests/{asked.pk}/")
    rows = {
        code: row
        for code in (*KINDS, "item.published")
        for row in re.findall(rf"<tr><td[^>]*>{code}</td>.*?</tr>", page)
    }
    assert "不变" in rows["card.changed"]
    assert "已签协议" in rows["card.changed"]
    assert "新增" in rows["terminal.suspended"]
    assert "没有协议" in rows["terminal.suspended"]
    assert "不再发送" in rows["item.published"]
    assert "该系统没有别的地址在此主机" in page
    assert "等待审核的接收地址" not in shown(a_staff_client(an_officer("he", "auditor", place="")), "/")


def test_agreeing_files_the_address_as_it_was_shown(client: Client, system: System) -> None:
    asked = a_request(system)
    page = shown(client, f"/endpoint-requests/{asked.pk}/")
    EndpointRequest.objects.update(kinds=["card.changed"])  # the client asks anew meanwhile
    refused = accept(client, asked, page)
    assert refused.status_code == 422
    assert "接入系统刚刚修改了申请的消息种类" in refused.content.decode()
    assert not Endpoint.objects.exists()
    page = shown(client, f"/endpoint-requests/{asked.pk}/")
    assert accept(client, asked, page).status_code == 302
    filed = Endpoint.objects.get()
    assert (filed.url, sorted(filed.kinds), filed.receiver) == (URL, ["card.changed", "ping"], f"client:{system.code}")
    assert [verb for verb, _ in facts(system)] == ["sharing.accept_endpoint", "sharing.add_endpoint"]
    decided = shown(client, f"/endpoint-requests/{asked.pk}/")
    assert "周敏" in decided
    assert "/accepted/" not in decided
    assert accept(client, asked, page).status_code == 302  # again changes nothing
    assert len(facts(system)) == 2
    with pytest.raises(Conflict, match="ENDPOINT_REQUEST_DECIDED"):
        endpoints.decline(SYSTEM, asked.pk, "x")


def test_declining_takes_a_reason_that_stands_with_it(client: Client, system: System) -> None:
    asked = a_request(system)
    path = f"/endpoint-requests/{asked.pk}/declined/"
    assert client.post(path, {"reason": " "}).status_code == 422
    assert client.post(path, {"reason": "不是本单位的地址"}).status_code == 302
    asked.refresh_from_db()
    assert (asked.state, asked.reason, asked.decided_by[:6]) == ("declined", "不是本单位的地址", "staff:")
    assert facts(system) == [("sharing.decline_endpoint", "不是本单位的地址")]
    assert "不是本单位的地址" in shown(client, f"/endpoint-requests/{asked.pk}/")
    assert f'href="/endpoint-requests/{asked.pk}/"' in shown(client, "/endpoint-requests/?state=declined")
    page = client.post(f"/endpoint-requests/{asked.pk}/accepted/", {"seen": " ".join(KINDS)})
    assert (page.status_code, "该申请已经办结" in page.content.decode()) == (422, True)


def test_who_reads_or_has_a_part_of_the_node_decides_nothing(system: System) -> None:
    asked = a_request(system)
    for name, role, place in (("he", "auditor", ""), ("li", "administrator", "3206")):
        reader = a_staff_client(an_officer(name, role, place=place))
        assert "您可以查看，不能办理" in shown(reader, f"/endpoint-requests/{asked.pk}/")
        assert "您可以查看，不能暂停或恢复" in shown(reader, f"/clients/{system.pk}/")
        for path, form in (("accepted", {"seen": " ".join(KINDS)}), ("declined", {"reason": "x"})):
            assert reader.post(f"/endpoint-requests/{asked.pk}/{path}/", form).status_code == 403
        assert reader.post(f"/clients/{system.pk}/suspended/", {"reason": "x"}).status_code == 403
    assert not Endpoint.objects.exists()
    asked.refresh_from_db()
    assert asked.state == "waiting"
