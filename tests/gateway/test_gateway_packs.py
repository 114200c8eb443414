"""The pack that a gate fetches: what it says is what the platform decides by, told again only when it changed."""

import asyncio
import datetime as dt
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest
from tests.gateway.process import signed
from tests.small_city import KID, PLACE, SmallCity, Terminal

from onecard.foundation import clock, crypto, keys, workdays
from onecard.foundation.errors import Unavailable
from onecard.gateway import errors, packs
from onecard.gateway.issuing import IssuerKeys
from onecard.gateway.packs import Packs, oldest_s
from onecard.gateway.terminals import Signed
from onecard_kit import pack
from onecard_kit.decide import Place
from onecard_kit.pack import Pack
from onecard_kit.suites import SUITES, PublicKey, Purpose
from onecard_kit.terms import DayKind, Medium, When

RIDE, LIBRARY = "transit.bus_ride", "culture.library_entry"
NEXT = """
code = "transit.bus_ride"
version = 2
starts_on = {starts_on}
name = {{ zh = "公交乘车", en = "Bus ride" }}
legal_basis = ["test"]
function = "transit"
price = {{ full_fen = 300, from = "holder.purse", to = "operator.receivable" }}
"""
processes = pytest.mark.processes


@pytest.fixture(scope="module")
def city(city: SmallCity) -> SmallCity:
    """A new fare from next month on, and a set of places."""
    starts_on = clock.today() + dt.timedelta(days=30)
    city.run("UPDATE catalogue_item_version SET ends_on = $2 WHERE item_id = $1", RIDE, starts_on)
    city.an_item(NEXT.format(starts_on=starts_on))
    city.run(
        "INSERT INTO catalogue_area_set (code, name_zh, name_en, places) VALUES ('delta', '三角洲', 'Delta', $1)",
        ["32"],
    )
    return city


def headers(terminal: Terminal, **more: str) -> dict[str, str]:
    return {**signed(terminal, packs.PATH, b"", 1, method="GET"), **more}


def fetch(http: httpx.Client, terminal: Terminal, **more: str) -> httpx.Response:
    return http.get(packs.PATH, headers=headers(terminal, **more))


def read(http: httpx.Client, answer: httpx.Response) -> Pack:
    """As a gate reads it, which knows nothing but what anyone may know."""
    assert answer.status_code == 200, answer.text
    told = http.get("/v1/keys").json()["keys"]
    keys = {
        (kid := bytes.fromhex(key["kid"])): PublicKey(SUITES[key["suite"]], kid, bytes.fromhex(key["public"]))
        for key in told
    }
    return pack.from_jwt(answer.text, keys)


def fetch_newer(http: httpx.Client, terminal: Terminal, than: httpx.Response) -> httpx.Response:
    deadline = time.monotonic() + 20
    while (found := fetch(http, terminal)).headers["etag"] == than.headers["etag"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


@processes
def test_a_gate_learns_what_the_platform_decides_by(city: SmallCity, http: httpx.Client) -> None:
    gate = city.a_terminal()
    city.run("UPDATE catalogue_terminal SET attended = true WHERE id = $1", gate.id)
    point = city.one("SELECT point_id FROM catalogue_terminal WHERE id = $1", gate.id)
    city.run(
        "UPDATE catalogue_point SET hours = $2, media = ARRAY['code'] WHERE id = $1", point,
        '[{"days": ["working"], "hours": [["06:00", "22:00"]]}]',
    )  # fmt: skip
    city.run("UPDATE catalogue_offer SET capacity_count = 40 WHERE point_id = $1", point)
    answer = fetch(http, gate)
    assert answer.headers["content-type"] == "application/jwt"
    assert answer.headers["cache-control"] == "private, no-cache"
    held = read(http, answer)
    assert (held.issuer, held.issuers, held.terminal.serial, held.unread) == (PLACE, (PLACE,), gate.id, ())
    code = city.one("SELECT code FROM catalogue_point WHERE id = $1", point)
    hours = (When(days=(DayKind.WORKING,), hours=(("06:00", "22:00"),)),)
    assert held.place_for(RIDE) == Place(
        "active", "active", "active", "active", True, PLACE, code, hours, (Medium.CODE,), 40, attended=True
    )
    assert not held.place_for(LIBRARY).offered
    today = clock.today()
    fares = [held.item_on(RIDE, today + dt.timedelta(days=days)) for days in (0, 29, 30, 60)]
    assert [item and item.price and item.price.full_fen for item in fares] == [200, 200, 300, 300]
    assert held.area_sets.holds("delta", "320684")
    assert {day: kind.value for day, kind in held.days.items()} == {
        day: workdays.kind_of(day) for day in (today + dt.timedelta(days=n) for n in range(60))
    }
    assert held.public_keys(held.made) == {(PLACE, KID): city.signer.public_key}
    assert [(each.name, each.oldest_s, each.days) for each in held.lists] == [
        ("codes", 604_800, 8), ("papers", 604_800, 0), ("cards", 604_800, 0), ("terminals", 604_800, 0),
        ("keys", 604_800, 0),
    ]  # fmt: skip
    assert held.list_of("codes").path_of(today) == f"/v1/status-lists/{PLACE}/{today}"


@processes
def test_it_is_told_again_only_when_it_changed(city: SmallCity, http: httpx.Client) -> None:
    gate, other = city.a_terminal(), city.a_terminal()
    first = fetch(http, gate)
    again = fetch(http, gate, **{"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert fetch(http, other).headers["etag"] != first.headers["etag"]
    assert read(http, fetch(http, other)).terminal.code == other.code
    city.a_point(LIBRARY, city.library)  # the catalogue is revised, and nothing of this point is
    time.sleep(packs.LOOK_S)
    assert fetch(http, gate, **{"if-none-match": first.headers["etag"]}).status_code == 304
    city.run("UPDATE catalogue_terminal SET state = 'suspended' WHERE id = $1", gate.id)
    newer = fetch_newer(http, gate, first)
    assert read(http, newer).place_for(RIDE).terminal_state == "suspended"
    city.run("UPDATE catalogue_item SET state = 'suspended' WHERE code = $1", RIDE)
    assert read(http, fetch_newer(http, gate, newer)).place_for(RIDE).item_state == "suspended"
    city.run("UPDATE catalogue_item SET state = 'active' WHERE code = $1", RIDE)


@processes
def test_what_was_offered_of_late_is_told_for_those_who_are_inside(city: SmallCity, http: httpx.Client) -> None:
    point = city.a_point(RIDE, city.operator)
    gate = city.a_terminal(point=point)
    first = fetch(http, gate)
    city.run("DELETE FROM catalogue_offer WHERE point_id = $1", point)
    newer = fetch_newer(http, gate, first)
    held = read(http, newer)
    place = held.place_for(RIDE)
    assert (place.offered, place.item_state, held.item_on(RIDE, clock.today()) is not None) == (False, "active", True)
    assert held.only_item == RIDE
    city.run("INSERT INTO catalogue_offer (point_id, item_id) VALUES ($1, $2)", point, LIBRARY)
    held = read(http, fetch_newer(http, gate, newer))
    assert (held.only_item, len(held.items)) == (LIBRARY, 2)


@processes
def test_an_end_that_was_brought_forward_is_told(city: SmallCity, http: httpx.Client) -> None:
    gate, tomorrow = city.a_terminal(LIBRARY), clock.today() + dt.timedelta(days=1)
    first = fetch(http, gate)
    assert read(http, first).item_on(LIBRARY, tomorrow) is not None
    city.run("UPDATE catalogue_item_version SET ends_on = $2, stage = 'ended' WHERE item_id = $1", LIBRARY, tomorrow)
    held = read(http, fetch_newer(http, gate, first))
    assert held.item_on(LIBRARY, clock.today()) is not None
    assert held.item_on(LIBRARY, tomorrow) is None


@processes
def test_a_key_that_stands_by_is_in_it_and_a_withdrawn_one_is_not(city: SmallCity, http: httpx.Client) -> None:
    gate = city.a_terminal()
    first = fetch(http, gate)
    sealed = crypto.seal(city.codes_ring, bytes(32), "x")
    now = clock.now()
    for kid, purpose, gone in ((16, "codes", None), (17, "lasting", None), (18, "codes", now)):
        city.run(
            "INSERT INTO ecards_key (kid, purpose, suite, public, private_sealed, sign_from, sign_to, verify_to,"
            " withdrawn_at) VALUES ($1, $2, 'ed25519', $3, $4, $5, $5, $5, $5)",
            kid.to_bytes(2, "big"), purpose, city.signer.public_key.public, sealed, gone,
        )  # fmt: skip
    held = read(http, fetch_newer(http, gate, first))
    assert {(key.kid, key.purpose, key.signs_from is None) for key in held.keys} == {
        (KID.hex(), Purpose.CODES, False), ("0010", Purpose.CODES, True), ("0011", Purpose.LASTING, True),
    }  # fmt: skip


@processes
def test_nobody_gets_a_pack_who_does_not_prove_themselves(city: SmallCity, http: httpx.Client) -> None:
    gate = city.a_terminal()
    for wrong in ({}, headers(gate, **{"OneCard-Signature": "00"}), signed(gate, packs.PATH, b"", 1)):
        answer = http.get(packs.PATH, headers=wrong)
        assert (answer.status_code, answer.json()["code"]) == (401, "TERMINAL_SIGNATURE_INVALID")
    assert http.post(packs.PATH, headers=headers(gate)).status_code == 405


# --- Without a process --------------------------------------------------------------------------------------------


class Database:
    """A point of `gates` terminals, and how often it is asked."""

    def __init__(self, gates: int = 2) -> None:
        self.gates, self.revision, self.away = gates, 1, False
        self.asked: dict[str, int] = {"revision": 0, "point": 0, "areas": 0}

    async def revise(self) -> int:
        await self._answer("revision")
        return self.revision

    async def point(self, terminal_id: int, day: dt.date) -> Mapping[str, Any] | None:
        await self._answer("point")
        terminals = ",".join(f'"{n}":{{"code":"T{n}"}}' for n in range(self.gates))
        point = {"point_id": terminal_id // self.gates, "point": "{}", "items": "[]"}
        return {"revision": self.revision, "terminals": f"{{{terminals}}}", **point}

    async def areas(self) -> Sequence[Mapping[str, Any]]:
        await self._answer("areas")
        return []

    async def _answer(self, what: str) -> None:
        self.asked[what] += 1
        await asyncio.sleep(0.001)
        if self.away:
            raise errors.database_away()


@pytest.fixture
def database() -> Database:
    return Database(gates=1000)


@pytest.fixture
def served(database: Database) -> Packs:
    ring = keys.load("codes")
    row = {
        "id": 1, "kid": KID, "purpose": "codes", "suite": "ed25519", "public": bytes(32), "sign_from": clock.now(),
        "private_sealed": crypto.seal(ring, bytes(32), "ecards_key.private_sealed:1"), "sign_to": None,
        "verify_to": None, "withdrawn_at": None,
    }  # fmt: skip

    async def fetch() -> Sequence[Mapping[str, object]]:
        return [row]

    async def fetch_refs() -> Sequence[tuple[int, dt.date, bytes]]:
        return []

    return Packs(IssuerKeys(PLACE, ring, fetch, fetch_refs), database.revise, database.point, database.areas, 86_400)


def gate(number: int) -> Signed:
    return Signed(number, f"T{number}", 1, None, 1)  # type: ignore[arg-type]


def test_a_thousand_gates_of_a_point_cost_one_look(served: Packs, database: Database) -> None:
    async def go() -> None:
        answers = await asyncio.gather(*(served.answer(gate(n), None) for n in range(1000)))
        assert len({answer.body for answer in answers}) == 1000
        again = [await served.answer(gate(n), dict(answers[n].headers)["etag"]) for n in range(1000)]
        assert {answer.status for answer in again} == {304}
        assert database.asked == {"revision": 1, "point": 1, "areas": 1}

    asyncio.run(go())


def test_a_revision_is_seen_at_the_next_look(
    served: Packs, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs, "LOOK_S", 0.0)

    async def go() -> None:
        await served.answer(gate(1), None)
        await served.answer(gate(1), None)
        assert database.asked == {"revision": 2, "point": 1, "areas": 1}
        database.revision = 2
        await served.answer(gate(1), None)
        assert database.asked == {"revision": 3, "point": 2, "areas": 2}

    asyncio.run(go())


def test_what_is_kept_is_handed_out_while_the_database_is_away(
    served: Packs, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs, "LOOK_S", 0.0)

    async def go() -> None:
        database.away = True
        with pytest.raises(Unavailable, match="DATABASE_AWAY"):
            await served.answer(gate(1), None)
        database.away = False
        etag = dict((await served.answer(gate(1), None)).headers)["etag"]
        database.away = True
        assert (await served.answer(gate(1), etag)).status == 304
        assert (await served.answer(gate(2), None)).status == 200

    asyncio.run(go())


def test_points_past_those_that_fit_are_forgotten(
    served: Packs, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs, "POINTS_KEPT_MAX", 2)

    async def go() -> None:
        for number in range(5):
            served._points[number] = packs.Point(number, packs.Shared.of(b""), {100 + number: b""})
            served._point_of[100 + number] = number
        await served.answer(gate(0), None)
        assert len(served._points) <= 2
        assert set(served._point_of.values()) <= set(served._points)

    asyncio.run(go())


def test_midnight_makes_a_new_pack(served: Packs, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def at(moment: dt.datetime) -> Any:
        monkeypatch.setattr(clock, "now", lambda: moment.astimezone(dt.UTC))
        return dict((await served.answer(gate(1), None)).headers)["etag"]

    async def go() -> None:
        before = await at(dt.datetime(2026, 3, 1, 23, 59, 59, tzinfo=clock.CHINA))
        assert await at(dt.datetime(2026, 3, 2, 0, 0, tzinfo=clock.CHINA)) != before

    asyncio.run(go())


def test_how_old_a_list_may_be() -> None:
    assert (oldest_s({}), oldest_s({"ONECARD_LIST_DAYS": "2"})) == (604_800, 172_800)
    for wrong in ("0", "8", "-1", "1.5", "", "二", "²"):
        with pytest.raises(Unavailable, match="SETTING_INVALID"):
            oldest_s({"ONECARD_LIST_DAYS": wrong})
