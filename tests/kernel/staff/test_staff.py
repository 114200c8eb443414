"""Roles and scopes: what reaches where, who may change whom, and what the trail tells."""

import datetime as dt
from argparse import Namespace

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client
from tests.foundation.web.faces import SYSTEM, a_staff_client, an_authenticator, an_officer, face, sign_in

from onecard.foundation import clock
from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, Conflict, NotFound, NotPermitted
from onecard.kernel.audit import queries as audit
from onecard.kernel.signins.models import Invitation, Kind, User
from onecard.kernel.staff import actions, command, queries, roles
from onecard.kernel.staff.models import Assignment, Role

pytestmark = pytest.mark.django_db


def test_the_shipped_roles_are_loaded_and_loading_again_changes_nothing() -> None:
    before = list(Role.objects.order_by("code").values_list("code", "permissions"))
    assert [code for code, _ in before] == [
        "administrator",
        "auditor",
        "card_officer",
        "catalogue_approver",
        "catalogue_editor",
        "clerk",
        "finance_officer",
        "risk_officer",
    ]
    roles.load()
    assert list(Role.objects.order_by("code").values_list("code", "permissions")) == before


def test_a_role_reaches_its_places_only() -> None:
    actor = queries.actor_of(an_officer("zhou", "clerk", place="320612").user)
    actor.require("cards.report_lost", "320612")
    with pytest.raises(NotPermitted, match="OUT_OF_SCOPE"):
        actor.require("cards.report_lost", "320682")
    with pytest.raises(NotPermitted, match="NOT_PERMITTED"):
        actor.require("cards.cancel", "320612")


def test_two_assignments_do_not_lend_each_other_their_places() -> None:
    officer = an_officer("zhou", "clerk", place="320612")
    actions.assign(SYSTEM, officer, "auditor", "")
    actor = queries.actor_of(officer.user)
    actor.require("audit.read")
    actor.require("audit.read", "110000")
    with pytest.raises(NotPermitted, match="OUT_OF_SCOPE"):
        actor.require("holders.register", "320682")
    assert actor.only("holders.read").places == ("320612",)


def test_an_officer_without_a_role_may_nothing() -> None:
    actor = queries.actor_of(an_officer("zhou").user)
    assert actor.permissions == frozenset()
    with pytest.raises(NotPermitted):
        actor.require("holders.read", "3206")


def test_a_holder_is_no_officer() -> None:
    user = User.objects.create_user("zhang", None, kind=Kind.HOLDER, holder_id=1)
    with pytest.raises(NotPermitted, match="NOT_STAFF"):
        queries.actor_of(user)


def test_who_left_may_nothing() -> None:
    officer = an_officer("zhou", "clerk")
    actions.suspend(SYSTEM, officer, "left")
    officer.user.refresh_from_db()
    with pytest.raises(NotPermitted, match="NOT_STAFF"):
        queries.actor_of(officer.user)


def test_every_verb_leaves_a_fact_and_repeating_leaves_none() -> None:
    officer = an_officer("zhou", "clerk")
    actions.assign(SYSTEM, officer, "clerk", "3206")
    actions.withdraw(SYSTEM, officer, "clerk", "3206")
    actions.withdraw(SYSTEM, officer, "clerk", "3206")
    told = [fact.verb for fact in audit.facts_about(f"staff:{officer.pk}")]
    assert told == ["staff.withdraw", "staff.assign", "staff.appoint"]
    assert not Assignment.objects.filter(officer=officer).exists()


def test_nobody_changes_their_own_roles() -> None:
    officer = an_officer("gu", "administrator", place="")
    actor = queries.actor_of(officer.user)
    for change in (
        lambda: actions.assign(actor, officer, "auditor", ""),
        lambda: actions.withdraw(actor, officer, "administrator", ""),
        lambda: actions.suspend(actor, officer, "-"),
        lambda: actions.restore(actor, officer, "-"),
        lambda: actions.invite(actor, officer),
    ):
        with pytest.raises(NotPermitted, match="OWN_ROLE"):
            change()


def test_nobody_assigns_beyond_their_scope() -> None:
    admin = queries.actor_of(an_officer("gu", "administrator", place="3206").user)
    other = an_officer("zhou")
    actions.assign(admin, other, "clerk", "320612")
    for place in ("", "32", "3205"):
        with pytest.raises(NotPermitted, match="OUT_OF_SCOPE"):
            actions.assign(admin, other, "clerk", place)


@pytest.mark.parametrize("place", ["3", "32061", "ABCDEF", "3206000"])
def test_a_malformed_place_is_refused(place: str) -> None:
    with pytest.raises(BadInput, match="PLACE_MALFORMED"):
        actions.assign(SYSTEM, an_officer("zhou"), "clerk", place)


def test_an_unknown_role_and_a_taken_name_are_refused() -> None:
    officer = an_officer("zhou")
    with pytest.raises(NotFound, match="ROLE_UNKNOWN"):
        actions.assign(SYSTEM, officer, "emperor", "3206")
    with pytest.raises(Conflict, match="USERNAME_TAKEN"):
        an_officer("zhou")


def test_without_the_permission_nobody_is_appointed() -> None:
    with pytest.raises(NotPermitted):
        actions.appoint(Actor("staff:1"), username="x", password=None, display_name="x")
    assert not User.objects.filter(username="x").exists()


def test_a_lost_second_factor_is_reset_by_somebody_else() -> None:
    officer = an_officer("zhou", "clerk")
    admin, second = (queries.actor_of(an_officer(name, "administrator", place="").user) for name in ("gu", "he"))
    clerk = queries.actor_of(an_officer("li", "clerk").user)
    owner = Actor(f"staff:{officer.pk}", frozenset({"staff.reset_second_factor"}))
    an_authenticator(officer.user)
    refused: tuple[tuple[Actor, Actor | None, str, str], ...] = (
        (owner, second, "lost", "OWN_SECOND_FACTOR"),
        (admin, owner, "lost", "OWN_SECOND_FACTOR"),
        (clerk, second, "lost", "NOT_PERMITTED"),
        (admin, clerk, "lost", "NOT_PERMITTED"),
        (admin, admin, "lost", "MAKER_IS_CHECKER"),
        (admin, None, "lost", "SECOND_OFFICER_MISSING"),
        (admin, second, " ", "REASON_MISSING"),
    )
    for who, approves, reason, code in refused:
        with pytest.raises((NotPermitted, BadInput), match=code):
            actions.reset_second_factor(who, officer, reason, approved_by=approves)
    assert Authenticator.objects.filter(user=officer.user).exists()
    for _ in range(2):
        actions.reset_second_factor(admin, officer, "lost", approved_by=second)
    assert not Authenticator.objects.filter(user=officer.user).exists()
    told = [(fact.verb, fact.actor, fact.reason) for fact in audit.facts_about(f"staff:{officer.pk}")]
    assert told[0] == ("staff.reset_second_factor", admin.name, "lost")
    assert [verb for verb, _, _ in told].count("staff.reset_second_factor") == 1
    assert audit.facts_about(f"staff:{officer.pk}")[0].detail == {"sessions": 0, "approved_by": second.name}


def test_a_reset_ends_the_sessions_of_that_officer_and_nobody_elses() -> None:
    """Whoever has the lost authenticator may have a session with it, too."""
    zhou, gu = an_officer("zhou", "clerk"), an_officer("gu", "clerk")
    with face("staff"):
        theirs, other = a_staff_client(zhou), a_staff_client(gu)
        assert [client.get("/").status_code for client in (theirs, other)] == [200, 200]
        actions.reset_second_factor(SYSTEM, zhou, "lost")
        assert theirs.get("/")["Location"] == "/sign-in/?next=/"
        assert other.get("/").status_code == 200
    assert audit.facts_about(f"staff:{zhou.pk}")[0].detail == {"sessions": 1}


def test_after_a_reset_the_next_sign_in_sets_up_another() -> None:
    officer = an_officer("zhou", "clerk")
    an_authenticator(officer.user)
    assert command.reset_second_factor(Namespace(username="zhou", reason="lost")) == 0
    with face("staff"):
        client = Client()
        sign_in(client, "zhou")
        assert client.get("/")["Location"] == "/second-factor/"
    with pytest.raises(NotFound, match="OFFICER_UNKNOWN"):
        command.reset_second_factor(Namespace(username="nobody", reason="lost"))


def test_a_role_ends_with_its_last_day() -> None:
    officer = an_officer("zhou")
    today = clock.today()
    actions.assign(SYSTEM, officer, "clerk", "3206", until=today)
    assert queries.actor_of(officer.user).holds("holders.read")
    Assignment.objects.filter(officer=officer).update(until=today - dt.timedelta(days=1))
    assert not queries.actor_of(officer.user).holds("holders.read")
    actions.assign(SYSTEM, officer, "clerk", "3206", until=today + dt.timedelta(days=30))
    assert Assignment.objects.filter(officer=officer).count() == 1
    assert queries.actor_of(officer.user).holds("holders.read")
    with pytest.raises(BadInput, match="DAY_PAST"):
        actions.assign(SYSTEM, officer, "clerk", "3206", until=today - dt.timedelta(days=1))


def test_nobody_assigns_for_longer_than_they_may_themselves() -> None:
    last = clock.today() + dt.timedelta(days=10)
    gu, other = an_officer("gu"), an_officer("zhou")
    actions.assign(SYSTEM, gu, "administrator", "3206", until=last)
    admin = queries.actor_of(gu.user)
    for until in (None, last + dt.timedelta(days=1)):
        with pytest.raises(NotPermitted, match="BEYOND_OWN_DAYS"):
            actions.assign(admin, other, "clerk", "320612", until=until)
    actions.assign(admin, other, "clerk", "320612", until=last)
    actions.assign(SYSTEM, gu, "administrator", "320612")
    actions.assign(queries.actor_of(gu.user), other, "clerk", "320612")
    assert Assignment.objects.get(officer=other).until is None


def test_an_invited_officer_sets_a_password_once() -> None:
    officer = an_officer("zhou", "clerk")
    first, code = (actions.invite(SYSTEM, officer) for _ in range(2))
    assert Invitation.objects.count() == 1
    for name, typed in (("zhou", first), ("gu", code), ("zhou", "x"), ("zhou", "")):
        assert not actions.accept(name, typed, "a-new-password-of-mine")
    with face("staff"):
        client = a_staff_client(officer)
        assert actions.accept("zhou", code.lower(), "a-new-password-of-mine")
        assert client.get("/").status_code == 302
    assert not actions.accept("zhou", code, "another-password-of-mine")
    officer.user.refresh_from_db()
    assert officer.user.check_password("a-new-password-of-mine")
    told = [(fact.verb, fact.actor) for fact in audit.facts_about(f"staff:{officer.pk}")][:2]
    assert told == [("staff.accept_invitation", f"staff:{officer.pk}"), ("staff.invite", SYSTEM.name)]


def test_an_invitation_lapses_and_a_suspended_officer_has_none() -> None:
    officer = an_officer("zhou", "clerk")
    code = actions.invite(SYSTEM, officer)
    Invitation.objects.update(expires_at=clock.now())
    assert not actions.accept("zhou", code, "a-new-password-of-mine")
    code = actions.invite(SYSTEM, officer)
    actions.suspend(SYSTEM, officer, "on leave")
    officer.refresh_from_db()
    assert not actions.accept("zhou", code, "a-new-password-of-mine")
    with pytest.raises(Conflict, match="OFFICER_SUSPENDED"):
        actions.invite(SYSTEM, officer)


def test_suspending_ends_sessions_and_restoring_gives_everything_back() -> None:
    officer = an_officer("zhou", "clerk")
    with face("staff"):
        client = a_staff_client(officer)
        with pytest.raises(BadInput, match="REASON_MISSING"):
            actions.suspend(SYSTEM, officer, " ")
        for _ in range(2):
            actions.suspend(SYSTEM, officer, "on leave")
        assert client.get("/")["Location"].startswith("/sign-in/")
        for _ in range(2):
            actions.restore(SYSTEM, officer, "back")
        cache.clear()  # a code is good once; nobody waits here for the next
        assert a_staff_client(officer).get("/holders/").status_code == 200
    told = [(fact.verb, fact.reason) for fact in audit.facts_about(f"staff:{officer.pk}")][:2]
    assert told == [("staff.restore", "back"), ("staff.suspend", "on leave")]


def test_sessions_are_ended_for_a_reason() -> None:
    officer = an_officer("zhou", "clerk")
    with face("staff"):
        client = a_staff_client(officer)
        with pytest.raises(BadInput, match="REASON_MISSING"):
            actions.end_sessions(SYSTEM, officer, "")
        assert [actions.end_sessions(SYSTEM, officer, "left open") for _ in range(2)] == [1, 0]
        assert client.get("/")["Location"].startswith("/sign-in/")
    assert [fact.verb for fact in audit.facts_about(f"staff:{officer.pk}")].count("staff.end_sessions") == 1
