"""A client's own matters in a browser: it signs in with a credential, sees its calls, turns its credentials over, sees
to its messages; secrets lie nowhere but with the client, and whoever has none sees nothing.
"""

import html
import re
import time
from collections.abc import Iterator
from http.cookies import Morsel
from typing import Any
from uuid import uuid4

import pytest
from django.core import signing
from django.test import Client
from tests.api.conftest import city, office, url
from tests.api.office import Office, System
from tests.api.process import ask_for_token
from tests.foundation.web.faces import a_staff_client, an_officer, face
from tests.kernel.sharing.builders import SYSTEM

from onecard.developers import department
from onecard.kernel.sharing import endpoints
from onecard.kernel.sharing.models import EndpointRequest
from onecard.kernel.sharing.scopes import Scope

__all__ = ["city", "office", "url"]
pytestmark = pytest.mark.processes
PATIENCE_S = 60
PAGES = ["/dev/calls", "/dev/credentials", "/dev/endpoints", "/dev/endpoints/1"]


@pytest.fixture(autouse=True)
def public_face(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The pages, which know where the department API is."""
    monkeypatch.setenv(department.URL, office.url)
    with face("public"):
        yield


@pytest.fixture
def system(office: Office) -> System:
    return office.a_system()


def sign_in(client: Client, credential: tuple[str, str]) -> Any:
    client_id, secret = credential
    return client.post("/dev/sign-in", {"client_id": client_id, "client_secret": secret})


def a_client(system: System) -> Client:
    client = Client()
    assert sign_in(client, system.credential).status_code == 302
    return client


def text(client: Client, path: str, answered: int = 200, /, **query: str) -> str:
    answer = client.get(path, query)
    assert answer.status_code == answered, answer.content.decode()
    return html.unescape(answer.content.decode())


def test_whoever_did_not_sign_in_sees_nothing(system: System) -> None:
    stranger = Client()
    for path in PAGES:
        answer = stranger.get(path)
        assert (answer.status_code, answer["Location"]) == (302, "/dev/sign-in"), path
    for path in ("/dev/credentials", "/dev/credentials/withdrawal", "/dev/endpoints/1"):
        assert stranger.post(path, {"key": uuid4()})["Location"] == "/dev/sign-in", path
    for planted in ("", "x", a_client(system).cookies[department.COOKIE].value[:-1]):
        stranger.cookies[department.COOKIE] = planted
        assert stranger.get("/dev/calls")["Location"] == "/dev/sign-in"


def test_where_the_api_is_not_known_the_pages_are_not_there(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    client = a_client(system)
    assert "/dev/sign-in" in text(Client(), "/dev/")
    monkeypatch.delenv(department.URL)
    for path in (*PAGES, "/dev/sign-in"):
        assert client.get(path).status_code == 404, path
    assert "/dev/sign-in" not in text(Client(), "/dev/")


def test_a_credential_that_is_none_is_refused_and_not_shown_again(system: System) -> None:
    client = Client()
    for credential in ((system.credential[0], "wrong-secret"), ("nobody", "wrong-secret"), ("a:b", "wrong-secret")):
        answer = sign_in(client, credential)
        assert answer.status_code == 422
        assert "wrong-secret" not in answer.content.decode()
        assert department.COOKIE not in client.cookies


def test_what_is_remembered_no_script_reads_and_no_other_page_gets(office: Office, system: System) -> None:
    client = a_client(system)
    cookie: Morsel[str] = client.cookies[department.COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["max-age"]) == (True, "Strict", "/dev/", 600)
    page = text(client, "/dev/calls")
    who = department.Pass(*signing.loads(cookie.value, salt=department.COOKIE))
    secrets = [system.credential[1], who.token]
    assert [each for each in secrets if each in page] == []
    scopes = ask_for_token(office.url, system.credential, *department.SCOPES).json()["scope"]
    assert sorted(scopes.split()) == sorted(department.SCOPES)
    kept = office.city.run("SELECT to_jsonb(t)::text FROM signins_throttle t")
    assert [row for (row,) in kept if any(each in row for each in secrets)] == []
    client.post("/dev/sign-out")
    assert client.get("/dev/calls")["Location"] == "/dev/sign-in"


def test_a_client_finds_its_calls(office: Office, system: System) -> None:
    with system.speaking() as speaking, office.a_system().speaking() as other:
        refused, fine = speaking.get("/items/nothing.there"), speaking.get("/items?limit=1")
        others = other.get("/items?limit=1")
    client, trace = a_client(system), refused.headers["x-trace"]
    deadline = time.monotonic() + PATIENCE_S
    # Reading the log is a call, too: who asks without a pause fills the first page with that.
    while not {trace, fine.headers["x-trace"]} <= set(re.findall("[0-9a-f]{32}", text(client, "/dev/calls"))):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    found = text(client, "/dev/calls", trace=trace)
    assert "<code>ITEM_UNKNOWN</code>" in found
    assert fine.headers["x-trace"] not in found
    refusals = text(client, "/dev/calls", status="404")
    assert trace in refusals
    assert fine.headers["x-trace"] not in refusals
    for asked in ({"trace": others.headers["x-trace"]}, {"trace": "0" * 32}):
        assert "CALL_UNKNOWN" in text(client, "/dev/calls", **asked)
    assert "没有这样的调用" in text(client, "/dev/calls", status="418")
    assert "summary" in text(client, "/dev/calls", trace="' OR 1=1", status="x")
    assert "REQUEST_MALFORMED" in text(client, "/dev/calls", after="x")


def test_a_client_changes_over_in_a_browser(office: Office, system: System) -> None:
    client, key = a_client(system), str(uuid4())
    made = html.unescape(client.post("/dev/credentials", {"older_until": "", "key": key}).content.decode())
    new, secret = re.findall(r'<pre tabindex="0" class="command">(.*?)</pre>', made)
    assert ask_for_token(office.url, (new, secret)).status_code == 200
    again = client.post("/dev/credentials", {"older_until": "", "key": key}).content.decode()
    assert secret not in again + text(client, "/dev/credentials")
    assert "密钥不再显示" in again
    refused = client.post("/dev/credentials", {"older_until": "2000-01-01", "key": str(uuid4())})
    assert refused.status_code == 422
    assert "1 到 90 天" in refused.content.decode()
    unsaid = client.post("/dev/credentials/withdrawal", {"client_id": system.credential[0], "reason": "", "key": key})
    assert (unsaid.status_code, ask_for_token(office.url, system.credential).status_code) == (302, 200)
    gone = {"client_id": system.credential[0], "reason": "换用", "key": str(uuid4())}
    assert client.post("/dev/credentials/withdrawal", gone)["Location"] == "/dev/credentials"
    assert ask_for_token(office.url, system.credential).status_code == 401
    # It was the one that signed in here: its token went with it, and so does the pass.
    assert client.get("/dev/credentials")["Location"] == "/dev/sign-in"
    assert client.cookies[department.COOKIE].value == ""
    other = Client()
    sign_in(other, (new, secret))
    other.post("/dev/credentials/withdrawal", {"client_id": new, "reason": "x", "key": str(uuid4())})
    assert "最后一个有效凭据" in text(other, "/dev/credentials")


def test_what_is_not_agreed_is_refused_in_words(office: Office) -> None:
    client = a_client(office.a_system(Scope.CALLS))
    assert "调用记录" in text(client, "/dev/calls")
    for path in ("/dev/credentials", "/dev/endpoints", "/dev/endpoints/1"):
        assert "SCOPE_MISSING" in text(client, path)
    assert sign_in(Client(), office.a_system(Scope.CATALOGUE).credential).status_code == 422


def test_a_client_has_messages_sent(office: Office, system: System) -> None:
    endpoint, _ = endpoints.add(SYSTEM, system.code, "http://127.0.0.1:9/onecard", ["terminal.suspended"])
    client, path = a_client(system), f"/dev/endpoints/{endpoint.pk}"
    assert "http://127.0.0.1:9/onecard" in text(client, "/dev/endpoints")
    wanted = {"url": "https://x.example/more", "kinds": ["ping", "terminal.resumed"], "key": str(uuid4())}
    assert client.post("/dev/endpoints", wanted)["Location"] == "/dev/endpoints"
    asked = text(client, "/dev/endpoints")
    assert all(words in asked for words in ("https://x.example/more", "ping, terminal.resumed", "等待审核"))
    wrong: list[dict[str, Any]] = [{"url": "https://x.example/?q=1"}, {"kinds": []}, {"kinds": ["nothing"]}]
    for each in wrong:
        assert client.post("/dev/endpoints", {**wanted, **each, "key": str(uuid4())}).status_code == 422
    assert client.post(path, {"key": str(uuid4())})["Location"] == path
    [(delivery,)] = office.city.run("SELECT id FROM messages_delivery WHERE endpoint_id = $1", endpoint.pk)
    shown = text(client, path)
    assert "几秒内送出。" in shown
    assert "<code>ping</code>" in shown
    assert client.post(path, {"key": str(uuid4()), "delivery": delivery})["Location"] == path
    assert "没有投递" in text(client, path, state="dead")
    assert "ENDPOINT_UNKNOWN" in text(a_client(office.a_system()), path)


def test_what_an_officer_decides_in_the_console_is_read_here(system: System) -> None:
    client, kind = a_client(system), "terminal.resumed"
    for name in ("filed", "declined"):
        client.post("/dev/endpoints", {"url": f"https://y.example/{name}", "kinds": [kind], "key": str(uuid4())})
    asked = dict(EndpointRequest.objects.filter(url__startswith="https://y.example/").values_list("url", "pk"))
    with face("staff"):
        officer = a_staff_client(an_officer("deciding", "administrator", place=""))
        for name, step, form in (
            ("filed", "accepted", {"seen": kind}), ("declined", "declined", {"reason": "不是本单位的地址"}),
        ):  # fmt: skip
            here = f"/endpoint-requests/{asked[f'https://y.example/{name}']}/"
            assert officer.post(f"{here}{step}/", form)["Location"] == here
    page = text(client, "/dev/endpoints")
    rows = {name: row for name in ("filed", "declined") for row in re.findall(rf"<tr>.*?/{name}</code>.*?</tr>", page)}
    assert "已登记" in rows["filed"]
    assert "不予登记" in rows["declined"]
    assert "不是本单位的地址" in rows["declined"]


def test_a_pass_takes_a_form_of_these_pages(system: System) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies.update(a_client(system).cookies)
    for path in (
        "/dev/sign-in",
        "/dev/sign-out",
        "/dev/credentials",
        "/dev/credentials/withdrawal",
        "/dev/endpoints/1",
    ):
        assert strict.post(path, {"key": str(uuid4())}).status_code == 403, path


def test_an_api_that_is_away_is_said_so(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    client = a_client(system)
    monkeypatch.setenv(department.URL, "http://127.0.0.1:9")
    assert "部门接口没有答复。" in text(client, "/dev/calls", 503)
    assert sign_in(Client(), system.credential).status_code == 503
    assert "没有正常答复" in text(client, "/dev/status")
    monkeypatch.setenv(department.URL, system.url)
    assert "没有正常答复" not in text(client, "/dev/status")
