"""The lane: lines that arrive while a commit is running form the next group. No timer, so no added wait at low load.

One connection, one transaction at a time. The queue is bounded: past it the caller is told to come back, and gates go
offline by themselves. A fault of ours in one line must not touch the lines beside it: the group is then decided again
line by line behind savepoints, the fault is counted, and the terminal it came from runs alone for a while.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import asyncpg

from onecard.foundation import clock
from onecard.foundation.errors import OneCardError
from onecard.gateway import errors
from onecard.kernel.uses.actions import COLLISIONS_MAX, Collision, Memory, lock, record_group, record_within
from onecard.kernel.uses.lines import Line, Outcome

log = logging.getLogger("onecard.gateway")

GROUP_MAX = 128
QUEUE_MAX = 2048
ALONE_FOR_LINES = 100
LOCK_WAIT_ALONE_MS = 100
# What a dying, restarting, full or unreachable server looks like from here, and a stall of ours that it cut off.
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.InsufficientResourcesError,
    asyncpg.exceptions.IdleInTransactionSessionTimeoutError,
    asyncpg.exceptions.ReadOnlySQLTransactionError,
    asyncpg.exceptions.PostgresSystemError,
    OSError,
    TimeoutError,
)

Waiting = tuple[Line, "asyncio.Future[Outcome]"]


@contextmanager
def telling_lost(connection: asyncpg.Connection) -> Iterator[None]:
    """Tell a connection that was closed under us as one of `LOST`. The driver raises the same InterfaceError for what
    we did wrong, such as a statement with the wrong arguments, and that is no outage.
    """
    try:
        yield
    except asyncpg.InterfaceError as error:
        if connection.is_closed():
            raise ConnectionResetError("the connection was closed") from error
        raise


@dataclass(slots=True)
class Counts:
    """What operators watch: groups, lines, and faults of ours (any is an alarm)."""

    groups: int = 0
    lines: int = 0
    faults: int = 0
    lost_connections: int = 0


@dataclass(slots=True)
class Lane:
    """Groups lines and records them on a connection it holds. `connect` opens one; a lost one is opened again."""

    connect: Callable[[], Awaitable[asyncpg.Connection]]
    memory: Memory
    queue_max: int = QUEUE_MAX
    group_max: int = GROUP_MAX
    counts: Counts = field(default_factory=Counts)
    _waiting: deque[Waiting] = field(default_factory=deque)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _alone: dict[int, int] = field(default_factory=dict)
    _connection: asyncpg.Connection | None = None

    async def record(self, line: Line) -> Outcome:
        """Queue a line and wait for its answer.

        Raises Unavailable QUEUE_FULL or DATABASE_AWAY (the outcome may be unknown: repeating is safe), OurFault.
        """
        if len(self._waiting) >= self.queue_max:
            raise errors.queue_full()
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((line, future))
        self._wake.set()
        return await future

    async def run(self) -> None:
        """Record group after group, for ever."""
        while True:
            await self._wake.wait()
            while self._waiting:
                await self._record(self._next_group())
            self._wake.clear()

    def _next_group(self) -> list[Waiting]:
        """The lines waiting, up to the most a group may hold; of one day, and without a terminal that is to run
        alone."""
        group = [self._waiting.popleft()]
        first = group[0][0]
        if self._runs_alone(first.terminal_id):
            return group
        day = clock.day_of(first.at)
        while self._waiting and len(group) < self.group_max:
            line = self._waiting[0][0]
            if line.terminal_id in self._alone or clock.day_of(line.at) != day:
                break
            group.append(self._waiting.popleft())
        return group

    def _runs_alone(self, terminal_id: int) -> bool:
        left = self._alone.get(terminal_id)
        if left is None:
            return False
        if left > 1:
            self._alone[terminal_id] = left - 1
        else:
            del self._alone[terminal_id]
        return True

    async def _record(self, group: list[Waiting]) -> None:
        self.counts.groups += 1
        self.counts.lines += len(group)
        try:
            connection = await self._connected()
            # A terminal that runs alone has kept others waiting before.
            wait_ms = LOCK_WAIT_ALONE_MS if group[0][0].terminal_id in self._alone else None
            with telling_lost(connection):
                outcomes = await record_group(connection, [line for line, _ in group], self.memory, wait_ms)
        except asyncpg.LockNotAvailableError:
            await self._record_around_locks(group)
        except LOST as error:
            await self._lost(group, error)
        except Exception:  # a fault of ours, or of one line
            log.exception("a group of %d fell back to line by line", len(group))
            await self._record_one_by_one(group)
        else:
            for (_, future), outcome in zip(group, outcomes, strict=True):
                _tell(future, outcome)

    async def _record_around_locks(self, group: list[Waiting]) -> None:
        """Somebody holds a card of the group for long: record the others, and let that card's terminal come again."""
        for n, (line, future) in enumerate(group):
            try:
                connection = await self._connected()
                with telling_lost(connection):
                    [outcome] = await record_group(connection, [line], self.memory, LOCK_WAIT_ALONE_MS)
            except asyncpg.LockNotAvailableError:
                self._locked(line, future)
            except LOST as error:
                await self._lost(group[n:], error)
                return
            except Exception:
                log.exception("line %s of terminal %d was not recorded", line.id, line.terminal_id)
                await self._record_one_by_one([(line, future)])
            else:
                _tell(future, outcome)

    def _locked(self, line: Line, future: "asyncio.Future[Outcome]") -> None:
        log.warning("a card of terminal %d is locked by somebody else", line.terminal_id)
        self._alone[line.terminal_id] = ALONE_FOR_LINES
        _tell(future, errors.database_away())

    async def _record_one_by_one(self, group: list[Waiting]) -> None:
        """Each line by itself; one of which we cannot make anything gets OUR_FAULT, and its terminal runs alone."""
        self.memory.accounts.forget()
        outcomes: Sequence[Outcome | OneCardError]
        try:
            outcomes = await self._apart([line for line, _ in group])
        except asyncpg.LockNotAvailableError:
            if len(group) > 1:
                await self._record_around_locks(group)
            else:
                self._locked(*group[0])
            return
        except LOST as error:
            await self._lost(group, error)
            return
        except Collision:
            outcomes = [errors.database_away() for _ in group]
        except Exception:
            log.exception("a group of %d could not be recorded line by line", len(group))
            outcomes = [errors.our_fault() for _ in group]
        for (line, future), outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, errors.OurFault):
                self.counts.faults += 1
                self._alone[line.terminal_id] = ALONE_FOR_LINES
            _tell(future, outcome)

    async def _apart(self, lines: list[Line]) -> list[Outcome | OneCardError]:
        """Record lines in order in one transaction, each behind its own savepoint.

        All locks come first: taken line by line, they would be out of id order. Raises Collision after repeated races,
        LockNotAvailableError when somebody holds a card for long; then nothing is recorded.
        """
        for _ in range(COLLISIONS_MAX):
            with suppress(Collision, asyncpg.DeadlockDetectedError):
                connection = await self._connected()
                with telling_lost(connection):
                    async with connection.transaction():
                        await lock(connection, lines)
                        return [await self._behind_savepoint(connection, line) for line in lines]
        raise Collision("the lines met other writers again and again")

    async def _behind_savepoint(self, connection: asyncpg.Connection, line: Line) -> Outcome | OneCardError:
        try:
            with telling_lost(connection):
                async with connection.transaction():
                    return (await record_within(connection, [line], self.memory))[0]
        except (*LOST, Collision, asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError):
            raise
        except Exception:
            log.exception("line %s of terminal %d was not recorded: a fault of ours", line.id, line.terminal_id)
            return errors.our_fault()

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self.memory.forget()
            self._connection = await self.connect()
        return self._connection

    async def _lost(self, group: list[Waiting], error: BaseException) -> None:
        """The database went away: whether the group was committed is unknown, and repeating it is safe."""
        self.counts.lost_connections += 1
        log.warning("the database went away under a group of %d: %s", len(group), type(error).__name__)
        for _, future in group:
            _tell(future, errors.database_away())
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
        await asyncio.sleep(0.1)


def _tell(future: "asyncio.Future[Outcome]", outcome: Outcome | Exception) -> None:
    """Answer a caller who may have gone."""
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
