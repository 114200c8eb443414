"""Pages of points and terminals: lists, one of each, suspending and resuming, and pairing codes."""

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onecard.console import placing
from onecard.console.access import needs
from onecard.console.forms import StateForm
from onecard.console.page import actor_at, page_of
from onecard.console.refusing import done
from onecard.kernel.catalogue import actions


@needs("catalogue.read")
@require_safe
def points(request: HttpRequest) -> HttpResponse:
    """Points of the officer's places by code, a page at a time."""
    listing = placing.points(actor_at(request), placing.chosen(request.GET))
    return render(request, "points.html", page_of(request, "points", listing=listing, states=placing.STATE_CHOICES))


@needs("catalogue.read")
@require_safe
def terminals(request: HttpRequest) -> HttpResponse:
    """Terminals of the officer's places by code, a page at a time."""
    listing = placing.terminals(actor_at(request), placing.chosen(request.GET))
    page = page_of(request, "terminals", listing=listing, states=placing.STATE_CHOICES)
    return render(request, "terminals.html", page)


@needs("catalogue.read")
@require_http_methods(["GET", "HEAD", "POST"])
def point(request: HttpRequest, point_id: int) -> HttpResponse:
    """One point; POST suspends or resumes it, for a reason."""
    actor = actor_at(request)
    shown = placing.point(actor, point_id)
    form = StateForm(request.POST or None, initial={"step": shown.step})
    if form.is_valid() and _stepped(request, form, "point", shown.row.code, shown.step):
        return redirect("console_point", point_id)
    page = page_of(request, "points", point=shown, form=form)
    return render(request, "point.html", page, status=422 if form.errors else 200)


@needs("catalogue.read")
@require_http_methods(["GET", "HEAD", "POST"])
def terminal(request: HttpRequest, terminal_id: int) -> HttpResponse:
    """One terminal; POST suspends or resumes it, for a reason."""
    actor = actor_at(request)
    shown = placing.terminal(actor, terminal_id)
    form = StateForm(request.POST or None, initial={"step": shown.step})
    if form.is_valid() and _stepped(request, form, "terminal", shown.row.code, shown.step):
        return redirect("console_terminal", terminal_id)
    page = page_of(request, "terminals", terminal=shown, form=form)
    return render(request, "terminal.html", page, status=422 if form.errors else 200)


def _stepped(request: HttpRequest, form: Form, kind: str, code: str, offered: str) -> bool:
    """Suspend or resume as the page said that was sent; where it stands otherwise by now, nothing is changed. Who is
    offered nothing is refused by the verb itself.
    """
    step, reason = form.cleaned_data["step"], form.cleaned_data["reason"]
    if offered and step != offered:
        messages.warning(request, _("状态在您提交之前已经变了，这次没有改动。请先看现在的状态。"))
        return True
    verb = actions.resume if step == "resume" else actions.suspend
    if not done(form, "reason", lambda: verb(actor_at(request), kind, code, reason)):
        return False
    messages.success(request, _("已办理。"))
    return True


@needs("catalogue.pair")
@require_POST
def pair(request: HttpRequest, terminal_id: int) -> HttpResponse:
    """Make a pairing code. It stands on this answer alone: what is kept of it is a digest."""
    actor = actor_at(request)
    shown = placing.terminal(actor, terminal_id)
    code = actions.make_pairing_code(actor, shown.row.code)
    page = page_of(request, "terminals", terminal=shown, form=StateForm(initial={"step": shown.step}), code=code)
    return render(request, "terminal.html", page)
