"""What a client learns of a holder: under its own name for them, as it is agreed, and never without a fact."""

from typing import Any

import httpx
import pytest
from tests.api.office import Office, System
from tests.api.process import problem
from tests.kernel.sharing.builders import SYSTEM

from onecard.foundation import keys
from onecard.kernel.cards import actions as cards
from onecard.kernel.ecards import actions as ecards
from onecard.kernel.holders import loading
from onecard.kernel.holders.models import Holder
from onecard.kernel.sharing import disclosures
from onecard.kernel.sharing.scopes import Scope

pytestmark = pytest.mark.processes


def number_of(holder: Holder) -> str:
    return loading.open_field(keys.load("identity"), "number", holder.pk, holder.number_sealed)


def identify(client: httpx.Client, **number: str) -> str:
    answer = client.post("/pseudonyms", json=number)
    assert answer.status_code == 200, answer.text
    name: str = answer.json()["holder"]
    return name


def test_both_numbers_give_the_same_name_and_each_client_has_another(office: Office) -> None:
    holder, card = office.a_holder()
    one, other = office.a_system(), office.a_system()
    with one.speaking() as first, other.speaking() as second:
        name = identify(first, identity_number=number_of(holder))
        assert identify(first, card_number=card.number) == name
        assert identify(first, identity_number=f" {number_of(holder).lower()} ") == name
        theirs = identify(second, card_number=card.number)
        assert theirs != name
        assert first.get(f"/holders/{name}/cards").status_code == 200
        assert problem(first.get(f"/holders/{theirs}/cards")) == (404, "HOLDER_UNKNOWN")
        assert problem(second.get(f"/holders/{name}/cards")) == (404, "HOLDER_UNKNOWN")


def test_the_holder_sees_who_asked_and_what_for(office: Office) -> None:
    holder, card = office.a_holder()
    system = office.a_system(purpose_zh="挂号核对", purpose_en="Checks at registration")
    with system.speaking() as client:
        name = identify(client, card_number=card.number)
        client.get(f"/holders/{name}/cards")
    told = office.facts("sharing.disclose", f"holder:{holder.pk}")
    assert [(actor, reason, detail["scope"]) for actor, reason, detail in told] == [
        (f"client:{system.code}", "挂号核对", "holders.identify"),
        (f"client:{system.code}", "挂号核对", "cards.read"),
    ]
    assert number_of(holder) not in str(told)
    assert card.number not in str(told)
    seen = disclosures.of_holder(holder.pk)
    assert [(each.agreement.client.code, each.agreement.scope, each.agreement.purpose_en) for each in seen] == [
        (system.code, "cards.read", "Checks at registration"),
        (system.code, "holders.identify", "Checks at registration"),
    ]


def test_whoever_is_refused_learns_nothing_and_leaves_no_fact(office: Office) -> None:
    holder, card = office.a_holder()
    system = office.a_system(Scope.CATALOGUE)
    with system.speaking() as client:
        for answer in (
            client.post("/pseudonyms", json={"card_number": card.number}),
            client.get("/holders/" + "a" * 26 + "/cards"),
        ):
            assert problem(answer) == (403, "SCOPE_MISSING")
    assert office.facts("sharing.disclose", f"holder:{holder.pk}") == []


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        ({"card_number": "Z99999999"}, (404, "HOLDER_UNKNOWN")),
        ({"identity_number": "990601194805061235"}, (404, "HOLDER_UNKNOWN")),
        ({"identity_number": "not a number at all"}, (404, "HOLDER_UNKNOWN")),
        ({"identity_number": ""}, (404, "HOLDER_UNKNOWN")),
        ({}, (400, "ONE_NUMBER")),
        ({"card_number": "A00000001", "identity_number": "1"}, (400, "ONE_NUMBER")),
        ({"card": "A00000001"}, (400, "REQUEST_MALFORMED")),
        ({"card_number": 1}, (400, "REQUEST_MALFORMED")),
        ({"card_number": "A\0"}, (400, "REQUEST_MALFORMED")),
        ({"card_number": "x" * 201}, (400, "REQUEST_MALFORMED")),
        ([], (400, "REQUEST_MALFORMED")),
        ("x", (400, "REQUEST_MALFORMED")),
    ],
)
def test_a_number_that_is_nobodys_tells_nothing(office: Office, asked: Any, refused: tuple[int, str]) -> None:
    with office.a_system().speaking() as client:
        assert problem(client.post("/pseudonyms", json=asked)) == refused


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"card_number": "\\ud800"}', b"[" * 3_000, b"x" * 20_000])
def test_a_body_that_is_no_json_is_refused(office: Office, body: bytes) -> None:
    with office.a_system().speaking() as client:
        answer = client.post("/pseudonyms", content=body, headers={"Content-Type": "application/json"})
        assert problem(answer) in {(400, "REQUEST_MALFORMED"), (413, "REQUEST_TOO_LARGE")}


def cards_of(system: System, number: str) -> dict[str, Any]:
    with system.speaking() as client:
        name = identify(client, card_number=number)
        told: dict[str, Any] = client.get(f"/holders/{name}/cards").json()
        assert told["holder"] == name
        return told


def test_the_status_follows_the_card(office: Office) -> None:
    _, card = office.a_holder()
    system = office.a_system()
    told = cards_of(system, card.number)
    assert (told["usable"], len(told["cards"])) == (True, 1)
    [shown] = told["cards"]
    assert shown["state"] == {"code": "active", "zh": "正常", "en": "Active"}
    assert shown["functions"]["transit"]["code"] == "active"
    assert shown["functions"]["financial"]["code"] == "inactive"
    assert (shown["issuing_place"], shown["generation"], shown["usable"], shown["ecard"]) == ("320600", 3, True, False)
    assert card.number not in str(told)
    ecards.sign_up(SYSTEM, card.pk)
    assert cards_of(system, card.number)["cards"][0]["ecard"] is True
    cards.report_lost(SYSTEM, card.pk, "temporary")
    told = cards_of(system, card.number)
    assert (told["usable"], told["cards"][0]["state"]["code"]) == (False, "temp_lost")


@pytest.mark.parametrize(
    "body",
    [
        b'{"card_number": "A1", "card_number": "A2"}',
        '{"card_number": "A1"}'.encode("utf-16"),
        '{"card_number": "张"}'.encode("gbk"),
        b'{"card_number": NaN}',
        b'{"card_number": "A1"} {}',
        b"[" * 8_000 + b"]" * 8_000,
        b'{"card_number": ' + b"9" * 10_000 + b"}",
    ],
    ids=["key_twice", "utf_16", "gbk", "nan", "more_after_it", "deep", "long_number"],
)
def test_a_body_that_two_readers_might_read_in_two_ways_is_refused(office: Office, body: bytes) -> None:
    with office.a_system(Scope.IDENTIFY).speaking() as client:
        headers = {"Content-Type": "application/json"}
        assert problem(client.post("/pseudonyms", content=body, headers=headers)) == (400, "REQUEST_MALFORMED")


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml"],
)
def test_a_body_says_that_it_is_json(office: Office, kind: str) -> None:
    """Another kind may be sent by a page in a browser without asking first, and read in another way by who stands
    between.
    """
    system = office.a_system(Scope.IDENTIFY)
    _, card = office.a_holder()
    body = f'{{"card_number": "{card.number}"}}'.encode()
    with system.speaking() as client:
        assert problem(client.post("/pseudonyms", content=body, headers={"Content-Type": kind})) == (
            415, "BODY_NOT_JSON",
        )  # fmt: skip
        for own in ("application/json", "Application/JSON; charset=utf-8"):
            assert client.post("/pseudonyms", content=body, headers={"Content-Type": own}).status_code == 200
