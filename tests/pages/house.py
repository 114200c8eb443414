"""The house for a browser: the web processes of a demo beside its gateway, with a sandbox, and who lives there."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.foundation.web import live
from tests.foundation.web.faces import code_now, number_of
from tests.gateway.process import GatewayProcess
from tests.pages.addresses import Who
from tests.sms_process import KEY, SmsProcess, an_operator

from onecard.connectors.sms import caller

Environment = Callable[[str], dict[str, str]]
PIN = "836194"
# A busy machine is no fault of a page.
expect.set_options(timeout=20_000)


@dataclass
class House:
    """What is served, what the sandbox's file holds, and where short messages arrive."""

    homes: dict[str, str]
    gateway: GatewayProcess
    known: dict[str, Any]
    sandbox: dict[str, Any]
    phone_company: SmsProcess
    messages: dict[str, str]
    environment_for: Environment
    urls: dict[str, str]

    @property
    def terminal_page(self) -> str:
        # A secure context, which http:// is on this machine's own name only.
        return self.gateway.url.replace("127.0.0.1", "localhost")


@contextmanager
def a_house(
    urls: dict[str, str], environment_for: Environment, paths: pytest.TempPathFactory, *processes: str
) -> Iterator[House]:
    """Serve some of the web processes, each under its own role, and the gateway."""
    gateway = GatewayProcess(environment_for(urls["gateway"]))
    lent = paths.mktemp("sandbox") / "sandbox.json"
    known = live.people(environment_for(urls["owner"]), str(lent), gateway.url)
    more = {"ONECARD_STATIC": str(paths.mktemp("static")), "ONECARD_GATEWAY_URL": gateway.url}
    more["ONECARD_SANDBOX"] = str(lent)
    gateway.start()
    try:
        with an_operator() as company:
            messages = {caller.URL: company.url, caller.KEY: KEY}
            with live.serving({each: environment_for(urls[each]) | more | messages for each in processes}) as homes:
                told = json.loads(lent.read_text(encoding="utf-8"))
                yield House(homes, gateway, known, told, company, messages, environment_for, urls)
    finally:
        gateway.stop()


def enter(house: House, browser: Browser, who: Who, **options: Any) -> BrowserContext:
    """A browser of somebody, as far in as they are."""
    context = browser.new_context(locale="zh-CN", **options)
    page = context.new_page()
    IN[who](house, page)
    page.close()
    return context


def _name(page: Page, address: str, name: str, password: str) -> None:
    page.goto(address)
    page.fill("#id_login", name)
    page.fill("#id_password", password)
    page.press("#id_password", "Enter")


def _asked(house: House, page: Page) -> None:
    page.goto(house.homes["public"] + "/sign-in/")
    page.fill("#id_number", number_of(99))
    page.press("#id_number", "Enter")
    page.wait_for_url("**/sign-in/code/")


def _resident(house: House, page: Page) -> None:
    """Signed in, on a phone that shows a code."""
    _name(page, house.homes["public"] + "/sign-in/password/?next=/ecard/", "zhang", house.known["password"])
    page.fill("#id_pin", PIN)
    if page.locator("#id_again").count():
        page.fill("#id_again", PIN)
    page.press("main form [type=submit]", "Enter")
    expect(page.locator("#qr svg")).to_be_visible()


def _without_ecard(house: House, page: Page) -> None:
    _name(page, house.homes["public"] + "/sign-in/password/?next=/cards/", "wang", house.known["password"])
    page.wait_for_url("**/cards/")


def _officer(house: House, page: Page) -> None:
    _name(page, house.homes["staff"] + "/", "zhou", house.known["password"])
    page.fill("#id_code", code_now(house.known["secrets"]["zhou"]))
    page.press("#id_code", "Enter")
    expect(page.locator("h1")).to_have_text(re.compile("."))
    page.wait_for_url(house.homes["staff"] + "/")


def _newcomer(house: House, page: Page) -> None:
    _name(page, house.homes["staff"] + "/", "wu", house.known["password"])
    page.wait_for_url("**/second-factor/")


def _halfway(house: House, page: Page) -> None:
    _name(page, house.homes["staff"] + "/", "sun", house.known["password"])
    page.wait_for_url("**/sign-in/code/**")


IN: dict[Who, Callable[[House, Page], None]] = {
    Who.NOBODY: lambda house, page: None,
    Who.ASKED: _asked,
    Who.RESIDENT: _resident,
    Who.WITHOUT_ECARD: _without_ecard,
    Who.NEWCOMER: _newcomer,
    Who.HALFWAY: _halfway,
    Who.OFFICER: _officer,
}
