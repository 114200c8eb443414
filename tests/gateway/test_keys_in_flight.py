"""Keys change while codes are in people's hands and journals on their way: two gateways, a gate's own program, and the
commands as an operator types them. Whatever was good when it was shown ends on the card it was shown for.
"""

import datetime as dt
import hashlib
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests import list_worker
from tests.conftest import ROOT
from tests.gate.process import run, told
from tests.gateway.gates import UPLOAD, OfflineGate
from tests.gateway.process import GatewayProcess, a_gateway, send, verdict
from tests.small_city import Card, SmallCity, Terminal

from onecard.check.running import django_at
from onecard.foundation import clock, crypto, keys, sql
from onecard.foundation.actors import Actor
from onecard.foundation.postgres import urls as addresses
from onecard.kernel.ecards import actions, lasting, losses
from onecard.kernel.ecards.models import Key
from onecard.kernel.ecards.refs import Refs
from onecard_gate.home import Home
from onecard_gate.supplies import Supplies
from onecard_kit import chips, codes
from onecard_kit.offline import read
from onecard_kit.presentation import Chip, Presentation
from onecard_kit.refs import day_of
from onecard_kit.suites import SUITES, Purpose, Signer
from onecard_kit.verdicts import Verdict

pytestmark = pytest.mark.processes

TRAM, HALL = "transit.tram_ride", "culture.hall_entry"
ITEMS = f"""
code = "{TRAM}"
version = 1
starts_on = 2020-01-01
name = {{ zh = "有轨电车乘车", en = "Tram ride" }}
legal_basis = ["test"]
function = "transit"
offline = {{ limit_fen = 1000, days = 7, shortfall = "operator" }}
price = {{ full_fen = 200, from = "holder.purse", to = "operator.receivable" }}
---
code = "{HALL}"
version = 1
starts_on = 2020-01-01
name = {{ zh = "展厅入场", en = "Hall entry" }}
legal_basis = ["test"]
media = ["code", "card", "number"]
offline = {{ limit_fen = 1000, days = 7, shortfall = "operator" }}
"""
CLERK, OTHER = (Actor(f"staff:{number}", frozenset({"*"})) for number in (7, 8))
PURSE_FEN, FARE_FEN = 1000, 200
Environment = Callable[[str], dict[str, str]]


@pytest.fixture(scope="module")
def environment_for(tmp_path_factory: pytest.TempPathFactory, keys_folder: Path) -> Iterator[Environment]:
    """With a key folder of this module's own: its rings change."""
    folder = tmp_path_factory.mktemp("rings")
    keys.create(folder)
    os.environ["ONECARD_KEYS"] = str(folder)
    yield lambda url: {**os.environ, addresses.ENVIRONMENT: url, "PYTHONPATH": str(ROOT / "src")}
    os.environ["ONECARD_KEYS"] = str(keys_folder)


@pytest.fixture(scope="module")
def city(
    environment_for: Environment, fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker
) -> Iterator[SmallCity]:
    """With a key that signs and one that stands by, of both purposes."""
    made = SmallCity(fresh_database["owner"])
    for text in ITEMS.split("---"):
        made.an_item(text)
    with django_db_blocker.unblock(), django_at(fresh_database["owner"]):
        for purpose in Purpose:
            actions.rotate_issuer_key(CLERK, purpose)
        yield made
    made.connection.close()


@pytest.fixture(scope="module")
def build(environment_for: Environment, fresh_database: dict[str, str]) -> Callable[[], int]:
    """Makes the lists, in a process that reads the rings as they are then."""
    return lambda: list_worker.build(environment_for, fresh_database["worker"])


@pytest.fixture(scope="module")
def gateways(
    city: SmallCity, environment_for: Environment, fresh_database: dict[str, str], build: Callable[[], int]
) -> Iterator[tuple[GatewayProcess, GatewayProcess]]:
    build()
    with (
        a_gateway(environment_for, fresh_database["gateway"]) as one,
        a_gateway(environment_for, fresh_database["gateway"]) as other,
    ):
        yield one, other


@pytest.fixture
def both(gateways: tuple[GatewayProcess, GatewayProcess]) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    with (
        httpx.Client(base_url=gateways[0].url, timeout=60) as one,
        httpx.Client(base_url=gateways[1].url, timeout=60) as other,
    ):
        yield one, other


@pytest.fixture
def onecard(environment_for: Environment, fresh_database: dict[str, str]) -> Callable[..., str]:
    """Types a command of an operator; what it printed."""

    def type_(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "onecard", *words], capture_output=True, text=True, check=False, timeout=120,
            env=environment_for(fresh_database["owner"]) | {"LC_ALL": "en_US.UTF-8"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    return type_


@dataclass
class Gate:
    """A gate's own program on its folder, as a terminal that takes both items; its line is to `gateway`."""

    city: SmallCity
    gateway: GatewayProcess
    folder: Path
    terminal: Terminal = field(init=False)

    def __post_init__(self) -> None:
        point = self.city.a_point(TRAM, self.city.operator)
        self.city.run("INSERT INTO catalogue_offer (point_id, item_id) VALUES ($1, $2)", point, HALL)
        self.terminal = self.city.a_terminal(TRAM, point=point, attended=True)
        self.pair()

    def pair(self) -> None:
        code = secrets.token_hex(5).upper()
        self.city.run(
            "INSERT INTO catalogue_pairing (code_digest, terminal_id, expires_at)"
            " VALUES ($1, $2, now() + interval '1 day')",
            hashlib.sha256(code.encode()).digest(), self.terminal.id,
        )  # fmt: skip
        run(self.folder, "pair", self.gateway.url, code)
        self.sync()

    def sync(self) -> None:
        run(self.folder, "sync")

    @contextmanager
    def without_a_line(self) -> Iterator[None]:
        self.gateway.kill()
        try:
            yield
        finally:
            self.gateway.start()

    def shown(self, code: str, item: str = TRAM) -> tuple[str, str]:
        """Who decided on a code, and how."""
        (result,) = told(self.folder, "present", code, "--item", item, status=None)
        return result["mode"], result["verdict"]

    def on_the_platform(self) -> list[tuple[Any, ...]]:
        """Of each of its uses there: card, verdict, and of one that was decided here what the platform would have said,
        what nobody paid and who bears it.
        """
        return self.city.run(
            "SELECT u.card_id, u.verdict, o.verdict, o.shortfall_fen, o.borne_by FROM uses_use u"
            " LEFT JOIN uses_offline_line o ON o.use_id = u.id WHERE u.terminal_id = $1 ORDER BY u.at, u.id",
            self.terminal.id,
        )

    def unsent(self) -> list[int]:
        """Of each of its journals, how many lines the platform does not have."""
        return [each["unsent"] for each in told(self.folder, "show", "--json")[0]["lines"]]


@pytest.fixture
def gate(city: SmallCity, gateways: tuple[GatewayProcess, GatewayProcess], tmp_path: Path) -> Gate:
    return Gate(city, gateways[0], tmp_path / "gate")


def signer_of(city: SmallCity, purpose: Purpose = Purpose.CODES) -> Signer:
    """The issuer's key that signs now, as a gateway opens it."""
    ((key_id, kid, suite, sealed),) = city.run(
        "SELECT id, kid, suite, private_sealed FROM ecards_key"
        " WHERE purpose = $1 AND sign_from IS NOT NULL AND sign_to IS NULL",
        purpose.value,
    )
    seed = crypto.open_sealed(keys.load("codes"), sealed, f"ecards_key.private_sealed:{key_id}")
    return Signer.of(SUITES[suite], bytes(kid), seed, purpose)


def until_gates_know_it_is_over(city: SmallCity) -> None:
    """Until the newest withdrawal is past at a gate, too: the platform tells the time in whole seconds, and one that
    differs by less than a second and a half is no news there.
    """
    withdrawn = city.one("SELECT extract(epoch FROM max(withdrawn_at))::float8 FROM ecards_key")
    time.sleep(max(0.0, withdrawn + 3 - time.time()))


def until_it_was_before() -> None:
    """Until what a gate just did lies before anything that happens now, however either tells the time (see above)."""
    time.sleep(3)


def refs_of(city: SmallCity) -> Refs:
    """Under which keys serials are permuted, as whoever starts now reads it."""
    return Refs.opened(keys.load("codes"), city.run(sql.load("onecard.kernel.ecards", "ref_keys")))


def in_hand(city: SmallCity, card: Card) -> str:
    """A code that the key signs that signs now; its window is long, so that no test depends on how fast it is."""
    begins, signer = int(time.time()), signer_of(city)
    at = dt.datetime.fromtimestamp(begins, dt.UTC)
    return city.a_code(card, at=at, signer=signer, kid=signer.kid, not_before=begins, expires=begins + 1800)


def an_elder(city: SmallCity) -> Card:
    """A card that is in the register, with an e-card: what paper codes and card files are made of."""
    card = city.a_card(purse_fen=PURSE_FEN)
    city.enrol(card, secrets.token_bytes(32))
    city.run("UPDATE cards_card SET state = 'active' WHERE id = $1", card.id)
    return card


def cards_of(city: SmallCity, count: int) -> list[Card]:
    return [city.a_card(purse_fen=PURSE_FEN) for _ in range(count)]


def a_phone(city: SmallCity) -> tuple[Card, str]:
    card, token = city.a_card(purse_fen=PURSE_FEN), secrets.token_urlsafe(16)
    city.enrol(card, hashlib.sha256(token.encode()).digest())
    return card, token


def fetched(http: httpx.Client, token: str) -> str:
    answer = http.post("/v1/codes", json={"windows": 1}, headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    code: str = answer.json()["windows"][0]["code"]
    return code


def kid_of(code: str) -> bytes:
    return codes.decode(code).claims.kid


def ride(http: httpx.Client, terminal: Terminal, code: str) -> str:
    return verdict(send(http, terminal, {"item": TRAM, "code": code}))


def a_tram(city: SmallCity) -> Terminal:
    return city.a_terminal(TRAM, point=city.a_point(TRAM, city.operator))


def paid(city: SmallCity, *cards: Card) -> list[int]:
    return [PURSE_FEN - city.purse_of(card) for card in cards]


# --- the key that signs codes -----------------------------------------------------------------------------------------


def test_codes_of_both_keys_pass_at_every_gateway(
    city: SmallCity, both: tuple[httpx.Client, httpx.Client], onecard: Callable[..., str]
) -> None:
    cards, tram, (phone, token) = cards_of(city, 2), a_tram(city), a_phone(city)
    old = [in_hand(city, card) for card in cards]
    onecard("keys", "rotate-issuer")
    assert [ride(http, tram, code) for http, code in zip(both, old, strict=True)] == ["ADMITTED"] * 2
    assert [ride(http, tram, code) for http, code in zip(both, reversed(old), strict=True)] == ["REPLAYED"] * 2
    signs = signer_of(city).kid
    for http in both:
        assert kid_of(fetched(http, token)) == signs != kid_of(old[0])
    assert [ride(http, tram, in_hand(city, phone)) for http in both] == ["ADMITTED"] * 2
    assert paid(city, *cards, phone) == [FARE_FEN, FARE_FEN, 2 * FARE_FEN]


def test_a_gate_without_a_line_takes_both_keys_and_not_the_one_after(
    city: SmallCity, gate: Gate, onecard: Callable[..., str]
) -> None:
    """It knows the key that stood by when its line went. What it took is paid, although two more keys signed since."""
    before, after, later = cards_of(city, 3)
    with gate.without_a_line():
        old = in_hand(city, before)
        onecard("keys", "rotate-issuer")
        assert gate.shown(in_hand(city, after)) == ("offline", "ADMITTED")
        assert gate.shown(old) == ("offline", "ADMITTED")
        onecard("keys", "rotate-issuer")
        third = in_hand(city, later)
        assert gate.shown(third) == ("offline", "KEY_UNKNOWN")
    gate.sync()
    assert gate.unsent() == [0]
    assert gate.on_the_platform() == [
        (after.id, "ADMITTED", "ADMITTED", 0, None),
        (before.id, "ADMITTED", "ADMITTED", 0, None),
        (later.id, "KEY_UNKNOWN", "ADMITTED", 0, None),
    ]
    assert paid(city, before, after, later) == [FARE_FEN, FARE_FEN, 0]
    with gate.without_a_line():
        assert gate.shown(third) == ("offline", "ADMITTED")


def test_a_phone_has_codes_that_pass_as_soon_as_a_key_is_withdrawn(
    city: SmallCity, both: tuple[httpx.Client, httpx.Client], onecard: Callable[..., str]
) -> None:
    """At every gateway: one that had not heard of it would sign ten minutes' worth of codes that nobody takes."""
    tram, (card, token) = a_tram(city), a_phone(city)
    stolen = [in_hand(city, card), *(fetched(http, token) for http in both)]
    kid = kid_of(stolen[0])
    onecard("keys", "withdraw-issuer", kid.hex(), "stolen")
    fresh = [kid_of(fetched(http, token)) for http in both]
    assert fresh == [signer_of(city).kid] * 2
    assert kid not in fresh
    assert {ride(http, tram, code) for code in stolen for http in both} == {"KEY_UNKNOWN"}
    assert [ride(http, tram, in_hand(city, card)) for http in both] == ["ADMITTED"] * 2


def test_what_a_gate_let_pass_before_its_key_was_withdrawn_stands(
    city: SmallCity, gate: Gate, onecard: Callable[..., str]
) -> None:
    """Before that moment it is a ride like any other. After it, it stands too, and nobody's purse pays for a thief."""
    before, after, too_late = cards_of(city, 3)
    stolen = [in_hand(city, card) for card in (before, after, too_late)]
    with gate.without_a_line():
        assert gate.shown(stolen[0]) == ("offline", "ADMITTED")
        until_it_was_before()
        onecard("keys", "withdraw-issuer", kid_of(stolen[0]).hex(), "stolen")
        until_gates_know_it_is_over(city)
        assert gate.shown(stolen[1]) == ("offline", "ADMITTED")
    gate.sync()
    assert gate.unsent() == [0]
    assert gate.on_the_platform() == [
        (before.id, "ADMITTED", "ADMITTED", 0, None),
        (after.id, "ADMITTED", "KEY_UNKNOWN", FARE_FEN, "operator"),
    ]
    assert paid(city, before, after) == [FARE_FEN, 0]
    with gate.without_a_line():
        assert gate.shown(stolen[2]) == ("offline", "KEY_UNKNOWN")
        assert gate.shown(in_hand(city, too_late)) == ("offline", "ADMITTED")


# --- the key of what lasts --------------------------------------------------------------------------------------------


def chip_problem(gate: Gate, card: Card, file: str) -> Verdict | None:
    """What a gate makes of a card's file, by what it holds on its disk."""
    chip = Chip(card.number, 7, "00" * chips.CRYPTOGRAM_BYTES)
    known = Supplies.open(Home.open(gate.folder)).known
    return read(Presentation(TRAM, card=chip), file, known, time.time()).problem


def test_papers_and_card_files_outlive_their_key_and_not_its_withdrawal(
    city: SmallCity, gate: Gate, both: tuple[httpx.Client, httpx.Client], onecard: Callable[..., str]
) -> None:
    elder, newcomer = an_elder(city), an_elder(city)
    paper, file = lasting.issue_paper_code(CLERK, elder.serial), lasting.write_card_file(CLERK, elder.id)
    old = signer_of(city, Purpose.LASTING).kid
    with gate.without_a_line():
        onecard("keys", "rotate-issuer", "--purpose", "lasting")
        young = lasting.issue_paper_code(CLERK, newcomer.serial), lasting.write_card_file(CLERK, newcomer.id)
        assert kid_of(young[0]) == signer_of(city, Purpose.LASTING).kid != old
        for code in (paper, young[0]):
            assert gate.shown(code, HALL) == ("offline", "ADMITTED")
        assert (chip_problem(gate, elder, file), chip_problem(gate, newcomer, young[1])) == (None, None)
        until_it_was_before()
        # Its key is withdrawn before the gate's lines are told.
        losses.lose(CLERK, Key.objects.get(kid=old), "320600", reason="stolen", approved_by=OTHER)
        until_gates_know_it_is_over(city)
        assert gate.shown(paper, HALL) == ("offline", "ADMITTED")
    gate.sync()
    assert gate.unsent() == [0]
    assert gate.on_the_platform() == [
        (elder.id, "ADMITTED", "ADMITTED", 0, None),
        (newcomer.id, "ADMITTED", "ADMITTED", 0, None),
        (elder.id, "ADMITTED", "KEY_UNKNOWN", 0, None),
    ]
    assert (chip_problem(gate, elder, file), chip_problem(gate, newcomer, young[1])) == (Verdict.KEY_UNKNOWN, None)
    desk = Terminal(gate.terminal.id, gate.terminal.code, gate.terminal.key_id, gate.terminal.key)
    for http in both:
        assert verdict(send(http, desk, {"item": HALL, "code": paper})) == "KEY_UNKNOWN"
        assert verdict(send(http, desk, {"item": HALL, "code": young[0]})) == "ADMITTED"
    with gate.without_a_line():
        assert gate.shown(paper, HALL) == ("offline", "KEY_UNKNOWN")
        assert gate.shown(young[0], HALL) == ("offline", "ADMITTED")


# --- keys of terminals ------------------------------------------------------------------------------------------------


def test_a_journal_that_waits_longer_than_its_terminals_key_holds(city: SmallCity, gate: Gate) -> None:
    """Paired again, a gate proves itself by its new key; what it wrote under the old one proves itself by that."""
    first, second = cards_of(city, 2)
    with gate.without_a_line():
        assert gate.shown(in_hand(city, first)) == ("offline", "ADMITTED")
    old = city.one("SELECT max(id) FROM catalogue_terminal_key WHERE terminal_id = $1", gate.terminal.id)
    # The line is there for the pairing and goes before the journal is uploaded; when it is back, the day is over.
    upload_at_once, gate.sync = gate.sync, lambda: None  # type: ignore[method-assign]
    gate.pair()
    gate.sync = upload_at_once  # type: ignore[method-assign]
    city.run("UPDATE catalogue_terminal_key SET valid_to = now() WHERE id = $1", old)
    assert gate.unsent() == [1, 0]
    gate.sync()
    assert gate.unsent() == [0, 0]
    with gate.without_a_line():
        assert gate.shown(in_hand(city, second)) == ("offline", "ADMITTED")
    gate.sync()
    assert gate.on_the_platform() == [(card.id, "ADMITTED", "ADMITTED", 0, None) for card in (first, second)]
    assert paid(city, first, second) == [FARE_FEN, FARE_FEN]


def test_a_line_from_after_its_keys_end_is_not_taken(city: SmallCity, both: tuple[httpx.Client, httpx.Client]) -> None:
    """Whoever kept the old key can write no more uses with it; a machine that has only that cannot upload at all."""
    tram, card = OfflineGate(city, a_tram(city), item=TRAM), city.a_card(purse_fen=PURSE_FEN)
    old = tram.terminal.key_id, tram.terminal.key
    for minutes_ago in (90, 30):
        tram.write(card, at=time.time() - minutes_ago * 60)
    city.run("UPDATE catalogue_terminal_key SET valid_to = now() - interval '1 hour' WHERE id = $1", old[0])
    answer = both[0].post(UPLOAD, content=b"".join(tram.lines), headers=tram.headers("POST", UPLOAD))
    assert verdict(answer) == "TERMINAL_SIGNATURE_INVALID"
    tram.pair_again()
    assert tram.upload(both[1]).told("result", "code") == [("recorded", None), ("rejected", "KEY_EXPIRED")]
    assert paid(city, card) == [FARE_FEN]


def test_the_ring_of_terminals_changes_under_gates_and_gateways(
    city: SmallCity, gate: Gate, gateways: tuple[GatewayProcess, GatewayProcess],
    both: tuple[httpx.Client, httpx.Client], onecard: Callable[..., str],
) -> None:  # fmt: skip
    """One gateway runs through it with the ring that it read, the other starts with what is left of it."""
    cards, tram = cards_of(city, 4), a_tram(city)
    with gate.without_a_line():
        assert gate.shown(in_hand(city, cards[0])) == ("offline", "ADMITTED")
        assert ride(both[1], tram, in_hand(city, cards[1])) == "ADMITTED"
        onecard("keys", "rotate", "terminals")
        assert ride(both[1], tram, in_hand(city, cards[1])) == "ADMITTED"
        onecard("keys", "retire", "terminals")
        city.terminals_ring = keys.load("terminals")
        assert ride(both[1], a_tram(city), in_hand(city, cards[2])) == "ADMITTED"
    gate.sync()
    assert gate.shown(in_hand(city, cards[3]))[1] == "ADMITTED"
    gate.sync()
    assert [card for card, *_ in gate.on_the_platform()] == [cards[0].id, cards[3].id]
    assert paid(city, *cards) == [FARE_FEN, 2 * FARE_FEN, FARE_FEN, FARE_FEN]


# --- the ring of codes: who is behind a ref ---------------------------------------------------------------------------


def test_a_code_names_the_same_card_before_and_after_its_ring_changed(
    city: SmallCity, gate: Gate, gateways: tuple[GatewayProcess, GatewayProcess],
    both: tuple[httpx.Client, httpx.Client], build: Callable[[], int], onecard: Callable[..., str],
) -> None:  # fmt: skip
    """Codes, lists and journals from before meet processes that ran through it and processes that began after it."""
    good, lost = cards_of(city, 6), city.a_card(purse_fen=PURSE_FEN)
    (phone, token), tram = a_phone(city), a_tram(city)
    late = OfflineGate(city, city.a_terminal(HALL, point=city.a_point(HALL, city.library)), item=HALL)
    city.run("UPDATE cards_standing SET card_state = 'lost' WHERE card_id = $1", lost.id)
    build()
    gate.sync()
    old = {card: in_hand(city, card) for card in (*good, lost)}
    for minutes_ago in range(10, 0, -1):  # the windows of a phone that fetched ten ahead
        late.write(good[0], at=time.time() - minutes_ago * 60)
    with gate.without_a_line():
        assert gate.shown(old[good[1]]) == ("offline", "ADMITTED")
        onecard("keys", "rotate", "codes")
        assert ride(both[1], tram, old[good[2]]) == "ADMITTED"
        onecard("keys", "retire", "codes")
        onecard("keys", "rotate-issuer")
        assert gate.shown(old[good[3]]) == ("offline", "ADMITTED")
        assert gate.shown(old[lost]) == ("offline", "CARD_LOST")
    build()
    gate.sync()
    with gate.without_a_line():  # by lists that another process drew
        assert gate.shown(in_hand(city, lost)) == ("offline", "CARD_LOST")
        assert gate.shown(in_hand(city, good[3])) == ("offline", "ADMITTED")
    gate.sync()
    assert [(card, verdict) for card, verdict, *_ in gate.on_the_platform()] == [
        (good[1].id, "ADMITTED"), (good[3].id, "ADMITTED"), (lost.id, "CARD_LOST"), (lost.id, "CARD_LOST"),
        (good[3].id, "ADMITTED"),
    ]  # fmt: skip
    assert [ride(http, tram, old[card]) for http, card in zip(both, good[4:], strict=True)] == ["ADMITTED"] * 2
    assert [ride(http, tram, in_hand(city, phone)) for http in both] == ["ADMITTED"] * 2
    assert len({kid_of(fetched(http, token)) for http in both}) == 1
    assert late.upload(both[0]).told("verdict") == ["ADMITTED"] * 10
    assert {card for (card,) in city.run("SELECT card_id FROM uses_use WHERE terminal_id = $1", late.terminal.id)} == {
        good[0].id
    }
    assert paid(city, *good[1:], lost, phone) == [200, 200, 400, 200, 200, 0, 400]


def test_a_code_names_its_card_under_the_key_of_its_day(
    city: SmallCity, gate: Gate, gateways: tuple[GatewayProcess, GatewayProcess],
    both: tuple[httpx.Client, httpx.Client], build: Callable[[], int], onecard: Callable[..., str],
) -> None:  # fmt: skip
    """Journals of yesterday and codes of today, on the first day of another key; then its ring changes, too."""
    good, lost, (phone, token), tram = cards_of(city, 3), city.a_card(), a_phone(city), a_tram(city)
    late = OfflineGate(city, city.a_terminal(HALL, point=city.a_point(HALL, city.library)), item=HALL)
    for hours_ago in (30, 25):
        late.write(good[0], at=time.time() - hours_ago * 3600)
    city.run("UPDATE cards_standing SET card_state = 'lost' WHERE card_id = $1", lost.id)
    before = city.refs
    onecard("keys", "rotate-refs")
    with gate.without_a_line():  # nine days go by, at whose end neither a list nor a code of theirs is left
        gateways[1].kill()
        city.run("UPDATE ecards_ref_key SET from_day = $1", clock.today())
        city.run("DELETE FROM ecards_status_list")
        build()
        gateways[1].start()
    city.refs = refs_of(city)
    assert city.refs.on(clock.today()).ref(good[1].serial) != before.on(clock.today()).ref(good[1].serial)
    shutil.rmtree(gate.folder / "supplies")
    (gate.folder / "tags.json").unlink()
    gate.sync()
    assert late.upload(both[1]).told("verdict") == ["ADMITTED"] * 2
    assert {card for (card,) in city.run("SELECT card_id FROM uses_use WHERE terminal_id = $1", late.terminal.id)} == {
        good[0].id
    }
    with gate.without_a_line():
        assert gate.shown(in_hand(city, good[1])) == ("offline", "ADMITTED")
        assert gate.shown(in_hand(city, lost)) == ("offline", "CARD_LOST")
        onecard("keys", "rotate", "codes")
        onecard("keys", "retire", "codes")
        assert ride(both[1], tram, in_hand(city, good[2])) == "ADMITTED"
    gate.sync()
    assert [(card, verdict) for card, verdict, *_ in gate.on_the_platform()] == [
        (good[1].id, "ADMITTED"),
        (lost.id, "CARD_LOST"),
    ]
    assert refs_of(city) == city.refs
    for http in both:
        claims = codes.decode(fetched(http, token)).claims
        assert city.refs.on(day_of(claims.not_before)).serial(claims.ref) == phone.serial
    assert paid(city, *good) == [0, FARE_FEN, FARE_FEN]


def test_a_number_read_aloud_is_found_by_a_gateway_that_began_after_its_ring_changed(
    city: SmallCity, gateways: tuple[GatewayProcess, GatewayProcess], both: tuple[httpx.Client, httpx.Client],
    onecard: Callable[..., str],
) -> None:  # fmt: skip
    _, token = a_phone(city)
    onecard("keys", "rotate", "codes")
    onecard("keys", "retire", "codes")
    gateways[1].stop()
    gateways[1].start()
    given = both[0].post("/v1/numbers", headers={"authorization": f"Bearer {token}"})
    assert given.status_code == 200, given.text
    desk = city.a_terminal(HALL, point=city.a_point(HALL, city.library), attended=True)
    assert verdict(send(both[1], desk, {"item": HALL, "number": given.json()["number"]})) == "ADMITTED"
