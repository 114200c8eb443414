"""Pages of the portal."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from onecard.foundation import clock
from onecard.foundation.web.tables import csv_response
from onecard.kernel.cards import actions
from onecard.kernel.entitlements import actions as entitlements
from onecard.portal import means as paying
from onecard.portal import reading, services
from onecard.portal.access import anyone, holder_only
from onecard_kit.terms import Means


@anyone
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What one card does in this city."""
    return render(request, "home.html", {"fields": services.fields()})


@anyone
@require_safe
def service_list(request: HttpRequest) -> HttpResponse:
    """The list of a place: by field, with words to find, a page at a time."""
    return render(request, "services.html", {"listing": services.services(services.chosen(request.GET))})


@anyone
@require_safe
def service(request: HttpRequest, code: str) -> HttpResponse:
    """One item: guide, price, legal bases, points, versions."""
    return render(request, "service.html", {"service": services.service(code, request.GET.get("after", ""))})


@anyone
@require_safe
def services_csv(request: HttpRequest) -> HttpResponse:
    """The list of a place as a table."""
    entries = services.open_data(services.chosen(request.GET))
    return csv_response("services.csv", services.COLUMNS, (services.cells(entry) for entry in entries))


@anyone
@require_safe
def services_json(request: HttpRequest) -> HttpResponse:
    """The list of a place as data."""
    asked = services.chosen(request.GET)
    told = {"place": asked.place.code, "day": clock.today().isoformat(), "items": services.open_data(asked)}
    return JsonResponse(told, json_dumps_params={"ensure_ascii": False})


@holder_only
@require_safe
def cards(request: HttpRequest) -> HttpResponse:
    """My cards, and what they were used for lately."""
    mine = reading.my_cards(request.holder_id)  # type: ignore[attr-defined]
    page = {"cards": mine, "uses": reading.my_uses(mine), "name": reading.my_name(request.holder_id)}  # type: ignore[attr-defined]
    return render(request, "cards.html", page)


@holder_only
@require_http_methods(["GET", "HEAD", "POST"])
def lost(request: HttpRequest, card_id: int) -> HttpResponse:
    """Report a card lost for the time being: the second of two taps, with what stops and how to undo it."""
    card = reading.my_card(request.holder_id, card_id)  # type: ignore[attr-defined]
    if request.method != "POST":
        return render(request, "lost.html", {"card": card})
    actions.report_lost(request.actor, card.id, "temporary", reason="portal")  # type: ignore[attr-defined]
    messages.success(request, _("已临时挂失。这张卡和它的电子社保卡已停用；找到后可在此解除挂失。"))
    return redirect("portal_cards")


@holder_only
@require_http_methods(["GET", "HEAD", "POST"])
def found(request: HttpRequest, card_id: int) -> HttpResponse:
    """Lift a temporary loss."""
    card = reading.my_card(request.holder_id, card_id)  # type: ignore[attr-defined]
    if request.method != "POST":
        return render(request, "found.html", {"card": card})
    actions.unreport(request.actor, card.id)  # type: ignore[attr-defined]
    messages.success(request, _("已解除挂失，这张卡和它的电子社保卡恢复使用。"))
    return redirect("portal_cards")


@holder_only
@require_http_methods(["GET", "HEAD", "POST"])
def means(request: HttpRequest) -> HttpResponse:
    """How I pay: for each item that takes more than one way, which comes first."""
    mine = request.holder_id  # type: ignore[attr-defined]
    if request.method != "POST":
        return render(request, "means.html", {"choices": paying.my_choices(mine), "by_bank": paying.pays_by_bank(mine)})
    first = request.POST.get("first", "")
    chosen = [Means(first)] if first in list(Means) else []
    entitlements.choose_means(request.actor, mine, request.POST.get("item", ""), chosen)  # type: ignore[attr-defined]
    messages.success(request, _("付款方式已更改，下一次用卡起生效。"))
    return redirect("portal_means")
