"""Pages of the integrators' face."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from onecard.developers import reference, sandbox, signature
from onecard.developers.access import anyone


def page(request: HttpRequest, template: str, at: str, **values: Any) -> HttpResponse:
    """A page of this face: what it shows, beside the list of everything."""
    lists = {name: reference.groups(name) for name in reference.INTERFACES}
    shell = {"at": at, "lists": lists, "interface_words": reference.interface_words, "sandbox": sandbox.here()}
    return render(request, template, {**shell, **values})


@anyone
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What there is to connect, and where to begin."""
    return page(request, "dev_home.html", "home")


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
def openapi(request: HttpRequest, interface: str) -> HttpResponse:
    """One of the two documents, as a file."""
    if interface not in reference.INTERFACES:
        raise Http404
    return JsonResponse(reference.document(interface).plain, json_dumps_params={"ensure_ascii": False, "indent": 1})
