"""Requests made of an OpenAPI document: what it allows and what it does not, the same ones in every run."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, GenerationMode, Response
from schemathesis import Case as AnyCase
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
Operation = APIOperation[Any, Any, Any, Any]
Case = AnyCase[Any]
Send = Callable[[Case], Response]


def operations(document_url: str) -> Iterator[Operation]:
    """The operations of a document that is served."""
    for found in schemathesis.openapi.from_url(document_url).get_all_operations():
        assert isinstance(found, Ok), found
        yield found.ok()


def cases(operation: Operation, *, times: int, well_formed: bool = True) -> list[Case]:
    """So many requests of an operation, well formed or not. Made once: making them costs more than asking, and whoever
    asks later asks the same.
    """
    key = (operation.schema.location, operation.label, times, well_formed)
    if key not in _made:
        _made[key] = _make(operation, times, GenerationMode.POSITIVE if well_formed else GenerationMode.NEGATIVE)
    return _made[key]


_made: dict[tuple[str | None, str, int, bool], list[Case]] = {}


def _make(operation: Operation, times: int, mode: GenerationMode) -> list[Case]:
    made: list[Case] = []

    @given(case=operation.as_strategy(mode))
    @settings(
        max_examples=times, derandomize=True, deadline=None, database=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def run(case: Case) -> None:
        made.append(case)

    with suppress(Unsatisfiable):  # an operation without parameters cannot be asked wrongly
        run()
    return made


def ask(operation: Operation, send: Send, *, times: int, well_formed: bool = True) -> list[Response]:
    """Send so many requests of an operation, well formed or not; every answer is one that the document tells of."""
    answers = []
    for case in cases(operation, times=times, well_formed=well_formed):
        answer = send(case)
        case.validate_response(answer, checks=CHECKS)
        answers.append(answer)
    return answers
