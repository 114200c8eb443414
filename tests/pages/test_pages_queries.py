"""A page asks the database as often for a long list as for a short one: every page, with few rows and with many."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.foundation.web.city import settle
from tests.foundation.web.faces import (
    SYSTEM,
    a_registered_holder,
    a_resident_client,
    a_risk,
    a_staff_client,
    a_use,
    an_officer,
    face,
)
from tests.kernel.cards.builders import a_card
from tests.pages.addresses import HERE, TABLES, Kind, Sample, Who, filled

from onecard.foundation.actors import Actor
from onecard.foundation.ids import uuid7
from onecard.kernel.cards.models import Card
from onecard.kernel.catalogue import actions as catalogue
from onecard.kernel.catalogue.models import Client as CallingClient
from onecard.kernel.catalogue.models import Item, ItemVersion, Point, Terminal
from onecard.kernel.holders import queries as holders
from onecard.kernel.ledger import actions as ledger
from onecard.kernel.ledger.queries import account_of
from onecard.kernel.ledger.rules import Ledger, Transfer
from onecard.kernel.sharing import endpoints
from onecard.kernel.sharing.models import EndpointRequest
from onecard.kernel.signins.models import User
from onecard.kernel.staff.models import Officer
from onecard.kernel.staff.queries import actor_of
from onecard.kernel.uses import exports, figures
from onecard.kernel.uses.listing import Wanted
from onecard_kit.verdicts import Verdict

pytestmark = pytest.mark.django_db
MORE = 4
ROW = re.compile(r"<tr|<li|<article")


@pytest.fixture
def known() -> Iterator[dict[str, Any]]:
    cache.clear()
    yield settle()
    cache.clear()


def grow(known: dict[str, Any]) -> None:
    """More of everything that a list shows."""
    card, stop = Card.objects.get(pk=known["card"]), Point.objects.get(pk=known["point"])
    zhou = actor_of(User.objects.get(username="zhou"))
    for n in range(MORE):
        use = a_use(card, stop, Verdict.ADMITTED, paid_fen=100, concession="senior_70")
        a_use(card, stop, Verdict.FUNDS_SHORT)
        a_card(holder=a_registered_holder(sequence=50 + n))
        point = Point.objects.create(
            code=f"nt-bus-more-{n}", client=stop.client, operator=stop.operator, name_zh="又一站", name_en="One more",
            division="320602",
        )  # fmt: skip
        catalogue.offer(SYSTEM, point.code, "transit.bus_ride")
        Terminal.objects.create(code=f"NT-BUS-M{n}", point=point)
        a_risk("two_places", f"card:{card.pk}", use, km=138, seconds=60)
        holders.reveal(zhou, card.holder_id, ["phone"], f"第{n}次核对")
        holders.reveal(Actor(f"holder:{card.holder_id}"), card.holder_id, ["phone"], f"第{n}次自己查看")
        an_officer(f"he-{n}", "clerk")
        _an_item(f"transit.more_{n}")
        _a_client(f"nt-more-{n}", known["client"])
        _move(card.holder_id, stop.operator_id, known["account"], n)
    exports.ask(zhou, ["3206"], Wanted(item="transit.bus_ride"), "zh")
    figures.count()


def _an_item(code: str) -> None:
    """Another item, which says in a draft what the bus says."""
    bus = Item.objects.get(pk="transit.bus_ride")
    item = Item.objects.create(code=code, field=bus.field, level=bus.level, area=bus.area)
    said = ItemVersion.objects.filter(item=bus).values("starts_on", "declaration", "digest")[0]
    ItemVersion.objects.create(item=item, version=1, **said)


def _a_client(code: str, known_id: int) -> None:
    """Another client, and more of everything of one that is known."""
    known = CallingClient.objects.get(pk=known_id)
    made = CallingClient.objects.create(code=code, party=known.party, name_zh="又一系统", name_en="One more")
    for client in (known, made):
        EndpointRequest.objects.create(client=client, url=f"https://{code}.example/asked", kinds=["ping"])
        endpoints.add(SYSTEM, client.code, f"https://{code}.example/onecard", ["ping"])


def _move(holder_id: int, operator_id: int, treasury: int, n: int) -> None:
    [other] = ledger.open_accounts([f"party:{operator_id}"], f"more.{n}", Ledger.TREASURY, limited=False)
    purse = account(f"holder:{holder_id}", "holder.purse")
    bank = account(f"party:{operator_id}", "bank.clearing")
    moved = [Transfer(uuid7(), treasury, other, 100, "concession", reference=UUID(int=n + 1))]
    moved.append(Transfer(uuid7(), bank, purse, 100, "opening"))
    assert ledger.post(moved) == {}


def account(owner: str, role: str) -> int:
    found = account_of(owner, role, Ledger.PURSE)
    assert found is not None
    return found.id


def looked_at(
    clients: dict[Who, Client], table: dict[str, Sample], known: dict[str, Any]
) -> dict[str, tuple[int, int]]:
    """How often each page asks, and how many rows it shows; a page is opened before, so that nothing is new to it."""
    found = {}
    for name, sample in table.items():
        if sample.kind is not Kind.PAGE or sample.who not in clients:
            continue
        path, client = filled(sample.addresses[0], known), clients[sample.who]
        client.get(path)
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(path)
        found[name] = len(queries), len(ROW.findall(answer.content.decode()))
    return found


def users(process: str) -> dict[Who, Client]:
    if process == "public":
        return {Who.NOBODY: Client(), Who.RESIDENT: a_resident_client(User.objects.get(username="zhang"))}
    return {Who.OFFICER: a_staff_client(Officer.objects.get(user__username="zhou"))}


@pytest.mark.parametrize("process", sorted(TABLES))
def test_every_page_asks_as_often_for_many_rows_as_for_few(process: str, known: dict[str, Any]) -> None:
    with face(process):
        clients = users(process)
        few = looked_at(clients, TABLES[process], known)
        grow(known)
        many = looked_at(clients, TABLES[process], known)
    asked = {name: (few[name][0], many[name][0]) for name in few}
    assert {name: each for name, each in asked.items() if each[0] != each[1]} == {}
    shown = {name: (few[name][1], many[name][1]) for name, sample in TABLES[process].items() if sample.grows}
    same = [name for name, (before, after) in shown.items() if after <= before]
    assert not same, f"{same} show no more than before: let grow() make more of it, or see {HERE}"
