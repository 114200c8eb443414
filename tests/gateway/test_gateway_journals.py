"""What gates decided without a line, over HTTP: each admission is on the platform once, and somebody pays for it."""

import gzip
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.gateway.gates import UPLOAD, OfflineGate
from tests.gateway.process import GatewayProcess, a_gateway, send
from tests.kernel.uses.town import METRO
from tests.small_city import Card, SmallCity, Terminal

from onecard.check import running as check
from onecard_kit.terms import Leg

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("adds_up")]

RIDE, DAY_S = "transit.bus_ride", 86_400
FERRY = """
code = "transit.ferry_{name}"
version = 1
starts_on = 2020-01-01
name = {{ zh = "轮渡", en = "Ferry" }}
legal_basis = ["test"]
price = {{ full_fen = 300, from = "holder.purse", to = "operator.receivable" }}
offline = {{ limit_fen = 2000, days = 7, {rules} }}
[[concession]]
class = "senior_60"
price = {{ percent = 50 }}
funded_by = "treasury.city"
"""
OFFLINE_METRO = METRO.replace("day_cap_fen = 900", 'offline = {{ limit_fen = 2000, days = 7, shortfall = "holder" }}')
METRO_ITEM = "transit.metro_ride"


class Port(SmallCity):
    """A small city with ferries that differ in who bears what, and a metro of four stations."""

    def _found(self) -> None:
        super()._found()
        self.run(
            "SELECT ledger_open(ARRAY[$1], 'platform.shortfall', 'purse', false, NULL)", f"party:{self.library}"
        )  # fmt: skip
        for name, rules in (
            ("holder", 'shortfall = "holder", double = "holder", refused = "operator"'),
            ("operator", 'shortfall = "operator", double = "operator", refused = "operator"'),
            ("platform", 'shortfall = "platform", double = "platform", refused = "platform"'),
            ("treasury", 'shortfall = "treasury.city", double = "treasury.city", refused = "treasury.city"'),
        ):
            self.an_item(FERRY.format(name=name, rules=rules))
        self.an_item(OFFLINE_METRO.format(version=1, starts_on="2020-01-01", least=200))
        self.stations: dict[str, int] = {}

    def a_ferry(self, name: str) -> OfflineGate:
        item = f"transit.ferry_{name}"
        return OfflineGate(self, self.a_terminal(item, point=self.a_point(item, self.operator)), item=item)

    def a_station(self, code: str) -> OfflineGate:
        if code not in self.stations:
            self.stations[code] = self.a_point(METRO_ITEM, self.operator, code)
        return OfflineGate(self, self.a_terminal(METRO_ITEM, point=self.stations[code]), item=METRO_ITEM)

    def owed_by(self, card: Card) -> int:
        """What a holder owes."""
        found: int = self.one(
            "SELECT coalesce(sum(CASE WHEN t.debit_account = a.id THEN t.amount_fen ELSE -t.amount_fen END), 0)::bigint"
            " FROM ledger_account a JOIN ledger_transfer t ON a.id IN (t.debit_account, t.credit_account)"
            " WHERE a.owner = $1 AND a.role = 'holder.debt'",
            f"holder:{card.holder_id}",
        )
        return found

    def backdate(self, table: str, which: str, hours_ago: float) -> None:
        """Let what was kept of the past a moment ago have ended so many hours ago; the triggers forbid it to others."""
        self.run(f"ALTER TABLE {table} DISABLE TRIGGER refuse_change")
        self.run(
            f"UPDATE {table} SET until = now() - make_interval(secs => $1) WHERE {which}"
            " AND until > now() - interval '1 minute'",
            hours_ago * 3600,
        )
        self.run(f"ALTER TABLE {table} ENABLE TRIGGER refuse_change")

    def risks(self, card: Card) -> list[str]:
        return [kind for (kind,) in self.run("SELECT kind FROM audit_risk_fact WHERE subject = $1", f"card:{card.id}")]


@pytest.fixture(scope="module")
def city(fresh_database: dict[str, str]) -> Iterator[Port]:
    made = Port(fresh_database["owner"])
    yield made
    made.connection.close()


@pytest.fixture(scope="module")
def gateway(
    fresh_database: dict[str, str], environment_for: Callable[[str], dict[str, str]]
) -> Iterator[GatewayProcess]:
    with a_gateway(environment_for, fresh_database["gateway"], workers=2) as process:
        yield process


def use_online(client: httpx.Client, terminal: Terminal, content: dict[str, Any], sequence: int) -> dict[str, Any]:
    answer = send(client, terminal, content, sequence=sequence)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


# --- the plain case ---------------------------------------------------------------------------------------------------


def test_a_day_without_a_line(city: Port, client: httpx.Client) -> None:
    gate, card = OfflineGate(city, city.a_terminal()), city.a_card(purse_fen=1000)
    assert gate.head(client) | {"server_time": 0} == {"through": -1, "chain": str(gate.journal), "server_time": 0}
    for _ in range(3):
        gate.write(card, paid_fen=200)
    gate.write(card, verdict="CARD_LOST")
    gate.write(card, verdict="OFFLINE_LIST_TOO_OLD")
    uploaded = gate.upload(client)
    assert uploaded.kinds == ["recorded"] * 5
    assert uploaded.told("verdict", "gate_verdict", "paid_fen") == [
        *[("ADMITTED", "ADMITTED", 190)] * 3, ("ADMITTED", "CARD_LOST", 0), ("ADMITTED", "OFFLINE_LIST_TOO_OLD", 0),
    ]  # fmt: skip
    assert (uploaded.end["done"], uploaded.end["through"], uploaded.end["chain"]) == (True, 5, gate.last)
    assert city.purse_of(card) == 1000 - 3 * 190
    again = gate.upload(client)
    assert again.kinds == ["repeated"] * 5
    assert again.told("use", "verdict", "paid_fen") == uploaded.told("use", "verdict", "paid_fen")
    assert city.purse_of(card) == 1000 - 3 * 190
    assert gate.head(client)["through"] == 5
    uses = city.run("SELECT verdict, count(*) FROM uses_use WHERE card_id = $1 GROUP BY 1 ORDER BY 1", card.id)
    assert uses == [("ADMITTED", 3), ("CARD_LOST", 1), ("REFUSED_AT_GATE", 1)]


def test_what_the_gate_refused_uses_nothing_up(city: Port, client: httpx.Client) -> None:
    gate, other, card = OfflineGate(city, city.a_terminal()), OfflineGate(city, city.a_terminal()), city.a_card()
    code = gate.code_at(card, time.time())
    gate.write(code=code, verdict="OFFLINE_LIST_TOO_OLD")
    other.write(code=code)
    gate.upload(client)
    assert other.upload(client).told("verdict", "double") == [("ADMITTED", False)]


def test_an_answer_that_was_lost_and_a_line_are_one_use(city: Port, client: httpx.Client) -> None:
    gate, card = OfflineGate(city, city.a_terminal()), city.a_card(purse_fen=1000)
    code, sequence = gate.code_at(card, time.time()), gate.terminal.next()
    told = use_online(client, gate.terminal, {"item": RIDE, "code": code}, sequence)
    gate.write(code=code, sequence=sequence)
    uploaded = gate.upload(client)
    assert uploaded.told("result", "use", "paid_fen") == [("repeated", told["use"], 190)]
    assert city.purse_of(card) == 810
    # And the other way round.
    code, sequence = gate.code_at(card, time.time()), gate.terminal.next()
    gate.write(code=code, sequence=sequence)
    gate.upload(client)
    assert use_online(client, gate.terminal, {"item": RIDE, "code": code}, sequence)["repeated"] is True
    assert city.purse_of(card) == 620


def test_who_was_refused_online_and_passed_all_the_same_pays(city: Port, client: httpx.Client) -> None:
    """The refusal never reached the gate, which let them pass: the use stands as told, the admission beside it."""
    gate, card = city.a_ferry("holder"), city.a_card(purse_fen=120)
    code, sequence = gate.code_at(card, time.time()), gate.terminal.next()
    told = use_online(client, gate.terminal, {"item": gate.item, "code": code}, sequence)
    assert told["verdict"]["code"] == "FUNDS_SHORT"
    gate.write(code=code, sequence=sequence)
    for _ in range(2):
        [line] = gate.upload(client).results
        assert (line["use"], line["result"], line["verdict"]) == (told["use"], "repeated", "FUNDS_SHORT")
    assert (city.purse_of(card), city.owed_by(card)) == (0, 180)
    refund = send(client, gate.terminal, {"use": told["use"]}, path="/v1/refunds")
    assert (refund.status_code, refund.json()["paid_fen"]) == (200, 120)
    assert (city.purse_of(card), city.owed_by(card)) == (120, 0)


# --- money where the verdicts differ ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ferry", "purse_fen", "owed", "borne"),
    [("holder", 100, 200, 0), ("operator", 100, 0, 0), ("platform", 100, 0, 200), ("holder", None, 300, 0)],
)
def test_a_purse_that_was_too_small(
    city: Port, client: httpx.Client, ferry: str, purse_fen: int | None, owed: int, borne: int
) -> None:
    gate, card = city.a_ferry(ferry), city.a_card(purse_fen=purse_fen)
    before, ferries = (
        city.balance(city.library, "platform.shortfall"),
        city.balance(city.operator, "operator.receivable"),
    )
    gate.write(card)
    [line] = gate.upload(client).results
    had_fen = purse_fen or 0
    refusal = "FUNDS_SHORT" if purse_fen is not None else "PURSE_MISSING"
    assert (line["verdict"], line["gate_verdict"], line["paid_fen"]) == (refusal, "ADMITTED", had_fen)
    assert (line["shortfall_fen"], line["borne_by"]) == (300 - had_fen, ferry)
    assert city.owed_by(card) == owed
    assert city.balance(city.library, "platform.shortfall") == before - borne
    assert city.balance(city.operator, "operator.receivable") == ferries + had_fen + owed + borne


def test_what_the_treasury_bears_comes_from_its_own_account(city: Port, client: httpx.Client) -> None:
    gate, card = city.a_ferry("treasury"), city.a_card(purse_fen=50, classes=[("senior_60", "2020-01-01", None)])
    before = city.balance(city.treasury, "treasury.city", "treasury")
    gate.write(card)
    [line] = gate.upload(client).results
    assert (line["paid_fen"], line["shortfall_fen"], line["borne_by"]) == (50, 100, "treasury.city")
    assert city.balance(city.treasury, "treasury.city", "treasury") == before - 150 - 100


def test_a_debt_is_paid_by_the_next_top_up_first(city: Port, client: httpx.Client) -> None:
    gate, card, counter = city.a_ferry("holder"), city.a_card(purse_fen=0), city.a_terminal("payments.purse_topup")
    for _ in range(5):
        gate.write(card)
    assert gate.upload(client).told("shortfall_fen") == [300] * 5
    for added, purse, owed in ((1000, 0, 500), (1000, 500, 0), (1000, 1500, 0)):
        topup = {"item": "payments.purse_topup", "code": gate.code_at(card, time.time()), "amount_fen": added}
        told = use_online(client, counter, topup, counter.next())
        assert (told["admitted"], told["balance_fen"]) == (True, purse)
        assert (city.purse_of(card), city.owed_by(card)) == (purse, owed)


def test_a_refund_gives_back_what_was_borne(city: Port, client: httpx.Client) -> None:
    gate, card, counter = city.a_ferry("holder"), city.a_card(purse_fen=100), city.a_terminal("payments.purse_topup")
    gate.write(card)
    [line] = gate.upload(client).results
    topup = {"item": "payments.purse_topup", "code": gate.code_at(card, time.time()), "amount_fen": 1000}
    use_online(client, counter, topup, counter.next())
    assert (city.purse_of(card), city.owed_by(card)) == (800, 0)
    refund = send(client, gate.terminal, {"use": line["use"]}, path="/v1/refunds")
    assert refund.status_code == 200, refund.text
    assert (city.purse_of(card), city.owed_by(card)) == (1100, 0)


@pytest.mark.parametrize(("ferry", "paid_fen", "borne_by"), [("holder", 300, None), ("platform", 0, "platform")])
def test_a_code_that_two_gates_let_pass(
    city: Port, client: httpx.Client, ferry: str, paid_fen: int, borne_by: str | None
) -> None:
    first, second, card = city.a_ferry(ferry), city.a_ferry(ferry), city.a_card(purse_fen=1000)
    code = first.code_at(card, time.time())
    first.write(code=code)
    second.write(code=code)
    assert first.upload(client).told("verdict", "double") == [("ADMITTED", False)]
    for kind in ("recorded", "repeated"):
        [line] = second.upload(client).results
        assert (line["result"], line["verdict"], line["double"]) == (kind, "REPLAYED", True)
        assert (line["paid_fen"], line["borne_by"]) == (paid_fen, borne_by)
    assert city.purse_of(card) == 1000 - 300 - paid_fen
    assert city.risks(card) == ["used_twice"]


def test_a_code_that_one_gate_let_pass_twice(city: Port, client: httpx.Client) -> None:
    gate, card = city.a_ferry("operator"), city.a_card(purse_fen=1000)
    code = gate.code_at(card, time.time())
    gate.write(code=code)
    gate.write(code=code)
    assert gate.upload(client).told("double", "paid_fen") == [(False, 300), (True, 0)]
    assert city.risks(card) == ["used_twice"]


def test_a_code_that_was_used_online_meanwhile(city: Port, client: httpx.Client) -> None:
    gate, door, card = city.a_ferry("holder"), city.a_terminal(), city.a_card(purse_fen=1000)
    code = gate.code_at(card, time.time())
    gate.write(code=code)
    assert use_online(client, door, {"item": RIDE, "code": code}, door.next())["admitted"]
    assert gate.upload(client).told("double") == [True]
    assert city.risks(card) == ["used_twice"]


def test_readings_of_a_card_are_told_apart_by_their_counters(city: Port, client: httpx.Client) -> None:
    """Told late, a counter is lower than the highest and no replay; the same one twice is a clone, wherever it was."""
    gate, clone, bus, card = city.a_ferry("holder"), city.a_ferry("holder"), city.a_terminal(), city.a_card()
    for counter in (3, 5):
        gate.write(card, counter=counter)
    for counter in (6, 7):
        sequence = bus.next()
        tap = {"item": RIDE, "card": city.a_tap(card, counter, bus, sequence)}
        assert use_online(client, bus, tap, sequence)["admitted"]
    for counter in (4, 5, 7, 3):
        clone.write(card, counter=counter)
    assert gate.upload(client).told("verdict") == ["ADMITTED", "ADMITTED"]
    assert clone.upload(client).told("double") == [False, True, True, True]
    assert city.risks(card) == ["used_twice"] * 3
    sequence = bus.next()
    assert not use_online(client, bus, {"item": RIDE, "card": city.a_tap(card, 7, bus, sequence)}, sequence)["admitted"]


def test_a_forged_card_is_the_operators_and_a_risk(city: Port, client: httpx.Client) -> None:
    gate, card, other = city.a_ferry("platform"), city.a_card(purse_fen=1000), city.a_card()
    raw = gate.write(card, counter=1)
    gate.undo()
    chip = json.loads(raw.split(b" ", 2)[2])["card"] | {"number": other.number}
    gate.write(chip=chip)
    assert gate.upload(client).told("verdict", "borne_by", "paid_fen") == [("CRYPTOGRAM_INVALID", "operator", 0)]
    assert city.risks(other) == ["chip_cryptogram_invalid"]


def test_quota_and_capacity_that_were_passed(city: Port, client: httpx.Client) -> None:
    gate = OfflineGate(city, city.a_terminal("culture.library_entry"), item="culture.library_entry")
    card = city.a_card()
    for _ in range(5):
        gate.write(card)
    assert gate.upload(client).told("verdict") == ["ADMITTED"] * 3 + ["QUOTA_EXHAUSTED"] * 2
    assert city.run("SELECT count(*) FROM uses_use WHERE card_id = $1 AND verdict = 'ADMITTED'", card.id) == [(5,)]


def test_staff_who_let_somebody_pass(city: Port, client: httpx.Client) -> None:
    gate, card = OfflineGate(city, city.a_terminal()), city.a_card(purse_fen=1000)
    gate.write(card, verdict="OFFLINE_LIST_TOO_OLD", manual=True, reason="线路故障\x00")
    assert gate.upload(client).told("verdict", "gate_verdict", "paid_fen") == [
        ("ADMITTED", "OFFLINE_LIST_TOO_OLD", 190)
    ]
    assert city.run(
        "SELECT u.verdict, l.manual, l.reason FROM uses_offline_line l JOIN uses_use u ON u.id = l.use_id"
        " WHERE l.terminal_id = $1", gate.terminal.id,
    ) == [("ADMITTED", True, "线路故障\ufffd")]  # fmt: skip


# --- as of the line's own moment --------------------------------------------------------------------------------------


def test_a_card_is_judged_by_its_state_at_that_moment(city: Port, client: httpx.Client) -> None:
    """Lost at ten, found at eleven, lost again at noon: each line is judged by what held when it was written."""
    gate, card, now = city.a_ferry("operator"), city.a_card(purse_fen=2000), time.time()
    for state, hours_ago in (("lost", 3.0), ("active", 2.0), ("lost", 1.0)):
        city.run("UPDATE cards_standing SET card_state = $2 WHERE card_id = $1", card.id, state)
        city.backdate("cards_past", f"card_id = {card.id}", hours_ago)
    for hours_ago in (3.5, 2.5, 1.5, 0.5):
        gate.write(card, at=now - hours_ago * 3600)
    assert gate.upload(client).told("verdict") == ["ADMITTED", "CARD_LOST", "ADMITTED", "CARD_LOST"]
    assert city.purse_of(card) == 1400


@pytest.mark.parametrize(
    ("table", "key", "subject", "refusal"),
    [
        ("catalogue_terminal", "id", "terminal", "TERMINAL_SUSPENDED"),
        ("catalogue_point", "id", "point", "POINT_SUSPENDED"),
        ("catalogue_client", "id", "client", "CLIENT_SUSPENDED"),
    ],
)
def test_what_was_suspended_since_was_not_then(
    city: Port, client: httpx.Client, table: str, key: str, subject: str, refusal: str
) -> None:
    gate, card, now = city.a_ferry("operator"), city.a_card(purse_fen=2000), time.time()
    terminal, point, system = city.run(
        "SELECT t.id, p.id, p.client_id FROM catalogue_terminal t JOIN catalogue_point p ON p.id = t.point_id"
        " WHERE t.id = $1", gate.terminal.id,
    )[0]  # fmt: skip
    own = {"terminal": terminal, "point": point, "client": system}[subject]
    city.run(f"UPDATE {table} SET state = 'suspended' WHERE {key} = $1", own)
    city.backdate("catalogue_past", f"subject = '{subject}:{own}'", 1)
    for hours_ago in (2.0, 0.5):
        gate.write(card, at=now - hours_ago * 3600)
    lines = gate.upload(client).told("verdict", "paid_fen", "shortfall_fen", "borne_by")
    assert lines == [("ADMITTED", 300, 0, None), (refusal, 0, 300, "operator")]


def test_an_offer_that_was_withdrawn_and_hours_that_were_changed_since(city: Port, client: httpx.Client) -> None:
    gate, card, now = city.a_ferry("operator"), city.a_card(purse_fen=2000), time.time()
    point = city.one("SELECT point_id FROM catalogue_terminal WHERE id = $1", gate.terminal.id)
    city.run(
        "UPDATE catalogue_point SET hours = $2 WHERE id = $1", point, json.dumps([{"hours": [["00:00", "00:01"]]}])
    )
    city.run("DELETE FROM catalogue_offer WHERE point_id = $1", point)
    city.backdate("catalogue_past", f"subject IN ('point:{point}', 'offer:{point}:{gate.item}')", 1)
    for hours_ago in (2.0, 0.5):
        gate.write(card, at=now - hours_ago * 3600)
    assert gate.upload(client).told("verdict") == ["ADMITTED", "ITEM_NOT_OFFERED"]


def test_an_ecard_that_was_closed_since(city: Port, client: httpx.Client) -> None:
    gate, card, now = city.a_ferry("operator"), city.a_card(purse_fen=2000), time.time()
    city.enrol(card, card.number.encode())
    codes = [gate.code_at(card, now - hours_ago * 3600) for hours_ago in (2, 0.5)]
    city.run("UPDATE ecards_ecard SET closed_at = now() - interval '1 hour' WHERE serial = $1", card.serial)
    city.run("UPDATE cards_standing SET ecard_serial = NULL WHERE card_id = $1", card.id)
    for code, hours_ago in zip(codes, (2, 0.5), strict=True):
        gate.write(code=code, at=now - hours_ago * 3600)
    assert gate.upload(client).told("verdict", "paid_fen") == [("ADMITTED", 300), ("CARD_UNKNOWN", 0)]


def test_an_issuers_key_that_was_withdrawn_since(city: Port, client: httpx.Client) -> None:
    gate, card, now = city.a_ferry("operator"), city.a_card(purse_fen=2000), time.time()
    for hours_ago in (2.0, 0.5):
        gate.write(card, at=now - hours_ago * 3600)
    hour_ago = "now() - interval '1 hour'"
    city.run(f"UPDATE ecards_key SET sign_to = {hour_ago}, verify_to = {hour_ago}, withdrawn_at = {hour_ago}")
    try:
        assert gate.upload(client).told("verdict") == ["ADMITTED", "KEY_UNKNOWN"]
    finally:
        city.run("UPDATE ecards_key SET sign_to = NULL, verify_to = NULL, withdrawn_at = NULL")


def test_the_terms_and_classes_are_those_of_the_day(city: Port, client: httpx.Client) -> None:
    yesterday = time.time() - DAY_S
    gate, day = city.a_ferry("operator"), time.strftime("%Y-%m-%d", time.gmtime(yesterday + 8 * 3600 + DAY_S))
    card = city.a_card(purse_fen=2000, classes=[("senior_60", "2020-01-01", day)])
    gate.write(card, at=yesterday)
    gate.write(card)
    assert gate.upload(client).told("paid_fen") == [150, 300]


def test_why_a_use_came_to_what_it_did(city: Port, client: httpx.Client) -> None:
    gate, card = city.a_ferry("holder"), city.a_card(purse_fen=100)
    gate.write(card)
    gate.write(card, verdict="OFFLINE_LIST_TOO_OLD", manual=True)
    gate.write(card, verdict="CARD_LOST")
    uses = gate.upload(client).told("use")
    told = [send(client, gate.terminal, {"use": use}, path="/v1/explanations").json() for use in uses]
    assert [each["agrees"] for each in told] == [True, True, True]
    assert [each["verdict"]["code"] for each in told] == ["FUNDS_SHORT", "FUNDS_SHORT", "FUNDS_SHORT"]
    gates = [each["gate"] for each in told]
    assert [(each["admitted"], each["paid_fen"], each["shortfall_fen"], each["borne_by"]) for each in gates] == [
        (True, 100, 200, "holder"), (True, 0, 300, "holder"), (False, 0, 0, None),
    ]  # fmt: skip
    assert gates[0]["en"] == (
        "The gate decided without a connection: Admitted; the platform: The purse balance is too low."
        " The admission stands; ¥1.00 was paid, the holder, as a debt bears ¥2.00."
    )
    assert "由工作人员放行" in gates[1]["zh"]
    assert "已挂失" in gates[2]["zh"]


# --- journeys ---------------------------------------------------------------------------------------------------------


def test_in_without_a_line_and_out_online_and_the_reverse(city: Port, client: httpx.Client) -> None:
    west, east, card = city.a_station("S1"), city.a_station("S3"), city.a_card(purse_fen=2000)
    west.write(card, leg=Leg.IN)
    west.upload(client)
    code = east.code_at(card, time.time())
    told = use_online(client, east.terminal, {"item": METRO_ITEM, "code": code, "leg": "out"}, east.terminal.next())
    assert (told["admitted"], told["price"]["paid_fen"], city.purse_of(card)) == (True, 400, 1600)
    code = west.code_at(card, time.time())
    use_online(client, west.terminal, {"item": METRO_ITEM, "code": code, "leg": "in"}, west.terminal.next())
    east.write(card, leg=Leg.OUT)
    assert east.upload(client).told("verdict", "paid_fen") == [("ADMITTED", 300)]  # changed from the metro
    assert city.purse_of(card) == 1300


@pytest.mark.parametrize(("purse_fen", "held", "owed"), [(300, 300, 100), (0, 0, 400), (500, 500, 0)])
def test_a_journey_that_began_with_too_little(
    city: Port, client: httpx.Client, purse_fen: int, held: int, owed: int
) -> None:
    """What is there is held; at the end the fare is paid of it, and the holder owes the rest."""
    west, east, card = city.a_station("S1"), city.a_station("S3"), city.a_card(purse_fen=purse_fen)
    west.write(card, leg=Leg.IN)
    assert west.upload(client).told("verdict", "shortfall_fen") == [("FUNDS_SHORT", 0)]
    assert city.run("SELECT held_fen, borne_by FROM uses_journey WHERE card_id = $1", card.id) == [(held, "holder")]
    code = east.code_at(card, time.time())
    told = use_online(client, east.terminal, {"item": METRO_ITEM, "code": code, "leg": "out"}, east.terminal.next())
    assert (told["admitted"], told["price"]["paid_fen"]) == (True, min(400, purse_fen))
    assert (city.purse_of(card), city.owed_by(card)) == (max(0, purse_fen - 400), owed)


def test_a_journey_with_too_little_that_nobody_ends(
    city: Port, client: httpx.Client, django_db_blocker: DjangoDbBlocker, fresh_database: dict[str, str]
) -> None:
    from onecard.kernel.uses import journeys

    west, card = city.a_station("S1"), city.a_card(purse_fen=250)
    west.write(card, leg=Leg.IN, at=time.time() - 5 * 3600)
    west.upload(client)
    with django_db_blocker.unblock(), check.django_at(fresh_database["worker"]):
        assert journeys.end_due() == 1
    assert (city.purse_of(card), city.owed_by(card)) == (0, 350)


# --- keys, clocks and chains ------------------------------------------------------------------------------------------


def test_lines_under_a_key_that_was_rotated_and_one_that_was_withdrawn(city: Port, client: httpx.Client) -> None:
    gate, card, now = city.a_ferry("operator"), city.a_card(purse_fen=2000), time.time()
    gate.write(card, at=now - 7200)
    gate.write(card, at=now - 600)
    city.run(
        "UPDATE catalogue_terminal_key SET valid_to = now() - interval '1 hour' WHERE id = $1", gate.terminal.key_id
    )
    gate.pair_again()
    gate.write(card)
    assert gate.upload(client).told("result", "code") == [
        ("recorded", None),
        ("rejected", "KEY_EXPIRED"),
        ("recorded", None),
    ]


def test_another_terminals_journal_is_nobodys_here(city: Port, client: httpx.Client) -> None:
    ours, theirs, card = city.a_ferry("operator"), city.a_ferry("operator"), city.a_card()
    theirs.write(card)
    assert ours.upload(client, theirs.lines).told("result", "code") == [("rejected", "KEY_UNKNOWN")]
    key_id, key = theirs.terminal.key_id, theirs.terminal.key
    theirs.terminal.key_id, theirs.terminal.key = ours.terminal.key_id, ours.terminal.key  # a journal that is not ours
    theirs.write(card)
    theirs.terminal.key_id, theirs.terminal.key = key_id, key
    assert ours.upload(client, theirs.lines[1:]).told("result", "code") == [("rejected", "MAC_INVALID")]


def test_an_altered_line_is_left_out_and_the_rest_is_taken(city: Port, client: httpx.Client) -> None:
    gate, card = city.a_ferry("operator"), city.a_card(purse_fen=3000)
    for _ in range(4):
        gate.write(card)
    lines = [*gate.lines]
    lines[1] = lines[1].replace(b'"paid_fen":0', b'"paid_fen":9')
    uploaded = gate.upload(client, lines)
    assert uploaded.told("result", "code") == [
        ("recorded", None), ("rejected", "MAC_INVALID"), ("recorded", None), ("recorded", None),
    ]  # fmt: skip
    assert (uploaded.end["through"], uploaded.end["chain"]) == (4, gate.last)
    assert city.run(
        "SELECT broken_after, broken_at IS NOT NULL, rejected FROM uses_journal WHERE terminal_id = $1",
        gate.terminal.id,
    ) == [(1, True, 1)]  # fmt: skip
    states = city.run(
        "SELECT chain_state FROM uses_offline_line WHERE terminal_id = $1 ORDER BY sequence", gate.terminal.id
    )
    assert states == [("linked",), ("apart",), ("linked",)]


def test_two_disks_that_wrote_on_from_one_copy(city: Port, client: httpx.Client) -> None:
    """A gate's disk was restored: what both wrote since has the same numbers, and each of it happened."""
    gate, card = city.a_ferry("operator"), city.a_card(purse_fen=3000)
    gate.write(card)
    other = replace(gate, lines=[*gate.lines])
    other.last = gate.last
    for each in (gate, other):
        for sequence in (2, 3):
            each.write(card, sequence=sequence)
    assert gate.upload(client).kinds == ["recorded"] * 3
    assert other.upload(client).kinds == ["repeated", "recorded", "recorded"]
    assert city.purse_of(card) == 3000 - 5 * 300
    both = gate.upload(client, [*other.lines[1:], *gate.lines[1:]], first=2)
    assert both.kinds == ["repeated"] * 4
    assert len(set(both.told("use"))) == 4
    third, fourth = (replace(gate, lines=[], last=gate.last) for _ in range(2))
    for each in (third, fourth):
        each.last = gate.last
        each.write(card, sequence=9)
    assert gate.upload(client, [*third.lines, *fourth.lines], first=9).kinds == ["recorded"] * 2
    assert city.purse_of(card) == 3000 - 7 * 300


def test_a_removed_line_shows(city: Port, client: httpx.Client) -> None:
    gate, card = city.a_ferry("operator"), city.a_card(purse_fen=3000)
    for _ in range(4):
        gate.write(card)
    uploaded = gate.upload(client, [gate.lines[0], *gate.lines[2:]])
    assert (uploaded.kinds, uploaded.end["through"]) == (["recorded"] * 3, 4)
    broken = city.one("SELECT broken_after FROM uses_journal WHERE terminal_id = $1", gate.terminal.id)
    assert broken == 1
    assert gate.upload(client, [gate.lines[1]], first=2).kinds == ["recorded"]  # it turns up after all


def test_uploads_that_come_in_another_order(city: Port, client: httpx.Client) -> None:
    gate, card = city.a_ferry("operator"), city.a_card(purse_fen=3000)
    for _ in range(6):
        gate.write(card)
    late = gate.upload(client, gate.lines[3:], first=4)
    assert (late.kinds, late.end["through"]) == (["recorded"] * 3, -1)
    early = gate.upload(client, gate.lines[:3])
    assert (early.kinds, early.end["through"]) == (["recorded"] * 3, 3)
    assert gate.head(client)["through"] == 3
    again = gate.upload(client, gate.lines[3:], first=4)
    assert (again.kinds, again.end["through"]) == (["repeated"] * 3, 6)
    assert city.one("SELECT broken_at FROM uses_journal WHERE terminal_id = $1", gate.terminal.id) is None


@pytest.mark.parametrize("slow_s", [3 * 3600, -5 * 3600, 40 * 365 * DAY_S])
def test_a_clock_that_is_hours_off_is_corrected_and_marked(city: Port, client: httpx.Client, slow_s: int) -> None:
    gate, card, at = city.a_ferry("operator"), city.a_card(purse_fen=3000), time.time() - 1800
    gate.slow_ms = slow_s * 1000
    gate.write(card, at=at)
    assert gate.head(client)["through"] == -1
    [line] = gate.upload(client).results
    assert (line["verdict"], abs(line["corrected_s"] - slow_s) <= 5) == ("ADMITTED", True)
    use = city.run("SELECT extract(epoch FROM at)::float8 FROM uses_use WHERE id = $1::text::uuid", line["use"])
    assert abs(use[0][0] - at) <= 5
    assert city.one("SELECT correction_s <> 0 FROM uses_journal WHERE terminal_id = $1", gate.terminal.id)


def test_a_clock_that_had_its_signal_is_not_corrected_again(city: Port, client: httpx.Client) -> None:
    gate, card = city.a_ferry("operator"), city.a_card(purse_fen=3000)
    gate.write(card, shift_ms=10_800_000)
    assert gate.upload(client, clock_s=int(time.time()) - 10_800).told("corrected_s") == [0]


def test_nothing_happens_after_it_was_told(city: Port, client: httpx.Client) -> None:
    gate, card = city.a_ferry("operator"), city.a_card(purse_fen=3000)
    gate.write(card, at=time.time() + 7200, shift_ms=0)
    [line] = gate.upload(client).results
    assert line["corrected_s"] < -7000
    assert city.run("SELECT at <= now() FROM uses_use WHERE id = $1::text::uuid", line["use"]) == [(True,)]


def test_lines_of_last_year_fill_no_default_partition(city: Port, client: httpx.Client) -> None:
    gate, card = city.a_ferry("operator"), city.a_card(purse_fen=3000)
    gate.write(card, at=time.time() - 200 * DAY_S)
    assert gate.upload(client).told("verdict") == ["ADMITTED"]


# --- what strangers send ----------------------------------------------------------------------------------------------


def test_what_is_no_line_is_told_and_the_rest_is_taken(city: Port, client: httpx.Client) -> None:
    gate, card = city.a_ferry("operator"), city.a_card(purse_fen=3000)
    gate.write(card)
    gate.write(card)
    body = [gate.lines[0], b"\n", b"{}\n", b"x" * 20_000 + b"\n", b"\xff\xfe\n", gate.lines[1], gate.lines[1][:-7]]
    uploaded = gate.upload(client, body)
    assert uploaded.kinds == ["recorded", *["rejected"] * 4, "recorded"]
    assert {each["code"] for each in uploaded.results[1:5]} == {"LINE_MALFORMED"}


BIG = 2**63 - 1
YEAR_9999_MS = 253_402_300_799_999
STRANGE: dict[str, str] = {  # what a gate's own key may have signed all the same, in place of what a line says
    "first moment": '"at_ms": 0, "shift_ms": 0',
    "last moment": f'"at_ms": {YEAR_9999_MS}, "shift_ms": {YEAR_9999_MS}',
    "last moment unshifted": f'"at_ms": {YEAR_9999_MS}',
    "before every partition": '"at_ms": 86400000, "shift_ms": 0',
    "shifted far back": f'"shift_ms": -{YEAR_9999_MS}',
    "much paid": f'"paid_fen": {BIG}',
    "list of the end of days": f'"lists": {{"/v1/status-lists/320600/cards": {BIG}}}',
    "list of the first day": '"lists": {"a": 0}',
    "many lists": '"lists": {' + ", ".join(f'"{n}": {n}' for n in range(20)) + "}",
    "names of lists": '"lists": {"\\u0000": 1, "\\n": 2}',
    "most that an amount may be": '"amount_fen": 10000000',
    "null byte in a verdict": '"verdict": "ADM\\u0000ITTED"',
    "null byte in a reason": '"reason": "\\u0000\\u0001", "manual": true',
    "null byte in a code": '"code": "OC1.\\u0000"',
    "unpaired in a code": '"code": "\\ud83d\\ude00"',
    "card of null bytes": '"code": null, "card": {"number": "' + "\\u0000" * 9 + '",'
    ' "counter": 4294967295, "cryptogram": "\\u0000"}',
    "cryptogram of many digits": '"code": null, "card": {"number": "C00000000", "counter": 0, "cryptogram": "'
    + "f" * 6000
    + '"}',
    "leg for a ride": '"leg": "in"',
    "verdict of none": '"verdict": ""',
    "verdict of ours that is not for gates": '"verdict": "REFUSED_AT_GATE"',
    "verdict in any script": '"verdict": "\u0666\u200f\ufeff"',
    "said twice": '"item": "x", "item": "transit.ferry_operator"',
}
NO_LINES: dict[str, str] = {
    "more than 64 bits": '"at_ms": 18446744073709551616',
    "past the year 9999": '"at_ms": 253402300800000',
    "money below zero": '"paid_fen": -1',
    "an amount below zero": '"amount_fen": -5',
    "an amount of many digits": '"amount_fen": ' + "9" * 4000,
    "NaN": '"paid_fen": NaN',
    "a fraction": '"paid_fen": 1.5',
    "an exponent": '"sequence": 1e3',
    "a number as text": '"paid_fen": "1"',
    "half a pair": '"reason": "\\ud800"',
    "deep": '"lists": ' + "[" * 3000,
    "an item of null bytes": '"item": "\\u0000"',
    "an unknown key": '"admitted": true',
    "a yes of one": '"manual": 1',
}


def a_strange_line(gate: OfflineGate, more: str) -> bytes:
    """A line as this gate's own key signs it, whatever stands in it."""
    said: dict[str, str] = {
        "sequence": str(gate.terminal.next()), "at_ms": str(int(time.time() * 1000)), "shift_ms": "0",
        "key_id": str(gate.terminal.key_id), "item": f'"{gate.item}"', "code": '"OC1.x"', "verdict": '"ADMITTED"',
        "paid_fen": "0",
    }  # fmt: skip
    named = [name for name in said if f'"{name}":' in more]
    text = ", ".join([*(f'"{name}": {value}' for name, value in said.items() if name not in named), more])
    raw = f"{{{text}}}".encode()
    mac = gate.terminal.mac.of(gate.terminal.key, f"{gate.journal}\n{gate.last}\n".encode() + raw).hex()
    line, gate.last = f"{mac} {gate.last} ".encode() + raw + b"\n", mac
    return line


def test_whatever_a_gates_own_key_signed_is_taken_or_told_and_keeps_up_nothing(
    city: Port, client: httpx.Client
) -> None:
    for told, code, strange in (("recorded", None, STRANGE), ("rejected", "LINE_MALFORMED", NO_LINES)):
        gate, card = city.a_ferry("operator"), city.a_card(purse_fen=3000)
        gate.lines = [a_strange_line(gate, said) for said in strange.values()]
        gate.write(card)
        uploaded = gate.upload(client)
        *results, last = uploaded.told("result", "code")
        assert dict(zip(strange, results, strict=True)) == dict.fromkeys(strange, (told, code))
        assert (last, uploaded.end["through"]) == (("recorded", None), uploaded.results[-1]["sequence"])
        assert city.purse_of(card) == 2700
    assert client.get("/health").json()["faults"] == 0


def test_an_upload_that_is_packed_is_refused_and_not_taken_for_an_empty_one(city: Port, client: httpx.Client) -> None:
    gate, card = city.a_ferry("operator"), city.a_card(purse_fen=3000)
    gate.write(card)
    headers = gate.headers("POST", UPLOAD, 0) | {"Content-Encoding": "gzip"}
    answer = client.post(UPLOAD, content=gzip.compress(b"".join(gate.lines)), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "REQUEST_MALFORMED")
    assert gate.upload(client).kinds == ["recorded"]


def test_an_item_that_nobody_knows(city: Port, client: httpx.Client) -> None:
    gate, card = city.a_ferry("operator"), city.a_card(purse_fen=3000)
    gate.write(card, item="transit.airship")
    assert gate.upload(client).told("verdict", "paid_fen", "borne_by") == [("ITEM_UNKNOWN", 0, None)]


def test_an_upload_is_signed(city: Port, client: httpx.Client) -> None:
    gate = city.a_ferry("operator")
    headers = gate.headers("POST", "/v1/uses:batch") | {"OneCard-Signature": "0" * 64}
    answer = client.post("/v1/uses:batch", content=b"", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "TERMINAL_SIGNATURE_INVALID")
    other = city.a_ferry("operator")
    path = f"/v1/journals/{other.journal}"
    assert client.get(path, headers=gate.headers("GET", path)).status_code == 404
    assert gate.upload(client).end["lines"] == 0
