"""Pages of officers' sign-in: by passkey, the step after the password, the set-up of a second factor, and the proof
that whoever is signed in still sits there.
"""

from typing import Any, cast

from allauth.core.ratelimit import consume
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.views import ActivateTOTPView
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from onecard.console import confirming
from onecard.console.access import ANY_OFFICER, anyone, needs
from onecard.console.page import page_of
from onecard.foundation.errors import NotPermitted
from onecard.foundation.web.links import next_of
from onecard.kernel.audit import actions as audit
from onecard.kernel.signins import factors, passkeys
from onecard.kernel.signins.forms import SecondFactorForm
from onecard.kernel.signins.models import Kind, User
from onecard.kernel.staff.queries import actor_of

TOTP, WEBAUTHN = Authenticator.Type.TOTP.value, Authenticator.Type.WEBAUTHN.value


@anyone
@require_POST
def begin_entering(request: HttpRequest) -> HttpResponse:
    """What the browser is to sign by. Says nothing of anybody: whose passkey it is, the browser knows."""
    if not consume(request, action="passkey"):
        return JsonResponse({"code": "TOO_MANY"}, status=429)
    return JsonResponse(passkeys.begin_entering())


@anyone
@require_POST
def enter(request: HttpRequest) -> HttpResponse:
    """Open the session of the serving officer whose passkey signed: it is both factors at once."""
    user, wanted = _signed(request), next_of(request)
    if user is None:
        messages.warning(request, _("没能用通行密钥登录。请再试一次，或改用用户名和密码。"))
        return redirect_to_login(wanted) if wanted else redirect("account_login")
    passkeys.enter(request, user)
    return redirect(wanted or "console_home")


def _signed(request: HttpRequest) -> User | None:
    """The serving officer whose passkey signed; None for whoever else, and after too many tries."""
    answered = request.POST.get("credential", "")
    user = passkeys.prove(answered, Kind.STAFF) if consume(request, action="passkey") else None
    try:
        return user if user is not None and actor_of(user) else None
    except NotPermitted:
        return None


def _means_of(user: User) -> dict[str, bool]:
    """What a page may offer somebody to show as a second factor."""
    return {
        "has_authenticator": factors.authenticator_of(user) is not None,
        "has_passkeys": passkeys.of_user(user).exists(),
    }


class SecondStep(AuthenticateView):  # type: ignore[misc]  # allauth ships no types
    """As allauth's, for the code alone: a passkey beside it is the whole sign-in, and needs no password."""

    def _build_forms(self) -> Any:
        posted = self.request.POST if self.request.method == "POST" else None
        self.auth_form, self.webauthn_form = SecondFactorForm(posted, user=self.stage.login.user), None
        return self.auth_form

    def get_context_data(self, **values: Any) -> dict[str, Any]:
        page: dict[str, Any] = super().get_context_data(**values)
        login = self.stage.login
        return {**page, **_means_of(login.user), "next": login.redirect_url or ""}


class SetUpAuthenticator(ActivateTOTPView):  # type: ignore[misc]  # allauth ships no types
    """As allauth's. Setting up proves the code, so the session that did it has shown its second factor. Who has a
    passkey already confirms first that it is them.
    """

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not factors.may_add(request):
            return confirming.asked_first(request, request.path)
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def get_context_data(self, **values: Any) -> dict[str, Any]:
        page: dict[str, Any] = super().get_context_data(**values)
        return {**page, "is_first": not factors.of_user(self.request.user).exists()}

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        user = cast(User, self.request.user)
        is_first = confirming.begin(self.request, user)
        if factors.authenticator_of(user) is not None:  # sent twice, and the first has set it up
            return redirect("console_own_sign_in")
        response: HttpResponse = super().form_valid(form)
        factors.note_shown(self.request, user, TOTP)
        actor = actor_of(user)
        audit.record(actor, "signins.add_authenticator", actor.name)
        messages.success(self.request, _("身份验证器已绑定。"))
        return response if is_first else redirect("console_own_sign_in")


@needs(ANY_OFFICER)
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    """Ask the officer who is signed in to show once more that it is them, by password and code or by a passkey."""
    user, by_passkey = cast(User, request.user), "credential" in request.POST
    posted = request.POST if request.method == "POST" and not by_passkey else None
    form = confirming.ConfirmForm(posted, request=request)
    if by_passkey and _signed(request) == user:
        return _confirmed(request, WEBAUTHN)
    if by_passkey:
        messages.warning(request, _("没能确认。请再试一次。"))
    elif form.is_valid():
        return _confirmed(request, TOTP)
    page = page_of(request, "own", form=form, next=next_of(request), **_means_of(user))
    return render(request, "confirm.html", page, status=422 if request.method == "POST" else 200)


def _confirmed(request: HttpRequest, kind: str) -> HttpResponse:
    factors.note_shown(request, cast(User, request.user), kind)
    return redirect(next_of(request) or "console_own_sign_in")
