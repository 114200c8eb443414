"""Pages of signing in: the number, then the code that came by short message; and staying signed in.

An unknown number is answered like a known one, in words, in status and in what it costs.
"""

from uuid import UUID

from allauth.core.ratelimit import consume
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from onecard.foundation.web.links import next_of
from onecard.kernel.holders import queries as holders
from onecard.kernel.signins import codes, entering
from onecard.portal import passkeys, sessions
from onecard.portal.access import anyone, holder_only
from onecard.portal.forms import CodeForm, NumberForm

ASKED, AFTER = "sign_in_code", "sign_in_next"


@anyone
@never_cache
@sensitive_post_parameters("number")
@require_http_methods(["GET", "HEAD", "POST"])
def number(request: HttpRequest) -> HttpResponse:
    """Ask for the number; send a code to the phone that is registered under it."""
    form = NumberForm(request.POST or None)
    if form.is_valid() and _may_ask(request, form):
        request.session[ASKED] = str(codes.ask(holders.id_of_number(form.cleaned_data["number"])))
        request.session[AFTER] = next_of(request)
        return redirect("portal_sign_in_code")
    page = {"form": form, "next": next_of(request), "for_a_loss": _is_for_a_loss(request)}
    page["sent"] = bool(form.non_field_errors()) and ASKED in request.session
    return render(request, "sign_in_number.html", page)


@anyone
@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Ask for the code, and open the session."""
    asked = request.session.get(ASKED)
    if asked is None:
        return redirect("portal_sign_in")
    form = CodeForm(request.POST or None)
    if form.is_valid() and _may_try(request, form):
        holder_id = codes.prove(UUID(asked), form.cleaned_data["code"])
        after = request.session.get(AFTER) or reverse("portal_cards")
        user = entering.enter(request, holder_id) if holder_id is not None else None
        if user is not None:
            request.session.pop(ASKED, None)
            request.session.pop(AFTER, None)
            sessions.begin(request)
            if after != reverse("portal_lost_card"):
                passkeys.offer(request, user)
            return redirect(after)
        form.add_error("code", _("验证码不正确、已过期，或输错次数过多。请核对后再输入，或重新获取。"))
    page = {"form": form, "minutes": int(codes.LIFE.total_seconds() // 60), "next": request.session.get(AFTER, "")}
    return render(request, "sign_in_code.html", page)


@holder_only
@require_POST
def stay(request: HttpRequest) -> HttpResponse:
    """Let the session last anew: what the warning offers. A page without scripts is sent where it came from."""
    sessions.keep(request, at_once=True)
    if request.headers.get("Accept") == "application/json":
        return HttpResponse(status=204)
    return redirect(next_of(request) or "portal_cards")


def _may_ask(request: HttpRequest, form: NumberForm) -> bool:
    """So often a minute and an hour for one number, and so often from one address. Who is about to report a loss has a
    budget of their own, so that nobody can keep them from it by asking for codes.
    """
    action = "sign_in_code_lost" if _is_for_a_loss(request) else "sign_in_code"
    if consume(request, action=action, key=form.cleaned_data["number"]):
        return True
    form.add_error(
        None, _("刚刚已经发送过验证码，或获取次数过多。请一分钟后再试；每小时最多五次。急需挂失请拨打 12333。")
    )
    return False


def _may_try(request: HttpRequest, form: CodeForm) -> bool:
    if consume(request, action="sign_in_code_tried"):
        return True
    form.add_error(None, _("尝试次数过多，请稍后再试。"))
    return False


def _is_for_a_loss(request: HttpRequest) -> bool:
    """Whether somebody signs in to report a card lost."""
    return next_of(request) == reverse("portal_lost_card")
