"""The gate's commands and its life between a platform that answers and one that does not."""

import datetime as dt
import json
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.gate.process import GateProcess, a_gate, run, told, until
from tests.gate.stand_in import JOURNAL, KEY, SECOND_JOURNAL, StandIn, a_platform
from tests.kit.packs import CARDS_PATH, FORGER, RIDE, TERMINALS_PATH, a_code

from onecard.foundation import clock
from onecard_gate import cli
from onecard_gate.home import Home
from onecard_kit import requests
from onecard_kit.journal_file import SEQUENCES_LEAPT, JournalFile
from onecard_kit.pack import DAYS_OF_CODES
from onecard_kit.status_list import Status
from onecard_kit.suites import ED25519, Signer

pytestmark = pytest.mark.processes
FRESH = Signer.of(ED25519, b"\x00\x03", bytes(range(2, 34)))


@pytest.fixture
def platform() -> Iterator[StandIn]:
    with a_platform() as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "gate"


@pytest.fixture
def paired(platform: StandIn, folder: Path) -> Path:
    run(folder, "pair", platform.url, "TRYTHECARD")
    return folder


def now_code(**changes: object) -> str:
    return a_code(at=int(time.time()), **changes)  # type: ignore[arg-type]


def lines_of(folder: Path, journal: str = JOURNAL) -> JournalFile:
    return JournalFile.look(folder / "journals", journal, {7: (KEY, requests.HMAC_SHA256)})


def verdicts(folder: Path) -> list[str]:
    return [written.line.verdict for written in lines_of(folder).after(-1)]


# --- setting up ---------------------------------------------------------------------------------------------------


def test_a_gate_is_paired_once_and_keeps_its_key_to_itself(platform: StandIn, folder: Path) -> None:
    assert "NOT_PAIRED" not in run(folder, "show", status=4)
    run(folder, "pair", platform.url, "WRONGCODE1", status=3)
    assert run(folder, "pair", platform.url, "TRYTHECARD") == ""
    for path in (folder, *folder.rglob("*")):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    assert KEY.hex() not in run(folder, "show") + run(folder, "self-test")
    (state,) = told(folder, "show", "--json")
    assert (state["terminal"], state["items"], state["point"]) == ("NT-BUS-0001", ["transit.bus_ride"], "west")
    assert {name: each["age_s"] is not None for name, each in state["lists"].items()} == dict.fromkeys(
        ("codes", "papers", "cards", "terminals", "keys"), True
    )


def test_a_folder_that_others_may_read_is_refused(paired: Path) -> None:
    (paired / "identity.json").chmod(0o644)
    assert run(paired, "show", status=2) == ""
    (paired / "identity.json").chmod(0o600)
    run(paired, "show")


@pytest.mark.parametrize("text", ["items = 1", "[barrier]\ncommand = ['x']\nfile = 'y'", "leg = 'up'", "a = ["])
def test_a_typing_mistake_in_the_configuration_is_told(paired: Path, text: str) -> None:
    (paired / "gate.toml").write_text(text)
    run(paired, "present", now_code(), status=2)


def test_one_process_at_a_time(paired: Path) -> None:
    with a_gate(paired):
        run(paired, "present", now_code(), status=2)
        run(paired, "show")
        run(paired, "self-test")


def test_the_self_test_tells_what_is_wrong(platform: StandIn, paired: Path) -> None:
    def failing() -> set[str]:
        checks = told(paired, "self-test", "--json", status=None)
        return {check["name"] for check in checks if not check["good"]}

    assert failing() == set()
    with a_gate(paired) as gate:
        platform.stop()
        for _ in range(3):
            gate.present(now_code())
    path = paired / "journals" / f"{JOURNAL}.lines"
    path.write_bytes(path.read_bytes().replace(b'"paid_fen":200', b'"paid_fen":0', 1))
    (paired / "gate.toml").write_text("[barrier]\nfile = '/nowhere/gpio'\n[wedge]\ndevice = '/dev/nowhere'\n")
    assert failing() == {"journal", "barrier", "wedge"}


# --- online and offline -------------------------------------------------------------------------------------------


def test_online_the_platform_decides(platform: StandIn, paired: Path) -> None:
    (result,) = told(paired, "present", now_code())
    assert (result["mode"], result["verdict"], result["balance_fen"]) == ("online", "ADMITTED", 9800)
    assert lines_of_none(paired)
    assert [asked["item"] for asked in platform.asked] == ["transit.bus_ride"]


def lines_of_none(folder: Path) -> bool:
    return not (folder / "journals" / f"{JOURNAL}.lines").stat().st_size


def test_without_a_line_the_gate_decides_and_writes_it_down(platform: StandIn, paired: Path) -> None:
    platform.stop()
    (result,) = told(paired, "present", now_code())
    assert (result["mode"], result["verdict"], result["paid_fen"], result["admitted"]) == (
        "offline",
        "ADMITTED",
        200,
        True,
    )
    assert set(result["lists"]) == {"codes", "terminals", "keys"}
    (refused,) = told(paired, "present", now_code(signer=FORGER), status=1)
    assert (refused["verdict"], refused["admitted"]) == ("SIGNATURE_INVALID", False)
    assert verdicts(paired) == ["ADMITTED", "SIGNATURE_INVALID"]


@pytest.mark.parametrize("mood", ["hang", "drip", "reset", "busy"])
def test_an_answer_that_does_not_come_is_one_use_with_the_line(platform: StandIn, paired: Path, mood: str) -> None:
    """Whether the platform recorded it or not: the line has the same sequence and the same content."""
    with a_gate(paired) as gate:
        platform.mood = mood
        code = now_code()
        result = gate.present(code)
        assert (result["mode"], result["admitted"]) == ("offline", True)
        key = (JOURNAL, result["sequence"])
        platform.mood = "well"
        until(lambda: key in platform.lines, "the line is uploaded")
    line = platform.lines[key].line
    assert (line.code, line.reason) == (code, "unanswered")
    if key in platform.uses:
        asked = json.loads(platform.uses[key])
        assert asked == {"item": line.item, "code": line.code}


def test_the_next_person_does_not_wait_for_the_same_silence(platform: StandIn, paired: Path) -> None:
    platform.mood = "hang"
    with a_gate(paired) as gate:
        results = [gate.present(now_code()) for _ in range(8)]
    assert [result["mode"] for result in results] == ["offline"] * 8
    assert len(platform.asked) < 4


def test_a_gate_comes_back_by_itself(platform: StandIn, paired: Path) -> None:
    with a_gate(paired) as gate:
        assert gate.present(now_code())["mode"] == "online"
        platform.stop()
        offline = gate.present(now_code())
        assert offline["mode"] == "offline"
        platform.start()
        until(lambda: gate.present(now_code())["mode"] == "online", "online again")
        until(lambda: (JOURNAL, offline["sequence"]) in platform.lines, "uploaded")


def test_what_was_used_up_here_is_not_asked_about_again(platform: StandIn, paired: Path) -> None:
    """The platform does not know yet of what was admitted while the line was away."""
    with a_gate(paired) as gate:
        code = now_code()
        platform.mood = "reset"
        assert gate.present(code)["admitted"]
        platform.mood = "well"
        again = gate.present(code)
        assert (again["verdict"], again["admitted"]) == ("REPLAYED", False)
    assert not any(asked["code"] == code for asked in platform.asked)


def test_what_was_used_online_is_known_when_the_line_goes(platform: StandIn, paired: Path) -> None:
    code = now_code()
    assert told(paired, "present", code)[0]["mode"] == "online"
    platform.stop()
    (again,) = told(paired, "present", code, status=1)
    assert (again["mode"], again["verdict"]) == ("offline", "REPLAYED")


def test_a_problem_of_the_platform_is_no_reason_to_decide_alone(platform: StandIn, paired: Path) -> None:
    path = paired / "identity.json"
    path.write_text(path.read_text().replace(KEY.hex(), bytes(32).hex()))
    (result,) = told(paired, "present", now_code(), status=1)
    assert (result["mode"], result["verdict"]) == ("online", "TERMINAL_SIGNATURE_INVALID")


SAID = {"use": "u", "admitted": True, "verdict": dict.fromkeys(("code", "zh", "en", "next_zh", "next_en"), "ADMITTED")}
NOBODYS_ANSWERS = {
    "no verdict": json.dumps({**SAID, "verdict": 5, "price": {"paid_fen": 1}}),
    "no price": json.dumps({**SAID, "price": None}),
    "money in words": json.dumps({**SAID, "price": {"paid_fen": "much"}}),
    "reasons that are none": json.dumps({**SAID, "price": {"paid_fen": 1}, "reasons": 7}),
    "a list": "[1]",
    "deep": "[" * 100_000,
    "a page": "<html>",
}


def test_what_is_no_answer_of_the_platform_is_none_and_sets_no_clock(platform: StandIn, paired: Path) -> None:
    """A network at which nobody has signed in yet answers to everything, and has a time of its own."""
    with a_gate(paired) as gate:
        for body in NOBODYS_ANSWERS.values():
            platform.instead = (200, "application/json", body.encode())
            result = gate.present(now_code())
            assert (result["mode"], result["verdict"]) == ("offline", "ADMITTED")
            platform.instead = None
            until(lambda: gate.present(now_code())["mode"] == "online", "the gate is online again")
        platform.instead, platform.off_s = (200, "text/html", b"<html>"), 36_000
        result = gate.present(now_code())
        assert (result["mode"], result["verdict"]) == ("offline", "ADMITTED")
        assert gate.present(now_code())["verdict"] == "ADMITTED"
    assert abs(told(paired, "show", "--json")[0]["clock_shift_ms"]) < 3_600_000


def test_a_clock_that_is_hours_off_is_set_by_the_platform(platform: StandIn, folder: Path) -> None:
    platform.off_s = 3 * 3600
    run(folder, "pair", platform.url, "TRYTHECARD")
    code = a_code(at=platform.now())
    assert told(folder, "present", code)[0]["mode"] == "online"
    platform.stop()
    (result,) = told(folder, "present", a_code(at=platform.now()))
    assert (result["mode"], result["verdict"]) == ("offline", "ADMITTED")
    (written,) = lines_of(folder).after(-1)
    assert abs(written.line.at_ms // 1000 - platform.now()) < 100
    assert written.line.shift_ms is not None
    assert abs(written.line.shift_ms - 3 * 3_600_000) < 5000


def test_a_clock_without_a_signal_says_so(platform: StandIn, paired: Path) -> None:
    platform.stop()
    (paired / "clock.json").unlink(missing_ok=True)
    told(paired, "present", now_code())
    (written,) = lines_of(paired).after(-1)
    assert written.line.shift_ms is None


# --- the journal and the barrier ----------------------------------------------------------------------------------


def test_nothing_opens_before_it_is_written_down(platform: StandIn, paired: Path) -> None:
    """The barrier's command copies the journal as it stands on disk when it opens."""
    seen = paired.parent / "seen"
    command = ["cp", str(paired / "journals" / f"{JOURNAL}.lines"), str(seen)]
    (paired / "gate.toml").write_text(f"[barrier]\ncommand = {json.dumps(command)}\n")
    platform.stop()
    with a_gate(paired) as gate:
        result = gate.present(now_code())
        assert result["opened"]
        until(lambda: seen.exists() and seen.stat().st_size > 0, "opened")
        (line,) = seen.read_text().splitlines()
        assert f'"sequence":{result["sequence"]}' in line
        seen.unlink()
        assert not gate.present(now_code(signer=FORGER))["opened"]


def test_a_gpio_line_opens_and_shuts(platform: StandIn, paired: Path) -> None:
    gpio = paired.parent / "value"
    gpio.write_text("0")
    (paired / "gate.toml").write_text(f"[barrier]\nfile = '{gpio}'\nopen_ms = 200\n")
    with a_gate(paired) as gate:
        assert gate.present(now_code())["opened"]
        until(lambda: gpio.read_text() == "0", "shut")


def test_a_full_disk_admits_nobody_offline(platform: StandIn, paired: Path) -> None:
    platform.stop()
    journal = paired / "journals" / f"{JOURNAL}.lines"
    journal.unlink()
    journal.symlink_to("/dev/full")
    (result,) = told(paired, "present", now_code(), status=1)
    assert (result["verdict"], result["opened"]) == ("OFFLINE_NOT_RECORDED", False)


def test_killed_at_any_moment_each_use_is_there_once(platform: StandIn, paired: Path) -> None:
    """Codes are pressed into a gate that is killed again and again; what it admitted is in the journal, once."""
    platform.stop()
    admitted: list[int] = []
    for round_ in range(4):
        gate = GateProcess(paired)
        gate.start()
        for _ in range(6):
            gate.give(now_code())
        for _ in range(1 + round_):
            result = gate.results.get(timeout=60)
            assert result["admitted"]
            admitted.append(result["sequence"])
        gate.kill()
    written = [each.line.sequence for each in lines_of(paired).after(-1)]
    assert set(admitted) <= set(written)
    assert written == sorted(set(written))
    platform.start()
    run(paired, "sync")
    assert sorted(sequence for _, sequence in platform.lines) == written
    run(paired, "sync")
    assert sum(count for _, count in platform.uploads) == len(written)


def test_after_a_power_cut_the_gate_remembers_what_its_journal_says(platform: StandIn, paired: Path) -> None:
    platform.stop()
    code = now_code()
    told(paired, "present", code)
    for path in paired.glob("memory.sqlite*"):
        path.unlink()
    (again,) = told(paired, "present", code, status=1)
    assert again["verdict"] == "REPLAYED"


def test_a_damaged_memory_is_begun_anew(platform: StandIn, paired: Path) -> None:
    platform.stop()
    code = now_code()
    told(paired, "present", code)
    (paired / "memory.sqlite").write_bytes(b"\0" * 8192)
    (again,) = told(paired, "present", code, status=1)
    assert again["verdict"] == "REPLAYED"


def test_what_cannot_be_opened_is_said_and_stays(paired: Path) -> None:
    told(paired, "present", now_code())
    for name in ("contact.json", "tags.json", "clock.json"):
        (paired / name).write_text("damaged")
    run(paired, "present", now_code())
    kept = (paired / "memory.sqlite").read_bytes()
    (paired / "memory.sqlite-wal").mkdir(mode=0o700)  # as a full disk: it cannot be opened, and is not damaged
    assert run(paired, "present", now_code(), status=2) == ""
    assert (paired / "memory.sqlite").read_bytes() == kept
    (paired / "memory.sqlite-wal").rmdir()
    (paired / "lock").unlink()
    (paired / "lock").mkdir(mode=0o700)
    assert run(paired, "present", now_code(), status=2) == ""


def test_a_platform_from_a_backup_gets_its_lines_again(platform: StandIn, paired: Path) -> None:
    platform.stop()
    for _ in range(3):
        told(paired, "present", now_code())
    platform.start()
    run(paired, "sync")
    platform.lines.clear()
    platform.through[JOURNAL] = 1
    run(paired, "sync")
    assert sorted(sequence for _, sequence in platform.lines) == [
        each.line.sequence for each in lines_of(paired).after(1)
    ]
    assert told(paired, "show", "--json")[0]["lines"][0]["unsent"] == 0


def test_a_disk_restored_from_an_older_copy_tells_all_that_it_has(platform: StandIn, paired: Path) -> None:
    """The platform has lines of the disk that is gone, under numbers that this one gives out again."""
    copy = paired.with_suffix(".copy")
    told(paired, "present", now_code())
    shutil.copytree(paired, copy)
    platform.stop()
    for _ in range(3):
        told(paired, "present", now_code())
    platform.start()
    run(paired, "sync")
    shutil.rmtree(paired)
    copy.rename(paired)
    platform.stop()
    codes = [now_code(), now_code()]
    written = [told(paired, "present", code)[0]["sequence"] for code in codes]
    assert set(written) < {sequence for _, sequence in platform.lines}
    platform.start()
    run(paired, "sync")
    assert {platform.lines[JOURNAL, sequence].line.code for sequence in written} == set(codes)
    assert told(paired, "show", "--json")[0]["lines"][0]["unsent"] == 0


def test_a_number_that_was_used_before_keeps_nobody_out(platform: StandIn, paired: Path) -> None:
    platform.mood = "reused"
    (result,) = told(paired, "present", now_code())
    assert (result["mode"], result["admitted"], result["opened"]) == ("offline", True, True)
    platform.mood = "well"
    with a_gate(paired) as gate:
        platform.mood = "reused"
        first = gate.present(now_code())
        platform.mood = "well"
        second = gate.present(now_code())
    assert (first["mode"], second["mode"]) == ("offline", "online")
    assert second["sequence"] - first["sequence"] > SEQUENCES_LEAPT


def test_an_upload_says_what_the_machines_clock_shows(platform: StandIn, folder: Path) -> None:
    """By it the lines were written that had no signal, whatever signal came just before the upload."""
    platform.off_s = 3 * 3600
    run(folder, "pair", platform.url, "TRYTHECARD")
    platform.stop()
    told(folder, "present", a_code(at=platform.now()))
    platform.start()
    run(folder, "sync")
    (headers,) = platform.upload_headers
    assert platform.now() - int(headers[requests.TIME]) > 3600
    assert int(headers[requests.SEQUENCE]) == 0


def test_lines_of_an_older_journal_are_uploaded_as_what_they_are(platform: StandIn, paired: Path) -> None:
    platform.stop()
    told(paired, "present", now_code())
    platform.start()
    run(paired, "pair", platform.url, "TRYTHECARD")
    platform.stop()
    told(paired, "present", now_code())
    platform.start()
    run(paired, "sync")
    assert {journal for journal, _ in platform.lines} == {JOURNAL, SECOND_JOURNAL}


def test_what_the_platform_has_or_does_not_take_costs_nothing_each_second(platform: StandIn, paired: Path) -> None:
    platform.stop()
    told(paired, "present", now_code())
    run(paired, "reset")
    platform.start()
    with cli._whole(Home.open(paired)) as whole:
        platform.takes_lines = False
        for _ in range(3):
            whole.sync.round()
        assert len(platform.uploads) == 1
        platform.takes_lines = True
        whole.sync.upload()
        assert [journal for journal, _ in platform.lines] == [JOURNAL]
        old = paired / "journals" / f"{JOURNAL}.lines"
        old.rename(paired / "read-once")
        whole.sync._rests_until = 0
        whole.sync.round()
        assert not old.exists()


def test_a_reset_begins_a_journal_and_keeps_the_old_ones_lines(platform: StandIn, paired: Path) -> None:
    platform.stop()
    told(paired, "present", now_code())
    run(paired, "reset")
    (state,) = told(paired, "show", "--json")
    assert state["journal"] != JOURNAL
    assert [each["unsent"] for each in state["lines"]] == [1, 0]
    platform.start()
    run(paired, "sync")
    (result,) = told(paired, "present", now_code())
    assert (result["mode"], result["sequence"]) == ("online", 1)
    assert [journal for journal, _ in platform.lines] == [JOURNAL]


# --- what it decides by -------------------------------------------------------------------------------------------


def test_a_loss_is_known_after_the_next_list(platform: StandIn, paired: Path) -> None:
    platform.marked = {77: Status.SUSPENDED}
    run(paired, "sync")
    platform.stop()
    (result,) = told(paired, "present", now_code(), status=1)
    assert result["verdict"] == "CARD_LOST"


def test_a_list_that_is_not_made_yet_keeps_no_other_away(platform: StandIn, paired: Path) -> None:
    """Just after midnight a further day has none for up to a minute."""
    platform.not_made = f"{clock.today() + dt.timedelta(days=DAYS_OF_CODES - 1)}"
    platform.paths.clear()
    [wrong] = told(paired, "sync", status=3)[0]["wrong"]
    assert platform.not_made in wrong
    assert {CARDS_PATH, TERMINALS_PATH} <= set(platform.paths)


def test_nothing_older_takes_the_place_of_what_is_here(platform: StandIn, paired: Path) -> None:
    platform.marked = {77: Status.SUSPENDED}
    run(paired, "sync")
    platform.marked, platform.list_issued = {}, int(time.time()) - 3600
    platform.pack_changes = {"made": int(time.time()) - 3600}
    assert told(paired, "sync", status=3)[0]["wrong"]
    platform.stop()
    assert told(paired, "present", now_code(), status=1)[0]["verdict"] == "CARD_LOST"


def test_old_lists_are_refused_by_the_packs_policy(platform: StandIn, folder: Path) -> None:
    platform.list_issued = int(time.time()) - 8 * 86_400
    run(folder, "pair", platform.url, "TRYTHECARD")
    platform.stop()
    (result,) = told(folder, "present", now_code(), status=1)
    assert result["verdict"] == "OFFLINE_LIST_TOO_OLD"


def test_an_item_that_is_not_for_offline_gates_waits(tmp_path: Path) -> None:
    with a_platform(replace(RIDE, offline=None)) as platform:
        run(tmp_path / "gate", "pair", platform.url, "TRYTHECARD")
        platform.stop()
        assert told(tmp_path / "gate", "present", now_code(), status=1)[0]["verdict"] == "OFFLINE_NOT_ALLOWED"


def test_a_withdrawn_key_is_never_trusted_again(platform: StandIn, paired: Path) -> None:
    stolen = platform.signer
    platform.signer = FRESH
    platform.pack_changes = {}
    run(paired, "sync")  # the new key comes over a connection that nobody can listen in on
    platform.withdrawn = {stolen.kid: int(time.time())}
    run(paired, "sync")
    platform.withdrawn = {}
    run(paired, "sync")
    platform.stop()
    assert told(paired, "present", now_code(signer=stolen), status=1)[0]["verdict"] == "KEY_UNKNOWN"
    assert told(paired, "present", now_code(signer=FRESH, kid=FRESH.kid))[0]["admitted"]


def test_staff_admit_by_hand_where_they_stand(platform: StandIn, paired: Path) -> None:
    with a_gate(paired) as gate:
        forged = now_code(signer=FORGER)
        result = gate.present({"code": forged, "manual": True, "reason": "phone broke down"})
        assert (result["admitted"], result["opened"], result["verdict"]) == (True, True, "SIGNATURE_INVALID")
        until(lambda: (JOURNAL, result["sequence"]) in platform.lines, "uploaded")
    line = platform.lines[JOURNAL, result["sequence"]].line
    assert (line.manual, line.reason, line.verdict) == (True, "phone broke down", "SIGNATURE_INVALID")


def test_nobody_admits_by_hand_where_no_staff_stand(platform: StandIn, folder: Path) -> None:
    platform.attended = False
    run(folder, "pair", platform.url, "TRYTHECARD")
    platform.stop()
    code = now_code(signer=FORGER)
    assert not told(folder, "present", code, "--manual", status=1)[0]["admitted"]


def test_whatever_is_typed_in_ends_no_gate(platform: StandIn, paired: Path) -> None:
    platform.stop()
    with a_gate(paired) as gate:
        for junk in (
            "hello",
            "{",
            '{"code": 1}',
            '{"code": "x", "more": 1}',
            "\x00\x1b[2J",
            "OC1." + "A" * 3000,
            "ü" * 5000,
        ):
            gate.give(junk)
        assert gate.present(now_code())["verdict"] == "CODE_MALFORMED"
        until(lambda: gate.results.get(timeout=60)["verdict"] == "ADMITTED", "the good one")
        assert gate.stop() == 0


def test_the_screen_speaks_the_language_asked_for(platform: StandIn, paired: Path) -> None:
    (paired / "gate.toml").write_text("language = 'en'\n")
    with a_gate(paired) as gate:
        gate.present(now_code())
        until(lambda: any("✓ Admitted  paid ¥2.00" in said for said in gate.said), "English")
        assert not any("通过" in said for said in gate.said)
