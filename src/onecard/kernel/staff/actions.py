"""Verbs of the staff: appoint, invite, assign, withdraw, suspend, restore, end sessions, reset a lost second factor."""

import datetime as dt

from allauth.mfa.models import Authenticator
from django.db import IntegrityError, transaction

from onecard.foundation import clock
from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, Conflict, NotFound, NotPermitted
from onecard.kernel.audit import actions as audit
from onecard.kernel.signins import factors, invitations
from onecard.kernel.signins.models import Kind, User
from onecard.kernel.signins.sessions.staff import end_all
from onecard.kernel.staff.models import Assignment, Officer, Role
from onecard.kernel.staff.queries import StaffActor


@transaction.atomic
def appoint(actor: Actor, *, username: str, password: str | None, display_name: str, department: str = "") -> Officer:
    """Make an officer and their sign-in; without a password nobody can sign in until one is set.

    Needs staff.appoint everywhere. Raises Conflict USERNAME_TAKEN.
    """
    actor.require("staff.appoint")
    try:
        with transaction.atomic():
            user = User.objects.create_user(username, password, kind=Kind.STAFF)
    except IntegrityError:
        raise Conflict(
            "USERNAME_TAKEN",
            "用户名已被使用。",
            "This username is taken.",
            next_zh="请换一个用户名。",
            next_en="Choose another username.",
        ) from None
    officer = Officer.objects.create(user=user, display_name=display_name, department=department)
    audit.record(actor, "staff.appoint", f"staff:{officer.pk}")
    return officer


@transaction.atomic
def invite(actor: Actor, officer: Officer) -> str:
    """Make the code by which an officer sets their own password, once; it is in no table and no fact.

    Needs staff.appoint everywhere. Raises NotPermitted OWN_ROLE, Conflict OFFICER_SUSPENDED.
    """
    actor.require("staff.appoint")
    _refuse_own(actor, officer)
    if not officer.is_active:
        raise Conflict(
            "OFFICER_SUSPENDED",
            "该工作人员已停用。",
            "This officer is suspended.",
            next_zh="请先恢复。",
            next_en="Restore them first.",
        )
    code = invitations.make(officer.user_id)
    audit.record(actor, "staff.invite", f"staff:{officer.pk}")
    return code


@transaction.atomic
def accept(username: str, code: str, password: str) -> bool:
    """Let an invited officer set their password; every session that they had ends. False: name and code do not fit.

    The password is as strong as the caller made sure.
    """
    user = invitations.accept(username, code, password)
    officer = Officer.objects.filter(user=user).first() if user is not None else None
    if user is None or officer is None:
        return False
    end_all(user.pk)
    audit.record(Actor(f"staff:{officer.pk}"), "staff.accept_invitation", f"staff:{officer.pk}")
    return True


@transaction.atomic
def assign(
    actor: Actor, officer: Officer, role_code: str, place: str, department: str = "", until: dt.date | None = None
) -> Assignment:
    """Give an officer a role in a place (GB/T 2260 prefix), up to and including a day or for good. Assigning what is
    held already until that day changes nothing; another day takes the place of the one before.

    Needs staff.assign there, for as long. Raises NotFound ROLE_UNKNOWN, NotPermitted OWN_ROLE or BEYOND_OWN_DAYS,
    BadInput PLACE_MALFORMED or DAY_PAST.
    """
    actor.require("staff.assign", place)
    _refuse_own(actor, officer)
    _check_place(place)
    _check_until(actor, place, until)
    role = _role(role_code)
    Officer.objects.select_for_update(no_key=True).get(pk=officer.pk)  # who gives it at once waits
    held = Assignment.objects.filter(officer=officer, role=role, place=place).first()
    if held is not None and held.until == until:
        return held
    if held is not None:
        held.delete()
    made = Assignment.objects.create(officer=officer, role=role, place=place, department=department, until=until)
    detail = {"role": role_code, "scope": place} | ({"until": until.isoformat()} if until else {})
    audit.record(actor, "staff.assign", f"staff:{officer.pk}", place=place, detail=detail)
    return made


@transaction.atomic
def withdraw(actor: Actor, officer: Officer, role_code: str, place: str) -> None:
    """Take a role away in a place. Withdrawing what is not held changes nothing. Needs staff.assign there."""
    actor.require("staff.assign", place)
    _refuse_own(actor, officer)
    gone, _ = Assignment.objects.filter(officer=officer, role=_role(role_code), place=place).delete()
    if gone:
        detail = {"role": role_code, "scope": place}
        audit.record(actor, "staff.withdraw", f"staff:{officer.pk}", place=place, detail=detail)


@transaction.atomic
def suspend(actor: Actor, officer: Officer, reason: str) -> None:
    """Close an officer's sign-in and end their sessions; their permissions rest. Repeating changes nothing.

    Needs staff.appoint everywhere. Raises NotPermitted OWN_ROLE, BadInput REASON_MISSING.
    """
    actor.require("staff.appoint")
    _refuse_own(actor, officer)
    _check_reason(reason)
    if not Officer.objects.filter(pk=officer.pk, is_active=True).update(is_active=False):
        return
    User.objects.filter(pk=officer.user_id).update(is_active=False)
    invitations.void(officer.user_id)
    ended = end_all(officer.user_id)
    audit.record(actor, "staff.suspend", f"staff:{officer.pk}", reason=reason, detail={"sessions": ended})


@transaction.atomic
def restore(actor: Actor, officer: Officer, reason: str) -> None:
    """Open a suspended officer's sign-in again, with the password, second factor and roles they had.

    Needs staff.appoint everywhere. Raises NotPermitted OWN_ROLE, BadInput REASON_MISSING.
    """
    actor.require("staff.appoint")
    _refuse_own(actor, officer)
    _check_reason(reason)
    if Officer.objects.filter(pk=officer.pk, is_active=False).update(is_active=True):
        User.objects.filter(pk=officer.user_id).update(is_active=True)
        audit.record(actor, "staff.restore", f"staff:{officer.pk}", reason=reason)


@transaction.atomic
def end_sessions(actor: Actor, officer: Officer, reason: str) -> int:
    """End every session of an officer; how many. Their next request has to sign in.

    Needs staff.end_sessions everywhere. Raises BadInput REASON_MISSING.
    """
    actor.require("staff.end_sessions")
    _check_reason(reason)
    ended = end_all(officer.user_id)
    if ended:
        audit.record(actor, "staff.end_sessions", f"staff:{officer.pk}", reason=reason, detail={"sessions": ended})
    return ended


@transaction.atomic
def reset_second_factor(actor: Actor, officer: Officer, reason: str, *, approved_by: Actor | None = None) -> None:
    """Forget an officer's authenticator and passkeys and end their sessions; their next sign-in sets up another second
    factor. Where there is none nothing changes.

    Until then their password alone opens the set-up page, so make sure who asks. It takes two officers with
    staff.reset_second_factor everywhere, and neither is its owner; the command line acts alone. Raises NotPermitted
    OWN_SECOND_FACTOR, SECOND_OFFICER_MISSING or MAKER_IS_CHECKER, BadInput REASON_MISSING.
    """
    if f"staff:{officer.pk}" in (actor.name, approved_by.name if approved_by else ""):
        raise NotPermitted(
            "OWN_SECOND_FACTOR",
            "不能重置自己的第二步验证。",
            "Nobody resets their own second factor.",
            next_zh="请由另外两位管理员办理。",
            next_en="Ask two other administrators.",
        )
    _require_two(actor, approved_by)
    _check_reason(reason)
    factors.lock(officer.user)
    forgotten, _ = Authenticator.objects.filter(user_id=officer.user_id).delete()
    if forgotten:
        detail = {"sessions": end_all(officer.user_id)} | ({"approved_by": approved_by.name} if approved_by else {})
        audit.record(actor, "staff.reset_second_factor", f"staff:{officer.pk}", reason=reason, detail=detail)


def _require_two(actor: Actor, approved_by: Actor | None) -> None:
    actor.require("staff.reset_second_factor")
    if approved_by is not None:
        actor.require_two("staff.reset_second_factor", "", approved_by)
    elif actor.is_officer:
        raise NotPermitted(
            "SECOND_OFFICER_MISSING",
            "此业务须两人办理。",
            "This takes two officers.",
            next_zh="请由另一位有此权限的工作人员复核。",
            next_en="Have another officer with this permission approve it.",
        )


def _check_place(place: str) -> None:
    if place and not (place.isascii() and place.isdecimal() and len(place) in (2, 4, 6)):
        raise BadInput(
            "PLACE_MALFORMED", "管辖范围应为行政区划代码前缀。", "A scope is a GB/T 2260 prefix of 2, 4 or 6 digits."
        )


def _check_until(actor: Actor, place: str, until: dt.date | None) -> None:
    """A day that is not over, and not beyond the last one on which the officer may assign there themselves."""
    if until is not None and until < clock.today():
        raise BadInput("DAY_PAST", "截止日期已经过去。", "The last day is over.")
    own = actor.until_of("staff.assign", place) if isinstance(actor, StaffActor) else None
    if own is not None and (until is None or until > own):
        raise NotPermitted(
            "BEYOND_OWN_DAYS",
            f"您自己的授权到{own.isoformat()}为止，不能授予更久。",
            f"You may assign until {own.isoformat()} yourself, and no longer for others.",
            next_zh="请选择更早的截止日期。",
            next_en="Choose an earlier last day.",
        )


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise BadInput("REASON_MISSING", "请填写原因。", "Give a reason.")


def _role(code: str) -> Role:
    try:
        return Role.objects.get(code=code)
    except Role.DoesNotExist:
        raise NotFound("ROLE_UNKNOWN", f"没有角色 {code}。", f"There is no role {code}.") from None


def _refuse_own(actor: Actor, officer: Officer) -> None:
    if actor.name == f"staff:{officer.pk}":
        raise NotPermitted(
            "OWN_ROLE",
            "不能变更自己的角色。",
            "Nobody changes their own roles.",
            next_zh="请由另一位管理员办理。",
            next_en="Ask another administrator.",
        )
