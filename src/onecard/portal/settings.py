"""Settings (设置): how pages look, how I pay, and where I am signed in."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from onecard.kernel.audit import actions as audit
from onecard.kernel.signins.models import PublicSession, User
from onecard.kernel.signins.sessions import public as stored
from onecard.portal.access import holder_only


@holder_only
@require_safe
def settings(request: HttpRequest) -> HttpResponse:
    """What can be set, and where."""
    return render(request, "settings.html")


@holder_only
@require_http_methods(["GET", "HEAD", "POST"])
def sessions(request: HttpRequest) -> HttpResponse:
    """Where I am signed in; end one of the others, or all of them."""
    user, here = cast(User, request.user), request.session.session_key or ""
    if request.method == "POST":
        _end(request, user, here)
        return redirect("portal_sessions")
    rows = [(each, stored.handle(each.session_key)) for each in stored.of_user(user.pk)]
    rows.sort(key=lambda row: row[0].session_key != here)
    return render(request, "sessions.html", {"rows": rows, "here": stored.handle(here), "name_of": _name_of})


def _end(request: HttpRequest, user: User, here: str) -> None:
    wanted = request.POST.get("session", "")
    ended = stored.end(user.pk, wanted) if wanted else stored.end_others(user.pk, here)
    if ended:
        subject = f"holder:{user.holder_id}"
        audit.record(request.actor, "signins.end_sessions", subject, detail={"sessions": ended})  # type: ignore[attr-defined]
    said = ngettext("已退出 %(num)s 处登录。", "已退出 %(num)s 处登录。", ended) % {"num": ended}
    messages.success(request, said if ended else _("没有可退出的其他登录。"))


def _name_of(session: PublicSession) -> str:
    return session.browser.replace("?", "") or _("未知浏览器")
