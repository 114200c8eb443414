"""Every route stands in the table of pages, is reached at its sample addresses, and states who may open it."""

import pytest
from django.urls import resolve
from tests.pages.addresses import HERE, TABLES, Kind, routes

from onecard.kernel.staff.roles import ROLES

PROCESSES = sorted(TABLES)


@pytest.mark.parametrize("process", PROCESSES)
def test_every_route_is_in_the_table_and_states_who_may_open_it(process: str) -> None:
    found = {str(route.name): getattr(route.callback, "permission", None) for route in routes(process)}
    table = TABLES[process]
    for name, permission in found.items():
        assert name in table, f"the route {name} has no sample address: add a line for it in {HERE}"
        assert (permission is None) == bool(table[name].known), f"who may open {name}? Mark its view; see {HERE}"
    gone = set(table) - set(found)
    assert not gone, f"{process} serves no such route: take {gone} out of {HERE}"


@pytest.mark.parametrize("process", PROCESSES)
def test_a_sample_address_leads_to_its_route(process: str) -> None:
    for name, sample in TABLES[process].items():
        assert sample.addresses, name
        for address in sample.addresses:
            path = _concrete(address.partition("?")[0], name, process)
            assert resolve(path, f"onecard.urls.{process}_routes").url_name == name, address


def _concrete(path: str, name: str, process: str) -> str:
    """The path with something of the kind that the route takes in each brace."""
    kinds = {kind for route in routes(process) if route.name == name for kind in route.pattern.converters.values()}
    stand_in = "0190aa00-0000-7000-8000-000000000000" if any("UUID" in type(kind).__name__ for kind in kinds) else "1"
    for brace in [part.partition("}")[0] for part in path.split("{")[1:]]:
        path = path.replace("{" + brace + "}", stand_in)
    return path


def test_every_permission_a_route_takes_belongs_to_a_role() -> None:
    """Those that verbs ask for: tests/architecture/test_permissions.py."""
    held = {permission for role in ROLES for permission in role.permissions}
    taken = {route.callback.permission for route in routes("staff") if hasattr(route.callback, "permission")}
    assert taken - {"staff", "anyone"} <= held


def test_only_pages_grow() -> None:
    for process in PROCESSES:
        for name, sample in TABLES[process].items():
            assert not sample.grows or sample.kind is Kind.PAGE, name
