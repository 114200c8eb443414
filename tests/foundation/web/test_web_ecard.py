"""The e-card page in a real browser, beside a gateway: it unlocks, shows codes that are good, and never old ones."""

import hashlib
import io
import os
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.foundation.web import live as processes
from tests.foundation.web.live import ARGUMENTS, CHROMIUM, Watched, browser, watched
from tests.gateway import pictures
from tests.gateway.process import a_gateway
from tests.pages.addresses import Who, filled, pages

from onecard_kit import codes

__all__ = ["browser"]
pytestmark = pytest.mark.browser
PIN = "836194"
expect.set_options(timeout=20_000)


@dataclass
class Portal:
    """The residents' web, the gateway that it fetches codes from, and who lives there."""

    home: str
    gateway: Any
    known: dict[str, Any]


@pytest.fixture(scope="module")
def portal(
    fresh_database: dict[str, str],
    environment_for: Callable[[str], dict[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Portal]:
    known = processes.people(environment_for(fresh_database["owner"]))
    with a_gateway(environment_for, fresh_database["gateway"]) as gateway:
        environment = environment_for(fresh_database["public"]) | {
            "ONECARD_STATIC": str(tmp_path_factory.mktemp("static")),
            "ONECARD_DEMO": "1",
            "ONECARD_GATEWAY_URL": gateway.url,
        }
        port = processes.free_port()
        running = processes.start("public", environment, port)
        try:
            processes.wait_for(f"http://localhost:{port}/health")
            yield Portal(f"http://localhost:{port}", gateway, known)
        finally:
            running.terminate()
            running.wait(timeout=20)


@pytest.fixture
def phone(portal: Portal, browser: Browser) -> Iterator[Watched]:
    """A phone of zhang's, signed in, that has not shown a code yet."""
    context = browser.new_context(locale="zh-CN", viewport={"width": 390, "height": 844})
    page = watched(context, portal.home)
    sign_in(page, portal, "zhang")
    yield page
    context.close()


def sign_in(page: Watched, portal: Portal, name: str) -> None:
    page.go("/sign-in/password/?next=/ecard/")
    page.page.fill("#id_login", name)
    page.page.fill("#id_password", portal.known["password"])
    page.page.press("#id_password", "Enter")
    expect(page.page.locator("#id_again")).to_be_visible()
    page.go("/ecard/?lang=zh&mode=standard")  # the account remembers what it was shown in last


def set_up(page: Watched) -> None:
    page.page.fill("#id_pin", PIN)
    page.page.fill("#id_again", PIN)
    page.page.press("#id_again", "Enter")
    expect(page.page.locator("#qr svg")).to_be_visible()


def filmed(page: Page) -> str:
    """What a reader takes the code on the screen for."""
    picture = Image.open(io.BytesIO(page.locator("#qr").screenshot()))
    [found] = zxingcpp.read_barcodes(picture)
    return str(found.text)


def test_a_phone_is_set_up_and_shows_a_good_code(portal: Portal, phone: Watched) -> None:
    set_up(phone)
    assert phone.faults() == []
    code = filmed(phone.page)
    assert codes.decode(code) is not None
    expect(phone.page.locator("#clock")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))
    expect(phone.page.locator(".ecard")).to_contain_text("张*明")
    assert portal.known["number"] not in phone.page.content()
    [cookie] = [each for each in phone.page.context.cookies() if each["name"] == "onecard_device"]
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"


def test_it_locks_and_unlocks_by_keyboard_alone(phone: Watched) -> None:
    set_up(phone)
    press_until(phone.page, "button[form=lock]")
    phone.page.keyboard.press("Enter")
    expect(phone.page.locator("h1")).to_have_text("我的卡")
    phone.go("/ecard/")
    assert phone.page.locator("#qr").count() == 0
    assert phone.faults() == []
    press_until(phone.page, "#id_pin")
    phone.page.keyboard.type("000001")
    phone.page.keyboard.press("Enter")
    expect(phone.page.locator(".summary")).to_contain_text("数字密码不正确")
    phone.wrong = [said for said in phone.wrong if "422" not in said]
    assert phone.faults() == []
    phone.page.fill("#id_pin", PIN)
    phone.page.press("#id_pin", "Enter")
    expect(phone.page.locator("#qr svg")).to_be_visible()
    assert phone.faults() == []


def keep_picture(page: Page, name: str) -> None:
    """Save a picture where ONECARD_PICTURES names a folder, for people to look at."""
    if folder := os.environ.get("ONECARD_PICTURES"):
        page.screenshot(path=f"{folder}/{name.replace('/', '_')}.png")


def press_until(page: Page, selector: str, limit: int = 40) -> None:
    """Walk by Tab to an element."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        if page.evaluate("(s) => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"Tab does not reach {selector}")


def test_ten_windows_go_on_without_signal_and_then_nothing_looks_valid(phone: Watched) -> None:
    set_up(phone)
    phone.page.clock.install()
    phone.go("/ecard/")
    expect(phone.page.locator("#qr svg")).to_be_visible()
    phone.page.context.set_offline(True)
    shown = {filmed(phone.page)}
    for _ in range(3):
        phone.page.clock.run_for(60_000)
        expect(phone.page.locator("#code:not(.stale)")).to_be_visible()
        shown.add(filmed(phone.page))
    assert len(shown) == 4
    phone.page.clock.run_for(600_000)
    expect(phone.page.locator("#code.stale")).to_be_visible()
    expect(phone.page.locator("#left")).to_contain_text("二维码已过期")
    phone.page.context.set_offline(False)
    phone.wrong = [said for said in phone.wrong if "ERR_INTERNET_DISCONNECTED" not in said]


def test_a_number_to_read_aloud_comes_on_request(phone: Watched) -> None:
    set_up(phone)
    assert phone.page.locator("#number").count() == 0
    phone.page.click("form[action='/ecard/number/'] button")
    expect(phone.page.locator("#number")).to_have_text(re.compile(r"^\d{4} \d{4} \d{4}$"))
    expect(phone.page.locator("#qr svg")).to_be_visible()
    assert phone.faults() == []


def test_the_licence_shows_the_name_for_a_while_and_says_so(phone: Watched) -> None:
    set_up(phone)
    phone.page.click("a[href='/ecard/licence/']")
    expect(phone.page.locator(".ecard .name")).to_have_text("张*明")
    assert phone.faults() == []
    phone.page.click(".eye")
    expect(phone.page.locator(".ecard .name")).to_have_text("张小明")
    assert phone.page.locator("meta[http-equiv=refresh]").get_attribute("content") == "30;url=/ecard/licence/"


def test_a_loss_stops_the_code_at_once(portal: Portal, browser: Browser) -> None:
    context = browser.new_context(locale="zh-CN", viewport={"width": 390, "height": 844})
    page = watched(context, portal.home)
    sign_in(page, portal, "zhang")
    set_up(page)
    page.page.click("a.danger")
    page.page.click("form button.stop")
    expect(page.page.locator("[role=status].alert")).to_contain_text("已临时挂失")
    page.go("/ecard/")
    expect(page.page.locator(".alert.warn").first).to_contain_text("这张卡现在不能使用")
    assert page.page.locator("#qr").count() == 0
    assert page.faults() == []
    page.go("/cards/")
    page.page.click("a.primary")
    page.page.click("main form button[type=submit]")
    expect(page.page.locator("[role=status].alert")).to_contain_text("已解除挂失")
    context.close()


def test_what_lapsed_stays_locked_and_going_back_sends_no_pin_again(portal: Portal, phone: Watched) -> None:
    """A page that came as the answer to a PIN goes by its own address: to load it anew is to be asked again."""
    set_up(phone)
    phone.page.click("button[form=lock]")
    expect(phone.page.locator("h1")).to_have_text("我的卡")
    phone.go("/ecard/")
    phone.page.fill("#id_pin", PIN)
    phone.page.press("#id_pin", "Enter")
    expect(phone.page.locator("#qr svg")).to_be_visible()
    expect(phone.page).to_have_url(portal.home + "/ecard/")
    keeps_the_shell(phone.page)
    phone.page.click("a[href='/ecard/licence/']")
    phone.page.click(".eye")
    expect(phone.page.locator(".ecard .name")).to_have_text("张小明")
    phone.go("/cards/")
    phone.page.go_back()
    expect(phone.page.locator(".ecard .name")).to_have_text("张*明")
    phone.go("/ecard/family/")
    phone.page.click("main form:not([action]) [type=submit]")
    expect(phone.page.locator(".summary")).to_be_visible()
    phone.go("/cards/")
    phone.page.go_back()  # a refused form: its page anew, not the one without a signal
    expect(phone.page.locator("h1")).to_have_text("为家人亮码")
    phone.go("/ecard/")
    expect(phone.page.locator("#qr svg")).to_be_visible()
    # As after ten minutes: locked elsewhere in the same session, and the page asks for more.
    token = phone.page.locator("#lock [name=csrfmiddlewaretoken]").input_value()
    sent: list[str] = []
    phone.page.on("request", lambda asked: sent.append(f"{asked.method} {asked.url.removeprefix(portal.home)}"))
    locked = phone.page.request.post(portal.home + "/ecard/lock/", form={"csrfmiddlewaretoken": token}, max_redirects=0)
    assert locked.status == 302
    phone.page.click("#refresh")
    expect(phone.page.locator("#id_pin")).to_be_visible()
    assert phone.page.locator("#qr").count() == 0
    assert "POST /ecard/unlock/" not in sent
    assert phone.page.evaluate("localStorage.getItem('codes')") is None
    phone.wrong = [said for said in phone.wrong if not re.search("403|422|409", said)]
    assert phone.faults() == []


def test_it_is_read_without_scripts(portal: Portal, browser: Browser) -> None:
    context: BrowserContext = browser.new_context(locale="zh-CN", java_script_enabled=False)
    page = watched(context, portal.home)
    sign_in(page, portal, "zhang")
    set_up(page)
    assert codes.decode(filmed(page.page)) is not None
    context.close()


@pytest.mark.parametrize(("language", "mode"), list(product(("zh", "en"), ("standard", "elder"))))
def test_it_fits_in_both_languages_and_sizes(phone: Watched, language: str, mode: str) -> None:
    set_up(phone)
    for path in ("/ecard/", "/ecard/licence/"):
        phone.go(f"{path}?lang={language}&mode={mode}")
        for width in (320, 768, 1366):
            phone.page.set_viewport_size({"width": width, "height": 900})
            assert phone.faults() == []
            keep_picture(phone.page, f"{path}{width}-{language}-{mode}")


def test_a_gateway_that_is_away_says_what_to_do(portal: Portal, phone: Watched) -> None:
    set_up(phone)
    portal.gateway.kill()
    try:
        phone.go("/ecard/")
        expect(phone.page.locator("main")).to_contain_text("请稍后再试，或使用实体卡")
    finally:
        portal.gateway.start()


def test_every_page_of_a_resident_is_light(portal: Portal, phone: Watched) -> None:
    """60 KB compressed is what a resident's page may take, with all that it names: as it is on a first visit."""
    set_up(phone)
    cookies = {each["name"]: each["value"] for each in phone.page.context.cookies()}
    kept: dict[str, int] = {}
    asked = [(who, each) for who in (Who.NOBODY, Who.RESIDENT) for each in pages("public", who)]
    with httpx.Client(base_url=portal.home, trust_env=False) as client:
        for who, path in asked:
            if path.startswith("/dev/"):
                continue
            page = client.get(filled(path, portal.known), cookies=cookies if who is Who.RESIDENT else {})
            assert page.status_code == 200, path
            named = set(re.findall(r'(?:rel="(?:stylesheet|icon)" href|script src)="(/static/[^"]+)"', page.text))
            assert named, path
            kept.update({each: weight(client, each) for each in named - kept.keys()})
            taken = {path: len(page.content)} | {each: kept[each] for each in named}
            assert sum(taken.values()) <= 60_000, taken


def weight(client: httpx.Client, path: str) -> int:
    """What of a file goes over the wire."""
    with client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.status_code == 200, path
        return sum(len(part) for part in answer.iter_raw())


# --- Without a signal, as an installed app ----------------------------------------------------------------------------


CODES = '\\"windows\\":[{'


def kept(page: Page) -> str:
    """What the worker and the page keep on this phone, as text; of files that are everybody's the name."""
    told: str = page.evaluate(
        """async () => {
          let told = JSON.stringify(localStorage);
          for (const name of await caches.keys()) {
            const cache = await caches.open(name);
            for (const each of await cache.keys()) {
              told += each.url;
              if (!each.url.includes("/static/")) told += await (await cache.match(each)).text();
            }
          }
          return told;
        }"""
    )
    return told


def keeps_the_shell(page: Page, look: str = "") -> None:
    """Wait until the page without a signal is kept, as it is shown in a language and mode where these are named."""
    page.evaluate(
        """async (look) => {
          for (;;) {
            const found = await caches.match("/offline/");
            if (found && (!look || found.headers.get("X-Look") === look)) return;
            await new Promise((go) => setTimeout(go, 50));
          }
        }""",
        look,
    )


def test_an_installed_app_shows_its_codes_without_a_signal_and_nothing_else(portal: Portal, phone: Watched) -> None:
    set_up(phone)
    keeps_the_shell(phone.page)
    good = {filmed(phone.page)}
    phone.page.context.set_offline(True)
    for path in ("/ecard/", "/money/"):  # whatever is asked for: the codes, and nobody's money
        phone.page.goto(portal.home + path)
        expect(phone.page.locator("h1")).to_have_text("现在没有网络")
        expect(phone.page.locator("#qr svg")).to_be_visible()
        expect(phone.page.locator("#age")).to_have_text(
            re.compile(r"没有网络：码取于 \d\d:\d\d（\d+ 分钟前），最晚可用到 \d\d:\d\d")
        )
        good.add(filmed(phone.page))
        keep_picture(phone.page, "offline-390-zh-standard")
    assert all(codes.decode(code) for code in good)
    phone.wrong = [said for said in phone.wrong if "ERR_INTERNET_DISCONNECTED" not in said]
    assert phone.faults() == []
    phone.page.context.set_offline(False)
    phone.page.click("main a.primary")
    expect(phone.page.locator("h1")).to_have_text("我的钱包")


def test_codes_kept_without_a_signal_run_out_honestly(portal: Portal, phone: Watched) -> None:
    set_up(phone)
    keeps_the_shell(phone.page)
    phone.page.context.set_offline(True)
    phone.page.clock.install()
    phone.page.goto(portal.home + "/ecard/")
    expect(phone.page.locator("#qr svg")).to_be_visible()
    phone.page.clock.run_for(660_000)
    expect(phone.page.locator("#code.stale")).to_be_visible()
    expect(phone.page.locator("#left")).to_contain_text("二维码已过期")
    phone.page.goto(portal.home + "/ecard/")  # opened anew they are gone
    expect(phone.page.locator("#no-codes")).to_be_visible()
    expect(phone.page.locator("#code")).to_be_hidden()
    assert phone.page.evaluate("localStorage.getItem('codes')") is None
    phone.page.context.set_offline(False)
    phone.wrong.clear()


@pytest.mark.parametrize("by", ["lock", "sign-out", "another's session"])
def test_nothing_of_a_holder_stays_on_the_phone(portal: Portal, phone: Watched, by: str) -> None:
    set_up(phone)
    keeps_the_shell(phone.page)
    assert CODES in kept(phone.page)
    if by == "lock":
        phone.page.click("button[form=lock]")
    elif by == "sign-out":
        phone.go("/sign-out/")
        phone.page.click("main button[type=submit]")
    else:
        phone.page.context.clear_cookies()
        phone.go("/sign-in/password/?next=/cards/")
        phone.page.fill("#id_login", "wang")
        phone.page.fill("#id_password", portal.known["password"])
        phone.page.press("#id_password", "Enter")
        expect(phone.page.locator("h1")).to_have_text("我的卡")
    phone.go("/services")
    told = kept(phone.page)
    assert CODES not in told
    for word in ("张*明", portal.known["number"], "csrfmiddlewaretoken", "/ecard/fresh/"):
        assert word not in told
    phone.page.context.set_offline(True)
    phone.page.goto(portal.home + "/ecard/")
    expect(phone.page.locator("#no-codes")).to_be_visible()
    expect(phone.page.locator("#code")).to_be_hidden()
    phone.page.context.set_offline(False)
    phone.wrong.clear()


@pytest.mark.parametrize(("language", "mode"), list(product(("zh", "en"), ("standard", "elder"))))
def test_the_page_without_a_signal_fits_and_keeps_language_and_letters(
    portal: Portal, phone: Watched, language: str, mode: str
) -> None:
    set_up(phone)
    phone.go(f"/ecard/?lang={language}&mode={mode}")
    keeps_the_shell(phone.page, f"?lang={language}&mode={mode}")
    phone.page.context.set_offline(True)
    phone.page.goto(portal.home + "/ecard/")
    expect(phone.page.locator(f"html[lang^={language}][data-mode={mode}] #qr svg")).to_be_visible()
    phone.wrong.clear()
    for width in (320, 768, 1366):
        phone.page.set_viewport_size({"width": width, "height": 900})
        assert phone.faults() == []
        keep_picture(phone.page, f"offline-{width}-{language}-{mode}")
    phone.page.context.set_offline(False)


def test_a_phone_may_install_it(portal: Portal, phone: Watched) -> None:
    phone.go("/")
    told = phone.page.context.new_cdp_session(phone.page).send("Page.getAppManifest")
    assert told["errors"] == []
    manifest = httpx.get(f"{portal.home}/manifest.webmanifest", trust_env=False).json()
    assert (manifest["display"], manifest["start_url"], manifest["scope"]) == ("standalone", "/", "/")
    for icon in manifest["icons"]:
        picture = Image.open(io.BytesIO(httpx.get(portal.home + icon["src"], trust_env=False).content))
        assert "x".join(map(str, picture.size)) == icon["sizes"]
    assert phone.faults() == []


# --- A relative's code ------------------------------------------------------------------------------------------------


def test_a_relatives_code_says_whose_it_is_everywhere_and_is_one_tap_from_mine(portal: Portal, phone: Watched) -> None:
    set_up(phone)
    own = codes.decode(filmed(phone.page))
    phone.page.click("a[href='/ecard/family/']")
    phone.page.click(f"a[href='/ecard/family/{portal.known['tie']}/code/']")
    phone.page.click("main form button.primary")
    expect(phone.page.locator("#qr svg")).to_be_visible()
    expect(phone.page.locator("#whose")).to_have_text("正在出示 张*明（您的父母）的码")
    theirs = codes.decode(filmed(phone.page))
    assert own is not None
    assert theirs is not None
    assert (own.claims.via, theirs.claims.via) == (codes.Via.SELF, codes.Via.FAMILY)
    assert own.claims.ref != theirs.claims.ref
    assert phone.faults() == []
    keeps_the_shell(phone.page)
    phone.page.context.set_offline(True)
    phone.page.goto(portal.home + "/ecard/")
    expect(phone.page.locator("#whose")).to_have_text("正在出示 张*明（您的父母）的码")
    phone.page.context.set_offline(False)
    phone.wrong.clear()
    phone.go(f"/ecard/family/{portal.known['tie']}/code/")
    phone.page.click("main a.btn")
    expect(phone.page.locator(".ecard")).to_be_visible()
    again = codes.decode(filmed(phone.page))
    assert again is not None
    assert again.claims.via is codes.Via.SELF
    assert kept(phone.page).count("张*明") == 0
    for look, path in product(product(("zh", "en"), ("standard", "elder")), ("", f"{portal.known['tie']}/code/")):
        phone.go("/ecard/family/{}?lang={}&mode={}".format(path, *look))
        for width in (320, 390, 1366):
            phone.page.set_viewport_size({"width": width, "height": 900})
            assert phone.faults() == []
            keep_picture(phone.page, f"family-{bool(path)}-{width}-{'-'.join(look)}")


# --- Shown to a terminal ----------------------------------------------------------------------------------------------


def test_a_terminal_films_the_code_on_the_phone_and_admits_it(
    portal: Portal, phone: Watched, browser: Browser, fresh_database: dict[str, str], tmp_path: Path
) -> None:
    set_up(phone)
    pairing = secrets.token_hex(5).upper()
    with psycopg.connect(fresh_database["owner"]) as owner:
        owner.execute("UPDATE catalogue_point SET hours = '[]' WHERE id = %s", (portal.known["point"],))
        owner.execute(
            "INSERT INTO catalogue_pairing (code_digest, terminal_id, expires_at) VALUES (%s, %s, now() + '1 day')",
            (hashlib.sha256(pairing.encode()).digest(), portal.known["terminal"]),
        )
    film = pictures.film_of(tmp_path / "screen.y4m", None)
    fake = ["device-for-media-stream", "ui-for-media-stream"]
    flags = [*(f"--use-fake-{each}" for each in fake), f"--use-file-for-fake-video-capture={film}"]
    started = browser.browser_type.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *flags])
    gate = started.new_context(locale="zh-CN", permissions=["camera"]).new_page()
    gate.goto(portal.gateway.url.replace("127.0.0.1", "localhost") + "/terminal/")
    gate.fill("#pairing-code", pairing)
    gate.press("#pairing-code", "Enter")
    expect(gate.locator("#item")).to_be_enabled()
    expect(gate.locator("#camera-state")).to_have_text("把二维码放进框内")
    gate.click("#lens")
    expect(gate.locator("#camera-state")).to_contain_text("已关闭")
    # A code that has just begun, so that it holds until the camera has seen it.
    expect(phone.page.locator("#left b")).to_have_text(re.compile("^(5[1-9]|60)$"), timeout=90_000)
    pictures.film_of(film, phone.page.locator("#qr").screenshot())
    gate.click("#lens")
    expect(gate.locator("#result-title")).to_have_text("请通行")
    started.close()
    with psycopg.connect(fresh_database["owner"]) as owner:
        recorded = owner.execute(
            "SELECT card_id, medium, verdict FROM uses_use WHERE terminal_id = %s ORDER BY id DESC LIMIT 1",
            (portal.known["terminal"],),
        ).fetchone()
    assert recorded == (portal.known["card"], "code", "ADMITTED")
    phone.go("/uses/")
    expect(phone.page.locator("main .list li").first).to_contain_text("公交乘车")


# --- Elder mode -------------------------------------------------------------------------------------------------------

SPEAKS = """
window.said = [];
const voice = { speaking: false, speak(words) { said.push([words.lang, words.text]); }, cancel() {} };
Object.defineProperty(window, "speechSynthesis", { value: voice });
"""


def test_elder_mode_has_few_actions_and_reads_aloud_when_tapped(portal: Portal, phone: Watched) -> None:
    phone.page.add_init_script(SPEAKS)
    set_up(phone)
    for language in ("zh", "en"):
        phone.go(f"/?lang={language}&mode=elder")
        actions = phone.page.locator("main :is(a, button):visible")
        expect(actions).to_have_count(5)
        expect(actions.first).to_have_attribute("href", "/ecard/")
        expect(phone.page.locator("main a[href='tel:12333']")).to_be_visible()
        for width in (320, 390, 768, 1366):
            phone.page.set_viewport_size({"width": width, "height": 900})
            assert phone.faults() == []
            keep_picture(phone.page, f"home-{width}-{language}-elder")
        assert phone.page.evaluate("said") == []
        phone.page.click("#listen")
        [[spoken_in, text]] = phone.page.evaluate("said")
        assert spoken_in.startswith(language)
        assert text.startswith(("您要办什么？", "What would you like to do?"))
    phone.go("/ecard/?lang=zh&mode=elder")
    phone.page.click("form[action='/ecard/number/'] button")
    number = phone.page.locator("#number").inner_text().replace(" ", "")
    press_until(phone.page, "#listen")
    phone.page.keyboard.press("Enter")
    [[_, text]] = phone.page.evaluate("said")
    assert text.startswith("请把二维码对准机器")
    assert text.endswith("。".join(number))
    assert phone.faults() == []
