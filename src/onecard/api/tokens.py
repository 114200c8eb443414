"""The token endpoint: OAuth 2 client credentials (RFC 6749 §4.4), whose refusals have the form of that standard."""

import json
from typing import Any

from django.db import DataError, transaction
from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from oauth2_provider.oauth2_backends import OAuthLibCore
from pydantic import Field

from onecard.api.access import too_many
from onecard.api.declare import Problem
from onecard.kernel.sharing import queries
from onecard.kernel.sharing.queries import TOKENS_PER_MINUTE, Caller
from onecard.kernel.sharing.scopes import Scope

router = Router(tags=["token"])
FORM = "application/x-www-form-urlencoded"


class Token(Schema):
    """A token, good for `expires_in` seconds; `scope` is what it may do, separated by blanks."""

    access_token: str
    token_type: str = Field(examples=["Bearer"])
    expires_in: int
    scope: str


class Refusal(Schema):
    """Why there is no token (RFC 6749 §5.2)."""

    error: str = Field(examples=["invalid_client"])
    error_description: str = ""


_ASKED: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"type": "string", "enum": ["client_credentials"]},
                        "scope": {"type": "string", "examples": [f"{Scope.CARDS} {Scope.CATALOGUE}"]},
                        "client_id": {"type": "string"},
                        "client_secret": {"type": "string", "format": "password"},
                    },
                }
            }
        },
    },
    "security": [{"ClientCredential": []}, {}],
}


@router.post(
    "/token", auth=None, operation_id="token", response={200: Token, 400: Refusal, 401: Refusal, 413: Problem,
    429: Problem, 500: Problem, 503: Problem}, openapi_extra=_ASKED,
)  # fmt: skip
def token(request: HttpRequest) -> HttpResponse:
    """Exchange a credential for a token.

    The credential travels as HTTP Basic, or as `client_id` and `client_secret` in the form. Without `scope` the token
    may do all that is agreed with the client today.
    """
    if request.content_type != FORM:
        return _refuse("invalid_request", 400)
    try:
        with transaction.atomic():  # a token too many goes with its transaction
            _, headers, body, status = OAuthLibCore().create_token_response(request)
            if status == 200:
                _take(json.loads(body)["access_token"])
    except DataError:  # the library looks for a credential whose id no text of the database can be
        return _refuse("invalid_client", 401)
    response = HttpResponse(body, status=status, content_type="application/json")
    for name, value in (headers or {}).items():
        response[name] = value
    return _closed(response)


def _take(token: str) -> None:
    """Count a token to the client that gets it. Raises TooMany."""
    known = queries.caller_of(token)
    if isinstance(known, Caller) and (wait_s := queries.take_token(known)):
        raise too_many(TOKENS_PER_MINUTE, wait_s)


def _refuse(error: str, status: int) -> HttpResponse:
    body = json.dumps({"error": error})
    return _closed(HttpResponse(body, status=status, content_type="application/json"))


def _closed(response: HttpResponse) -> HttpResponse:
    """What every answer says: nobody keeps it, and how a client proves itself."""
    response["Cache-Control"] = "no-store"
    if response.status_code == 401:
        response["WWW-Authenticate"] = 'Basic realm="onecard"'
    return response
