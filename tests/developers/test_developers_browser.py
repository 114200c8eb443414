"""The integrators' pages in a real browser: nothing inaccessible, outside or too wide, and read without scripts."""

import json
import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.plugin import DjangoDbBlocker
from tests.api.process import an_api
from tests.foundation.web.live import Live, browser, live
from tests.foundation.web.test_web_browser import press_until
from tests.kernel.cards.roles import django_as
from tests.kernel.sharing.builders import SYSTEM, a_client, agree
from tests.pages.addresses import Who, pages
from tests.pages.looking import LOOKS, Seen, Walk

from onecard.developers import department, reference
from onecard.kernel.messages.kinds import Kind
from onecard.kernel.sharing import actions as sharing
from onecard.kernel.sharing import endpoints
from onecard.kernel.sharing.scopes import Scope

__all__ = ["browser", "live"]
pytestmark = pytest.mark.browser

CODE = "NT-WEB"


@pytest.fixture(autouse=True)
def public_face() -> None:
    """Not in the test's own process: in one that is served."""


@pytest.fixture(scope="module")
def credential(fresh_database: dict[str, str], django_db_blocker: DjangoDbBlocker) -> tuple[str, str]:
    """Of a client with whom everything is agreed, and whose messages go to an address."""
    with django_as(fresh_database["owner"], django_db_blocker):
        a_client(CODE)
        agree(CODE, *Scope)
        endpoints.add(SYSTEM, CODE, "https://receiver.example/onecard/messages", [*Kind])
        return sharing.give_credential(SYSTEM, CODE)


@pytest.fixture(scope="module")
def api(fresh_database: dict[str, str], environment_for: Callable[[str], dict[str, str]]) -> Iterator[str]:
    with an_api(environment_for, fresh_database["api"]) as address:
        yield address


@pytest.fixture(scope="module", autouse=True)
def sandbox(tmp_path_factory: pytest.TempPathFactory, api: str, credential: tuple[str, str]) -> Iterator[None]:
    """The served node lends a sandbox, whose gateway is away, and knows where the department API is. What is committed
    for it is so before the browser starts, whose loop Django would refuse to wait in.
    """
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
        patch.setitem(os.environ, department.URL, api)
        yield


def sign_in(page: Page, home: str, credential: tuple[str, str]) -> None:
    """By keyboard alone, as a password manager would leave the form."""
    page.goto(home + "/dev/sign-in")
    for name, value in zip(("client_id", "client_secret"), credential, strict=True):
        press_until(page, f"#id_{name}", 90)
        page.keyboard.type(value)
    page.keyboard.press("Enter")
    expect(page.locator(".dwho code")).to_have_text(credential[0])


@pytest.mark.looks
@pytest.mark.parametrize(("language", "mode"), LOOKS)
def test_a_clients_pages(live: Live, browser: Browser, credential: tuple[str, str], language: str, mode: str) -> None:
    """Those that everybody sees: tests/pages."""
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    sign_in(page, live.public, credential)
    page.close()
    walk = Walk(context, live.public, language, mode, Seen())
    walk.over(pages("public", Who.CLIENT))
    walk.close()
    context.close()
    assert walk.found == []


def test_changing_over_without_scripts(live: Live, browser: Browser, credential: tuple[str, str]) -> None:
    context = browser.new_context(locale="en-GB", java_script_enabled=False, viewport={"width": 320, "height": 700})
    page = context.new_page()
    sign_in(page, live.public, credential)
    page.goto(live.public + "/dev/credentials?lang=en")
    page.get_by_role("button", name="Make a credential").click()
    made, secret = page.locator(".alert pre.command").all_inner_texts()
    assert secret not in page.url
    page.goto(live.public + "/dev/credentials")
    assert secret not in page.content()
    new = page.locator("section.card", has_text=made)
    new.get_by_label("Reason for withdrawing").fill("tried")
    new.get_by_role("button", name="Withdraw this credential").click()
    expect(page.locator("section.card", has_text=made)).to_contain_text("Ended")
    [cookie] = [each for each in context.cookies() if each["name"] == department.COOKIE]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/dev/")
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator(".dwho")).to_have_count(0)
    assert [each for each in context.cookies() if each["name"] == department.COOKIE] == []
    context.close()


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


def test_on_a_phone_the_list_of_everything_is_folded_and_opens(live: Live, browser: Browser) -> None:
    context = browser.new_context(locale="zh-CN", viewport={"width": 320, "height": 700})
    page = context.new_page()
    page.goto(live.public + "/dev/start")
    expect(page.locator(".dn a[href='/dev/codes']")).to_be_hidden()
    expect(page.locator("h1")).to_be_in_viewport()
    page.locator(".dn summary").press("Enter")
    expect(page.locator(".dn a[href='/dev/codes']")).to_be_visible()
    page.set_viewport_size({"width": 1366, "height": 700})
    expect(page.locator(".dn a[href='/dev/codes']")).to_be_visible()
    page.set_viewport_size({"width": 320, "height": 700})
    expect(page.locator(".dn a[href='/dev/codes']")).to_be_hidden()
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
