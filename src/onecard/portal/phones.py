"""The phones that show my code: which, since when, used last when; and withdrawing them.

The pages lie under /ecard/, where alone the cookie of this very phone is sent.
"""

import datetime as dt
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from onecard.foundation.errors import NotFound
from onecard.foundation.web.links import number_in
from onecard.kernel.ecards import actions as ecards
from onecard.kernel.ecards import queries
from onecard.kernel.ecards.models import Device
from onecard.portal import codes, ecard
from onecard.portal.access import holder_only

PAGE = 20


@dataclass(frozen=True)
class Phone:
    """A phone of mine; `here` is the one that the page is shown on."""

    id: int
    name: str
    since: dt.datetime
    used_at: dt.datetime | None
    here: bool


@holder_only
@require_http_methods(["GET", "HEAD", "POST"])
def phones(request: HttpRequest) -> HttpResponse:
    """My phones, newest first, a page at a time; withdraw one of them, or all others."""
    face = codes.face(request.holder_id)  # type: ignore[attr-defined]
    serial = face.serial if face is not None else None
    if request.method == "POST" and serial is not None:
        return _withdraw(request, serial)
    before = number_in(request.GET.get("before", ""))
    found = queries.devices_of(serial, before=before, limit=PAGE + 1) if serial is not None else []
    here = queries.token_digest(ecard.token_of(request))
    page = {
        "phones": [_phone(device, here) for device in found[:PAGE]],
        "after": found[PAGE - 1].pk if len(found) > PAGE else None,
        "first": before is None,
        "signed_up": serial is not None,
    }
    return render(request, "phones.html", page)


def _withdraw(request: HttpRequest, serial: int) -> HttpResponse:
    wanted = request.POST.get("phone", "")
    if not wanted:
        gone = ecards.revoke_other_devices(request.actor, serial, ecard.token_of(request))  # type: ignore[attr-defined]
        said = ngettext("已停用 %(num)s 台手机。", "已停用 %(num)s 台手机。", gone) % {"num": gone}
        messages.success(request, said if gone else _("没有可停用的其他手机。"))
        return redirect("portal_phones")
    device = ecards.revoke_device(request.actor, _mine(serial, number_in(wanted)))  # type: ignore[attr-defined]
    messages.success(request, _("已停用。这台手机取不到新的二维码，已取的也立即作废。"))
    response = redirect("portal_phones")
    if bytes(device.token_digest) == queries.token_digest(ecard.token_of(request)):
        ecard.forget(request, response)
    return response


def _mine(serial: int, device_id: int | None) -> int:
    """Raises NotFound DEVICE_UNKNOWN for any phone that is not of this e-card, whether it exists or not."""
    if device_id is None or not Device.objects.filter(pk=device_id, ecard_id=serial).exists():
        raise NotFound(
            "DEVICE_UNKNOWN",
            "您没有这台手机。",
            "You have no such phone.",
            next_zh="请从“设置”进入。",
            next_en="Start from “Settings”.",
        )
    return device_id


def _phone(device: Device, here: bytes) -> Phone:
    is_here = bytes(device.token_digest) == here
    return Phone(device.pk, device.label, device.created_at, device.last_used_at, is_here)
