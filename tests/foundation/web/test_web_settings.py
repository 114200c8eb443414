"""A resident's own settings in a real browser: signing up, passkeys by a virtual authenticator, phones and sessions."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product

import pytest
from playwright.sync_api import Browser, expect
from tests.foundation.web.live import AUTHENTICATOR, Watched, browser, watched
from tests.foundation.web.test_web_ecard import PIN, Portal, keep_picture, portal, press_until

__all__ = ["browser", "portal"]
pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)
PAGES = ("/settings/", "/settings/sessions/", "/settings/passkeys/", "/ecard/phones/", "/lost/")


@contextmanager
def a_browser(portal: Portal, browser: Browser, name: str | None = None, width: int = 390) -> Iterator[Watched]:
    """A phone of somebody's, signed in by password if a name is given."""
    context = browser.new_context(locale="zh-CN", viewport={"width": width, "height": 844})
    page = watched(context, portal.home)
    if name is not None:
        page.go("/sign-in/password/?next=/cards/")
        page.page.fill("#id_login", name)
        page.page.fill("#id_password", portal.known["password"])
        page.page.press("#id_password", "Enter")
        expect(page.page.locator("#uses")).to_be_visible()
        page.go("/settings/?lang=zh&mode=standard")
    yield page
    context.close()


def test_signing_up_for_the_e_card_by_keyboard_alone(portal: Portal, browser: Browser) -> None:
    with a_browser(portal, browser, "wang", width=320) as phone:
        for language, mode in product(("en", "zh"), ("elder", "standard")):
            phone.go(f"/ecard/sign-up/?lang={language}&mode={mode}")
            assert phone.faults() == []
            keep_picture(phone.page, f"sign-up-320-{language}-{mode}")
        press_until(phone.page, "main form button[type=submit]")
        phone.page.keyboard.press("Enter")
        expect(phone.page.locator(".summary")).to_be_focused()
        phone.wrong = [said for said in phone.wrong if "422" not in said]
        assert phone.faults() == []
        press_until(phone.page, "#id_agreed")
        phone.page.keyboard.press("Space")
        press_until(phone.page, "main form button[type=submit]")
        phone.page.keyboard.press("Enter")
        expect(phone.page.locator("[role=status].alert")).to_contain_text("已签发")
        phone.page.fill("#id_pin", PIN)
        phone.page.fill("#id_again", PIN)
        phone.page.press("#id_again", "Enter")
        expect(phone.page.locator("#qr svg")).to_be_visible()
        assert phone.faults() == []


def test_a_passkey_is_added_signs_in_and_is_removed(portal: Portal, browser: Browser) -> None:
    with a_browser(portal, browser, "wang") as phone:
        cdp = phone.page.context.new_cdp_session(phone.page)
        cdp.send("WebAuthn.enable")
        key = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})["authenticatorId"]
        phone.go("/settings/passkeys/")
        press_until(phone.page, "#passkey-go")
        phone.page.keyboard.press("Enter")
        expect(phone.page.locator("[role=status].alert")).to_contain_text("通行密钥已添加")
        assert len(cdp.send("WebAuthn.getCredentials", {"authenticatorId": key})["credentials"]) == 1
        assert phone.faults() == []
        sign_out(phone)
        phone.go("/sign-in/?next=/settings/passkeys/")
        press_until(phone.page, "#passkey-go")
        phone.page.keyboard.press("Enter")
        expect(phone.page.locator("main .list")).to_contain_text("最近使用")
        assert phone.page.url.endswith("/settings/passkeys/")
        assert "还没有" not in phone.page.locator("main .list").inner_text()
        phone.page.click("main .list a")
        phone.page.fill("#id_name", "我的手机")
        phone.page.press("#id_name", "Enter")
        expect(phone.page.locator("main .list")).to_contain_text("我的手机")
        phone.page.click("main .list a")
        assert phone.faults() == []
        phone.page.click("form button.stop")
        expect(phone.page.locator("[role=status].alert")).to_contain_text("通行密钥已删除")
        sign_out(phone)
        phone.go("/sign-in/")
        phone.page.click("#passkey-go")
        expect(phone.page.locator("[role=status].alert")).to_contain_text("没能用通行密钥登录")
        expect(phone.page.locator("#id_number")).to_be_visible()
        cdp.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": key})
        assert phone.faults() == []


def sign_out(phone: Watched) -> None:
    phone.go("/sign-out/")
    phone.page.click("main form button[type=submit]")
    expect(phone.page.locator("a[href='/cards/'].go")).to_be_visible()


def test_who_turns_the_passkey_down_is_told_of_the_other_way(portal: Portal, browser: Browser) -> None:
    with a_browser(portal, browser) as phone:
        cdp = phone.page.context.new_cdp_session(phone.page)
        cdp.send("WebAuthn.enable")
        options = {**AUTHENTICATOR, "isUserVerified": False}
        cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        phone.go("/sign-in/")
        phone.page.click("#passkey-go")
        expect(phone.page.locator("#passkey-said")).to_contain_text("或用短信验证码登录")
        assert phone.faults() == []


def test_a_phone_and_a_session_are_ended_from_the_other(portal: Portal, browser: Browser) -> None:
    with a_browser(portal, browser, "zhang") as lost, a_browser(portal, browser, "zhang") as here:
        lost.go("/ecard/")
        lost.page.fill("#id_pin", PIN)
        lost.page.fill("#id_again", PIN)
        lost.page.press("#id_again", "Enter")
        expect(lost.page.locator("#qr svg")).to_be_visible()
        for language, mode in product(("en", "zh"), ("elder", "standard")):
            for path in PAGES:
                here.go(f"{path}?lang={language}&mode={mode}")
                for width in (320, 390):
                    here.page.set_viewport_size({"width": width, "height": 844})
                    assert here.faults() == [], (path, language, mode, width)
                    keep_picture(here.page, f"{path}{width}-{language}-{mode}")
        here.go("/ecard/phones/")
        here.page.click("main .list li:first-child button")
        expect(here.page.locator("[role=status].alert")).to_contain_text("已停用")
        here.go("/settings/sessions/")
        here.page.click("main form button.danger")
        expect(here.page.locator("[role=status].alert")).to_contain_text("已退出")
        lost.go("/ecard/")
        expect(lost.page.locator("#id_number")).to_be_visible()
