"""The gateway's OpenAPI document: it is one, it names every route and refusal, and what it says is what is answered.

That every other answer in this folder is as the document says, the client that the tests share looks after
(`documented.check`).
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from schemathesis.specs.openapi import definitions
from tests.gateway import documented
from tests.gateway.process import send, signed
from tests.small_city import SmallCity
from tools import docs, problems

from onecard.gateway import app, batch, lists, reference

processes = pytest.mark.processes


def test_it_is_an_openapi_document() -> None:
    definitions.OPENAPI_31_VALIDATOR.validate(reference.document())
    with pytest.raises(ValueError, match="openapi"):
        definitions.OPENAPI_31_VALIDATOR.validate({**reference.document(), "openapi": 3})


def test_every_reference_in_it_leads_somewhere() -> None:
    document = reference.document()

    def references(node: Any) -> Iterator[str]:
        for name, value in node.items() if isinstance(node, dict) else enumerate(node):
            if name == "$ref":
                yield value
            elif isinstance(value, dict | list):
                yield from references(value)

    for found in set(references(document)):
        here: Any = document
        for part in found.removeprefix("#/").split("/"):
            here = here[part]


def test_it_names_every_route() -> None:
    routes = {(route.method, path) for path, route in app.ROUTES.items()}
    routes |= {("GET", f"{batch.JOURNALS}{{journal}}"), ("GET", f"{lists.PATH}{{issuer}}/{{name}}")}
    assert {(each.method, each.path) for each in reference.OPERATIONS} == routes
    names = [each.name for each in reference.OPERATIONS]
    assert len(set(names)) == len(names)


def test_it_names_every_refusal_that_the_code_raises() -> None:
    raised = {(each.status, each.code) for each in problems.by_code(docs.PROBLEM_FILES)}
    named = {
        (status, code) for each in reference.OPERATIONS for status, codes in each.codes().items() for code in codes
    }
    states = {(409, code) for code in reference.STATES}
    assert named - states == raised
    assert states <= named


@processes
def test_each_answer_is_as_it_says(city: SmallCity, http: httpx.Client) -> None:
    """`http` holds every answer against the document; here is one of each that the other files ask for by other
    means.
    """
    assert http.get(reference.PATH).json() == reference.document()
    assert http.get("/health").status_code == 200
    card, bus = city.a_card(), city.a_terminal()
    city.enrol(card, hashlib.sha256(b"a phone").digest())
    phone = {"authorization": "Bearer a phone"}
    code = http.post("/v1/codes", headers=phone).json()["windows"][0]["code"]
    asked = {"item": "transit.bus_ride", "code": code}
    assert send(http, bus, asked, path="/v1/explanations").status_code == 200
    use = send(http, bus, asked).json()["use"]
    assert send(http, bus, {"use": use}, path="/v1/explanations").json()["agrees"] is True
    assert send(http, bus, {"use": use}, path="/v1/refunds").status_code == 200
    assert http.post("/v1/numbers", headers=phone).status_code == 200
    assert http.get("/v1/keys").status_code == 200
    journal = f"/v1/journals/{bus.journal}"
    assert http.get(journal, headers=signed(bus, journal, b"", bus.next(), method="GET")).json()["through"] == -1
    assert http.get("/v1/pack", headers=signed(bus, "/v1/pack", b"", bus.next(), method="GET")).status_code == 200
    upload = http.post(batch.UPLOAD, headers=signed(bus, batch.UPLOAD, b"", 0))
    assert json.loads(upload.content.splitlines()[-1])["done"] is True


def test_an_answer_that_it_does_not_tell_is_noticed() -> None:
    request = httpx.Request("GET", "http://gateway/health")
    told = {"status": "ok", "groups": 0, "lines": 0, "faults": 0, "bank": None}
    traced = {"X-Trace": "0" * 32}
    documented.check(httpx.Response(200, headers=traced, json=told, request=request))
    for wrong in ({**told, "more": 1}, {"status": "ok"}):
        with pytest.raises(ValueError, match=r"more|groups"):
            documented.check(httpx.Response(200, headers=traced, json=wrong, request=request))
    with pytest.raises(KeyError, match="x-trace"):
        documented.check(httpx.Response(200, json=told, request=request))
    with pytest.raises(AssertionError):
        documented.check(httpx.Response(418, json=told, request=request))


@processes
def test_nothing_that_takes_a_signature_or_a_token_goes_without(http: httpx.Client) -> None:
    for operation in reference.OPERATIONS:
        path = operation.path.replace("{journal}", "019b0000-0000-7000-8000-000000000000")
        response = http.request(operation.method, path)
        if operation.by:
            assert response.status_code == 401, operation.name
