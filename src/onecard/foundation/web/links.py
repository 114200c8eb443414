"""What addresses carry from page to page: what a list shows, where it goes on, where somebody came from."""

from collections.abc import Mapping
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

# The longest number that any column of ours takes.
DIGITS_MAX = 18


def query_of(values: Mapping[str, object]) -> str:
    """The query part of an address, with its question mark, that asks for these values; empty ones are left out."""
    return "?" + urlencode({name: value for name, value in values.items() if value})


def number_in(text: str, digits_max: int = DIGITS_MAX) -> int | None:
    """The number that a value of an address is; None for whatever else somebody wrote there."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= digits_max else None


def next_of(request: HttpRequest) -> str:
    """Where to go on to, as the form or else the address says: an address of this very site, or ''."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    return wanted if url_has_allowed_host_and_scheme(wanted, {request.get_host()}) else ""
