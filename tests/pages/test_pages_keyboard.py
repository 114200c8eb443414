"""Ten journeys with the keyboard alone: a resident's, an officer's, an integrator's, and staff's at a point."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, expect
from tests import list_worker
from tests.foundation.web.faces import code_now, number_of
from tests.foundation.web.live import browser, watched
from tests.foundation.web.test_web_browser import keep_picture
from tests.pages.house import PIN, House, a_house
from tests.pages.keyboard import Keyboard

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.processes]
Environment = Callable[[str], dict[str, str]]
SEND = (
    "import sys, uuid, django; django.setup(); from onecard.connectors.sms import sending;"
    " assert sending.send_code(uuid.UUID(sys.argv[1]))"
)
SAID = "[role=status].alert"


@pytest.fixture(scope="module")
def house(
    fresh_database: dict[str, str], environment_for: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    with a_house(fresh_database, environment_for, tmp_path_factory, "public", "staff") as served:
        yield served


@pytest.fixture(scope="module")
def resident(house: House, browser: Browser) -> Iterator[Keyboard]:
    yield from _at(browser, house.homes["public"], "/sign-in/", width=390)


@pytest.fixture(scope="module")
def officer(house: House, browser: Browser) -> Iterator[Keyboard]:
    yield from _at(browser, house.homes["staff"], "/", width=1366)


def _at(browser: Browser, home: str, path: str, width: int) -> Iterator[Keyboard]:
    context: BrowserContext = browser.new_context(locale="zh-CN", viewport={"width": width, "height": 900})
    page = watched(context, home)
    page.go(path)
    yield Keyboard(page)
    context.close()


def test_a_resident_signs_in_by_a_short_message(house: House, resident: Keyboard) -> None:
    resident.to(".skip")
    resident.type("#id_number", number_of(1))
    resident.press("Enter", "main form [type=submit]")
    resident.page.wait_for_url("**/sign-in/code/")
    _send_what_was_asked_for(house)
    resident.type("#id_code", house.phone_company.newest_code())
    resident.press("Enter")
    resident.arrives("我的卡")


def _send_what_was_asked_for(house: House) -> None:
    """As the worker does, under its role."""
    with psycopg.connect(house.urls["owner"]) as owner:
        found = owner.execute("SELECT id FROM signins_code ORDER BY made_at DESC LIMIT 1").fetchone()
    assert found is not None
    settings = {"DJANGO_SETTINGS_MODULE": "onecard.settings.worker", "PATH": os.environ["PATH"], **house.messages}
    environment = {**house.environment_for(house.urls["worker"]), **settings}
    subprocess.run([sys.executable, "-c", SEND, str(found[0])], env=environment, check=True)


def test_a_resident_reports_a_loss_and_lifts_it(resident: Keyboard) -> None:
    resident.press("Enter", "main a.danger")
    resident.arrives("临时挂失这张卡？")
    resident.press("Enter", "main form [type=submit]")
    expect(resident.page.locator(SAID)).to_contain_text("已临时挂失")
    resident.fits()
    resident.press("Enter", "main a[href$='/found/']")
    resident.arrives("解除这张卡的挂失？")
    resident.press("Enter", "main form [type=submit]")
    expect(resident.page.locator(SAID)).to_contain_text("已解除挂失")
    resident.fits()


def test_a_resident_unlocks_the_code(resident: Keyboard) -> None:
    resident.follow("a[href='/ecard/']")
    resident.type("#id_pin", PIN)
    resident.type("#id_again", PIN)
    resident.press("Enter", "main form [type=submit]")
    expect(resident.page.locator("#qr svg")).to_be_visible()
    resident.fits()
    resident.press("Enter", "button[form=lock]")
    resident.arrives("我的卡")
    resident.follow("a[href='/ecard/']")
    resident.type("#id_pin", "000001")
    resident.press("Enter")
    expect(resident.page.locator(".summary")).to_contain_text("数字密码不正确")
    resident.fits()
    resident.type("#id_pin", PIN)
    resident.press("Enter")
    expect(resident.page.locator("#qr svg")).to_be_visible()
    resident.fits()


def test_a_chip_that_takes_the_focus_is_whole_in_sight(house: House, browser: Browser) -> None:
    """On the narrowest phone a row of chips is three times as wide as the page, and the page itself never moves."""
    for hands in _at(browser, house.homes["public"], "/services", width=320):
        chips = hands.page.locator(".chips a").count()
        hands.to(".chips a")
        for _ in range(chips):
            left, right = hands.page.evaluate(
                "(({left, right}) => [left, right])(document.activeElement.getBoundingClientRect())"
            )
            assert left >= 0, hands.page.evaluate("document.activeElement.innerText")
            assert right <= 320, hands.page.evaluate("document.activeElement.innerText")
            hands.page.keyboard.press("Tab")
        assert hands.page.evaluate("scrollX") == 0
        hands.fits()


def test_a_resident_finds_a_service(resident: Keyboard) -> None:
    resident.press("Enter", "a[href='/services']")
    resident.arrives("应用项目清单")
    resident.type("#q", "公交")
    resident.press("Enter", "main form [type=submit]")
    resident.page.wait_for_url("**q=*")
    resident.press("Enter", "a[href='/services/transit.bus_ride']")
    resident.arrives("公交乘车")


def test_a_resident_sees_what_a_use_cost(house: House, resident: Keyboard) -> None:
    resident.press("Enter", "a[href='/uses/']")
    resident.arrives("用卡记录")
    resident.press("Enter", "main a[href*='outcome=admitted']")
    resident.page.wait_for_url("**outcome=admitted*")
    resident.follow(f"a[href='/uses/{house.known['use']}/']")
    expect(resident.page.locator("main")).to_contain_text("虚构广场")
    resident.fits()


def test_a_resident_turns_the_order_of_means_round(resident: Keyboard) -> None:
    resident.press("Enter", "a[href='/cards/']")
    resident.arrives("我的卡")
    resident.press("Enter", "a[href='/paying/']")
    resident.arrives("付款方式")
    resident.press("Space", "main form button")
    expect(resident.page.locator(SAID)).to_contain_text("付款方式已更改")
    resident.fits()


def test_an_officer_signs_in_with_both_factors(house: House, officer: Keyboard) -> None:
    officer.type("#id_login", "zhou")
    officer.type("#id_password", house.known["password"])
    officer.press("Enter", "main form [type=submit]")
    officer.page.wait_for_url("**/sign-in/code/**")
    officer.to("#id_code")
    officer.page.keyboard.type(code_now(house.known["secrets"]["zhou"]))
    officer.press("Enter")
    officer.arrives("运行总览")


def test_an_officer_finds_a_holder_and_unmasks_with_a_reason(house: House, officer: Keyboard) -> None:
    officer.press("/")  # straight to the search
    expect(officer.page.locator("#gs")).to_be_focused()
    officer.page.keyboard.type(house.known["number"])
    officer.press("Enter")
    expect(officer.page.locator("#found .table")).to_be_visible()
    officer.fits()
    holder = f"/holders/{house.known['holder']}/"
    officer.follow(f"#found a[href='{holder}']")
    officer.press("Enter", f"a[href='{holder}data/']")
    officer.arrives("查看完整信息")
    officer.press("Space", "#id_fields_shown_0")
    officer.type("#id_reason", "核对户口簿")
    officer.back_to("#id_fields_shown_1")
    officer.press("Enter", "main form .btn.primary")
    expect(officer.page.locator("#shown")).to_contain_text("张小明")
    officer.fits()


def test_an_officer_gives_a_use_back(house: House, officer: Keyboard) -> None:
    officer.press("Enter", "nav a[href='/uses/']")
    officer.arrives("用卡流水")
    officer.follow(f"a[href='/uses/{house.known['use']}/']")
    officer.type("#id_refund-reason", "设备故障，重复扣款")
    officer.press("Enter", "main form .btn.danger")
    expect(officer.page.locator(SAID)).to_contain_text("已退回")
    officer.fits()


def test_an_officer_follows_up_a_risk(house: House, officer: Keyboard) -> None:
    officer.follow("nav a[href='/risks/']")
    officer.follow(f"a[href='/risks/{house.known['risk']}/']")
    officer.press("ArrowDown", "#id_state")
    officer.type("#id_reason", "已电话核实")
    officer.press("Enter", "main form .btn.primary")
    expect(officer.page.locator(SAID)).to_contain_text("处置已记录")
    officer.fits()


def test_an_officer_files_an_endpoint_and_declines_another(house: House, officer: Keyboard) -> None:
    officer.press("Enter", "nav a[href='/']")
    officer.arrives("运行总览")
    officer.press("Enter", ".work a[href='/endpoint-requests/']")
    officer.arrives("接收地址申请")
    keep_picture(officer.page, "endpoint-requests")
    for key, step, told in (
        ("endpoint_request", "accepted", "已登记"), ("other_request", "declined", "已答复不予登记"),
    ):  # fmt: skip
        here = f"/endpoint-requests/{house.known[key]}/"
        officer.follow(f"main a[href='{here}']")
        keep_picture(officer.page, key)
        if step == "declined":
            officer.type("#id_reason", "不是本单位的地址")
        officer.press("Enter", f"main form[action='{here}{step}/'] [type=submit]")
        expect(officer.page.locator(SAID)).to_contain_text(told)
        officer.fits()
        officer.follow("main a[href='/endpoint-requests/']")


def test_an_officer_takes_from_a_client_what_it_had(house: House, officer: Keyboard) -> None:
    officer.follow("nav a[href='/clients/']")
    officer.arrives("接入系统")
    keep_picture(officer.page, "clients")
    here = f"/clients/{house.known['client']}/"
    officer.follow(f"main a[href='{here}']")
    keep_picture(officer.page, "client")
    for step in (
        f"endpoints/{house.known['endpoint']}/ended/", f"credentials/{house.known['credential']}/withdrawn/",
        "suspended/", "resumed/",
    ):  # fmt: skip
        officer.follow(f"main a[href='{here}{step}']")
        keep_picture(officer.page, f"client-{step}")
        officer.type("#id_reason", "系统停用")
        officer.press("Enter", "main form .btn.danger, main form .btn.primary")
        expect(officer.page.locator(SAID)).to_contain_text("已办理")
        expect(officer.page.locator(f"main a[href='{here}{step}']")).to_have_count(0)
        officer.fits()


def test_an_integrator_tries_a_use(house: House, browser: Browser) -> None:
    for hands in _at(browser, house.homes["public"], "/dev/", width=1366):
        hands.press("Enter", "a[href='/dev/start']")
        hands.arrives("五分钟接入")
        hands.press("ArrowDown", "#id_item")
        hands.press("Enter", "main form [type=submit]")
        expect(hands.page.locator("main")).to_contain_text("culture.library_entry")
        hands.press("Enter", "a[href='/dev/try']")
        hands.arrives("在线试用")
        hands.press("Enter", "main form [type=submit]")
        expect(hands.page.locator("#outcome")).to_be_visible()
        expect(hands.page.locator("main")).to_contain_text("ADMITTED")
        hands.fits()


def test_staff_pair_a_terminal_page_and_check_a_code(house: House, browser: Browser) -> None:
    list_worker.build(house.environment_for, house.urls["worker"])
    waiting, holder = house.sandbox["terminals"][0], house.sandbox["holders"][0]
    for hands in _at(browser, house.terminal_page, "/terminal/", width=1366):
        expect(hands.page.locator("#pairing")).to_be_visible()
        hands.type("#pairing-code", waiting["pairing_code"])
        hands.press("Enter", "#pairing [type=submit]")
        expect(hands.page.locator("#terminal")).to_contain_text(waiting["terminal"])
        expect(hands.page.locator("#item")).to_be_enabled()
        shown = httpx.post(
            f"{house.gateway.url}/v1/codes", json={"windows": 1}, headers={"Authorization": f"Bearer {holder['token']}"}
        )
        hands.to("#paste")
        hands.page.keyboard.insert_text(shown.json()["windows"][0]["code"])  # as pasting does: a code lives a minute
        hands.press("Enter")
        expect(hands.page.locator("#result-title")).to_have_text("请通行")
        hands.fits()
