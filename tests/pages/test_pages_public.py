"""Every page that residents and integrators see, in each language, mode and width."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext
from tests.foundation.web.live import browser
from tests.pages.addresses import Who, filled, pages
from tests.pages.house import House, a_house, enter
from tests.pages.looking import LOOKS, Seen, Walk

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.processes]
VISITORS = (Who.NOBODY, Who.ASKED, Who.RESIDENT, Who.WITHOUT_ECARD)
Environment = Callable[[str], dict[str, str]]


@pytest.fixture(scope="module")
def house(
    fresh_database: dict[str, str], environment_for: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    with a_house(fresh_database, environment_for, tmp_path_factory, "public") as served:
        yield served


@pytest.fixture(scope="module")
def visitors(house: House, browser: Browser) -> Iterator[dict[Who, BrowserContext]]:
    contexts = {who: enter(house, browser, who) for who in VISITORS}
    yield contexts
    for context in contexts.values():
        context.close()


@pytest.fixture(scope="module")
def seen() -> Seen:
    return Seen()


@pytest.mark.looks
@pytest.mark.parametrize(("language", "mode"), LOOKS)
def test_every_page(house: House, visitors: dict[Who, BrowserContext], seen: Seen, language: str, mode: str) -> None:
    found = []
    for who, context in visitors.items():
        walk = Walk(context, house.homes["public"], language, mode, seen)
        walk.over([filled(address, house.known) for address in pages("public", who)])
        if who is Who.RESIDENT:
            # Open to anyone, and another page for who is signed in.
            walk.over(["/", "/services/transit.bus_ride"])
            walk.over(["/nowhere/"], 404)
        walk.close()
        found += walk.found
    assert found == []
