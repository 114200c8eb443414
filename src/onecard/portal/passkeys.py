"""Pages of passkeys: signing in with one, and adding, naming and removing mine."""

from typing import cast

from allauth.core.ratelimit import consume
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from onecard.foundation.actors import Actor
from onecard.foundation.web import browsers
from onecard.foundation.web.links import next_of
from onecard.kernel.audit import actions as audit
from onecard.kernel.holders import queries as holders
from onecard.kernel.signins import passkeys
from onecard.kernel.signins.forms import PasskeyForm
from onecard.kernel.signins.models import Kind, User
from onecard.portal import sessions
from onecard.portal.access import anyone, holder_only


@holder_only
@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: HttpRequest) -> HttpResponse:
    """My passkeys, ten at most; add the one that this browser made."""
    user = cast(User, request.user)
    if request.method == "POST":
        with transaction.atomic():
            added = passkeys.add(user, _answered(request), browsers.name_of(request))
            _record(request, "add_passkey", added.pk)
        messages.success(request, _("通行密钥已添加。下次登录可以直接用它，短信登录照样可用。"))
        return redirect("portal_passkeys")
    page = {"rows": [passkeys.listed(each) for each in passkeys.of_user(user)], "many": passkeys.OF_ONE_MAX}
    return render(request, "passkeys.html", page)


@holder_only
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """What the browser is to make a passkey by."""
    line = holders.by_id(Actor("portal", frozenset({"holders.read"})), request.holder_id)  # type: ignore[attr-defined]
    shown_as = f"{line.name} {line.number}" if line else ""
    return JsonResponse(passkeys.begin_adding(cast(User, request.user), shown_as))


@holder_only
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, passkey_id: int) -> HttpResponse:
    """One of my passkeys: give it a name."""
    passkey = passkeys.one(cast(User, request.user), passkey_id)
    form = PasskeyForm(request.POST or None, initial={"name": passkey.wrap().name})
    if form.is_valid():
        passkeys.rename(passkey, form.cleaned_data["name"])
        messages.success(request, _("名称已更改。"))
        return redirect("portal_passkeys")
    status = 422 if request.method == "POST" else 200
    return render(request, "passkey.html", {"form": form, "row": passkeys.listed(passkey)}, status=status)


@holder_only
@require_POST
@transaction.atomic
def remove(request: HttpRequest, passkey_id: int) -> HttpResponse:
    """Remove one of my passkeys: nobody signs in with it from now on."""
    passkeys.remove(cast(User, request.user), passkey_id)
    _record(request, "remove_passkey", passkey_id)
    messages.success(request, _("通行密钥已删除，不能再用它登录。"))
    return redirect("portal_passkeys")


@anyone
@never_cache
@require_POST
def begin_entering(request: HttpRequest) -> HttpResponse:
    """What the browser is to sign in by. Says nothing of anybody: whose passkey it is, the browser knows."""
    if not consume(request, action="passkey"):
        return JsonResponse({"code": "TOO_MANY"}, status=429)
    return JsonResponse(passkeys.begin_entering())


@anyone
@never_cache
@require_POST
def enter(request: HttpRequest) -> HttpResponse:
    """Open the session of the resident whose passkey signed."""
    user = passkeys.prove(_answered(request), Kind.HOLDER) if consume(request, action="passkey") else None
    if user is None or user.holder_id is None or not holders.is_alive(user.holder_id):
        messages.warning(request, _("没能用通行密钥登录。请再试一次，或改用短信验证码。"))
        return redirect("portal_sign_in")
    passkeys.enter(request, user)
    sessions.begin(request)
    return redirect(next_of(request) or "portal_cards")


def offer(request: HttpRequest, user: User) -> None:
    """After signing in by short message: say once that there is a shorter way, if they have none."""
    if not passkeys.of_user(user).exists():
        said = _("下次登录可以不等短信：")
        link = reverse("portal_passkeys")
        messages.info(request, format_html('{}<a href="{}">{}</a>', said, link, _("添加通行密钥")))


def _answered(request: HttpRequest) -> str:
    return request.POST.get("credential", "")


def _record(request: HttpRequest, verb: str, passkey_id: int) -> None:
    subject = f"holder:{request.holder_id}"  # type: ignore[attr-defined]
    audit.record(request.actor, f"signins.{verb}", subject, detail={"passkey": passkey_id})  # type: ignore[attr-defined]
