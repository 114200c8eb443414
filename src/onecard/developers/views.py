"""Pages of the integrators' face."""

from typing import Any

from allauth.core.ratelimit import consume
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from onecard.developers import (
    changelog,
    department,
    reference,
    sandbox,
    searching,
    signature,
    start,
    trial,
    wellness,
    worked_message,
)
from onecard.developers.access import anyone, sandbox_only
from onecard.developers.forms import Started, Tried


def page(request: HttpRequest, template: str, at: str, **values: Any) -> HttpResponse:
    """A page of this face: what it shows, beside the list of everything."""
    lists = {name: reference.groups(name) for name in reference.INTERFACES}
    shell = {
        "at": at,
        "lists": lists,
        "interface_words": reference.interface_words,
        "sandbox": sandbox.here(),
        "own_pages": department.is_there(),
        "client": None,
        "sought": "",
    }
    return render(request, template, {**shell, **values})


@anyone
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What there is to connect, and where to begin."""
    return page(request, "dev_home.html", "home")


@anyone
@require_safe
def five_minutes(request: HttpRequest) -> HttpResponse:
    """From pairing to a use in five minutes, with a sandbox's terminal and test holders; without one, how to get it."""
    here = sandbox.here()
    if here is None:
        return page(request, "dev_start.html", "start", form=None, commands=None)
    form = Started(here, {"terminal": "", "holder": "", "item": "", **request.GET.dict()})
    form.is_valid()
    terminal = form.chosen_terminal
    commands = start.commands(here, terminal, form.chosen_holder, form.chosen_item)
    chosen = {"terminal": terminal.terminal, "holder": form.chosen_holder.name, "item": form.chosen_item}
    return page(request, "dev_start.html", "start", form=Started(here, initial=chosen), commands=commands)


@sandbox_only
@require_http_methods(["GET", "HEAD", "POST"])
def try_it(request: HttpRequest) -> HttpResponse:
    """Use an item at the sandbox's own terminal, and see what travels."""
    here: sandbox.Sandbox = request.sandbox  # type: ignore[attr-defined]
    if request.method != "POST":
        return page(request, "dev_try.html", "try", form=Tried(here), tried=None)
    form = Tried(here, request.POST)
    if form.is_valid() and not consume(request, action="sandbox_try"):
        form.add_error(None, _("尝试次数过多，请稍后再试。"))
    if form.errors:
        response = page(request, "dev_try.html", "try", form=form, tried=None)
        response.status_code = 422
        return response
    tried = trial.attempt(here, form.chosen_holder, form.chosen_item)
    return page(request, "dev_try.html", "try", form=form, tried=tried)


@anyone
@require_safe
def operation(request: HttpRequest, interface: str, name: str) -> HttpResponse:
    """One operation of one of the two interfaces."""
    return page(request, "dev_operation.html", f"{interface}.{name}", page=reference.page(interface, name))


@anyone
@require_safe
def codes(request: HttpRequest) -> HttpResponse:
    """Every verdict and every problem: code, cause, next step."""
    problems = {name: reference.refusals(name) for name in reference.INTERFACES}
    return page(request, "dev_codes.html", "codes", verdicts=reference.verdicts(), problems=problems)


@anyone
@require_safe
def signing(request: HttpRequest) -> HttpResponse:
    """How a terminal signs, worked through, and what to do when no answer comes."""
    return page(request, "dev_signing.html", "signing", worked=signature.worked())


@anyone
@require_safe
def webhooks(request: HttpRequest) -> HttpResponse:
    """Which messages there are, and how their signature is verified, worked through."""
    return page(request, "dev_webhooks.html", "webhooks", kinds=reference.kinds(), worked=worked_message.worked())


@anyone
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Operations, fields, verdicts and problems in which a word stands."""
    sought = request.GET.get("q", "").strip()[:100]
    found = searching.find(sought)
    return page(request, "dev_search.html", "search", sought=sought, found=found)


@anyone
@require_safe
def changes(request: HttpRequest) -> HttpResponse:
    """What changed in the two interfaces, the newest first."""
    return page(request, "dev_changes.html", "changes", changes=changelog.changes())


@anyone
@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """Whether gateway and department API answer at this moment."""
    return page(request, "dev_status.html", "status", rows=wellness.rows())


@anyone
@require_safe
def openapi(request: HttpRequest, interface: str) -> HttpResponse:
    """One of the two documents, as a file."""
    if interface not in reference.INTERFACES:
        raise Http404
    return JsonResponse(reference.document(interface).plain, json_dumps_params={"ensure_ascii": False, "indent": 1})
