"""`./onecard bench uses`: uses a second through the whole gateway, against pgbench running the same statements.

    uses.ride    purse, treasury and quota, 100,000 cards; limit: the same transaction in groups of 32, 2 clients
    uses.entry   no money; limit: the same transaction one use at a time, 16 clients

The limit runs the product's own SQL files with their parameters filled in by pgbench: no HTTP, no signature, no
decision.
"""

import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import psycopg

from bench.harness import (
    Figure,
    Sample,
    a_cluster,
    interleave,
    pgbench,
    report,
    server_cpu_s,
    server_version,
    tree_cpu_s,
)
from bench.load import write_requests
from onecard.foundation import clock, crypto, keys, sql
from onecard.foundation.postgres import grants, roles
from onecard.foundation.postgres.embedded import EmbeddedPostgres
from onecard.gateway.terminals import key_aad
from onecard.scenarios import FOLDER
from onecard_kit import codes, item_files, requests, terms
from onecard_kit.refs import permutation
from onecard_kit.suites import ED25519, Signer

CARDS = 100_000
TERMINALS = 200
CONNECTIONS = 256
WORKERS = 2
PORT = 8899
ROUNDS = 3
SECONDS = 6
GROUP = 32
PLACE = "320600"
KID = b"\x00\x01"
PURSE_FEN = 90_000
MEASURED = ("transit.bus_ride", "culture.library_entry")
LOAD, RECORD = "onecard.kernel.uses.load", "onecard.kernel.uses.record"


PURSES = """
SELECT count(*) FROM ledger_open(ARRAY(SELECT 'holder:' || n FROM generate_series(1, $1::int) n),
                                 'holder.purse', 'purse', true, 100000)
"""
OPENING = """
WITH opening AS (
    SELECT array_agg((left(uuid7_floor(now())::text, 24) || lpad(to_hex(n), 12, '0'))::uuid ORDER BY n) AS ids,
           array_agg($3::bigint + n - 1 ORDER BY n) AS purses
    FROM generate_series(1, $1::int) n
)
SELECT count(posted) FROM opening, ledger_post(
    ids, array_fill($2::bigint, ARRAY[$1::int]), purses, array_fill($4::bigint, ARRAY[$1::int]),
    array_fill('posted'::text, ARRAY[$1::int]), array_fill('opening'::text, ARRAY[$1::int]),
    array_fill(NULL::uuid, ARRAY[$1::int]), array_fill(NULL::timestamptz, ARRAY[$1::int]),
    array_fill(NULL::uuid, ARRAY[$1::int])) posted
"""
STANDINGS = """
INSERT INTO cards_standing (card_id, holder_id, issuing_place, generation, card_state, social_security, financial,
                            transit, number_index, ecard_serial, purse_account_id, classes)
SELECT n, n, '320600', 3, 'active', 'active', 'active', 'active', decode(md5(n::text), 'hex'), n, $2::bigint + n - 1,
       '[["senior_60", "2020-01-01", null]]'
FROM generate_series(1, $1::int) n
"""


class City:
    """A city of numbers only: 100,000 standings of the class with a quota, their purses, all items of the catalogue,
    and 200 terminals for each that is measured."""

    def __init__(self, owner_url: str) -> None:
        self.owner_url = owner_url
        self.connection = psycopg.connect(owner_url, autocommit=True)
        self.signer = Signer.of(ED25519, KID, secrets.token_bytes(32))
        self.ref_key = keys.load("codes").derive("ref")
        self.terminals: dict[str, list[tuple[int, str, int, bytes]]] = {}
        self.journal = uuid4()
        self.sequence = 0

    def one(self, statement: str, *params: object) -> Any:
        with psycopg.RawCursor(self.connection) as cursor:
            cursor.execute(statement.encode(), params)
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None

    def build(self) -> None:
        party = self.one(
            "INSERT INTO partners_party (code, kind, name_zh, name_en, division)"
            " VALUES ('bench', 'operator', 'b', 'b', $1) RETURNING id",
            PLACE,
        )
        for role, ledger in (
            ("operator.receivable", "purse"), ("operator.receivable", "treasury"), ("treasury.city", "treasury"),
            ("bank.clearing", "purse"),
        ):  # fmt: skip
            self.one("SELECT ledger_open(ARRAY[$1], $2, $3, false, NULL)", f"party:{party}", role, ledger)
        self.receivable = self._account("operator.receivable", "purse")
        self.receivable_treasury = self._account("operator.receivable", "treasury")
        self.treasury = self._account("treasury.city", "treasury")
        self._people(self._account("bank.clearing", "purse"))
        items = [item_files.load(path) for path in sorted(FOLDER.glob("*/items/*.toml"))]
        for item in items:
            self._declare(item)
        for item in items:
            if item.code in MEASURED:
                self._terminals(item, party)
        self._issuer_key()
        self.connection.execute("VACUUM ANALYZE")

    def _account(self, role: str, ledger: str) -> int:
        account: int = self.one("SELECT id FROM ledger_account WHERE role = $1 AND ledger = $2", role, ledger)
        return account

    def _people(self, clearing: int) -> None:
        self.one(PURSES, CARDS)
        self.first_purse: int = self.one("SELECT min(id) FROM ledger_account WHERE role = 'holder.purse'")
        self.one(OPENING, CARDS, clearing, self.first_purse, PURSE_FEN)
        self.one(STANDINGS, CARDS, self.first_purse)

    def _declare(self, item: terms.Item) -> None:
        self.one(
            "INSERT INTO catalogue_item (code, field, level, area) VALUES ($1, $2, 'city', $3)",
            item.code, item.code.partition(".")[0], PLACE,
        )  # fmt: skip
        self.one(
            "INSERT INTO catalogue_item_version (item_id, version, starts_on, stage, declaration, digest)"
            " VALUES ($1, 1, $2, 'published', $3, '')",
            item.code, item.starts_on, json.dumps(msgspec.to_builtins(item, str_keys=True)),
        )  # fmt: skip

    def _terminals(self, item: terms.Item, party: int) -> None:
        client = self.one(
            "INSERT INTO catalogue_client (code, party_id, name_zh, name_en) VALUES ($1, $2, 'b', 'b') RETURNING id",
            item.code, party,
        )  # fmt: skip
        made = []
        for n in range(TERMINALS):
            code = f"{item.code}-{n:03d}"
            point = self.one(
                "INSERT INTO catalogue_point (code, client_id, operator_id, name_zh, name_en, division)"
                " VALUES ($1, $2, $3, 'b', 'b', $4) RETURNING id",
                code, client, party, PLACE,
            )  # fmt: skip
            self.one("INSERT INTO catalogue_offer (point_id, item_id) VALUES ($1, $2)", point, item.code)
            terminal = self.one(
                "INSERT INTO catalogue_terminal (code, point_id, attended) VALUES ($1, $2, false) RETURNING id",
                code,
                point,
            )
            key = os.urandom(32)
            key_id = self.one(
                "INSERT INTO catalogue_terminal_key (terminal_id, key_sealed) VALUES ($1, $2) RETURNING id",
                terminal, crypto.seal(keys.load("terminals"), key, key_aad(terminal)),
            )  # fmt: skip
            made.append((terminal, code, key_id, key))
        self.terminals[item.code] = made

    def _issuer_key(self) -> None:
        self.one(
            "INSERT INTO ecards_key (kid, suite, public, private_sealed, sign_from)"
            " VALUES ($1, 'ed25519', $2, '', now())",
            KID, self.signer.public_key.public,
        )  # fmt: skip

    def requests(self, item: str, count: int, port: int) -> Iterator[bytes]:
        """Signed requests of `count` uses by cards drawn at random, each with a fresh code and sequence."""
        now = int(time.time())
        permute = permutation(self.ref_key, clock.today())
        terminals = self.terminals[item]
        for n in range(count):
            _, code, key_id, key = terminals[n % len(terminals)]
            self.sequence += 1
            claims = codes.Claims(
                issuer=PLACE, kid=KID, ref=permute.ref(secrets.randbelow(CARDS) + 1), via=codes.Via.SELF,
                not_before=now, expires=now + 900, nonce=os.urandom(12), classes=(2,),
            )  # fmt: skip
            body = json.dumps({"item": item, "code": codes.encode(claims, self.signer)}).encode()
            journal = str(self.journal)
            signature = requests.sign(key, "POST", "/v1/uses", now, journal, self.sequence, body)
            yield (
                f"POST /v1/uses HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\nOneCard-Terminal: {code}\r\nOneCard-Key: {key_id}\r\n"
                f"OneCard-Time: {now}\r\nOneCard-Journal: {journal}\r\nOneCard-Sequence: {self.sequence}\r\n"
                f"OneCard-Signature: {signature}\r\n\r\n"
            ).encode() + body


# --- the limit: the product's own statements, filled in by pgbench ---


def limit_script(city: City, item: str, group: int) -> str:
    """A pgbench script of one transaction that records `group` uses with the product's SQL, already decided."""
    version = city.one("SELECT id FROM catalogue_item_version WHERE item_id = $1", item)
    terminals = [t for t, *_ in city.terminals[item]][:group]
    point = city.one("SELECT point_id FROM catalogue_terminal WHERE id = $1", terminals[0])
    money = item == "transit.bus_ride"
    revision = city.one("SELECT number FROM catalogue_revision")
    cards = [f":c{n}" for n in range(group)]
    lines = [f"\\set c{n} random(1, {CARDS})" for n in range(group)] + ["\\set s random(1, 1000000000000)"]

    def const(value: object, kind: str, times: int = group) -> str:
        return "'{" + ",".join([str(value)] * times) + f"}}'::{kind}[]"

    serials = f"ARRAY[{','.join(cards)}]::int[]"
    holders = f"ARRAY[{','.join(cards)}]::bigint[]"
    purses = f"ARRAY[{','.join(f'{c} + {city.first_purse - 1}' for c in cards)}]::bigint[]"
    terminal_ids = "'{" + ",".join(str(t) for t in terminals) + "}'::bigint[]"
    journals = const(city.journal, "uuid")
    sequences = f"ARRAY(SELECT :s::bigint + n FROM generate_series(1, {group}) n)"
    nonces = f"ARRAY(SELECT decode(lpad(to_hex(:s::bigint + n), 24, '0'), 'hex') FROM generate_series(1, {group}) n)"
    expires = const('"' + clock.now().isoformat() + '"', "timestamptz")
    ids = f"ARRAY(SELECT uuidv7() FROM generate_series(1, {group}))"
    none = "'{}'"
    statements = [
        "BEGIN",
        _filled(sql.load(LOAD, "lock_cards"), serials, f"{none}::bytea[]"),
        _filled(
            sql.load(LOAD, "facts"), terminal_ids, const(item, "text"), f"'{clock.today()}'", terminal_ids, journals,
            sequences, nonces, expires, holders, str(revision), const("true", "boolean"),
        ),
        _filled(
            sql.load(RECORD, "save"), ids, expires, terminal_ids, const(point, "bigint"), const(item, "text"),
            const(version, "bigint"), holders, const("code", "text"), const("ADMITTED", "text"),
            const(200 if money else 0, "bigint"), const(100 if money else 0, "bigint"),
            const("senior_60" if money else "null", "text"), journals, sequences,
            const("\\\\x00112233445566778899aabbccddeeff", "bytea"),
            nonces, expires, f"{none}::bigint[]", f"{none}::bigint[]",
            *((holders, const("transit.bus_ride/senior_60", "text"), const(clock.today(), "date"), const(1, "int"))
              if money else (f"{none}::bigint[]", f"{none}::text[]", f"{none}::date[]", f"{none}::int[]")),
            f"{none}::text[]", f"{none}::text[]", f"{none}::text[]", *_transfers(city, group, purses, money),
            const(0, "bigint"), const("NULL", "text"),
        ).replace("SELECT * FROM unnest(ARRAY[:c0", "SELECT DISTINCT ON (1) * FROM unnest(ARRAY[:c0"),
        "COMMIT",
    ]  # fmt: skip
    return "\n".join(lines) + "\n" + ";\n".join(s.strip() for s in statements) + ";\n"


def _transfers(city: City, group: int, purses: str, money: bool) -> list[str]:
    """The transfers to save: a paid part from each purse and a concession from the treasury; none without money."""
    if not money:
        none = "'{}'"
        return [f"{none}::uuid[]", *[f"{none}::bigint[]"] * 3, f"{none}::text[]", f"{none}::uuid[]", "0"]

    def both(first: object, second: object, kind: str) -> str:
        return "'{" + ",".join([str(first)] * group + [str(second)] * group) + f"}}'::{kind}[]"

    return [
        f"ARRAY(SELECT uuidv7() FROM generate_series(1, {2 * group}))",
        f"{purses} || array_fill({city.treasury}::bigint, ARRAY[{group}])",
        both(city.receivable, city.receivable_treasury, "bigint"),
        both(100, 100, "bigint"),
        both("paid", "concession", "text"),
        f"ARRAY(SELECT uuidv7() FROM generate_series(1, {2 * group}))",
        str(2 * group),
    ]


def _filled(statement: str, *values: str) -> str:
    """The statement with ``$n`` replaced, on one line and without comments, as pgbench reads it."""
    bare = " ".join(line.partition("--")[0].strip() for line in statement.splitlines())
    return re.sub(r"\$(\d+)(::text(?=::))?", lambda m: values[int(m[1]) - 1], bare)


# --- the product ---


@contextmanager
def a_gateway(url: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "ONECARD_DATABASE_URL": url, "ONECARD_NODE": PLACE}
    command = [
        sys.executable, "-m", "granian", "--interface", "rsgi", "--host", "127.0.0.1", "--port", str(port),
        "--workers", str(WORKERS), "--log-level", "warning", "--no-access-log", "onecard.gateway.app:application",
    ]  # fmt: skip
    process = subprocess.Popen(command, env=environment)
    try:
        time.sleep(3)
        yield process
    finally:
        process.terminate()
        process.wait(20)


def drive(city: City, cluster: EmbeddedPostgres, gateway: subprocess.Popen[bytes], port: int, item: str) -> Sample:
    """One round: ready-made requests over 256 connections for some seconds."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requests"
        write_requests(file, city.requests(item, 9_000 * SECONDS, port))
        before = tree_cpu_s(gateway.pid) + server_cpu_s(cluster)
        command = [
            sys.executable,
            "-m",
            "bench.load",
            "127.0.0.1",
            str(port),
            str(file),
            str(CONNECTIONS),
            str(SECONDS),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        spent_s = tree_cpu_s(gateway.pid) + server_cpu_s(cluster) - before
    told = json.loads(done.stdout)
    if told["other"] or told["ran_dry"]:
        raise RuntimeError(f"not every use was admitted, or the requests ran out: {told}")
    admitted = told["admitted"]
    return Sample(admitted / told["seconds"], spent_s / admitted * 1e6, told["p50_ms"], told["p99_ms"])


@contextmanager
def a_town(port: int) -> Iterator[tuple[City, EmbeddedPostgres, subprocess.Popen[bytes]]]:
    """A city in a cluster of its own, and the gateway before it."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onecard.settings.owner")
    with a_cluster() as (admin_url, cluster), tempfile.TemporaryDirectory() as folder:
        os.environ["ONECARD_KEYS"] = folder
        keys.create(Path(folder))
        addresses = roles.ensure_database(admin_url, "bench", {role: secrets.token_urlsafe(12) for role in roles.ROLES})
        os.environ["ONECARD_DATABASE_URL"] = addresses["owner"]
        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0, interactive=False)
        with psycopg.connect(addresses["owner"]) as owner:
            grants.apply_grants(owner)
        city = City(addresses["owner"])
        city.build()
        with a_gateway(addresses["gateway"], port) as gateway:
            yield city, cluster, gateway


def measure(rounds: int = ROUNDS) -> list[Figure]:
    with a_town(PORT) as (city, cluster, gateway):
        return _figures(city, cluster, gateway, PORT, city.owner_url, rounds)


def _figures(
    city: City, cluster: EmbeddedPostgres, gateway: subprocess.Popen[bytes], port: int, url: str, rounds: int
) -> list[Figure]:
    def limit(item: str, group: int, clients: int) -> Sample:
        return pgbench(cluster, url, limit_script(city, item, group), clients=clients, per_run=group, seconds=SECONDS)

    ride, entry = "transit.bus_ride", "culture.library_entry"
    conditions = {
        "postgresql": server_version(url),
        "cards": CARDS,
        "connections": CONNECTIONS,
        "gateway_processes": WORKERS,
    }
    one_use = limit(ride, 1, 16)
    return [
        interleave(
            "uses.ride", lambda: drive(city, cluster, gateway, port, ride), lambda: limit(ride, GROUP, 2), rounds,
            limit_is="pgbench, the same statements, groups of 32, 2 clients",
            one_use_form_per_second=round(one_use.per_second, 1), **conditions,
        ),
        interleave(
            "uses.entry", lambda: drive(city, cluster, gateway, port, entry), lambda: limit(entry, 1, 16), rounds,
            limit_is="pgbench, the same statements, one use each, 16 clients", **conditions,
        ),
    ]  # fmt: skip


def main(arguments: list[str]) -> int:
    report(measure(), "--json" in arguments)
    return 0
