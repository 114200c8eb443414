"""Writes: each takes an `Idempotency-Key`, so that whoever hears no answer sends the same again and nothing is done
twice.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Header, Schema
from pydantic import StringConstraints

from onecard.api.access import caller
from onecard.kernel.sharing.writes import Answer, once

Key = Annotated[
    str,
    StringConstraints(pattern=r'^([A-Za-z0-9_.:-]{8,100}|"[A-Za-z0-9_.:-]{8,100}")$'),
    Header(
        alias="Idempotency-Key",
        description="chosen by you, a new one for each write: 8 to 100 letters, digits and _ . : -",
        examples=["8e03978e-40d5-43e8-bc93-6894a57f9324"],
    ),
]
REPLAYED = "Idempotency-Replayed"


def write(
    request: HttpRequest, key: str, asked: Schema, do: Callable[[], dict[str, Any]],
    shown: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> HttpResponse:  # fmt: skip
    """Answer a write: what it came to, now or the first time. `do` gives the body of a 200, which is kept. Where that
    may hold no secret, `shown` makes of what is kept what is told.
    """

    def answer() -> Answer:
        return Answer(200, json.dumps(do(), ensure_ascii=False))

    content = f"{request.method} {request.path}\n{asked.model_dump_json()}".encode()
    given = once(caller(request), key.strip('"'), hashlib.sha256(content).digest(), answer)
    body = given.body if shown is None else json.dumps(shown(json.loads(given.body)), ensure_ascii=False)
    response = HttpResponse(body, status=given.status, content_type="application/json; charset=utf-8")
    if given.repeated:
        response[REPLAYED] = "true"
    return response
