"""Real answers held against the document that the gateway hands out, keys that it does not declare included."""

import json
import re
from functools import cache
from typing import Any

import httpx
import jsonschema_rs

from onecard.gateway import reference

TRACE = re.compile("[0-9a-f]{32}")
HIDDEN = ("/terminal/",)
"""Pages, which are no part of the interface."""


def closed(node: Any) -> Any:
    """A schema that refuses what it does not declare: what is answered and not told would drift away unseen."""
    if isinstance(node, list):
        return [closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    made = {name: closed(value) for name, value in node.items()}
    if made.get("type") == "object" and "properties" in made:
        made["additionalProperties"] = False
    return made


@cache
def document() -> dict[str, Any]:
    return reference.document()


@cache
def _components() -> Any:
    return closed(document()["components"])


@cache
def _templates() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path) + "$"), path) for path in document()["paths"]]


def operation_of(method: str, path: str) -> dict[str, Any] | None:
    """What the document says of a request; None where there is nothing at that path or by that method."""
    template = next((template for pattern, template in _templates() if pattern.match(path)), None)
    found: dict[str, Any] | None = document()["paths"].get(template, {}).get(method.lower())
    return found


@cache
def _validator(operation: str, status: str, kind: str) -> jsonschema_rs.Validator:
    declared = next(
        each for path in document()["paths"].values() for each in path.values() if each["operationId"] == operation
    )
    schema = declared["responses"][status]["content"][kind]["schema"]
    return jsonschema_rs.validator_for({**schema, "components": _components()})


def check(response: httpx.Response) -> None:
    """An httpx hook: whatever the gateway answers is what its document says."""
    request = response.request
    if request.url.path.startswith(HIDDEN):
        return
    response.read()
    operation = operation_of(request.method, request.url.path)
    if operation is None or request.url.query:
        assert response.status_code in (404, 405), (request.url, response.status_code)
        return
    status, name = str(response.status_code), operation["operationId"]
    assert status in operation["responses"], f"{name}: {status} {response.text}"
    assert set(operation["responses"][status]["headers"]) == {"X-Trace"}
    assert TRACE.fullmatch(response.headers["x-trace"])
    content = operation["responses"][status].get("content")
    if content is None:
        assert response.content == b""
        return
    kind = response.headers["content-type"]
    assert kind in content, f"{name}: {status} {kind}"
    if kind.endswith("json"):
        for line in response.content.splitlines():  # of JSON there is one; of application/x-ndjson any number
            _validator(name, status, kind).validate(json.loads(line))
