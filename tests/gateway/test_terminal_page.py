"""The terminal page in a real browser: pairing, presenting, and what it tells of itself."""

import json
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from tests import list_worker
from tests.foundation.web.live import browser, watched
from tests.gateway.kiosk import Kiosk, a_kiosk, pairing_code
from tests.gateway.page_server import page_server
from tests.gateway.process import GatewayProcess
from tests.small_city import SmallCity

from onecard.gateway.page import Page as TerminalPage
from onecard_kit.verdicts import WORDS, Verdict

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.processes]


@pytest.fixture(scope="module")
def build(fresh_database: dict[str, str], environment_for: list_worker.Environment) -> Callable[[], int]:
    """Bring the lists up to date, as the worker does each minute."""
    return lambda: list_worker.build(environment_for, fresh_database["worker"])


@pytest.fixture
def kiosk(browser: Browser, city: SmallCity, gateway: GatewayProcess, build: Callable[[], int]) -> Iterator[Kiosk]:
    build()
    made = a_kiosk(browser, city, gateway)
    yield made
    made.close()


def test_a_paired_page_admits_a_pasted_code(kiosk: Kiosk, city: SmallCity) -> None:
    card, bus = city.a_card(), city.a_terminal()
    kiosk.pair(bus)
    kiosk.paste(city.a_code(card))
    kiosk.says("请通行")
    kiosk.picture("admitted")
    assert city.purse_of(card) == 9_810
    assert kiosk.faults() == []


def test_the_page_may_load_its_own_origin_only_and_its_parts_stay(gateway: GatewayProcess) -> None:
    page = httpx.get(f"{gateway.url}/terminal/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-cache"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    again = httpx.get(f"{gateway.url}/terminal/", headers={"if-none-match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    worker = httpx.get(f"{gateway.url}/terminal/sw.js")
    assert worker.headers["cache-control"] == "no-cache"
    files = [each for each in _listed(worker.text) if "/" in each]
    assert any(each.endswith("js/main.js") for each in files)
    for each in files:
        part = httpx.get(f"{gateway.url}/terminal/{each}")
        assert part.status_code == 200, each
        assert "immutable" in part.headers["cache-control"]
        assert part.headers["x-content-type-options"] == "nosniff"
    assert _version(files) in page.text


def _listed(worker: str) -> list[str]:
    return list(json.loads(worker.partition("const FILES = ")[2].partition(";")[0]))


def _version(files: list[str]) -> str:
    (version,) = {each.partition("/")[0] for each in files}
    return version


@pytest.mark.parametrize("path", ["/terminal/nowhere", "/terminal/../app.py", "/terminal/?x=1", "/terminal"])
def test_nothing_else_is_handed_out(gateway: GatewayProcess, path: str) -> None:
    answer = httpx.Client().request("GET", httpx.URL(gateway.url).copy_with(raw_path=path.encode()))
    assert answer.status_code == 404
    assert answer.json()["code"] == "NO_SUCH_PATH"


def test_a_wrong_pairing_code_says_why(kiosk: Kiosk) -> None:
    kiosk.page.press("#pairing-code", "Enter")
    expect(kiosk.page.locator("#pairing-wrong")).to_have_text("请输入配对码。")
    kiosk.page.fill("#pairing-code", "NOSUCHCODE")
    kiosk.page.press("#pairing-code", "Enter")
    expect(kiosk.page.locator("#pairing-wrong")).to_contain_text("配对码无效")
    expect(kiosk.page.locator("#pairing-code")).to_be_focused()
    kiosk.watched.wrong = [said for said in kiosk.watched.wrong if "401" not in said]
    assert kiosk.faults() == []


def test_the_key_is_in_the_browser_and_no_script_can_read_it(kiosk: Kiosk, city: SmallCity) -> None:
    kiosk.pair(city.a_terminal())
    told = kiosk.run(
        """async (load) => {
            const { openStore } = await load("store");
            const { key } = await (await openStore()).terminal();
            const out = await crypto.subtle.exportKey("raw", key).then(() => "out", (error) => error.name);
            return [key.extractable, key.usages.join(), out];
        }"""
    )
    assert told == [False, "sign", "InvalidAccessError"]


def test_what_is_no_code_is_refused_and_told_to_nobody(kiosk: Kiosk, city: SmallCity) -> None:
    kiosk.pair(city.a_terminal())
    asked: list[str] = []
    kiosk.page.on("request", lambda request: asked.append(request.url))
    kiosk.paste("my password")
    kiosk.says("未通过", WORDS[Verdict.CODE_MALFORMED].zh)
    assert [url for url in asked if url.endswith("/v1/uses")] == []


def test_the_same_code_is_refused_the_second_time(kiosk: Kiosk, city: SmallCity) -> None:
    card, bus = city.a_card(), city.a_terminal()
    kiosk.pair(bus)
    code = city.a_code(card)
    kiosk.paste(code)
    kiosk.says("请通行")
    kiosk.paste(f"  {code.lower()} ")
    kiosk.says("未通过", WORDS[Verdict.REPLAYED].zh)
    kiosk.picture("refused")
    assert kiosk.faults() == []


def test_a_second_window_does_not_write_the_same_journal(kiosk: Kiosk, city: SmallCity) -> None:
    kiosk.pair(city.a_terminal())
    second = kiosk.context.new_page()
    second.goto(f"{kiosk.home}/terminal/")
    expect(second.locator("#stop-why")).to_contain_text("另一个窗口")
    kiosk.page.close()
    second.click("#again")
    expect(second.locator("#terminal")).to_be_visible()


def test_a_node_of_the_national_algorithms_says_so_before_a_code_is_spent(browser: Browser) -> None:
    with page_server("hmac-sm3") as server:
        page = watched(browser.new_context(locale="zh-CN"), server.url)
        page.go("")
        expect(page.page.locator("#stop-why")).to_contain_text("HMAC-SM3")
        expect(page.page.locator("#pairing")).to_be_hidden()
        assert page.faults() == []
        page.page.close()


def test_a_new_version_is_offered_and_taken_when_staff_say_so(browser: Browser) -> None:
    with page_server() as server:
        page = browser.new_context(locale="zh-CN").new_page()
        page.goto(server.url)
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        page.reload()
        old = page.locator("body").get_attribute("data-base")
        server.page = TerminalPage.read("hmac-of-tomorrow")
        page.reload()
        assert page.locator("body").get_attribute("data-base") == old
        page.evaluate("navigator.serviceWorker.getRegistration('/terminal/').then((held) => held.update())")
        expect(page.locator("#update")).not_to_have_attribute("hidden", "")
        page.evaluate("document.getElementById('update').click()")
        expect(page.locator("body")).not_to_have_attribute("data-base", str(old))
        page.context.close()


def press_until(page: Page, selector: str, limit: int = 30) -> None:
    """Walk by Tab to an element; it must be reachable and show that it has the focus."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        if page.evaluate("(s) => document.activeElement.matches(s)", selector):
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", selector
            return
    raise AssertionError(f"Tab does not reach {selector}")


def test_everything_goes_by_keyboard_alone(kiosk: Kiosk, city: SmallCity) -> None:
    page, bus = kiosk.page, city.a_terminal()
    press_until(page, "#pairing-code")
    page.keyboard.insert_text(pairing_code(city, bus))
    press_until(page, "#pairing [type=submit]")
    page.keyboard.press("Enter")
    expect(page.locator("#item")).to_be_enabled()
    press_until(page, "#paste")
    page.keyboard.insert_text(city.a_code(city.a_card()))
    press_until(page, "#reading [type=submit]")
    page.keyboard.press("Enter")
    kiosk.says("请通行")
    page.keyboard.press("Escape")
    kiosk.says("请出示")
    page.keyboard.press("Home")
    press_until(page, "#tap")
    page.keyboard.press("Enter")
    expect(page.locator("#tap-answer")).to_be_focused()
    page.keyboard.press("Escape")
    page.locator("body").focus()
    press_until(page, "#state")
    page.keyboard.press("Enter")
    expect(page.locator("#state-dialog")).to_be_visible()
    press_until(page, "#refresh")
    page.keyboard.press("Escape")
    expect(page.locator("#state-dialog")).to_be_hidden()
    for each in ("#language", "#elder", "#sound", "#item", "#lens"):
        press_until(page, each, 40)


WIDTHS = (320, 768, 1366)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("mode", ["standard", "elder"])
def test_every_look_of_the_page(kiosk: Kiosk, city: SmallCity, language: str, mode: str) -> None:
    card, bus = city.a_card(), city.a_terminal()
    page = kiosk.page
    if language == "en":
        page.click("#language")
    if mode == "elder":
        page.click("#elder")

    def walk(name: str) -> list[str]:
        found = []
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            found += [f"{name} {width}: {fault}" for fault in kiosk.faults()]
            kiosk.picture(f"{name}-{width}-{language}-{mode}")
        return found

    assert walk("pairing") == []
    kiosk.pair(bus)
    assert walk("idle") == []
    page.set_viewport_size({"width": 320, "height": 800})
    page.click("#tap")
    assert walk("tap") == []
    page.keyboard.press("Escape")
    page.click("#state")
    assert walk("state") == []
    page.keyboard.press("Escape")
    code = city.a_code(card)
    kiosk.paste(code)
    expect(page.locator("#result.ok")).to_be_visible()
    assert walk("admitted") == []
    kiosk.paste(code)
    expect(page.locator("#result.bad")).to_be_visible()
    assert walk("refused") == []
    assert page.locator("html").get_attribute("lang") == {"zh": "zh-CN", "en": "en"}[language]
