"""`./onecard bench pages`: officers' pages a second in a city of a million holders and ten million uses, against the
same pages in one of ten thousand holders and a hundred thousand uses.

    pages.holder_search   by number, card number, name (thousands of hits, any page of them), initials with a birth
                          year, and the scan of a code
    pages.uses            the newest, of an item, at a point, of a day, refused ones, a holder's, a page deep down
    pages.dashboard       the overview with all its figures

Both cities stand on one server, each with a staff web process of its own, and are asked in turns by an officer who
signed in with both factors. The large city is made in some minutes (`bench.crowd`) and takes about ten gigabytes.
`--holders` and `--uses` make it smaller, to try.
"""

import argparse
import http.client
import os
import random
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain, cycle
from pathlib import Path
from urllib.parse import urlencode

import psycopg

from bench.harness import Figure, Sample, a_cluster, interleave, report, server_cpu_s, server_version, tree_cpu_s
from onecard.foundation import clock, crypto, keys
from onecard.foundation.postgres import grants, roles, urls
from onecard.foundation.postgres.embedded import EmbeddedPostgres
from onecard_kit import codes
from onecard_kit.suites import Signer

HOLDERS, USES = 1_000_000, 10_000_000
HOLDERS_SMALL, USES_SMALL = 10_000, 100_000
PORT, PLACE = 8930, "320600"
ROUNDS, SECONDS = 3, 6
CONNECTIONS = 2
SAMPLES = 300
USERNAME = "bench"
ROLES = ("card_officer", "auditor", "risk_officer")
# Between checkpoints, so that what is written while the city is made stays small beside it.
WAL_MAX = "3GB"

IDS_OF_NAME = "SELECT id FROM holders_holder WHERE name_index = %s ORDER BY random() LIMIT %s"
NUMBERS = "SELECT id, number_sealed FROM holders_holder WHERE id < %s ORDER BY random() LIMIT %s"
CARD_NUMBERS = "SELECT number FROM cards_card WHERE holder_id < %s ORDER BY random() LIMIT %s"
SERIALS = (
    "SELECT e.serial FROM ecards_ecard e JOIN cards_card c ON c.id = e.card_id"
    " WHERE c.holder_id < %s AND e.closed_at IS NULL ORDER BY random() LIMIT %s"
)
POINTS = (
    "SELECT code FROM catalogue_point p WHERE starts_with(code, 'CROWD-')"
    " AND EXISTS (SELECT FROM uses_use u WHERE u.point_id = p.id) ORDER BY random() LIMIT %s"
)
SOME_USES = "SELECT id, (at AT TIME ZONE 'Asia/Shanghai')::date FROM uses_use TABLESAMPLE BERNOULLI (0.5) LIMIT 20000"
HOLDER, USE = re.compile(rb'href="/holders/\d+/"'), re.compile(rb'href="/uses/[0-9a-f]{8}-')
FIGURES = re.compile(rb'class="kpis')


@dataclass(frozen=True)
class Ask:
    """A request of a page, and what its answer must show."""

    path: str
    shows: re.Pattern[bytes]
    form: Mapping[str, str] | None = None


@dataclass
class Town:
    """A city, its staff web process and the officer's cookies there."""

    addresses: dict[str, str]
    port: int
    web: subprocess.Popen[bytes] | None = None
    cookies: dict[str, str] = field(default_factory=dict)
    pages: dict[str, list[Callable[[], Ask]]] = field(default_factory=dict)

    def send(self, ask: Ask, connection: http.client.HTTPConnection) -> tuple[int, bytes, http.client.HTTPMessage]:
        """Send it as a browser does, with the officer's cookies; the status, the body and the headers."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = None
        if ask.form is not None:
            body = urlencode({**ask.form, "csrfmiddlewaretoken": self.cookies["onecard_staff_csrf"]})
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("GET" if body is None else "POST", ask.path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("localhost", self.port, timeout=120)


# --- Making the towns ---


def make(
    cluster: EmbeddedPostgres, passwords: Mapping[str, str], name: str, holders: int, uses: int, port: int
) -> Town:
    """A database with its city, and the pages that are asked for there."""
    from django.core.management import call_command

    from bench import crowd
    from onecard.demo import owner

    addresses = roles.ensure_database(cluster.url, name, passwords)
    with owner.connected(addresses["owner"]):
        call_command("migrate", verbosity=0, interactive=False)
    with psycopg.connect(addresses["owner"]) as connection:
        grants.apply_grants(connection)
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{name}: {what} after {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)

    made = crowd.build(urls.with_name(cluster.url, name), addresses["owner"], holders, uses, say)
    return Town(addresses, port, pages=pages(addresses["owner"], made.first))


def pages(url: str, first: int) -> dict[str, list[Callable[[], Ask]]]:
    """What is asked of a city, by figure: each kind of page once, with something else each time."""
    with psycopg.connect(url) as connection:
        return {
            "pages.holder_search": _searches(connection, first),
            "pages.uses": _lists_of_uses(connection, first),
            "pages.dashboard": [lambda: Ask("/", FIGURES)],
        }


def _searches(connection: psycopg.Connection[tuple[object, ...]], first: int) -> list[Callable[[], Ask]]:
    from bench import crowd
    from onecard.kernel.holders import loading

    ring = keys.load("identity")
    sealed = connection.execute(NUMBERS, [first, SAMPLES]).fetchall()
    numbers = cycle([loading.open_field(ring, "number", int(id_), held) for id_, held in sealed])  # type: ignore[call-overload, arg-type]
    cards = cycle([str(number) for (number,) in connection.execute(CARD_NUMBERS, [first, SAMPLES])])
    index = crypto.blind_index(ring, "name", crowd.NAME)
    after = cycle([str(id_) for (id_,) in connection.execute(IDS_OF_NAME, [index, SAMPLES])])
    coder = _coder(connection, first)

    def search(text: str, **more: str) -> Ask:
        return Ask("/holders/", HOLDER, {"number": text, **more})

    return [
        lambda: search(next(numbers)),
        lambda: search(next(cards)),
        lambda: search(crowd.NAME),
        lambda: Ask("/holders/", re.compile(b'id="found"'), {"number": crowd.NAME, "after": next(after)}),
        lambda: search(f"{crowd.INITIALS} {crowd.BIRTH_YEAR}"),
        lambda: search(coder()),
    ]


def _coder(connection: psycopg.Connection[tuple[object, ...]], first: int) -> Callable[[], str]:
    """A maker of codes of now, of e-cards in turn, signed with the issuer's key."""
    from onecard.foundation import suite
    from onecard.kernel.ecards.refs import Refs

    ring = keys.load("codes")
    key_id, kid, named, private = connection.execute(
        "SELECT id, kid, suite, private_sealed FROM ecards_key"
        " WHERE purpose = 'codes' AND sign_from IS NOT NULL AND sign_to IS NULL"
    ).fetchone()  # type: ignore[misc]  # the city has one
    seed = crypto.open_sealed(ring, private, f"ecards_key.private_sealed:{key_id}")  # type: ignore[arg-type]
    signer = Signer.of(suite.signature_suite(str(named)), kid, seed)  # type: ignore[arg-type]
    serials = cycle([int(serial) for (serial,) in connection.execute(SERIALS, [first, SAMPLES])])  # type: ignore[call-overload]
    refs = Refs.opened(ring, [])

    def code() -> str:
        starts, ends = codes.windows(int(time.time()), 1)[0]
        ref = refs.on(clock.today()).ref(next(serials))
        claims = codes.Claims(
            PLACE, signer.kid, ref, codes.Via.SELF, starts, ends, os.urandom(codes.NONCE_BYTES), ()
        )  # fmt: skip
        return codes.encode(claims, signer)

    return code


def _lists_of_uses(connection: psycopg.Connection[tuple[object, ...]], first: int) -> list[Callable[[], Ask]]:
    from bench import crowd

    points = cycle([str(code) for (code,) in connection.execute(POINTS, [SAMPLES])])
    some = random.Random(crowd.SEED).sample(connection.execute(SOME_USES).fetchall(), SAMPLES)
    deep, days = cycle([str(id_) for id_, _day in some]), cycle([str(day) for _id, day in some])
    items = cycle(["transit.bus_ride", "culture.library_entry", "culture.museum_entry", "health.registration"])
    verdicts = cycle(["FUNDS_SHORT", "CARD_LOST", "QUOTA_EXHAUSTED", "REPLAYED"])
    index = crypto.blind_index(keys.load("identity"), "name", crowd.NAME)
    holders = cycle([str(id_) for (id_,) in connection.execute(IDS_OF_NAME, [index, SAMPLES])])

    def listed(**wanted: str) -> Ask:
        return Ask(f"/uses/?{urlencode(wanted)}", USE)

    def of_day() -> Ask:
        day = next(days)
        return listed(**{"from": day, "to": day})

    return [
        lambda: listed(),
        lambda: listed(item=next(items)),
        lambda: listed(point=next(points)),
        of_day,
        lambda: listed(verdict=next(verdicts)),
        lambda: Ask(f"/holders/{next(holders)}/?kind=uses", re.compile(b'class="phead')),
        lambda: listed(before=next(deep)),
    ]


# --- Running them ---


@contextmanager
def staff_web(town: Town, folder: Path) -> Iterator[None]:
    """The staff web process of a town, and the officer signed in there."""
    environment = {
        **os.environ, "ONECARD_DATABASE_URL": town.addresses["staff"], "ONECARD_NODE": PLACE, "ONECARD_DEMO": "1",
        "ONECARD_SECRET_KEY": secrets.token_hex(32), "ONECARD_PORT": str(town.port),
        "DJANGO_SETTINGS_MODULE": "onecard.settings.staff",
    }  # fmt: skip
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(town.port),
        "--workers", "1", "--no-ws", "--blocking-threads", "4", "--log-level", "warning",
        "onecard.urls.staff:application",
    ]  # fmt: skip
    with (folder / f"web-{town.port}.log").open("wb") as log:
        town.web = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _wait_until_it_answers(town)
        sign_in(town)
        yield
    finally:
        town.web.terminate()
        town.web.wait(20)


def _wait_until_it_answers(town: Town, patience_s: float = 120) -> None:
    ends = time.monotonic() + patience_s
    while True:
        try:
            if town.send(Ask("/health", FIGURES), town.connect())[0] == 200:
                return
        except OSError:
            if time.monotonic() > ends:
                raise
        time.sleep(0.2)


def sign_in(town: Town) -> None:
    """Appoint an officer with an authenticator, and sign in with both factors through the pages."""
    from allauth.mfa.totp.internal import auth as totp

    from onecard.demo import owner
    from onecard.foundation.actors import system
    from onecard.kernel.staff import actions as staff

    password, secret, actor = secrets.token_urlsafe(12), totp.generate_totp_secret(), system("bench")
    name = f"{USERNAME}-{secrets.token_hex(3)}"
    with owner.connected(town.addresses["owner"]):
        officer = staff.appoint(actor, username=name, password=password, display_name="测量")
        for role in ROLES:
            staff.assign(actor, officer, role, PLACE[:4])
        totp.TOTP.activate(officer.user, secret)
    connection = town.connect()
    _take_cookies(town, town.send(Ask("/sign-in/", HOLDER), connection))
    _take_cookies(town, town.send(Ask("/sign-in/", HOLDER, {"login": name, "password": password}), connection))
    counter = list(totp.yield_hotp_counters_from_time())
    code = totp.format_hotp_value(totp.hotp_value(secret, counter[len(counter) // 2]))
    _take_cookies(town, town.send(Ask("/sign-in/code/", HOLDER, {"code": code}), connection))


def _take_cookies(town: Town, answer: tuple[int, bytes, http.client.HTTPMessage]) -> None:
    for line in answer[2].get_all("set-cookie", []):
        name, _, rest = line.partition("=")
        town.cookies[name] = rest.partition(";")[0]


def drive(town: Town, cluster: EmbeddedPostgres, figure: str) -> Sample:
    """One round: every kind of page in turn over a few connections, for some seconds."""
    assert town.web is not None
    asked = cycle(town.pages[figure])
    before, started = _cpu_s(town, cluster), time.perf_counter()
    ends = started + SECONDS
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        taken = sorted(chain(*pool.map(lambda _n: _ask_until(town, asked, ends), range(CONNECTIONS))))
    seconds, spent_s = time.perf_counter() - started, _cpu_s(town, cluster) - before
    p50, p99 = (taken[len(taken) * share // 100] * 1000 for share in (50, 99))
    return Sample(len(taken) / seconds, spent_s / len(taken) * 1e6, p50, p99)


def _cpu_s(town: Town, cluster: EmbeddedPostgres) -> float:
    assert town.web is not None
    return tree_cpu_s(town.web.pid) + server_cpu_s(cluster)


def _ask_until(town: Town, asked: Iterator[Callable[[], Ask]], ends: float) -> list[float]:
    """How long each answer took, in seconds. Raises RuntimeError for a page that does not show what it should."""
    connection, taken = town.connect(), []
    while (began := time.perf_counter()) < ends:
        ask = next(asked)()
        status, body, _headers = town.send(ask, connection)
        taken.append(time.perf_counter() - began)
        if status != 200 or not ask.shows.search(body):
            raise RuntimeError(f"{ask.path} {ask.form}: {status} {body[-2000:].decode(errors='replace')}")
    return taken


def figures(cluster: EmbeddedPostgres, large: Town, small: Town, rounds: int, **told: object) -> list[Figure]:
    """Every figure of two towns that are served."""
    for town in (large, small):
        for figure in town.pages:
            drive(town, cluster, figure)  # processes load and plan what a first request needs
    return [
        interleave(
            figure,
            lambda figure=figure: drive(large, cluster, figure),  # type: ignore[misc]
            lambda figure=figure: drive(small, cluster, figure),  # type: ignore[misc]
            rounds,
            postgresql=server_version(large.addresses["owner"]), connections=CONNECTIONS, web_processes=1,
            limit_is="the same pages of a small city on the same server", **told,
        )
        for figure in large.pages
    ]  # fmt: skip


def measure(holders: int = HOLDERS, uses: int = USES, rounds: int = ROUNDS) -> list[Figure]:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "onecard.settings.owner"
    with a_cluster() as (_url, cluster), tempfile.TemporaryDirectory() as temporary, ExitStack() as served:
        folder = Path(temporary)
        os.environ["ONECARD_KEYS"] = str(folder / "keys")
        keys.create(folder / "keys")
        django.setup()
        with psycopg.connect(cluster.url, autocommit=True) as admin:
            admin.execute(f"ALTER SYSTEM SET max_wal_size = '{WAL_MAX}'")
            admin.execute("SELECT pg_reload_conf()")
        passwords = {role: secrets.token_urlsafe(12) for role in roles.ROLES}
        small = make(cluster, passwords, "small", HOLDERS_SMALL, USES_SMALL, PORT)
        large = make(cluster, passwords, "large", holders, uses, PORT + 1)
        for town in (small, large):
            served.enter_context(staff_web(town, folder))
        told = {"holders": holders, "uses": uses, "holders_small": HOLDERS_SMALL, "uses_small": USES_SMALL}
        return figures(cluster, large, small, rounds, **told)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="onecard bench pages")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--holders", type=int, default=HOLDERS)
    parser.add_argument("--uses", type=int, default=USES)
    asked = parser.parse_args(arguments)
    report(measure(asked.holders, asked.uses), asked.json)
    return 0
