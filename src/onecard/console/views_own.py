"""Pages of one's own sign-in: the authenticator, and passkeys to add, name and remove."""

from typing import cast

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onecard.console import confirming
from onecard.console.access import ANY_OFFICER, needs
from onecard.console.page import actor_at, page_of
from onecard.console.refusing import told
from onecard.foundation.errors import BadInput
from onecard.foundation.web import browsers
from onecard.kernel.audit import actions as audit
from onecard.kernel.signins import factors, passkeys
from onecard.kernel.signins.forms import PasskeyForm
from onecard.kernel.signins.models import User
from onecard.kernel.signins.sessions.staff import end_all
from onecard.kernel.staff.queries import officer_of


@needs(ANY_OFFICER)
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """How I sign in: my authenticator, and my passkeys, ten at most."""
    user = _me(request)
    page = page_of(
        request,
        "own",
        rows=[passkeys.listed(each) for each in passkeys.of_user(user)],
        many=passkeys.OF_ONE_MAX,
        authenticator=factors.authenticator_of(user),
        may_add=factors.may_add(request),
    )
    return render(request, "own_sign_in.html", page)


@needs(ANY_OFFICER)
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """What the browser is to make a passkey by."""
    confirming.require(request)
    user = _me(request)
    return JsonResponse(passkeys.begin_adding(user, f"{officer_of(user).display_name} {user.username}"))


@needs(ANY_OFFICER)
@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Keep the passkey that this browser made. Where it is the first second factor it opens the house."""
    user = _me(request)
    try:
        with transaction.atomic():
            is_first = confirming.begin(request, user)
            added = passkeys.add(user, request.POST.get("credential", ""), browsers.name_of(request))
            _record(request, "add_passkey", added.pk)
    except BadInput as refused:
        messages.warning(request, told(refused))
        return redirect("mfa_activate_totp" if is_first else "console_own_sign_in")
    factors.note_shown(request, user, added.type)
    messages.success(request, _("通行密钥已添加。下次登录可以直接用它，不用密码和验证码。"))
    return redirect("console_home" if is_first else "console_own_sign_in")


@needs(ANY_OFFICER)
@require_http_methods(["GET", "HEAD", "POST"])
def passkey(request: HttpRequest, passkey_id: int) -> HttpResponse:
    """One of my passkeys: give it a name."""
    user = _me(request)
    found = passkeys.one(user, passkey_id)
    form = PasskeyForm(request.POST or None, initial={"name": found.wrap().name})
    if form.is_valid():
        with transaction.atomic():
            passkeys.rename(found, form.cleaned_data["name"])
            _record(request, "rename_passkey", passkey_id)
        messages.success(request, _("名称已更改。"))
        return redirect("console_own_sign_in")
    page = page_of(request, "own", form=form, row=passkeys.listed(found), is_last=passkeys.is_last_factor(user, found))
    return render(request, "own_passkey.html", page, status=422 if request.method == "POST" else 200)


@needs(ANY_OFFICER)
@require_POST
@transaction.atomic
def remove(request: HttpRequest, passkey_id: int) -> HttpResponse:
    """Remove one of my passkeys. What it opened elsewhere ends with it."""
    user = _me(request)
    passkeys.remove(user, passkey_id)
    end_all(user.pk, but=request.session.session_key)
    _record(request, "remove_passkey", passkey_id)
    messages.success(request, _("通行密钥已删除，不能再用它登录；您在别处的登录已经结束。"))
    return redirect("console_own_sign_in")


def _me(request: HttpRequest) -> User:
    return cast(User, request.user)


def _record(request: HttpRequest, verb: str, passkey_id: int) -> None:
    actor = actor_at(request)
    audit.record(actor, f"signins.{verb}", actor.name, detail={"passkey": passkey_id})
