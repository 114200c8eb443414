"""Faults inside the lane, on a real database: one line's fault, races with other processes, a server that goes away.

A `Rehearsal` queues lines before the lane runs, so that which lines share a group is not left to chance.
"""

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from copy import copy
from typing import Any

import asyncpg
import psycopg
import pytest
from tests.cluster import Cluster
from tests.small_city import SmallCity, Terminal

from onecard.foundation import clock
from onecard.foundation.errors import OneCardError
from onecard.foundation.ids import uuid7
from onecard.gateway import lane as lanes
from onecard.gateway.lane import Lane
from onecard.kernel.uses import actions
from onecard.kernel.uses.actions import Memory, record_group
from onecard.kernel.uses.decide import fold
from onecard.kernel.uses.lines import Answer, Line, Rejected
from onecard.kernel.uses.refunds import Asked, refund

Outcome = Answer | Rejected | OneCardError
Connect = Callable[[], Awaitable[asyncpg.Connection]]


class Watch:
    """Looks at the gateway's backends from outside, as an administrator does."""

    def __init__(self, admin: psycopg.Connection[tuple[Any]], database: str) -> None:
        self._admin = admin
        self._database = database

    async def until_waiting(self) -> None:
        """Until a backend of the gateway waits for a lock."""
        deadline = time.monotonic() + 30
        while not self._of_waiting("pid"):
            assert time.monotonic() < deadline, "nobody waits"
            await asyncio.sleep(0.01)

    def stop_waiting(self, how: str) -> None:
        """Call ``pg_cancel_backend`` or ``pg_terminate_backend`` on the one that waits."""
        assert self._of_waiting(f"{how}(pid)") == [(True,)]

    def _of_waiting(self, what: str) -> list[tuple[Any]]:
        statement = (
            f"SELECT {what} FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
            " AND starts_with(usename, 'onecard_gateway')"
        )
        return self._admin.execute(statement.encode(), [self._database]).fetchall()


@pytest.fixture
def watch(postgres: Cluster, city: SmallCity) -> Iterator[Watch]:
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        yield Watch(admin, city.connection.info.dbname)


class Rehearsal:
    """A lane on the real database, to which groups are given as they are to be formed."""

    def __init__(self, connect: Connect) -> None:
        self.lane = Lane(connect, Memory())

    async def group(self, *lines: Line) -> list[Outcome]:
        """Queue lines at once, then let the lane record them; each line's outcome or error."""
        waiting = [asyncio.create_task(self.lane.record(line)) for line in lines]
        await asyncio.sleep(0)
        running = asyncio.create_task(self.lane.run())
        try:
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
        assert all(isinstance(each, Answer | Rejected | OneCardError) for each in outcomes), outcomes
        return outcomes  # type: ignore[return-value]


@asynccontextmanager
async def a_rehearsal(url: str, **connection: Any) -> AsyncIterator[Rehearsal]:
    opened: list[asyncpg.Connection] = []

    async def connect() -> asyncpg.Connection:
        opened.append(await asyncpg.connect(url, **connection))
        return opened[-1]

    try:
        yield Rehearsal(connect)
    finally:
        for each in opened:
            each.terminate()


def codes_of(outcomes: list[Outcome]) -> list[str]:
    return [each.verdict.value if isinstance(each, Answer) else each.code for each in outcomes]


def recorded(city: SmallCity, *lines: Line) -> list[int]:
    """How often each line is recorded."""
    count = (
        "SELECT count(*) FROM uses_journal_key k JOIN uses_use u ON u.id = k.use_id"
        " WHERE k.journal = $1 AND k.sequence = $2"
    )
    return [city.one(count, line.journal, line.sequence) for line in lines]


@pytest.fixture(scope="module")
def broken_item(city: SmallCity) -> str:
    """An item whose stored declaration is none."""
    city.run(
        "INSERT INTO catalogue_item (code, field, level, area) VALUES ('transit.broken', 'transit', 'city', '320600')"
    )
    city.run(
        "INSERT INTO catalogue_item_version (item_id, version, starts_on, stage, declaration, digest)"
        " VALUES ('transit.broken', 1, '2020-01-01', 'published', '{\"code\": [7]}', '')"
    )
    return "transit.broken"


def a_bus_of_a_new_operator(city: SmallCity, code: str) -> tuple[Terminal, int]:
    """A bus whose operator has no account yet; and the operator."""
    operator = city.one(
        "INSERT INTO partners_party (code, kind, name_zh, name_en, division)"
        " VALUES ($1, 'operator', $1, $1, '320600') RETURNING id",
        code,
    )  # fmt: skip
    return city.a_terminal(point=city.a_point("transit.bus_ride", operator)), operator


# One line's fault -----------------------------------------------------------------------------------------------------


def test_a_line_we_cannot_decide_leaves_its_group_untouched(city: SmallCity, gate: str, broken_item: str) -> None:
    one, other, broken = city.a_terminal(), city.a_terminal(), city.a_terminal()
    cards = [city.a_card() for _ in range(3)]
    lines = [
        city.a_line(one, cards[0]),
        city.a_line(broken, cards[1], item=broken_item),
        city.a_line(other, cards[2]),
    ]

    async def go() -> None:
        async with a_rehearsal(gate) as rehearsal:
            assert codes_of(await rehearsal.group(*lines)) == ["ADMITTED", "OUR_FAULT", "ADMITTED"]
            assert rehearsal.lane.counts.faults == 1
            assert codes_of(await rehearsal.group(*lines)) == ["ADMITTED", "OUR_FAULT", "ADMITTED"]

    asyncio.run(go())
    assert recorded(city, *lines) == [1, 0, 1]
    assert [city.purse_of(card) for card in cards] == [9_810, 10_000, 9_810]


def test_a_statement_with_the_wrong_arguments_is_our_fault_and_no_outage(
    city: SmallCity, gate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver tells both by one error; an outage would turn away everybody of the group, again and again."""
    one, broken = city.a_terminal(), city.a_terminal()
    lines = [city.a_line(one, city.a_card()), city.a_line(broken, city.a_card())]
    save = actions.save

    async def wrong(connection: asyncpg.Connection, folded: Any, *more: Any) -> None:
        if any(use.line.terminal_id == broken.id for use in folded.uses):
            await connection.fetch("SELECT 1", "an argument too many")
        await save(connection, folded, *more)

    async def go() -> None:
        async with a_rehearsal(gate) as rehearsal:
            with monkeypatch.context() as patch:
                patch.setattr(actions, "save", wrong)
                assert codes_of(await rehearsal.group(*lines)) == ["ADMITTED", "OUR_FAULT"]
            assert (rehearsal.lane.counts.faults, rehearsal.lane.counts.lost_connections) == (1, 0)
            assert codes_of(await rehearsal.group(*lines)) == ["ADMITTED", "ADMITTED"]

    asyncio.run(go())
    assert recorded(city, *lines) == [1, 1]


def test_a_terminal_whose_line_failed_runs_alone_for_a_while(
    city: SmallCity, gate: str, broken_item: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "ALONE_FOR_LINES", 2)
    bus, broken, card = city.a_terminal(), city.a_terminal(), city.a_card()
    formed: list[list[int]] = []
    next_group = Lane._next_group

    def note(lane: Lane) -> list[Any]:
        group = next_group(lane)
        formed.append([line.terminal_id for line, _ in group])
        return group

    monkeypatch.setattr(Lane, "_next_group", note)

    async def go() -> None:
        async with a_rehearsal(gate) as rehearsal:
            await rehearsal.group(city.a_line(broken, card, item=broken_item))
            terminals = [bus, bus, broken, bus, broken, bus, broken, bus]
            assert codes_of(await rehearsal.group(*[city.a_line(each, card) for each in terminals])) == ["ADMITTED"] * 8

    asyncio.run(go())
    a, b = bus.id, broken.id
    assert formed == [[b], [a, a], [b], [a], [b], [a, b, a]]


def test_an_account_that_was_never_opened_is_our_fault_until_it_is(city: SmallCity, gate: str) -> None:
    bus, (new_bus, operator) = city.a_terminal(), a_bus_of_a_new_operator(city, "late")
    lines = [city.a_line(bus, city.a_card()), city.a_line(new_bus, city.a_card())]

    async def go() -> None:
        async with a_rehearsal(gate) as rehearsal:
            assert codes_of(await rehearsal.group(*lines)) == ["ADMITTED", "OUR_FAULT"]
            city.run("SELECT ledger_open(ARRAY[$1], 'operator.receivable', 'purse', false, NULL)", f"party:{operator}")
            assert codes_of(await rehearsal.group(*lines)) == ["ADMITTED", "ADMITTED"]
            assert rehearsal.lane.counts.faults == 1

    asyncio.run(go())
    assert recorded(city, *lines) == [1, 1]
    assert city.balance(operator, "operator.receivable") == 190


def test_a_ledger_that_disagrees_with_the_fold_moves_nothing(city: SmallCity, gate: str) -> None:
    bus, closed, open_ = city.a_terminal(), city.a_card(), city.a_card()
    city.run("UPDATE ledger_account SET closed_at = now() WHERE id = $1", closed.purse)
    lines = [city.a_line(bus, open_), city.a_line(bus, closed), city.a_line(bus, open_)]

    async def go() -> None:
        async with a_rehearsal(gate) as rehearsal:
            assert codes_of(await rehearsal.group(*lines)) == ["ADMITTED", "OUR_FAULT", "ADMITTED"]

    asyncio.run(go())
    assert recorded(city, *lines) == [1, 0, 1]
    assert (city.purse_of(closed), city.purse_of(open_)) == (10_000, 10_000 - 2 * 190)


def test_a_fold_that_sees_money_that_is_not_there_is_stopped_by_the_ledger(
    city: SmallCity, gate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if a purse were lowered behind the fold: the ledger decides on what is there."""
    bus, poor, rich = city.a_terminal(), city.a_card(purse_fen=100), city.a_card()

    def generous(lines: Any, loaded: Any, items: Any) -> Any:
        if poor.purse in loaded.purses:
            loaded.purses[poor.purse][0] += 10_000
        return fold(lines, loaded, items)

    monkeypatch.setattr(actions, "fold", generous)
    lines = [city.a_line(bus, poor), city.a_line(bus, rich)]

    async def go() -> None:
        async with a_rehearsal(gate) as rehearsal:
            assert codes_of(await rehearsal.group(*lines)) == ["OUR_FAULT", "ADMITTED"]

    asyncio.run(go())
    assert recorded(city, *lines) == [0, 1]
    assert (city.purse_of(poor), city.purse_of(rich)) == (100, 9_810)


def test_nobody_lowers_a_purse_that_a_group_decides_on(
    city: SmallCity, gate: str, monkeypatch: pytest.MonkeyPatch, fresh_database: dict[str, str]
) -> None:
    """Another writer waits for the group's lock; then it finds what the group left."""
    bus, card = city.a_terminal(), city.a_card(purse_fen=200)

    def meddled(lines: Any, loaded: Any, items: Any) -> Any:
        with psycopg.connect(fresh_database["owner"]) as other, pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute("SELECT FROM ledger_balance WHERE account_id = %s FOR UPDATE NOWAIT", [card.purse])
        return fold(lines, loaded, items)

    monkeypatch.setattr(actions, "fold", meddled)

    async def go() -> None:
        async with a_rehearsal(gate) as rehearsal:
            assert codes_of(await rehearsal.group(city.a_line(bus, card))) == ["ADMITTED"]

    asyncio.run(go())
    assert city.purse_of(card) == 10


def test_a_fault_that_strikes_every_line_is_told_to_all_and_records_nothing(
    city: SmallCity, gate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus, card = city.a_terminal(), city.a_card()
    lines = [city.a_line(bus, card) for _ in range(3)]

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    async def go() -> None:
        async with a_rehearsal(gate) as rehearsal:
            with monkeypatch.context() as patch:
                patch.setattr(actions, "fold", broken)
                assert codes_of(await rehearsal.group(*lines)) == ["OUR_FAULT"] * 3
            assert rehearsal.lane.counts.faults == 3
            assert recorded(city, *lines) == [0, 0, 0]
            assert codes_of(await rehearsal.group(*lines)) == ["ADMITTED"] * 3

    asyncio.run(go())


# The queue ------------------------------------------------------------------------------------------------------------


def test_past_the_queues_bound_a_line_is_turned_away_and_the_others_stand(city: SmallCity, gate: str) -> None:
    bus, card = city.a_terminal(), city.a_card()
    lines = [city.a_line(bus, card) for _ in range(3)]

    async def go() -> None:
        async with a_rehearsal(gate) as rehearsal:
            rehearsal.lane.queue_max = 2
            outcomes = await rehearsal.group(*lines)
            assert codes_of(outcomes) == ["ADMITTED", "ADMITTED", "QUEUE_FULL"]
            assert isinstance(outcomes[2], OneCardError)
            assert outcomes[2].status == 503
            assert recorded(city, *lines) == [1, 1, 0]
            assert codes_of(await rehearsal.group(lines[2])) == ["ADMITTED"]

    asyncio.run(go())


def test_lines_of_two_days_never_share_a_group(city: SmallCity, gate: str) -> None:
    bus, card = city.a_terminal(), city.a_card(classes=[("senior_60", "2028-03-01", None)])
    midnight = dt.datetime(2028, 3, 1, tzinfo=clock.CHINA)
    second = dt.timedelta(seconds=1)
    moments = [midnight - 2 * second, midnight - second, midnight, midnight + second, midnight + 2 * second]

    async def go() -> None:
        async with a_rehearsal(gate) as rehearsal:
            outcomes = await rehearsal.group(*[city.a_line(bus, card, at=moment) for moment in moments])
            paid = [each.paid_fen for each in outcomes if isinstance(each, Answer)]
            assert paid == [190, 190, 100, 100, 190]
            assert rehearsal.lane.counts.groups == 2

    asyncio.run(go())


def test_a_caller_who_left_is_recorded_once_and_told_when_asking_again(city: SmallCity, gate: str) -> None:
    bus, card = city.a_terminal(), city.a_card()
    line, beside = city.a_line(bus, card), city.a_line(bus, card)

    async def go() -> None:
        async with a_rehearsal(gate) as rehearsal:
            left = asyncio.create_task(rehearsal.lane.record(line))
            await asyncio.sleep(0)
            left.cancel()
            assert codes_of(await rehearsal.group(beside)) == ["ADMITTED"]
            [again] = await rehearsal.group(line)
            assert isinstance(again, Answer)
            assert again.repeated

    asyncio.run(go())
    assert recorded(city, line, beside) == [1, 1]
    assert city.purse_of(card) == 10_000 - 2 * 190


# Races with other processes -------------------------------------------------------------------------------------------


def collisions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Notes each time that a group was decided in vain."""
    seen: list[str] = []
    within = actions.record_within

    async def note(*args: Any) -> Any:
        try:
            return await within(*args)
        except (actions.Collision, asyncpg.DeadlockDetectedError) as error:
            seen.append(type(error).__name__)
            raise

    monkeypatch.setattr(actions, "record_within", note)
    monkeypatch.setattr(lanes, "record_within", note)
    return seen


def as_received_there(line: Line) -> Line:
    """The same line as another process makes it of the same request: under an id of its own."""
    twin = copy(line)
    twin.id = uuid7()
    return twin


@asynccontextmanager
async def another_process(url: str, *lines: Line) -> AsyncIterator[asyncpg.Connection]:
    """Another process that has written lines and not committed yet."""
    connection = await asyncpg.connect(url)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await actions.record_within(connection, [as_received_there(line) for line in lines], Memory())
        yield transaction
    finally:
        await connection.close()


def a_stranger(city: SmallCity) -> str:
    """A genuine code of a card that is not registered: no row to lock, so only the key and the nonce meet."""
    card = city.a_card()
    city.run("UPDATE cards_standing SET ecard_serial = NULL WHERE card_id = $1", card.id)
    return city.a_code(card)


def test_a_group_that_meets_a_key_of_another_process_is_decided_again(
    city: SmallCity, gate: str, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus, card = city.a_terminal(), city.a_card()
    line, beside = city.a_line(bus, code=a_stranger(city)), city.a_line(bus, card)
    seen = collisions(monkeypatch)

    async def go() -> None:
        async with a_rehearsal(gate) as rehearsal, another_process(gate, line) as other:
            group = asyncio.create_task(rehearsal.group(beside, line))
            await watch.until_waiting()
            await other.commit()
            outcomes = await group
            assert codes_of(outcomes) == ["ADMITTED", "CARD_UNKNOWN"]
            assert [each.repeated for each in outcomes if isinstance(each, Answer)] == [False, True]

    asyncio.run(go())
    assert seen == ["Collision"]
    assert recorded(city, line, beside) == [1, 1]
    assert city.purse_of(card) == 9_810


def test_a_group_that_meets_a_nonce_of_another_process_is_decided_again(
    city: SmallCity, gate: str, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = a_stranger(city)
    here, there = city.a_line(city.a_terminal(), code=code), city.a_line(city.a_terminal(), code=code)
    seen = collisions(monkeypatch)

    async def go() -> None:
        async with a_rehearsal(gate) as rehearsal, another_process(gate, there) as other:
            group = asyncio.create_task(rehearsal.group(here))
            await watch.until_waiting()
            await other.commit()
            assert codes_of(await group) == ["REPLAYED"]

    asyncio.run(go())
    assert seen == ["Collision"]


def test_another_process_that_takes_its_lines_back_leaves_no_trace(city: SmallCity, gate: str, watch: Watch) -> None:
    line = city.a_line(city.a_terminal(), code=a_stranger(city))

    async def go() -> None:
        async with a_rehearsal(gate) as rehearsal, another_process(gate, line) as other:
            group = asyncio.create_task(rehearsal.group(line))
            await watch.until_waiting()
            await other.rollback()
            [outcome] = await group
            assert isinstance(outcome, Answer)
            assert (outcome.verdict, outcome.repeated) == ("CARD_UNKNOWN", False)

    asyncio.run(go())


def test_lines_told_apart_after_a_fault_meet_another_process_as_well(
    city: SmallCity, gate: str, broken_item: str, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A race is no fault of the line that lost it, also when another line of its group has one."""
    bus, broken = city.a_terminal(), city.a_terminal()
    line, faulty = city.a_line(bus, code=a_stranger(city)), city.a_line(broken, city.a_card(), item=broken_item)
    seen = collisions(monkeypatch)

    async def go() -> None:
        async with a_rehearsal(gate) as rehearsal, another_process(gate, line) as other:
            group = asyncio.create_task(rehearsal.group(faulty, line))
            await watch.until_waiting()
            await other.commit()
            assert codes_of(await group) == ["OUR_FAULT", "CARD_UNKNOWN"]
            assert rehearsal.lane.counts.faults == 1

    asyncio.run(go())
    assert seen == ["Collision"]


@pytest.mark.parametrize("attempts", [1, 2])
def test_the_last_of_a_quota_is_given_once_to_two_cards_of_one_holder(
    city: SmallCity, gate: str, watch: Watch, monkeypatch: pytest.MonkeyPatch, attempts: int
) -> None:
    """The lock is on the card and the quota is the holder's; without a purse nothing else stands between them."""
    one, other_card = city.a_card(purse_fen=None), city.a_card(purse_fen=None)
    city.run("UPDATE cards_standing SET holder_id = $1 WHERE card_id = $2", one.holder_id, other_card.id)
    item, door = "culture.library_entry", city.a_terminal("culture.library_entry")
    seen = collisions(monkeypatch)
    here = [city.a_line(door, one, item=item) for _ in range(attempts)]
    there = [city.a_line(door, other_card, item=item) for _ in range(2)]

    async def go() -> None:
        async with a_rehearsal(gate) as rehearsal, another_process(gate, *there) as other:
            group = asyncio.create_task(rehearsal.group(*here))
            await watch.until_waiting()
            await other.commit()
            assert codes_of(await group) == ["ADMITTED", "QUOTA_EXHAUSTED"][:attempts]

    asyncio.run(go())
    assert seen == ["Collision"]
    assert city.one("SELECT used FROM entitlements_quota WHERE holder_id = $1", one.holder_id) == 3


def test_a_deadlock_with_a_stranger_to_our_order_of_locks_is_tried_again(
    city: SmallCity, gate: str, watch: Watch, postgres: Cluster
) -> None:
    bus, cards = city.a_terminal(), [city.a_card(), city.a_card()]
    lines = [city.a_line(bus, card) for card in cards]
    lock = "SELECT FROM cards_standing WHERE card_id = $1 FOR UPDATE"

    async def go() -> None:
        other = await asyncpg.connect(postgres.admin_url, database=city.connection.info.dbname)
        async with a_rehearsal(gate) as rehearsal:
            transaction = other.transaction()
            await transaction.start()
            await other.execute("SET LOCAL deadlock_timeout = '60s'")
            await other.execute(lock, cards[1].id)
            group = asyncio.create_task(rehearsal.group(*lines))
            await watch.until_waiting()
            await other.execute(lock, cards[0].id)
            await transaction.commit()
            assert codes_of(await group) == ["ADMITTED", "ADMITTED"]
        await other.close()

    asyncio.run(go())
    assert recorded(city, *lines) == [1, 1]


# A server that goes away ----------------------------------------------------------------------------------------------


@asynccontextmanager
async def held(url: str, card_id: int) -> AsyncIterator[None]:
    """Somebody holds a card's row for as long as this lasts."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT FROM cards_standing WHERE card_id = $1 FOR UPDATE", card_id)
            yield
    finally:
        await connection.close()


@pytest.mark.parametrize("stop", ["pg_cancel_backend", "pg_terminate_backend"])
def test_a_group_that_is_cut_off_records_nothing_and_is_repeated_as_it_was(
    city: SmallCity, gate: str, watch: Watch, fresh_database: dict[str, str], stop: str
) -> None:
    bus, cards = city.a_terminal(), [city.a_card(), city.a_card()]
    lines = [city.a_line(bus, card) for card in cards]

    async def go() -> None:
        async with a_rehearsal(gate) as rehearsal:
            async with held(fresh_database["owner"], cards[1].id):
                group = asyncio.create_task(rehearsal.group(*lines))
                await watch.until_waiting()
                watch.stop_waiting(stop)
                assert codes_of(await group) == ["DATABASE_AWAY"] * 2
                assert recorded(city, *lines) == [0, 0]
            assert codes_of(await rehearsal.group(*lines)) == ["ADMITTED"] * 2
            assert (rehearsal.lane.counts.faults, rehearsal.lane.counts.lost_connections) == (0, 1)

    asyncio.run(go())
    assert recorded(city, *lines) == [1, 1]


def test_a_statement_that_waits_too_long_is_given_up(
    city: SmallCity, gate: str, fresh_database: dict[str, str]
) -> None:
    bus, card = city.a_terminal(), city.a_card()
    line = city.a_line(bus, card)

    async def go() -> None:
        async with a_rehearsal(gate, command_timeout=0.5) as rehearsal:
            async with held(fresh_database["owner"], card.id):
                assert codes_of(await rehearsal.group(line)) == ["DATABASE_AWAY"]
            assert codes_of(await rehearsal.group(line)) == ["ADMITTED"]

    asyncio.run(go())
    assert recorded(city, line) == [1]


def test_a_transaction_that_idles_too_long_is_cut_off_and_repeated(
    city: SmallCity, gate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that stalls in the middle of a group must not hold its locks for ever."""
    bus, card = city.a_terminal(), city.a_card()
    lines = [city.a_line(bus, card) for _ in range(2)]

    def stalled(*args: Any) -> Any:
        time.sleep(0.6)
        return fold(*args)

    async def go() -> None:
        async with a_rehearsal(gate, server_settings={"idle_in_transaction_session_timeout": "100ms"}) as rehearsal:
            with monkeypatch.context() as patch:
                patch.setattr(actions, "fold", stalled)
                assert codes_of(await rehearsal.group(*lines)) == ["DATABASE_AWAY"] * 2
            assert recorded(city, *lines) == [0, 0]
            assert codes_of(await rehearsal.group(*lines)) == ["ADMITTED"] * 2
            assert rehearsal.lane.counts.faults == 0

    asyncio.run(go())
    assert city.purse_of(card) == 10_000 - 2 * 190


def test_a_group_whose_commit_was_not_heard_of_is_answered_from_what_stands(
    city: SmallCity, gate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server commits and the line is cut before it says so: 503 now, the first answer when asked again."""
    bus, card = city.a_terminal(), city.a_card()
    lines = [city.a_line(bus, card) for _ in range(2)]

    async def unheard(*args: Any) -> Any:
        await actions.record_group(*args)
        raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

    async def go() -> None:
        async with a_rehearsal(gate) as rehearsal:
            with monkeypatch.context() as patch:
                patch.setattr(lanes, "record_group", unheard)
                assert codes_of(await rehearsal.group(*lines)) == ["DATABASE_AWAY"] * 2
            again = await rehearsal.group(*lines)
            assert codes_of(again) == ["ADMITTED"] * 2
            assert [each.use_id for each in again if isinstance(each, Answer)] == [line.id for line in lines]

    asyncio.run(go())
    assert recorded(city, *lines) == [1, 1]
    assert city.purse_of(card) == 10_000 - 2 * 190


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError,
        asyncpg.TooManyConnectionsError,
        asyncpg.CannotConnectNowError,
        asyncpg.DiskFullError,
        asyncpg.ReadOnlySQLTransactionError,
    ],
)
def test_a_server_that_takes_nothing_is_no_fault_of_a_line(city: SmallCity, gate: str, error: type[Exception]) -> None:
    bus, card = city.a_terminal(), city.a_card()
    lines = [city.a_line(bus, card) for _ in range(2)]

    async def go() -> None:
        async with a_rehearsal(gate) as rehearsal:
            connect = rehearsal.lane.connect

            async def refused() -> asyncpg.Connection:
                raise error("not now")

            rehearsal.lane.connect = refused
            assert codes_of(await rehearsal.group(*lines)) == ["DATABASE_AWAY"] * 2
            rehearsal.lane.connect = connect
            assert codes_of(await rehearsal.group(*lines)) == ["ADMITTED"] * 2
            assert (rehearsal.lane.counts.faults, rehearsal.lane.counts.groups) == (0, 2)

    asyncio.run(go())


def test_a_card_that_somebody_holds_keeps_no_other_card_waiting(city: SmallCity, gate: str) -> None:
    """The stuck line is told to come again and its terminal runs alone; the others of its group are recorded."""
    stuck, free = city.a_card(), city.a_card()
    bus, other = city.a_terminal(), city.a_terminal()
    lines = [city.a_line(other, free), city.a_line(bus, stuck), city.a_line(other, free)]

    async def go() -> None:
        async with a_rehearsal(gate, server_settings={"lock_timeout": "200ms"}) as rehearsal:
            async with held(city.url, stuck.id):
                assert codes_of(await rehearsal.group(*lines)) == ["ADMITTED", "DATABASE_AWAY", "ADMITTED"]
                assert bus.id in rehearsal.lane._alone
                assert other.id not in rehearsal.lane._alone
            assert codes_of(await rehearsal.group(lines[1])) == ["ADMITTED"]

    asyncio.run(go())
    assert recorded(city, *lines) == [1, 1, 1]


def test_a_card_that_somebody_takes_while_a_fault_is_told_apart_keeps_no_other_waiting(
    city: SmallCity, gate: str, broken_item: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault comes first and the lock after it: still only the stuck line is told to come again."""
    stuck, free = city.a_card(), city.a_card()
    bus, other, broken = city.a_terminal(), city.a_terminal(), city.a_terminal()
    lines = [
        city.a_line(other, free),
        city.a_line(bus, stuck),
        city.a_line(broken, free, item=broken_item),
        city.a_line(other, free),
    ]

    async def failing(*_: Any) -> Any:
        monkeypatch.setattr(lanes, "record_group", actions.record_group)
        raise ZeroDivisionError

    async def go() -> None:
        async with a_rehearsal(gate, server_settings={"lock_timeout": "200ms"}) as rehearsal:
            monkeypatch.setattr(lanes, "record_group", failing)
            async with held(city.url, stuck.id):
                told = codes_of(await rehearsal.group(*lines))
                assert told == ["ADMITTED", "DATABASE_AWAY", "OUR_FAULT", "ADMITTED"]
                assert rehearsal.lane.counts.faults == 1
                assert set(rehearsal.lane._alone) == {bus.id, broken.id}
            assert codes_of(await rehearsal.group(lines[1])) == ["ADMITTED"]

    asyncio.run(go())
    assert recorded(city, *lines) == [1, 1, 0, 1]


def test_what_was_remembered_ends_with_the_connection(city: SmallCity, gate: str) -> None:
    """Behind a new connection may stand an earlier state of the database, whose revision comes a second time."""
    card = city.a_card()
    bus = city.a_terminal(point=city.a_point("transit.bus_ride", city.operator))

    async def go() -> None:
        async with a_rehearsal(gate) as rehearsal:
            assert codes_of(await rehearsal.group(city.a_line(bus, card))) == ["ADMITTED"]
            city.run("UPDATE catalogue_revision SET number = number - 1")
            assert rehearsal.lane._connection is not None
            rehearsal.lane._connection.terminate()
            city.run("UPDATE catalogue_terminal SET state = 'suspended' WHERE id = $1", bus.id)
            assert codes_of(await rehearsal.group(city.a_line(bus, card))) == ["TERMINAL_SUSPENDED"]

    asyncio.run(go())


def test_refunds_and_rides_of_two_cards_of_one_holder_end_without_a_deadlock(city: SmallCity, gate: str) -> None:
    """They meet at the holder's quota and purse; whatever the order, each ends, and the money adds up."""
    one, bus = city.a_card(purse_fen=50_000, classes=[("senior_60", "2020-01-01", None)]), city.a_terminal()
    other = city.a_card(purse_fen=None, classes=[("senior_60", "2020-01-01", None)])
    city.run(
        "UPDATE cards_standing SET holder_id = $1, purse_account_id = $2 WHERE card_id = $3",
        one.holder_id, one.purse, other.id,
    )  # fmt: skip
    asking = city.a_terminal()

    async def go() -> list[int]:
        rides, refunds = await asyncpg.connect(gate), await asyncpg.connect(gate)
        try:
            memory, paid = Memory(), []
            for _ in range(40):
                [[mine]] = [await record_group(rides, [city.a_line(bus, other)], memory)]
                assert isinstance(mine, Answer)
                asked = Asked(mine.use_id, asking.id, asking.key_id, asking.journal, asking.next())
                [[kept], _] = await asyncio.gather(
                    record_group(rides, [city.a_line(bus, one)], memory), refund(refunds, asked, Memory())
                )
                assert isinstance(kept, Answer)
                paid.append(kept.paid_fen)
            return paid
        finally:
            await rides.close()
            await refunds.close()

    paid = asyncio.run(go())
    assert city.purse_of(one) == 50_000 - sum(paid)
