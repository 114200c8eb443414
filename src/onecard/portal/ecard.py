"""Pages of the e-card: unlock, the live code, the number to read aloud, the licence view.

The phone's token lies in a cookie that no script reads; what it fetches shows only while the page is unlocked.
"""

from typing import cast

from allauth.core.ratelimit import clear, consume
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onecard.foundation import clock
from onecard.foundation.web import browsers
from onecard.kernel.audit import actions as audit
from onecard.kernel.ecards import actions as ecards
from onecard.kernel.ecards import queries
from onecard.kernel.signins.models import User
from onecard.portal import codes, gateway, sessions
from onecard.portal.access import holder_only
from onecard.portal.forms import ChoosePinForm, PinForm

DEVICE, UNLOCKED = "onecard_device", "ecard_unlocked_until"
UNLOCKED_S = 600
PATH = "/ecard/"


@holder_only
@require_safe
def ecard(request: HttpRequest) -> HttpResponse:
    """The live code of my e-card, once unlocked; before that what it takes to unlock it."""
    if not is_unlocked(request):
        return _locked(request)
    return _shown(request)


@holder_only
@sensitive_post_parameters("pin", "again")
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Enrol this phone, with the PIN that unlocks the code on it."""
    form = ChoosePinForm(request.POST)
    if not form.is_valid():
        request.back_to = PATH  # type: ignore[attr-defined]
        return render(request, "ecard_start.html", {"form": form, "face": _face(request)}, status=422)
    face = _face(request)
    if face is None or face.serial is None:
        return redirect("portal_ecard")
    if request.user.pin and not sessions.is_recent(request):  # type: ignore[union-attr]
        return _sign_in_again(request, "portal_ecard")
    name = browsers.name_of(request)
    token = ecards.enrol_device(request.actor, face.serial, name)  # type: ignore[attr-defined]
    _choose(request, form)
    response = redirect("portal_ecard")
    response.set_cookie(
        DEVICE, token, max_age=int(ecards.DEVICE_LIFE.total_seconds()), path=PATH,
        secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Strict",
    )  # fmt: skip
    return response


@holder_only
@sensitive_post_parameters("pin", "again")
@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """Choose another PIN: for who has signed in just now, so that an open session alone unlocks nothing."""
    recent = sessions.is_recent(request)
    if request.method == "POST" and not recent:
        return _sign_in_again(request, "portal_ecard_forgotten")
    form = ChoosePinForm(request.POST or None)
    if form.is_valid():
        _choose(request, form)
        messages.success(request, _("数字密码已更改。您启用过的手机都用它解锁。"))
        return redirect("portal_ecard")
    page = {"form": form, "recent": recent}
    return render(request, "ecard_forgotten.html", page, status=422 if form.errors else 200)


def _choose(request: HttpRequest, form: ChoosePinForm) -> None:
    """Keep the PIN that was chosen, and unlock."""
    user = cast(User, request.user)
    user.pin = make_password(form.cleaned_data["pin"])
    user.save(update_fields=["pin"])
    audit.record(request.actor, "signins.choose_pin", f"holder:{user.holder_id}")  # type: ignore[attr-defined]
    clear(request, action="unlock")
    _unlock(request)


def _sign_in_again(request: HttpRequest, then: str) -> HttpResponse:
    """What a PIN is chosen by is a sign-in of just now. The session ends, so that every way in is open again."""
    logout(request)
    messages.info(request, _("为了您的安全，设置数字密码前请重新登录一次。"))
    return redirect_to_login(reverse(then))


@holder_only
@sensitive_post_parameters("pin")
@require_POST
def unlock(request: HttpRequest) -> HttpResponse:
    """Unlock, and answer with the code: one round trip."""
    form = PinForm(request.POST)
    request.back_to = PATH  # type: ignore[attr-defined]
    if form.is_valid():
        if not consume(request, action="unlock"):
            form.add_error("pin", _("输错次数过多，请十五分钟后再试，或使用实体卡。"))
        elif check_password(form.cleaned_data["pin"], request.user.pin):  # type: ignore[union-attr]
            clear(request, action="unlock")  # only wrong ones count
            _unlock(request)
            return _shown(request)
        else:
            form.add_error("pin", _("数字密码不正确。"))
    return render(request, "ecard_locked.html", {"form": form, "face": _face(request)}, status=422)


@holder_only
@require_POST
def fresh(request: HttpRequest) -> HttpResponse:
    """The next codes for a page that shows some already. 403 once it is locked again."""
    if not is_unlocked(request):
        return JsonResponse({"code": "LOCKED"}, status=403)
    try:
        told = codes.codes(*gateway.codes(token_of(request)))
    except gateway.Refused as refused:
        return JsonResponse({"code": refused.code}, status=409)
    return HttpResponse(told.data, content_type="application/json")


@holder_only
@require_POST
def number(request: HttpRequest) -> HttpResponse:
    """A number to read aloud to staff, beside the code."""
    if not is_unlocked(request):
        return _locked(request)
    return _shown(request, read_aloud=True)


@holder_only
@require_POST
def lock(request: HttpRequest) -> HttpResponse:
    """Lock the code again."""
    request.session.pop(UNLOCKED, None)
    return redirect("portal_cards")


@holder_only
@require_safe
def licence(request: HttpRequest) -> HttpResponse:
    """The card to hold up (亮证): masked."""
    return _licence(request, None)


@holder_only
@require_POST
def licence_revealed(request: HttpRequest) -> HttpResponse:
    """The same with name and number in full, for half a minute; leaves a fact."""
    if not is_unlocked(request):
        return _locked(request)
    request.back_to = reverse("portal_licence")  # type: ignore[attr-defined]
    return _licence(request, codes.revealed(request.actor, request.holder_id))  # type: ignore[attr-defined]


def _licence(request: HttpRequest, plain: dict[str, str] | None) -> HttpResponse:
    face = _face(request)
    if face is None:
        return redirect("portal_cards")
    return render(request, "licence.html", {"face": face, "plain": plain, "unlocked": is_unlocked(request)})


def _shown(request: HttpRequest, *, read_aloud: bool = False) -> HttpResponse:
    face = _face(request)
    request.back_to = PATH  # type: ignore[attr-defined]
    token = token_of(request)
    if face is None or face.serial is None or not face.usable or not token:
        return _locked(request)
    try:
        told = codes.codes(*gateway.codes(token))
        given = gateway.number(token) if read_aloud else None
    except gateway.Refused:  # the phone was revoked or has run out, or the card was reported lost meanwhile
        response = render(request, "ecard_start.html", {"form": ChoosePinForm(), "face": face})
        forget(request, response)
        return response
    page = {"face": face, "codes": told, "number": given and codes.spaced(given.text)}
    page["number_to"] = given and codes.time_of(given.expires)
    return render(request, "ecard.html", page)


def _locked(request: HttpRequest) -> HttpResponse:
    face = _face(request)
    request.back_to = PATH  # type: ignore[attr-defined]
    begun = bool(token_of(request)) and bool(request.user.pin)  # type: ignore[union-attr]
    if begun and face is not None and face.serial is not None and face.usable:
        return render(request, "ecard_locked.html", {"form": PinForm(), "face": face})
    return render(request, "ecard_start.html", {"form": ChoosePinForm(), "face": face})


def _face(request: HttpRequest) -> codes.Face | None:
    return codes.face(request.holder_id)  # type: ignore[attr-defined]


def forget(request: HttpRequest, response: HttpResponse) -> None:
    """This phone shows no code any more: it drops its token, and locks."""
    response.delete_cookie(DEVICE, path=PATH)
    request.session.pop(UNLOCKED, None)


def token_of(request: HttpRequest) -> str:
    """The token by which this phone fetches the holder's codes, "" if it has none or another holder's."""
    token = request.COOKIES.get(DEVICE, "")
    mine = request.holder_id  # type: ignore[attr-defined]
    return token if token and queries.is_phone_of(mine, token) else ""


def _unlock(request: HttpRequest) -> None:
    request.session[UNLOCKED] = clock.now().timestamp() + UNLOCKED_S


def is_unlocked(request: HttpRequest) -> bool:
    """Whether the code may show: it was unlocked on this phone less than ten minutes ago."""
    return bool(request.session.get(UNLOCKED, 0) > clock.now().timestamp())
