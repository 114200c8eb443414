"""What addresses carry from page to page: what a list shows, where it goes on, where somebody came from."""

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

# The longest number that any column of ours takes.
DIGITS_MAX = 18
# No code of ours is longer, and no place in a list.
KEY_CHARS_MAX = 100


def query_of(values: Mapping[str, object]) -> str:
    """The query part of an address, with its question mark, that asks for these values; empty ones are left out."""
    return "?" + urlencode({name: value for name, value in values.items() if value})


def number_in(text: str, digits_max: int = DIGITS_MAX) -> int | None:
    """The number that a value of an address is; None for whatever else somebody wrote there."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= digits_max else None


def text_in(text: str, chars_max: int = KEY_CHARS_MAX) -> str:
    """The text that a value of an address is, by default a code's: without its edges, and without the one character
    that PostgreSQL keeps in no text.
    """
    return text.replace("\0", "").strip()[:chars_max]


def next_of(request: HttpRequest) -> str:
    """Where to go on to, as the form or else the address says: a path of this very site, or ''."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    return wanted if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, {request.get_host()}) else ""


def came_from(request: HttpRequest) -> str:
    """The path of the page whose form was sent, as the browser says; '' where it says nothing or names another site."""
    told = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(told, {request.get_host()}):
        return ""
    parts = urlsplit(told)
    return parts.path + (f"?{parts.query}" if parts.query else "") if parts.path.startswith("/") else ""
