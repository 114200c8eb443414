"""Faults while journals are taken: kill -9 of the gateway and of PostgreSQL, two uploads of one journal, a trickle, a
caller who sends without end, a million lines, a backup that is put back. Each line stands exactly once afterwards.
"""

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import httpx
import psutil
import psycopg
import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.cluster import Cluster
from tests.gateway import test_faults_kill as killing
from tests.gateway.gates import UPLOAD, OfflineGate
from tests.gateway.process import Exchange, GatewayProcess, a_gateway, ask
from tests.gateway.test_faults_kill import WAITING, Books, House, KillBackend, Killer, KillGateway, KillPostgres, until
from tests.small_city import Card, SmallCity

from onecard.check import running as check
from onecard.foundation.postgres import urls as addresses
from onecard.gateway import rsgi
from onecard.gateway.app import Gateway
from onecard.gateway.batch import GROUP_MAX

pytestmark = [pytest.mark.processes, pytest.mark.database]

house = killing.house
GATES, LINES_EACH, CARDS, FARE_FEN = 3, 2 * GROUP_MAX + 80, 40, 190
CHECKS = killing.CHECKS | {"OFFLINE_LINES", "PARTITIONS"}
MEBIBYTE = 1 << 20


@dataclass
class Load:
    """Gates with their journals, each line a ride of another code, and the cards that ride."""

    gates: list[OfflineGate]
    cards: list[Card]
    rides: Counter[int]

    @property
    def terminals(self) -> list[int]:
        return [gate.terminal.id for gate in self.gates]

    @property
    def lines(self) -> int:
        return sum(len(gate.lines) for gate in self.gates)


def a_load(city: SmallCity, gates: int = GATES, lines_each: int = LINES_EACH) -> Load:
    cards = [city.a_card(purse_fen=100_000) for _ in range(CARDS)]
    load = Load([OfflineGate(city, city.a_terminal()) for _ in range(gates)], cards, Counter())
    for gate in load.gates:
        for n in range(lines_each):
            card = cards[n % CARDS]
            gate.write(card, paid_fen=FARE_FEN)
            load.rides[card.id] += 1
    return load


def assert_each_line_stands_once(city: SmallCity, load: Load, before: Books) -> None:
    """Each line, its use, its key and its nonce are there once, and it is paid once; the chains are whole."""
    rows = city.run(
        "SELECT l.journal, l.sequence, u.verdict, u.paid_fen, l.shortfall_fen, l.double"
        " FROM uses_offline_line l JOIN uses_use u ON u.id = l.use_id"
        " JOIN uses_journal_key k ON k.use_id = u.id AND (k.terminal_id, k.journal, k.sequence)"
        " = (l.terminal_id, l.journal, l.sequence) WHERE l.terminal_id = ANY ($1) ORDER BY 1, 2",
        load.terminals,
    )
    paid_once = ("ADMITTED", FARE_FEN, 0, False)
    sent = [(gate.journal, n + 1, *paid_once) for gate in load.gates for n in range(len(gate.lines))]
    assert rows == sorted(sent)
    assert city.one("SELECT count(*) FROM uses_use WHERE terminal_id = ANY ($1)", load.terminals) == load.lines
    heads = city.run(
        "SELECT journal, through, chain, broken_at FROM uses_journal WHERE terminal_id = ANY ($1) ORDER BY 1",
        load.terminals,
    )
    assert heads == sorted((gate.journal, len(gate.lines), gate.last, None) for gate in load.gates)
    after = Books(city)
    assert after.by_ledger == dict.fromkeys(after.by_ledger, 0)
    for card in load.cards:
        assert city.purse_of(card) == 100_000 - FARE_FEN * load.rides[card.id]
    assert after.moved(before, city.account(city.operator, "operator.receivable")) == FARE_FEN * load.lines


def assert_it_adds_up(url: str, django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.unblock():
        findings = {each.code: each for each in check.run(url)}
    assert {code: findings[code].numbers for code in CHECKS if not findings[code].ok} == {}


def recorded(city: SmallCity, load: Load) -> int:
    found: int = city.one("SELECT count(*) FROM uses_offline_line WHERE terminal_id = ANY ($1)", load.terminals)
    return found


# --- kill -9 ----------------------------------------------------------------------------------------------------------


@dataclass
class Sending:
    """Gates that send until everything is taken. While they are held, none sends more than a group and the beginning of
    the next, so that whatever happens meanwhile happens in the middle of uploads.
    """

    url: str
    load: Load
    held: asyncio.Event = field(default_factory=asyncio.Event)
    uploads: int = 0

    async def run(self) -> None:
        await asyncio.gather(*(self._until_taken(gate) for gate in self.load.gates))

    def let_go(self, *, hold_again: bool = False) -> None:
        """Let those that are held send on; whoever begins after that is held again, or not."""
        self.held.set()
        if hold_again:
            self.held = asyncio.Event()

    async def _until_taken(self, gate: OfflineGate) -> None:
        async with httpx.AsyncClient(base_url=self.url, timeout=60) as client:
            while True:
                try:
                    through = await self._head(client, gate)
                    if through == len(gate.lines):
                        return
                    if through is not None:
                        await self._upload(client, gate, max(through, 0))
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.05)

    async def _head(self, client: httpx.AsyncClient, gate: OfflineGate) -> int | None:
        path = f"/v1/journals/{gate.journal}"
        answer = await client.get(path, headers=gate.headers("GET", path))
        if answer.status_code == 503:
            return None
        assert answer.status_code == 200, answer.text
        through: int = answer.json()["through"]
        return through

    async def _upload(self, client: httpx.AsyncClient, gate: OfflineGate, taken: int) -> None:
        self.uploads += 1
        answer = await client.post(
            UPLOAD, content=self._body(gate.lines[taken:]), headers=gate.headers("POST", UPLOAD, taken + 1)
        )
        if answer.status_code == 503:
            return
        assert answer.status_code == 200, answer.text
        *results, end = map(json.loads, answer.text.splitlines())
        assert {each["code"] for each in results if each["result"] == "rejected"} <= {"CARD_BUSY"}
        assert end["done"] or end["code"] == "DATABASE_AWAY", end

    async def _body(self, lines: list[bytes]) -> AsyncIterator[bytes]:
        yield b"".join(lines[: GROUP_MAX + 10])
        await self.held.wait()
        yield b"".join(lines[GROUP_MAX + 10 :])


async def send_while_killing(url: str, house: House, load: Load, kill: Killer) -> Sending:
    """Kill once in the middle of a group, and once between the groups of uploads that are under way."""
    sending = Sending(url, load)
    with closing(psycopg.connect(house.urls["owner"])) as holding:
        holding.execute("SELECT FROM cards_standing ORDER BY card_id FOR UPDATE")
        running = asyncio.create_task(sending.run())
        await asyncio.to_thread(until, lambda: _seen(house, WAITING))
        await asyncio.to_thread(kill.anyhow)
    sending.let_go(hold_again=True)  # to find that nobody listens any more
    lines = f"SELECT FROM uses_offline_line WHERE terminal_id = ANY ('{{{','.join(map(str, load.terminals))}}}')"
    await asyncio.to_thread(until, lambda: _seen(house, lines, house.urls["owner"]))
    await asyncio.to_thread(kill.anyhow)
    sending.let_go()
    await running
    return sending


def _seen(house: House, query: str, url: str | None = None) -> bool:
    """Whether a query finds anything, on a connection of its own: the server may be away."""
    try:
        with closing(psycopg.connect(url or house.postgres.url, autocommit=True)) as asking:
            return asking.execute(query.encode()).fetchone() is not None
    except psycopg.OperationalError:
        return False


@pytest.mark.parametrize(
    ("killer", "workers"),
    [(KillGateway, 2), (KillPostgres, 1), (KillBackend, 2)],
    ids=["gateway", "postgres", "backend"],
)
def test_whatever_is_killed_in_an_upload_each_line_stands_once(
    house: House,
    environment_for: Callable[[str], dict[str, str]],
    django_db_blocker: DjangoDbBlocker,
    killer: type[Killer],
    workers: int,
) -> None:
    load, before = a_load(house.city), Books(house.city)
    gateway = GatewayProcess(environment_for(house.urls["gateway"]), workers)
    gateway.start()
    try:
        sent = asyncio.run(send_while_killing(gateway.url, house, load, killer(house, gateway)))
    finally:
        gateway.stop()
    house.reconnect()
    assert sent.uploads > len(load.gates)
    assert_each_line_stands_once(house.city, load, before)
    assert_it_adds_up(house.urls["owner"], django_db_blocker)


# --- two at once, and other ways to send ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def other(
    city: SmallCity, fresh_database: dict[str, str], environment_for: Callable[[str], dict[str, str]]
) -> Iterator[GatewayProcess]:
    """A second gateway before the same database."""
    with a_gateway(environment_for, fresh_database["gateway"]) as running:
        yield running


def test_one_journal_over_two_connections_to_two_gateways(
    city: SmallCity, gateway: GatewayProcess, other: GatewayProcess, fresh_database: dict[str, str],
    django_db_blocker: DjangoDbBlocker,
) -> None:  # fmt: skip
    load, before = a_load(city, gates=2), Books(city)
    start = threading.Barrier(4 * len(load.gates))

    def upload(gate: OfflineGate, url: str) -> list[tuple[int, str, Any]]:
        with httpx.Client(base_url=url, timeout=60) as client:
            start.wait()
            told = gate.upload(client)
            assert told.end["done"]
            return [(each["sequence"], each["result"], each["use"] or each["code"]) for each in told.results]

    with ThreadPoolExecutor(start.parties) as pool:
        uploads = [
            (gate, pool.submit(upload, gate, url)) for gate in load.gates for url in (gateway.url, other.url) * 2
        ]
        for gate in load.gates:
            told = [each for its, answer in uploads if its is gate for each in answer.result()]
            kinds = Counter((sequence, kind) for sequence, kind, _ in told if kind == "recorded")
            assert max(kinds.values()) == 1
            assert {said for _, kind, said in told if kind == "rejected"} <= {"CARD_BUSY"}
            for sequence in range(1, len(gate.lines) + 1):  # whoever told of it, it is one use
                assert len({said for n, kind, said in told if n == sequence and kind != "rejected"}) <= 1
    with httpx.Client(base_url=gateway.url, timeout=60) as client:
        for gate in load.gates:
            assert set(gate.upload(client).kinds) <= {"repeated", "recorded"}
    assert_each_line_stands_once(city, load, before)
    assert_it_adds_up(fresh_database["owner"], django_db_blocker)


def test_an_upload_that_trickles_keeps_nobody_waiting(city: SmallCity, gateway: GatewayProcess) -> None:
    first, second, card = OfflineGate(city, city.a_terminal()), OfflineGate(city, city.a_terminal()), city.a_card()
    for gate in (first, second):
        for _ in range(3):
            gate.write(card)
    others_are_done = threading.Event()

    def trickle() -> Iterator[bytes]:
        whole = b"".join(first.lines)
        for n in range(0, len(whole), 7):
            if n > len(whole) // 2:
                assert others_are_done.wait(60)
            yield whole[n : n + 7]

    with (
        ThreadPoolExecutor(1) as pool,
        httpx.Client(base_url=gateway.url, timeout=60) as client,
        httpx.Client(base_url=gateway.url, timeout=120) as own,
    ):
        sending = pool.submit(first.upload, own, trickle())
        assert second.upload(client).kinds == ["recorded"] * 3
        others_are_done.set()
        assert sending.result().kinds == ["recorded"] * 3


@dataclass
class Unending(Exchange):
    """A request whose body stops coming, without an end."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.body
        await asyncio.Event().wait()

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status, self.headers, self.json = status, dict(headers), list(map(json.loads, body.splitlines()))


def test_a_caller_who_says_nothing_more_is_told_what_was_taken(
    city: SmallCity, fresh_database: dict[str, str], keys_folder: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, card = OfflineGate(city, city.a_terminal()), city.a_card(purse_fen=100_000)
    for _ in range(GROUP_MAX + 5):
        gate.write(card)
    monkeypatch.setenv(addresses.ENVIRONMENT, fresh_database["gateway"])
    monkeypatch.setattr(rsgi, "PART_S_MAX", 0.2)

    async def go() -> list[dict[str, Any]]:
        gateway = Gateway()
        gateway.start(asyncio.get_running_loop())
        sent = {name.lower(): value for name, value in gate.headers("POST", UPLOAD).items()}
        exchange = Unending("POST", UPLOAD, sent, b"".join(gate.lines))
        await gateway.__rsgi__(exchange, exchange)
        path = f"/v1/journals/{gate.journal}"
        head = await ask(gateway, path, gate.headers("GET", path), b"", "GET")
        await gateway.stop()
        return [*exchange.json, head.json]

    *results, end, head = asyncio.run(go())
    assert [each["result"] for each in results] == ["recorded"] * GROUP_MAX
    assert (end["done"], end["code"], end["through"]) == (False, "REQUEST_TOO_SLOW", GROUP_MAX)
    assert head["through"] == GROUP_MAX


# --- memory -----------------------------------------------------------------------------------------------------------

MILLION = 1_000_000
GOOD_EACH = 10_000
GROWTH_MAX = 48 * MEBIBYTE
"""Ten times what groups, buffers and the answers' beginning come to; a tenth of what the answers alone would."""


class Watch(threading.Thread):
    """Looks at how much memory a gateway holds, at its most."""

    def __init__(self, gateway: GatewayProcess) -> None:
        super().__init__(daemon=True)
        assert gateway.process is not None
        self.processes = psutil.Process(gateway.process.pid).children(recursive=True)
        self.over = threading.Event()
        self.before = self.most = self._held()

    def _held(self) -> int:
        held: int = max(process.memory_info().rss for process in self.processes)
        return held

    def run(self) -> None:
        while not self.over.wait(0.02):
            self.most = max(self.most, self._held())

    def __enter__(self) -> "Watch":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.join()


def _streamed(client: httpx.Client, gate: OfflineGate, body: Iterator[bytes]) -> tuple[Counter[str], dict[str, Any]]:
    """Upload and read the answer as it comes; how many lines came to what, and the end."""
    counted: Counter[str] = Counter()
    last = ""
    with client.stream("POST", UPLOAD, content=body, headers=gate.headers("POST", UPLOAD)) as answer:
        for line in answer.iter_lines():
            counted[last[last.find('"result":"') + 10 :].partition('"')[0]] += 1
            last = line
    del counted[""]
    end: dict[str, Any] = json.loads(last)
    return counted, end


def test_a_million_lines_and_one_without_end_take_no_memory(city: SmallCity, gateway: GatewayProcess) -> None:
    gate, card = OfflineGate(city, city.a_terminal()), city.a_card(purse_fen=100_000)
    for _ in range(MILLION // GOOD_EACH):
        gate.write(card)
    scattered = (line + b"no line\n" * (GOOD_EACH - 1) for line in gate.lines)
    with httpx.Client(base_url=gateway.url, timeout=300) as client:
        warm = OfflineGate(city, city.a_terminal())
        warm.write(card)
        _streamed(client, warm, (line + b"no line\n" * 5_000 for line in warm.lines))
        with Watch(gateway) as watch:
            counted, end = _streamed(client, gate, scattered)
            assert (end["lines"], end["recorded"], end["through"]) == (MILLION, len(gate.lines), len(gate.lines))
            assert counted == {"recorded": len(gate.lines), "rejected": MILLION - len(gate.lines)}
            endless = (b"x" * MEBIBYTE for _ in range(200))
            assert _streamed(client, gate, endless)[0] == {"rejected": 1}
    assert watch.most - watch.before < GROWTH_MAX


# --- a backup that is put back ----------------------------------------------------------------------------------------


def test_a_platform_from_a_backup_takes_a_journal_again(
    postgres: Cluster, template: str, environment_for: Callable[[str], dict[str, str]],
    django_db_blocker: DjangoDbBlocker,
) -> None:  # fmt: skip
    """The gate had gone on after the backup was made, and its lines were taken; it goes back to where the backup is."""
    lived, restored = f"onecard_lived_{time.time_ns()}", f"onecard_restored_{time.time_ns()}"
    urls = postgres.create(lived, template)
    try:
        city = SmallCity(urls["owner"])
        load, before = a_load(city, gates=2, lines_each=60), Books(city)
        with a_gateway(environment_for, urls["gateway"]) as running, httpx.Client(base_url=running.url) as client:
            for gate in load.gates:
                assert gate.upload(client, gate.lines[:20]).end["through"] == 20
        city.connection.close()
        backup = postgres.create(restored, lived)
        with a_gateway(environment_for, urls["gateway"]) as running, httpx.Client(base_url=running.url) as client:
            for gate in load.gates:
                assert gate.upload(client, gate.lines[20:], first=21).kinds == ["recorded"] * 40
        city.connection = psycopg.connect(backup["owner"], autocommit=True)
        with a_gateway(environment_for, backup["gateway"]) as running, httpx.Client(base_url=running.url) as client:
            for gate in load.gates:
                assert gate.head(client)["through"] == 20
                assert gate.upload(client).kinds == ["repeated"] * 20 + ["recorded"] * 40
                assert gate.upload(client, gate.lines[20:], first=21).kinds == ["repeated"] * 40
        assert_each_line_stands_once(city, load, before)
        assert_it_adds_up(backup["owner"], django_db_blocker)
        city.connection.close()
    finally:
        postgres.drop(lived)
        postgres.drop(restored)
