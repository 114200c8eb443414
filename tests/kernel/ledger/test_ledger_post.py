"""`ledger_post` against the small model: every kind in every order, alone and in batches, once and twice."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.kernel.ledger.books import Books, a_transfer
from tests.kernel.ledger.model import Model, ModelAccount

from onecard.foundation import clock
from onecard.foundation.ids import uuid7
from onecard.kernel.ledger.rules import AMOUNT_FEN_MAX, WORDS, Kind, Outcome, Transfer, resolution

PAST = clock.now() - dt.timedelta(days=1)
FUTURE = clock.now() + dt.timedelta(days=400)
UNKNOWN = 10**12


@pytest.fixture(scope="module")
def books(fresh_database: dict[str, str]) -> Iterator[Books]:
    """The owner's; what the gateway may is another test's."""
    opened = Books(fresh_database["owner"])
    yield opened
    opened.close()


def shelf(books: Books) -> Model:
    """Two purses (one with a ceiling), two accounts without limits, two of another ledger, two closed."""
    makers = (
        ModelAccount("purse", True),
        ModelAccount("purse", True, 1_000),
        ModelAccount("purse", False),
        ModelAccount("purse", False),
        ModelAccount("treasury", False),
        ModelAccount("purse", False, closed=True),
        ModelAccount("purse", True, closed=True),
        ModelAccount("treasury", True),
    )
    accounts = {books.open(limited=a.limited, ceiling_fen=a.ceiling_fen, ledger=a.ledger): a for a in makers}
    closed = [number for number, account in accounts.items() if account.closed]
    books.run("UPDATE ledger_account SET closed_at = now() WHERE id = ANY ($1)", closed)
    return Model(accounts)


# A step is drawn in small numbers and turned into a transfer over the accounts and transfers there are by then.
AMOUNTS = st.sampled_from([None, -1, 0, 1, 2, 300, 600, 1_000, AMOUNT_FEN_MAX, AMOUNT_FEN_MAX + 1])
STEPS = st.tuples(
    st.sampled_from([*Kind, Kind.POSTED, Kind.POSTED, Kind.PENDING]),
    st.integers(0, 8),
    st.integers(0, 8),
    AMOUNTS | st.integers(1, 900),
    st.integers(0, 9),
    st.sampled_from([None, None, None, "again", "changed", "expiry"]),
)
BATCHES = st.lists(st.lists(STEPS, min_size=1, max_size=6), min_size=1, max_size=8)


def build(model: Model, known: list[Transfer], step: tuple[Kind, int, int, int | None, int, str | None]) -> Transfer:
    kind, debit, credit, amount_fen, which, twist = step
    numbers = [*model.accounts, UNKNOWN]
    if twist in ("again", "changed") and known:
        old = known[which % len(known)]
        return old if twist == "again" else replace(old, code="changed")
    expiry = FUTURE if twist == "expiry" else None
    if kind in (Kind.POSTED, Kind.PENDING):
        pending_id = None if which else (known[0].id if known else None)
        return Transfer(uuid7(), numbers[debit], numbers[credit], amount_fen, "test", kind, pending_id, expiry)
    holds = [t for t in known if t.kind is Kind.PENDING] or known
    pending_id = holds[which % len(holds)].id if holds and which < 9 else uuid7()
    return replace(resolution(uuid7(), kind, pending_id, "test", amount_fen), expires_at=expiry)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=BATCHES)
def test_every_sequence_comes_to_what_the_model_says(
    books: Books, batches: list[list[tuple[Kind, int, int, int | None, int, str | None]]]
) -> None:
    model = shelf(books)
    known: list[Transfer] = []
    numbers = list(model.accounts)
    opening = [a_transfer(numbers[2], numbers[0], 1_500), a_transfer(numbers[3], numbers[1], 700)]
    assert books.post(opening) == model.post(opening) == {}
    for batch in batches:
        transfers: list[Transfer] = []
        for step in batch:
            transfers.append(build(model, known, step))
            known.append(transfers[-1])
        assert books.post(transfers) == model.post(transfers)
        agree(books, model)
    # Everything once more: nothing moves, and each that stands says so.
    before = {t.id for t in model.transfers.values()}
    for t in model.transfers.values():
        assert books.post([t]) == {0: Outcome.EXISTS}
    agree(books, model)
    stored = books.run("SELECT id FROM ledger_transfer WHERE debit_account = ANY ($1)", numbers)
    assert {transfer_id for (transfer_id,) in stored} == before


def agree(books: Books, model: Model) -> None:
    for number, account in model.accounts.items():
        expected = (account.debits, account.credits, account.debits_held, account.credits_held)
        assert books.balance(number) == expected, number
        if account.limited:
            assert account.free >= 0
            assert account.room is None or account.room >= 0
    open_holds = {t.id for t in model.transfers.values() if t.kind is Kind.PENDING} - model.resolved
    stored = books.run(
        "SELECT h.id FROM ledger_hold h JOIN ledger_transfer t USING (id) WHERE t.debit_account = ANY ($1)",
        list(model.accounts),
    )
    assert {hold for (hold,) in stored} == open_holds


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moves=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 400)), min_size=3, max_size=12),
    again=st.booleans(),
)
def test_a_batch_comes_to_the_same_as_its_transfers_one_by_one(
    books: Books, moves: list[tuple[int, int, int]], again: bool
) -> None:
    """The set-based path, the single one and the exact one are one ledger; and what moves is neither made nor lost."""
    results = []
    for together in (True, False):
        purses = [books.open(fen=500), books.open(fen=500, ceiling_fen=900), books.open(), books.open(limited=False)]
        transfers = [a_transfer(purses[d], purses[c], fen) for d, c, fen in moves]
        if again:
            transfers += transfers[:2]
        if together:
            outcomes = books.post(transfers)
        else:
            outcomes = {n: found[0] for n, t in enumerate(transfers) if (found := books.post([t]))}
        results.append((outcomes, [books.balance(purse) for purse in purses]))
        assert sum(c - d for d, c, _, _ in results[-1][1]) == 1_000
    assert results[0] == results[1]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_the_same_transfer_inside_one_call_is_made_once(books: Books, size: int) -> None:
    purse, operator = books.open(fen=1_000), books.open(limited=False)
    ride = a_transfer(purse, operator, 100)
    expected = dict.fromkeys(range(1, size), Outcome.EXISTS)
    assert books.post([ride] * size) == expected
    assert books.free(purse) == 900
    other = replace(ride, amount_fen=50)
    assert books.post([other] * size) == dict.fromkeys(range(size), Outcome.ID_REUSED)
    fresh = a_transfer(purse, operator, 100)
    reused = dict.fromkeys(range(1, size), Outcome.ID_REUSED)
    assert books.post([fresh, *[replace(fresh, code="other")] * (size - 1)]) == reused
    assert books.free(purse) == 800


@pytest.mark.parametrize("size", [1, 4])
def test_twice_in_one_transaction_is_said(books: Books, size: int) -> None:
    purse, operator = books.open(fen=1_000), books.open(limited=False)
    rides = [a_transfer(purse, operator, 100) for _ in range(size)]
    with books.connection.transaction():
        assert books.post(rides) == {}
        assert books.post(rides) == dict.fromkeys(range(size), Outcome.EXISTS)
    assert books.free(purse) == 1_000 - 100 * size


def test_a_repeated_batch_that_could_not_be_paid_again_is_only_repeated(books: Books) -> None:
    """The purse was emptied by the first posting: the second must not be refused for want of money."""
    purse, operator = books.open(fen=400), books.open(limited=False)
    rides = [a_transfer(purse, operator, 100) for _ in range(4)]
    assert books.post(rides) == {}
    assert books.post(rides) == dict.fromkeys(range(4), Outcome.EXISTS)
    late = [*rides, a_transfer(purse, operator, 1)]
    assert books.post(late) == {**dict.fromkeys(range(4), Outcome.EXISTS), 4: Outcome.EXCEEDS_BALANCE}


def test_a_repeated_top_up_pays_nothing_in_the_batch_that_repeats_it(books: Books) -> None:
    """It stood before, and was spent: a debit beside its repetition finds an empty purse."""
    purse, source, operator = books.open(), books.open(limited=False), books.open(limited=False)
    topup = a_transfer(source, purse, 300)
    assert books.post([topup, a_transfer(purse, operator, 300)]) == {}
    batch = [topup, a_transfer(purse, operator, 300), a_transfer(source, operator, 5)]
    assert books.post(batch) == {0: Outcome.EXISTS, 1: Outcome.EXCEEDS_BALANCE}


def test_a_batch_goes_in_its_order(books: Books) -> None:
    """First the top-up, then the rides it pays for; the other way round the rides are refused."""
    purse, source, operator = books.open(), books.open(limited=False), books.open(limited=False)
    topup, ride = a_transfer(source, purse, 200), a_transfer(purse, operator, 200)
    assert books.post([ride, topup, a_transfer(source, operator, 5)]) == {0: Outcome.EXCEEDS_BALANCE}
    assert books.post([a_transfer(purse, operator, 150), a_transfer(source, purse, 150), ride]) == {}
    assert books.free(purse) == 0


def test_one_fen_short(books: Books) -> None:
    purse, operator = books.open(fen=199), books.open(limited=False)
    assert books.post([a_transfer(purse, operator, 200)]) == {0: Outcome.EXCEEDS_BALANCE}
    assert books.post([a_transfer(purse, operator, 199)]) == {}


@pytest.mark.parametrize("turned", [False, True])
def test_one_transfer_that_is_not_made_moves_neither_side(books: Books, turned: bool) -> None:
    """Whichever account comes first in id order, what had moved already is moved back."""
    purses = [books.open(fen=500, ceiling_fen=600), books.open(fen=500, ceiling_fen=600)]
    debit, credit = reversed(purses) if turned else purses
    made, foreign = a_transfer(debit, credit, 60), books.open(ledger="medical", fen=500)
    assert books.post([made]) == {}
    after = [books.balance(account) for account in (debit, credit, foreign)]
    refused = {
        made: Outcome.EXISTS,
        replace(made, amount_fen=1): Outcome.ID_REUSED,
        a_transfer(debit, credit, 441): Outcome.EXCEEDS_BALANCE,
        a_transfer(debit, credit, 41): Outcome.EXCEEDS_CEILING,
        a_transfer(debit, foreign, 1): Outcome.LEDGER_MISMATCH,
        a_transfer(foreign, debit, 1): Outcome.LEDGER_MISMATCH,
        a_transfer(debit, UNKNOWN, 1): Outcome.ACCOUNT_UNKNOWN,
        a_transfer(credit, credit, 1): Outcome.SAME_ACCOUNT,
    }
    for transfer, outcome in refused.items():
        assert books.post([transfer]) == {0: outcome}
        assert [books.balance(account) for account in (debit, credit, foreign)] == after, outcome


@pytest.mark.parametrize("size", [1, 2])
def test_a_closed_purse_moves_nothing_until_it_is_opened_again(books: Books, size: int) -> None:
    purse, operator = books.open(fen=500), books.open(limited=False)
    for closing, outcome in (("now()", Outcome.ACCOUNT_CLOSED), ("NULL", None)):
        books.run(f"UPDATE ledger_account SET closed_at = {closing} WHERE id = $1", purse)
        for debit, credit in ((purse, operator), (operator, purse)):
            told = books.post([a_transfer(debit, credit, 100) for _ in range(size)])
            assert told == ({} if outcome is None else dict.fromkeys(range(size), outcome))
        assert books.free(purse) == 500


def test_the_ceiling_counts_what_is_on_its_way_in(books: Books) -> None:
    purse, source = books.open(ceiling_fen=1_000), books.open(limited=False)
    hold = a_transfer(source, purse, 600, kind=Kind.PENDING)
    assert books.post([hold]) == {}
    assert books.post([a_transfer(source, purse, 401)]) == {0: Outcome.EXCEEDS_CEILING}
    assert books.post([resolution(uuid7(), Kind.POST, hold.id, "test", 500), a_transfer(source, purse, 500)]) == {}
    assert books.balance(purse) == (0, 1_000, 0, 0)


def run_out(books: Books, hold: Transfer) -> None:
    """Let a hold's time pass: its row is older than its expiry then."""
    books.run("ALTER TABLE ledger_transfer DISABLE TRIGGER refuse_change")
    books.run("UPDATE ledger_transfer SET expires_at = $2 WHERE id = $1", hold.id, PAST)
    books.run("ALTER TABLE ledger_transfer ENABLE TRIGGER refuse_change")
    books.run("UPDATE ledger_hold SET expires_at = $2 WHERE id = $1", hold.id, PAST)


def test_a_hold_that_ran_out_cannot_be_posted_and_ends_once(books: Books) -> None:
    purse, operator = books.open(fen=500), books.open(limited=False)
    holds = [a_transfer(purse, operator, 200, kind=Kind.PENDING, expires_at=FUTURE) for _ in range(2)]
    assert books.post(holds) == {}
    early = resolution(uuid7(), Kind.EXPIRE, holds[0].id, "test")
    assert books.post([early]) == {0: Outcome.PENDING_NOT_EXPIRED}
    run_out(books, holds[0])
    assert books.post([resolution(uuid7(), Kind.POST, holds[0].id, "test")]) == {0: Outcome.PENDING_EXPIRED}
    assert books.free(purse) == 100
    assert books.post([early, resolution(uuid7(), Kind.EXPIRE, holds[0].id, "test")]) == {1: Outcome.PENDING_RESOLVED}
    assert books.post([resolution(uuid7(), Kind.VOID, holds[1].id, "test")]) == {}
    assert books.balance(purse) == (0, 500, 0, 0)


def test_a_hold_on_accounts_without_limits_is_resolved_once(books: Books) -> None:
    one, other = books.open(limited=False), books.open(limited=False)
    hold = a_transfer(one, other, 10**9, kind=Kind.PENDING)
    post = resolution(uuid7(), Kind.POST, hold.id, "test", 1)
    assert books.post([hold, post, resolution(uuid7(), Kind.VOID, hold.id, "test")]) == {2: Outcome.PENDING_RESOLVED}
    assert books.balance(one) == (1, 0, 0, 0)


def test_an_expiry_must_lie_ahead(books: Books) -> None:
    purse, operator = books.open(fen=500), books.open(limited=False)
    hold = a_transfer(purse, operator, 1, kind=Kind.PENDING, expires_at=PAST)
    assert books.post([hold]) == {0: Outcome.EXPIRY_INVALID}


def test_nothing_in_a_row_of_nothing(books: Books) -> None:
    assert books.post([]) == {}


def test_every_outcome_has_words_in_both_languages() -> None:
    assert set(WORDS) == set(Outcome)
    assert all(words.zh and words.en for words in WORDS.values())


def test_the_function_returns_no_other_outcome(books: Books) -> None:
    source = books.run("SELECT prosrc FROM pg_proc WHERE proname = 'ledger_post'")[0][0]
    assert all(f"'{outcome}'" in source for outcome in Outcome)
