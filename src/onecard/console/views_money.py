"""Pages of money: accounts, one with what moved, and concessions of a period."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from onecard.console import money
from onecard.console.access import needs
from onecard.console.page import actor_at, page_of
from onecard.foundation.web.tables import csv_response
from onecard.kernel.audit import actions as audit
from onecard.kernel.ledger import reports


@needs("ledger.read")
@require_safe
def accounts(request: HttpRequest) -> HttpResponse:
    """The parties' accounts, a page at a time."""
    reports.require_read(actor_at(request))
    choices = {"ledgers": [(each.value, name) for each, name in money.LEDGERS.items()], "roles": money.ROLES.items()}
    return render(
        request, "accounts.html", page_of(request, "accounts", listing=money.accounts(request.GET), **choices)
    )


@needs("ledger.read")
@require_safe
def account(request: HttpRequest, account_id: int) -> HttpResponse:
    """One account: what it holds, and what moved, newest first. Each page of a holder's leaves a fact about them."""
    actor = actor_at(request)
    reports.require_read(actor)
    cursor = request.GET.get("after", "")
    shown = money.one(account_id, cursor)
    if shown.row.holder_id is not None:
        detail = {"account": account_id, **actor.signed}
        audit.record(actor, "ledger.read", f"holder:{shown.row.holder_id}", detail=detail)
    return render(request, "account.html", page_of(request, "accounts", account=shown))


@needs("ledger.read")
@require_safe
def concessions(request: HttpRequest) -> HttpResponse:
    """What each funder gave in a period, and to whom."""
    reports.require_read(actor_at(request))
    shown = money.concessions(money.period(request.GET))
    return render(request, "concessions.html", page_of(request, "concessions", shown=shown))


@needs("ledger.read")
@require_safe
def concessions_csv(request: HttpRequest) -> HttpResponse:
    """The same as a table."""
    reports.require_read(actor_at(request))
    shown = money.concessions(money.period(request.GET))
    return csv_response("concessions.csv", money.heads(), money.table(shown))
