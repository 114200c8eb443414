"""A refusal of a verb, said where it was asked for."""

from collections.abc import Callable
from typing import TypeVar

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect

from onecard.foundation.errors import BadInput, Conflict, OneCardError
from onecard.foundation.web.jinja import words

T = TypeVar("T")


def said(form: Form, field: str | None, do: Callable[[], T]) -> T | None:
    """What doing it comes to; None where it was refused, which the form then says beside the field."""
    try:
        return do()
    except BadInput as refused:
        form.add_error(field, told(refused))
    except OneCardError as refused:
        if refused.status in (403, 404, 503):
            raise
        form.add_error(None, told(refused))
    return None


def done(form: Form, field: str | None, do: Callable[[], object]) -> bool:
    """Whether it was done, for what leaves nothing to show; where it was refused, the form says why, as by `said`."""
    return said(form, field, lambda: [do()]) is not None


def told(refused: OneCardError) -> str:
    """What a refusal says, and what to do next, in the page's language."""
    return words({"zh": f"{refused.zh}{refused.next_zh}", "en": f"{refused.en} {refused.next_en}".strip()})


def gone_on(request: HttpRequest, do: Callable[[], object], to: str, back: str) -> HttpResponseRedirect:
    """To the page of what was made by doing it; back, with the reason, where that conflicts with what is under way."""
    try:
        return redirect(to, do())
    except Conflict as refused:
        messages.warning(request, told(refused))
        return redirect(back)
