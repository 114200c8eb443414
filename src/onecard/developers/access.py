"""Who may open a page of the integrators' face. Every view carries a mark; a test fails on one without."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from onecard.developers import department, sandbox

View = Callable[..., HttpResponse]


def anyone(view: View) -> View:
    """Open without signing in."""
    view.permission = "anyone"  # type: ignore[attr-defined]
    return view


def client_only(view: View) -> View:
    """Open to a client that signed in with a credential of its own, as far as the department API lets it:
    `request.client`. Not there where these pages know no department API.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not department.is_there():
            raise Http404
        found = department.remembered(request)
        if found is None:
            return redirect("dev_sign_in")
        request.client = found  # type: ignore[attr-defined]
        try:
            return view(request, *args, **kwargs)
        except department.SignedOut:
            messages.warning(request, _("登录已到期，请重新登录。"))
            response = redirect("dev_sign_in")
            department.forget(response)
            return response

    guarded.permission = "client"  # type: ignore[attr-defined]
    return guarded


def sandbox_only(view: View) -> View:
    """Open to anyone where the node is a demo with a sandbox, and not there anywhere else: `request.sandbox`."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        found = sandbox.here()
        if found is None:
            raise Http404
        request.sandbox = found  # type: ignore[attr-defined]
        return view(request, *args, **kwargs)

    guarded.permission = "sandbox"  # type: ignore[attr-defined]
    return guarded
