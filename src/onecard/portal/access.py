"""Who may open a page of the portal. Every view carries one of the two marks; a test fails on one without."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse

from onecard.foundation.actors import Actor
from onecard.foundation.errors import NotPermitted
from onecard.foundation.web.links import came_from
from onecard.kernel.signins.models import Kind
from onecard.portal import sessions

View = Callable[..., HttpResponse]


def anyone(view: View) -> View:
    """Open without signing in."""
    view.permission = "anyone"  # type: ignore[attr-defined]
    return view


def holder_of(request: HttpRequest) -> int | None:
    """The holder who is signed in, on a page that is open to anyone; None for a stranger."""
    user = request.user
    if not user.is_authenticated or user.kind != Kind.HOLDER or user.holder_id is None:
        return None
    sessions.keep(request)
    return int(user.holder_id)


def holder_only(view: View) -> View:
    """Only for a signed-in holder, who acts as themselves: `request.actor` is ``holder:<id>`` and has no permission."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = request.user
        if not user.is_authenticated:
            return redirect_to_login(_going_on(request))
        if user.kind != Kind.HOLDER or user.holder_id is None:
            raise NotPermitted("NOT_A_HOLDER", "此页面仅供持卡人使用。", "This page is for cardholders.")
        request.holder_id = user.holder_id  # type: ignore[attr-defined]
        request.actor = Actor(f"holder:{user.holder_id}")  # type: ignore[attr-defined]
        sessions.keep(request)
        return view(request, *args, **kwargs)

    guarded.permission = "holder"  # type: ignore[attr-defined]
    return guarded


def _going_on(request: HttpRequest) -> str:
    """Where to go on once signed in: to this page; where a form was sent meanwhile, to the page that it stood on."""
    here = request.get_full_path()
    return here if request.method in ("GET", "HEAD") else came_from(request) or here
