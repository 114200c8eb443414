"""The paper code of an e-card, printed at a counter: for who has no phone, with the rights of card and code."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from onecard.console import people
from onecard.console.access import needs
from onecard.console.forms import PaperForm, ReasonForm
from onecard.console.page import actor_at, page_of
from onecard.console.refusing import said
from onecard.foundation.errors import NotFound
from onecard.foundation.web.qr import drawn, matrix_of
from onecard.kernel.cards import words
from onecard.kernel.ecards import lasting
from onecard.kernel.ecards import queries as ecards
from onecard.kernel.ecards.models import PaperCode
from onecard.kernel.holders.rules import check_reason
from onecard.kernel.staff.queries import StaffActor


@needs("ecards.issue_paper_code")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def paper(request: HttpRequest, holder_id: int, card_id: int) -> HttpResponse:
    """Which paper code is good now; print one, which revokes the one before. It stands on this answer alone."""
    actor = actor_at(request)
    line = people.line_of(actor, holder_id)
    card = people.card_of(line, card_id)
    ecard = ecards.of_card(card.pk)
    serial = ecard.serial if ecard is not None and ecard.closed_at is None else None
    form = PaperForm(request.POST or None)
    page = page_of(request, "holders", line=line, card_id=card.pk, number=words.masked(card.number), form=form)
    if serial is not None and form.is_valid():
        days = form.cleaned_data["days"]
        text = said(form, "days", lambda: lasting.issue_paper_code(actor, serial, days=days))
        page["drawn"] = drawn(matrix_of(text)) if text else None
    page |= {"serial": serial, "good": ecards.paper_code_of(serial) if serial is not None else None}
    page["may_revoke"] = actor.holds("ecards.revoke_paper_code")
    page["reason"] = ReasonForm()
    return render(request, "paper.html", page, status=422 if form.errors else 200)


@needs("ecards.revoke_paper_code")
@require_POST
def revoke(request: HttpRequest, holder_id: int, card_id: int) -> HttpResponse:
    """Revoke the paper code that is good now, for a reason."""
    actor = actor_at(request)
    card = people.card_of(people.line_of(actor, holder_id), card_id)
    ecard = ecards.of_card(card.pk)
    good = ecards.paper_code_of(ecard.serial) if ecard is not None else None
    if good is None:
        raise NotFound("PAPER_CODE_UNKNOWN", "没有有效的纸质码。", "There is no paper code that is good.")
    form = ReasonForm(request.POST)
    valid, serial = form.is_valid(), good.pk
    done = said(form, "reason", lambda: _revoked(actor, serial, form.cleaned_data["reason"])) if valid else None
    if done is not None:
        messages.success(request, _("纸质码已作废，从现在起不能再用。"))
    else:
        messages.error(request, " ".join(str(each) for errors in form.errors.values() for each in errors))
    return redirect("console_paper", holder_id, card_id)


def _revoked(actor: StaffActor, serial: int, reason: str) -> PaperCode:
    return lasting.revoke_paper_code(actor, serial, reason=check_reason(reason))
