"""The API as its OpenAPI document tells of it: whatever is sent by whom, every answer is one that the document names,
none is a fault of ours, and nobody gets past their scopes.
"""

from collections.abc import Iterator
from types import ModuleType

import httpx
import pytest
from ninja import Schema
from schemathesis import Response
from tests.api.office import Office, System
from tests.api.process import a_token
from tests.asked_by_machine import Case, Operation, ask, operations

import onecard.api.app  # noqa: F401 - every module of it
from onecard import api
from onecard.kernel.sharing.scopes import Scope

pytestmark = pytest.mark.processes

# Enough that no allowance stands between a request and what it finds.
PER_MINUTE = 60_000
OPEN = {"/v1/token"}


@pytest.fixture(scope="module")
def declared(url: str) -> list[Operation]:
    return list(operations(f"{url}/v1/openapi.json"))


@pytest.fixture
def system(office: Office) -> System:
    """A client that may do everything, with a use and a terminal of its own."""
    made = office.a_system(per_minute=PER_MINUTE)
    office.a_use(made)
    return made


def speaking(system: System, *scopes: Scope) -> dict[str, str]:
    return {"Authorization": f"Bearer {a_token(system.url, system.credential, *scopes)}"}


def scope_of(operation: Operation) -> Scope:
    [[(_, [scope])]] = [list(each.items()) for each in operation.definition.raw["security"]]
    return Scope(scope)


def guarded(declared: list[Operation]) -> Iterator[Operation]:
    return (each for each in declared if each.path not in OPEN)


def test_the_document_names_every_scope(declared: list[Operation]) -> None:
    assert {scope_of(each) for each in guarded(declared)} | {Scope.USES_HOLDERS} == set(Scope)


def test_no_two_parts_of_the_document_have_one_name() -> None:
    """Of two, the one that is read last would stand for both."""
    homes = (each for each in vars(api).values() if isinstance(each, ModuleType))
    parts = {
        part for home in homes for part in vars(home).values() if isinstance(part, type) and issubclass(part, Schema)
    }
    names = [part.__name__ for part in parts if part.__module__.startswith(api.__name__)]
    assert len(names) > 20
    assert sorted(names) == sorted(set(names))


def test_who_has_every_scope_is_answered_as_the_document_says(declared: list[Operation], system: System) -> None:
    headers = speaking(system, *Scope)

    def send(case: Case) -> Response:
        return case.call(base_url=system.url, headers=headers)

    answered = set()
    for operation in declared:
        found = {answer.status_code for answer in ask(operation, send, times=6)}
        answered |= {(operation.path, status) for status in found}
        found |= {answer.status_code for answer in ask(operation, send, times=6, well_formed=False)}
        assert not found & {403, 429}, operation.label
    assert {path for path, status in answered if status == 200} >= {"/v1/uses", "/v1/terminals", "/v1/items"}


def test_without_a_token_that_is_good_nothing_is_answered(declared: list[Operation], system: System) -> None:
    for authorization in ("", "Bearer ", "Bearer x", "Basic eDp5", f"Bearer {'é' * 40}"):

        def send(case: Case, given: str = authorization) -> Response:
            return case.call(base_url=system.url, headers={"Authorization": given.encode()} if given else {})

        for operation in guarded(declared):
            found = [*ask(operation, send, times=1), *ask(operation, send, times=1, well_formed=False)]
            assert {answer.status_code for answer in found} == {401}, (operation.label, authorization)


def test_one_scope_opens_its_own_operations_and_no_other(declared: list[Operation], system: System) -> None:
    for scope in Scope:
        headers = speaking(system, scope)

        def send(case: Case, headers: dict[str, str] = headers) -> Response:
            return case.call(base_url=system.url, headers=headers)

        for operation in guarded(declared):
            answers = ask(operation, send, times=2)
            found = {answer.status_code for answer in answers}
            assert (found == {403}) == (scope_of(operation) is not scope), (operation.label, scope)
            assert (403 in found) == (scope_of(operation) is not scope), (operation.label, scope)
            refused = {answer.json()["code"] for answer in answers if answer.status_code == 403}
            assert refused <= {"SCOPE_MISSING"}


def test_a_credential_that_is_none_gets_no_token(declared: list[Operation], system: System) -> None:
    [token] = [each for each in declared if each.path in OPEN]

    def send(case: Case) -> Response:
        return case.call(base_url=system.url)

    assert {answer.status_code for answer in ask(token, send, times=20)} <= {400, 401}
    assert httpx.get(f"{system.url}/v1/items").status_code == 401
