"""The integrators' pages in a real browser: nothing inaccessible, outside or too wide, and read without scripts."""

import json
import os
from collections.abc import Iterator
from itertools import product

import pytest
from playwright.sync_api import Browser, expect
from tests.foundation.web.live import Live, browser, live
from tests.foundation.web.test_web_browser import press_until, walk

from onecard.developers import reference

__all__ = ["browser", "live"]
pytestmark = pytest.mark.browser

LOOKS = list(product(("zh", "en"), ("standard", "elder")))
# The widest tables, the longest examples, one of each kind of caller.
PAGES = [
    "/dev/",
    "/dev/start",
    "/dev/try",
    "/dev/codes",
    "/dev/signing",
    "/dev/gateway/use",
    "/dev/gateway/upload",
    "/dev/department/list_uses",
    "/dev/department/token",
]


@pytest.fixture(autouse=True)
def public_face() -> None:
    """Not in the test's own process: in one that is served."""


@pytest.fixture(scope="module", autouse=True)
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The served node lends a sandbox, whose gateway is away."""
    said = {"zh": "测试持卡人", "en": "A test holder"}
    told = {
        "gateway": "http://127.0.0.1:9",
        "trial": {"terminal": "T-1", "key_id": 1, "key": "00" * 32, "algorithm": "hmac-sha256", "journal": "x"},
        "terminals": [{"terminal": "T-2", "pairing_code": "PAIRINGDEV"}],
        "holders": [{"name": "resident", "said": said, "token": "x" * 43}],
        "items": [{"code": "transit.bus_ride", "said": said}],
    }
    path = tmp_path_factory.mktemp("sandbox") / "sandbox.json"
    path.write_text(json.dumps(told), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "ONECARD_SANDBOX", str(path))
        yield


@pytest.mark.parametrize(("language", "mode"), LOOKS)
def test_its_pages(live: Live, browser: Browser, language: str, mode: str) -> None:
    stranger = browser.new_context(locale="zh-CN")
    assert walk(stranger, live.public, PAGES, language, mode) == []
    stranger.close()


def test_finding_an_operation_by_keyboard_alone(live: Live, browser: Browser) -> None:
    context = browser.new_context(locale="zh-CN", viewport={"width": 1366, "height": 900})
    page = context.new_page()
    page.goto(live.public + "/dev/")
    press_until(page, "a[href='/dev/gateway/use']", 20)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("办理一笔用卡")
    expect(page.locator(".dn [aria-current=page]")).to_contain_text("办理一笔用卡")
    press_until(page, ".dx pre", 120)
    context.close()


def test_it_reads_without_scripts(live: Live, browser: Browser) -> None:
    context = browser.new_context(locale="en-GB", java_script_enabled=False, viewport={"width": 320, "height": 700})
    page = context.new_page()
    page.goto(live.public + "/dev/")
    page.locator(".dn a[href='/dev/codes']").click()
    expect(page.locator("h1")).to_have_text("Verdicts and problems")
    expect(page.locator("#FUNDS_SHORT")).to_contain_text("Top up and try again.")
    count = sum(len(group.entries) for name in reference.INTERFACES for group in reference.groups(name))
    assert page.locator(".dn .verb").count() == count
    context.close()


def test_a_trial_by_keyboard_alone_says_that_the_gateway_is_away(live: Live, browser: Browser) -> None:
    context = browser.new_context(locale="zh-CN", viewport={"width": 1366, "height": 900})
    page = context.new_page()
    page.goto(live.public + "/dev/try")
    press_until(page, "#id_holder", 90)
    press_until(page, "#id_item")
    press_until(page, "button[type=submit]")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("网关没有答复。")
    context.close()
