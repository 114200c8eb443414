"""Suspending and resuming, pairing codes, and what each database role may do."""

import datetime as dt
import hashlib

import psycopg
import pytest
from psycopg import errors

from onecard.foundation import clock
from onecard.foundation.actors import Actor, system
from onecard.foundation.errors import BadInput, Conflict, NotFound, NotPermitted
from onecard.kernel.audit import queries as audit
from onecard.kernel.catalogue import actions
from onecard.kernel.catalogue.models import Client, Item, Pairing, Point, State, Terminal
from onecard.kernel.partners.models import Party, PartyKind

OFFICER = Actor("staff:5", frozenset({"catalogue.suspend", "catalogue.resume", "catalogue.pair"}), ("3206",))
EVERYWHERE = Actor("staff:6", OFFICER.permissions)
KINDS: dict[str, type[Client] | type[Point] | type[Terminal] | type[Item]] = actions.KINDS


@pytest.fixture
def bus(db: None) -> Terminal:
    """A terminal at a point of a client, and an item; each with its kind as its code."""
    party = Party.objects.create(code="bus", kind=PartyKind.OPERATOR, name_zh="公交", name_en="Bus", division="320600")
    client = Client.objects.create(code="client", party=party, name_zh="公交", name_en="Bus")
    point = Point.objects.create(
        code="point", client=client, operator=party, name_zh="1路", name_en="Line 1", division="320602"
    )
    Item.objects.create(code="item", field="transit", level="city", area="320600")
    return Terminal.objects.create(code="terminal", point=point)


@pytest.mark.parametrize("kind", KINDS)
def test_suspended_and_resumed_with_one_fact_each(bus: Terminal, kind: str) -> None:
    for _ in range(2):
        actions.suspend(EVERYWHERE, kind, kind, "repair")
    assert KINDS[kind].objects.get(code=kind).state == State.SUSPENDED
    for _ in range(2):
        actions.resume(EVERYWHERE, kind, kind, "repaired")
    assert KINDS[kind].objects.get(code=kind).state == State.ACTIVE
    facts = audit.facts_about(f"{kind}:{kind}")
    assert [(fact.verb, fact.reason) for fact in facts] == [
        ("catalogue.resume", "repaired"),
        ("catalogue.suspend", "repair"),
    ]


@pytest.mark.parametrize("verb", [actions.suspend, actions.resume])
@pytest.mark.parametrize("kind", KINDS)
def test_refusals_leave_everything_as_it_was(bus: Terminal, kind: str, verb: object) -> None:
    assert callable(verb)
    with pytest.raises(NotPermitted):
        verb(Actor("staff:7"), kind, kind, "x")
    with pytest.raises(BadInput, match="REASON_MISSING"):
        verb(EVERYWHERE, kind, kind, "  ")
    with pytest.raises(NotFound, match=f"{kind.upper()}_UNKNOWN"):
        verb(EVERYWHERE, kind, "nothing", "x")
    KINDS[kind].objects.filter(code=kind).update(state=State.ENDED)
    with pytest.raises(Conflict, match="ENDED"):
        verb(EVERYWHERE, kind, kind, "x")
    assert audit.facts_about(f"{kind}:{kind}") == []


@pytest.mark.parametrize("kind", ["point", "terminal"])
def test_a_point_and_its_terminals_belong_to_their_place(bus: Terminal, kind: str) -> None:
    actions.suspend(OFFICER, kind, kind, "repair")
    assert audit.facts_about(f"{kind}:{kind}")[0].place == "320602"
    with pytest.raises(NotPermitted, match="OUT_OF_SCOPE"):
        actions.resume(Actor("staff:8", OFFICER.permissions, ("3205",)), kind, kind, "x")


@pytest.mark.parametrize("kind", ["client", "item"])
def test_what_belongs_to_no_place_takes_an_officer_of_all(bus: Terminal, kind: str) -> None:
    with pytest.raises(NotPermitted, match="OUT_OF_SCOPE"):
        actions.suspend(OFFICER, kind, kind, "x")


def test_a_pairing_code_is_readable_and_stored_as_its_digest(bus: Terminal) -> None:
    code = actions.make_pairing_code(OFFICER, "terminal")
    assert len(code) == actions.PAIRING_CHARS
    assert not set(code) & set("01OIL")
    pairing = Pairing.objects.get()
    assert bytes(pairing.code_digest) == hashlib.sha256(code.encode()).digest()
    assert pairing.used_at is None
    assert abs(pairing.expires_at - clock.now() - actions.PAIRING_LIFE) < dt.timedelta(minutes=1)
    (fact,) = audit.facts_about(f"terminal:{bus.pk}")
    assert (fact.verb, fact.place) == ("catalogue.make_pairing_code", "320602")
    assert code not in str(fact.detail) + fact.reason
    assert actions.make_pairing_code(OFFICER, "terminal") != code


@pytest.mark.parametrize(
    ("actor", "code", "error"),
    [
        (Actor("staff:7"), "terminal", NotPermitted),
        (Actor("staff:7", OFFICER.permissions, ("3205",)), "terminal", NotPermitted),
        (OFFICER, "nothing", NotFound),
    ],
)
def test_a_pairing_code_takes_a_permission_and_a_terminal(
    bus: Terminal, actor: Actor, code: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        actions.make_pairing_code(actor, code)
    assert not Pairing.objects.exists()


def test_the_system_may_all_of_it(bus: Terminal) -> None:
    actions.suspend(system("test"), "client", "client", "x")
    actions.make_pairing_code(system("test"), "terminal")


REFUSED = {
    "public": ["UPDATE catalogue_item SET state = state", "SELECT key_sealed FROM catalogue_terminal_key",
               "SELECT * FROM catalogue_pairing", "INSERT INTO catalogue_offer DEFAULT VALUES"],
    "staff": ["UPDATE catalogue_item_version SET version = 2", "DELETE FROM catalogue_item",
              "SELECT key_sealed FROM catalogue_terminal_key", "UPDATE catalogue_pairing SET used_at = NULL"],
    "gateway": ["UPDATE catalogue_terminal SET state = state", "UPDATE catalogue_item SET state = state",
                "INSERT INTO catalogue_item_version DEFAULT VALUES", "DELETE FROM catalogue_pairing",
                "UPDATE catalogue_terminal_key SET key_sealed = ''", "UPDATE catalogue_pairing SET expires_at = now()",
                "INSERT INTO catalogue_pairing DEFAULT VALUES", "TRUNCATE catalogue_terminal_key"],
    "worker": ["UPDATE catalogue_item SET state = state", "SELECT key_sealed FROM catalogue_terminal_key"],
}  # fmt: skip


@pytest.mark.parametrize(("role", "statement"), [(role, each) for role, found in REFUSED.items() for each in found])
def test_what_a_role_may_not(urls: dict[str, str], role: str, statement: str) -> None:
    with psycopg.connect(urls[role]) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(statement)


def test_what_the_gateway_reads_in_a_group(urls: dict[str, str]) -> None:
    with psycopg.connect(urls["gateway"]) as gateway:
        gateway.execute("SELECT id, state FROM catalogue_client")
        gateway.execute("SELECT id, client_id, operator_id, division, state FROM catalogue_point")
        gateway.execute("SELECT id, code, point_id, state FROM catalogue_terminal")
        for table in ("item", "item_version", "offer", "terminal_key", "pairing"):
            gateway.execute(f"SELECT * FROM catalogue_{table}")
