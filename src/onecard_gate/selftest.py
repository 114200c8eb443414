"""Whether everything is as it must be (自检): run after setting a gate up, after a power cut, and by whoever is called.

Each check says what it looked at and what to do. Nothing is presented, and nothing that is kept changes.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from onecard_gate.clock import Clock, wall_ms
from onecard_gate.config import Config
from onecard_gate.errors import GateError
from onecard_gate.home import Home, Identity
from onecard_gate.inputs import camera, pcsc
from onecard_gate.memory import Memory
from onecard_gate.platform import Platform
from onecard_gate.supplies import Supplies, ages
from onecard_kit import codes
from onecard_kit.journal_file import JournalFile, replace_file
from onecard_kit.refs import day_of
from onecard_kit.suites import SUITES, Signer

FREE_BYTES_MIN: Final = 64 << 20
_CLOCK_MS_MAX: Final = 5000
_SEED: Final = bytes(range(32))


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. What is not `good` keeps a gate from its work; `zh` and `en` say what was found."""

    name: str
    good: bool
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Parts:
    """What is looked at. `platform` is None when the line is not to be tried."""

    home: Home
    identity: Identity
    config: Config
    clock: Clock
    supplies: Supplies
    platform: Platform | None


def run(parts: Parts) -> list[Check]:
    """Every check, in the order in which one would look."""
    return [check for each in _CHECKS for check in each(parts)]


def _folder(parts: Parts) -> Iterator[Check]:
    loose = parts.home.loose()
    told = ", ".join(map(str, loose))
    if loose:
        yield Check("folder", False, f"其他用户可读：{told}", f"others may read: {told}")
    else:
        yield Check("folder", True, "目录仅本用户可读写", "the folder is for its own user alone")


def _disk(parts: Parts) -> Iterator[Check]:
    probe = parts.home.folder / "self-test"
    try:
        replace_file(probe, [b"x"])
        probe.unlink()
        free = shutil.disk_usage(parts.home.folder).free
    except OSError as error:
        yield Check("disk", False, f"无法写入磁盘：{error}", f"the disk takes nothing: {error}")
        return
    megabytes = free >> 20
    yield Check("disk", free >= FREE_BYTES_MIN, f"磁盘可用{megabytes}MB", f"the disk has {megabytes} MB free")


def _journals(parts: Parts) -> Iterator[Check]:
    for journal in parts.identity.journals:
        try:
            file = JournalFile.look(parts.home.journals, journal.id, parts.identity.macs)
        except FileNotFoundError:
            yield Check("journal", True, f"流水簿{journal.id}尚无记录", f"journal {journal.id} has no line yet")
            continue
        except OSError as error:
            yield Check("journal", False, f"流水簿无法读取：{error}", f"the journal cannot be read: {error}")
            continue
        broken = "; ".join(f"{each.number}: {each.flaw}" for each in file.broken[:5])
        zh, en = f"流水簿{journal.id}共{file.count}笔", f"journal {journal.id} has {file.count} lines"
        file.close()
        if broken:
            yield Check("journal", False, f"{zh}，有损坏：{broken}", f"{en}, and is broken at {broken}")
        else:
            yield Check("journal", True, zh, en)


def _memory(parts: Parts) -> Iterator[Check]:
    path = parts.home.folder / "memory.sqlite"
    try:
        Memory.look(path)
    except (sqlite3.Error, OSError) as error:
        yield Check(
            "memory", False, f"记忆文件已损坏，将重建：{error}", f"memory is damaged and will be begun anew: {error}"
        )
        return
    yield Check("memory", True, "记忆文件完好", "memory is sound")


def _pack(parts: Parts) -> Iterator[Check]:
    pack = parts.supplies.known.pack
    if pack is None:
        yield Check("pack", False, "没有离线包；请运行 onecard-gate sync", "there is no pack; run onecard-gate sync")
        return
    unread = "; ".join(pack.unread)
    if unread:
        yield Check("pack", False, f"本程序过旧，读不懂：{unread}", f"this program is too old to understand {unread}")
    offline = [item.code for item in pack.items if _is_offline(parts, item.code)]
    items = ", ".join(offline) or "—"
    yield Check("pack", True, f"可离线办理：{items}", f"without a line it serves: {items}")


def _is_offline(parts: Parts, code: str) -> bool:
    pack = parts.supplies.known.pack
    item = pack.item_on(code, day_of(parts.clock.now_ms() // 1000)) if pack is not None else None
    return item is not None and item.offline is not None


def _lists(parts: Parts) -> Iterator[Check]:
    now = parts.clock.now_ms() // 1000
    for name, (age_s, oldest_s) in ages(parts.supplies.known, now).items():
        good = age_s is not None and age_s <= oldest_s
        if age_s is None:
            yield Check(f"list:{name}", False, "没有这份名单", "there is no such list here")
        else:
            yield Check(
                f"list:{name}", good, f"名单已有{age_s}秒，上限{oldest_s}秒", f"{age_s} s old, good until {oldest_s} s"
            )  # fmt: skip


def _clock(parts: Parts) -> Iterator[Check]:
    pack = parts.supplies.known.pack
    now_ms = parts.clock.now_ms()
    if pack is not None and now_ms // 1000 < pack.made:
        yield Check(
            "clock", False, "时钟早于离线包的生成时间", "the clock is before the time at which the pack was made"
        )
        return
    shift_ms = parts.clock.shift_ms(now_ms)
    if shift_ms is None:
        yield Check("clock", True, "尚无平台对时，使用本机时钟", "no time signal yet: the machine's own clock")
    else:
        zh, en = f"已按平台对时，修正{shift_ms}毫秒", f"set by the platform, {shift_ms} ms from the machine's"
        far = abs(shift_ms) > _CLOCK_MS_MAX
        yield Check("clock", True, f"{zh}；请校准本机时钟" if far else zh, f"{en}; set that" if far else en)


def _suites(parts: Parts) -> Iterator[Check]:
    """Each algorithm that a key needs, on a code of its own: the right one verifies, a changed one does not."""
    pack = parts.supplies.known.pack
    for name in sorted({key.suite for key in pack.keys} if pack is not None else {"ed25519"}):
        suite = SUITES.get(name)
        try:
            good = suite is not None and suite.is_ready() and _tells_apart(Signer.of(suite, b"\x00\x00", _SEED))
        except (RuntimeError, ValueError, OSError):
            good = False
        if good:
            yield Check(f"suite:{name}", True, "验签正常", "signatures are checked right")
        else:
            yield Check(
                f"suite:{name}", False, "本机不能验签（缺少 libcrypto？）", "signatures cannot be checked (libcrypto?)"
            )


def _tells_apart(signer: Signer) -> bool:
    now = wall_ms() // 1000
    claims = codes.Claims("000000", signer.kid, 0, codes.Via.SELF, now, now + 60, os.urandom(codes.NONCE_BYTES))
    keys = {("000000", signer.kid): signer.public_key}
    text = codes.encode(claims, signer)
    changed = text[:20] + ("A" if text[20] != "A" else "B") + text[21:]
    try:
        codes.verify(changed, keys)
    except codes.CodeRefused:
        return codes.verify(text, keys) == claims
    return False


def _inputs(parts: Parts) -> Iterator[Check]:
    config = parts.config
    if config.camera is not None:
        gone = camera.missing()
        yield Check("camera", gone is None, "可识读图片" if gone is None else f"缺少：{gone}",
                    "pictures can be read" if gone is None else f"missing: {gone}")  # fmt: skip
    if config.wedge is not None:
        good = os.access(config.wedge.device, os.R_OK)
        yield Check("wedge", good, f"{config.wedge.device} {'可读' if good else '不可读'}",
                    f"{config.wedge.device} can {'' if good else 'not '}be read")  # fmt: skip
    if config.reader is not None:
        yield from _reader(config.reader.name)


def _reader(name: str) -> Iterator[Check]:
    try:
        with pcsc.Context() as context:
            readers = [each for each in context.readers() if name in each]
    except (pcsc.PcscError, OSError) as error:
        yield Check("reader", False, f"读卡服务不可用：{error}（请安装 pcscd）", f"no PC/SC: {error} (install pcscd)")
        return
    told = ", ".join(readers)
    yield Check("reader", bool(readers), told or "没有读卡器", told or "there is no reader")


def _barrier(parts: Parts) -> Iterator[Check]:
    barrier = parts.config.barrier
    if barrier.command:
        good = shutil.which(barrier.command[0]) is not None
        yield Check("barrier", good, f"命令：{barrier.command[0]}", f"command: {barrier.command[0]}")
    elif barrier.file is not None:
        good = os.access(barrier.file, os.W_OK)
        yield Check("barrier", good, f"文件：{barrier.file}", f"file: {barrier.file}")
    else:
        yield Check("barrier", True, "未配置道闸，仅显示结果", "no barrier is configured: results are only shown")


def _line(parts: Parts) -> Iterator[Check]:
    """A gate without a line still works, so its absence is told and is no fault."""
    if parts.platform is None:
        return
    try:
        status = parts.platform.ask("GET", "/health", within_s=3).status
    except GateError as error:
        yield Check("platform", True, f"平台不在线：{error.zh}", f"the platform is away: {error.en}")
        return
    yield Check("platform", True, f"平台在线（{status}）", f"the platform answers ({status})")


_CHECKS: Final[tuple[Callable[[Parts], Iterator[Check]], ...]] = (
    _folder, _disk, _journals, _memory, _clock, _pack, _lists, _suites, _inputs, _barrier, _line,
)  # fmt: skip
