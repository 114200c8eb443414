"""A card on a reader: through the system's own PC/SC stack with a virtual card, and whatever a card may answer."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gate.process import a_gate, run, told, until
from tests.gate.stand_in import JOURNAL, StandIn, a_platform
from tests.gate.virtual_card import VirtualCard, on_the_reader, pcscd
from tests.kit.packs import a_file

from onecard_gate.asked import CardGone
from onecard_gate.inputs import cards
from onecard_kit import chips
from onecard_kit.status_list import Status

FILE = a_file()


# --- what card and gate say to each other -------------------------------------------------------------------------


def test_a_card_proves_itself_over_terminal_journal_and_sequence() -> None:
    card = VirtualCard(key=bytes(range(16)), file=FILE)
    chip, file = cards.tap(card.answer, "NT-BUS-0001", JOURNAL, 42)
    assert file == FILE
    assert (chip.number, chip.counter) == ("C20260001", 7)
    shown = bytes.fromhex(chip.cryptogram)
    assert chips.is_genuine(shown, bytes(range(16)), chip.number, 7, "NT-BUS-0001", JOURNAL, 42)
    assert cards.tap(card.answer, "NT-BUS-0001", JOURNAL, 43)[0].counter == 8


def test_a_card_without_a_file_still_answers() -> None:
    assert cards.tap(VirtualCard().answer, "T", JOURNAL, 1)[1] is None


def test_a_card_that_keeps_its_answer_back_is_asked_for_it() -> None:
    """Protocol T=0: 61xx, then GET RESPONSE."""
    card, kept = VirtualCard(file=FILE), [b""]

    def transmit(command: bytes) -> bytes:
        if command[:2] == b"\x00\xc0":
            part, kept[0] = kept[0][: command[4]], kept[0][command[4] :]
            return part + (b"\x90\x00" if not kept[0] else b"\x61" + bytes((min(255, len(kept[0])),)))
        answer = card.answer(command)
        if len(answer) == 2:
            return answer
        kept[0] = answer[:-2]
        return b"\x61" + bytes((min(100, len(kept[0])),))

    assert cards.tap(transmit, "T", JOURNAL, 1)[1] == FILE


@given(st.lists(st.binary(max_size=258), max_size=12))
def test_whatever_a_card_answers_it_is_a_reading_or_no_card(answers: list[bytes]) -> None:
    left = iter(answers)
    try:
        chip, _ = cards.tap(lambda _: next(left, b""), "T", JOURNAL, 1)
    except CardGone:
        return
    assert len(chip.number) == 9


# --- through pcscd ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reader() -> Iterator[None]:
    with pcscd():
        yield


@pytest.fixture
def platform() -> Iterator[StandIn]:
    with a_platform() as made:
        yield made


@pytest.fixture
def paired(platform: StandIn, tmp_path: Path) -> Path:
    folder = tmp_path / "gate"
    run(folder, "pair", platform.url, "TRYTHECARD")
    (folder / "gate.toml").write_text("[reader]\nname = 'Virtual'\n")
    return folder


@pytest.mark.processes
def test_a_tap_online_and_offline(reader: None, platform: StandIn, paired: Path) -> None:
    file = a_file(at=int(time.time()))
    card = VirtualCard(file=file)
    with a_gate(paired) as gate:
        with on_the_reader(card):
            online = gate.results.get(timeout=60)
        assert (online["mode"], online["verdict"]) == ("online", "ADMITTED")
        shown = platform.asked[-1]["card"]
        assert chips.is_genuine(
            bytes.fromhex(shown["cryptogram"]), bytes(16), "C20260001", 7, "NT-BUS-0001", JOURNAL, online["sequence"]
        )
        platform.mood = "reset"
        with on_the_reader(card):
            offline = gate.results.get(timeout=60)
        assert (offline["mode"], offline["verdict"], offline["paid_fen"]) == ("offline", "ADMITTED", 200)
        platform.mood = "well"
        until(lambda: (JOURNAL, offline["sequence"]) in platform.lines, "uploaded")
    line = platform.lines[JOURNAL, offline["sequence"]].line
    assert line.card is not None
    assert (line.card.counter, line.card_file) == (8, file)
    assert set(line.lists) == {"cards", "terminals", "keys"}


@pytest.mark.processes
def test_a_card_that_was_lost_or_is_another_is_refused_offline(reader: None, platform: StandIn, paired: Path) -> None:
    now = int(time.time())
    platform.stop()
    for card, verdict in (
        (VirtualCard("C20269999", file=a_file(at=now)), "CRYPTOGRAM_INVALID"),
        (VirtualCard(), "CRYPTOGRAM_INVALID"),
        (VirtualCard(file=a_file(at=now - 5 * 86_400)), "CARD_CANCELLED"),
        (VirtualCard(file=a_file(at=now)), "ADMITTED"),
    ):
        with on_the_reader(card):
            (result,) = told(paired, "present", "--card", status=None)
        assert (result["verdict"], result["admitted"]) == (verdict, verdict == "ADMITTED")
    platform.start()
    platform.marked = {77: Status.SUSPENDED}
    run(paired, "sync")
    platform.stop()
    with on_the_reader(VirtualCard(file=a_file(at=now), counter=50)):
        assert told(paired, "present", "--card", status=1)[0]["verdict"] == "CARD_LOST"


@pytest.mark.processes
def test_a_card_of_somebody_else_ends_no_gate(reader: None, platform: StandIn, paired: Path) -> None:
    strange, good = VirtualCard(), VirtualCard(file=a_file(at=int(time.time())))
    strange.breaks = b"\x6a\x82"
    with a_gate(paired) as gate:
        with on_the_reader(strange):
            assert gate.results.get(timeout=60)["verdict"] == "CRYPTOGRAM_INVALID"
        with on_the_reader(good):
            assert gate.results.get(timeout=60)["verdict"] == "ADMITTED"


@pytest.mark.processes
def test_the_self_test_sees_the_reader(reader: None, platform: StandIn, paired: Path) -> None:
    checks = {check["name"]: check for check in told(paired, "self-test", "--json", status=None)}
    assert checks["reader"]["good"], checks["reader"]
    (paired / "gate.toml").write_text("[reader]\nname = 'no such reader'\n")
    checks = {check["name"]: check for check in told(paired, "self-test", "--json", status=1)}
    assert not checks["reader"]["good"]
