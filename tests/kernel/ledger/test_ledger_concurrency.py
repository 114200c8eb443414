"""Several writers at once, each with a connection of its own. Asserted is what came of it, never how long it took."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.kernel.ledger.books import Books, a_transfer

from onecard.foundation.ids import uuid7
from onecard.kernel.ledger.rules import Kind, Outcome, Transfer, resolution

WRITERS = 6


@pytest.fixture
def books(fresh_database: dict[str, str]) -> Iterator[Books]:
    opened = Books(fresh_database["owner"])
    yield opened
    opened.close()


@pytest.fixture
def at_once(fresh_database: dict[str, str]) -> Iterator[Callable[[list[list[Transfer]]], list[dict[int, Outcome]]]]:
    """Post lists of transfers as the gateway, all at the same moment, each from its own connection."""
    connections = [Books(fresh_database["gateway"]) for _ in range(WRITERS)]

    def go(work: list[list[Transfer]]) -> list[dict[int, Outcome]]:
        barrier = threading.Barrier(len(work))

        def post(books: Books, transfers: list[Transfer]) -> dict[int, Outcome]:
            barrier.wait()
            return books.post(transfers)

        with ThreadPoolExecutor(WRITERS) as pool:
            return list(pool.map(post, connections[: len(work)], work))

    yield go
    for each in connections:
        each.close()


AtOnce = Callable[[list[list[Transfer]]], list[dict[int, Outcome]]]


@pytest.mark.parametrize("size", [1, 2, 5])
def test_the_last_fen_is_spent_once(books: Books, at_once: AtOnce, size: int) -> None:
    """Whatever form the call has: exactly one ride is paid, the others are refused."""
    operator = books.open(limited=False)
    for _ in range(10):
        purse, rich = books.open(fen=200), books.open(fen=10_000)
        work = [
            [a_transfer(purse, operator, 200), *(a_transfer(rich, operator, 1) for _ in range(size - 1))]
            for _ in range(WRITERS)
        ]
        outcomes = at_once(work)
        assert sorted(map(str, outcomes)) == sorted(map(str, [{}] + [{0: Outcome.EXCEEDS_BALANCE}] * (WRITERS - 1)))
        assert books.balance(purse) == (200, 200, 0, 0)


@pytest.mark.parametrize("size", [1, 5])
def test_one_id_at_the_same_moment_is_made_once(books: Books, at_once: AtOnce, size: int) -> None:
    for limited in (True, False):
        for _ in range(8):
            purse = books.open(limited=limited, fen=1_000 if limited else 0)
            operator = books.open(limited=False)
            rides = [a_transfer(purse, operator, 10) for _ in range(size)]
            outcomes = at_once([rides] * WRITERS)
            made = sum(size - len(each) for each in outcomes)
            assert made == size
            assert {outcome for each in outcomes for outcome in each.values()} == {Outcome.EXISTS}
            assert books.balance(operator)[1] == 10 * size


def test_one_id_with_different_content_is_one_of_them(books: Books, at_once: AtOnce) -> None:
    for _ in range(10):
        operator, transfer_id = books.open(limited=False), uuid7()
        purses = [books.open(fen=1_000) for _ in range(WRITERS)]
        outcomes = at_once([[a_transfer(purse, operator, 7, transfer_id)] for purse in purses])
        assert sorted(map(str, outcomes)) == sorted(map(str, [{}] + [{0: Outcome.ID_REUSED}] * (WRITERS - 1)))
        assert sum(books.balance(purse)[0] for purse in purses) == 7


def test_opposite_transfers_do_not_deadlock(books: Books, at_once: AtOnce) -> None:
    one, other = books.open(fen=100_000), books.open(fen=100_000)
    for size in (1, 2, 4, 20):
        for _ in range(10):
            forth = [a_transfer(one, other, 3) for _ in range(size)]
            back = [a_transfer(other, one, 3) for _ in range(size)]
            work = [forth, back, [t for pair in zip(forth, back, strict=True) for t in pair]]
            assert all(set(each.values()) <= {Outcome.EXISTS} for each in at_once(work))
    assert books.free(one) == books.free(other) == 100_000


def test_the_same_ids_in_opposite_order_do_not_deadlock(books: Books, at_once: AtOnce) -> None:
    """Accounts without limits take no locks; only the ids meet."""
    one, other = books.open(limited=False), books.open(limited=False)
    for _ in range(10):
        transfers = [a_transfer(one, other, 1) for _ in range(40)]
        outcomes = at_once([transfers, transfers[::-1], transfers])
        assert sum(40 - len(each) for each in outcomes) == 40
    assert books.balance(one)[0] == 400


@pytest.mark.parametrize("limited", [True, False])
def test_a_hold_is_resolved_once_whoever_comes_first(books: Books, at_once: AtOnce, limited: bool) -> None:
    for _ in range(10):
        purse, operator = books.open(limited=limited, fen=300 if limited else 0), books.open(limited=False)
        hold = a_transfer(purse, operator, 300, kind=Kind.PENDING)
        assert books.post([hold]) == {}
        kinds = [Kind.POST, Kind.VOID, Kind.POST, Kind.VOID]
        outcomes = at_once([[resolution(uuid7(), kind, hold.id, "test")] for kind in kinds])
        assert sorted(map(str, outcomes)) == sorted(map(str, [{}] + [{0: Outcome.PENDING_RESOLVED}] * 3))
        won = kinds[outcomes.index({})]
        assert books.balance(operator)[1] == (300 if won is Kind.POST else 0)


def test_an_unlimited_balance_is_exact_while_others_write_and_fold(
    books: Books, fresh_database: dict[str, str]
) -> None:
    """Credits seen only grow, by whole transactions, and never skip or double one, folds moving all the while."""
    operator, source = books.open(limited=False), books.open(limited=False)
    done = threading.Event()
    seen: list[int] = []

    def write() -> None:
        writer = Books(fresh_database["gateway"])
        for n in range(60):
            assert writer.post([a_transfer(source, operator, 1) for _ in range(1 + n % 5)]) == {}
        writer.close()

    def fold() -> None:
        worker = Books(fresh_database["worker"])
        while not done.is_set():
            worker.run("SELECT ledger_fold_accounts()")
        worker.close()

    def look() -> None:
        reader = Books(fresh_database["owner"])
        while not done.is_set():
            seen.append(reader.balance(operator)[1])
        reader.close()

    others = [threading.Thread(target=each) for each in (fold, fold, look)]
    writers = [threading.Thread(target=write) for _ in range(3)]
    for thread in [*others, *writers]:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in others:
        thread.join()
    expected = 3 * sum(1 + n % 5 for n in range(60))
    assert books.balance(operator)[1] == expected
    assert seen == sorted(seen)
    books.run("SELECT ledger_fold_accounts()")
    assert books.run("SELECT credits FROM ledger_fold WHERE account_id = $1", operator) == [(expected,)]
    assert books.balance(operator)[1] == expected


def test_a_fold_waits_for_open_transactions(books: Books, fresh_database: dict[str, str]) -> None:
    """What an open transaction wrote is in no fold before its commit, and in the balance after it."""
    operator, source = books.open(limited=False), books.open(limited=False)
    late = Books(fresh_database["gateway"])
    with late.connection.transaction():
        assert late.post([a_transfer(source, operator, 5)]) == {}
        assert books.post([a_transfer(source, operator, 7)]) == {}
        books.run("SELECT ledger_fold_accounts()")
        assert books.balance(operator)[1] == 7
    assert books.balance(operator)[1] == 12
    books.run("SELECT ledger_fold_accounts()")
    assert books.balance(operator)[1] == 12
    late.close()
