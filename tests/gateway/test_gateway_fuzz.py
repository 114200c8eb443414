"""The gateway against requests made from its own document: by a terminal, by a phone, and by nobody.

Whatever is sent, the answer is one that the document tells, none is a fault of ours, and nothing goes without proof.
"""

import hashlib
from typing import Any

import httpx
import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, strategies
from schemathesis.generation import GenerationMode
from tests.gateway import documented
from tests.gateway.process import signed
from tests.small_city import SmallCity, Terminal

from onecard.gateway import reference

pytestmark = pytest.mark.processes
SCHEMA = schemathesis.openapi.from_dict(reference.document())
EXAMPLES = 15
# What somebody hears who may not ask: that they are nobody, or that not even the form is right.
STRANGE = (400, 401)
TOKEN = "a phone that tries everything"


@pytest.fixture(scope="module")
def terminal(city: SmallCity) -> Terminal:
    return city.a_terminal()


@pytest.fixture(scope="module")
def phone(city: SmallCity) -> str:
    city.enrol(city.a_card(), hashlib.sha256(TOKEN.encode()).digest())
    return TOKEN


def bodies(operation: reference.Operation) -> Any:
    """Bodies as the document allows them, and others."""
    if operation.asked is None:
        return strategies.just(b"")
    if operation.asked_as != reference.JSON:
        return strategies.binary(max_size=200)
    made = [
        SCHEMA[operation.path][operation.method].as_strategy(generation_mode=mode)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    ]
    return strategies.one_of(*made).map(_body) | strategies.binary(max_size=200)


def _body(case: Any) -> bytes:
    """What a case would send."""
    said = case.as_transport_kwargs(base_url="http://gateway")
    return bytes(httpx.Request("POST", "http://gateway", json=said.get("json"), content=said.get("data")).read())


@pytest.mark.parametrize("operation", reference.OPERATIONS, ids=lambda each: each.name)
def test_whatever_is_sent(http: httpx.Client, terminal: Terminal, phone: str, operation: reference.Operation) -> None:
    path = operation.path.replace("{journal}", str(terminal.journal))
    path = path.replace("{issuer}", "320600").replace("{name}", "papers")

    @hypothesis.settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None)
    @hypothesis.given(body=bodies(operation))
    def send(body: bytes) -> None:
        nobody = http.request(operation.method, path, content=body)
        assert nobody.status_code < 500 or operation.name == "status_list"
        if operation.by:
            assert nobody.status_code in STRANGE
        over = b"" if operation.name == "upload" else body
        proofs = [
            signed(terminal, path, over, terminal.next(), method=operation.method),
            {"authorization": f"Bearer {phone}"},
        ]
        for proof in proofs:
            response = http.request(operation.method, path, content=body, headers=proof)
            assert response.status_code < 500 or operation.name == "status_list", response.text
            if operation.by and ("authorization" in proof) != (operation.by == reference.DEVICE):
                assert response.status_code in STRANGE

    send()


def test_a_terminal_reads_no_journal_but_its_own(city: SmallCity, http: httpx.Client, terminal: Terminal) -> None:
    other = city.a_terminal()
    for reader, journal, allowed in ((terminal, terminal, True), (other, terminal, False), (terminal, other, False)):
        path = f"/v1/journals/{journal.journal}"
        response = http.get(path, headers=signed(reader, path, b"", reader.next(), method="GET"))
        assert (response.status_code == 200) is allowed


def test_the_client_of_these_tests_looks(http: httpx.Client) -> None:
    assert documented.check in http.event_hooks["response"]
