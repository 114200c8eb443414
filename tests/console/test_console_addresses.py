"""Odd values in addresses and forms: whatever somebody writes there, a page answers in words."""

from urllib.parse import quote

import pytest
from django.test import Client
from tests.foundation.web.faces import a_staff_client, an_officer, the_catalogue

from onecard.kernel.staff.models import Officer
from onecard.kernel.staff.roles import ROLES

pytestmark = pytest.mark.django_db
ODD = ("\0", "a\0b", "😀", "１２", "%", "_", "' OR 1=1 --", "x" * 5_000, "-1", "9" * 400, "2026-02-30")
DAYS = ("0001-01-01", "1969-12-31", "1970-01-01", "9999-12-31", "2026-11-22")
TEXTS = {
    "/points/": ("code", "place", "state", "after"),
    "/terminals/": ("code", "place", "state", "after"),
    "/uses/": ("from", "to", "point", "item", "verdict", "line", "before"),
    "/items/": ("text", "field", "level", "state", "stage", "after"),
    "/items/transit.bus_ride/": ("before",),
    "/items/transit.bus_ride/difference/": ("from", "to"),
    "/items/transit.bus_ride/points/": ("after",),
    "/items/transit.bus_ride/points/stopped/": ("point",),
    "/what-if/": ("item", "point"),
    "/legal-bases/": ("after",),
    "/accounts/": ("ledger", "role", "after"),
    "/concessions/": ("from", "to"),
    "/officers/": ("text", "state", "role", "after"),
    "/audit/": ("actor", "subject", "verb", "from", "to", "before"),
    "/risks/": ("kind", "severity", "state", "before"),
}
CODES = (
    "/items/{}/", "/items/{}/suspend/", "/items/{}/points/", "/items/{}/points/new/", "/items/{}/points/stopped/",
    "/items/{}/versions/1/", "/items/{}/versions/1.toml", "/items/{}/versions/1.json", "/items/{}/difference/",
    "/legal-bases/{}/",
)  # fmt: skip


@pytest.fixture
def officer() -> Officer:
    the_catalogue()
    return an_officer("zhou", *(role.code for role in ROLES), place="")


@pytest.fixture
def client(officer: Officer) -> Client:
    made = a_staff_client(officer)
    made.raise_request_exception = False
    return made


def test_lists_take_any_value_of_their_filters(client: Client) -> None:
    asked = [f"{path}?{name}={quote(odd)}" for path, names in TEXTS.items() for name in names for odd in ODD]
    assert {path: status for path in asked if (status := client.get(path).status_code) != 200} == {}


def test_lists_of_days_take_any_day(client: Client) -> None:
    lists = ("/uses/", "/concessions/", "/concessions.csv", "/audit/")
    asked = [f"{path}?from={first}&to={last}" for path in lists for first in DAYS for last in DAYS]
    assert {path: status for path in asked if (status := client.get(path).status_code) != 200} == {}
    assert client.post("/exports/", {"from": "0001-01-01", "to": "9999-12-31", "point": "\0"}).status_code == 302


def test_what_no_code_names_is_not_found(client: Client) -> None:
    asked = [path.format(quote(odd, safe="")) for path in CODES for odd in ODD if odd != "%"]
    assert {path: status for path in asked if (status := client.get(path).status_code) != 404} == {}


def test_a_role_that_no_code_names_is_not_withdrawn(client: Client, officer: Officer) -> None:
    other = an_officer("li", "clerk")
    for odd in ODD:
        answer = client.post(f"/officers/{other.pk}/roles/withdrawn/", {"role": odd, "place": "3206"})
        assert answer.status_code == 404, odd
    answer = client.post(f"/officers/{other.pk}/roles/withdrawn/", {"role": "clerk", "place": "\0"})
    assert answer.status_code == 302
