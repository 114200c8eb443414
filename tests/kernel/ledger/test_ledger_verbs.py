"""The staff verbs, the jobs and the reads, through Django as its owner and under each role's rights."""

import datetime as dt
from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import connection, transaction

from onecard.foundation import clock
from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, Conflict, NotFound, NotPermitted
from onecard.foundation.ids import uuid7
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import queries as audit
from onecard.kernel.ledger import actions, jobs, queries
from onecard.kernel.ledger.models import Account, Balance, Fold, Hold, Resolution
from onecard.kernel.ledger.models import Transfer as StoredTransfer
from onecard.kernel.ledger.rules import Kind, Ledger, Outcome, Transfer

pytestmark = pytest.mark.django_db

OFFICER = Actor(
    "staff:9", frozenset({"ledger.hold", "ledger.post_hold", "ledger.void_hold", "ledger.correct"}), ("3206",)
)
CHECKER = Actor("staff:10", frozenset({"ledger.correct"}), ("3206",))


def a_purse(name: str = "holder:1", *, fen: int = 0, ceiling_fen: int | None = None) -> int:
    purse = actions.open_accounts([name], "holder.purse", Ledger.PURSE, limited=True, ceiling_fen=ceiling_fen)[0]
    if fen:
        paid(an_operator("party:99"), purse, fen)
    return purse


def an_operator(name: str = "party:1") -> int:
    return actions.open_accounts([name], "operator.receivable", Ledger.PURSE, limited=False)[0]


def paid(debit: int, credit: int, amount_fen: int, code: str = "fee") -> UUID:
    transfer = Transfer(uuid7(), debit, credit, amount_fen, code)
    assert actions.post([transfer]) == {}
    return transfer.id


def facts(transfer_id: UUID) -> list[tuple[str, str, str]]:
    return [(fact.verb, fact.actor, fact.reason) for fact in audit.facts_about(f"transfer:{transfer_id}")]


def test_opening_is_idempotent_and_keeps_the_owners_order() -> None:
    owners = [f"holder:{n}" for n in (7, 3, 5)]
    first = actions.open_accounts(owners, "holder.purse", Ledger.PURSE, limited=True, ceiling_fen=500)
    again = actions.open_accounts(owners[::-1], "holder.purse", Ledger.PURSE, limited=True)
    assert again == first[::-1]
    assert Balance.objects.get(pk=first[0]).room_fen == Account.objects.get(pk=first[0]).ceiling_fen == 500
    other = actions.open_accounts(["holder:7"], "holder.purse", Ledger.TREASURY, limited=False)
    assert other != first[:1]
    assert not Balance.objects.filter(pk=other[0]).exists()


def test_a_hold_is_posted_in_part_and_leaves_two_facts() -> None:
    purse, operator, hold, post = a_purse(fen=1_000), an_operator(), uuid7(), uuid7()
    actions.hold(OFFICER, hold, purse, operator, 600, reason="deposit")
    assert queries.balance_of(purse).free_fen == 400
    assert Hold.objects.filter(pk=hold).exists()
    actions.post_hold(OFFICER, post, hold, amount_fen=250, reason="used")
    held = queries.balance_of(purse)
    assert (held.posted_fen, held.free_fen, held.debits_pending) == (750, 750, 0)
    assert Resolution.objects.get(pk=hold).transfer_id == post
    assert facts(hold) == [("ledger.hold", "staff:9", "deposit")]
    assert facts(post) == [("ledger.post_hold", "staff:9", "used")]


def test_a_verb_repeated_with_its_id_changes_nothing() -> None:
    purse, operator, hold, void = a_purse(fen=1_000), an_operator(), uuid7(), uuid7()
    for _ in range(2):
        actions.hold(OFFICER, hold, purse, operator, 600, reason="deposit")
    for _ in range(2):
        actions.void_hold(OFFICER, void, hold, reason="returned")
    assert queries.balance_of(purse).free_fen == 1_000
    assert len(facts(hold)) == len(facts(void)) == 1
    with pytest.raises(Conflict, match="ID_REUSED"):
        actions.hold(OFFICER, hold, purse, operator, 601, reason="deposit")


VERBS: list[tuple[str, Callable[[Actor, str], object]]] = [
    ("hold", lambda actor, reason: actions.hold(actor, uuid7(), 1, 2, 1, reason=reason)),
    ("post_hold", lambda actor, reason: actions.post_hold(actor, uuid7(), uuid7(), reason=reason)),
    ("void_hold", lambda actor, reason: actions.void_hold(actor, uuid7(), uuid7(), reason=reason)),
    ("correct", lambda actor, reason: actions.correct(actor, uuid7(), approved_by=CHECKER, reason=reason)),
]


@pytest.mark.parametrize(("name", "verb"), VERBS)
def test_every_verb_takes_its_permission_here_and_a_reason(name: str, verb: Callable[[Actor, str], object]) -> None:
    may = frozenset({f"ledger.{name}"})
    for actor in (Actor("staff:1"), Actor("staff:1", OFFICER.permissions - may), Actor("staff:1", may, ("3205",))):
        with pytest.raises(NotPermitted):
            verb(actor, "reason")
    with pytest.raises(BadInput, match="REASON_MISSING"):
        verb(Actor("staff:1", may, ("3206",)), " ")
    with pytest.raises(NotFound):
        verb(Actor("staff:1", may, ("3206",)), "reason")


@pytest.mark.parametrize(
    ("amount_fen", "error", "code"), [(0, BadInput, "AMOUNT_INVALID"), (1_001, Conflict, "EXCEEDS_BALANCE")]
)
def test_a_refusal_is_an_error_in_words_and_writes_nothing(amount_fen: int, error: type[Exception], code: str) -> None:
    purse, operator, hold = a_purse(fen=1_000), an_operator(), uuid7()
    with pytest.raises(error, match=code), transaction.atomic():
        actions.hold(OFFICER, hold, purse, operator, amount_fen, reason="deposit")
    assert facts(hold) == []
    assert not StoredTransfer.objects.filter(pk=hold).exists()


def test_a_correction_takes_back_once() -> None:
    purse, operator = a_purse(fen=1_000), an_operator()
    wrong = paid(purse, operator, 300)
    correction = actions.correct(OFFICER, wrong, approved_by=CHECKER, reason="charged twice")
    assert actions.correct(OFFICER, wrong, approved_by=CHECKER, reason="charged twice") == correction
    stored = StoredTransfer.objects.get(pk=correction)
    assert (stored.debit_account, stored.credit_account, stored.amount_fen) == (operator, purse, 300)
    assert (stored.code, stored.reference) == ("correction", wrong)
    assert queries.balance_of(purse).posted_fen == 1_000
    assert facts(correction) == [("ledger.correct", "staff:9", "charged twice")]
    assert audit.facts_about(f"transfer:{correction}")[0].detail["approved_by"] == "staff:10"


@pytest.mark.parametrize("checker", [OFFICER, Actor("staff:10"), Actor("staff:10", CHECKER.permissions, ("3205",))])
def test_a_correction_takes_two_people_who_may(checker: Actor) -> None:
    purse, operator = a_purse(fen=1_000), an_operator()
    wrong = paid(purse, operator, 300)
    code = "MAKER_IS_CHECKER" if checker is OFFICER else "NOT_PERMITTED|OUT_OF_SCOPE"
    with pytest.raises(NotPermitted, match=code):
        actions.correct(OFFICER, wrong, approved_by=checker, reason="charged twice")
    assert queries.balance_of(purse).posted_fen == 700


@pytest.mark.parametrize("code", ["paid", "concession", "refund"])
def test_what_a_use_moved_is_given_back_by_a_refund_alone(code: str) -> None:
    purse, operator = a_purse(fen=1_000), an_operator()
    of_a_use = paid(purse, operator, 300, code)
    with pytest.raises(Conflict, match="TRANSFER_OF_A_USE"):
        actions.correct(OFFICER, of_a_use, approved_by=CHECKER, reason="charged twice")
    assert queries.balance_of(purse).posted_fen == 700


def test_a_correction_of_what_is_spent_or_only_held_is_refused() -> None:
    purse, operator, hold = a_purse(), an_operator(), uuid7()
    topup = paid(operator, purse, 300)
    actions.hold(OFFICER, hold, purse, operator, 300, reason="deposit")
    with pytest.raises(Conflict, match="EXCEEDS_BALANCE"), transaction.atomic():
        actions.correct(OFFICER, topup, approved_by=CHECKER, reason="wrong card")
    with pytest.raises(Conflict, match="TRANSFER_NOT_POSTED"):
        actions.correct(OFFICER, hold, approved_by=CHECKER, reason="wrong card")


def test_the_clock_expires_holds_that_ran_out_and_no_others() -> None:
    purse, operator = a_purse(fen=1_000), an_operator()
    soon, later, never = uuid7(), uuid7(), uuid7()
    moment = clock.now() + dt.timedelta(hours=1)
    actions.hold(OFFICER, soon, purse, operator, 100, reason="x", expires_at=moment)
    actions.hold(OFFICER, later, purse, operator, 200, reason="x", expires_at=moment)
    actions.hold(OFFICER, never, purse, operator, 300, reason="x")
    assert jobs.expire_holds(0) == 0
    let_run_out(soon)
    with pytest.raises(Conflict, match="PENDING_EXPIRED"), transaction.atomic():
        actions.post_hold(OFFICER, uuid7(), soon, reason="late")
    assert jobs.expire_holds(0) == 1
    assert jobs.expire_holds(0) == 0
    assert queries.balance_of(purse).debits_pending == 500
    assert StoredTransfer.objects.get(pending_id=soon).kind == Kind.EXPIRE


def let_run_out(hold: UUID) -> None:
    past = clock.now() - dt.timedelta(minutes=1)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_transfer DISABLE TRIGGER refuse_change")
        cursor.execute("UPDATE ledger_transfer SET expires_at = %s WHERE id = %s", [past, hold])
        cursor.execute("ALTER TABLE ledger_transfer ENABLE TRIGGER refuse_change")
    Hold.objects.filter(pk=hold).update(expires_at=past)


def test_expiring_goes_batch_by_batch() -> None:
    purse, operator = a_purse(fen=1_000), an_operator()
    for _ in range(5):
        hold = uuid7()
        actions.hold(OFFICER, hold, purse, operator, 100, reason="x", expires_at=clock.now() + dt.timedelta(hours=1))
        let_run_out(hold)
    assert [actions.expire_holds(2) for _ in range(4)] == [2, 2, 1, 0]
    assert queries.balance_of(purse).free_fen == 1_000


def test_a_statement_is_paged_without_gaps() -> None:
    purse, operator = a_purse(fen=1_000), an_operator()
    rides = {paid(purse, operator, n) for n in range(1, 8)}
    seen: list[queries.Entry] = []
    pages = 0
    page = queries.statement_of(purse, limit=3)
    while page:
        seen += page
        pages += 1
        page = queries.statement_of(purse, limit=3, after=page[-1].cursor)
    assert pages == 3
    assert [entry.id for entry in seen] == sorted((entry.id for entry in seen), reverse=True)
    assert {entry.id for entry in seen if entry.debit_account == purse} == rides
    assert sum(entry.amount_fen for entry in seen) == 1_000 + sum(range(1, 8))
    assert len(queries.statement_of(operator)) == 7
    with pytest.raises(BadInput, match="CURSOR_INVALID"):
        queries.statement_of(purse, after="7")


def test_a_statement_walks_its_indexes() -> None:
    """However many transfers there are, a page reads only its own: no sort of the account's whole history."""
    from onecard.foundation import sql

    rows("SET LOCAL enable_seqscan = off")
    statement = sql.load(actions.HERE, "statement")
    plan = rows("EXPLAIN " + statement[statement.index("SELECT") :], 1, "9", uuid7(), 50)
    text = "\n".join(line for (line,) in plan)
    assert "debit_account_xid_idx" in text
    assert "credit_account_xid_idx" in text
    assert "Seq Scan" not in text


def test_sums_by_role_are_equal_over_a_ledger() -> None:
    purse, operator = a_purse(fen=1_000), an_operator()
    paid(purse, operator, 300)
    by_role = {(each.ledger, each.role): each for each in queries.sums_by_role()}
    assert by_role["purse", "holder.purse"].debits_posted == 300
    assert by_role["purse", "holder.purse"].credits_posted == 1_000
    assert sum(each.credits_posted - each.debits_posted for each in by_role.values()) == 0


def test_a_fold_changes_no_balance() -> None:
    purse, operator = a_purse(fen=1_000), an_operator()
    paid(purse, operator, 300)
    before = queries.balance_of(operator)
    jobs.fold_accounts(0)
    assert queries.balance_of(operator) == before
    # This transaction is still open, so nothing of it may be folded yet.
    assert not Fold.objects.filter(pk=operator).exists()


def test_partitions_are_made_ahead() -> None:
    jobs.make_partitions(0)  # the database may have been made on the day before
    assert jobs.make_partitions(0) == []


def test_reading_an_unknown_account() -> None:
    with pytest.raises(NotFound, match="ACCOUNT_UNKNOWN"):
        queries.balance_of(10**15)
    assert queries.account_of("holder:404", "holder.purse", "purse") is None


@pytest.mark.parametrize("outcome", Outcome)
def test_every_refusal_is_an_error_with_its_code(outcome: Outcome) -> None:
    assert actions.refusal(outcome).code == outcome.value
