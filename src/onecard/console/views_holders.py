"""Pages of holders: finding one, the page of one, what is masked, and the moves of their cards."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from onecard.console import finding, history, moves, people
from onecard.console.access import needs
from onecard.console.forms import FindForm, ReasonForm, RevealForm
from onecard.console.page import actor_at, page_of
from onecard.console.refusing import done, said
from onecard.console.second import SecondOfficerForm
from onecard.foundation.web.jinja import words
from onecard.kernel.cards import words as card_words
from onecard.kernel.holders import divisions
from onecard.kernel.holders import queries as holders
from onecard.kernel.holders.queries import Line
from onecard.kernel.holders.rules import check_reason
from onecard.kernel.staff.queries import StaffActor


@needs("holders.read")
@require_http_methods(["GET", "HEAD", "POST"])
def find(request: HttpRequest) -> HttpResponse:
    """Find a holder. What is looked for travels in the body: an address would leave it in logs and histories."""
    form = FindForm(request.POST or None)
    page = page_of(request, "holders", form=form, division=divisions.name_of)
    if form.is_valid():
        asked = form.cleaned_data
        found = said(form, "number", lambda: finding.find(actor_at(request), asked["number"], asked["after"]))
        if found is not None:
            page.update(found=found, asked=asked["number"])
    return render(request, "holders.html", page, status=422 if form.errors else 200)


@needs("holders.read")
@require_safe
def holder(request: HttpRequest, holder_id: int) -> HttpResponse:
    """One holder: masked data, cards with their moves, and the history. Opening it leaves a fact."""
    position = history.chosen(request.GET)
    actor = actor_at(request)
    line = people.look(actor, holder_id)
    return render(request, "holder.html", _holder_page(request, line, position))


def _holder_page(request: HttpRequest, line: Line, position: history.Position) -> dict[str, Any]:
    actor = actor_at(request)
    person = people.person(actor, line)
    told, here = history.page(actor, line, person.held, position), reverse("console_holder", args=[line.id])
    kinds = [
        (words(name), f"{here}{history.Position(code).query()}#history", code == position.kind)
        for code, (name, _patterns) in history.KINDS.items()
        if code != history.USES or told.with_uses
    ]
    return page_of(request, "holders", person=person, history=told, kinds=kinds, position_of=history.Position)


@needs("holders.reveal")
@require_http_methods(["GET", "HEAD", "POST"])
def reveal(request: HttpRequest, holder_id: int) -> HttpResponse:
    """Show what is masked, for a reason. What is shown stands on this answer alone, which nothing keeps."""
    actor = actor_at(request)
    line = people.line_of(actor, holder_id)
    form = RevealForm(request.POST or None)
    page = page_of(request, "holders", line=line, form=form)
    if form.is_valid():
        asked = form.cleaned_data
        page["shown"] = said(
            form, "reason", lambda: holders.reveal(actor, line.id, asked["fields_shown"], asked["reason"])
        )
        page["names"] = dict(form.fields["fields_shown"].choices)  # type: ignore[attr-defined]  # a choice field
    return render(request, "reveal.html", page, status=422 if form.errors else 200)


@needs("holders.read")
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, holder_id: int, card_id: int, move_code: str) -> HttpResponse:
    """Make a move of a card: what it does, a reason where it takes one, a second officer where it takes two."""
    actor, kind = actor_at(request), moves.kind_of(move_code)
    line = people.line_of(actor, holder_id)
    card = people.card_of(line, card_id)
    form = ReasonForm(request.POST or None, needed=kind.needs_reason)
    # A code is good once: it is not looked at before the rest is right.
    signed = request.POST if form.is_valid() else None
    second = SecondOfficerForm(signed, request=request) if kind.checked else None
    why = moves.why_not(actor, card, kind)
    if form.is_valid() and (second is None or _approved(second, actor, kind.permission, card.issuing_place)):
        checker = second.actor if second is not None else None
        if done(form, None, lambda: _move(actor, card.pk, kind, form.cleaned_data["reason"], checker)):
            messages.success(request, _("已办理：%(move)s。") % {"move": words(kind.name)})
            return redirect("console_holder", line.id)
    wrong = form.errors or (second is not None and second.errors)
    page = page_of(request, "holders", line=line, kind=kind, why=why, form=form, second=second)
    page["number"] = card_words.masked(card.number)
    page["card_id"] = card.pk
    return render(request, "move.html", page, status=422 if wrong else 200)


def _approved(second: SecondOfficerForm, maker: StaffActor, permission: str, place: str) -> bool:
    return second.is_valid() and second.may(maker, permission, place)


def _move(actor: Any, card_id: int, kind: moves.Kind, reason: str, checker: Any) -> None:
    moves.make(actor, card_id, kind, check_reason(reason) if reason else "", checker)
