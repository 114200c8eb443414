"""Status lists against the standings: one that is gone, old, forged or wrong is found, one that is behind is not."""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from tests.small_city import PLACE, SmallCity

from onecard.check import lists as checking
from onecard.check import running
from onecard.foundation import clock
from onecard.kernel.ecards import lists
from onecard_kit import status_list
from onecard_kit.pack import CARDS, DAYS_OF_CODES, FIXED, PAPERS, TERMINALS
from onecard_kit.suites import ED25519, Signer

EACH_FORM = 2
ALL = (DAYS_OF_CODES + len(FIXED)) * EACH_FORM
LONG_AGO = "now() - interval '1 hour'"


@pytest.fixture(scope="module")
def listed(city: SmallCity, fresh_database: dict[str, str]) -> SmallCity:
    """Cards of every kind with a phone and a paper each, a terminal that was suspended, and the lists of all that."""
    for state in ("active", "lost", "cancelled", "temp_lost"):
        card = city.a_card(state=state)
        city.enrol(card, card.serial.to_bytes(4, "big") * 8)
        city.run(
            "INSERT INTO ecards_paper_code (serial, ecard_id, kid, issued_at, expires_at)"
            f" VALUES (nextval('ecards_paper_serial_seq'), $1, '', {LONG_AGO}, now() + interval '1 year')", card.serial,
        )  # fmt: skip
    city.run("UPDATE ecards_paper_code SET revoked_at = now() - interval '2 hours' WHERE serial = 0")
    city.run("UPDATE catalogue_terminal SET state = 'suspended' WHERE id = $1", city.a_terminal().id)
    city.run(f"UPDATE cards_standing SET updated_at = {LONG_AGO}")
    city.run(f"UPDATE ecards_ecard SET signed_at = {LONG_AGO}")
    with running.django_at(fresh_database["owner"]):
        lists.build(PLACE)
    return city


def figures(city: SmallCity) -> dict[str, int]:
    """What is wrong, without what is not."""
    return {name: number for name, number in running._lists(city.connection).numbers.items() if number}


@contextmanager
def undone(city: SmallCity, *statements: str) -> Iterator[None]:
    with city.connection.transaction(force_rollback=True):
        for statement in statements:
            city.run(statement)
        yield


def test_lists_that_were_just_made_agree(listed: SmallCity) -> None:
    assert figures(listed) == {"checked": ALL}


@pytest.mark.parametrize(
    ("statement", "fault", "number"),
    [
        ("DELETE FROM ecards_status_list WHERE name = 'cards' AND form = 'jwt'", "missing", 1),
        ("DELETE FROM ecards_status_list", "missing", ALL),
        ("UPDATE ecards_status_list SET made_at = made_at - interval '20 minutes' WHERE name = 'papers'", "stale", 2),
        (
            "UPDATE ecards_status_list SET made_at = made_at - interval '80 minutes'"
            " WHERE day > (SELECT min(day) + 3 FROM ecards_status_list)",
            "stale",
            2 * (DAYS_OF_CODES - 4),
        ),
        ("UPDATE ecards_status_list SET made_at = made_at + interval '1 minute' WHERE name = 'cards'", "unreadable", 2),
        (
            "UPDATE ecards_status_list SET body = (SELECT body FROM ecards_status_list WHERE name = 'papers'"
            " AND form = 'cwt') WHERE name = 'cards' AND form = 'cwt'",
            "unreadable",
            1,
        ),
        ("UPDATE ecards_status_list SET body = 'x' WHERE name = 'terminals'", "unreadable", 2),
    ],
)
def test_a_list_that_is_gone_old_or_not_itself_is_found(
    listed: SmallCity, statement: str, fault: str, number: int
) -> None:
    with undone(listed, statement):
        found = running._lists(listed.connection)
        assert not found.ok
        assert {fault: number, "checked": ALL} == figures(listed)
        assert len(found.lines) == min(number, running.LINES_MAX)


@pytest.mark.parametrize(
    ("statement", "lists_of"),
    [
        (f"UPDATE cards_standing SET card_state = 'lost', updated_at = {LONG_AGO} WHERE card_state = 'active'",
         DAYS_OF_CODES + 1),  # their paper code is revoked already
        (f"UPDATE cards_standing SET card_state = 'active', updated_at = {LONG_AGO} WHERE card_state = 'lost'",
         DAYS_OF_CODES + 2),
        (f"UPDATE ecards_ecard SET closed_at = {LONG_AGO} WHERE card_id IN (SELECT card_id FROM cards_standing"
         " WHERE card_state = 'active')", DAYS_OF_CODES),
        (f"UPDATE ecards_paper_code SET revoked_at = {LONG_AGO} WHERE serial = 3", 1),
        ("UPDATE ecards_paper_code SET revoked_at = NULL WHERE serial = 0", 1),
    ],
    ids=["lost and not listed", "listed and not lost", "closed", "revoked", "not revoked"],
)  # fmt: skip
def test_a_list_that_says_something_else_is_found(listed: SmallCity, statement: str, lists_of: int) -> None:
    with undone(listed, statement):
        assert figures(listed) == {"different": lists_of * EACH_FORM, "checked": ALL}
    with undone(listed, statement.replace(LONG_AGO, "now()")):
        if LONG_AGO in statement:  # it changed since: the next list will say so
            assert figures(listed) == {"checked": ALL}


def test_a_terminal_that_was_passed_over_is_found_after_some_turns(listed: SmallCity) -> None:
    suspend = "UPDATE catalogue_terminal SET state = 'active'"
    with undone(listed, suspend):
        assert figures(listed) == {"checked": ALL}
        listed.run("UPDATE ecards_status_list SET made_at = made_at - interval '5 minutes' WHERE name = 'terminals'")
        again = remade(listed, TERMINALS, lambda made: made)
        listed.run("UPDATE ecards_status_list SET body = $1 WHERE name = 'terminals' AND form = 'cwt'", again)
        assert figures(listed)["different"] == 1


def remade(city: SmallCity, name: str, change: Callable[[status_list.StatusList], status_list.StatusList]) -> bytes:
    """A list of a name as somebody with the key would forge it, made when the table says."""
    body, made_at = city.run("SELECT body, made_at FROM ecards_status_list WHERE name = $1 AND form = 'cwt'", name)[0]
    made = status_list.from_cwt(bytes(body), {city.signer.kid: city.signer.public_key})
    dated = status_list.StatusList(made.subject, int(made_at.timestamp()), made.expires, made.ttl_s, made.packed)
    return status_list.to_cwt(change(dated), city.signer)


def test_a_forged_list_is_found_whoever_signed_it(listed: SmallCity) -> None:
    def unmark(made: status_list.StatusList) -> status_list.StatusList:
        return status_list.StatusList(
            made.subject, made.issued, made.expires, made.ttl_s, status_list.compress(bytes(len(made.entries)))
        )

    forged = remade(listed, CARDS, unmark)
    with undone(listed):
        listed.run("UPDATE ecards_status_list SET body = $1 WHERE name = 'cards' AND form = 'cwt'", forged)
        assert figures(listed) == {"different": 1, "checked": ALL}
    stranger = Signer.of(ED25519, listed.signer.kid, bytes(32))
    made = status_list.from_cwt(forged, {listed.signer.kid: listed.signer.public_key})
    with undone(listed):
        body = status_list.to_cwt(made, stranger)
        listed.run("UPDATE ecards_status_list SET body = $1 WHERE name = 'cards' AND form = 'cwt'", body)
        assert figures(listed) == {"unreadable": 1, "checked": ALL}


def test_lists_reach_a_day_further_once_there_was_time_to_make_them(
    listed: SmallCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Just after midnight nothing is amiss: what was made an hour ago for a day ahead is tomorrow's now."""
    midnight = dt.datetime.combine(clock.today() + dt.timedelta(days=1), dt.time(), clock.CHINA)
    hourly = midnight - dt.timedelta(minutes=35)
    for after_m, owed, stale in ((-5, DAYS_OF_CODES, 0), (5, DAYS_OF_CODES - 1, 0), (16, DAYS_OF_CODES, 1)):
        now = midnight + dt.timedelta(minutes=after_m)
        monkeypatch.setattr(clock, "now", lambda now=now: now)
        with undone(
            listed,
            f"UPDATE ecards_status_list SET made_at = '{now}'",
            f"UPDATE ecards_status_list SET made_at = '{hourly}' WHERE day > '{midnight:%Y-%m-%d}'",
        ):
            found = figures(listed)
            assert found["checked"] == (owed + len(FIXED)) * EACH_FORM
            assert found.get("stale", 0) == stale * EACH_FORM


def test_a_node_without_a_key_owes_no_list(listed: SmallCity) -> None:
    with undone(listed, "DELETE FROM ecards_status_list", "DELETE FROM ecards_key"):
        assert figures(listed) == {}


def test_what_lapsed_meanwhile_is_no_difference(listed: SmallCity) -> None:
    lapsed = "UPDATE ecards_paper_code SET expires_at = now() WHERE serial = 0"
    with undone(listed, lapsed):
        assert figures(listed) == {"checked": ALL}
    assert dt.timedelta(seconds=checking.STALE_S) > checking.UNDER_WAY
    assert PAPERS in FIXED
    assert clock.today().isoformat() in checking._names()
