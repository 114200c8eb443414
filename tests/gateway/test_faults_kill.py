"""kill -9 in the middle of groups, of the gateway and of PostgreSQL, with a cluster of our own that syncs to disk.

Sixteen terminals send; each repeats a line under its sequence until it is acknowledged. Whatever was killed, afterwards
every line stands exactly once with the verdict that was told, and money, quotas and nonces are those of these lines.
"""

import asyncio
import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.cluster import BINARIES
from tests.gateway.process import GatewayProcess, signed
from tests.small_city import Card, SmallCity, Terminal

from onecard.check import running as check
from onecard.foundation.postgres import grants, roles
from onecard.foundation.postgres.embedded import EmbeddedPostgres

pytestmark = [pytest.mark.processes, pytest.mark.database]

CLIENTS = 16
LINES_EACH = 10
SHARED_CODES = 3
MIGRATE = (
    "import django; django.setup(); from django.core.management import call_command;"
    " call_command('migrate', verbosity=0, interactive=False)"
)
# The rest of `onecard check` compares with the register and the data dictionary, which a small city lacks.
CHECKS = {"BALANCES", "LEDGERS", "HOLDS", "USE_TRANSFERS", "REFUNDS", "NONCES", "JOURNAL_KEYS", "QUOTAS", "AUDIT_CHAIN"}


@dataclass
class House:
    """A cluster that may be killed, its database and its city."""

    postgres: EmbeddedPostgres
    urls: dict[str, str]
    city: SmallCity

    def admin(self) -> psycopg.Connection[tuple[Any]]:
        return psycopg.connect(self.postgres.url, autocommit=True)

    def reconnect(self) -> None:
        """Once the server was killed, the city's own connection is gone."""
        self.city.connection.close()
        until(self._answers)
        self.city.connection = psycopg.connect(self.urls["owner"], autocommit=True)

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError), self.admin():
            return True
        return False


@pytest.fixture(scope="module")
def house(keys_folder: Path, environment_for: Callable[[str], dict[str, str]]) -> Iterator[House]:
    folder = Path(tempfile.mkdtemp(prefix="onecard-test-"))
    folder.chmod(0o711)
    try:
        with EmbeddedPostgres(folder / "postgres", Path(BINARIES) if BINARIES else None) as postgres:
            passwords = {role: secrets.token_urlsafe(12) for role in roles.ROLES}
            urls = roles.ensure_database(postgres.url, "killed", passwords)
            environment = {**environment_for(urls["owner"]), "DJANGO_SETTINGS_MODULE": "onecard.settings.owner"}
            subprocess.run([sys.executable, "-c", MIGRATE], env=environment, check=True)
            with psycopg.connect(urls["owner"]) as owner:
                grants.apply_grants(owner, allow_missing=True)
            city = SmallCity(urls["owner"])
            yield House(postgres, urls, city)
            city.connection.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


# The load -------------------------------------------------------------------------------------------------------------


@dataclass
class Line:
    """One request of a terminal, and what it was told at last."""

    terminal: Terminal
    sequence: int
    content: dict[str, Any]
    told: dict[str, Any] = field(default_factory=dict)
    sent: int = 0


@dataclass
class Load:
    """What each client sends, in its order, and the cards it is about."""

    cards: list[Card]
    clients: list[list[Line]]

    @property
    def lines(self) -> list[Line]:
        return [line for lines in self.clients for line in lines]

    @property
    def acknowledged(self) -> int:
        return sum(bool(line.told) for line in self.lines)


def a_load(city: SmallCity) -> Load:
    """Rides and entries, by code and by chip; some codes are shown twice, some purses and quotas run out."""
    chance = random.Random(7)
    classes = [None, [("senior_60", "2020-01-01", None)], [("senior_70", "2020-01-01", None)]]
    cards = [city.a_card(purse_fen=600, classes=classes[n % 3]) for n in range(18)]  # type: ignore[arg-type]
    shared = [a_lasting_code(city, chance.choice(cards)) for _ in range(SHARED_CODES)]
    clients = []
    for client in range(CLIENTS):
        item = "culture.library_entry" if client < 2 else "transit.bus_ride"
        terminal, own = city.a_terminal(item), city.a_card(purse_fen=600)
        cards.append(own)
        lines = []
        for n in range(LINES_EACH):
            sequence = terminal.next()
            content: dict[str, Any] = {"item": item}
            if n % 3 == 0:
                content |= {"card": city.a_tap(own, n + 1, terminal, sequence)}
            elif client >= CLIENTS - 2 and n // 3 < SHARED_CODES and n % 3 == 1:
                content |= {"code": shared[n // 3]}
            else:
                content |= {"code": a_lasting_code(city, chance.choice(cards[:6]))}
            lines.append(Line(terminal, sequence, content))
        clients.append(lines)
    return Load(cards, clients)


def a_lasting_code(city: SmallCity, card: Card) -> str:
    """A code that stays valid for as long as a test may take on a slow machine."""
    now = int(time.time())
    return city.a_code(card, not_before=now, expires=now + 900)


async def send_until_acknowledged(url: str, lines: list[Line]) -> None:
    """One client: each line in turn, the same line again and again until it is answered."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        for line in lines:
            body = json.dumps(line.content).encode()
            while not line.told:
                line.sent += 1
                headers = signed(line.terminal, "/v1/uses", body, line.sequence)
                try:
                    answer = await client.post("/v1/uses", content=body, headers=headers)
                except httpx.TransportError:
                    await asyncio.sleep(0.05)
                    continue
                if answer.status_code == 200:
                    line.told = answer.json()
                else:
                    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1"), answer.text
                    await asyncio.sleep(0.05)


async def under_load(url: str, load: Load, *events: Callable[[], None]) -> None:
    """Send everything; each event happens when its share of the lines has been acknowledged."""
    sending = [asyncio.create_task(send_until_acknowledged(url, lines)) for lines in load.clients]
    for n, event in enumerate(events, start=1):
        while load.acknowledged < n * len(load.lines) // (2 * len(events) + 1):
            await asyncio.sleep(0.01)
            assert not any(task.done() and task.exception() for task in sending)
        await asyncio.to_thread(event)
    await asyncio.gather(*sending)


# What is killed -------------------------------------------------------------------------------------------------------

WAITING = (
    "SELECT pid FROM pg_stat_activity WHERE datname = 'killed' AND usename = 'onecard_gateway'"
    " AND wait_event_type = 'Lock'"
)
ANY = "SELECT pid FROM pg_stat_activity WHERE datname = 'killed' AND usename = 'onecard_gateway'"


@dataclass
class Killer(ABC):
    """Kills one thing, and brings back what does not come back by itself."""

    house: House
    gateway: GatewayProcess

    @abstractmethod
    def anyhow(self) -> None:
        """Kill at whatever moment this is."""

    def in_mid_group(self) -> None:
        """Kill while a group stands in the middle of its transaction, waiting for cards that somebody holds."""
        with closing(psycopg.connect(self.house.urls["owner"])) as holding:
            holding.execute("SELECT FROM cards_standing ORDER BY card_id FOR UPDATE")
            with closing(self.house.admin()) as admin:
                until(lambda: admin.execute(WAITING.encode()).fetchone() is not None)
            self.anyhow()


class KillGateway(Killer):
    def anyhow(self) -> None:
        self.gateway.kill()
        self.gateway.start()


class KillPostgres(Killer):
    def anyhow(self) -> None:
        pid = self.house.postgres.postmaster()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        self.house.postgres.start()


class KillBackend(Killer):
    """One backend killed makes PostgreSQL end all others and recover by itself."""

    def anyhow(self) -> None:
        with self.house.admin() as admin:
            until(lambda: admin.execute(ANY.encode()).fetchone() is not None)
            [pid] = admin.execute(ANY.encode()).fetchone() or (0,)
            os.kill(pid, signal.SIGKILL)
            with suppress(psycopg.OperationalError):
                until(lambda: admin.execute(b"SELECT true").fetchone() is None)


@pytest.mark.parametrize(
    ("killer", "workers"),
    [(KillGateway, 1), (KillGateway, 2), (KillPostgres, 1), (KillPostgres, 2), (KillBackend, 2)],
    ids=["gateway", "two-gateways", "postgres", "postgres-under-two", "backend-under-two"],
)
def test_whatever_is_killed_every_line_stands_exactly_once(
    house: House,
    environment_for: Callable[[str], dict[str, str]],
    django_db_blocker: DjangoDbBlocker,
    killer: type[Killer],
    workers: int,
) -> None:
    load = a_load(house.city)
    before = Books(house.city)
    gateway = GatewayProcess(environment_for(house.urls["gateway"]), workers)
    gateway.start()
    try:
        kill = killer(house, gateway)
        asyncio.run(under_load(gateway.url, load, kill.in_mid_group, kill.anyhow))
    finally:
        gateway.stop()
    house.reconnect()
    assert max(line.sent for line in load.lines) > 1
    assert_each_line_stands_as_told(house.city, load)
    assert_money_moved_for_these_lines_only(house.city, load, before)
    assert_quotas_and_nonces_are_those_of_these_lines(house.city, load)
    with django_db_blocker.unblock():
        findings = {each.code: each for each in check.run(house.urls["owner"])}
    assert {code: findings[code].numbers for code in CHECKS if not findings[code].ok} == {}


# What must hold -------------------------------------------------------------------------------------------------------


class Books:
    """What the transfers come to, as credits less debits: by account, and by ledger."""

    def __init__(self, city: SmallCity) -> None:
        self.by_account: dict[int, int] = dict(
            city.run(
                "SELECT account, sum(fen)::bigint FROM ("
                " SELECT credit_account AS account, amount_fen AS fen FROM ledger_transfer"
                " UNION ALL SELECT debit_account, -amount_fen FROM ledger_transfer) s GROUP BY account"
            )
        )
        self.by_ledger: dict[str, int] = dict(
            city.run(
                "SELECT a.ledger, sum(CASE a.id WHEN t.credit_account THEN t.amount_fen ELSE -t.amount_fen END)::bigint"
                " FROM ledger_transfer t JOIN ledger_account a ON a.id IN (t.credit_account, t.debit_account)"
                " GROUP BY a.ledger"
            )
        )

    def moved(self, before: "Books", account: int) -> int:
        return self.by_account.get(account, 0) - before.by_account.get(account, 0)


def uses_of(city: SmallCity, load: Load) -> list[tuple[Any, ...]]:
    """(journal, sequence, use, verdict, paid, full, concession, card) of what the load's terminals recorded."""
    return city.run(
        "SELECT k.journal, k.sequence, u.id, u.verdict, u.paid_fen, u.full_fen, u.concession, u.card_id"
        " FROM uses_use u LEFT JOIN uses_journal_key k ON k.use_id = u.id WHERE u.terminal_id = ANY ($1)",
        [lines[0].terminal.id for lines in load.clients],
    )


def assert_each_line_stands_as_told(city: SmallCity, load: Load) -> None:
    stands = sorted((str(row[0]), row[1], str(row[2]), row[3]) for row in uses_of(city, load))
    told = sorted(
        (str(line.terminal.journal), line.sequence, line.told["use"], line.told["verdict"]["code"])
        for line in load.lines
    )
    assert stands == told
    # A line decided twice would meet its own nonce or counter: only the codes shown at two terminals may.
    verdicts = Counter(line.told["verdict"]["code"] for line in load.lines)
    assert verdicts["REPLAYED"] == SHARED_CODES
    assert set(verdicts) == {"ADMITTED", "REPLAYED", "FUNDS_SHORT", "QUOTA_EXHAUSTED"}


def assert_money_moved_for_these_lines_only(city: SmallCity, load: Load, before: Books) -> None:
    after = Books(city)
    assert after.by_ledger == dict.fromkeys(after.by_ledger, 0)
    purse_of = {card.id: card.purse for card in load.cards}
    paid: Counter[int] = Counter()
    funded = 0
    for *_, verdict, paid_fen, full_fen, concession, card in uses_of(city, load):
        if verdict == "ADMITTED":
            paid[purse_of[card] or 0] += paid_fen
            funded += full_fen - paid_fen if concession in ("senior_60", "senior_70") else 0
    for card in load.cards:
        assert card.purse is not None
        assert after.moved(before, card.purse) == -paid[card.purse]
        assert city.purse_of(card) == 600 - paid[card.purse] >= 0
    assert after.moved(before, city.account(city.operator, "operator.receivable")) == paid.total()
    assert after.moved(before, city.account(city.operator, "operator.receivable", "treasury")) == funded > 0
    assert after.moved(before, city.account(city.treasury, "treasury.city", "treasury")) == -funded


def assert_quotas_and_nonces_are_those_of_these_lines(city: SmallCity, load: Load) -> None:
    holder_of = {card.id: card.holder_id for card in load.cards}
    counted: Counter[tuple[int, str]] = Counter()
    for *_, verdict, _paid, full_fen, concession, card in uses_of(city, load):
        if verdict == "ADMITTED" and full_fen == 0:
            counted[holder_of[card], "culture.library_entry"] += 1
        elif verdict == "ADMITTED" and concession == "senior_60":
            counted[holder_of[card], "transit.bus_ride/senior_60"] += 1
    stored = city.run(
        "SELECT holder_id, rule, sum(used)::int FROM entitlements_quota WHERE holder_id = ANY ($1) GROUP BY 1, 2",
        list(holder_of.values()),
    )
    assert {(holder, rule): used for holder, rule, used in stored} == dict(counted)
    shown = Counter(line.content["code"] for line in load.lines if "code" in line.content)
    [(nonces, different)] = city.run("SELECT count(*), count(DISTINCT nonce) FROM uses_spent_nonce")
    [(presented,)] = city.run("SELECT count(*) FROM uses_use WHERE medium = 'code' AND verdict <> 'REPLAYED'")
    assert nonces == different == presented >= len(shown)
