"""Roles and scopes: what reaches where, who may change whom, and what the trail tells."""

from argparse import Namespace

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from tests.foundation.web.faces import SYSTEM, a_staff_client, an_authenticator, an_officer, face, sign_in

from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, Conflict, NotFound, NotPermitted
from onecard.kernel.audit import queries as audit
from onecard.kernel.signins.models import Kind, User
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
    actions.dismiss(SYSTEM, officer, "left")
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
        lambda: actions.dismiss(actor, officer, "-"),
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
    officer, admin = an_officer("zhou", "clerk"), queries.actor_of(an_officer("gu", "administrator", place="").user)
    an_authenticator(officer.user)
    with pytest.raises(NotPermitted, match="OWN_SECOND_FACTOR"):
        actions.reset_second_factor(
            Actor(f"staff:{officer.pk}", frozenset({"staff.reset_second_factor"})), officer, "lost"
        )
    with pytest.raises(NotPermitted, match="NOT_PERMITTED"):
        actions.reset_second_factor(queries.actor_of(officer.user), officer, "lost")
    with pytest.raises(BadInput, match="REASON_MISSING"):
        actions.reset_second_factor(admin, officer, " ")
    assert Authenticator.objects.filter(user=officer.user).exists()
    for _ in range(2):
        actions.reset_second_factor(admin, officer, "lost")
    assert not Authenticator.objects.filter(user=officer.user).exists()
    told = [(fact.verb, fact.actor, fact.reason) for fact in audit.facts_about(f"staff:{officer.pk}")]
    assert told[0] == ("staff.reset_second_factor", admin.name, "lost")
    assert [verb for verb, _, _ in told].count("staff.reset_second_factor") == 1


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
