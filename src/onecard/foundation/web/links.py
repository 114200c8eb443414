"""Addresses of a list's other pages."""

from collections.abc import Mapping
from urllib.parse import urlencode


def query_of(values: Mapping[str, object]) -> str:
    """The query part of an address, with its question mark, that asks for these values; empty ones are left out."""
    return "?" + urlencode({name: value for name, value in values.items() if value})
