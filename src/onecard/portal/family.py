"""Pages of showing a relative's code (为家人亮码): who may, by consent of both, and the code with whose it is.

The relative's phone holds a token for each tie in a cookie of its own; it shows nothing while this holder's own code is
locked, and every page says whose code is on screen.
"""

from dataclasses import dataclass

from allauth.core.ratelimit import consume
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from onecard.foundation.actors import Actor
from onecard.foundation.web import browsers
from onecard.foundation.web.jinja import words
from onecard.kernel.cards.rules import CardState
from onecard.kernel.ecards import actions as ecards
from onecard.kernel.ecards import queries, ties
from onecard.kernel.ecards.models import Tie
from onecard.kernel.holders import queries as holders
from onecard.portal import codes, gateway
from onecard.portal.access import holder_only
from onecard.portal.ecard import is_unlocked
from onecard.portal.forms import OfferForm

# What the holder of the e-card is to whoever shows it, and what that one is to them.
KINDS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "parent": ({"zh": "父母", "en": "parent"}, {"zh": "子女", "en": "child"}),
    "child": ({"zh": "子女", "en": "child"}, {"zh": "父母", "en": "parent"}),
    "spouse": ({"zh": "配偶", "en": "spouse"}, {"zh": "配偶", "en": "spouse"}),
    "other": ({"zh": "亲属", "en": "relative"}, {"zh": "亲属", "en": "relative"}),
}


@dataclass(frozen=True)
class Relative:
    """Somebody tied with me: their masked name, what they are to me, and whether it was agreed."""

    tie: int
    name: str
    kind: dict[str, str]
    agreed: bool


@holder_only
@sensitive_post_parameters("number")
@require_http_methods(["GET", "HEAD", "POST"])
def family(request: HttpRequest) -> HttpResponse:
    """Whose code I may show, who may show mine, and offering it to one more."""
    mine = request.holder_id  # type: ignore[attr-defined]
    face = codes.face(mine)
    serial = face.serial if face is not None else None
    form = OfferForm(request.POST or None)
    if request.method == "POST" and serial is not None and form.is_valid():
        if consume(request, action="offer_tie"):
            number, kind = form.cleaned_data["number"], form.cleaned_data["kind"]
            ties.offer(request.actor, serial, number, kind)  # type: ignore[attr-defined]
            messages.success(request, _("已邀请。号码登记过的亲属登录后会看到，七天内同意有效。"))
            return redirect("portal_family")
        form.add_error("number", _("今天邀请的次数太多，请明天再试。"))
    page = {
        "form": form,
        "signed_up": serial is not None,
        "shown": [_shown_by_me(mine, tie) for tie in queries.shown_by(mine)],
        "showing": [_showing_mine(mine, tie) for tie in queries.relatives_of(serial)] if serial is not None else [],
    }
    return render(request, "family.html", page, status=422 if form.errors else 200)


@holder_only
@require_POST
def withdraw(request: HttpRequest) -> HttpResponse:
    """Take back every offer that nobody has agreed to. Says the same whether there was one."""
    face = codes.face(request.holder_id)  # type: ignore[attr-defined]
    if face is not None and face.serial is not None:
        ties.withdraw_offers(request.actor, face.serial)  # type: ignore[attr-defined]
        messages.success(request, _("还没有同意的邀请都已撤回。已经同意的，可在上面解除。"))
    return redirect("portal_family")


@holder_only
@require_POST
def answer(request: HttpRequest, tie_id: int) -> HttpResponse:
    """Agree to an offer, turn it down, or end a tie that stands."""
    if request.POST.get("answer") == "agree":
        ties.agree(request.actor, tie_id)  # type: ignore[attr-defined]
        messages.success(request, _("已同意。现在可以为这位亲属亮码。"))
        return redirect("portal_family")
    ties.end(request.actor, tie_id)  # type: ignore[attr-defined]
    messages.success(request, _("已解除，亲属手机上的码随即失效。"))
    response = redirect("portal_family")
    response.delete_cookie(_cookie(tie_id), path=reverse("portal_relative", args=[tie_id]))
    return response


@holder_only
@require_http_methods(["GET", "HEAD", "POST"])
def relative(request: HttpRequest, tie_id: int) -> HttpResponse:
    """A relative's live code, on a page that says whose it is. The first time, the phone is enrolled for it."""
    tie = queries.tie_of(request.holder_id, tie_id)  # type: ignore[attr-defined]
    if tie is None:
        raise ties.unknown()
    if not is_unlocked(request):
        messages.info(request, _("请先解锁，再为家人亮码。"))
        return redirect("portal_ecard")
    if request.method == "POST":
        return _enrolled(request, tie)
    return _shown(request, tie)


@holder_only
@require_POST
def fresh(request: HttpRequest, tie_id: int) -> HttpResponse:
    """The next codes of a relative for a page that shows some already."""
    if not is_unlocked(request) or queries.tie_of(request.holder_id, tie_id) is None:  # type: ignore[attr-defined]
        return JsonResponse({"code": "LOCKED"}, status=403)
    try:
        told = codes.codes(*gateway.codes(_token(request, tie_id)))
    except gateway.Refused as refused:
        return JsonResponse({"code": refused.code}, status=409)
    return HttpResponse(told.data, content_type="application/json")


def _enrolled(request: HttpRequest, tie: Tie) -> HttpResponse:
    name = browsers.name_of(request)
    token = ties.enrol_phone(request.actor, tie.pk, _("亲属：%(phone)s") % {"phone": name})  # type: ignore[attr-defined]
    here = reverse("portal_relative", args=[tie.pk])
    response = redirect(here)
    response.set_cookie(
        _cookie(tie.pk), token, max_age=int(ecards.DEVICE_LIFE.total_seconds()), path=here,
        secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Strict",
    )  # fmt: skip
    return response


def _shown(request: HttpRequest, tie: Tie) -> HttpResponse:
    who = _shown_by_me(request.holder_id, tie)  # type: ignore[attr-defined]
    usable = tie.ecard.card.state == CardState.ACTIVE and tie.ecard.closed_at is None
    page = {"who": who, "whose": _whose(who), "usable": usable, "codes": None}
    token = _token(request, tie.pk)
    if usable and token:
        try:
            page["codes"] = codes.codes(*gateway.codes(token))
        except gateway.Refused:  # the phone was removed, or has run out: it may be enrolled again
            page["codes"] = None
    return render(request, "relative.html", page)


def _shown_by_me(mine: int, tie: Tie) -> Relative:
    kind, _theirs = KINDS[tie.kind]
    return Relative(tie.pk, _name(mine, tie.ecard.card.holder_id), kind, tie.agreed_at is not None)


def _showing_mine(mine: int, tie: Tie) -> Relative:
    return Relative(tie.pk, _name(mine, tie.holder_id), KINDS[tie.kind][1], True)


def _name(mine: int, holder_id: int) -> str:
    """A relative's masked name, for whoever is tied with them."""
    line = holders.by_id(Actor(f"holder:{mine}", frozenset({"holders.read"})), holder_id)
    return line.name if line else ""


def _whose(who: Relative) -> str:
    return _("正在出示 %(name)s（您的%(kind)s）的码") % {"name": who.name, "kind": words(who.kind)}


def _cookie(tie_id: int) -> str:
    return f"onecard_relative_{tie_id}"


def _token(request: HttpRequest, tie_id: int) -> str:
    return request.COOKIES.get(_cookie(tie_id), "")
