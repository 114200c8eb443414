"""Pages of clients: the register, one with what stands of it, and the endpoints that they ask for, to be filed or not.

No page shows a secret or a key: there is none to show.
"""

from collections.abc import Callable

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onecard.console import clients as values
from onecard.console.access import needs
from onecard.console.forms import ReasonForm, SeenForm
from onecard.console.page import actor_at, page_of
from onecard.console.placing import STATE_CHOICES
from onecard.console.refusing import done
from onecard.foundation.errors import NotFound
from onecard.foundation.web.jinja import words
from onecard.kernel.catalogue import actions as catalogue
from onecard.kernel.catalogue.models import Client
from onecard.kernel.holders.rules import check_reason
from onecard.kernel.messages import queries as sent
from onecard.kernel.sharing import actions, endpoints, register

Do = Callable[[str], object]


@needs("sharing.read")
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Clients of the officer's places by code, a page at a time."""
    found = values.clients(actor_at(request), values.chosen(request.GET))
    return render(request, "clients.html", page_of(request, "clients", listing=found, states=STATE_CHOICES))


@needs("sharing.read")
@require_safe
def client(request: HttpRequest, client_id: int) -> HttpResponse:
    """One client."""
    return render(
        request, "client.html", page_of(request, "clients", shown=values.client(actor_at(request), client_id))
    )


@needs("catalogue.suspend")
@require_http_methods(["GET", "HEAD", "POST"])
def suspend(request: HttpRequest, client_id: int) -> HttpResponse:
    """Suspend a client for a reason."""
    found = _found(request, client_id)
    return _for_a_reason(
        request, found, "suspend", found.code,
        lambda why: catalogue.suspend(actor_at(request), "client", found.code, why),
    )  # fmt: skip


@needs("catalogue.resume")
@require_http_methods(["GET", "HEAD", "POST"])
def resume(request: HttpRequest, client_id: int) -> HttpResponse:
    """Let a suspended client in again, for a reason."""
    found = _found(request, client_id)
    return _for_a_reason(
        request, found, "resume", found.code,
        lambda why: catalogue.resume(actor_at(request), "client", found.code, why),
    )  # fmt: skip


@needs("sharing.withdraw_credential")
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, client_id: int, credential_id: str) -> HttpResponse:
    """Withdraw a credential of a client for a reason."""
    found = _found(request, client_id)
    register.credential(client_id, credential_id)
    return _for_a_reason(
        request, found, "withdraw", credential_id,
        lambda why: actions.withdraw_credential(actor_at(request), credential_id, why),
    )  # fmt: skip


@needs("sharing.end_endpoint")
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, client_id: int, endpoint_id: int) -> HttpResponse:
    """Send nothing to an endpoint of a client any more, for a reason."""
    found = _found(request, client_id)
    endpoint = sent.endpoint(f"client:{found.code}", endpoint_id)
    if endpoint is None:
        raise NotFound("ENDPOINT_UNKNOWN", "没有这个接收地址。", "There is no such endpoint.")
    return _for_a_reason(
        request, found, "end", endpoint.url, lambda why: endpoints.end(actor_at(request), endpoint_id, why)
    )


def _found(request: HttpRequest, client_id: int) -> Client:
    return register.client(actor_at(request).places_of(values.PERMISSION), client_id)


def _for_a_reason(request: HttpRequest, found: Client, step: str, what: str, do: Do) -> HttpResponse:
    """What it does and the form that asks why; then the client's page again."""
    form, known = ReasonForm(request.POST or None), values.STEPS[step]
    if form.is_valid() and done(form, "reason", lambda: do(check_reason(form.cleaned_data["reason"]))):
        messages.success(request, _("已办理：%(step)s。") % {"step": words(known.name)})
        return redirect("console_client", found.pk)
    page = page_of(request, "clients", id=found.pk, name=values.name_of(found), step=known, what=what, form=form)
    return render(request, "client_step.html", page, status=422 if form.errors else 200)


# --- Endpoints that clients ask for -----------------------------------------------------------------------------------


@needs("sharing.read")
@require_safe
def requests(request: HttpRequest) -> HttpResponse:
    """What clients ask for: what waits with the oldest first, or what was decided."""
    page = page_of(request, "clients", listing=values.requests(actor_at(request), request.GET))
    page["states"] = [(code, name) for code, (name, _tone) in values.ASKED.items()]
    return render(request, "endpoint_requests.html", page)


@needs("sharing.read")
@require_safe
def asked(request: HttpRequest, request_id: int) -> HttpResponse:
    """One request beside what stands."""
    return _asked(request, request_id)


@needs("sharing.add_endpoint")
@require_POST
def accept(request: HttpRequest, request_id: int) -> HttpResponse:
    """File what was asked for, as the page showed it."""
    shown, form = values.request(actor_at(request), request_id), SeenForm(request.POST)
    if form.is_valid() and done(
        form, None, lambda: endpoints.accept(actor_at(request), shown.row.id, seen=form.cleaned_data["seen"].split())
    ):
        messages.success(request, _("已登记。该系统自己领取签名密钥，之后的消息送到这个地址。"))
        return redirect("console_endpoint_request", request_id)
    return _asked(request, request_id, accepting=form, status=422)


@needs("sharing.add_endpoint")
@require_POST
def decline(request: HttpRequest, request_id: int) -> HttpResponse:
    """Say why it is not filed; the client reads that."""
    shown, form = values.request(actor_at(request), request_id), ReasonForm(request.POST)
    if form.is_valid() and done(
        form,
        "reason",
        lambda: endpoints.decline(actor_at(request), shown.row.id, check_reason(form.cleaned_data["reason"])),
    ):
        messages.success(request, _("已答复不予登记，该系统可以看到原因。"))
        return redirect("console_endpoint_request", request_id)
    return _asked(request, request_id, declining=form, status=422)


def _asked(
    request: HttpRequest,
    request_id: int,
    *,
    accepting: Form | None = None,
    declining: Form | None = None,
    status: int = 200,
) -> HttpResponse:
    shown = values.request(actor_at(request), request_id)
    page = page_of(request, "clients", shown=shown, accepting=accepting, form=declining or ReasonForm())
    return render(request, "endpoint_request.html", page, status=status)
