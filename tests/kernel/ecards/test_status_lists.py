"""Status lists: what is marked, when a list is made anew, and that a gate refuses by it and admits by it."""

import datetime as dt
import os
from collections.abc import Mapping

import pytest
from tests.kernel.cards.builders import PLACE, a_card
from tests.kernel.catalogue.builders import a_point

from onecard.foundation import clock, crypto, keys, sql
from onecard.foundation.actors import Actor
from onecard.foundation.postgres.raw import rows
from onecard.kernel.cards import actions as cards
from onecard.kernel.cards.rules import CardState
from onecard.kernel.catalogue.models import Terminal
from onecard.kernel.ecards import actions, lists
from onecard.kernel.ecards.models import FORMS, Ecard, Key, StatusList
from onecard_kit import codes, status_list
from onecard_kit.pack import CARDS, DAYS_OF_CODES, FIXED, TERMINALS
from onecard_kit.refs import day_of, permutation
from onecard_kit.status_list import ListRefused, Status
from onecard_kit.suites import SUITES, PublicKey, Signer

CLERK = Actor("staff:7", frozenset({"*"}))
OTHER = Actor("staff:8", frozenset({"*"}))
NOON = dt.datetime(2026, 3, 1, 12, 0, tzinfo=clock.CHINA)
DAY = NOON.date()
ALL = DAYS_OF_CODES + len(FIXED)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def signing(database: object, db: object) -> None:
    actions.rotate_issuer_key(CLERK)


def at(monkeypatch: pytest.MonkeyPatch, moment: dt.datetime) -> None:
    monkeypatch.setattr(clock, "now", lambda: moment.astimezone(dt.UTC))


def public_keys() -> dict[bytes, PublicKey]:
    """What a gate verifies with."""
    usable = Key.objects.filter(withdrawn_at=None)
    return {bytes(key.kid): PublicKey(SUITES[key.suite], bytes(key.kid), bytes(key.public)) for key in usable}


def fetched(day: dt.date | None = None, form: str = "cwt") -> status_list.StatusList:
    return named((day or clock.today()).isoformat(), form)


def named(name: str, form: str = "cwt") -> status_list.StatusList:
    row = StatusList.objects.get(name=name, form=form)
    if form == "cwt":
        return status_list.from_cwt(bytes(row.body), public_keys())
    return status_list.from_jwt(bytes(row.body).decode(), public_keys())


def an_ecard(state: CardState = CardState.ACTIVE) -> Ecard:
    """An e-card on a card that went to a state after its signing up."""
    card = a_card()
    ecard = actions.sign_up(CLERK, card.pk)
    match state:
        case CardState.TEMP_LOST:
            cards.report_lost(CLERK, card.pk, "temporary")
        case CardState.LOST:
            cards.report_lost(CLERK, card.pk, "formal")
        case CardState.LOCKED:
            cards.lock(CLERK, card.pk, reason="test")
        case CardState.CANCELLED:
            cards.cancel(CLERK, card.pk, approved_by=OTHER, reason="test")
        case CardState.CANCELLED_AFTER_LOSS:
            cards.report_lost(CLERK, card.pk, "formal")
            cards.cancel(CLERK, card.pk, approved_by=OTHER, reason="test")
    return ecard


def status(serial: int, day: dt.date | None = None, form: str = "cwt") -> Status:
    day = day or clock.today()
    return fetched(day, form).status(permutation(keys.load("codes").derive("ref"), day).ref(serial))


def a_code(serial: int, moment: dt.datetime) -> str:
    """A code as the gateway signs it for the window of a moment."""
    key = Key.objects.get(sign_to=None, sign_from__isnull=False)
    starts, ends = codes.windows(int(moment.timestamp()), 1)[0]
    seed = crypto.open_sealed(keys.load("codes"), bytes(key.private_sealed), f"ecards_key.private_sealed:{key.pk}")
    signer = Signer.of(SUITES[key.suite], bytes(key.kid), seed)
    ref = permutation(keys.load("codes").derive("ref"), day_of(starts)).ref(serial)
    claims = codes.Claims(PLACE, signer.kid, ref, codes.Via.SELF, starts, ends, os.urandom(codes.NONCE_BYTES), ())
    return codes.encode(claims, signer)


def offline(text: str, held: Mapping[str, status_list.StatusList]) -> Status:
    """What a gate without a line finds: the code's signature, then the list of the day that the code names."""
    claims = codes.verify(text, {(PLACE, kid): key for kid, key in public_keys().items()})
    return held[status_list.subject_of(claims.issuer, day_of(claims.not_before))].status(claims.ref)


def held() -> dict[str, status_list.StatusList]:
    """The lists that a gate fetched."""
    made = [named(row.name) for row in StatusList.objects.filter(form="cwt")]
    return {each.subject: each for each in made}


MARKS = {
    CardState.ACTIVE: Status.VALID,
    CardState.TEMP_LOST: Status.SUSPENDED,
    CardState.LOST: Status.SUSPENDED,
    CardState.LOCKED: Status.SUSPENDED,
    CardState.CANCELLED: Status.INVALID,
    CardState.CANCELLED_AFTER_LOSS: Status.INVALID,
}


@pytest.mark.parametrize("form", FORMS)
def test_each_state_has_its_mark_and_nothing_else_is_marked(form: str) -> None:
    ecards = {state: an_ecard(state) for state in MARKS}
    closed, again = an_ecard(), an_ecard()
    for ecard in (closed, again):
        actions.close(CLERK, ecard.serial)
    actions.sign_up(CLERK, again.card_id)
    assert lists.build(PLACE) == ALL
    for day in (clock.today() + dt.timedelta(days=ahead) for ahead in range(DAYS_OF_CODES)):
        assert {state: status(ecard.serial, day, form) for state, ecard in ecards.items()} == MARKS
        assert status(closed.serial, day, form) is Status.INVALID
        assert status(again.serial, day, form) is Status.VALID
        marked = sum(bin(byte).count("1") for byte in fetched(day, form).entries)
        assert marked == 6


def test_a_serial_that_nobody_has_is_valid() -> None:
    """A gate that is cut off must let in who signed up since."""
    an_ecard(CardState.LOST)
    lists.build(PLACE)
    assert status(an_ecard().serial) is Status.VALID


def test_the_list_is_named_dated_and_ends_after_its_day(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, NOON)
    lists.build(PLACE)
    made = fetched(DAY)
    assert made.subject == f"/v1/status-lists/{PLACE}/2026-03-01"
    assert made.issued == int(NOON.timestamp())
    assert dt.datetime.fromtimestamp(made.expires, clock.CHINA) == dt.datetime(2026, 3, 2, 1, tzinfo=clock.CHINA)
    assert made.ttl_s == 300
    assert len(made.entries) == 2**24 // 4
    assert fetched(DAY, "jwt") == made


def test_a_loss_is_in_the_next_list_and_leaves_it_when_lifted() -> None:
    ecard = an_ecard()
    text = a_code(ecard.serial, clock.now())
    lists.build(PLACE)
    assert offline(text, held()) is Status.VALID
    cards.report_lost(CLERK, ecard.card_id, "temporary")
    assert offline(text, held()) is Status.VALID  # the list that the gate has knows nothing yet
    assert lists.build(PLACE) == 3  # today's, tomorrow's, and the one of cards
    assert offline(text, held()) is Status.SUSPENDED
    cards.unreport(CLERK, ecard.card_id)
    lists.build(PLACE)
    assert offline(text, held()) is Status.VALID


def test_nothing_new_makes_no_list_until_it_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, NOON)
    assert [lists.build(PLACE), lists.build(PLACE)] == [ALL, 0]
    before = StatusList.objects.get(day=DAY, form="cwt")
    at(monkeypatch, NOON + dt.timedelta(seconds=lists.OLD_S - 1))
    assert lists.build(PLACE) == 0
    at(monkeypatch, NOON + dt.timedelta(seconds=lists.OLD_S))
    assert lists.build(PLACE) == 2 + len(FIXED)
    after = StatusList.objects.get(day=DAY, form="cwt")
    assert (after.number, after.digest) == (before.number + 1, before.digest)
    assert after.etag != before.etag


def test_midnight(monkeypatch: pytest.MonkeyPatch) -> None:
    """A code fetched before midnight for a window after it is judged by tomorrow's list, which the gate has already."""
    before_midnight = dt.datetime(2026, 3, 1, 23, 58, tzinfo=clock.CHINA)
    at(monkeypatch, before_midnight)
    lost, fine = an_ecard(CardState.TEMP_LOST), an_ecard()
    lists.build(PLACE)
    gate = held()
    for minutes in (0, 1, 2, 9):
        moment = before_midnight + dt.timedelta(minutes=minutes)
        assert offline(a_code(lost.serial, moment), gate) is Status.SUSPENDED
        assert offline(a_code(fine.serial, moment), gate) is Status.VALID
    at(monkeypatch, before_midnight + dt.timedelta(minutes=3))
    assert lists.build(PLACE) == 1  # of the last day ahead; those nearer were made as of days ahead
    assert {row.day.day for row in StatusList.objects.all() if row.day is not None} == set(range(1, DAYS_OF_CODES + 2))


def test_what_is_drawn_again_is_as_if_drawn_from_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ecards = [an_ecard() for _ in range(5)]
    lists.build(PLACE)
    cards.report_lost(CLERK, ecards[0].card_id, "temporary")
    lists.build(PLACE)
    cards.lock(CLERK, ecards[1].card_id, reason="test")
    cards.unreport(CLERK, ecards[0].card_id)
    actions.close(CLERK, ecards[2].serial)
    lists.build(PLACE)
    drawn = fetched().entries
    monkeypatch.setattr(lists, "_drawn", {})
    StatusList.objects.all().delete()
    lists.build(PLACE)
    assert fetched().entries == drawn


def test_lists_are_kept_a_week_and_their_numbers_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    for days in (0, 8, 9):
        at(monkeypatch, NOON + dt.timedelta(days=days))
        lists.build(PLACE)
    kept = StatusList.objects.filter(form="cwt").exclude(day=None).order_by("day").values_list("day", flat=True)
    assert list(kept) == [DAY + dt.timedelta(days=n) for n in range(2, 9 + DAYS_OF_CODES)]
    assert {row.number for row in StatusList.objects.filter(name__in=FIXED)} == {3}


def test_a_rotated_key_signs_the_next_list_and_the_one_before_still_holds() -> None:
    lists.build(PLACE)
    old = fetched()
    rotated = actions.rotate_issuer_key(CLERK)
    assert fetched() == old
    assert lists.build(PLACE) == ALL
    assert set(StatusList.objects.values_list("kid", flat=True).distinct()) == {bytes(rotated.kid)}
    assert fetched().entries == old.entries


def test_a_list_of_a_withdrawn_key_is_refused_and_made_anew() -> None:
    lists.build(PLACE)
    key = Key.objects.get(sign_to=None, sign_from__isnull=False)
    actions.withdraw_key(CLERK, bytes(key.kid), reason="stolen")
    with pytest.raises(ListRefused):
        fetched()
    assert lists.build(PLACE) == ALL
    assert fetched()


def test_a_change_of_key_queues_the_signing_in_its_own_transaction() -> None:
    queued = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'ecards.sign_lists'"
    before = rows(queued)[0][0]
    key = actions.rotate_issuer_key(CLERK)
    actions.withdraw_key(CLERK, bytes(key.kid), reason="stolen")
    assert rows(queued)[0][0] == before + 2


def test_without_a_key_there_is_no_list() -> None:
    rows("DELETE FROM ecards_key")
    assert lists.build(PLACE) == 0


def test_a_loss_reaches_the_lists_of_days_ahead_within_the_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """By them a gate decides that has been on its own since yesterday or the week before."""
    at(monkeypatch, NOON)
    lost, fine = an_ecard(), an_ecard()
    lists.build(PLACE)
    cards.report_lost(CLERK, lost.card_id, "temporary")
    last = DAY + dt.timedelta(days=DAYS_OF_CODES - 1)
    for seconds, expected in ((60, Status.VALID), (lists.AHEAD_OLD_S, Status.SUSPENDED)):
        at(monkeypatch, NOON + dt.timedelta(seconds=seconds))
        lists.build(PLACE)
        assert status(lost.serial, last) is expected
        assert status(fine.serial, last) is Status.VALID
    at(monkeypatch, NOON + dt.timedelta(days=DAYS_OF_CODES - 1))
    text = a_code(lost.serial, clock.now())
    assert offline(text, held()) is Status.SUSPENDED


@pytest.mark.parametrize("form", FORMS)
def test_a_card_is_marked_by_its_serial_for_life(form: str) -> None:
    """A card that nobody activated opens no gate by its file, and one without an e-card is listed like any other."""
    ecards = {state: an_ecard(state) for state in MARKS}
    bare, inactive = a_card(), a_card(state=CardState.INACTIVE)
    cards.report_lost(CLERK, bare.pk, "temporary")
    lists.build(PLACE)
    made = named(CARDS, form)
    assert made.subject == f"/v1/status-lists/{PLACE}/cards"
    assert {state: made.status(ecard.card_id) for state, ecard in ecards.items()} == MARKS
    assert [made.status(card.pk) for card in (bare, inactive)] == [Status.SUSPENDED] * 2
    assert made.status(inactive.pk + lists.ROOM) is Status.VALID  # one that will be issued while a gate is away


def test_terminals_are_marked_by_their_number() -> None:
    states = {"active": Status.VALID, "suspended": Status.SUSPENDED, "ended": Status.INVALID}
    point = a_point("NT-GATE")
    terminals = {state: Terminal.objects.create(code=f"T-{state}", point=point, state=state) for state in states}
    lists.build(PLACE)
    assert {state: named(TERMINALS).status(terminal.pk) for state, terminal in terminals.items()} == states
    assert lists.build(PLACE) == 0
    Terminal.objects.filter(pk=terminals["active"].pk).update(state="suspended")
    assert lists.build(PLACE) == 1
    assert named(TERMINALS).status(terminals["active"].pk) is Status.SUSPENDED


@pytest.mark.parametrize(
    ("statement", "indexes"),
    [
        ("marked_serials", {"cards_standing_not_active", "ecards_ecard_closed"}),
        ("marked_cards", {"cards_standing_not_active"}),
        ("marked_papers", {"cards_standing_not_active", "ecards_ecard_closed", "ecards_paper_code_revoked"}),
    ],
)
def test_only_what_is_marked_is_read(statement: str, indexes: set[str]) -> None:
    """Readings go through indexes that hold nothing else, however many e-cards there are."""
    rows("SET LOCAL enable_seqscan = off")
    plan = "\n".join(line for (line,) in rows("EXPLAIN " + sql.load(lists.PRIMITIVE, statement)))
    assert {name for name in indexes if name not in plan} == set()
    assert "cards_card" not in plan
