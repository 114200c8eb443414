"""Verbs of the staff: appoint, assign, withdraw, dismiss, reset a lost second factor."""

from allauth.mfa.models import Authenticator
from django.db import transaction

from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, Conflict, NotFound, NotPermitted
from onecard.kernel.audit import actions as audit
from onecard.kernel.signins.models import Kind, User
from onecard.kernel.signins.sessions.staff import end_all
from onecard.kernel.staff.models import Assignment, Officer, Role


@transaction.atomic
def appoint(actor: Actor, *, username: str, password: str | None, display_name: str, department: str = "") -> Officer:
    """Make an officer and their sign-in; without a password nobody can sign in until one is set.

    Needs staff.appoint everywhere. Raises Conflict USERNAME_TAKEN.
    """
    actor.require("staff.appoint")
    if User.objects.filter(username=username).exists():
        raise Conflict(
            "USERNAME_TAKEN",
            "用户名已被使用。",
            "This username is taken.",
            next_zh="请换一个用户名。",
            next_en="Choose another username.",
        )
    user = User.objects.create_user(username, password, kind=Kind.STAFF)
    officer = Officer.objects.create(user=user, display_name=display_name, department=department)
    audit.record(actor, "staff.appoint", f"staff:{officer.pk}")
    return officer


@transaction.atomic
def assign(actor: Actor, officer: Officer, role_code: str, place: str, department: str = "") -> Assignment:
    """Give an officer a role in a place (GB/T 2260 prefix). Assigning what is held already changes nothing.

    Needs staff.assign there. Raises NotFound ROLE_UNKNOWN, NotPermitted OWN_ROLE, BadInput PLACE_MALFORMED.
    """
    actor.require("staff.assign", place)
    _refuse_own(actor, officer)
    if place and not (place.isdecimal() and len(place) in (2, 4, 6)):
        raise BadInput(
            "PLACE_MALFORMED", "管辖范围应为行政区划代码前缀。", "A scope is a GB/T 2260 prefix of 2, 4 or 6 digits."
        )
    held, new = Assignment.objects.get_or_create(
        officer=officer, role=_role(role_code), place=place, defaults={"department": department}
    )
    if new:
        audit.record(actor, "staff.assign", f"staff:{officer.pk}", detail={"role": role_code, "scope": place})
    return held


@transaction.atomic
def withdraw(actor: Actor, officer: Officer, role_code: str, place: str) -> None:
    """Take a role away in a place. Withdrawing what is not held changes nothing. Needs staff.assign there."""
    actor.require("staff.assign", place)
    _refuse_own(actor, officer)
    gone, _ = Assignment.objects.filter(officer=officer, role=_role(role_code), place=place).delete()
    if gone:
        audit.record(actor, "staff.withdraw", f"staff:{officer.pk}", detail={"role": role_code, "scope": place})


@transaction.atomic
def dismiss(actor: Actor, officer: Officer, reason: str) -> None:
    """End an officer's service: their sign-in closes with the next request. Needs staff.appoint everywhere."""
    actor.require("staff.appoint")
    _refuse_own(actor, officer)
    Officer.objects.filter(pk=officer.pk).update(is_active=False)
    User.objects.filter(pk=officer.user_id).update(is_active=False)
    audit.record(actor, "staff.dismiss", f"staff:{officer.pk}", reason=reason)


@transaction.atomic
def reset_second_factor(actor: Actor, officer: Officer, reason: str) -> None:
    """Forget an officer's authenticator and end their sessions; their next sign-in sets up another. Where there is none
    nothing changes.

    Until then their password alone opens the set-up page, so make sure who asks. Needs staff.reset_second_factor
    everywhere, and is never for oneself. Raises NotPermitted OWN_SECOND_FACTOR, BadInput REASON_MISSING.
    """
    actor.require("staff.reset_second_factor")
    if actor.name == f"staff:{officer.pk}":
        raise NotPermitted(
            "OWN_SECOND_FACTOR",
            "不能重置自己的身份验证器。",
            "Nobody resets their own second factor.",
            next_zh="请由另一位管理员办理。",
            next_en="Ask another administrator.",
        )
    if not reason.strip():
        raise BadInput("REASON_MISSING", "请填写原因。", "Give a reason.")
    forgotten, _ = Authenticator.objects.filter(user_id=officer.user_id).delete()
    if forgotten:
        ended = end_all(officer.user_id)
        audit.record(
            actor, "staff.reset_second_factor", f"staff:{officer.pk}", reason=reason, detail={"sessions": ended}
        )


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
