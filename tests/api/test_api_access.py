"""Who gets a token and what it is worth, over real HTTP, under the API's own database role."""

import base64
import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from tests.api.office import Office
from tests.api.process import a_system, a_token, ask_for_token, problem
from tests.kernel.sharing.builders import SYSTEM, a_client, agree
from tests.small_city import SmallCity

from onecard.kernel.catalogue import actions as catalogue
from onecard.kernel.sharing import actions
from onecard.kernel.sharing.scopes import Scope

pytestmark = pytest.mark.processes

Credential = tuple[str, str]


@pytest.fixture
def credential(office: Office, request: pytest.FixtureRequest) -> Credential:
    """A client of its own for each test, with whom reading the catalogue is agreed."""
    code = f"C{abs(hash(request.node.nodeid)) % 10**8}"
    a_client(code)
    agree(code, Scope.CATALOGUE, Scope.CARDS)
    return actions.give_credential(SYSTEM, code)


def client_of(credential: Credential) -> str:
    return credential[0].partition(".")[0]


def items(url: str, token: str) -> httpx.Response:
    return httpx.get(f"{url}/v1/items", headers={"Authorization": f"Bearer {token}"}, timeout=20)


def test_a_credential_gets_a_token_that_opens_what_is_agreed(url: str, credential: Credential) -> None:
    answer = ask_for_token(url, credential)
    told = answer.json()
    assert (answer.status_code, told["token_type"], told["expires_in"]) == (200, "Bearer", 600)
    assert told["scope"].split() == ["cards.read", "catalogue.read"]
    assert answer.headers["cache-control"] == "no-store"
    assert items(url, told["access_token"]).status_code == 200


def test_the_secret_and_the_token_are_kept_as_digests(url: str, city: SmallCity, credential: Credential) -> None:
    token = a_token(url, credential)
    kept = city.run("SELECT to_jsonb(t)::text FROM oauth2_provider_accesstoken t")
    kept += city.run("SELECT to_jsonb(c)::text FROM sharing_credential c")
    assert len(kept) > 1
    assert [row for (row,) in kept if token in row or credential[1] in row] == []


def test_a_token_is_for_the_scopes_it_was_asked_for(url: str, credential: Credential) -> None:
    with a_system(url, credential, Scope.CARDS) as system:
        assert problem(system.get("/items")) == (403, "SCOPE_MISSING")
    refused = ask_for_token(url, credential, Scope.REFUND)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")


@pytest.mark.parametrize(
    ("sent", "status", "error"),
    [
        ({"auth": ("nobody", "x"), "data": {"grant_type": "client_credentials"}}, 401, "invalid_client"),
        ({"data": {"grant_type": "client_credentials"}}, 401, "invalid_client"),
        ({"data": {"grant_type": "password", "username": "a", "password": "b"}}, 400, "unsupported_grant_type"),
        ({"data": {"grant_type": "authorization_code", "code": "a"}}, 400, "unsupported_grant_type"),
        ({"data": {}}, 400, "invalid_request"),
        ({"json": {"grant_type": "client_credentials"}}, 400, "invalid_request"),
        ({"data": {"grant_type": "client_credentials", "client_id": "a\0", "client_secret": "b"}}, 401,
         "invalid_client"),
        ({"headers": {"Authorization": "Basic ???"}, "data": {"grant_type": "client_credentials"}}, 401,
         "invalid_client"),
        ({"headers": {"Authorization": "Basic " + base64.b64encode(b"a\0b:c").decode()},
          "data": {"grant_type": "client_credentials"}}, 401, "invalid_client"),
    ],
)  # fmt: skip
def test_who_proves_nothing_gets_no_token(url: str, sent: dict[str, Any], status: int, error: str) -> None:
    answer = httpx.post(f"{url}/v1/token", **sent, timeout=20)
    assert (answer.status_code, answer.json().get("error")) == (status, error)
    assert "access_token" not in answer.text


def test_a_wrong_secret_gets_no_token(url: str, credential: Credential) -> None:
    for wrong in ("", "x", credential[1] + "x", credential[1][:-1]):
        answer = ask_for_token(url, (credential[0], wrong))
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_the_credential_may_travel_in_the_form(url: str, credential: Credential) -> None:
    asked = {"grant_type": "client_credentials", "client_id": credential[0], "client_secret": credential[1]}
    assert httpx.post(f"{url}/v1/token", data=asked, timeout=20).status_code == 200


@pytest.mark.parametrize("bearer", ["", "Bearer", "Basic abc", "Bearer \xff"])
def test_without_a_token_nothing_opens(url: str, bearer: str) -> None:
    answer = httpx.get(f"{url}/v1/items", headers=[(b"Authorization", bearer.encode("latin-1"))], timeout=20)
    assert problem(answer)[0] == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_token_of_nobody_or_in_the_address_opens_nothing(url: str, credential: Credential) -> None:
    assert problem(items(url, "made-up")) == (401, "TOKEN_UNKNOWN")
    token = a_token(url, credential)
    assert problem(httpx.get(f"{url}/v1/items?access_token={token}", timeout=20)) == (401, "TOKEN_MISSING")


def test_a_token_that_expired_opens_nothing(url: str, city: SmallCity, credential: Credential) -> None:
    token = a_token(url, credential)
    city.run(
        "UPDATE oauth2_provider_accesstoken t SET expires = now() FROM sharing_credential c"
        " WHERE c.id = t.application_id AND c.client_id = $1",
        credential[0],
    )
    assert problem(items(url, token)) == (401, "TOKEN_EXPIRED")


def test_rotation_leaves_both_good_until_the_overlap_ends(url: str, credential: Credential) -> None:
    new = actions.rotate_credential(SYSTEM, client_of(credential))
    old_token, new_token = (a_token(url, each) for each in (credential, new))
    assert [items(url, token).status_code for token in (old_token, new_token)] == [200, 200]
    last = actions.rotate_credential(SYSTEM, client_of(credential), dt.timedelta())
    assert problem(items(url, old_token)) == (401, "CREDENTIAL_ENDED")
    assert [ask_for_token(url, each).status_code for each in (credential, new, last)] == [401, 401, 200]


def test_what_ends_ends_at_once(url: str, credential: Credential) -> None:
    """An agreement, a client, a credential: a token that is out is worth no more than they are."""
    token, code = a_token(url, credential), client_of(credential)
    actions.end_agreement(SYSTEM, code, Scope.CATALOGUE, "test")
    assert problem(items(url, token)) == (403, "SCOPE_MISSING")
    agree(code, Scope.CATALOGUE)
    assert items(url, token).status_code == 200
    catalogue.suspend(SYSTEM, "client", code, "test")
    assert problem(items(url, token)) == (401, "CLIENT_SUSPENDED")
    assert ask_for_token(url, credential).status_code == 401
    catalogue.resume(SYSTEM, "client", code, "test")
    assert items(url, token).status_code == 200
    actions.withdraw_credential(SYSTEM, credential[0], "test")
    assert problem(items(url, token)) == (401, "CREDENTIAL_ENDED")


def test_the_allowance_is_one_for_all_processes(url: str, credential: Credential) -> None:
    """Forty requests at once over two processes: as many pass as were agreed, and each refusal says when to come."""
    agree(client_of(credential), Scope.CATALOGUE, per_minute=3)
    token = a_token(url, credential)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: items(url, token), range(40)))
    passed = [answer for answer in answers if answer.status_code == 200]
    # One more comes back each twenty seconds, on however slow a machine.
    assert 3 <= len(passed) <= 5
    refused = [answer for answer in answers if answer.status_code != 200]
    assert {problem(answer) for answer in refused} == {(429, "TOO_MANY_REQUESTS")}
    assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in refused)


def test_tokens_are_not_to_be_had_without_end(url: str, city: SmallCity, credential: Credential) -> None:
    """Each is a row, whatever it is asked for."""
    answers: list[httpx.Response] = []
    with ThreadPoolExecutor(8) as pool:
        # One more comes back each second, on however slow a machine.
        while len(answers) < 800 and not (refused := [answer for answer in answers if answer.status_code != 200]):
            answers += pool.map(lambda _: ask_for_token(url, credential), range(80))
    got = [answer for answer in answers if answer.status_code == 200]
    assert {problem(answer) for answer in refused} == {(429, "TOO_MANY_REQUESTS")}
    assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in refused)
    kept = city.one(
        "SELECT count(*) FROM oauth2_provider_accesstoken t JOIN sharing_credential c ON c.id = t.application_id"
        " WHERE c.client_id = $1",
        credential[0],
    )
    assert kept == len(got) >= 60


def test_one_clients_haste_is_not_anothers_loss(url: str, credential: Credential) -> None:
    a_client("C-CALM")
    agree("C-CALM", Scope.CATALOGUE)
    calm = a_token(url, actions.give_credential(SYSTEM, "C-CALM"))
    agree(client_of(credential), Scope.CATALOGUE, per_minute=1)
    hasty = a_token(url, credential)
    assert [items(url, hasty).status_code for _ in range(2)] == [200, 429]
    assert items(url, calm).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "refused"),
    [
        ("GET", "/nowhere", (404, "NO_SUCH_PATH")),
        ("GET", "/v1/nowhere", (404, "NO_SUCH_PATH")),
        ("DELETE", "/v1/items", (405, "METHOD_NOT_ALLOWED")),
        ("GET", "/v1/token", (405, "METHOD_NOT_ALLOWED")),
        ("PUT", "/v1/openapi.json", (405, "METHOD_NOT_ALLOWED")),
    ],
)
def test_what_is_not_there_is_a_problem_too(url: str, method: str, path: str, refused: tuple[int, str]) -> None:
    assert problem(httpx.request(method, url + path, timeout=20)) == refused


def test_another_host_name_is_refused(url: str) -> None:
    assert problem(httpx.get(f"{url}/v1/items", headers={"Host": "evil.example"}))[0] == 400
