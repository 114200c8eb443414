"""The pages in a real browser, served by live processes: nothing inaccessible, outside, inline or too wide."""

import os
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.foundation.web.faces import code_now
from tests.foundation.web.live import Live, browser, live, watched

__all__ = ["browser", "live"]
pytestmark = pytest.mark.browser

WIDTHS = (320, 768, 1366)
BY_PASSWORD = "/sign-in/password/?next=/cards/"
OWN = ("/seen/", "/uses/", "/uses/?outcome=refused&field=health", "/money/", "/rights/")
LOOKS = list(product(("zh", "en"), ("standard", "elder")))


def public_pages(known: dict[str, Any]) -> list[str]:
    return ["/", "/cards/", "/paying/", f"/cards/{known['card']}/lost/", "/sign-out/", "/nowhere/", *OWN]


def sign_in(page: Page, name: str, password: str) -> None:
    page.fill("#id_login", name)
    page.fill("#id_password", password)
    page.press("#id_password", "Enter")


@pytest.fixture(scope="module")
def resident(live: Live, browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(live.public + BY_PASSWORD)
    sign_in(page, "zhang", live.known["password"])
    expect(page.locator("h1")).to_have_text("我的卡")
    yield context
    context.close()


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


def walk(context: BrowserContext, home: str, paths: list[str], language: str, mode: str) -> list[str]:
    """The faults of pages in every width."""
    found = []
    page = watched(context, home)
    for path in paths:
        page.go(f"{path}{'&' if '?' in path else '?'}lang={language}&mode={mode}")
        if path == "/nowhere/":
            page.wrong = [said for said in page.wrong if "404" not in said]
        for width in WIDTHS:
            page.page.set_viewport_size({"width": width, "height": 900})
            found += [f"{path} {width}px: {fault}" for fault in page.faults()]
            keep_picture(page.page, f"{home[-1]}{path}{width}-{language}-{mode}")
    page.page.close()
    return found


@pytest.mark.parametrize(("language", "mode"), LOOKS)
def test_public_pages(live: Live, resident: BrowserContext, browser: Browser, language: str, mode: str) -> None:
    assert walk(resident, live.public, public_pages(live.known), language, mode) == []
    stranger = browser.new_context(locale="zh-CN")
    items = ("transit.metro_ride", "transit.bus_ride", "government.marriage_registration")
    open_pages = ["/", "/_kit", "/sign-in/", "/sign-in/password/", "/services", "/services?q=nowhere"]
    open_pages += [f"/services/{item}" for item in items]
    assert walk(stranger, live.public, open_pages, language, mode) == []
    stranger.close()


@pytest.mark.parametrize(("language", "mode"), LOOKS)
def test_staff_pages(live: Live, officer: BrowserContext, browser: Browser, language: str, mode: str) -> None:
    risks = ["/risks/", "/risks/?state=acted", f"/risks/{live.known['risk']}/"]
    assert walk(officer, live.staff, ["/", "/holders/", *risks, "/sign-out/"], language, mode) == []
    new = browser.new_context(locale="zh-CN")
    page = new.new_page()
    page.goto(live.staff + "/")
    sign_in(page, "wu", live.known["password"])
    page.wait_for_url("**/second-factor/")
    assert walk(new, live.staff, ["/second-factor/"], language, mode) == []
    new.close()
    half = browser.new_context(locale="zh-CN")
    page = half.new_page()
    page.goto(live.staff + "/")
    sign_in(page, "sun", live.known["password"])
    page.wait_for_url("**/sign-in/code/**")
    assert walk(half, live.staff, ["/sign-in/code/"], language, mode) == []
    half.close()


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


def test_following_up_a_risk_by_keyboard_alone(live: Live, officer: BrowserContext) -> None:
    page = watched(officer, live.staff)
    page.go(f"/risks/{live.known['risk']}/?lang=zh&mode=standard")
    press_until(page.page, "#id_state", 60)
    page.page.keyboard.press("Enter")
    press_until(page.page, "#id_reason")
    press_until(page.page, "form .btn.primary")
    page.page.keyboard.press("Enter")
    expect(page.page.locator(".summary")).to_be_visible()
    page.wrong = [said for said in page.wrong if "422" not in said]
    assert page.faults() == []
    page.page.select_option("#id_state", "looked_at")
    page.page.press("#id_reason", "Tab")
    page.page.keyboard.press("Enter")
    expect(page.page.locator("[role=status].alert")).to_contain_text("处置已记录")
    expect(page.page.locator(".phead .tag").last).to_have_text("已查看")
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


def test_signing_in_and_reporting_a_loss_by_keyboard_alone(live: Live, browser: Browser) -> None:
    context = browser.new_context(locale="zh-CN")
    page = watched(context, live.public)
    page.go(BY_PASSWORD)
    keyboard = page.page.keyboard
    press_until(page.page, ".skip")
    press_until(page.page, "#id_login")
    keyboard.type("wang")
    press_until(page.page, "#id_password")
    keyboard.type(live.known["password"])
    press_until(page.page, "button[type=submit]")
    keyboard.press("Enter")
    expect(page.page.locator("h1")).to_have_text("我的卡")
    press_until(page.page, "a.danger")
    keyboard.press("Enter")
    expect(page.page.locator("h1")).to_have_text("临时挂失这张卡？")
    press_until(page.page, "button[type=submit]")
    keyboard.press("Enter")
    expect(page.page.locator("[role=status].alert")).to_contain_text("已临时挂失")
    assert page.faults() == []
    press_until(page.page, "a.primary")
    keyboard.press("Enter")
    expect(page.page.locator("h1")).to_have_text("解除这张卡的挂失？")
    assert page.faults() == []
    press_until(page.page, "button[type=submit]")
    keyboard.press("Enter")
    expect(page.page.locator("[role=status].alert")).to_contain_text("已解除挂失")
    assert page.faults() == []
    context.close()


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
