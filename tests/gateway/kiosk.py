"""A terminal page in a real browser, beside a gateway process and a small city: what staff at a point do with it."""

import hashlib
import os
import re
import secrets
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.foundation.web.live import Watched, watched
from tests.gateway.page_server import RUN
from tests.gateway.process import GatewayProcess
from tests.small_city import SmallCity, Terminal

# A busy machine is no fault of the page.
expect.set_options(timeout=20_000)
# A result rests for so long before the page is idle again; a test that looks at it has all the time it wants.
KEEP_RESULTS = (
    "window.setTimeout = ((real) => (work, ms, ...rest) => real(work, ms === 2500 ? 1e8 : ms, ...rest))(setTimeout)"
)
# The elements that say what a presentation came to.
TITLE, WHY = "#result-title", "#result-why"


def pairing_code(city: SmallCity, terminal: Terminal) -> str:
    """A fresh pairing code of a terminal, as the console makes them."""
    code = secrets.token_hex(5).upper()
    city.run(
        "INSERT INTO catalogue_pairing (code_digest, terminal_id, expires_at)"
        " VALUES ($1, $2, now() + interval '1 day')",
        hashlib.sha256(code.encode()).digest(), terminal.id,
    )  # fmt: skip
    return code


@dataclass
class Kiosk:
    """A browser that shows the page, and notes whatever goes wrong on it."""

    context: BrowserContext
    city: SmallCity
    gateway: GatewayProcess
    watched: Watched = field(init=False)

    def __post_init__(self) -> None:
        self.context.add_init_script(KEEP_RESULTS)
        self.open()

    @property
    def page(self) -> Page:
        return self.watched.page

    @property
    def home(self) -> str:
        # A secure context, which http:// is on this machine's own name only.
        return self.gateway.url.replace("127.0.0.1", "localhost")

    def open(self) -> None:
        self.watched = watched(self.context, self.home)
        self.watched.go("/terminal/")
        expect(self.page.locator("#stop, #pairing, #work").filter(visible=True)).to_be_visible()

    def pair(self, terminal: Terminal) -> None:
        """Pair the page as a terminal, and wait until it knows the items of its point."""
        self.page.fill("#pairing-code", pairing_code(self.city, terminal))
        self.page.press("#pairing-code", "Enter")
        expect(self.page.locator("#terminal")).to_contain_text(terminal.code)
        expect(self.page.locator("#item")).to_be_enabled()

    def wait_for_lists(self) -> None:
        """Wait until there is what a page decides by, and until it would open again without a network."""
        expect(self.page.locator("#ages")).to_have_text(re.compile("前$"))
        self.page.evaluate("navigator.serviceWorker.ready.then(() => true)")

    def synchronise(self) -> None:
        """Have it fetch everything now, as staff would."""
        self.page.click("#state")
        self.page.click("#refresh")
        expect(self.page.locator("#refresh")).not_to_have_attribute("aria-busy", "true")
        self.page.click("#state-dialog [data-close]")

    def cut(self) -> None:
        """The network is gone."""
        self.context.set_offline(True)

    def mend(self) -> None:
        """It is back; what the browser said of it meanwhile is no fault of the page."""
        self.context.set_offline(False)
        self.watched.wrong = [said for said in self.watched.wrong if "ERR_INTERNET_DISCONNECTED" not in said]

    def paste(self, text: str) -> None:
        self.page.fill("#paste", text)
        self.page.press("#paste", "Enter")

    def says(self, title: str, why: str | None = None) -> None:
        """Wait until the result says so."""
        expect(self.page.locator(TITLE)).to_have_text(title)
        if why is not None:
            expect(self.page.locator(WHY)).to_have_text(why)

    def run(self, script: str, argument: Any = None) -> Any:
        """Run a function of the page's modules: ``async (load, argument) => …``, where load("code") is a module."""
        return self.page.evaluate(RUN.format(script=script), argument)

    def picture(self, name: str) -> None:
        """Save a picture where ONECARD_PICTURES names a folder, for people to look at."""
        if folder := os.environ.get("ONECARD_PICTURES"):
            self.page.screenshot(path=f"{folder}/terminal-{name}.png")

    def faults(self) -> list[str]:
        return self.watched.faults()

    def close(self) -> None:
        self.context.close()


def a_kiosk(browser: Browser, city: SmallCity, gateway: GatewayProcess, **options: Any) -> Kiosk:
    return Kiosk(browser.new_context(locale="zh-CN", **options), city, gateway)
