"""The API as a real process with its own database role, and a client's system that speaks to it as a stranger would."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from tests.server_process import ServerProcess

Environment = Callable[[str], dict[str, str]]


@contextmanager
def an_api(environment_for: Environment, url: str, workers: int = 1) -> Iterator[str]:
    """The address of an API that serves a database."""
    environment = {**environment_for(url), "DJANGO_SETTINGS_MODULE": "onecard.settings.api"}
    api = ServerProcess(
        "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--workers", str(workers), "--blocking-threads", "4",
        "--log-level", "warning", "--no-access-log", "onecard.urls.api:application", environment=environment,
    )  # fmt: skip
    api.start()
    try:
        yield api.url
    finally:
        api.stop()


def ask_for_token(url: str, credential: tuple[str, str], *scopes: str) -> httpx.Response:
    """What the token endpoint says to a credential that asks for some scopes, or for all there are."""
    asked = {"grant_type": "client_credentials", **({"scope": " ".join(scopes)} if scopes else {})}
    return httpx.post(f"{url}/v1/token", data=asked, auth=credential, timeout=20)


def a_token(url: str, credential: tuple[str, str], *scopes: str) -> str:
    answer = ask_for_token(url, credential, *scopes)
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token


@contextmanager
def a_system(url: str, credential: tuple[str, str], *scopes: str) -> Iterator[httpx.Client]:
    """A client's system with a token for some scopes, or for all there are."""
    bearer = {"Authorization": f"Bearer {a_token(url, credential, *scopes)}"}
    with httpx.Client(base_url=f"{url}/v1", headers=bearer, timeout=20) as client:
        yield client


def problem(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal, which has both languages and a trace."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    told: dict[str, Any] = response.json()
    assert told["status"] == response.status_code
    assert told["trace"] == response.headers["x-trace"]
    assert told["detail"]["zh"]
    assert told["detail"]["en"] == told["title"]
    return response.status_code, told["code"]
