"""Journals of gates without a line: `POST /v1/uses:batch` takes them, `GET /v1/journals/{journal}` says how far.

An upload is read as it comes, in groups of some hundred lines; while the database records one group the next is read,
and no more: whoever sends faster waits. It has a connection of its own, so that the lane waits for none of it, and lets
other requests have their turn after every few lines. The answer is written aside until the upload is over, on disk
where it grows: a caller that sends all before it reads would else wait for us while we wait for it. Such a file has no
name, so that nothing is left of it whatever becomes of the process.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import IO, Final
from uuid import UUID

import asyncpg
import msgspec

from onecard.foundation.errors import OneCardError
from onecard.gateway import errors
from onecard.gateway.answers import Taken
from onecard.gateway.journals import Reader, Readers
from onecard.gateway.lane import LOST, Counts, telling_lost
from onecard.gateway.rsgi import Headers
from onecard.gateway.terminals import Signed, Terminals
from onecard.gateway.wire import Response, json_response, require_plain
from onecard.kernel.uses import offline
from onecard.kernel.uses.actions import Collision, Memory
from onecard.kernel.uses.chain import Following, Head
from onecard.kernel.uses.lines import LateOutcome, Rejected
from onecard.kernel.uses.offline import Arrived, Upload
from onecard_kit.journal import LINE_BYTES_MAX

log = logging.getLogger("onecard.gateway")

UPLOAD: Final = "/v1/uses:batch"
JOURNALS: Final = "/v1/journals/"
KIND: Final = "application/x-ndjson"
GROUP_MAX: Final = 256
UPLOADS_MAX: Final = 16
LINES_A_TURN: Final = 16
"""After so many lines other requests have their turn."""
CLOCK_TOLERANCE_S: Final = 30
"""A terminal's clock that is off by less is taken as it is: a request may be under way for that long."""
MEMORY_BYTES_MAX: Final = 1 << 20

Told = Arrived | Rejected
"""A line of an upload: one to be recorded, or why not."""


class Result(msgspec.Struct, omit_defaults=False):
    """What is answered to one line. Whole fen; `verdict` is ours, `code` why a line was rejected. `given_back`: the use
    was given back, since the holder was turned away without knowing of it, or before.
    """

    sequence: int | None
    result: str
    code: str | None = None
    use: UUID | None = None
    verdict: str | None = None
    gate_verdict: str | None = None
    paid_fen: int | None = None
    shortfall_fen: int | None = None
    borne_by: str | None = None
    double: bool = False
    corrected_s: int = 0
    given_back: bool = False


@dataclass(slots=True)
class Uploads:
    """Takes journals. `connection` lends a connection that is only for them, `readers` make what reads their lines."""

    terminals: Terminals
    readers: Readers
    connection: Callable[[], AbstractAsyncContextManager[asyncpg.Connection]]
    counts: Counts
    memory: Memory = field(default_factory=Memory)
    uploads_max: int = UPLOADS_MAX
    _under_way: int = 0
    _connected: asyncpg.Connection | None = None

    async def head(self, path: str, headers: Headers) -> Response:
        """How far a journal is taken."""
        signed = await self.terminals.check("GET", path, headers, b"", any_time=True)
        if path != f"{JOURNALS}{signed.journal}":
            raise errors.no_such_path()
        async with self.connection() as connection:
            head = await offline.head_of(connection, signed.terminal_id, signed.journal, str(signed.journal))
        told: Taken = {"through": head.through, "chain": head.chain, "server_time": int(time.time())}
        return json_response(told)

    async def take(self, path: str, headers: Headers, parts: AsyncIterator[bytes]) -> Response:
        """Take an upload and answer each of its lines.

        Raises Unavailable QUEUE_FULL, or whatever ends it before anything was recorded; later the answer ends with why.
        """
        signed = await self.terminals.check("POST", path, headers, b"", any_time=True)
        require_plain(headers.get("content-encoding"))
        if self._under_way >= self.uploads_max:
            raise errors.queue_full()
        self._under_way += 1
        try:
            return await self._take(signed, parts)
        finally:
            self._under_way -= 1

    async def _take(self, signed: Signed, parts: AsyncIterator[bytes]) -> Response:
        correction_s = correction_of(signed.time)
        following = Following(signed.sequence)
        upload = Upload(
            signed.terminal_id, signed.key_id, signed.journal, str(signed.journal), following, correction_s
        )  # fmt: skip
        reader, answers = await self.readers.reader(signed, correction_s), Answers()
        try:
            await self._groups(upload, reader, parts, answers)
            async with self.connection() as connection:
                await offline.close(connection, upload)
        except OneCardError as error:
            if not answers.counted.total():
                raise
            return answers.response(upload.head, error)
        return answers.response(upload.head)

    async def _groups(
        self, upload: Upload, reader: Reader, parts: AsyncIterator[bytes], answers: "Answers"
    ) -> None:  # fmt: skip
        """Record group after group, while the next is read."""
        recording: asyncio.Task[None] | None = None
        try:
            async for group in groups_of(lines_of(parts), reader):
                if recording is not None:
                    await recording
                recording = asyncio.create_task(self._record(upload, group, answers))
            if recording is not None:
                await recording
        finally:
            if recording is not None:  # what is being recorded is seen through, whatever ended the upload
                await asyncio.gather(recording, return_exceptions=True)

    async def _record(self, upload: Upload, group: Sequence[tuple[int | None, Told]], answers: "Answers") -> None:
        arrived = [told for _, told in group if isinstance(told, Arrived)]
        outcomes: Iterator[LateOutcome] = iter(())
        if arrived:
            async with self.connection() as connection:
                if connection is not self._connected:
                    self.memory.forget()
                    self._connected = connection
                outcomes = iter(await self._apart(connection, upload, arrived))
        for sequence, told in group:
            outcome = told if isinstance(told, Rejected) else next(outcomes)
            upload.rejected += isinstance(outcome, Rejected)
            answers.add(sequence, told, outcome)

    async def _apart(self, connection: asyncpg.Connection, upload: Upload, arrived: list[Arrived]) -> list[LateOutcome]:
        """Take lines; where that fails, halves of them, so that one of which we can make nothing keeps up no other."""
        try:
            with telling_lost(connection):
                return await offline.take(connection, upload, arrived, self.memory)
        except (*LOST, OneCardError):
            raise
        except (asyncpg.LockNotAvailableError, Collision):
            if len(arrived) == 1:
                return [offline.leave(upload, arrived[0], "CARD_BUSY")]
        except Exception:
            self.memory.accounts.forget()
            if len(arrived) == 1:
                log.exception("line %d of terminal %d was not recorded", arrived[0].link.sequence, upload.terminal_id)
                self.counts.faults += 1
                return [offline.leave(upload, arrived[0], "OUR_FAULT")]
        half = len(arrived) // 2
        return [
            *await self._apart(connection, upload, arrived[:half]),
            *await self._apart(connection, upload, arrived[half:]),
        ]


class Answers:
    """The answers to an upload's lines, written aside until it is over."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()
        self._file: IO[bytes] = SpooledTemporaryFile(MEMORY_BYTES_MAX)  # noqa: SIM115  closed when it was sent

    def add(self, sequence: int | None, told: Told, outcome: LateOutcome) -> None:
        result = _result(sequence, told, outcome)
        self.counted[result.result] += 1
        self._file.write(msgspec.json.encode(result) + b"\n")

    def response(self, head: Head, error: OneCardError | None = None) -> Response:
        """All of them, and what they came to."""
        told: dict[str, object] = {"done": error is None, "lines": self.counted.total()}
        told |= {result: self.counted[result] for result in ("recorded", "repeated", "rejected")}
        told |= {"server_time": int(time.time()), "through": head.through, "chain": head.chain}
        if error is not None:
            told |= {"code": error.code, "zh": error.zh, "en": error.en}
        self._file.write(msgspec.json.encode(told) + b"\n")
        unkept = (("cache-control", "no-store"),)
        is_long = self._file.tell() > MEMORY_BYTES_MAX
        self._file.seek(0)
        if is_long:
            return Response(200, b"", unkept, KIND, self._file)
        with self._file as file:
            return Response(200, file.read(), unkept, KIND)


def _result(sequence: int | None, told: Told, outcome: LateOutcome) -> Result:
    if isinstance(outcome, Rejected):
        return Result(sequence, "rejected", outcome.code)
    assert isinstance(told, Arrived)
    gate = told.line.gate
    assert gate is not None
    return Result(
        sequence,
        "repeated" if outcome.repeated else "recorded",
        None,
        outcome.use_id,
        outcome.verdict.value,
        outcome.gate_verdict,
        outcome.paid_fen,
        outcome.shortfall_fen,
        outcome.borne_by,
        outcome.double,
        gate.correction_s,
        outcome.given_back,
    )


def correction_of(sent_at: int) -> int:
    """What is to be added to a terminal's clock that said `sent_at` (Unix seconds) now."""
    correction_s = int(time.time()) - sent_at
    return 0 if abs(correction_s) <= CLOCK_TOLERANCE_S else correction_s


async def lines_of(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The lines of a body that comes in parts, each with its end. One that is too long comes as what its beginning is;
    one that has no end was cut off and never comes: it will be sent again.
    """
    left, too_long = b"", False
    async for part in parts:
        *whole, left = (left + part).split(b"\n")
        for line in whole:
            if not too_long:
                yield line + b"\n"
            too_long = False
        if len(left) > LINE_BYTES_MAX:
            if not too_long:
                yield left
            left, too_long = b"", True


async def groups_of(
    lines: AsyncIterator[bytes], reader: Reader
) -> AsyncIterator[list[tuple[int | None, Told]]]:  # fmt: skip
    """Lines as they were read, in groups that one transaction may record: of one day, and not too many."""
    group: list[tuple[int | None, Told]] = []
    day: int | None = None
    count = 0
    async for raw in lines:
        sequence, told = await reader.read(raw)
        its_day = reader.day_of(told)
        if group and (len(group) >= GROUP_MAX or (day is not None and its_day is not None and its_day != day)):
            yield group
            group, day = [], None
        group.append((sequence, told))
        day = day if its_day is None else its_day
        count += 1
        if count % LINES_A_TURN == 0:
            await asyncio.sleep(0)
    if group:
        yield group
