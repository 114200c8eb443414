"""Bodies of requests: JSON in UTF-8, read in one way only."""

import json
from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser

from onecard.api import errors

KIND = "application/json"


class Strict(Parser):
    """A key that comes twice is refused, since of two readers one takes the first and one the last; so is what is no
    UTF-8, a number that JSON has not, and what does not say that it is JSON.
    """

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        if request.content_type != KIND:
            raise errors.not_json()
        told: dict[str, Any] = json.loads(
            request.body.decode("utf-8"), object_pairs_hook=_once_each, parse_constant=_no_number
        )
        return told


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) < len(pairs):
        raise ValueError("a key comes twice")
    return told


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")
