"""The operations of the API, and the OpenAPI document they make (`/v1/openapi.json`)."""

from django.http import HttpRequest, HttpResponse

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

api = DepartmentAPI(
    title="OneCard department API",
    version="1",
    description="For departments' and banks' systems. Amounts are whole fen, moments UTC, days those of China.",
    docs_url=None,
    renderer=Plain(),
)
for each in (tokens, holders, uses, refunds, terms, catalogue, terminals, messages, calls, credentials):
    api.add_router("", each.router)


@api.exception_handler(Exception)
def refuse(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Every exception that leaves an operation is a problem."""
    return problems.answer(request, problems.error_of(request, exception))


for kind in list(api._exception_handlers):
    api.add_exception_handler(kind, refuse)  # type: ignore[arg-type]  # the framework's own would answer otherwise
