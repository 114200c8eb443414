"""Two people at one officer, or one who presses twice: who comes second waits, and finds what the first has done."""

import pytest
from django.db import transaction
from tests.foundation.web.faces import PASSWORD, SYSTEM, an_authenticator, an_officer
from tests.kernel.side import WAIT_S, Side

from onecard.foundation.errors import Conflict
from onecard.kernel.signins import factors, invitations
from onecard.kernel.signins.models import Invitation
from onecard.kernel.staff import actions
from onecard.kernel.staff.models import Assignment, Officer


def test_a_role_that_is_given_twice_at_once_is_given_once(side: Side) -> None:
    officer = an_officer("twice", "clerk", place="320602")
    with transaction.atomic():
        given = actions.assign(SYSTEM, officer, "clerk", "320613")
        second = side.start(lambda: actions.assign(SYSTEM, officer, "clerk", "320613"))
        side.wait_for_lock(second)
    assert second.result(WAIT_S) == given
    assert Assignment.objects.filter(officer=officer, place="320613").count() == 1


def test_of_two_who_choose_a_username_at_once_one_hears_that_it_is_taken(side: Side) -> None:
    def appoint() -> Officer:
        return actions.appoint(SYSTEM, username="wanted", password=None, display_name="试验")

    with transaction.atomic():
        appoint()
        second = side.start(appoint)
        side.wait_for_lock(second)
    with pytest.raises(Conflict, match="USERNAME_TAKEN"):
        second.result(WAIT_S)


def test_a_reset_takes_the_factor_that_is_being_added(side: Side) -> None:
    officer = an_officer("resets", "clerk")
    with transaction.atomic():
        factors.lock(officer.user)
        second = side.start(lambda: actions.reset_second_factor(SYSTEM, officer, "手机丢失"))
        side.wait_for_lock(second)
        an_authenticator(officer.user)
    second.result(WAIT_S)
    assert not factors.of_user(officer.user).exists()


def test_who_takes_up_an_invitation_takes_the_officer_first_as_a_suspension_does(side: Side) -> None:
    """The other way round the two would wait for one another, and one of them would fail."""
    officer = an_officer("invited", "clerk")
    with transaction.atomic():
        code = invitations.make(officer.user_id)

    def take_up() -> None:
        with transaction.atomic():
            invitations.accept("invited", code, PASSWORD)

    with transaction.atomic():
        factors.lock(officer.user)
        second = side.start(take_up)
        side.wait_for_lock(second)
        assert Invitation.objects.select_for_update(nowait=True).filter(user=officer.user).exists()
    second.result(WAIT_S)
    assert not Invitation.objects.filter(user=officer.user).exists()
