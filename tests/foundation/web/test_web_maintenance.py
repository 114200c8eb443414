"""With the database gone every process still answers in words: pages without scripts, problems for programs; and each
comes back with it.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import sql
from tests.cluster import Cluster
from tests.foundation.web.live import serving

pytestmark = pytest.mark.processes
PROCESSES = ("public", "staff", "api")
COOKIES = {"public": "onecard_public", "staff": "onecard_staff"}


@contextmanager
def stopped(admin_url: str, name: str) -> Iterator[None]:
    """Nobody gets into the database, and who was in is out: what processes see while a server restarts."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        allow = sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}")
        admin.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
        try:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
            yield
        finally:
            admin.execute(allow.format(sql.Identifier(name), sql.SQL("true")))


def get(home: str, path: str, cookie: str = "") -> httpx.Response:
    headers = {"Cookie": f"{cookie}={'a' * 32}"} if cookie else {}
    return httpx.get(home + path, headers=headers, trust_env=False, timeout=60)


def page_of(response: httpx.Response) -> str:
    """A page that needs no script and no session."""
    text = response.text
    assert 'id="live"' in text
    assert "<script" not in text
    return text


def test_with_the_database_gone(
    postgres: Cluster, template: str, environment_for: Callable[[str], dict[str, str]], tmp_path: Path
) -> None:
    name = f"onecard_gone_{secrets.token_hex(4)}"
    urls = postgres.create(name, template)
    own = {"ONECARD_STATIC": str(tmp_path), "ONECARD_DEMO": "1"}
    try:
        with serving({process: environment_for(urls[process]) | own for process in PROCESSES}) as homes:
            signed_in = {process: (homes[process], "/", cookie) for process, cookie in COOKIES.items()}
            assert {get(*each).status_code for each in signed_in.values()} <= {200, 302}
            with stopped(postgres.admin_url, name):
                _pages(homes, signed_in)
                _problems(homes["api"])
            assert {get(*each).status_code for each in signed_in.values()} <= {200, 302}
    finally:
        postgres.drop(name)


def _pages(homes: dict[str, str], signed_in: dict[str, tuple[str, str, str]]) -> None:
    for home, path, cookie in signed_in.values():
        away = get(home, path, cookie)
        assert away.status_code == 503
        assert away.headers["Retry-After"] == "30"
        assert "系统维护中" in page_of(away)
        assert "Down for maintenance" in page_of(get(home, "/?lang=en", cookie))
    for process, path in (("public", "/sign-in/"), ("staff", "/sign-in/")):
        lost = get(homes[process], "/nowhere/")
        assert lost.status_code == 404
        assert "找不到页面" in page_of(lost)
        forged = httpx.post(homes[process] + path, data={"login": "x"}, trust_env=False, timeout=60)
        assert forged.status_code == 403
        assert "页面已过期" in page_of(forged)


def _problems(home: str) -> None:
    """As RFC 9457 says them, also to who shows a token that cannot be looked up."""
    asked = httpx.get(f"{home}/v1/items", headers={"Authorization": "Bearer x"}, trust_env=False, timeout=60)
    lost = get(home, "/v1/nowhere")
    assert (asked.status_code, lost.status_code) == (503, 404)
    for answer in (asked, lost):
        assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert asked.json()["code"] == "DATABASE_AWAY"
