"""The officers' pages in a real browser, served by a live process under its own database role."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.foundation.web.faces import code_now
from tests.foundation.web.live import AUTHENTICATOR, Live, Watched, browser, live, watched
from tests.foundation.web.test_web_browser import keep_picture, officer, press_until, sign_in

from onecard.foundation.clock import today

__all__ = ["browser", "live", "officer"]
pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)  # other suites may be using the machine
WRITE = (
    "import sys, uuid, django; django.setup(); from onecard.kernel.uses import exports;"
    " exports.write(uuid.UUID(sys.argv[1]))"
)


@pytest.fixture
def staff_face() -> None:
    """The process has its own settings; this one needs none."""


def test_a_use_is_explained_and_given_back(live: Live, officer: BrowserContext) -> None:
    page = watched(officer, live.staff)
    page.go(f"/uses/{live.known['use']}/?lang=zh&mode=standard")
    page.page.fill("#id_reason", "投诉核查")
    page.page.press("#id_reason", "Tab")
    page.page.keyboard.press("Enter")
    expect(page.page.locator("#explained li").first).to_be_visible()
    assert page.faults() == []
    keep_picture(page.page, "explained")
    page.page.fill("#id_refund-reason", "设备故障，重复扣款")
    page.page.press("#id_refund-reason", "Tab")
    page.page.keyboard.press("Enter")
    expect(page.page.locator("[role=status].alert")).to_contain_text("已退回")
    expect(page.page.locator(".phead")).to_contain_text("已退回")
    expect(page.page.locator("#id_refund-reason")).to_have_count(0)
    use, headers = live.known["use"], {"Referer": f"{live.staff}/"}
    known = {each["name"]: each["value"] for each in officer.cookies(live.staff)}
    again: dict[str, str | bool | float] = {"refund-reason": "设备故障，重复扣款"}
    again["csrfmiddlewaretoken"] = known["onecard_staff_csrf"]
    assert officer.request.post(f"{live.staff}/uses/{use}/refund/", form=again, headers=headers).ok
    told = officer.request.get(f"{live.staff}/audit/?subject=use:{use}").text()
    assert told.count("设备故障，重复扣款") == 1
    assert page.faults() == []
    page.page.close()


def test_an_export_shows_its_progress_and_is_fetched(
    live: Live,
    officer: BrowserContext,
    fresh_database: dict[str, str],
    environment_for: Callable[[str], dict[str, str]],
) -> None:
    page = watched(officer, live.staff)
    page.go("/uses/?lang=zh&mode=standard")
    page.page.click("form[action='/exports/'] button")
    expect(page.page.locator("#export")).to_contain_text("等待中")
    assert page.faults() == []
    _write(page.page.url.split("/")[-2], environment_for(fresh_database["worker"]))
    expect(page.page.locator("#export")).to_contain_text("已完成", timeout=30_000)
    with page.page.expect_download() as fetched:
        page.page.click("#export a.primary")
    lines = Path(fetched.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith("用卡编号")
    assert any(line.startswith(live.known["use"]) for line in lines)
    assert page.faults() == []
    page.page.close()


def _write(export: str, environment: dict[str, str]) -> None:
    """As the worker does, under its role."""
    assert UUID(export)
    settings = {"DJANGO_SETTINGS_MODULE": "onecard.settings.worker", "PATH": os.environ["PATH"]}
    subprocess.run([sys.executable, "-c", WRITE, export], env={**environment, **settings}, check=True)


def test_a_holder_is_looked_for_and_opened_without_scripts(
    live: Live, officer: BrowserContext, browser: Browser
) -> None:
    context = browser.new_context(locale="zh-CN", java_script_enabled=False, storage_state=officer.storage_state())
    page = context.new_page()
    page.goto(live.staff + "/holders/?lang=zh")
    page.fill("#gs", "张小明")
    page.press("#gs", "Enter")
    page.click(f"#found a[href='/holders/{live.known['holder']}/']")
    expect(page.locator("#history .events li").first).to_be_visible()
    context.close()


def test_an_item_is_published_by_two_officers_and_its_rules_asked_by_keyboard_alone(
    live: Live, officer: BrowserContext, browser: Browser
) -> None:
    """From the file to the page that residents read."""
    code, here = "transit.metro_ride", "/items/transit.metro_ride/versions/2/"
    written = officer.request.get(f"{live.staff}/items/{code}/versions/1.toml").text()
    text = written.replace("version = 1", "version = 2").replace("starts_on = 2026-01-01", f"starts_on = {today()}")
    text = text.replace('zh = "轨道交通乘车"', 'zh = "地铁乘车"')
    assert text.count("地铁乘车") == 1
    page = watched(officer, live.staff)
    keyboard = page.page.keyboard
    page.go("/items/?lang=zh&mode=standard")
    _follow(page.page, "a[href='/items/upload/']", "上传项目文件")
    press_until(page.page, "#id_text", 60)
    keyboard.insert_text(text)
    press_until(page.page, "#file button[type=submit]")
    keyboard.press("Enter")
    expect(page.page.locator("#difference")).to_contain_text(f"与 {code}@1 相比")
    expect(page.page.locator("#difference")).to_contain_text("地铁乘车")
    assert page.faults() == []
    keep_picture(page.page, "item-difference")
    press_until(page.page, "#difference button.primary", 60)
    keyboard.press("Enter")
    expect(page.page.locator("[role=status].alert")).to_contain_text("已保存为拟订")
    _take(page.page, here, "submit")
    expect(page.page.locator("#publish")).to_contain_text("不能自己发布")
    assert page.faults() == []
    keep_picture(page.page, "item-in-review")
    page.page.close()

    colleague = browser.new_context(locale="zh-CN")
    theirs = watched(colleague, live.staff)
    theirs.go("/")
    sign_in(theirs.page, "sun", live.known["password"])
    expect(theirs.page.locator("#id_code")).to_be_visible()
    theirs.page.fill("#id_code", code_now(live.known["secrets"]["sun"]))
    theirs.page.press("#id_code", "Enter")
    expect(theirs.page.locator("h1")).to_have_text("运行总览")
    _follow(theirs.page, ".todo a[href='/items/?stage=review']", "应用目录")
    _follow(theirs.page, f"td a[href='{here}']", "地铁乘车")
    _take(theirs.page, here, "publish")
    expect(theirs.page.locator(".phead")).to_contain_text("今天有效")
    assert theirs.faults() == []
    resident = watched(colleague, live.public)
    resident.go(f"/services/{code}?lang=zh")
    expect(resident.page.locator("h1")).to_have_text("地铁乘车")

    theirs.go("/what-if/?item=transit.bus_ride&point=nt-bus-1")
    press_until(theirs.page, "#id_card", 60)
    theirs.page.keyboard.type(live.known["number"])
    press_until(theirs.page, "#id_reason")
    theirs.page.keyboard.type("核对优惠是否适用")
    press_until(theirs.page, ".g button[type=submit]")
    theirs.page.keyboard.press("Enter")
    expect(theirs.page.locator("#explained .how li").first).to_be_visible()
    assert theirs.faults() == []
    keep_picture(theirs.page, "what-if")
    colleague.close()


def test_an_item_that_was_not_there_is_kept_by_the_process_of_officers(live: Live, officer: BrowserContext) -> None:
    text = officer.request.get(f"{live.staff}/items/culture.library_entry/versions/1.toml").text()
    page = watched(officer, live.staff)
    page.go("/items/upload/?lang=zh&mode=standard")
    page.page.fill("#id_text", text.replace("culture.library_entry", "culture.archive_entry"))
    page.page.click("#file button[type=submit]")
    page.page.click("#difference button.primary")
    expect(page.page.locator("[role=status].alert")).to_contain_text("culture.archive_entry")
    assert page.faults() == []
    page.page.close()


def _follow(page: Page, link: str, leads_to: str) -> None:
    """Follow a link by Tab and Enter, until the page that it leads to is there."""
    press_until(page, link, 90)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(leads_to)


def _take(page: Page, version: str, step: str) -> None:
    """Take a step of a version, by Tab and Enter."""
    _follow(page, f"a[href='{version}{step}/']", {"submit": "送审", "publish": "发布"}[step])
    press_until(page, "form[data-draft] button[type=submit]", 60)
    page.keyboard.press("Enter")
    expect(page.locator("[role=status].alert")).to_contain_text("已办理")


def test_a_resident_sees_which_office_looked_at_their_data(
    live: Live, officer: BrowserContext, browser: Browser
) -> None:
    page = watched(officer, live.staff)
    page.go(f"/holders/{live.known['holder']}/")
    page.go(f"/holders/{live.known['holder']}/data/?lang=zh&mode=standard")
    page.page.check("#id_fields_shown_3")
    page.page.fill("#id_reason", "邮寄新卡，核对住址")
    page.page.press("#id_reason", "Tab")
    page.page.keyboard.press("Enter")
    expect(page.page.locator("#shown")).to_be_visible()
    page.page.close()
    context = browser.new_context(locale="zh-CN")
    theirs = watched(context, live.public)
    theirs.go("/sign-in/password/?next=/seen/")
    theirs.page.fill("#id_login", "zhang")
    theirs.page.fill("#id_password", live.known["password"])
    theirs.page.press("#id_password", "Enter")
    look = theirs.page.locator("main li", has_text="邮寄新卡，核对住址")
    for told in ("工作人员", "卡管科", "住址"):
        expect(look).to_contain_text(told)
    expect(theirs.page.locator("main li", has_text="持卡人页面（信息已脱敏）").first).to_be_visible()
    assert theirs.faults() == []
    context.close()


def test_a_role_is_granted_and_stands_in_the_trail_by_keyboard_alone(live: Live, officer: BrowserContext) -> None:
    page = watched(officer, live.staff)
    keyboard = page.page.keyboard
    page.go(f"/officers/{live.known['officer']}/?lang=zh&mode=standard")
    press_until(page.page, "#id_role", 60)
    page.page.select_option("#id_role", "auditor")
    press_until(page.page, "#id_place")
    page.page.select_option("#id_place", "320613")
    press_until(page.page, "#assign button[type=submit]")
    keyboard.press("Enter")
    expect(page.page.locator("[role=status].alert")).to_contain_text("已授予角色")
    expect(page.page.locator("#roles")).to_contain_text("320613")
    assert page.faults() == []
    keep_picture(page.page, "officer")
    page.go("/audit/")
    expect(page.page.locator("main table").first).to_contain_text("授予角色")
    press_until(page.page, "a[href='/audit/?looks=1']", 60)
    keyboard.press("Enter")
    expect(page.page.locator(".chip[aria-current]")).to_have_text("谁看了谁")
    expect(page.page.locator("main table").first).to_contain_text("核对领卡人")
    assert page.faults() == []
    keep_picture(page.page, "audit")
    page.page.close()


def test_a_session_warns_is_kept_by_one_key_and_its_end_loses_no_draft(
    live: Live, officer: BrowserContext, browser: Browser
) -> None:
    context = browser.new_context(locale="zh-CN", storage_state=officer.storage_state())
    page = watched(context, live.staff)
    page.page.clock.install()
    here = f"/officers/{live.known['officer']}/suspended/"
    page.go(f"{here}?lang=zh&mode=standard")
    warning = page.page.locator("#session")
    expect(warning).to_be_hidden()
    page.page.clock.fast_forward("28:01")
    expect(warning).to_be_visible()
    expect(warning.locator("button")).to_be_focused()
    assert page.faults() == []
    keep_picture(page.page, "session")
    page.page.keyboard.press("Enter")
    expect(warning).to_be_hidden()
    page.page.fill("#id_reason", "长期离岗，部门来函")
    context.clear_cookies(name="onecard_staff")
    page.page.press("#id_reason", "Tab")
    page.page.keyboard.press("Enter")
    expect(page.page.locator("h1")).to_have_text("工作人员登录")
    assert f"next={here}" in page.page.url
    known = officer.cookies(live.staff)
    context.add_cookies([{"name": each["name"], "value": each["value"], "url": live.staff} for each in known])
    page.go(here)
    expect(page.page.locator("#id_reason")).to_have_value("长期离岗，部门来函")
    expect(page.page.locator("#live")).to_have_text("已恢复上次没有提交的内容。")
    assert page.faults() == []
    context.close()


def test_a_newcomer_lives_with_a_passkey_alone_by_keyboard(live: Live, browser: Browser) -> None:
    """Set up, sign out, sign in, name, another way in, remove: with a virtual authenticator, and no code before."""
    context = browser.new_context(locale="zh-CN", viewport={"width": 1366, "height": 900})
    page = watched(context, live.staff)
    devtools = context.new_cdp_session(page.page)
    devtools.send("WebAuthn.enable")
    key = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})["authenticatorId"]
    page.go("/")
    sign_in(page.page, "wu", live.known["password"])
    expect(page.page.locator("h1")).to_have_text("设置第二步验证")
    assert page.faults() == []
    keep_picture(page.page, "set-up")
    _press(page.page, "#passkey-go")
    expect(page.page.locator("h1")).to_have_text("运行总览")
    expect(page.page.locator("[role=status].alert")).to_contain_text("通行密钥已添加")
    assert len(devtools.send("WebAuthn.getCredentials", {"authenticatorId": key})["credentials"]) == 1
    assert page.faults() == []
    _sign_out(page)
    assert page.faults() == []
    keep_picture(page.page, "officers-sign-in")
    sign_in(page.page, "wu", live.known["password"])
    expect(page.page.locator("h1")).to_have_text("第二步验证")
    expect(page.page.locator("#id_code")).to_have_count(0)
    assert page.faults() == []
    keep_picture(page.page, "passkey-alone")
    _press(page.page, "#passkey-go")
    expect(page.page.locator("h1")).to_have_text("运行总览")
    _sign_out(page)
    page.go("/sign-in/?next=/my-sign-in/")
    _press(page.page, "#passkey-go")
    expect(page.page.locator("h1")).to_have_text("我的登录方式")
    expect(page.page.locator("#passkeys")).not_to_contain_text("还没有")
    assert page.faults() == []
    keep_picture(page.page, "own-sign-in")
    _follow(page.page, "#passkeys td a", "Linux · Chrome")
    expect(page.page.locator("main")).to_contain_text("唯一的第二步验证方式，不能删除")
    assert page.faults() == []
    keep_picture(page.page, "last-passkey")
    press_until(page.page, "#id_name", 60)
    page.page.keyboard.press("Control+A")
    page.page.keyboard.type("办公室电脑")
    page.page.keyboard.press("Enter")
    expect(page.page.locator("#passkeys")).to_contain_text("办公室电脑")
    _follow(page.page, "#authenticator a", "绑定身份验证器")
    assert page.faults() == []
    keep_picture(page.page, "authenticator")
    secret = page.page.locator(".secret").inner_text()
    page.page.fill("#id_code", code_now(secret))
    page.page.press("#id_code", "Enter")
    expect(page.page.locator("#authenticator")).to_contain_text("已绑定")
    page.go("/sign-in/confirm/?next=/my-sign-in/")
    expect(page.page.locator("#id_password")).to_be_visible()
    keep_picture(page.page, "confirm")
    assert page.faults() == []
    _press(page.page, "#passkey-go")
    expect(page.page.locator("h1")).to_have_text("我的登录方式")
    _follow(page.page, "#passkeys td a", "办公室电脑")
    keep_picture(page.page, "own-passkey")
    _press(page.page, "main .btn.danger")
    expect(page.page.locator("[role=status].alert")).to_contain_text("通行密钥已删除")
    assert page.faults() == []
    _sign_out(page)
    _press(page.page, "#passkey-go")
    expect(page.page.locator("[role=status].alert")).to_contain_text("没能用通行密钥登录")
    expect(page.page.locator("#id_login")).to_be_visible()
    devtools.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False})
    _press(page.page, "#passkey-go")
    expect(page.page.locator("#passkey-said")).to_contain_text("或用用户名和密码登录")
    assert page.faults() == []
    context.close()


def _press(page: Page, button: str) -> None:
    press_until(page, button, 90)
    page.keyboard.press("Enter")


def _sign_out(page: Watched) -> None:
    page.go("/sign-out/")
    page.page.click("main form button[type=submit]")
    expect(page.page.locator("h1")).to_have_text("工作人员登录")
