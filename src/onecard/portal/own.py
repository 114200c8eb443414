"""Pages of what is a holder's own: uses, money, rights, and who looked at their data."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from onecard.foundation.web.links import text_in
from onecard.portal import money as purses
from onecard.portal import seen as looked
from onecard.portal import using
from onecard.portal.access import holder_only


@holder_only
@require_safe
def uses(request: HttpRequest) -> HttpResponse:
    """My uses, newest first, a page at a time."""
    page = using.uses(request.holder_id, using.chosen(request.GET))  # type: ignore[attr-defined]
    return render(request, "uses.html", {"page": page})


@holder_only
@require_safe
def use(request: HttpRequest, use_id: str) -> HttpResponse:
    """One of my uses: what it cost, who paid, and why."""
    return render(request, "use.html", {"use": using.one(request.holder_id, use_id)})  # type: ignore[attr-defined]


@holder_only
@require_safe
def money(request: HttpRequest) -> HttpResponse:
    """My purse and what moved it, a page at a time."""
    after = text_in(request.GET.get("after", ""))
    return render(request, "money.html", {"purse": purses.purse(request.holder_id, after)})  # type: ignore[attr-defined]


@holder_only
@require_safe
def rights(request: HttpRequest) -> HttpResponse:
    """My passes, and what is counted for me."""
    return render(request, "rights.html", {"rights": purses.rights(request.holder_id)})  # type: ignore[attr-defined]


@holder_only
@require_safe
def seen(request: HttpRequest) -> HttpResponse:
    """Who looked at my data, newest first, a page at a time."""
    page = looked.looks(request.holder_id, request.GET.get("before", ""))  # type: ignore[attr-defined]
    return render(request, "seen.html", {"looks": page})
