"""Pages of the catalogue: items, their versions and what is done with them, files, differences, offers, legal bases;
and what would become of a use.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from onecard.console import asking, items, steps
from onecard.console.access import needs
from onecard.console.forms import ReasonForm
from onecard.console.forms_items import EndForm, FileForm, OfferForm, PublishForm, StopOfferingForm, WhatIfForm
from onecard.console.page import actor_at, page_of
from onecard.console.placing import STATE_CHOICES
from onecard.console.refusing import done, said, told
from onecard.console.steps import Offered, Step
from onecard.foundation.errors import NotFound
from onecard.foundation.web.jinja import words
from onecard.foundation.web.links import number_in, text_in
from onecard.kernel.catalogue import actions
from onecard.kernel.uses.explain import Explanation
from onecard.scenarios import legal

FORM_METHODS = ["GET", "HEAD", "POST"]


@needs("catalogue.read")
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Every item of the node by code, a page at a time."""
    choices = {"fields": items.fields(), "levels": items.LEVEL_CHOICES, "stages": items.STAGE_CHOICES}
    page = page_of(request, "items", listing=items.listing(items.chosen(request.GET)), states=STATE_CHOICES, **choices)
    return render(request, "items.html", page)


@needs("catalogue.read")
@require_safe
def item(request: HttpRequest, code: str) -> HttpResponse:
    """One item with its versions, the newest first."""
    number = number_in(request.GET.get("before", ""), items.VERSION_DIGITS)
    shown = items.one(actor_at(request), code, number)
    return render(request, "item.html", page_of(request, "items", item=shown, before=number))


@needs("catalogue.read")
@require_safe
def version(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """One version: what it says in words and key by key, who did what, and what may be done."""
    shown = items.version(actor_at(request), code, number)
    return render(request, "item_version.html", page_of(request, "items", version=shown))


@needs("catalogue.read")
@require_safe
def preview(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """A version as the public page says it, before or after residents can read it."""
    shown = items.version(actor_at(request), code, number)
    return render(request, "item_preview.html", page_of(request, "items", version=shown))


@needs("catalogue.read")
@require_safe
def version_toml(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """A version as a file that can be edited and uploaded again."""
    return _file(items.toml_of(code, number), f"{code}.{number}.toml", "application/toml; charset=utf-8")


@needs("catalogue.read")
@require_safe
def version_json(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """A version as plain values, with all that goes without saying."""
    return _file(items.json_of(code, number), f"{code}.{number}.json", "application/json")


def _file(content: str | bytes, name: str, kind: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@needs("catalogue.read")
@require_safe
def difference(request: HttpRequest, code: str) -> HttpResponse:
    """How two versions of an item differ, key by key."""
    shown = items.compared(code, request.GET)
    return render(request, "item_difference.html", page_of(request, "items", compared=shown))


# --- Steps ------------------------------------------------------------------------------------------------------------


@needs("catalogue.read")
@require_http_methods(FORM_METHODS)
def version_step(request: HttpRequest, code: str, number: int, step_code: str) -> HttpResponse:
    """A step of a version: what it does, and what it asks for. Who may not take it reads why."""
    actor, step = actor_at(request), steps.of_code(step_code)
    shown = items.version(actor, code, number)
    back = ("console_item_version", shown.code, number)
    page = {"name": shown.guide.name, "number": number, "stage": shown.row.stage}
    return _step(request, step, _offered(step, shown.steps, shown.row.stage[0]), back, page, undecided=shown.undecided)


@needs("catalogue.read")
@require_http_methods(FORM_METHODS)
def item_step(request: HttpRequest, code: str, step_code: str) -> HttpResponse:
    """A step of an item in all its versions: suspending and resuming."""
    actor, step = actor_at(request), steps.of_code(step_code)
    shown = items.one(actor, code)
    page = {"name": shown.row.name, "number": 0, "stage": shown.row.state}
    return _step(request, step, _offered(step, shown.steps, shown.row.state[0]), ("console_item", shown.row.code), page)


def _offered(step: Step, offered: list[Offered], stands: dict[str, str]) -> Offered:
    return next((each for each in offered if each.step == step), Offered(step, steps.not_now(step, stands)))


def _step(
    request: HttpRequest,
    step: Step,
    offered: Offered,
    back: tuple[Any, ...],
    values: dict[str, Any],
    *,
    undecided: bool = False,
) -> HttpResponse:
    form = _form_of(step, request, undecided)
    actor, code = actor_at(request), str(back[1])
    if form.is_valid() and done(form, None, lambda: step.run(actor, code, values["number"], form.cleaned_data)):
        messages.success(request, _("已办理：%(step)s。") % {"step": words(step.name)})
        return redirect(*back)
    page = page_of(request, "items", step=step, why=offered.why, form=form, code=code, back=back, **values)
    return render(request, "item_step.html", page, status=422 if form.errors else 200)


def _form_of(step: Step, request: HttpRequest, undecided: bool) -> Form:
    given = request.POST if request.method == "POST" else None
    if step.code == "submit":
        return Form(given)
    if step.code == "publish":
        return PublishForm(given, undecided=undecided)
    return EndForm(given) if step.code == "end" else ReasonForm(given)


# --- Files ------------------------------------------------------------------------------------------------------------


@needs("catalogue.load")
@require_http_methods(FORM_METHODS)
def upload(request: HttpRequest) -> HttpResponse:
    """Take an item's file: first what it would change, then, once that was read, the draft."""
    actor = actor_at(request)
    form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
    page = page_of(request, "items", form=form)
    if form.is_valid():
        given = form.cleaned_data
        if given["seen"] and (stored := _stored(request, form, given)):
            return stored
        if not form.errors:
            page["taken"] = said(form, "text", lambda: items.look(actor, given["text"], given["name"]))
            page |= {"given": given, "moved": bool(given["seen"])}
    return render(request, "item_upload.html", page, status=422 if form.errors else 200)


def _stored(request: HttpRequest, form: FileForm, given: dict[str, Any]) -> HttpResponse | None:
    """The way on once the draft is stored; None where something came between, which is then to be read first."""
    actor = actor_at(request)
    stored = said(form, "text", lambda: items.store(actor, given["text"], given["name"], given["seen"]))
    if stored is None or not stored[1]:
        return None
    taken = stored[0]
    messages.success(request, _("已保存为拟订：%(code)s 第 %(n)s 版。") % {"code": taken.code, "n": taken.version})
    return redirect("console_item_version", taken.code, taken.version)


# --- Offers -----------------------------------------------------------------------------------------------------------


@needs("catalogue.read")
@require_safe
def offers(request: HttpRequest, code: str) -> HttpResponse:
    """The points of the officer's places that offer an item, by code."""
    shown = items.offers(actor_at(request), code, request.GET)
    return render(request, "item_offers.html", page_of(request, "items", offers=shown))


@needs("catalogue.offer")
@require_http_methods(FORM_METHODS)
def offer(request: HttpRequest, code: str) -> HttpResponse:
    """Have a point offer the item."""
    actor, known = actor_at(request), items.of_code(code)
    form = OfferForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        point, capacity = form.cleaned_data["point"], form.cleaned_data["capacity_count"]
        if done(form, "point", lambda: actions.offer(actor, point, known.code, capacity_count=capacity)):
            messages.success(request, _("已开通。"))
            return redirect("console_item_offers", known.code)
    page = page_of(request, "items", form=form, code=known.code, stops=False)
    return render(request, "item_offer.html", page, status=422 if form.errors else 200)


@needs("catalogue.stop_offering")
@require_http_methods(FORM_METHODS)
def stop_offering(request: HttpRequest, code: str) -> HttpResponse:
    """Have a point offer the item no more, for a reason."""
    actor, known = actor_at(request), items.of_code(code)
    initial = {"point": text_in(request.GET.get("point", ""), 64)}
    form = StopOfferingForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        point, reason = form.cleaned_data["point"], form.cleaned_data["reason"]
        if done(form, "point", lambda: actions.stop_offering(actor, point, known.code, reason)):
            messages.success(request, _("已停办。"))
            return redirect("console_item_offers", known.code)
    page = page_of(request, "items", form=form, code=known.code, stops=True)
    return render(request, "item_offer.html", page, status=422 if form.errors else 200)


# --- Legal bases ------------------------------------------------------------------------------------------------------


@needs("catalogue.read")
@require_safe
def legal_bases(request: HttpRequest) -> HttpResponse:
    """The register of legal bases, a page at a time."""
    after = text_in(request.GET.get("after", ""), 64)
    page = page_of(request, "items", register=legal.register(after), after=after)
    return render(request, "legal_bases.html", page)


@needs("catalogue.read")
@require_safe
def legal_basis(request: HttpRequest, code: str) -> HttpResponse:
    """A text with its articles, and the items in force that point to each."""
    return render(request, "legal_basis.html", page_of(request, "items", text=legal.text(text_in(code, 64))))


# --- What if ----------------------------------------------------------------------------------------------------------


@needs("uses.explain")
@require_http_methods(FORM_METHODS)
def what_if(request: HttpRequest) -> HttpResponse:
    """What would become of a use: every rule that was looked at, and why the winner won."""
    actor = actor_at(request)
    initial = {name: text_in(request.GET.get(name, ""), 100) for name in ("item", "point")}
    form = WhatIfForm(request.POST if request.method == "POST" else None, initial=initial)
    page = page_of(request, "uses", form=form)
    if form.is_valid():
        page["explained"] = explained = _asked(form, lambda: asking.what_if(actor, **form.cleaned_data))
        if explained is not None:
            page["verdict"], page["tone"] = asking.verdict(explained)
    return render(request, "what_if.html", page, status=422 if form.errors else 200)


UNKNOWN_IN = {"CARD_UNKNOWN": "card", "ECARD_UNKNOWN": "medium", "ITEM_UNKNOWN": "item", "POINT_UNKNOWN": "point"}


def _asked(form: WhatIfForm, ask: Callable[[], Explanation]) -> Explanation | None:
    """What asking tells; None where it was refused, which the form says, beside the field that names what is not."""
    try:
        return said(form, None, ask)
    except NotFound as refused:
        form.add_error(UNKNOWN_IN.get(refused.code), told(refused))
        return None
