"""A journal: whatever the power does no line is lost that was finished, and whatever is done to it shows."""

import errno
import json
import os
import stat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecard_kit import journal, requests
from onecard_kit.journal import JournalLine, LineRefused, decode, encode
from onecard_kit.journal_file import KEPT_S, SEQUENCES_LEAPT, Acknowledged, JournalFile, Sequences
from onecard_kit.presentation import Chip
from onecard_kit.terms import Leg

JOURNAL = "0192f0c1-2f6e-4c7a-9b64-1f0e8a4d5c3b"
KEYS = {7: (bytes(range(32)), requests.HMAC_SHA256), 8: (bytes(32), requests.HMAC_SM3)}
BOTH = pytest.mark.parametrize("key_id", KEYS, ids=[mac.name for _, mac in KEYS.values()])
CHIP = Chip("C20260001", 7, "6c0a4aabc0189dd6")


def a_line(sequence: int = 1, key_id: int = 7, **changes: Any) -> JournalLine:
    told = {"at_ms": 1_767_225_600_000, "shift_ms": None, "item": "transit.bus_ride", "verdict": "ADMITTED"}
    shown = {} if "card" in changes else {"code": f"OC1.{sequence}"}
    return JournalLine(sequence=sequence, key_id=key_id, paid_fen=190, **(told | shown | changes))


def written(folder: Path, count: int, key_id: int = 7) -> bytes:
    """The bytes of a journal of so many lines."""
    file = JournalFile.open(folder, JOURNAL, KEYS)
    for number in range(1, count + 1):
        file.append(a_line(number * 3, key_id, reason="无" * (number % 4)))
    file.close()
    return file.path.read_bytes()


def opened(folder: Path, raw: bytes) -> JournalFile:
    (folder / f"{JOURNAL}.lines").write_bytes(raw)
    return JournalFile.open(folder, JOURNAL, KEYS)


def sequences(file: JournalFile, after: int = -1) -> list[int]:
    return [each.line.sequence for each in file.after(after)]


# --- a line -------------------------------------------------------------------------------------------------------


def test_the_formula() -> None:
    raw, own = encode(a_line(), JOURNAL, JOURNAL, *KEYS[7])
    mac, previous, text = raw.decode().rstrip("\n").split(" ", 2)
    message = f"{JOURNAL}\n{JOURNAL}\n{text}".encode()
    assert (mac, previous) == (KEYS[7][1].of(KEYS[7][0], message).hex(), JOURNAL)
    assert own == mac
    assert json.loads(text)["sequence"] == 1


lines = st.builds(
    JournalLine,
    sequence=st.integers(0, journal.SEQUENCE_MAX),
    at_ms=st.integers(0, 253_402_300_799_999),
    shift_ms=st.none() | st.integers(-(10**12), 10**12),
    key_id=st.sampled_from(sorted(KEYS)),
    item=st.from_regex(r"[a-z0-9_.]{1,100}", fullmatch=True),
    code=st.none(),
    card=st.just(CHIP),
    card_file=st.none() | st.text(max_size=300),
    amount_fen=st.none() | st.integers(1, 10_000_000),
    leg=st.none() | st.sampled_from(Leg),
    verdict=st.text(max_size=40),
    paid_fen=st.integers(0, 10**9),
    manual=st.booleans(),
    lists=st.dictionaries(st.text(max_size=40), st.integers(0, 2**40), max_size=5),
    reason=st.none() | st.text(max_size=200),
)


@given(lines)
def test_what_is_written_is_read(line: JournalLine) -> None:
    raw, own = encode(line, JOURNAL, "0" * 64, *KEYS[line.key_id])
    read = decode(raw)
    assert (read.line, read.mac, read.previous) == (line, own, "0" * 64)
    assert read.is_of(JOURNAL, *KEYS[line.key_id])
    assert read.line.presentation.content == line.presentation.content


@BOTH
def test_a_line_belongs_to_one_journal_one_key_and_one_algorithm(key_id: int) -> None:
    key, mac = KEYS[key_id]
    read = decode(encode(a_line(key_id=key_id), JOURNAL, JOURNAL, key, mac)[0])
    assert read.is_of(JOURNAL, key, mac)
    assert not read.is_of(JOURNAL.replace("0192", "0193"), key, mac)
    assert not read.is_of(JOURNAL, bytes(31) + b"\x01", mac)
    other = requests.HMAC_SM3 if mac is requests.HMAC_SHA256 else requests.HMAC_SHA256
    assert not read.is_of(JOURNAL, key, other)


@BOTH
@given(st.data())
@settings(max_examples=200)
def test_any_changed_byte_of_a_line_shows(key_id: int, data: st.DataObject) -> None:
    raw, _ = encode(a_line(key_id=key_id, card=CHIP), JOURNAL, JOURNAL, *KEYS[key_id])
    at = data.draw(st.integers(0, len(raw) - 1))
    changed = bytearray(raw)
    changed[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != raw[at]))
    try:
        read = decode(bytes(changed))
    except LineRefused:
        return
    assert not read.is_of(JOURNAL, *KEYS[key_id])


@given(st.binary(max_size=300) | st.from_regex(rb"[0-9a-f]{64} [0-9a-f]{64} \{.{0,80}\}\n", fullmatch=True))
def test_any_bytes_are_refused_and_never_raise_anything_else(raw: bytes) -> None:
    with pytest.raises(LineRefused):
        decode(raw)


@pytest.mark.parametrize(
    "changes",
    [
        {"code": None},
        {"card": CHIP, "code": "OC1.X"},
        {"item": "Bus ride"},
        {"amount_fen": 0},
        {"card": Chip("short", 1, "")},
        {"sequence": -1},
        {"at_ms": 10**18},
        {"code": "A" * 2001},
        {"reason": "长" * 201},
        {"verdict": "\ud800"},
    ],
)
def test_nothing_is_written_that_nobody_would_read(changes: dict[str, Any]) -> None:
    with pytest.raises(LineRefused):
        encode(a_line(**changes), JOURNAL, JOURNAL, *KEYS[7])


# --- the file -----------------------------------------------------------------------------------------------------


@BOTH
def test_power_may_go_at_any_byte(key_id: int, tmp_path: Path) -> None:
    """Cut at each byte: every line that was finished is there, the chain is whole, and it goes on."""
    raw = written(tmp_path, 4, key_id)
    ends = [at + 1 for at, byte in enumerate(raw) if byte == 0x0A]
    for cut in range(len(raw) + 1):
        file = opened(tmp_path, raw[:cut])
        finished = [3 * (number + 1) for number, end in enumerate(ends) if end <= cut]
        assert sequences(file) == finished, cut
        assert (file.broken, file.count) == ([], len(finished))
        assert file.cut_bytes == cut - max((end for end in ends if end <= cut), default=0)
        file.append(a_line(100, key_id))
        file.close()
        again = JournalFile.open(tmp_path, JOURNAL, KEYS)
        assert sequences(again) == [*finished, 100]
        assert (again.broken, again.cut_bytes) == ([], 0)
        again.close()


@given(kept=st.integers(0, 400), junk=st.binary(max_size=600) | st.integers(0, 6000).map(bytes))
@settings(max_examples=100, deadline=None)
def test_what_a_disk_leaves_in_an_unfinished_line_is_cut_off(kept: int, junk: bytes) -> None:
    """A file may have grown before its bytes were written: an end of zeros, or of what stood there before."""
    junk = junk.replace(b"\n", b" ")
    with TemporaryDirectory() as name:
        raw = written(Path(name), 3)
        last = raw.rindex(b"\n", 0, -1) + 1
        whole = raw[last:]
        file = opened(Path(name), raw[:last] + whole[: min(kept, len(whole) - 1)] + junk)
        assert sequences(file) == [3, 6]
        assert file.broken == []
        assert file.path.read_bytes() == raw[:last]
        file.close()


@BOTH
@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_removed_altered_or_moved_line_shows_and_costs_no_other(key_id: int, data: st.DataObject) -> None:
    with TemporaryDirectory() as name:
        parts = written(Path(name), 6, key_id).splitlines(keepends=True)
        at = data.draw(st.integers(1, 4))
        how = data.draw(st.sampled_from(["removed", "altered", "moved", "twice"]))
        if how == "removed":
            del parts[at]
        elif how == "altered":
            parts[at] = parts[at].replace(b'"paid_fen":190', b'"paid_fen":0')
        elif how == "moved":
            parts[at], parts[at - 1] = parts[at - 1], parts[at]
        else:
            parts.insert(at, parts[at])
        file = opened(Path(name), b"".join(parts))
        assert file.broken
        assert {*range(3, 19, 3)} - set(sequences(file)) <= {(at + 1) * 3}
        assert file.cut_bytes == 0
        file.append(a_line(100, key_id))
        assert sequences(file)[-1] == 100
        file.close()


def test_what_is_broken_at_the_end_stays_when_it_is_more_than_a_power_cut(tmp_path: Path) -> None:
    parts = written(tmp_path, 4).splitlines(keepends=True)
    altered = [part.replace(b'"paid_fen":190', b'"paid_fen":0') for part in parts]
    file = opened(tmp_path, parts[0] + b"".join(altered[1:3]) + parts[3][:50])
    assert [broken.number for broken in file.broken] == [2, 3]
    assert file.cut_bytes == 50
    file.append(a_line(100))
    assert sequences(file) == [3, 100]
    assert file.path.read_bytes().count(b"\n") == 4
    file.close()


def test_a_line_that_did_not_reach_the_disk_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = JournalFile.open(tmp_path, JOURNAL, KEYS)
    file.append(a_line(1))
    before = file.path.read_bytes()
    real = os.fsync

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        file.append(a_line(2))
    monkeypatch.setattr(os, "fsync", real)
    assert (file.path.read_bytes(), sequences(file)) == (before, [1])
    file.append(a_line(3))
    assert sequences(file) == [1, 3]


def test_a_line_is_on_disk_before_append_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = JournalFile.open(tmp_path, JOURNAL, KEYS)
    synced: list[bytes] = []
    monkeypatch.setattr(os, "fsync", lambda _: synced.append(file.path.read_bytes()))
    file.append(a_line(1))
    assert synced == [file.path.read_bytes()]
    assert synced[0].endswith(b"}\n")


def test_sequences_ascend(tmp_path: Path) -> None:
    file = JournalFile.open(tmp_path, JOURNAL, KEYS)
    file.append(a_line(5))
    for earlier in (5, 4):
        with pytest.raises(LineRefused, match="does not come after 5"):
            file.append(a_line(earlier))


def test_an_upload_goes_on_after_what_the_platform_has(tmp_path: Path) -> None:
    raw = written(tmp_path, 5)
    file = JournalFile.open(tmp_path, JOURNAL, KEYS)
    assert b"".join(file.texts_after(-1)) == raw
    assert b"".join(file.texts_after(7)) == b"".join(raw.splitlines(keepends=True)[2:])
    assert list(file.texts_after(15)) == []


def test_a_long_journal_is_read_from_near_where_one_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onecard_kit.journal_file._MARKED_EVERY_BYTES", 1000)
    written(tmp_path, 50)
    file = JournalFile.open(tmp_path, JOURNAL, KEYS)
    for after in range(-1, 151):
        assert sequences(file, after) == [number for number in range(3, 151, 3) if number > after]
    read = [number for number, _ in file._raw_after(145)]
    assert len(read) <= 5


def test_looking_at_a_journal_leaves_it_as_it_is(tmp_path: Path) -> None:
    """While another process is in the middle of a line."""
    raw = written(tmp_path, 3)
    writing = JournalFile.open(tmp_path, JOURNAL, KEYS)
    writing.path.write_bytes(raw[:-40])
    seen = JournalFile.look(tmp_path, JOURNAL, KEYS)
    assert (sequences(seen), seen.broken, seen.cut_bytes > 0) == ([3, 6], [], True)
    assert writing.path.read_bytes() == raw[:-40]
    with pytest.raises(FileNotFoundError):
        JournalFile.look(tmp_path, JOURNAL.replace("0", "1"), KEYS)


def test_a_journal_is_for_its_gate_alone(tmp_path: Path) -> None:
    written(tmp_path, 1)
    file = JournalFile.open(tmp_path, JOURNAL, KEYS)
    file.acknowledge(3, 0)
    file.path.write_bytes(file.path.read_bytes()[:-5])
    JournalFile.open(tmp_path, JOURNAL, KEYS).close()
    assert len(list(tmp_path.iterdir())) == 3
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


# --- acknowledged lines -------------------------------------------------------------------------------------------

NOW = 1_767_225_600


def test_lines_stay_for_thirty_days_after_the_platform_had_them(tmp_path: Path) -> None:
    written(tmp_path, 4)
    file = JournalFile.open(tmp_path, JOURNAL, KEYS)
    file.acknowledge(9, NOW)
    assert file.drop_old(NOW + KEPT_S - 1) == 0
    assert file.drop_old(NOW + KEPT_S) == 3
    assert sequences(file) == [12]
    file.append(a_line(20))
    file.close()
    again = JournalFile.open(tmp_path, JOURNAL, KEYS)
    assert (sequences(again), again.broken, again.acknowledged.through) == ([12, 20], [], 9)


def test_the_last_line_stays_so_that_the_chain_goes_on(tmp_path: Path) -> None:
    written(tmp_path, 3)
    file = JournalFile.open(tmp_path, JOURNAL, KEYS)
    file.acknowledge(9, NOW)
    assert file.drop_old(NOW + KEPT_S) == 2
    assert file.drop_old(NOW + KEPT_S) == 0
    assert sequences(file) == [9]


def test_a_platform_that_lost_lines_gets_them_again(tmp_path: Path) -> None:
    written(tmp_path, 4)
    file = JournalFile.open(tmp_path, JOURNAL, KEYS)
    file.acknowledge(12, NOW)
    file.acknowledge(6, NOW + 60)
    assert sequences(file, file.acknowledged.through) == [9, 12]
    assert file.drop_old(NOW + KEPT_S) == 0
    file.close()
    assert JournalFile.open(tmp_path, JOURNAL, KEYS).acknowledged.through == 6


def test_an_acknowledgement_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    written(tmp_path, 2)
    (tmp_path / f"{JOURNAL}.acknowledged").write_bytes(b"{")
    assert JournalFile.open(tmp_path, JOURNAL, KEYS).acknowledged.through == -1


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(-3, 30)), max_size=60))
def test_what_was_acknowledged_long_ago_is_never_overstated(told: list[tuple[int, int]]) -> None:
    """Against the plain list of answers: a line may be dropped only if every answer for 30 days included it."""
    marks, now, answers = Acknowledged(), NOW, []
    for through, hours in told:
        now += hours * 3600
        marks = marks.with_mark(through, now)
        answers.append((through, now))
        assert marks.through == through
        until = marks.until(now - KEPT_S)
        recent = [each for each, at in answers if at > now - KEPT_S]
        assert all(until <= each for each in recent)
    assert len(marks.marks) <= KEPT_S // 86_400 + 4


# --- sequences ----------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 200), min_size=1, max_size=10), st.integers(1, 70))
@settings(max_examples=50, deadline=None)
def test_no_sequence_is_given_twice_whatever_happens(taken: list[int], block: int) -> None:
    """The power goes after so many numbers, again and again."""
    with TemporaryDirectory() as name:
        given_out: list[int] = []
        for count in taken:
            numbers = Sequences.open(Path(name) / "taken", block=block)
            given_out += [numbers.take() for _ in range(count)]
        assert given_out == sorted(set(given_out))
        assert not given_out or given_out[0] >= 1


def test_numbers_go_on_after_the_journal_even_if_their_file_is_gone(tmp_path: Path) -> None:
    numbers = Sequences.open(tmp_path / "taken", first=41)
    assert [numbers.take(), numbers.take()] == [41, 42]
    assert Sequences.open(tmp_path / "taken", first=1).take() > 42


def test_numbers_that_may_be_used_are_leapt_over_for_good(tmp_path: Path) -> None:
    numbers = Sequences.open(tmp_path / "taken")
    first = numbers.take()
    numbers.leap()
    second = numbers.take()
    assert second - first > SEQUENCES_LEAPT
    assert Sequences.open(tmp_path / "taken").take() > second


def test_whose_line_is_the_last_that_somebody_has(tmp_path: Path) -> None:
    file = JournalFile.open(tmp_path, JOURNAL, KEYS)
    for sequence in (1, 2, 5):
        file.append(a_line(sequence))
    macs = {written.line.sequence: written.mac for written in file.after(-1)}
    assert [file.holds(sequence, macs[2]) for sequence in (1, 2, 3, 5, 6)] == [False, True, False, False, False]


def test_a_damaged_count_gives_no_number(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("4x")
    with pytest.raises(ValueError, match="4x"):
        Sequences.open(tmp_path / "taken")
