"""Who may open a page of the portal. Every view carries one of the two marks; a test fails on one without."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse

from onecard.foundation.actors import Actor
from onecard.foundation.errors import NotPermitted
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
    return user.holder_id if user.is_authenticated and user.kind == Kind.HOLDER else None


def holder_only(view: View) -> View:
    """Only for a signed-in holder, who acts as themselves: `request.actor` is ``holder:<id>`` and has no permission."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = request.user
        if user.kind != Kind.HOLDER or user.holder_id is None:  # type: ignore[union-attr]
            raise NotPermitted("NOT_A_HOLDER", "此页面仅供持卡人使用。", "This page is for cardholders.")
        request.holder_id = user.holder_id  # type: ignore[attr-defined, union-attr]
        request.actor = Actor(f"holder:{user.holder_id}")  # type: ignore[attr-defined, union-attr]
        sessions.keep(request)
        return view(request, *args, **kwargs)

    checked: View = login_required(guarded)
    checked.permission = "holder"  # type: ignore[attr-defined]
    return checked
