"""A gate with the real platform, killed and coming back: every admission is there once, and both come to the same."""

import datetime as dt
import hashlib
import os
import secrets
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests import list_worker
from tests.gate.process import GateProcess, a_gate, run, told, until
from tests.gateway.process import GatewayProcess, a_gateway
from tests.small_city import PLACE, Card, SmallCity, Terminal, record

from onecard.foundation import clock
from onecard.kernel.uses.lines import Answer
from onecard_gate.home import Home
from onecard_gate.supplies import Supplies
from onecard_kit.classes import numbers_of
from onecard_kit.decide import Place
from onecard_kit.offline import Remembered, decide_offline, read
from onecard_kit.presentation import Presentation
from onecard_kit.refs import permutation
from onecard_kit.verdicts import Verdict

pytestmark = pytest.mark.processes

TRAM = """
code = "transit.tram_ride"
version = 1
starts_on = 2020-01-01
name = { zh = "有轨电车乘车", en = "Tram ride" }
legal_basis = ["test"]
function = "transit"
offline = { limit_fen = 1000, days = 7, shortfall = "operator" }
price = { full_fen = 200, from = "holder.purse", to = "operator.receivable" }
[[concession]]
class = "everyone"
region = "all"
price = { percent = 95 }
funded_by = "operator"
[[concession]]
class = "senior_60"
price = { percent = 50 }
funded_by = "treasury.city"
[[concession]]
class = "senior_70"
price = { percent = 0 }
funded_by = "treasury.city"
[[concession]]
class = "student"
region = "all"
price = { percent = 80 }
funded_by = "treasury.city"
"""
ITEM = "transit.tram_ride"


@pytest.fixture(scope="module")
def city(fresh_database: dict[str, str]) -> Iterator[SmallCity]:
    made = SmallCity(fresh_database["owner"])
    made.an_item(TRAM)
    yield made
    made.connection.close()


@pytest.fixture(scope="module")
def build(
    city: SmallCity, fresh_database: dict[str, str], environment_for: list_worker.Environment
) -> Callable[[], int]:
    return lambda: list_worker.build(environment_for, fresh_database["worker"])


@pytest.fixture(scope="module")
def gateway(
    city: SmallCity, fresh_database: dict[str, str], environment_for: Callable[[str], dict[str, str]],
    build: Callable[[], int],
) -> Iterator[GatewayProcess]:  # fmt: skip
    build()
    with a_gateway(environment_for, fresh_database["gateway"]) as running:
        yield running


@pytest.fixture
def terminal(city: SmallCity) -> Terminal:
    return city.a_terminal(ITEM, point=city.a_point(ITEM, city.operator))


@pytest.fixture
def folder(city: SmallCity, gateway: GatewayProcess, terminal: Terminal, tmp_path: Path) -> Path:
    """A gate that is paired as this terminal, as the console's pairing code would."""
    code = secrets.token_hex(5).upper()
    city.run(
        "INSERT INTO catalogue_pairing (code_digest, terminal_id, expires_at)"
        " VALUES ($1, $2, now() + interval '1 day')",
        hashlib.sha256(code.encode()).digest(), terminal.id,
    )  # fmt: skip
    run(tmp_path / "gate", "pair", gateway.url, code)
    return tmp_path / "gate"


def uses_of(city: SmallCity, terminal: Terminal) -> dict[int, tuple[int, str]]:
    """Each sequence of the terminal that the platform knows, with card and verdict; each once."""
    rows = city.run(
        "SELECT k.sequence, u.card_id, u.verdict FROM uses_use u LEFT JOIN uses_journal_key k ON k.use_id = u.id"
        " WHERE u.terminal_id = $1 ORDER BY 1",
        terminal.id,
    )
    found = {sequence: (card, verdict) for sequence, card, verdict in rows}
    assert len(found) == len(rows)
    return found


def test_a_gate_goes_on_while_the_platform_is_away(
    city: SmallCity, gateway: GatewayProcess, terminal: Terminal, folder: Path
) -> None:
    """Online, the platform killed, the gate killed, both back: each admission is one use, and each purse paid once."""
    cards = [city.a_card(purse_fen=1000) for _ in range(7)]
    admitted: dict[int, Card] = {}

    def present(gate: GateProcess, card: Card, mode: str) -> None:
        result = gate.present(city.a_code(card))
        assert (result["mode"], result["verdict"], result["paid_fen"]) == (mode, "ADMITTED", 190)
        admitted[result["sequence"]] = card

    with a_gate(folder) as gate:
        present(gate, cards[0], "online")
        gateway.kill()
        try:
            for card in cards[1:4]:
                present(gate, card, "offline")
            gate.kill()
            gate.start()
            for card in cards[4:6]:
                present(gate, card, "offline")
        finally:
            gateway.start()
        until(lambda: set(uses_of(city, terminal)) == set(admitted), "everything is uploaded")
        until(lambda: told(folder, "show", "--json")[0]["lines"][0]["unsent"] == 0, "and acknowledged")
        present(gate, cards[6], "online")
    assert {sequence: card for sequence, (card, _) in uses_of(city, terminal).items()} == {
        sequence: card.id for sequence, card in admitted.items()
    }
    assert [city.purse_of(card) for card in cards] == [810] * 7


def test_an_answer_that_comes_too_late_is_one_use(
    city: SmallCity, gateway: GatewayProcess, terminal: Terminal, folder: Path
) -> None:
    """The platform stands still with the request in its hands, and records it later; the line says the same."""
    card = city.a_card(purse_fen=1000)
    assert gateway.process is not None
    with a_gate(folder) as gate:
        assert gate.present(city.a_code(city.a_card()))["mode"] == "online"
        os.killpg(gateway.process.pid, signal.SIGSTOP)
        try:
            result = gate.present(city.a_code(card))
        finally:
            os.killpg(gateway.process.pid, signal.SIGCONT)
        assert (result["mode"], result["admitted"]) == ("offline", True)
        until(lambda: told(folder, "show", "--json")[0]["lines"][0]["unsent"] == 0, "acknowledged")
    assert uses_of(city, terminal)[result["sequence"]] == (card.id, "ADMITTED")
    assert city.purse_of(card) == 810


def test_a_loss_stops_a_gate_without_a_line(
    city: SmallCity, gateway: GatewayProcess, terminal: Terminal, folder: Path, build: Callable[[], int]
) -> None:
    card = city.a_card()
    code = city.a_code(card)  # fetched before the loss
    city.run("UPDATE cards_standing SET card_state = 'lost' WHERE card_id = $1", card.id)
    build()
    run(folder, "sync")
    gateway.kill()
    try:
        (result,) = told(folder, "present", code, status=1)
    finally:
        gateway.start()
    assert (result["mode"], result["verdict"]) == ("offline", "CARD_LOST")


# --- the same verdict ---------------------------------------------------------------------------------------------

CLASSES: tuple[tuple[str, ...], ...] = ((), ("senior_60",), ("senior_70",), ("student",), ("senior_60", "student"))
STATES = {"active": Verdict.ADMITTED, "lost": Verdict.CARD_LOST, "cancelled": Verdict.CARD_CANCELLED}


@pytest.fixture(scope="module")
def holders(city: SmallCity, build: Callable[[], int]) -> dict[tuple[str, int], Card]:
    """A card of each state and each set of classes, in the lists."""
    found = {
        (state, number): city.a_card(
            state=state, purse_fen=90_000, classes=[(each, "2020-01-01", None) for each in classes]
        )
        for state in STATES
        for number, classes in enumerate(CLASSES)
    }
    build()
    return found


def test_the_platform_and_a_gate_come_to_the_same(
    city: SmallCity, gateway: GatewayProcess, terminal: Terminal, folder: Path, fresh_database: dict[str, str],
    holders: dict[tuple[str, int], Card],
) -> None:  # fmt: skip
    """The real pack and lists here, the real tables there: one verdict and one price, whoever comes and whenever."""
    run(folder, "sync")
    supplies = Supplies.open(Home.open(folder))
    known = supplies.known
    assert known.pack is not None
    assert isinstance(known.pack.place_for(ITEM), Place)
    seen: set[str] = set()

    @given(
        who=st.sampled_from(sorted(holders)),
        problem=st.sampled_from(["none", "late", "early", "forged", "spent", "other item"]),
    )
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def both(who: tuple[str, int], problem: str) -> None:
        card, now = holders[who], clock.now()
        code = a_code_with_classes(city, card, CLASSES[who[1]], now)
        at = now + dt.timedelta(seconds={"late": 90, "early": -90}.get(problem, 0))
        if problem == "forged":
            code = code[:-3] + ("AAA" if code[-3:] != "AAA" else "BBB")
        item = "transit.bus_ride" if problem == "other item" else ITEM
        times = 2 if problem == "spent" else 1
        lines = [city.a_line(terminal, code=code, item=item, at=at) for _ in range(times)]
        (outcomes,) = record(fresh_database["gateway"], lines)
        ours = outcomes[-1]
        assert isinstance(ours, Answer)
        presented = Presentation(item, code)
        shown = read(presented, None, known, at.timestamp())
        theirs = decide_offline(presented, shown, known, Remembered(spent=times == 2), at.timestamp())
        seen.add(ours.verdict)
        # A pack holds what its point offers, so a gate cannot tell an item of elsewhere from none at all.
        elsewhere = ours.verdict is Verdict.ITEM_NOT_OFFERED
        assert theirs.verdict == (Verdict.ITEM_UNKNOWN if elsewhere else ours.verdict), problem
        assert theirs.paid_fen == ours.paid_fen

    both()
    assert {"ADMITTED", "CARD_LOST", "REPLAYED"} <= seen


def a_code_with_classes(city: SmallCity, card: Card, classes: tuple[str, ...], at: dt.datetime) -> str:
    """As the platform issues it: with the numbers of the classes that the holder has on that day."""
    from onecard_kit import codes

    starts, ends = codes.windows(int(at.timestamp()), 1)[0]
    day = clock.day_of(dt.datetime.fromtimestamp(starts, dt.UTC))
    ref = permutation(city.codes_ring.derive("ref"), day).ref(card.serial)
    numbers: Any = tuple(numbers_of(classes))
    claims = codes.Claims(
        PLACE, city.signer.kid, ref, codes.Via.SELF, starts, ends, secrets.token_bytes(12), numbers
    )  # fmt: skip
    return codes.encode(claims, city.signer)
