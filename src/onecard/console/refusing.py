"""A refusal of a verb, said in the form that asked for it."""

from collections.abc import Callable
from typing import TypeVar

from django.forms import Form

from onecard.foundation.errors import BadInput, OneCardError
from onecard.foundation.web.jinja import words

T = TypeVar("T")


def said(form: Form, field: str | None, do: Callable[[], T]) -> T | None:
    """What doing it comes to; None where it was refused, which the form then says beside the field."""
    try:
        return do()
    except BadInput as refused:
        form.add_error(field, _both(refused))
    except OneCardError as refused:
        if refused.status in (403, 404, 503):
            raise
        form.add_error(None, _both(refused))
    return None


def _both(refused: OneCardError) -> str:
    return words({"zh": f"{refused.zh}{refused.next_zh}", "en": f"{refused.en} {refused.next_en}".strip()})
