"""Whoever may not open a route is refused, on every route: nobody, other roles, other residents.

What clients of the department API may not do is tested beside it, over its document: tests/api/test_api_openapi.py.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client, override_settings
from tests.foundation.web.city import settle
from tests.foundation.web.faces import a_resident_client, a_staff_client, an_officer, face
from tests.pages.addresses import PUBLIC, STAFF, Kind, Sample, Who, filled, routes

from onecard.console.access import ANY_OFFICER
from onecard.kernel.signins.models import User
from onecard.kernel.staff.roles import ROLES, Shipped

pytestmark = pytest.mark.django_db
RESIDENTS = (Who.RESIDENT, Who.WITHOUT_ECARD)
PERSONAL = {name: sample for name, sample in PUBLIC.items() if sample.who in RESIDENTS and not sample.known}
GUARDED = {name: sample for name, sample in STAFF.items() if sample.who is Who.OFFICER and not sample.known}
MARKS = {
    process: {str(route.name): str(getattr(route.callback, "permission", "")) for route in routes(process)}
    for process in ("public", "staff")
}


@pytest.fixture
def known() -> Iterator[dict[str, Any]]:
    cache.clear()
    yield settle()
    cache.clear()


def tried(client: Client, sample: Sample, known: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each way of asking for each of its addresses, with the answer."""
    for address in sample.addresses:
        path = filled(address, known)
        for method in ("get", "post"):
            answer = getattr(client, method)(path)
            if method == "post" or sample.kind is not Kind.POSTED or answer.status_code != 405:
                yield f"{method} {path}", answer


def leads_to_sign_in(answer: Any) -> bool:
    return bool(answer.status_code == 302 and answer["Location"].startswith("/sign-in/"))


@pytest.mark.parametrize(("process", "guarded"), [("public", PERSONAL), ("staff", GUARDED)])
def test_nobody_opens_what_takes_a_sign_in(process: str, guarded: dict[str, Sample], known: dict[str, Any]) -> None:
    with face(process):
        for sample in guarded.values():
            for asked, answer in tried(Client(), sample, known):
                assert leads_to_sign_in(answer), (asked, answer.status_code)


def test_nobody_opens_what_is_a_clients(known: dict[str, Any]) -> None:
    own = [PUBLIC[name] for name, mark in MARKS["public"].items() if mark == "client"]
    assert own
    with face("public"):
        for sample in own:
            for asked, answer in tried(Client(), sample, known):
                away = answer.status_code == 302 and answer["Location"].startswith("/dev/sign-in")
                assert away or answer.status_code == 404, (asked, answer.status_code)


def test_what_is_another_residents_does_not_exist(known: dict[str, Any]) -> None:
    named = [sample for sample in PERSONAL.values() if "{" in "".join(sample.addresses) and not sample.ours]
    assert named
    with face("public"):
        client = a_resident_client(User.objects.get(username="zhang"))
        for sample in named:
            for asked, answer in tried(client, sample, {**known, **known["others"]}):
                assert answer.status_code in (403, 404, 405), (asked, answer.status_code)


def test_a_role_opens_what_it_may_and_nothing_else(known: dict[str, Any]) -> None:
    wrong = []
    with face("staff"):
        for role in (*ROLES, Shipped("nothing", "", "", ())):
            held = [role.code] if role.permissions else []
            client = a_staff_client(an_officer(f"ma-{role.code}", *held, place=""))
            for name, sample in GUARDED.items():
                wrong += [f"{role.code}: {asked}" for asked in wrongly(client, name, sample, role.permissions, known)]
    assert wrong == []


def wrongly(
    client: Client, name: str, sample: Sample, permissions: tuple[str, ...], known: dict[str, Any]
) -> Iterator[str]:
    """What is opened to who lacks the route's permission, or refused to who holds it."""
    permission = MARKS["staff"][name]
    if permission == ANY_OFFICER or permission in permissions:
        opened = client.get(path := filled(sample.addresses[0], known))
        if sample.kind is Kind.PAGE and opened.status_code not in (200, 404):  # 404: what only its maker sees
            yield f"get {path}: {opened.status_code}"
        return
    for asked, answer in tried(client, sample, known):
        if answer.status_code != 403 or permission not in answer.content.decode():
            yield f"{asked}: {answer.status_code}"


def test_where_there_is_no_sandbox_nothing_is_lent(known: dict[str, Any]) -> None:
    lent = [PUBLIC[name] for name, mark in MARKS["public"].items() if mark == "sandbox"]
    assert lent
    with face("public"), override_settings(ONECARD_SANDBOX=""):
        for sample in lent:
            for asked, answer in tried(Client(), sample, known):
                assert answer.status_code == 404, asked
