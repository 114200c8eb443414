"""Pages of the portal."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from onecard.foundation import clock, node
from onecard.foundation.web.links import text_in
from onecard.foundation.web.tables import csv_response
from onecard.kernel.cards import actions
from onecard.kernel.entitlements import actions as entitlements
from onecard.portal import costs, open_data, reading, services
from onecard.portal import means as paying
from onecard.portal.access import anyone, holder_of, holder_only
from onecard.scenarios import legal
from onecard_kit.terms import Means


@anyone
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What one card does in this city; for who is signed in, their card, its last uses and the ways on."""
    holder = holder_of(request)
    mine = reading.mine(holder) if holder is not None else None
    return render(request, "home.html", {"mine": mine, "fields": services.fields(), "events": services.life_events()})


@anyone
@require_safe
def service_list(request: HttpRequest) -> HttpResponse:
    """The list of a place: by field, with words to find, a page at a time."""
    return render(request, "services.html", {"listing": services.services(services.chosen(request.GET))})


@anyone
@require_safe
def service(request: HttpRequest, code: str) -> HttpResponse:
    """One item: guide, price, legal bases, points, versions; and what it would cost who is signed in."""
    page = services.service(code, request.GET.get("after", ""))
    mine = holder_of(request)
    cost = costs.for_holder(mine, page.declared, node.code()) if mine is not None else None
    return render(request, "service.html", {"service": page, "cost": cost})


@anyone
@require_safe
def services_csv(request: HttpRequest) -> HttpResponse:
    """The list of a place as a table; `?limit=` and `?after=` take it in parts."""
    part = open_data.of(services.chosen(request.GET), request.GET.get("limit", ""))
    response = csv_response("services.csv", open_data.COLUMNS, (open_data.cells(entry) for entry in part.entries))
    return _with_next(response, request, part)


@anyone
@require_safe
def services_json(request: HttpRequest) -> HttpResponse:
    """The list of a place as data, with the legal bases that it points to; `?limit=` and `?after=` take it in parts."""
    asked = services.chosen(request.GET)
    part = open_data.of(asked, request.GET.get("limit", ""))
    told = {
        "place": asked.place.code,
        "day": clock.today().isoformat(),
        "items": part.entries,
        "legal_bases": open_data.laws(part.entries),
        "next": part.next or None,
    }
    return _with_next(JsonResponse(told, json_dumps_params={"ensure_ascii": False}), request, part)


def _with_next(response: HttpResponse, request: HttpRequest, part: open_data.Part) -> HttpResponse:
    """Point to the next part where there is one (RFC 8288)."""
    if part.next:
        query = request.GET.copy()
        query["after"] = part.next
        response["Link"] = f'<{request.path}?{query.urlencode()}>; rel="next"'
    return response


@anyone
@require_safe
def legal_bases(request: HttpRequest) -> HttpResponse:
    """The register of legal bases, a page at a time."""
    after = text_in(request.GET.get("after", ""))
    return render(request, "legal_bases.html", {"register": legal.register(after)})


@anyone
@require_safe
def legal_basis(request: HttpRequest, code: str) -> HttpResponse:
    """One text: its articles, and the items that point to them."""
    return render(request, "legal_basis.html", {"text": legal.text(code)})


@holder_only
@require_safe
def cards(request: HttpRequest) -> HttpResponse:
    """My cards, and what they were used for lately."""
    mine = reading.my_cards(request.holder_id)  # type: ignore[attr-defined]
    page = {"cards": mine, "uses": reading.my_uses(mine), "name": reading.my_name(request.holder_id)}  # type: ignore[attr-defined]
    return render(request, "cards.html", page)


@holder_only
@require_safe
def lost_card(request: HttpRequest) -> HttpResponse:
    """Straight to the report: for who has one card that can be reported, no list stands before it."""
    can = [card for card in reading.my_cards(request.holder_id) if card.can_report]  # type: ignore[attr-defined]
    return redirect("portal_lost", card_id=can[0].id) if len(can) == 1 else redirect("portal_cards")


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
    item = text_in(request.POST.get("item", ""))
    entitlements.choose_means(request.actor, mine, item, chosen)  # type: ignore[attr-defined]
    messages.success(request, _("付款方式已更改，下一次用卡起生效。"))
    return redirect("portal_means")
