"""Pages of the console."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onecard.console import auditing, reading, watching
from onecard.console.access import ANY_OFFICER, needs
from onecard.console.forms import FindForm, FollowForm
from onecard.console.page import actor_at, page_of
from onecard.console.refusing import told
from onecard.foundation.errors import BadInput, Conflict
from onecard.foundation.web.jinja import words
from onecard.foundation.web.links import next_of
from onecard.foundation.web.tables import csv_response
from onecard.kernel.audit import queries as audit
from onecard.kernel.audit import risks as trail
from onecard.kernel.audit.risks import State
from onecard.kernel.staff.queries import StaffActor


@needs(ANY_OFFICER)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Overview: who I am here, and the figures and facts that my roles let me read."""
    page = page_of(request, "home", form=FindForm())
    actor = page["actor"]
    page["waiting"] = reading.waiting(actor)
    if actor.holds("figures.read"):
        page["figures"] = reading.figures_of(actor)
    if actor.holds("audit.read"):
        page["facts"] = auditing.newest(actor)
        page["sealed"] = audit.sealed()
    return render(request, "overview.html", page)


@needs(ANY_OFFICER)
@require_POST
def stay(request: HttpRequest) -> HttpResponse:
    """Let the session last anew, as any request does: what the warning offers. A page without scripts comes back."""
    if request.headers.get("Accept") == "application/json":
        return HttpResponse(status=204)
    return redirect(next_of(request) or "console_home")


@needs("figures.read")
@require_safe
def days_csv(request: HttpRequest) -> HttpResponse:
    """Uses by day, as a table."""
    shown = reading.figures_of(actor_at(request))
    return csv_response("days.csv", reading.day_heads(), reading.days_table(shown) if shown else [])


@needs("figures.read")
@require_safe
def states_csv(request: HttpRequest) -> HttpResponse:
    """Cards by state, as a table."""
    shown = reading.figures_of(actor_at(request))
    return csv_response("states.csv", reading.state_heads(), reading.states_table(shown) if shown else [])


@needs("figures.read")
@require_safe
def counties_csv(request: HttpRequest) -> HttpResponse:
    """Holders and cards by county, as a table."""
    shown = reading.figures_of(actor_at(request))
    return csv_response("counties.csv", reading.county_heads(), reading.counties_table(shown) if shown else [])


@needs("audit.read_risks")
@require_safe
def risks(request: HttpRequest) -> HttpResponse:
    """Risk facts of the officer's places, newest first, a page at a time."""
    page = page_of(
        request,
        "risks",
        severities=[(severity.value, name) for severity, name in watching.SEVERITIES.items()],
        states=[(code, name) for code, (name, _states) in watching.STATE_CHOICES.items()],
        table_max=watching.TABLE_MAX,
    )
    page["listing"] = watching.listing(page["actor"], watching.chosen(request.GET))
    return render(request, "risks.html", page)


@needs("audit.read_risks")
@require_safe
def risks_csv(request: HttpRequest) -> HttpResponse:
    """The same as a table."""
    actor: StaffActor = request.actor  # type: ignore[attr-defined]
    return csv_response("risks.csv", watching.heads(), watching.table(actor, watching.chosen(request.GET)))


@needs("audit.read_risks")
@require_http_methods(["GET", "HEAD", "POST"])
def risk(request: HttpRequest, risk_id: int) -> HttpResponse:
    """One risk fact: what it means, the uses concerned, what to do, and what officers made of it."""
    actor: StaffActor = request.actor  # type: ignore[attr-defined]
    shown = watching.one(actor, risk_id)
    form = FollowForm(request.POST or None, steps=shown.steps, initial={"seen": shown.follows})
    if form.is_valid():
        answer = _followed_up(request, actor, risk_id, form)
        if answer is not None:
            return answer
    page = page_of(request, "risks", risk=shown, form=form)
    return render(request, "risk.html", page, status=422 if form.errors else 200)


def _followed_up(request: HttpRequest, actor: StaffActor, risk_id: int, form: FollowForm) -> HttpResponse | None:
    """Record a follow-up and go back to the fact; None where the form has to be mended."""
    asked = form.cleaned_data
    try:
        trail.follow(actor, risk_id, State(asked["state"]), asked["reason"], seen=asked["seen"])
    except BadInput as refused:
        form.add_error("reason", words({"zh": refused.zh, "en": refused.en}))
        return None
    except Conflict as refused:
        messages.warning(request, told(refused))
    else:
        messages.success(request, _("处置已记录。"))
    return redirect("console_risk", risk_id)
