"""A client's own matters at the department API, asked on its behalf: these pages pass on what the client proves itself
by and hold no right of their own.

The credential is exchanged for a token and forgotten. The token does these pages' matters and nothing else; it lies in
a cookie of these pages that no script reads, for as long as it is good, and nowhere here.
"""

import base64
import json
import os
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from onecard.developers import asking

URL: Final = "ONECARD_API_URL"
COOKIE: Final = "onecard_dev"
# What these pages do, each as far as it is agreed with the client.
SCOPES: Final = ("calls.read", "credentials.manage", "messages.manage")


class Pass(NamedTuple):
    """Who is signed in: the credential's id, and its token."""

    client_id: str
    token: str


class Told(NamedTuple):
    """What the API answered: a JSON value, and the trace to ask by."""

    status: int
    value: Any
    trace: str

    @property
    def problem(self) -> dict[str, Any] | None:
        """The refusal, where it is one."""
        return self.value if self.status >= 400 else None


class SignedOut(Exception):
    """The token is worth nothing any more."""


def is_there() -> bool:
    """Whether this node's pages know where the department API is."""
    parts = urlsplit(os.environ.get(URL, ""))
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def sign_in(client_id: str, secret: str) -> tuple[str, int] | None:
    """A token for what of these pages is agreed with a client, and for how many seconds; None where the credential is
    worth nothing, or nothing of it is agreed. Raises Unavailable API_SILENT.
    """
    proof = base64.b64encode(f"{quote(client_id, safe='')}:{quote(secret, safe='')}".encode()).decode()
    given = _token(proof, SCOPES)
    if given.status == 400:  # one of them is not agreed
        agreed = tuple(scope for scope in SCOPES if _token(proof, (scope,)).status == 200)
        given = _token(proof, agreed) if agreed else given
    return (given.value["access_token"], given.value["expires_in"]) if given.status == 200 else None


def _token(proof: str, scopes: tuple[str, ...]) -> Told:
    form = urlencode({"grant_type": "client_credentials", "scope": " ".join(scopes)}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": f"Basic {proof}"}
    return _told("POST", "/v1/token", form, headers)


def ask(who: Pass, path: str, **query: str) -> Told:
    """Read something of the client's own. Raises SignedOut, Unavailable API_SILENT."""
    asked = urlencode({name: value for name, value in query.items() if value})
    return _let_in(_told("GET", f"{path}?{asked}" if asked else path, None, _bearer(who)))


def write(who: Pass, path: str, content: dict[str, Any], key: str) -> Told:
    """Change something of the client's own, once under this key. Raises SignedOut, Unavailable API_SILENT."""
    headers = {**_bearer(who), "Content-Type": "application/json", "Idempotency-Key": key}
    return _let_in(_told("POST", path, json.dumps(content).encode(), headers))


def _bearer(who: Pass) -> dict[str, str]:
    return {"Authorization": f"Bearer {who.token}"}


def _let_in(told: Told) -> Told:
    if told.status == 401:
        raise SignedOut
    return told


def _told(method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Told:
    answer = asking.ask(os.environ.get(URL, ""), method, path, body, headers, asking.api_silent())
    try:
        return Told(answer.status, json.loads(answer.body), answer.trace)
    except ValueError:  # whatever stands in front of it answered instead
        raise asking.api_silent() from None


# --- the cookie -------------------------------------------------------------------------------------------------------


def remember(response: HttpResponse, who: Pass, lasts_s: int, *, secure: bool) -> None:
    """Have the browser keep a pass, for these pages alone and for as long as it is good."""
    response.set_cookie(
        COOKIE, signing.dumps(who, salt=COOKIE), max_age=lasts_s, path=reverse("dev_home"), httponly=True,
        samesite="Strict", secure=secure,
    )  # fmt: skip


def forget(response: HttpResponse) -> None:
    """Have the browser throw the pass away."""
    response.delete_cookie(COOKIE, path=reverse("dev_home"), samesite="Strict")


def remembered(request: HttpRequest) -> Pass | None:
    """Who is signed in at these pages, as this process wrote it."""
    try:
        return Pass(*signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE))
    except (signing.BadSignature, TypeError):
        return None
