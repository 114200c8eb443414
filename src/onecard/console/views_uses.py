"""Pages of uses: a list with filters, one with its explanation and its refund, and lists to take along."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onecard.console import using
from onecard.console.access import needs
from onecard.console.exporting import STATES, file_of
from onecard.console.forms import ReasonForm
from onecard.console.page import actor_at, page_of
from onecard.console.refusing import gone_on, said
from onecard.foundation.exports import State
from onecard.foundation.web.jinja import is_english
from onecard.kernel.uses import exports, officer_refunds


@needs("uses.read")
@require_safe
def uses(request: HttpRequest) -> HttpResponse:
    """Uses at points of the officer's places, newest first, a page at a time."""
    page = page_of(request, "uses", items=using.items(), verdicts=using.VERDICTS, kinds=using.LINES.items())
    page["listing"] = using.page(page["actor"], using.chosen(request.GET))
    return render(request, "uses.html", page)


@needs("uses.read")
@require_http_methods(["GET", "HEAD", "POST"])
def use(request: HttpRequest, use_id: UUID) -> HttpResponse:
    """One use. Why it came to what it did is told for a reason, on the answer to the form."""
    actor = actor_at(request)
    shown = using.one(actor, use_id)
    form = ReasonForm(request.POST or None)
    page = page_of(request, "uses", shown=shown, form=form, refund_form=ReasonForm(prefix="refund"))
    if form.is_valid():
        page["explained"] = said(form, "reason", lambda: using.explained(actor, use_id, form.cleaned_data["reason"]))
    return render(request, "use.html", page, status=422 if form.errors else 200)


@needs("uses.refund")
@require_POST
def refund(request: HttpRequest, use_id: UUID) -> HttpResponse:
    """Give a use back, for a reason."""
    actor = actor_at(request)
    shown = using.one(actor, use_id)
    form = ReasonForm(request.POST, prefix="refund")
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        if said(form, "reason", lambda: officer_refunds.refund_use(actor, use_id, reason)) is not None:
            messages.success(request, _("已退回。"))
            return redirect("console_use", use_id)
    page = page_of(request, "uses", shown=shown, form=ReasonForm(), refund_form=form)
    return render(request, "use.html", page, status=422)


@needs("uses.export")
@require_http_methods(["GET", "HEAD", "POST"])
def exports_of(request: HttpRequest) -> HttpResponse:
    """The officer's own lists; POST asks for another, of what the filters in its body say."""
    actor = actor_at(request)
    if request.method == "POST":
        wanted = using.chosen(request.POST).wanted
        places, language = actor.places_of("uses.export"), "en" if is_english() else "zh"
        return gone_on(
            request, lambda: exports.ask(actor, places, wanted, language), "console_export", "console_exports"
        )
    page = page_of(request, "uses", exports=exports.of_actor(actor), states=STATES)
    return render(request, "exports.html", page)


@needs("uses.export")
@require_http_methods(["GET", "HEAD", "POST"])
def export(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """How far a list is; POST stops it. The page may be left: the list is written all the same."""
    actor = actor_at(request)
    if request.method == "POST":
        exports.stop(actor, export_id)
        return redirect("console_export", export_id)
    found = exports.one(actor, export_id)
    page = page_of(request, "uses", export=found, states=STATES, query=using.Chosen(found.wanted, None).query())
    return render(request, "export.html", page)


@needs("uses.export")
@require_safe
def export_csv(request: HttpRequest, export_id: UUID) -> HttpResponseBase:
    """A list that is done, as a file."""
    actor = actor_at(request)
    found = exports.one(actor, export_id)
    if found.state is not State.DONE:
        return redirect("console_export", export_id)
    return file_of("uses", found.asked_at, exports.content(actor, found))
