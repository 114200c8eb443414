"""Who may open a page of the integrators' face. Every view carries a mark; a test fails on one without."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from onecard.developers import sandbox

View = Callable[..., HttpResponse]


def anyone(view: View) -> View:
    """Open without signing in."""
    view.permission = "anyone"  # type: ignore[attr-defined]
    return view


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
