"""Pages of officers: the register, one with roles and sign-in, roles in words, and an invited officer's password."""

from collections.abc import Callable
from typing import Any

from allauth.core.ratelimit import consume
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onecard.console import staffing
from onecard.console.access import anyone, needs
from onecard.console.forms import AppointForm, AssignForm, FirstSignInForm, ReasonForm
from onecard.console.page import actor_at, page_of
from onecard.console.refusing import done, said, told
from onecard.console.second import SecondOfficerForm
from onecard.foundation.actors import Actor
from onecard.foundation.errors import Conflict
from onecard.foundation.web.jinja import words
from onecard.foundation.web.links import text_in
from onecard.kernel.staff import actions
from onecard.kernel.staff.models import Officer

# The scope that has no digits, as the form names it: nobody chooses it by choosing nothing.
EVERYWHERE = "everywhere"


@needs("staff.read")
@require_safe
def officers(request: HttpRequest) -> HttpResponse:
    """Officers by id, a page at a time."""
    page = page_of(request, "officers", states=staffing.STATES.items(), roles=staffing.ROLE_CHOICES)
    page["listing"] = staffing.listing(page["actor"], staffing.chosen(request.GET))
    return render(request, "officers.html", page)


@needs("staff.read")
@require_safe
def roles(request: HttpRequest) -> HttpResponse:
    """All roles with what they permit, in words."""
    return render(request, "roles.html", page_of(request, "officers", roles=staffing.roles()))


@needs("staff.appoint")
@require_http_methods(["GET", "HEAD", "POST"])
def appoint(request: HttpRequest) -> HttpResponse:
    """Appoint an officer. The answer shows, once, the code by which they set their password."""
    actor_at(request).require("staff.appoint")
    form = AppointForm(request.POST or None)
    if form.is_valid():
        made = said(form, "username", lambda: _appointed(actor_at(request), form.cleaned_data))
        if made is not None:
            return _invited(request, *made)
    page = page_of(request, "officers", form=form)
    return render(request, "appoint.html", page, status=422 if form.errors else 200)


@transaction.atomic
def _appointed(actor: Actor, asked: dict[str, Any]) -> tuple[Officer, str]:
    officer = actions.appoint(actor, password=None, **asked)
    return officer, actions.invite(actor, officer)


@needs("staff.read")
@require_safe
def officer(request: HttpRequest, officer_id: int) -> HttpResponse:
    """One officer."""
    return render(request, "officer.html", _officer_page(request, officer_id))


@needs("staff.appoint")
@require_POST
def invite(request: HttpRequest, officer_id: int) -> HttpResponse:
    """Make another code by which an officer sets their password; the answer shows it once."""
    found = staffing.found_by(actor_at(request), officer_id).officer
    try:
        return _invited(request, found, actions.invite(actor_at(request), found))
    except Conflict as refused:
        messages.warning(request, told(refused))
        return redirect("console_officer", officer_id)


def _invited(request: HttpRequest, officer: Officer, code: str) -> HttpResponse:
    page = _officer_page(request, officer.pk, code=code)
    return render(request, "officer.html", page)


@needs("staff.assign")
@require_POST
def assign(request: HttpRequest, officer_id: int) -> HttpResponse:
    """Give an officer a role in a place, until a day or for good."""
    found = staffing.found_by(actor_at(request), officer_id).officer
    form = _assign_form(request, request.POST)
    if form.is_valid():
        asked, actor = form.cleaned_data, actor_at(request)
        place = "" if asked["place"] == EVERYWHERE else asked["place"]
        if said(form, "until", lambda: actions.assign(actor, found, asked["role"], place, until=asked["until"])):
            messages.success(request, _("已授予角色。"))
            return redirect("console_officer", officer_id)
    return render(request, "officer.html", _officer_page(request, officer_id, assign_form=form), status=422)


@needs("staff.assign")
@require_POST
def withdraw(request: HttpRequest, officer_id: int) -> HttpResponse:
    """Take a role away from an officer in a place."""
    found = staffing.found_by(actor_at(request), officer_id).officer
    role, place = (text_in(request.POST.get(name, ""), 64) for name in ("role", "place"))
    actions.withdraw(actor_at(request), found, role, place)
    messages.success(request, _("已收回角色。"))
    return redirect("console_officer", officer_id)


@needs("staff.appoint")
@require_http_methods(["GET", "HEAD", "POST"])
def suspend(request: HttpRequest, officer_id: int) -> HttpResponse:
    """Suspend an officer for a reason."""
    return _for_a_reason(request, officer_id, "suspend", actions.suspend)


@needs("staff.appoint")
@require_http_methods(["GET", "HEAD", "POST"])
def restore(request: HttpRequest, officer_id: int) -> HttpResponse:
    """Restore a suspended officer for a reason."""
    return _for_a_reason(request, officer_id, "restore", actions.restore)


@needs("staff.end_sessions")
@require_http_methods(["GET", "HEAD", "POST"])
def end_sessions(request: HttpRequest, officer_id: int) -> HttpResponse:
    """End an officer's sessions for a reason."""
    return _for_a_reason(request, officer_id, "end_sessions", actions.end_sessions)


@needs("staff.reset_second_factor")
@require_http_methods(["GET", "HEAD", "POST"])
def reset(request: HttpRequest, officer_id: int) -> HttpResponse:
    """Forget an officer's authenticator and passkeys, for a reason and with a second officer."""

    def do(actor: Actor, found: Officer, reason: str) -> None:
        actions.reset_second_factor(actor, found, reason, approved_by=second.actor)

    # A code is good once: it is not looked at before the rest is right.
    signed = request.POST if request.method == "POST" and ReasonForm(request.POST).is_valid() else None
    second = SecondOfficerForm(signed, request=request)
    return _for_a_reason(request, officer_id, "reset_second_factor", do, second)


def _for_a_reason(
    request: HttpRequest,
    officer_id: int,
    step: str,
    do: Callable[[Actor, Officer, str], object],
    second: SecondOfficerForm | None = None,
) -> HttpResponse:
    """What it does and the form that asks why; then the officer's page again."""
    actor, permission = actor_at(request), staffing.STEPS[step].permission
    actor.require(permission)
    shown, form = staffing.one(actor, officer_id), ReasonForm(request.POST or None)
    if form.is_valid() and (second is None or (second.is_valid() and second.may(actor, permission))):
        found, reason = staffing.found_by(actor, officer_id).officer, form.cleaned_data["reason"]
        if done(form, "reason", lambda: do(actor, found, reason)):
            messages.success(request, _("已办理：%(step)s。") % {"step": words(staffing.STEPS[step].name)})
            return redirect("console_officer", officer_id)
    page = page_of(request, "officers", shown=shown, step=staffing.STEPS[step], form=form, second=second)
    wrong = form.errors or (second is not None and second.errors)
    return render(request, "officer_step.html", page, status=422 if wrong else 200)


def _officer_page(
    request: HttpRequest, officer_id: int, *, code: str = "", assign_form: AssignForm | None = None
) -> dict[str, Any]:
    shown = staffing.one(actor_at(request), officer_id)
    return page_of(request, "officers", shown=shown, code=code, assign_form=assign_form or _assign_form(request, None))


def _assign_form(request: HttpRequest, data: Any) -> AssignForm:
    named = [(code, words(name)) for code, name in staffing.ROLE_CHOICES]
    places = [(prefix or EVERYWHERE, words(name)) for prefix, name in staffing.scopes(actor_at(request))]
    return AssignForm(data, roles=named, places=places)


@anyone
@require_http_methods(["GET", "HEAD", "POST"])
def first_sign_in(request: HttpRequest) -> HttpResponse:
    """An invited officer sets their password; then they sign in, and set up the second factor."""
    form = FirstSignInForm(request.POST or None)
    if form.is_valid():
        asked = form.cleaned_data
        if not consume(request, action="first_sign_in", key=asked["username"]):
            form.add_error(None, _("尝试次数过多，请十五分钟后再试。"))
        elif actions.accept(asked["username"], asked["code"], asked["password"]):
            messages.success(request, _("密码已设置。请登录，然后设置第二步验证。"))
            return redirect("account_login")
        else:
            form.add_error("code", _("用户名与首次登录码不符，或登录码已过期、已用过。请核对，或请管理员重新生成。"))
    return render(request, "first_sign_in.html", {"form": form}, status=422 if form.errors else 200)
