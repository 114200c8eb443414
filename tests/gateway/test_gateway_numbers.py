"""Read-aloud numbers over real HTTP: a phone asks for one, staff type it, and strangers who try numbers are stopped."""

import hashlib

import httpx
import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.gateway.process import send, verdict
from tests.kernel.cards.roles import django_as
from tests.small_city import Card, SmallCity, Terminal

from onecard.foundation.actors import Actor
from onecard.kernel.ecards import actions as ecards
from onecard.kernel.ecards import ties
from onecard_kit import codes, numbers
from onecard_kit.presentation import Presentation

pytestmark = pytest.mark.processes

DESK = """
code = "culture.reader_desk"
version = 1
starts_on = 2020-01-01
name = { zh = "读者服务台", en = "Reader desk" }
legal_basis = ["test"]
media = ["code", "card", "number"]
"""
ITEM = "culture.reader_desk"


@pytest.fixture(scope="module")
def city(city: SmallCity) -> SmallCity:
    city.an_item(DESK)
    return city


@pytest.fixture(scope="module")
def point(city: SmallCity) -> int:
    return city.a_point(ITEM, city.library)


@pytest.fixture
def desk(city: SmallCity, point: int) -> Terminal:
    return city.a_terminal(point=point, attended=True)


@pytest.fixture
def card(city: SmallCity) -> Card:
    """A card whose holder has a phone."""
    made = city.a_card()
    city.enrol(made, hashlib.sha256(made.number.encode()).digest())
    return made


def ask(http: httpx.Client, card: Card) -> httpx.Response:
    """The phone asks for a number."""
    return http.post("/v1/numbers", headers={"authorization": f"Bearer {card.number}"})


def a_number(http: httpx.Client, card: Card) -> str:
    number: str = ask(http, card).json()["number"]
    return number


def nobodys(n: int) -> str:
    """A number that nobody was given: the last to be drawn, should all be."""
    return numbers.number_of(numbers.RANDOM - 1 - n)


def say(http: httpx.Client, desk: Terminal, number: str, item: str = ITEM, sequence: int | None = None) -> str:
    """Staff type a number: the verdict."""
    return verdict(send(http, desk, {"item": item, "number": number}, sequence=sequence))


def test_a_number_is_read_aloud_once(http: httpx.Client, card: Card, desk: Terminal) -> None:
    told = ask(http, card).json()
    assert told["expires"] - told["server_time"] == 180
    assert numbers.read(told["number"]) == told["number"]
    sequence = desk.next()
    first = send(http, desk, {"item": ITEM, "number": numbers.grouped(told["number"])}, sequence=sequence).json()
    assert (first["admitted"], first["repeated"]) == (True, False)
    again = send(http, desk, {"item": ITEM, "number": told["number"]}, sequence=sequence).json()
    assert (again["use"], again["repeated"]) == (first["use"], True)
    assert say(http, desk, told["number"]) == "REPLAYED"


def test_a_new_number_takes_the_place_of_the_last(http: httpx.Client, card: Card, desk: Terminal) -> None:
    last, new = a_number(http, card), a_number(http, card)
    assert [say(http, desk, each) for each in (last, new)] == ["NUMBER_UNKNOWN", "ADMITTED"]


def test_a_number_lapses(city: SmallCity, http: httpx.Client, card: Card, desk: Terminal) -> None:
    number = a_number(http, card)
    city.run("UPDATE ecards_number SET expires_at = now() WHERE ecard_id = $1", card.serial)
    assert say(http, desk, number) == "NUMBER_EXPIRED"


def test_only_staff_take_it_and_only_for_items_that_name_it(
    city: SmallCity, http: httpx.Client, card: Card, desk: Terminal, point: int
) -> None:
    number = a_number(http, card)
    assert say(http, city.a_terminal(point=point), number) == "NOT_ATTENDED"
    paid = send(http, city.a_terminal(attended=True), {"item": "transit.bus_ride", "number": number}).json()
    assert paid["verdict"]["code"] == "MEDIUM_NOT_ACCEPTED"
    # A refusal is the same whether the number is somebody's or not.
    stranger = send(http, city.a_terminal(attended=True), {"item": "transit.bus_ride", "number": nobodys(0)}).json()
    assert {**paid, "use": ""} == {**stranger, "use": ""}
    assert paid["balance_fen"] is None
    assert say(http, desk, number) == "ADMITTED"  # none of these used it up


def test_whose_card_is_lost_gets_no_number_and_an_earlier_one_is_refused(
    city: SmallCity, http: httpx.Client, card: Card, desk: Terminal
) -> None:
    number = a_number(http, card)
    city.run("UPDATE cards_standing SET card_state = 'temp_lost' WHERE card_id = $1", card.id)
    assert say(http, desk, number) == "CARD_LOST"
    refused = ask(http, card)
    assert (refused.status_code, refused.json()["code"]) == (409, "CARD_NOT_ACTIVE")


def test_a_phone_that_is_not_enrolled_gets_none(http: httpx.Client) -> None:
    refused = http.post("/v1/numbers", headers={"authorization": "Bearer nobody"})
    assert (refused.status_code, refused.json()["code"]) == (401, "DEVICE_TOKEN_INVALID")


def test_a_terminal_that_tries_numbers_is_stopped_and_no_other(
    city: SmallCity, http: httpx.Client, card: Card, desk: Terminal, point: int
) -> None:
    number = a_number(http, card)
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert [say(http, desk, wrong) for _ in range(10)] == ["NUMBER_MALFORMED"] * 10
    repeated = desk.next()
    tries = [say(http, desk, nobodys(1), sequence=repeated) for _ in range(10)]  # one line, ten times
    tries += [say(http, desk, nobodys(n)) for n in range(5)]
    assert tries == ["NUMBER_UNKNOWN"] * 14 + ["NUMBER_LIMITED"]
    limited = send(http, desk, {"item": ITEM, "number": number}).json()["verdict"]
    assert limited["code"] == "NUMBER_LIMITED"
    assert limited["next_zh"]
    assert limited["next_en"]
    assert say(http, desk, wrong) == "NUMBER_MALFORMED"
    assert send(http, desk, {"item": ITEM, "code": city.a_code(card)}).json()["admitted"] is True
    assert say(http, city.a_terminal(point=point, attended=True), number) == "ADMITTED"


def test_what_would_become_of_a_number_is_told_to_nobody(http: httpx.Client, card: Card, desk: Terminal) -> None:
    answer = send(http, desk, {"item": ITEM, "number": a_number(http, card)}, path="/v1/explanations")
    assert (answer.status_code, answer.json()["code"]) == (400, "REQUEST_MALFORMED")


@pytest.mark.parametrize(
    "content",
    [
        {"item": ITEM, "number": 123456789014},
        {"item": ITEM, "number": "123456789014", "code": "OC1.A"},
        {"item": ITEM},
    ],
)
def test_a_use_shows_one_thing(http: httpx.Client, desk: Terminal, content: dict[str, object]) -> None:
    answer = send(http, desk, content)
    assert (answer.status_code, answer.json()["code"]) == (400, "REQUEST_MALFORMED")


def test_nothing_that_is_kept_tells_the_number(city: SmallCity, http: httpx.Client, card: Card, desk: Terminal) -> None:
    number = a_number(http, card)
    assert say(http, desk, number) == "ADMITTED"
    plain = Presentation(ITEM, number=number).content
    assert city.one("SELECT count(*) FROM uses_journal_key WHERE content = $1", plain) == 0
    digests = [hashlib.new(name, number.encode()).digest()[:16] for name in ("sha256", "blake2b", "md5")]
    assert city.one("SELECT count(*) FROM ecards_number WHERE digest = ANY ($1::bytea[])", digests) == 0
    assert len(city.one("SELECT digest FROM ecards_number WHERE ecard_id = $1", card.serial)) == 16


def test_a_withdrawn_phone_stops_at_once_and_another_goes_on(
    city: SmallCity, http: httpx.Client, card: Card, desk: Terminal, fresh_database: dict[str, str],
    django_db_blocker: DjangoDbBlocker,
) -> None:  # fmt: skip
    """What the withdrawn phone holds is refused, and so is what the other fetched before; that fetches anew."""
    city.run(
        "INSERT INTO ecards_device (ecard_id, token_digest, label, created_at, expires_at)"
        " VALUES ($1, $2, 'other', now(), now() + interval '1 day')",
        card.serial, hashlib.sha256(b"other").digest(),
    )  # fmt: skip
    spent, held, others = (codes_of(http, token)[0] for token in (card.number, card.number, "other"))
    number = a_number(http, card)
    assert show(http, desk, spent) == "ADMITTED"
    [(mine, used_at)] = city.run(
        "SELECT id, last_used_at FROM ecards_device WHERE ecard_id = $1 AND label = 'test'", card.serial
    )
    assert used_at is not None
    holder = city.one("SELECT holder_id FROM cards_card WHERE id = $1", card.id)
    with django_as(fresh_database["public"], django_db_blocker):
        ecards.revoke_device(Actor(f"holder:{holder}"), mine)
    assert http.post("/v1/codes", json={"windows": 2}, headers=bearer(card.number)).status_code == 401
    again = codes_of(http, "other")[0]
    assert [show(http, desk, code) for code in (held, others, again)] == ["CODE_EXPIRED", "CODE_EXPIRED", "ADMITTED"]
    assert say(http, desk, number) == "NUMBER_EXPIRED"


def test_a_relatives_phone_says_so_gets_no_number_and_stops_with_the_tie(
    city: SmallCity, http: httpx.Client, card: Card, desk: Terminal, fresh_database: dict[str, str],
    django_db_blocker: DjangoDbBlocker,
) -> None:  # fmt: skip
    other = city.a_card()
    city.enrol(other, hashlib.sha256(other.number.encode()).digest())
    owner, relative = (city.one("SELECT holder_id FROM cards_card WHERE id = $1", each.id) for each in (card, other))
    tie = city.one(
        "INSERT INTO ecards_tie (ecard_id, holder_id, kind, offered_at, agreed_at)"
        " VALUES ($1, $2, 'parent', now(), now()) RETURNING id",
        card.serial, relative,
    )  # fmt: skip
    with django_as(fresh_database["public"], django_db_blocker):
        token = ties.enrol_phone(Actor(f"holder:{relative}"), tie, "phone")
    shown, held = (codes_of(http, token)[0] for _ in range(2))
    assert codes.decode(shown).claims.via is codes.Via.FAMILY
    assert codes.decode(codes_of(http, card.number)[0]).claims.via is codes.Via.SELF
    assert show(http, desk, shown) == "ADMITTED"
    refused = http.post("/v1/numbers", headers=bearer(token))
    assert (refused.status_code, refused.json()["code"]) == (409, "NOT_OWN_PHONE")
    with django_as(fresh_database["public"], django_db_blocker):
        ties.end(Actor(f"holder:{owner}"), tie)
    assert http.post("/v1/codes", json={"windows": 1}, headers=bearer(token)).status_code == 401
    assert show(http, desk, held) == "CODE_EXPIRED"


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def codes_of(http: httpx.Client, token: str) -> list[str]:
    """The next two codes of a phone."""
    told = http.post("/v1/codes", json={"windows": 2}, headers=bearer(token)).json()
    return [each["code"] for each in told["windows"]]


def show(http: httpx.Client, desk: Terminal, code: str) -> str:
    return verdict(send(http, desk, {"item": ITEM, "code": code}))
