"""The gateway's interface as an OpenAPI 3.1 document (`GET /v1/openapi.json`): what is asked and answered is taken from
the declarations that read and write it (`wire.py`, `answers.py`, `batch.py`), the rest stands in the table below.

A test holds the table against the routes, the codes of refusals against the errors that the code raises, and real
answers against the document.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import msgspec

from onecard.gateway import answers, batch, lists, packs, wire
from onecard.gateway.wire import Response
from onecard_kit import requests
from onecard_kit.presentation import Presentation

PATH: Final = "/v1/openapi.json"
JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
JWT: Final = "application/jwt"
JOURNAL: Final = "application/x-onecard-journal"

Codes = Mapping[int, tuple[str, ...]]
"""Codes of problems by the status that they come with."""

LINES: Final = (batch.Result, answers.UploadTold)
"""An answer of many lines, each of which is one of these."""

SIGNED: Final = "TerminalSignature"
DEVICE: Final = "DeviceToken"

_BODY: Final[Codes] = {400: ("REQUEST_MALFORMED",), 408: ("REQUEST_TOO_SLOW",), 413: ("REQUEST_TOO_LARGE",)}
_UNSIGNED: Final[Codes] = {401: ("TERMINAL_CLOCK_OFF", "TERMINAL_SIGNATURE_INVALID")}
_NO_DEVICE: Final[Codes] = {401: ("DEVICE_TOKEN_INVALID",), 409: ("CARD_NOT_ACTIVE",)}
_AWAY: Final[Codes] = {503: ("DATABASE_AWAY",)}
_BUSY: Final[Codes] = {503: ("DATABASE_AWAY", "QUEUE_FULL")}
_NO_SIGNER: Final[Codes] = {503: ("DATABASE_AWAY", "KEY_UNKNOWN", "NO_SIGNING_KEY")}
# What any request may meet.
ALWAYS: Final[Codes] = {
    404: ("NO_SUCH_PATH",),
    405: ("METHOD_NOT_ALLOWED",),
    500: ("OUR_FAULT", "SEAL_BROKEN"),
    503: ("KEYS_MALFORMED", "KEYS_MISSING", "KEY_UNKNOWN"),
}
# What states do not allow is refused with the verdict's own code.
_STOPPED: Final = ("CLIENT_SUSPENDED", "POINT_SUSPENDED", "TERMINAL_SUSPENDED")
STATES: Final = (*_STOPPED, "FUNDS_SHORT", "PURSE_FULL")
_REFUND: Final[Codes] = {
    404: ("USE_UNKNOWN",),
    409: (
        "ALREADY_REFUNDED", "JOURNEY_NOT_ENDED", "JOURNEY_TRAVELLED", "KEY_EXPIRED", "NOTHING_TO_REFUND",
        "PASS_IN_USE", "REFUND_TOO_LATE", "SEQUENCE_REUSED", *STATES,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Operation:
    """One request: who may send it (`by`: a name of a security scheme, or "" for anyone), what it carries, what it is
    answered, by media type, and which codes it may be refused with besides those that any request meets.
    """

    method: str
    path: str
    name: str
    tag: str
    summary: str
    by: str
    answer: Mapping[str, Any]
    asked: Any = None
    asked_as: str = JSON
    parameters: tuple[str, ...] = ()
    refusals: tuple[Codes, ...] = ()
    unchanged: bool = False

    def codes(self) -> dict[int, list[str]]:
        """Every code that it may be refused with, by status."""
        found: dict[int, set[str]] = {}
        for codes in (*self.refusals, ALWAYS):
            for status, named in codes.items():
                found.setdefault(status, set()).update(named)
        return {status: sorted(named) for status, named in sorted(found.items())}


OPERATIONS: Final = (
    Operation(
        "POST", "/v1/pairings", "pair", "terminals", "A pairing code becomes a key and a journal, once", "",
        {JSON: answers.Paired}, wire.PairingRequest, refusals=(_BODY, {401: ("PAIRING_CODE_INVALID",)}, _AWAY),
    ),
    Operation(
        "POST", "/v1/uses", "use", "uses", "One presentation of a card or code for an item", SIGNED,
        {JSON: answers.UseTold}, Presentation,
        refusals=(_BODY, _UNSIGNED, {409: ("SEQUENCE_REUSED",)}, _BUSY),
    ),
    Operation(
        "POST", "/v1/explanations", "explain", "uses", "Why a use came to what it did, or what would become of one",
        SIGNED, {JSON: answers.Explained}, wire.ExplanationRequest,
        refusals=(_BODY, _UNSIGNED, {404: ("USE_UNKNOWN",), 409: ("KEY_EXPIRED", *_STOPPED)}, _AWAY),
    ),
    Operation(
        "POST", "/v1/refunds", "refund", "uses", "Give a use back, in full and once", SIGNED,
        {JSON: answers.Refunded}, wire.RefundRequest, refusals=(_BODY, _UNSIGNED, _REFUND, _AWAY),
    ),
    Operation(
        "POST", "/v1/codes", "codes", "phones", "The next codes of a phone's e-card", DEVICE,
        {JSON: answers.Windows}, wire.CodesRequest,
        refusals=(_BODY, {400: ("WINDOWS_INVALID",)}, _NO_DEVICE, _NO_SIGNER),
    ),
    Operation(
        "POST", "/v1/numbers", "number", "phones", "A number to read aloud to staff", DEVICE,
        {JSON: answers.NumberGiven}, wire.NumberRequest, refusals=(_BODY, _NO_DEVICE, {409: ("NOT_OWN_PHONE",)}, _AWAY),
    ),
    Operation(
        "POST", batch.UPLOAD, "upload", "offline", "Lines of its journal, which a gate decided without a line", SIGNED,
        {batch.KIND: LINES}, str, asked_as=JOURNAL,
        refusals=(_UNSIGNED, {400: ("REQUEST_MALFORMED",), 408: ("REQUEST_TOO_SLOW",)}, _BUSY),
    ),
    Operation(
        "GET", f"{batch.JOURNALS}{{journal}}", "journal", "offline", "How far a journal is taken", SIGNED,
        {JSON: answers.Taken}, parameters=("journal",), refusals=(_UNSIGNED, _AWAY),
    ),
    Operation(
        "GET", packs.PATH, "pack", "offline", "Everything a terminal needs to decide without a line", SIGNED,
        {JWT: str}, parameters=("If-None-Match",), refusals=(_UNSIGNED, _NO_SIGNER), unchanged=True,
    ),
    Operation(
        "GET", f"{lists.PATH}{{issuer}}/{{name}}", "status_list", "offline", "What is paused or void, signed", "",
        dict.fromkeys(lists.KINDS.values(), str), parameters=("issuer", "name", "If-None-Match"),
        refusals=({404: ("LIST_NOT_MADE", "LIST_UNKNOWN"), 406: ("NOT_ACCEPTABLE",), 503: ("DATABASE_AWAY",)},),
        unchanged=True,
    ),
    Operation(
        "GET", "/v1/keys", "keys", "offline", "The keys that verify codes, and those withdrawn", "",
        {JSON: answers.Keys}, refusals=(_NO_SIGNER,),
    ),
    Operation(
        "GET", "/health", "health", "service", "Whether process and database answer", "", {JSON: answers.Health},
        refusals=(_AWAY,),
    ),
    Operation("GET", PATH, "reference", "service", "This document", "", {JSON: dict[str, Any]}),
)  # fmt: skip

_HEADERS: Final = {
    requests.TERMINAL: ("The terminal's code. Sent, not signed.", {"type": "string"}),
    requests.KEY: ("The id of the key that signs. Sent, not signed.", {"type": "integer", "minimum": 0}),
    requests.TIME: (
        f"Unix seconds, within {requests.TIME_TOLERANCE_S} of the server's clock.",
        {"type": "integer", "minimum": 0},
    ),
    requests.JOURNAL: ("The journal that pairing gave.", {"type": "string", "format": "uuid"}),
    requests.SEQUENCE: (
        "The line's number in the journal: a new one for each content.",
        {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
    ),
}
_PARAMETERS: Final = {
    "journal": ("path", "The journal's id: that of the signature.", {"type": "string", "format": "uuid"}),
    "issuer": ("path", "The issuing place (GB/T 2260).", {"type": "string", "pattern": "^[0-9]{6}$"}),
    "name": ("path", "A day in China, or papers, cards or terminals.", {"type": "string"}),
    "If-None-Match": ("header", "The ETag that you hold.", {"type": "string"}),
}
_SCHEMES: Final = {
    SIGNED: {
        "type": "apiKey",
        "in": "header",
        "name": requests.SIGNATURE,
        "description": "Lower-case hex HMAC, under the terminal's key, of six lines joined by LF: method, path, time,"
        " journal, sequence, lower-case hex digest of the body. SHA-256, or SM3 where pairing said hmac-sm3.",
    },
    DEVICE: {"type": "http", "scheme": "bearer", "description": "The device token that a phone got when it enrolled."},
}
_TRACE: Final = {
    "X-Trace": {
        "description": "The trace: name it when asking for help.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    }
}
_TRACED: Final = {name: {"$ref": f"#/components/headers/{name}"} for name in _TRACE}


def document() -> dict[str, Any]:
    """The whole document, as plain values, the same each time."""
    declared = [*_declared(), answers.Problem, *LINES]
    _, components = msgspec.json.schema_components(declared, ref_template="#/components/schemas/{name}")
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "OneCard gateway",
            "version": "1",
            "description": "For gates, validators, readers, counters, and apps that show the code. Amounts are whole"
            " fen, moments Unix seconds unless they carry an offset, days those of China. Unknown keys are refused.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": {name: _tidy(schema) for name, schema in _with_words(components).items()},
            "parameters": {name: _header(name) for name in _HEADERS},
            "headers": _TRACE,
            "securitySchemes": _SCHEMES,
        },
    }


@cache
def answer() -> Response:
    """The document as an answer."""
    return Response(200, msgspec.json.encode(document()), (("cache-control", "public, max-age=300"),), JSON)


def _declared() -> Iterator[Any]:
    """What is asked and answered, as declared."""
    for operation in OPERATIONS:
        yield from (declared for declared in operation.answer.values() if declared is not LINES)
        if operation.asked is not None:
            yield operation.asked


def _schema(declared: Any) -> dict[str, Any]:
    if declared is LINES:
        return {"description": "Of each line.", "anyOf": [_schema(each) for each in LINES]}
    (schema,), _ = msgspec.json.schema_components([declared], ref_template="#/components/schemas/{name}")
    return schema


def _operation(operation: Operation) -> dict[str, Any]:
    said: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": list(_parameters(operation)),
        "responses": dict(_responses(operation)),
        "security": [{operation.by: []}] if operation.by else [],
    }
    if operation.asked is not None:
        body = {"content": {operation.asked_as: {"schema": _schema(operation.asked)}}}
        said["requestBody"] = {"required": operation.by != DEVICE, **body}
    return said


def _parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    if operation.by == SIGNED:
        yield from ({"$ref": f"#/components/parameters/{name}"} for name in _HEADERS)
    for name in operation.parameters:
        place, description, schema = _PARAMETERS[name]
        yield {"name": name, "in": place, "required": place == "path", "description": description, "schema": schema}


def _header(name: str) -> dict[str, Any]:
    description, schema = _HEADERS[name]
    return {"name": name, "in": "header", "required": True, "description": description, "schema": schema}


def _responses(operation: Operation) -> Iterator[tuple[str, dict[str, Any]]]:
    content = {kind: {"schema": _schema(declared)} for kind, declared in operation.answer.items()}
    yield "200", {"description": "The answer", "headers": _TRACED, "content": content}
    if operation.unchanged:
        yield "304", {"description": "What you hold is the newest", "headers": _TRACED}
    for status, codes in operation.codes().items():
        code = {"properties": {"code": {"enum": codes}, "status": {"const": status}}}
        schema = {"allOf": [{"$ref": "#/components/schemas/Problem"}, code]}
        yield (
            str(status),
            {
                "description": ", ".join(codes),
                "headers": _TRACED,
                "content": {PROBLEM: {"schema": schema}},
            },
        )


def _tidy(schema: dict[str, Any]) -> dict[str, Any]:
    """A description on one line, and keys in the order in which they are declared."""
    tidy = dict(schema)
    if "description" in tidy:
        tidy["description"] = " ".join(tidy["description"].split())
    declared = getattr(answers, tidy.get("title", ""), None)
    if declared is not None and "properties" in tidy:
        order = [name for name in declared.__annotations__ if name in tidy["properties"]]
        tidy["properties"] = {name: tidy["properties"][name] for name in [*order, *tidy["properties"]]}
        tidy["required"] = [name for name in tidy["properties"] if name in tidy["required"]]
    return tidy


def _with_words(components: dict[str, Any]) -> dict[str, Any]:
    """What a gate decided travels with its words beside it (`explain.Explanation.plain`)."""
    at_gate = components["AtGate"]
    words = {"admitted": {"type": "boolean"}, "zh": {"type": "string"}, "en": {"type": "string"}}
    told = {
        **at_gate,
        "properties": {**at_gate["properties"], **words},
        "required": [*at_gate["required"], *words],
    }
    return {**components, "AtGate": told}
