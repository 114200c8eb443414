"""The operations of the API, and the OpenAPI document they make (`/v1/openapi.json`)."""

import json
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from onecard.api import (
    calls,
    catalogue,
    credentials,
    holders,
    messages,
    problems,
    refunds,
    terminals,
    terms,
    tokens,
    uses,
)
from onecard.api.declare import DepartmentAPI, Plain
from onecard.api.reading import Strict

api = DepartmentAPI(
    title="OneCard department API",
    version="1",
    description="For departments' and banks' systems. Amounts are whole fen, moments UTC, days those of China.",
    docs_url=None,
    openapi_url=None,
    renderer=Plain(),
    parser=Strict(),
)
for each in (tokens, holders, uses, refunds, terms, catalogue, terminals, messages, calls, credentials):
    api.add_router("", each.router)


@api.exception_handler(Exception)
def refuse(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Every exception that leaves an operation is a problem."""
    return problems.answer(request, problems.error_of(request, exception))


for kind in list(api._exception_handlers):
    api.add_exception_handler(kind, refuse)  # type: ignore[arg-type]  # the framework's own would answer otherwise


@require_safe
def document(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document."""
    return HttpResponse(_document(), content_type="application/json")


@cache
def _document() -> bytes:
    """Drawn once: drawing takes a second of the processor, and anyone may ask."""
    return json.dumps(api.get_openapi_schema(), ensure_ascii=False, default=str).encode()
