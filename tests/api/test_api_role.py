"""What the API's database role may not, whoever takes the process over; and lists that cost the same however long."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.foundation.web.faces import a_resident, a_use, face, the_catalogue
from tests.kernel.cards.builders import a_card
from tests.kernel.sharing.builders import SYSTEM, a_basis, agree

from onecard.api.app import _document as drawn
from onecard.kernel.catalogue.models import Client as System
from onecard.kernel.catalogue.models import Point, Terminal
from onecard.kernel.holders.models import Holder
from onecard.kernel.sharing import actions, pseudonyms
from onecard.kernel.sharing.scopes import Scope
from onecard_kit.verdicts import Verdict

CODE = "nt-bus"


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT name_sealed FROM holders_holder",
        "SELECT number_sealed FROM holders_holder",
        "SELECT birth_date FROM holders_holder",
        "SELECT id FROM holders_class",
        "SELECT id FROM signins_user",
        "SELECT token FROM cards_account",
        "SELECT private_sealed FROM ecards_key",
        "SELECT id FROM ecards_device",
        "SELECT key_sealed FROM catalogue_terminal_key",
        "SELECT detail FROM audit_fact",
        "SELECT free_fen FROM ledger_balance",
        "UPDATE cards_card SET state = 'active'",
        "UPDATE cards_standing SET card_state = 'active'",
        "INSERT INTO uses_use (id) VALUES (gen_random_uuid())",
        "UPDATE sharing_credential SET client_secret = 'x'",
        "UPDATE sharing_credential SET owner_id = 1",
        "DELETE FROM sharing_credential",
        "UPDATE sharing_call SET status = 200",
        "DELETE FROM sharing_call",
        "UPDATE catalogue_client SET state = 'active'",
        "SELECT token FROM uses_bank_order",
        "INSERT INTO uses_bank_order (id) VALUES (gen_random_uuid())",
        "INSERT INTO ledger_transfer (id) VALUES (gen_random_uuid())",
        "UPDATE ledger_balance SET free_fen = 0",
        "INSERT INTO ledger_account (owner) VALUES ('x')",
        "UPDATE messages_endpoint SET url = 'https://x.example'",
        "INSERT INTO messages_endpoint (receiver) VALUES ('x')",
        "SELECT uses_reverse(gen_random_uuid())",
        "SELECT uses_open_debts(ARRAY[1])",
        "SELECT ledger_open(ARRAY['x'], 'holder.purse', 'purse', true, NULL)",
        "SELECT ledger_fold_accounts()",
        "SELECT ledger_post(ARRAY[gen_random_uuid()], ARRAY[1], ARRAY[2], ARRAY[1], ARRAY['posted'], ARRAY['refund'],"
        " ARRAY[NULL::uuid], ARRAY[NULL::timestamptz], ARRAY[NULL::uuid])",
        "SELECT ledger_post_one(gen_random_uuid(), 1, 2, 1, 'refund', NULL)",
        "SELECT uses_refused(ARRAY[gen_random_uuid()], ARRAY[1], ARRAY[2], ARRAY[1], 'refund', gen_random_uuid())",
    ],
)
def test_the_role_may_not(urls: dict[str, str], statement: str) -> None:
    with psycopg.connect(urls["api"]) as connected, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connected.execute(statement.encode())


@pytest.fixture
def bus(db: None) -> Iterator[Client]:
    """The bus company's system, inside the test's process and its transaction."""
    the_catalogue()
    a_basis()
    agree(CODE, *Scope)
    credential, secret = actions.give_credential(SYSTEM, CODE)
    with face("api"):
        asked = {"grant_type": "client_credentials", "client_id": credential, "client_secret": secret}
        answer = Client().post("/v1/token", "&".join(f"{k}={v}" for k, v in asked.items()), FORM)
        yield Client(headers={"Authorization": f"Bearer {json.loads(answer.content)['access_token']}"})


FORM = "application/x-www-form-urlencoded"


def cost(client: Client, path: str) -> tuple[int, dict[str, Any]]:
    """How many statements an answer takes, and the answer."""
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path)
    assert answer.status_code == 200, answer.content
    return len(queries), json.loads(answer.content)


def test_a_list_of_uses_costs_the_same_however_many(bus: Client) -> None:
    stop = Point.objects.get(code="nt-bus-1")
    _, first = a_resident("zhang")
    a_terminal_of(stop)
    a_use(first, stop, Verdict.ADMITTED)
    few, told = cost(bus, "/v1/uses")
    assert len(told["uses"]) == 1
    for n in range(2, 6):
        _, card = a_resident(f"resident{n}", sequence=n)
        for _ in range(3):
            a_use(card, stop, Verdict.ADMITTED)
    many, told = cost(bus, "/v1/uses")
    assert (len(told["uses"]), many) == (13, few)
    assert len({use["holder"] for use in told["uses"]}) == 5


def a_terminal_of(stop: Any) -> None:
    """The terminal under whose id `a_use` writes."""
    Terminal.objects.create(pk=1, code="nt-bus-1-1", point=stop)


def test_lists_of_items_and_cards_cost_the_same_however_many(bus: Client) -> None:
    few, told = cost(bus, "/v1/items?limit=1")
    assert (len(told["items"]), told["next"]) == (1, told["items"][0]["code"])
    many, told = cost(bus, "/v1/items?limit=500")
    assert len(told["items"]) > 10
    assert (many, told["next"]) == (few, None)
    one, told = cost(bus, "/v1/items/transit.bus_ride/versions")
    assert one <= few + 1
    user, _ = a_resident("li", sequence=9)
    assert user.holder_id is not None
    name = pseudonyms.of_holder(System.objects.get(code=CODE).pk, user.holder_id)
    one, told = cost(bus, f"/v1/holders/{name}/cards")
    for _ in range(3):
        a_card(holder=Holder.objects.get(pk=user.holder_id))
    several, more = cost(bus, f"/v1/holders/{name}/cards")
    assert (len(told["cards"]), len(more["cards"]), several) == (1, 4, one)


def test_a_cursor_of_versions_is_written_in_one_way(bus: Client) -> None:
    """What is 10 to one reader and no number to another is a typing mistake."""
    path = "/v1/items/transit.bus_ride/versions?after="
    assert [each["version"] for each in cost(bus, f"{path}{10**18 - 1}")[1]["items"]] == [1]
    for written in ("1_0", "1.0", "%201", "%2B1", "01", "0", "-1", "1e1", str(10**18)):
        assert bus.get(path + written).status_code == 400, written


def test_the_log_repeats_no_path(bus: Client, caplog: pytest.LogCaptureFixture) -> None:
    """A path may name a holder, or break the line."""
    with caplog.at_level(logging.INFO):
        for path in ("pseudonyms/990601194805061235", "items/x%0A2026-01-01 forged", f"holders/{'a' * 26}/cards"):
            assert bus.get(f"/v1/{path}").status_code in (400, 404)
    ours = [each.getMessage() for each in caplog.records if each.name == "onecard.api"]
    assert [line.split()[1:] for line in ours] == [
        ["-", "GET", "-", "404"],
        [CODE, "GET", "v1/items/<code>", "400"],
        [CODE, "GET", "v1/holders/<holder>/cards", "404"],
    ]
    with face("api"):
        assert settings.LOGGING["loggers"]["django.request"] == {"level": "ERROR"}


def test_the_document_is_drawn_once(bus: Client) -> None:
    """Anyone may ask for it, and drawing it takes a second."""
    first, second = (bus.get("/v1/openapi.json").content for _ in range(2))
    assert json.loads(first)["openapi"] == "3.1.0"
    assert first == second
    assert drawn.cache_info().misses == 1
