"""Pages of the audit trail: facts with filters, the state of the chain, verifications, and lists to take along."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onecard.console import auditing
from onecard.console.access import needs
from onecard.console.exporting import STATES, file_of
from onecard.console.page import actor_at, page_of
from onecard.console.refusing import gone_on
from onecard.foundation.exports import State
from onecard.kernel.audit import exports, queries, verification


@needs("audit.read")
@require_safe
def facts(request: HttpRequest) -> HttpResponse:
    """Facts of the officer's places, newest first, a page at a time. Opening it is itself a fact."""
    page = page_of(request, "audit", verbs=auditing.verb_choices())
    page["listing"] = auditing.listing(page["actor"], auditing.chosen(request.GET))
    page["sealed"], page["last"] = queries.sealed(), _last()
    return render(request, "audit.html", page)


@needs("audit.read")
@require_safe
def chain(request: HttpRequest) -> HttpResponse:
    """How far the trail is sealed, its anchors, and what verifying it came to."""
    page = page_of(request, "audit", sealed=queries.sealed(), anchors=queries.anchors(14), holds=verification.HOLDS)
    page["verified"] = auditing.verified(verification.newest())
    return render(request, "chain.html", page)


@needs("audit.verify")
@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Ask for a verification."""
    actor = actor_at(request)
    return gone_on(request, lambda: verification.ask(actor), "console_verification", "console_chain")


@needs("audit.read")
@require_safe
def verified(request: HttpRequest, verification_id: UUID) -> HttpResponse:
    """One verification: how far it is, what it found, and what to do about that."""
    (shown,) = auditing.verified([verification.one(verification_id)])
    page = page_of(request, "audit", shown=shown, holds=verification.HOLDS, code=verification.CODE)
    return render(request, "verification.html", page)


@needs("audit.export")
@require_http_methods(["GET", "HEAD", "POST"])
def exports_of(request: HttpRequest) -> HttpResponse:
    """The officer's own lists of facts; POST asks for another, of what the filters in its body say."""
    actor = actor_at(request)
    if request.method == "POST":
        wanted = auditing.chosen(request.POST).wanted
        places = actor.places_of("audit.export")
        return gone_on(
            request, lambda: exports.ask(actor, places, wanted), "console_audit_export", "console_audit_exports"
        )
    page = page_of(request, "audit", exports=exports.of_actor(actor), states=STATES)
    return render(request, "audit_exports.html", page)


@needs("audit.export")
@require_http_methods(["GET", "HEAD", "POST"])
def export(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """How far a list is; POST stops it."""
    actor = actor_at(request)
    if request.method == "POST":
        exports.stop(actor, export_id)
        return redirect("console_audit_export", export_id)
    found = exports.one(actor, export_id)
    query = auditing.Chosen(found.wanted.actor, found.wanted, None).query()
    page = page_of(request, "audit", export=found, states=STATES, query=query)
    return render(request, "audit_export.html", page)


@needs("audit.export")
@require_safe
def export_csv(request: HttpRequest, export_id: UUID) -> HttpResponseBase:
    """A list that is done, as a file."""
    actor = actor_at(request)
    found = exports.one(actor, export_id)
    if found.state is not State.DONE:
        return redirect("console_audit_export", export_id)
    return file_of("audit", found.asked_at, exports.content(actor, found))


def _last() -> auditing.Verified | None:
    found = auditing.verified(verification.newest(1))
    return found[0] if found else None
