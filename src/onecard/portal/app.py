"""The portal as an app on a phone: its manifest, the worker that keeps the shell, and the page without a signal.

The worker keeps what carries nobody's data: the page without a signal, asked for without cookies, and the files it
loads. The codes that a page fetched ahead stay with the page's own origin until they run out, are locked or signed out.
"""

import hashlib
import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from onecard.foundation.web.jinja import html_lang, words
from onecard.portal.access import anyone

ICONS = ((192, "any"), (512, "any"), (512, "maskable"))
SHELL = ("css/tokens.css", "css/kit.css", "css/portal.css", "js/kit.js", "js/app.js", "js/ecard.js", "js/worker.js")
COLOUR = "#e9f0fb"


@anyone
@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """What a phone installs (W3C Web Application Manifest)."""
    told = {
        "id": "/",
        "name": words(settings.ONECARD_PRODUCT),
        "short_name": _("一卡通"),
        "lang": html_lang(),
        "start_url": reverse("portal_home"),
        "scope": "/",
        "display": "standalone",
        "background_color": COLOUR,
        "theme_color": COLOUR,
        "icons": [_icon(size, purpose) for size, purpose in ICONS],
        "shortcuts": [{"name": _("出示电子社保卡"), "url": reverse("portal_ecard")}],
    }
    return JsonResponse(told, content_type="application/manifest+json", json_dumps_params={"ensure_ascii": False})


def _icon(size: int, purpose: str) -> dict[str, str]:
    name = f"icons/{'maskable' if purpose == 'maskable' else 'icon'}-{size}.png"
    return {"src": static(name), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}


@anyone
@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker, at the root so that it serves every page. Its text changes with the files of the shell."""
    release = hashlib.sha256(" ".join(map(static, SHELL)).encode()).hexdigest()[:16]
    told = {"release": release, "page": reverse("portal_offline")}
    response = HttpResponse(
        f"self.RELEASE = {json.dumps(told)};\nimportScripts({json.dumps(static('js/worker.js'))});\n",
        content_type="text/javascript",
    )
    response["Cache-Control"] = "no-cache"
    return response


@anyone
@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """The page that stands for any other without a signal. It is nobody's, whoever asks."""
    response = render(request, "offline.html", {"nobody": True})
    response["Cache-Control"] = "no-cache"
    return response


def page(request: HttpRequest) -> dict[str, Any]:
    """Context of the portal's pages: under which mark a page keeps codes, which tells nothing but whether it is the
    same holder.
    """
    return {"mark_of": mark_of}


def mark_of(request: HttpRequest) -> str:
    """A mark of the signed-in holder; '' for a stranger."""
    user = request.user
    return salted_hmac("portal.mark", str(user.pk)).hexdigest()[:16] if user.is_authenticated else ""
