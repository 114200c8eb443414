"""The verbs against a real database: every pair of states by verb and by raw SQL, facts, permissions, standing."""

import datetime as dt
import itertools

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from tests.kernel.cards.builders import PLACE, a_bank, a_card, a_holder

from onecard.foundation import clock
from onecard.foundation.actors import Actor, system
from onecard.foundation.errors import BadInput, Conflict, NotFound, NotPermitted
from onecard.kernel.audit import queries as audit
from onecard.kernel.cards import actions, jobs, queries, rules
from onecard.kernel.cards.models import Card, CardFunction, FunctionMove, Move, Standing
from onecard.kernel.cards.rules import CardState, CardVerb, FunctionState, FunctionVerb
from onecard.kernel.holders.models import Holder, HolderClass
from onecard_kit.terms import Function

pytestmark = pytest.mark.django_db

CLERK = Actor("staff:7", frozenset({"*"}), ("3206",))
CHECKER = Actor("staff:8", frozenset({"*"}), ("3206",))
STRANGER = Actor("holder:999999999")

VERBS = {
    CardVerb.COMPLETE: lambda card: actions.complete(CLERK, card.pk),
    CardVerb.ACTIVATE: lambda card: actions.activate_function(CLERK, card.pk, Function.SOCIAL_SECURITY),
    CardVerb.REPORT_TEMP_LOST: lambda card: actions.report_lost(CLERK, card.pk, "temporary"),
    CardVerb.REPORT_LOST: lambda card: actions.report_lost(CLERK, card.pk, "formal"),
    CardVerb.UNREPORT: lambda card: actions.unreport(CLERK, card.pk),
    CardVerb.LOCK: lambda card: actions.lock(CLERK, card.pk, reason="test"),
    CardVerb.CANCEL: lambda card: actions.cancel(CLERK, card.pk, approved_by=CHECKER, reason="test"),
}

FUNCTION_VERBS = {
    FunctionVerb.ACTIVATE: lambda card, function: actions.activate_function(CLERK, card.pk, function),
    FunctionVerb.SUSPEND: lambda card, function: actions.suspend_function(CLERK, card.pk, function, reason="test"),
    FunctionVerb.CLOSE: lambda card, function: actions.close_function(CLERK, card.pk, function, reason="test"),
}


def facts(card: Card) -> list[str]:
    return [fact.verb for fact in reversed(audit.facts_about(f"card:{card.pk}"))]


def standing(card: Card) -> Standing:
    found = queries.standing_of(card.pk)
    assert found is not None
    return found


@pytest.mark.parametrize("verb", CardVerb)
@pytest.mark.parametrize("state", CardState)
def test_every_state_by_every_verb(state: CardState, verb: CardVerb) -> None:
    """The verb does what the rule says, leaves one fact if it moved and none otherwise, and the standing agrees."""
    functions = FunctionState.INACTIVE if verb is CardVerb.ACTIVATE else FunctionState.ACTIVE
    card = a_card(state=state, functions=functions)
    expected = rules.move_of(actions.facts_of(card), verb)
    if isinstance(expected, rules.Blocked):
        with pytest.raises(Conflict) as refused, transaction.atomic():
            VERBS[verb](card)
        assert refused.value.code == expected.code
        assert facts(card) == []
        assert Card.objects.get(pk=card.pk).state == standing(card).card_state == state
        return
    assert VERBS[verb](card).state == expected
    again = VERBS[verb](card)
    assert again.state == Card.objects.get(pk=card.pk).state == standing(card).card_state == expected
    moved = [fact for fact in facts(card) if fact != "cards.activate_function"]
    assert len(moved) == (0 if expected is state else 1)


@pytest.mark.parametrize("verb", FunctionVerb)
@pytest.mark.parametrize("state", FunctionState)
@pytest.mark.parametrize("function", Function)
def test_every_function_by_every_verb(function: Function, state: FunctionState, verb: FunctionVerb) -> None:
    card = a_card(functions=state)
    expected = rules.function_move_of(actions.facts_of(card), state, verb)
    if isinstance(expected, rules.Blocked):
        with pytest.raises(Conflict) as refused, transaction.atomic():
            FUNCTION_VERBS[verb](card, function)
        assert refused.value.code == expected.code
        return
    FUNCTION_VERBS[verb](card, function)
    FUNCTION_VERBS[verb](card, function)
    others = {one.value for one in Function} - {function.value}
    assert getattr(standing(card), function.value) == expected
    assert {getattr(standing(card), other) for other in others} == {state.value}
    assert len(facts(card)) == (0 if expected is state else 1)


@pytest.mark.parametrize(("was", "to"), [*itertools.permutations(CardState, 2)])
def test_raw_sql_moves_only_along_the_rows(was: CardState, to: CardState) -> None:
    """What the verbs can do is exactly what the database lets anyone do."""
    card = a_card(state=was)
    legal = to in {rules.move_of(actions.facts_of(card), verb) for verb in CardVerb}
    before_loss = was.value if to is CardState.TEMP_LOST and was in (CardState.INACTIVE, CardState.ACTIVE) else None

    def update() -> int:
        return Card.objects.filter(pk=card.pk).update(state=to.value, state_before_loss=before_loss)

    if legal:
        assert update() == 1
    else:
        with pytest.raises(IntegrityError), transaction.atomic():
            update()


def test_the_rows_of_moves_are_the_rules() -> None:
    rows = set(Move.objects.values_list("from_state", "to_state"))
    reachable = {
        (state.value, to.value)
        for state in CardState
        for verb in CardVerb
        for before in ((CardState.INACTIVE, CardState.ACTIVE) if state is CardState.TEMP_LOST else (None,))
        if not isinstance(to := rules.move_of(rules.CardFacts(state, before), verb), rules.Blocked) and to is not state
    }
    assert rows == reachable
    functions = {(was.value, to.value) for moves in rules.FUNCTION_MOVES.values() for was, to in moves.items()}
    assert set(FunctionMove.objects.values_list("from_state", "to_state")) == functions


@pytest.mark.parametrize(("was", "to"), [*itertools.permutations(FunctionState, 2)])
def test_raw_sql_moves_functions_only_along_the_rows(was: FunctionState, to: FunctionState) -> None:
    card = a_card(functions=was)
    rows = CardFunction.objects.filter(card=card, function="transit")
    if FunctionMove.objects.filter(from_state=was.value, to_state=to.value).exists():
        assert rows.update(state=to.value) == 1
    else:
        with pytest.raises(IntegrityError, match="FUNCTION_MOVE"), transaction.atomic():
            rows.update(state=to.value)


@pytest.mark.parametrize("state", CardState)
def test_a_card_starts_allocated_or_inactive(state: CardState) -> None:
    card = a_card()
    insert = (
        "INSERT INTO cards_card (number, identifier, holder_id, issuing_place, bank_id, generation, state,"
        " state_before_loss, issued_on, valid_to) SELECT 'X00000001', %s, holder_id, issuing_place, bank_id,"
        " generation, %s, %s, issued_on, valid_to FROM cards_card WHERE id = %s"
    )
    before = "active" if state is CardState.TEMP_LOST else None
    values = ["F" * 32, state.value, before, card.pk]
    with connection.cursor() as cursor:
        if state in (CardState.ALLOCATED, CardState.INACTIVE):
            cursor.execute(insert, values)
            return
        with pytest.raises(IntegrityError, match="does not start"), transaction.atomic():
            cursor.execute(insert, values)


def test_only_the_owner_may_load_cards_in_any_state(urls: dict[str, str]) -> None:
    insert = (
        "INSERT INTO cards_card (number, identifier, holder_id, issuing_place, bank_id, generation, state, issued_on,"
        " valid_to) VALUES ('X00000002', repeat('E', 32), 0, '320600', 0, 3, 'active', '2026-01-01', '2036-01-01')"
    )
    with psycopg.connect(urls["staff"]) as staff:
        staff.execute("SET onecard.loading = 'on'")
        with pytest.raises(psycopg.errors.CheckViolation, match="does not start as active"):
            staff.execute(insert)


def test_a_loss_is_lifted_only_to_where_it_was() -> None:
    card = a_card(state=CardState.TEMP_LOST, before_loss=CardState.INACTIVE)
    with pytest.raises(IntegrityError, match="CARD_MOVE"), transaction.atomic():
        Card.objects.filter(pk=card.pk).update(state="active", state_before_loss=None)
    assert actions.unreport(CLERK, card.pk).state == "inactive"


def test_a_temporary_loss_must_remember_where_it_came_from() -> None:
    card = a_card()
    with pytest.raises(IntegrityError), transaction.atomic():
        Card.objects.filter(pk=card.pk).update(state="temp_lost")


def test_issue_and_the_two_activations() -> None:
    holder, bank = a_holder(), a_bank()
    card = actions.issue(CLERK, holder.pk, place=PLACE, bank=bank.code)
    assert card.state == "inactive"
    assert card.identifier.startswith(PLACE)
    assert len(card.identifier) == 32
    assert card.valid_to > clock.today() + dt.timedelta(days=3640)
    assert queries.by_number(card.number.lower()) == card
    assert bytes(standing(card).number_index) == queries.number_index(card.number)
    card = actions.activate_function(CLERK, card.pk, Function.FINANCIAL)
    assert card.state == "inactive"
    card = actions.activate_function(CLERK, card.pk, Function.SOCIAL_SECURITY)
    assert card.state == "active"
    actions.suspend_function(CLERK, card.pk, Function.SOCIAL_SECURITY, reason="test")
    assert actions.activate_function(CLERK, card.pk, Function.SOCIAL_SECURITY).state == "active"
    now = standing(card)
    assert (now.card_state, now.social_security, now.financial, now.transit) == (
        "active",
        "active",
        "active",
        "inactive",
    )
    assert facts(card) == [
        "cards.issue",
        "cards.activate_function",
        "cards.activate_function",
        "cards.activate",
        "cards.suspend_function",
        "cards.activate_function",
    ]


def test_one_live_card_of_a_place() -> None:
    holder, bank = a_holder(), a_bank()
    first = actions.issue(CLERK, holder.pk, place=PLACE, bank=bank.code)
    with pytest.raises(Conflict, match="CARD_LIVE"):
        actions.issue(CLERK, holder.pk, place=PLACE, bank=bank.code)
    actions.cancel(CLERK, first.pk, approved_by=CHECKER, reason="damage")
    second = actions.issue(CLERK, holder.pk, place=PLACE, bank=bank.code)
    assert queries.of_holder(holder.pk) == [second, first]
    assert first.number != second.number


def test_issue_refuses_the_dead_the_unknown_and_odd_input() -> None:
    bank = a_bank()
    with pytest.raises(Conflict, match="HOLDER_DECEASED"):
        actions.issue(CLERK, a_holder(life="deceased").pk, place=PLACE, bank=bank.code)
    with pytest.raises(NotFound, match="HOLDER_UNKNOWN"):
        actions.issue(CLERK, 0, place=PLACE, bank=bank.code)
    with pytest.raises(NotFound, match="BANK_UNKNOWN"):
        actions.issue(CLERK, a_holder().pk, place=PLACE, bank="nobody")
    with pytest.raises(BadInput, match="GENERATION_UNKNOWN"):
        actions.issue(CLERK, a_holder().pk, place=PLACE, bank=bank.code, generation=1)
    with pytest.raises(BadInput, match="REASON_MISSING"):
        actions.cancel(CLERK, a_card().pk, approved_by=CHECKER, reason=" ")
    with pytest.raises(NotFound, match="CARD_UNKNOWN"):
        actions.unreport(CLERK, 0)
    with pytest.raises(NotFound, match="CARD_UNKNOWN"):
        queries.by_number("A99999999")


def test_cancelling_closes_the_functions() -> None:
    card = a_card()
    actions.cancel(CLERK, card.pk, approved_by=CHECKER, reason="replaced")
    now = standing(card)
    assert (now.card_state, now.social_security, now.financial, now.transit) == ("cancelled", *["closed"] * 3)
    assert audit.facts_about(f"card:{card.pk}", limit=1)[0].detail["approved_by"] == CHECKER.name


@pytest.mark.parametrize("checker", [CLERK, Actor("staff:8"), Actor("staff:8", frozenset({"cards.cancel"}), ("3205",))])
def test_cancelling_takes_two_people_who_may(checker: Actor) -> None:
    card = a_card()
    code = "MAKER_IS_CHECKER" if checker is CLERK else "NOT_PERMITTED|OUT_OF_SCOPE"
    with pytest.raises(NotPermitted, match=code):
        actions.cancel(CLERK, card.pk, approved_by=checker, reason="replaced")
    assert standing(card).card_state == "active"


@pytest.mark.parametrize(
    ("permission", "call"),
    [
        ("cards.issue", lambda who, card: actions.issue(who, card.holder_id, place=PLACE, bank="nt-rcb")),
        ("cards.complete", lambda who, card: actions.complete(who, card.pk)),
        ("cards.activate_function", lambda who, card: actions.activate_function(who, card.pk, Function.TRANSIT)),
        (
            "cards.suspend_function",
            lambda who, card: actions.suspend_function(who, card.pk, Function.TRANSIT, reason="x"),
        ),
        ("cards.close_function", lambda who, card: actions.close_function(who, card.pk, Function.TRANSIT, reason="x")),
        ("cards.report_lost", lambda who, card: actions.report_lost(who, card.pk, "formal")),
        ("cards.unreport", lambda who, card: actions.unreport(who, card.pk)),
        ("cards.lock", lambda who, card: actions.lock(who, card.pk, reason="x")),
        ("cards.cancel", lambda who, card: actions.cancel(who, card.pk, approved_by=CHECKER, reason="x")),
    ],
)
def test_each_verb_takes_its_permission_in_its_place(permission: str, call) -> None:  # type: ignore[no-untyped-def]
    card = a_card(state=CardState.TEMP_LOST) if permission == "cards.unreport" else a_card()
    for who in (STRANGER, Actor("staff:1"), Actor("staff:1", frozenset({permission}), ("3205",))):
        with pytest.raises(NotPermitted), transaction.atomic():
            call(who, card)
    try:
        with transaction.atomic():
            call(Actor("staff:1", frozenset({permission}), ("3206",)), card)
    except Conflict:
        assert permission in ("cards.issue", "cards.complete")


def test_holders_report_and_lift_their_own_loss_and_nothing_else() -> None:
    card = a_card()
    owner = Actor(f"holder:{card.holder_id}")
    assert actions.report_lost(owner, card.pk, "temporary").state == "temp_lost"
    assert actions.unreport(owner, card.pk).state == "active"
    assert actions.report_lost(owner, card.pk, "formal", reason="bus").state == "lost"
    with pytest.raises(NotPermitted):
        actions.cancel(owner, card.pk, approved_by=CHECKER, reason="mine")
    lost = audit.facts_about(f"card:{card.pk}", limit=1)[0]
    assert (lost.actor, lost.verb, lost.place, lost.reason) == (owner.name, "cards.report_lost", PLACE, "bus")
    assert lost.detail == {"from": "active", "to": "lost", "kind": "formal"}


def test_refresh_leaves_what_it_does_not_own_alone() -> None:
    card = a_card()
    Standing.objects.filter(pk=card.pk).update(ecard_serial=7, purse_account_id=8, chip_counter=9)
    HolderClass.objects.create(holder=card.holder, code="senior_70", from_day="2020-05-01", source="birth")
    HolderClass.objects.create(
        holder=card.holder, code="reader", from_day="2019-01-01", to_day="2021-01-01", source="certificate:1"
    )
    jobs.refresh_standing(card.holder_id)
    now = standing(card)
    assert now.classes == [["reader", "2019-01-01", "2021-01-01"], ["senior_70", "2020-05-01", None]]
    assert (now.ecard_serial, now.purse_account_id, now.chip_counter) == (7, 8, 9)


def test_refresh_writes_many_cards_at_once() -> None:
    cards = [a_card() for _ in range(3)]
    Standing.objects.all().delete()
    actions.refresh_standing([card.pk for card in cards])
    actions.refresh_standing([])
    assert Standing.objects.count() == 3
    for card in cards:
        assert bytes(standing(card).number_index) == queries.number_index(card.number)


def test_a_death_locks_the_holders_cards_once() -> None:
    holder = a_holder()
    used, gone = a_card(holder=holder), a_card(holder=holder, state=CardState.CANCELLED)
    Holder.objects.filter(pk=holder.pk).update(life="deceased")
    jobs.refresh_standing(holder.pk)
    jobs.refresh_standing(holder.pk)
    assert standing(used).card_state == "locked"
    assert standing(gone).card_state == "cancelled"
    assert facts(used) == ["cards.lock"]
    assert audit.facts_about(f"card:{used.pk}")[0].actor == system("worker").name


def test_the_job_is_found_by_the_name_and_queue_others_use() -> None:
    assert (jobs.refresh_standing.name, jobs.refresh_standing.queue) == ("cards.refresh_standing", "cards")


def test_lists_are_paged_by_key(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    cards = [a_card(state=CardState.LOST) for _ in range(5)]
    with django_assert_num_queries(2):
        first = queries.newest("lost", limit=3)
        rest = queries.newest("lost", before=first[-1].pk, limit=3)
    assert [card.pk for card in first + rest] == sorted((card.pk for card in cards), reverse=True)
    assert queries.newest("active") == []
