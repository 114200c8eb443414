"""Signing up for the e-card (签发电子社保卡): what it is for, the card it stands on, and why there may be none now."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from onecard.foundation import clock
from onecard.kernel.cards import rules
from onecard.kernel.cards.rules import CardState
from onecard.kernel.ecards import actions as ecards
from onecard.portal import codes
from onecard.portal.access import holder_only
from onecard.portal.forms import ConsentForm

# What the fact says of how the holder agreed.
CONSENT = "本人在网上服务勾选同意后签发"


@dataclass(frozen=True)
class Refusal:
    """Why no e-card can stand on a card now, and what to do about it; `by_card` if that is done at “my cards”."""

    title: str
    then: str
    by_card: bool = False


@holder_only
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """Sign up for the e-card of my card: what I agree to, and then the e-card at once."""
    face = codes.face(request.holder_id)  # type: ignore[attr-defined]
    if face is not None and face.serial is not None:
        messages.info(request, _("您已经有电子社保卡，不用再次签发。"))
        return redirect("portal_ecard")
    refusal = why_not(face)
    form = ConsentForm(request.POST if request.method == "POST" and refusal is None else None)
    if face is None or not form.is_valid():
        status = 200 if request.method != "POST" else 409 if refusal else 422
        return render(request, "sign_up.html", {"face": face, "refusal": refusal, "form": form}, status=status)
    ecards.sign_up(request.actor, face.card.id, reason=CONSENT)  # type: ignore[attr-defined]
    messages.success(request, _("电子社保卡已签发。请在这台手机上启用，就可以亮码。"))
    return redirect("portal_ecard")


def why_not(face: codes.Face | None) -> Refusal | None:
    """Why a holder can have no e-card now; None if they can."""
    if face is None:
        return Refusal(_("您名下还没有社会保障卡"), _("请携带身份证到任一服务网点申领。"))
    told = _refusals().get(face.card.stands)
    if told is not None:
        return told
    if face.card.valid_to < clock.today():
        return Refusal(_("这张卡已过有效期"), _("请携带身份证到任一服务网点换领新卡，启用后再签发。"))
    return None


def _refusals() -> dict[CardState, Refusal]:
    not_yet = Refusal(
        _("这张卡还没有启用"), _("请携带身份证和卡到任一服务网点或发卡银行网点启用，当场就可以签发电子社保卡。")
    )
    gone = Refusal(_("这张卡已注销"), _("请携带身份证到任一服务网点申领新卡，启用后再签发。"))
    return {
        CardState.ALLOCATED: not_yet,
        CardState.INACTIVE: not_yet,
        CardState.TEMP_LOST: Refusal(
            _("这张卡已临时挂失"), _("卡找到了，请先在“我的卡”解除挂失；找不到，请到服务网点正式挂失并补领。"), True
        ),
        CardState.LOST: Refusal(_("这张卡已正式挂失"), _("请携带身份证到任一服务网点补领，新卡启用后再签发。")),
        CardState.LOCKED: Refusal(_("这张卡已锁定"), _("请携带身份证到发卡地经办机构核实，或拨打 12333 咨询。")),
        **dict.fromkeys(rules.GONE, gone),
    }
