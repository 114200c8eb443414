"""Pages of the console."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from onecard.console import reading
from onecard.console.access import ANY_OFFICER, needs
from onecard.console.forms import FindForm
from onecard.kernel.audit import queries as audit
from onecard.kernel.staff.queries import StaffActor, officer_of


def _page(request: HttpRequest, at: str, **values: Any) -> dict[str, Any]:
    """What every page of the console shows around its own content."""
    actor: StaffActor = request.actor  # type: ignore[attr-defined]
    officer = officer_of(request.user)  # type: ignore[arg-type]  # signed in
    return {"at": at, "actor": actor, "officer": officer, **values}


@needs(ANY_OFFICER)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Overview: who I am here, and the figures and facts that my roles let me read."""
    page = _page(request, "home", form=FindForm())
    actor = page["actor"]
    if actor.holds("figures.read"):
        page["figures"] = reading.figures(actor)
    if actor.holds("audit.read"):
        page["facts"] = audit.latest(actor.places_of("audit.read"), limit=8)
        page["sealed"] = audit.sealed()
    return render(request, "overview.html", page)


@needs("holders.read")
@require_http_methods(["GET", "HEAD", "POST"])
def holders(request: HttpRequest) -> HttpResponse:
    """Find a holder. The number travels in the body: an address would leave it in logs and histories."""
    form = FindForm(request.POST or None)
    page = _page(request, "holders", form=form)
    if form.is_valid():
        page["found"] = reading.find(page["actor"], form.cleaned_data["number"])
    return render(request, "holders.html", page, status=422 if form.errors else 200)
