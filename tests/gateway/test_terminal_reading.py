"""The ways to read at the terminal page: a camera, a scanner that types, a simulated reader, a number read aloud."""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from tests import list_worker
from tests.foundation.web.live import ARGUMENTS, CHROMIUM, browser
from tests.gateway import pictures
from tests.gateway.kiosk import Kiosk, a_kiosk
from tests.gateway.process import GatewayProcess
from tests.small_city import SmallCity

from onecard.foundation import clock
from onecard_kit import chips
from onecard_kit.verdicts import WORDS, Verdict

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.processes]


@pytest.fixture(scope="module")
def lists(
    city: SmallCity, fresh_database: dict[str, str], environment_for: list_worker.Environment
) -> Callable[[], int]:
    list_worker.build(environment_for, fresh_database["worker"])
    return lambda: 0


@pytest.fixture
def kiosk(browser: Browser, city: SmallCity, gateway: GatewayProcess, lists: object) -> Iterator[Kiosk]:
    made = a_kiosk(browser, city, gateway)
    made.pair(city.a_terminal())
    yield made
    made.close()


def test_a_camera_reads_a_code_that_is_held_up(
    city: SmallCity, gateway: GatewayProcess, lists: object, tmp_path: Path
) -> None:
    card = city.a_card()
    expires = int((clock.now() + dt.timedelta(minutes=10)).timestamp())
    film = pictures.film(tmp_path / "phone.y4m", city.a_code(card, expires=expires))
    fake = ["device-for-media-stream", "ui-for-media-stream"]
    flags = [*(f"--use-fake-{each}" for each in fake), f"--use-file-for-fake-video-capture={film}"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *flags])
        kiosk = a_kiosk(started, city, gateway, permissions=["camera"])
        kiosk.pair(city.a_terminal())
        kiosk.says("请通行")
        expect(kiosk.page.locator("#camera-state")).to_have_text("已识别")
        kiosk.picture("camera")
        assert city.purse_of(card) == 9_810
        # It stays in view, and is one showing.
        expect(kiosk.page.locator("#recent li")).to_have_count(1)
        kiosk.page.wait_for_timeout(1500)
        expect(kiosk.page.locator("#recent li")).to_have_count(1)
        assert kiosk.faults() == []
        kiosk.page.click("#lens")
        expect(kiosk.page.locator("#camera-state")).to_contain_text("已关闭")
        started.close()


def test_a_camera_that_is_refused_has_words_and_a_way_on(kiosk: Kiosk) -> None:
    expect(kiosk.page.locator("#camera-state")).to_have_text("没有可用的摄像头，请改用粘贴或扫码枪")
    kiosk.picture("no-camera")


# A scanner's keys as a browser tells them: physical keys stay what they are, whatever an input method makes of them.
TYPE = """async ([text, kind]) => {
    const target = document.activeElement ?? document.body;
    const physical = (letter) => letter === "." ? "Period" : /[0-9]/.test(letter) ? `Digit${letter}` : `Key${letter}`;
    const azerty = { KeyQ: "a", KeyA: "q", KeyW: "z", KeyZ: "w", KeyM: ",", Semicolon: "m" };
    const keys = [...text].map((letter) => {
        const code = physical(letter);
        if (kind === "ime") return { code, key: "Process", isComposing: true, keyCode: 229 };
        if (kind === "azerty") return { code, key: azerty[code] ?? letter.toLowerCase() };
        if (kind === "own layout") return { code: "KeyX", key: letter };
        if (kind === "caps lock") return { code, key: letter.toLowerCase() };
        return { code, key: letter, shiftKey: /[A-Z]/.test(letter) };
    });
    for (const key of [...keys, { code: "Enter", key: kind === "ime" ? "Process" : "Enter" }]) {
        target.dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, cancelable: true, ...key }));
        if ("value" in target && kind !== "ime" && key.code !== "Enter") target.value += key.key;
        if ("value" in target && kind === "ime") target.value += "你";
    }
}"""


@pytest.mark.parametrize("kind", ["plain", "ime", "azerty", "own layout", "caps lock"])
@pytest.mark.parametrize("where", ["page", "field"])
def test_a_scanner_that_types_is_understood_whatever_listens(
    kiosk: Kiosk, city: SmallCity, kind: str, where: str
) -> None:
    card = city.a_card()
    if where == "field":
        kiosk.page.focus("#paste")
    kiosk.page.evaluate(TYPE, [city.a_code(card), kind])
    kiosk.says("请通行")
    expect(kiosk.page.locator("#paste")).to_have_value("")
    assert city.purse_of(card) == 9_810
    expect(kiosk.page.locator("#recent li")).to_have_count(1)
    assert kiosk.faults() == []


def test_who_types_by_hand_is_left_alone(kiosk: Kiosk, city: SmallCity) -> None:
    kiosk.page.focus("#paste")
    kiosk.page.keyboard.type("hello", delay=120)
    expect(kiosk.page.locator("#paste")).to_have_value("hello")
    kiosk.page.keyboard.press("Enter")
    kiosk.says("未通过", WORDS[Verdict.CODE_MALFORMED].zh)


def test_a_simulated_tap_by_a_card_of_the_demo(kiosk: Kiosk, city: SmallCity) -> None:
    card = city.a_card()
    key = chips.card_key(city.cards_ring.derive("chip"), card.number).hex()
    kiosk.page.click("#tap")
    kiosk.picture("tap")
    assert kiosk.faults() == []
    kiosk.page.fill("#tap-answer", "no card")
    kiosk.page.click("#tap-form [type=submit]")
    expect(kiosk.page.locator("#tap-wrong")).not_to_be_empty()
    kiosk.page.fill("#tap-answer", json.dumps({"number": card.number, "key": key, "counter": 4}))
    kiosk.page.click("#tap-form [type=submit]")
    kiosk.says("请通行")
    assert city.purse_of(card) == 9_810
    kiosk.page.click("#tap")
    expect(kiosk.page.locator("#tap-dialog")).to_be_visible()
    assert json.loads(kiosk.page.input_value("#tap-answer"))["counter"] == 5
    kiosk.page.click("#tap-form [type=submit]")
    kiosk.says("请通行")
    assert city.purse_of(card) == 9_620


def test_a_reading_of_another_reader_counts_for_its_own_sequence_alone(kiosk: Kiosk, city: SmallCity) -> None:
    card = city.a_card()
    kiosk.page.click("#tap")
    expect(kiosk.page.locator("#tap-dialog")).to_be_visible()
    at = json.loads(kiosk.page.inner_text("#tap-asks"))
    key = chips.card_key(city.cards_ring.derive("chip"), card.number)
    made = chips.cryptogram(key, card.number, 1, at["terminal"], at["journal"], at["sequence"]).hex()
    reading = json.dumps({"number": card.number, "counter": 1, "cryptogram": made})
    kiosk.page.fill("#tap-answer", reading)
    kiosk.page.click("#tap-form [type=submit]")
    kiosk.says("请通行")
    kiosk.page.click("#tap")
    kiosk.page.fill("#tap-answer", reading)
    kiosk.page.click("#tap-form [type=submit]")
    kiosk.says("未通过", WORDS[Verdict.CRYPTOGRAM_INVALID].zh)
