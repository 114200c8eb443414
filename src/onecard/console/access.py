"""Who may open a page of the console. Every view carries the mark of its permission; a test fails on one without."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from onecard.console import permissions
from onecard.foundation.errors import NotPermitted
from onecard.foundation.web.links import came_from
from onecard.kernel.staff.queries import actor_of

View = Callable[..., HttpResponseBase]
ANY_OFFICER = "staff"


def needs(permission: str) -> Callable[[View], View]:
    """Open to serving officers who hold a permission somewhere (ANY_OFFICER: to all). Sets `request.actor`."""

    def mark(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            actor = actor_of(request.user)  # type: ignore[arg-type]  # signed in
            if permission != ANY_OFFICER and not actor.holds(permission):
                raise _lacking(permission)
            request.actor = actor  # type: ignore[attr-defined]
            return view(request, *args, **kwargs)

        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(_page_of(request))
            return guarded(request, *args, **kwargs)

        checked.permission = permission  # type: ignore[attr-defined]
        return checked

    return mark


def _page_of(request: HttpRequest) -> str:
    """Where to go on after signing in: this page, or the one from which a form was sent, whose draft is kept there."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    return came_from(request) or "/"


def anyone(view: View) -> View:
    """Open without signing in."""
    view.permission = "anyone"  # type: ignore[attr-defined]
    return view


def _lacking(permission: str) -> NotPermitted:
    """What is missing, which roles bring it, and who may assign them."""
    named, roles = permissions.name_of(permission), permissions.roles_with(permission)
    zh, en = "、".join(role.name_zh for role in roles), ", ".join(role.name_en for role in roles)
    asked = permissions.whom_to_ask()
    return NotPermitted(
        "NOT_PERMITTED",
        f"打开此页需要“{named['zh']}”权限（{permission}），您的角色没有。有此权限的角色：{zh}。",
        f"This page takes the permission “{named['en']}” ({permission}), which your roles lack. Roles with it: {en}.",
        next_zh=f"请联系管理员授权：{asked['zh']}。" if asked["zh"] else "请联系本单位管理员授权。",
        next_en=f"Ask an administrator to grant it: {asked['en']}." if asked["en"] else "Ask your administrator.",
    )
