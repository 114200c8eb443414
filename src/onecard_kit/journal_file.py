"""A journal on a gate's disk (流水簿文件): what is in it is safe before a barrier opens, whenever the power goes.

The one place of the kit that touches a disk, so that a gate and whoever plays one keep their journals in the same way.

    <journal>.lines         the lines, one after the other, as they will be uploaded (`journal`)
    <journal>.acknowledged  how far the platform had them, and when it said so
    <journal>.torn          what was cut off the end after the power had gone, for whoever looks into it
    <name>.sequence         from which number on nothing was taken yet

A line is on disk when `append` returns. What a power cut can leave behind is one line that was not finished: it is cut
off when the journal is opened again. Anything else that is not as it was written stays where it is and is reported.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from onecard_kit.journal import LINE_BYTES_MAX, JournalLine, LineRefused, Written, decode, encode
from onecard_kit.requests import Mac

_DAY_S: Final = 86_400
KEPT_S: Final = 30 * _DAY_S
"""So long an acknowledged line stays: a platform that was restored from a backup asks for it again."""
SEQUENCES_RESERVED: Final = 64
SEQUENCES_LEAPT: Final = 1 << 16
_MARKED_EVERY_BYTES: Final = 1 << 20

Keys = Mapping[int, tuple[bytes, Mac]]


@dataclass(frozen=True, slots=True)
class Broken:
    """A place of a journal that is not as it was written: the line's number in the file, from 1, and what it is."""

    number: int
    flaw: str


class Acknowledged(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """(through, Unix seconds): up to which sequence the platform had every line, and when it said so; both ascend."""

    marks: tuple[tuple[int, int], ...] = ()

    @property
    def through(self) -> int:
        """The last sequence that the platform had, -1 for none."""
        return self.marks[-1][0] if self.marks else -1

    def with_mark(self, through: int, now: int) -> "Acknowledged":
        """With a new answer of the platform, which takes back whatever said more. One mark a day is kept."""
        kept = [mark for mark in self.marks if mark[0] <= through and mark[1] <= now]
        if kept and kept[-1][0] == through:
            return Acknowledged(tuple(kept))
        if len(kept) > 1 and kept[-1][1] - kept[-2][1] < _DAY_S:
            kept.pop()
        return Acknowledged((*kept[-KEPT_S // _DAY_S - 2 :], (through, now)))

    def until(self, moment: int) -> int:
        """The last sequence that the platform had at a moment (Unix seconds), -1 for none."""
        return max((through for through, at in self.marks if at <= moment), default=-1)


@dataclass(slots=True)
class JournalFile:
    """A terminal's journal in a folder. Make one with `JournalFile.open`; one process at a time may have it open.

    `last_mac` is what the next line is chained to, `last_sequence` the highest number in the file (-1 for none).
    `broken` is what was found when it was opened, `cut_bytes` what was cut off its end.
    """

    folder: Path
    journal: str
    keys: Keys
    last_mac: str
    last_sequence: int = -1
    count: int = 0
    broken: list[Broken] = field(default_factory=list)
    cut_bytes: int = 0
    acknowledged: Acknowledged = field(default_factory=Acknowledged)
    _repairs: bool = True
    _file: int = -1
    _size: int = 0
    _marks: list[tuple[int, int]] = field(default_factory=list)  # (last sequence before, offset)

    @classmethod
    def open(cls, folder: Path, journal: str, keys: Keys) -> "JournalFile":
        """Open a journal, or begin it. `keys` are those of the terminal by key id. Raises OSError."""
        made = cls(folder, journal, keys, journal)
        existed = made.path.exists()
        made._file = os.open(made.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not existed:
            sync_folder(folder)
        made._read_through()
        made._read_acknowledged()
        return made

    @classmethod
    def look(cls, folder: Path, journal: str, keys: Keys) -> "JournalFile":
        """A journal as it stands, for reading only, while another process may be writing it: nothing is cut off; a line
        that is being written counts in `cut_bytes`. Raises OSError, FileNotFoundError for a journal without a line.
        """
        made = cls(folder, journal, keys, journal, _repairs=False)
        made._file = os.open(made.path, os.O_RDONLY | os.O_CLOEXEC)
        made._read_through()
        made._read_acknowledged()
        return made

    @property
    def path(self) -> Path:
        return self._beside("lines")

    def append(self, line: JournalLine) -> None:
        """Write a line and return when it is on disk. Raises LineRefused, or OSError when it is not, and then nothing
        of it stays.
        """
        if line.sequence <= self.last_sequence:
            raise LineRefused(f"sequence {line.sequence} does not come after {self.last_sequence}")
        raw, own = encode(line, self.journal, self.last_mac, *self.keys[line.key_id])
        try:
            write_whole(self._file, raw, self._size)
            os.fsync(self._file)
        except OSError:
            # Whatever of it stands there now is written over by the next line.
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise
        self._took(line.sequence, own, len(raw))

    def after(self, sequence: int) -> Iterator[Written]:
        """The lines with a higher sequence, in their order, as far as they are what was written."""
        if sequence >= self.last_sequence:
            return
        for _, raw in self._raw_after(sequence):
            with contextlib.suppress(LineRefused):
                written = decode(raw)
                if written.line.sequence > sequence and self._is_ours(written):
                    yield written

    def holds(self, sequence: int, mac: str) -> bool:
        """Whether a line that somebody has is one of this file: the same number, the same mac."""
        found = next(self.after(sequence - 1), None)
        return found is not None and (found.line.sequence, found.mac) == (sequence, mac)

    def texts_after(self, sequence: int) -> Iterator[bytes]:
        """The same as they stand in the file, with their line ends: what an upload is made of."""
        for written in self.after(sequence):
            yield written.raw

    def acknowledge(self, through: int, now: int) -> None:
        """Keep what the platform says it has, up to a sequence. Less than before means that it lost some: those lines
        count as never acknowledged.
        """
        marked = self.acknowledged.with_mark(through, now)
        if marked != self.acknowledged:
            replace_file(self._beside("acknowledged"), [msgspec.json.encode(marked)])
            self.acknowledged = marked

    def drop_old(self, now: int) -> int:
        """Drop lines that were acknowledged more than 30 days ago, but the very last; return how many went."""
        through = min(self.acknowledged.until(now - KEPT_S), self.last_sequence - 1)
        if self.broken or not any(written.line.sequence <= through for written in self._first()):
            return 0
        before = self.count
        replace_file(self.path, self.texts_after(through))
        os.close(self._file)
        again = JournalFile.open(self.folder, self.journal, self.keys)
        self._file, self._size, self._marks, self.count = again._file, again._size, again._marks, again.count
        return before - self.count

    def close(self) -> None:
        os.close(self._file)

    # --- reading what a power cut left ---

    def _read_through(self) -> None:
        """Read the whole file once: count, follow the chain, report what does not fit, cut off an unfinished end."""
        position = 0
        after_good: list[tuple[Broken, bytes]] = []
        for number, raw in self._raw(0, os.fstat(self._file).st_size):
            written, flaw = self._judge(raw)
            if written is None:
                after_good.append((Broken(number, flaw), raw))
            else:
                self.broken += [broken for broken, _ in after_good]
                if written.previous != self.last_mac and self.count:
                    self.broken.append(Broken(number, "what stood before it is missing or was altered"))
                after_good = []
                self._size = position
                self._took(written.line.sequence, written.mac, len(raw))
            position += len(raw)
        self._end(after_good, position)

    def _end(self, after_good: list[tuple[Broken, bytes]], position: int) -> None:
        """A power cut leaves one line unfinished: that one goes. What else stands at the end stays, and is reported."""
        self._size = position
        if len(after_good) == 1 or (after_good and not after_good[-1][1].endswith(b"\n")):
            _, torn = after_good.pop()
            self._size -= len(torn)
            self.cut_bytes = len(torn)
            if self._repairs:
                replace_file(self._beside("torn"), [torn])
                os.ftruncate(self._file, self._size)
                os.fsync(self._file)
        self.broken += [broken for broken, _ in after_good]

    def _read_acknowledged(self) -> None:
        with contextlib.suppress(FileNotFoundError, msgspec.MsgspecError):
            self.acknowledged = msgspec.json.decode(self._beside("acknowledged").read_bytes(), type=Acknowledged)

    def _judge(self, raw: bytes) -> tuple[Written | None, str]:
        try:
            written = decode(raw)
        except LineRefused as refused:
            return None, refused.flaw
        if not self._is_ours(written):
            return None, "its mac is not right"
        if written.line.sequence <= self.last_sequence:
            return None, f"its sequence does not come after {self.last_sequence}"
        return written, ""

    def _is_ours(self, written: Written) -> bool:
        known = self.keys.get(written.line.key_id)
        return known is not None and written.is_of(self.journal, *known)

    def _took(self, sequence: int, mac: str, size: int) -> None:
        if not self._marks or self._size - self._marks[-1][1] >= _MARKED_EVERY_BYTES:
            self._marks.append((self.last_sequence, self._size))
        self.last_sequence, self.last_mac = sequence, mac
        self.count += 1
        self._size += size

    def _raw_after(self, sequence: int) -> Iterator[tuple[int, bytes]]:
        """Lines as bytes, from no later than the first above a sequence."""
        start = max((offset for last, offset in self._marks if last <= sequence), default=0)
        return self._raw(start, self._size)

    def _raw(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Lines as bytes with their numbers, counted from where reading begins."""
        with open(self.path, "rb") as file:
            file.seek(start)
            number = 0
            while start < end and (raw := file.readline(LINE_BYTES_MAX + 1)):
                number, start = number + 1, start + len(raw)
                yield number, raw

    def _first(self) -> Iterator[Written]:
        for written in self.after(-1):
            yield written
            return

    def _beside(self, kind: str) -> Path:
        return self.folder / f"{self.journal}.{kind}"


@dataclass(slots=True)
class Sequences:
    """The numbers of a journal, each given out once whatever happens: they are reserved on disk before they are used,
    a block at a time, and what was reserved and not used is left out.
    """

    path: Path
    next_free: int
    reserved_to: int  # exclusive
    block: int = SEQUENCES_RESERVED

    @classmethod
    def open(cls, path: Path, first: int = 1, block: int = SEQUENCES_RESERVED) -> "Sequences":
        """Go on after what was reserved, and no earlier than `first`. Raises OSError, or ValueError for a damaged file:
        better no number than one that was used.
        """
        try:
            kept = int(path.read_text("ascii"))
        except FileNotFoundError:
            kept = first
        start = max(first, kept)
        return cls(path, start, start, block)

    def leap(self) -> None:
        """Go on far above, since the next numbers may be used: this disk may be an older copy of the one before."""
        self.next_free = self.reserved_to = self.reserved_to + SEQUENCES_LEAPT

    def take(self) -> int:
        """The next number. Raises OSError when none can be reserved."""
        if self.next_free >= self.reserved_to:
            replace_file(self.path, [f"{self.next_free + self.block}\n".encode()])
            self.reserved_to = self.next_free + self.block
        taken = self.next_free
        self.next_free += 1
        return taken


def replace_file(path: Path, content: Iterable[bytes]) -> None:
    """Write a file so that after a power cut there is all of the old one or all of the new one. Raises OSError."""
    beside = path.with_name(path.name + ".new")
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        position = 0
        for part in content:
            write_whole(file, part, position)
            position += len(part)
        os.fsync(file)
    finally:
        os.close(file)
    beside.replace(path)
    sync_folder(path.parent)


def write_whole(file: int, content: bytes, position: int) -> None:
    """Write all of it at a position: one call may take a part only. Raises OSError."""
    left = memoryview(content)
    while left:
        taken = os.pwrite(file, left, position)
        left, position = left[taken:], position + taken


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk, too. Raises OSError."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
