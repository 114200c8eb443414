"""The commands of `onecard-gate`. Results go to standard output, one line of JSON each; words for people to standard
error, in both languages unless gate.toml says otherwise.

    0  done; of `present`: admitted            3  the platform gave no answer, or said no
    1  refused; of `self-test`: a fault        4  not paired
    2  usage, configuration or folder
"""

import argparse
import contextlib
import logging
import os
import queue
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from onecard_gate import config, screen, selftest, setup
from onecard_gate.asked import Asked
from onecard_gate.barrier import Opener
from onecard_gate.clock import Clock
from onecard_gate.config import Config
from onecard_gate.connection import Connection
from onecard_gate.errors import BadConfig, GateError
from onecard_gate.gate import Gate, Result
from onecard_gate.home import Home
from onecard_gate.inputs import Again, Presentations, camera, reader, start, text, wedge
from onecard_gate.memory import Memory
from onecard_gate.platform import Platform
from onecard_gate.supplies import Supplies, ages
from onecard_gate.sync import Sync
from onecard_kit.journal_file import JournalFile, Sequences
from onecard_kit.terms import Leg

DEFAULT_FOLDER: Final = Path("/var/lib/onecard-gate")
WAITING_MAX: Final = 16
CARD_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Whole:
    """A gate, and what runs beside it."""

    home: Home
    config: Config
    gate: Gate
    sync: Sync


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the status to exit with."""
    os.umask(0o077)
    asked = _parser().parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO if asked.verbose else logging.ERROR, format="%(message)s")
    try:
        return int(asked.run(Home.open(asked.folder), asked))
    except GateError as error:
        print(error.zh, error.en, sep="\n", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("onecard-gate", description="一卡通闸机 / A gate that never stops")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="本机数据目录 / what this gate keeps")
    parser.add_argument("--verbose", action="store_true", help="说明在做什么 / say what goes on")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[Home, Any], int], words: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(name, help=words, description=words)
        made.set_defaults(run=run)
        return made

    made = command("pair", pair, "用配对码成为终端 / become a terminal by a pairing code")
    made.add_argument("url", help="网关地址 / the gateway, e.g. https://gateway.example")
    made.add_argument("code", help="管理端显示的配对码 / as the console shows it")
    command("run", run, "读取所有输入直至结束 / take presentations from all inputs until they end")
    made = command("present", present, "出示一次 / one presentation")
    made.add_argument("code", nargs="?", help="二维码文本 / the text of a code")
    made.add_argument("--image", type=Path, help="含二维码的图片 / a picture of a code")
    made.add_argument("--card", action="store_true", help="读卡器上的卡 / the card on the reader")
    made.add_argument("--item", help="应用项目 / the item")
    made.add_argument("--amount-fen", type=int, help="金额（分）/ the amount, in fen")
    made.add_argument("--leg", type=Leg, choices=list(Leg), help="进或出 / in or out")
    made.add_argument("--manual", action="store_true", help="人工放行 / admitted by hand")
    made.add_argument("--reason", help="放行原因 / why")
    made = command("show", show, "状态、名单时效、未上传流水 / state, ages of lists, lines not uploaded")
    made.add_argument("--json", action="store_true")
    command("sync", synchronise, "立即取数并上传 / fetch and upload now")
    made = command("self-test", self_test, "自检 / check everything")
    made.add_argument("--json", action="store_true")
    made.add_argument("--offline", action="store_true", help="不试网络 / do not try the line")
    command("reset", reset, "启用新流水簿并清空记忆 / a new journal, and an empty memory")
    return parser


# --- commands -----------------------------------------------------------------------------------------------------


def pair(home: Home, asked: argparse.Namespace) -> int:
    with _alone(home):
        told = config.read(home.folder / config.NAME)
        platform = Platform(asked.url.rstrip("/"), Clock.open(home), told.ca_file)
        identity = setup.pair(home, platform, asked.code)
        _say(f"已配对为终端 {identity.terminal}", f"This gate is terminal {identity.terminal} now")
        with _whole(home) as whole:
            whole.sync.fetch()
            _tell_wrong(whole)
    return 0


def run(home: Home, asked: argparse.Namespace) -> int:
    with _alone(home), _whole(home) as whole:
        caught_up = whole.gate.catch_up()
        if caught_up:
            logging.info("%s lines taken into memory", caught_up)
        presentations: Presentations = queue.Queue(WAITING_MAX)
        running = [start(name, each, presentations) for name, each in _inputs(whole.config)]
        stopped = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stopped.set())
        beside = threading.Thread(target=whole.sync.run, name="sync", daemon=True)
        beside.start()
        _say("闸机已就绪", "The gate is ready")
        for each in _until(stopped, presentations, len(running)):
            _tell(whole, whole.gate.present(each))
            whole.sync.wake()
        whole.sync.end()
        beside.join(_END_S)
    return 0


def _until(stopped: threading.Event, presentations: Presentations, inputs: int) -> Iterator[Asked]:
    """What inputs give, until all have ended or the program is told to end. What is begun is always finished."""
    while inputs and not stopped.is_set():
        with contextlib.suppress(queue.Empty):
            each = presentations.get(timeout=_STOPS_WITHIN_S)
            if each is None:
                inputs -= 1
            else:
                yield each


def present(home: Home, asked: argparse.Namespace) -> int:
    with _alone(home), _whole(home) as whole:
        whole.gate.catch_up()
        with _one(asked, whole.config) as one:
            result = whole.gate.present(one)
        _tell(whole, result)
        return 0 if result.admitted else 1


def show(home: Home, asked: argparse.Namespace) -> int:
    state = _state(home)
    if asked.json:
        print(msgspec.json.encode(state).decode())
        return 0
    for name, value in state.items():
        print(f"{name}: {value if isinstance(value, str | int) else msgspec.json.encode(value).decode()}")
    return 0


def synchronise(home: Home, asked: argparse.Namespace) -> int:
    with _alone(home), _whole(home) as whole:
        whole.sync.fetch()
        sent = whole.sync.upload()
        problem = whole.sync.uploads.problem
        told = {
            "sent": sent,
            "unsent": whole.sync.unsent(),
            "wrong": whole.sync.wrong,
            **msgspec.to_builtins(whole.sync.uploads),
        }
        print(msgspec.json.encode(told).decode())
        return 3 if problem or whole.sync.wrong else 0


def self_test(home: Home, asked: argparse.Namespace) -> int:
    identity, told, clock = home.identity(), config.read(home.folder / config.NAME), Clock.open(home)
    platform = None if asked.offline else Platform(identity.url, clock, told.ca_file)
    checks = selftest.run(selftest.Parts(home, identity, told, clock, Supplies.open(home), platform))
    for check in checks:
        if asked.json:
            print(msgspec.json.encode(check).decode())
        else:
            print(f"{screen.PASS if check.good else screen.STOP} {check.name}: {check.zh} / {check.en}")
    return 0 if all(check.good for check in checks) else 1


def reset(home: Home, asked: argparse.Namespace) -> int:
    with _alone(home):
        identity = setup.reset(home)
    _say(f"新流水簿 {identity.journal.id}", f"The journal is {identity.journal.id} now")
    return 0


# --- the parts ----------------------------------------------------------------------------------------------------

_STOPS_WITHIN_S: Final = 0.3
_END_S: Final = 5.0


@contextlib.contextmanager
def _alone(home: Home) -> Iterator[None]:
    file = home.lock()
    try:
        yield
    finally:
        os.close(file)


@contextlib.contextmanager
def _whole(home: Home) -> Iterator[Whole]:
    """Everything of a gate, put together, and closed in the end. Raises GateError for a folder that will not do."""
    identity, told, clock = home.identity(), config.read(home.folder / config.NAME), Clock.open(home)
    supplies, connection, writing = Supplies.open(home), Connection(), threading.Lock()
    try:
        journal = JournalFile.open(home.journals, identity.journal.id, identity.macs)
        first = max(journal.last_sequence, 0) + 1
        sequences = Sequences.open(setup.sequences_of(home, identity.journal.id), first)
        memory = Memory.open(home.folder / "memory.sqlite")
    except (OSError, ValueError, sqlite3.Error) as error:
        raise BadConfig(f"{home.folder} 无法使用：{error}", f"{home.folder} cannot be used: {error}") from None
    asking, syncing = (Platform(identity.url, clock, told.ca_file) for _ in range(2))
    barrier = Opener(told.barrier)
    gate = Gate(
        identity, clock, asking, connection, supplies, memory, journal, sequences, barrier,
        told.item, told.leg, told.amount_fen, writing,
    )  # fmt: skip
    sync = Sync(
        home, identity, syncing, connection, supplies, journal, writing, told.sync_every_s, told.trust_connection
    )  # fmt: skip
    try:
        yield Whole(home, told, gate, sync)
    finally:
        barrier.close()
        asking.close()
        syncing.close()
        memory.close()
        journal.close()


def _inputs(told: Config) -> Iterator[tuple[str, Iterator[Asked]]]:
    """Standard input, and what gate.toml names."""
    yield "text", text.presentations(text.lines_of(0))
    if told.camera is not None:
        every_s, again = told.camera.every_ms / 1000, Again(told.same_code_s)
        yield "camera", camera.presentations(Path(told.camera.file), every_s, again)
    if told.wedge is not None:
        yield "wedge", wedge.presentations(Path(told.wedge.device), told.wedge.prefix, told.wedge.suffix)
    if told.reader is not None:
        yield "reader", reader.presentations(told.reader.name)


@contextlib.contextmanager
def _one(asked: argparse.Namespace, told: Config) -> Iterator[Asked]:
    """What `present` was given. Raises GateError when that is nothing, or more than one."""
    if sum(each not in (None, False) for each in (asked.code, asked.image, asked.card)) != 1:
        raise GateError("USAGE", "请给出二维码文本、--image 或 --card 之一", "Give one of: a code, --image, --card")
    said = Asked(None, None, asked.item, asked.amount_fen, asked.leg, asked.manual, asked.reason)
    if asked.card:
        with reader.one(told.reader.name if told.reader is not None else "", CARD_S) as tapping:
            yield replace(said, tap=tapping)
        return
    code = asked.code
    if asked.image is not None:
        found = camera.read(asked.image)
        if not found:
            raise GateError("PICTURE", "图片中没有二维码", "There is no code in the picture")
        code = found[0]
    yield replace(said, code=wedge.clean(code))


# --- words --------------------------------------------------------------------------------------------------------


def _tell(whole: Whole, result: Result) -> None:
    told = msgspec.to_builtins(result)
    print(msgspec.json.encode(told).decode(), flush=True)
    print(screen.text(told, whole.config.language), file=sys.stderr, flush=True)


def _say(zh: str, en: str) -> None:
    print(f"{zh} / {en}", file=sys.stderr, flush=True)


def _tell_wrong(whole: Whole) -> None:
    for each in whole.sync.wrong:
        _say(f"未能取得：{each}", f"not fetched: {each}")


def _state(home: Home) -> dict[str, Any]:
    """What `show` shows; nothing of it is secret, and a running gate is not disturbed."""
    identity, clock, supplies = home.identity(), Clock.open(home), Supplies.open(home)
    now_ms = clock.now_ms()
    pack = supplies.known.pack
    lists = {
        name: {"age_s": age_s, "oldest_s": oldest_s}
        for name, (age_s, oldest_s) in ages(supplies.known, now_ms // 1000).items()
    }
    return {
        "terminal": identity.terminal,
        "url": identity.url,
        "journal": identity.journal.id,
        "lines": [_journal_state(home, identity, each.id) for each in identity.journals],
        "clock_shift_ms": clock.shift_ms(now_ms),
        "contacted_s_ago": None if supplies.contacted is None else now_ms // 1000 - supplies.contacted,
        "pack_made_s_ago": None if pack is None else now_ms // 1000 - pack.made,
        "point": None if pack is None else pack.point.code,
        "items": [] if pack is None else [each.code for each in pack.items],
        "unread": [] if pack is None else list(pack.unread),
        "lists": lists,
        "withdrawn_keys": len(supplies.pins.withdrawn),
    }


def _journal_state(home: Home, identity: Any, journal: str) -> dict[str, Any]:
    try:
        file = JournalFile.look(home.journals, journal, identity.macs)
    except OSError:
        return {"journal": journal, "lines": 0, "unsent": 0, "broken": []}
    unsent = sum(1 for _ in file.after(file.acknowledged.through))
    broken = [f"{each.number}: {each.flaw}" for each in file.broken]
    file.close()
    return {"journal": journal, "lines": file.count, "unsent": unsent, "broken": broken}
