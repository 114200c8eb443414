"""What the gateway hands to anyone: status lists and keys."""

import asyncio
import datetime as dt
import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
import pytest
from tests import list_worker
from tests.list_worker import made
from tests.small_city import KID, PLACE, SmallCity

from onecard.foundation import clock, crypto
from onecard.foundation.errors import NotFound, Unavailable
from onecard.gateway import errors, lists
from onecard.gateway.lists import KINDS, Lists, form_of, is_known
from onecard_kit import codes, status_list, withdrawn
from onecard_kit.pack import DAYS_OF_CODES, FIXED
from onecard_kit.refs import day_of
from onecard_kit.status_list import Status, StatusList, compress
from onecard_kit.suites import ED25519, SEED_BYTES, SUITES, PublicKey, Signer

CWT, JWT = KINDS["cwt"], KINDS["jwt"]
processes = pytest.mark.processes


@pytest.fixture(scope="module")
def build(fresh_database: dict[str, str], environment_for: list_worker.Environment) -> Callable[[], int]:
    return lambda: made(list_worker.start(environment_for, fresh_database["worker"]))


def path(day: dt.date | str | None = None) -> str:
    return status_list.subject_of(PLACE, day or clock.today())


def fetch(http: httpx.Client, day: dt.date | str | None = None, kind: str = CWT, **headers: str) -> httpx.Response:
    return http.get(path(day), headers={"accept": kind, **headers})


def fetch_newer(http: httpx.Client, than: httpx.Response) -> httpx.Response:
    """What is fetched once the process has looked again."""
    deadline = time.monotonic() + 10
    while (found := fetch(http)).headers["etag"] == than.headers["etag"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def published_keys(http: httpx.Client) -> dict[bytes, PublicKey]:
    """What a stranger verifies with."""
    told = http.get("/v1/keys").json()["keys"]
    return {
        (kid := bytes.fromhex(key["kid"])): PublicKey(SUITES[key["suite"]], kid, bytes.fromhex(key["public"]))
        for key in told
    }


def problem(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    return response.status_code, response.json()["code"]


@processes
def test_before_the_first_list_is_made_one_is_asked_to_come_again(city: SmallCity, http: httpx.Client) -> None:
    response = fetch(http)
    assert problem(response) == (404, "LIST_NOT_MADE")


@processes
def test_a_loss_is_refused_by_a_gate_that_only_read_what_anyone_may(
    city: SmallCity, http: httpx.Client, build: Callable[[], int]
) -> None:
    """Keys and lists over HTTP, the code from a phone: that is all an offline gate has."""
    card = city.a_card()
    text = city.a_code(card)

    def offline(answer: httpx.Response) -> Status:
        keys = published_keys(http)
        claims = codes.verify(text, {(PLACE, kid): key for kid, key in keys.items()})
        held = status_list.from_cwt(answer.content, keys)
        assert held.subject == path(day_of(claims.not_before))
        return held.status(claims.ref)

    time.sleep(lists.LOOK_S)
    assert build() == DAYS_OF_CODES + len(FIXED)
    first = fetch(http)
    assert offline(first) is Status.VALID
    city.run("UPDATE cards_standing SET card_state = 'temp_lost' WHERE card_id = $1", card.id)
    assert build() == 3
    second = fetch_newer(http, first)
    assert offline(second) is Status.SUSPENDED
    assert offline(first) is Status.VALID
    city.run("UPDATE cards_standing SET card_state = 'active' WHERE card_id = $1", card.id)
    assert build() == 3
    assert offline(fetch_newer(http, second)) is Status.VALID


@processes
def test_both_forms_and_days_their_headers_and_304(http: httpx.Client, build: Callable[[], int]) -> None:
    build()
    time.sleep(lists.LOOK_S)
    keys = published_keys(http)
    days = [(clock.today() + dt.timedelta(days=n)).isoformat() for n in range(DAYS_OF_CODES)]
    for day in (*days, *FIXED):
        cwt, jwt = fetch(http, day), fetch(http, day, JWT)
        held = status_list.from_cwt(cwt.content, keys)
        assert held == status_list.from_jwt(jwt.text, keys)
        assert held.subject == path(day)
        for response, kind in ((cwt, CWT), (jwt, JWT)):
            assert response.headers["content-type"] == kind
            assert response.headers["cache-control"] == f"public, max-age={held.ttl_s}"
            assert response.headers["vary"] == "accept"
            again = fetch(http, day, kind, **{"if-none-match": response.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == response.headers["etag"]
        assert fetch(http, day, CWT, **{"if-none-match": jwt.headers["etag"]}).status_code == 200


@processes
def test_what_there_is_not(http: httpx.Client) -> None:
    today = clock.today()
    assert problem(fetch(http, kind="application/json")) == (406, "NOT_ACCEPTABLE")
    assert problem(fetch(http, today - dt.timedelta(days=2))) == (404, "LIST_UNKNOWN")
    assert problem(fetch(http, today + dt.timedelta(days=DAYS_OF_CODES))) == (404, "LIST_UNKNOWN")
    assert problem(http.get(status_list.subject_of(PLACE, "everything"))) == (404, "LIST_UNKNOWN")
    for other in (
        status_list.subject_of("320500", today),
        f"/v1/status-lists/{PLACE}/",
        f"/v1/status-lists/{PLACE}/{today:%Y%m%d}",
        f"/v1/status-lists/{PLACE}/x/{today}",
        "/v1/status-lists/",
    ):
        assert problem(http.get(other)) == (404, "LIST_UNKNOWN"), other
    assert problem(http.get(f"{path()}?time=0")) == (404, "NO_SUCH_PATH")
    assert problem(http.post(path())) == (405, "METHOD_NOT_ALLOWED")


def withdraw_and_rotate(city: SmallCity) -> bytes:
    """The issuer's key is stolen: another signs from now; its kid."""
    kid, seed = b"\x00\x02", secrets.token_bytes(SEED_BYTES)
    city.run("UPDATE ecards_key SET sign_to = now(), verify_to = now(), withdrawn_at = now() WHERE kid = $1", KID)
    key_id = city.one("SELECT nextval('ecards_key_id_seq')")
    sealed = crypto.seal(city.codes_ring, seed, f"ecards_key.private_sealed:{key_id}")
    city.run(
        "INSERT INTO ecards_key (id, kid, suite, public, private_sealed, sign_from)"
        " VALUES ($1, $2, 'ed25519', $3, $4, now())",
        key_id, kid, Signer.of(ED25519, kid, seed).public_key.public, sealed,
    )  # fmt: skip
    return kid


@processes
def test_keys_in_force_and_withdrawn(city: SmallCity, http: httpx.Client, build: Callable[[], int]) -> None:
    """A stolen key leaves the keys, stands on the signed list, and its status lists are handed out no more."""
    build()
    time.sleep(lists.LOOK_S)
    before = http.get("/v1/keys")
    assert before.headers["content-type"] == "application/json"
    (key,) = before.json()["keys"]
    assert set(key) == {"kid", "purpose", "suite", "public", "signs_from", "signs_to", "verifies_to"}
    assert (key["kid"], key["signs_to"], key["verifies_to"]) == (KID.hex(), None, None)
    assert withdrawn.from_jwt(before.json()["withdrawn_keys"], PLACE, published_keys(http)).keys == {}
    assert fetch(http).status_code == 200

    new = withdraw_and_rotate(city)
    until = time.monotonic() + 10
    while KID in published_keys(http):
        assert time.monotonic() < until
        time.sleep(0.2)
    gone = withdrawn.from_jwt(http.get("/v1/keys").json()["withdrawn_keys"], PLACE, published_keys(http))
    assert set(gone.keys) == {KID}
    assert abs(gone.keys[KID] - time.time()) < 60
    time.sleep(lists.LOOK_S)
    assert problem(fetch(http)) == (404, "LIST_NOT_MADE")
    build()
    time.sleep(lists.LOOK_S)
    assert status_list.from_cwt(fetch(http).content, {new: published_keys(http)[new]})
    assert "terminal" not in json.dumps(http.get("/v1/keys").json())


# --- Without a process --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, "cwt"),
        ("*/*", "cwt"),
        (CWT, "cwt"),
        (JWT, "jwt"),
        (JWT.upper(), "jwt"),
        (f"{CWT};q=0.5, {JWT}", "jwt"),
        (f"{CWT}, {JWT}", "cwt"),
        (f"{CWT};q=0, */*;q=0.1", "jwt"),
        (f"{JWT}; q=x", None),
        ("application/*", "cwt"),
        ("application/json", None),
        ("text/html;q=1,,", None),
        (f"{CWT};q=0", None),
        ("", "cwt"),
    ],
)
def test_the_form_that_is_preferred(accept: str | None, form: str | None) -> None:
    assert form_of(accept) == form


@pytest.mark.parametrize(
    ("held", "known"),
    [(None, False), ('"a"', True), ('W/"a"', True), ('"b", "a"', True), ("*", True), ('"b"', False), ("a", False)],
)
def test_the_list_that_is_held(held: str | None, known: bool) -> None:
    assert is_known('"a"', held) is known


class Database:
    """What the gateway finds: numbers and lists, slow or away."""

    def __init__(self) -> None:
        self.number, self.away, self.slow = 1, False, False
        self.looks = self.fetches = 0

    async def numbers(self, at: dt.datetime) -> Sequence[Mapping[str, Any]]:
        self.looks += 1
        if self.slow:
            await asyncio.sleep(60)
        self._answer()
        return [{"name": clock.today().isoformat(), "form": "cwt", "number": self.number}]

    async def one(self, name: str, form: str) -> Mapping[str, Any] | None:
        self.fetches += 1
        await asyncio.sleep(0.01)
        self._answer()
        return {"number": self.number, "etag": str(self.number), "body": b"list %d" % self.number}

    def _answer(self) -> None:
        if self.away:
            raise errors.database_away()


async def body_of(served: Lists) -> bytes:
    return (await served.answer(path(), CWT, None)).body


def test_many_who_ask_at_once_cost_one_look_and_one_fetch() -> None:
    async def go() -> None:
        database = Database()
        served = Lists(PLACE, database.numbers, database.one)
        assert set(await asyncio.gather(*(body_of(served) for _ in range(500)))) == {b"list 1"}
        assert (database.looks, database.fetches) == (1, 1)

    asyncio.run(go())


def test_a_newer_list_is_seen_at_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "LOOK_S", 0.05)

    async def go() -> None:
        database = Database()
        served = Lists(PLACE, database.numbers, database.one)
        assert await body_of(served) == b"list 1"
        database.number = 2
        await asyncio.sleep(0.06)
        assert await body_of(served) == b"list 2"
        assert database.fetches == 2

    asyncio.run(go())


def test_what_is_kept_is_handed_out_while_the_database_is_away_or_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "LOOK_S", 0.0)
    monkeypatch.setattr(lists, "LOOK_S_MAX", 0.05)

    async def go() -> None:
        database = Database()
        served = Lists(PLACE, database.numbers, database.one)
        database.away = True
        with pytest.raises(Unavailable, match="DATABASE_AWAY"):
            await body_of(served)
        database.away = False
        assert await body_of(served) == b"list 1"
        database.away = True
        assert await body_of(served) == b"list 1"
        database.away, database.slow, database.number = False, True, 2
        assert await body_of(served) == b"list 1"
        served.close()

    asyncio.run(go())


def test_midnight_turns_the_day_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of the ninth day is unknown until midnight; then it is not made yet."""
    day = dt.date(2026, 3, 1 + DAYS_OF_CODES)

    async def ask(moment: dt.datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: moment.astimezone(dt.UTC))
        served = Lists(PLACE, Database().numbers, Database().one)
        await served.answer(path(day), CWT, None)

    with pytest.raises(NotFound, match="LIST_UNKNOWN"):
        asyncio.run(ask(dt.datetime(2026, 3, 1, 23, 59, 59, tzinfo=clock.CHINA)))
    with pytest.raises(NotFound, match="LIST_NOT_MADE"):
        asyncio.run(ask(dt.datetime(2026, 3, 2, 0, 0, tzinfo=clock.CHINA)))


def test_a_day_of_ten_million_is_small_enough_to_hand_out() -> None:
    """One in a hundred marked: under 200 kB on the wire, four megabytes at the gate."""
    marked = ((index, Status.SUSPENDED) for index in range(0, 1 << 24, 168))
    entries = status_list.pack(1 << 24, marked)
    assert len(entries) == 1 << 22
    assert len(compress(entries)) < 200_000
    assert StatusList("x", 0, 1, 300, compress(entries)).status(168) is Status.SUSPENDED
