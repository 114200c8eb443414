"""The pages in a real browser, served by live processes; what holds for every page: tests/pages."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.foundation.web.faces import code_now
from tests.foundation.web.live import Live, browser, live, watched
from tests.pages.looking import LOOKS, WIDTHS

__all__ = ["browser", "live"]
pytestmark = pytest.mark.browser

BY_PASSWORD = "/sign-in/password/?next=/cards/"


def sign_in(page: Page, name: str, password: str) -> None:
    page.fill("#id_login", name)
    page.fill("#id_password", password)
    page.press("#id_password", "Enter")


@pytest.fixture(scope="module")
def officer(live: Live, browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(live.staff + "/")
    sign_in(page, "zhou", live.known["password"])
    page.fill("#id_code", code_now(live.known["secrets"]["zhou"]))
    page.press("#id_code", "Enter")
    expect(page.locator("h1")).to_have_text("运行总览")
    yield context
    context.close()


def keep_picture(page: Page, name: str) -> None:
    """Save a picture where ONECARD_PICTURES names a folder, for people to look at."""
    if folder := os.environ.get("ONECARD_PICTURES"):
        page.screenshot(path=f"{folder}/{name.replace('/', '_')}.png", full_page=True)


@pytest.mark.parametrize(("language", "mode"), LOOKS)
def test_a_found_holder_and_a_refused_search(live: Live, officer: BrowserContext, language: str, mode: str) -> None:
    page = watched(officer, live.staff)
    for width in WIDTHS:
        page.page.set_viewport_size({"width": width, "height": 900})
        page.go(f"/?lang={language}&mode={mode}")
        page.page.fill("#gs", live.known["number"])
        page.page.press("#gs", "Enter")
        expect(page.page.locator("#found .table")).to_be_visible()
        assert page.faults() == []
        keep_picture(page.page, f"found-{width}-{language}-{mode}")
        page.page.fill("#gs", "12")
        page.page.press("#gs", "Enter")
        expect(page.page.locator("#found .alert")).to_be_visible()
        page.wrong = [said for said in page.wrong if "422" not in said]
        assert page.faults() == []
    page.page.close()


def press_until(page: Page, selector: str, limit: int = 30) -> None:
    """Walk by Tab to an element; it must be reachable and show that it has the focus."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        if page.evaluate("(s) => document.activeElement.matches(s)", selector):
            shown = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert shown != "none", f"{selector} hides its focus"
            return
    raise AssertionError(f"Tab does not reach {selector}")


def test_a_refused_sign_in_says_so_and_keeps_the_name(live: Live, browser: Browser) -> None:
    context = browser.new_context(locale="zh-CN")
    page = watched(context, live.public)
    page.go("/sign-in/password/")
    sign_in(page.page, "nobody-here", "wrong")
    expect(page.page.locator(".summary")).to_be_focused()
    expect(page.page.locator("#id_login")).to_have_value("nobody-here")
    assert page.faults() == []
    context.close()


def test_pages_read_without_scripts(live: Live, browser: Browser) -> None:
    context = browser.new_context(locale="zh-CN", java_script_enabled=False)
    page = context.new_page()
    page.goto(live.public + BY_PASSWORD)
    sign_in(page, "li", live.known["password"])
    page.click(f"a[href='/cards/{live.known['lost']}/found/']")
    page.click("button[type=submit]")
    assert "已解除挂失" in page.content()
    context.close()


def test_static_files_carry_their_digest_and_stay(live: Live, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    seen: dict[str, str] = {}
    page.on("response", lambda response: seen.update({response.url: response.headers.get("cache-control", "")}))
    page.goto(live.public + "/")
    static = {url: kept for url, kept in seen.items() if "/static/" in url}
    assert len(static) >= 5
    for url, kept in static.items():
        assert "immutable" in kept, url
    context.close()


def test_the_database_hides_staff_from_the_public_process(fresh_database: dict[str, str], live: Live) -> None:
    import psycopg

    with psycopg.connect(fresh_database["public"]) as public:
        kinds = public.execute("SELECT DISTINCT kind FROM signins_user").fetchall()
        assert kinds == [("holder",)]
        for table in ("signins_staffsession", "staff_officer", "ecards_key"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), public.transaction():
                public.execute(f"SELECT 1 FROM {table}")
