"""The terminal page without a line: it decides by itself, keeps its journal over a reload without a network, and the
platform has each line once when the line is back.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect
from tests import list_worker
from tests.foundation.web.live import browser
from tests.gateway.kiosk import Kiosk, a_kiosk
from tests.gateway.process import GatewayProcess
from tests.small_city import SmallCity, Terminal

from onecard.foundation import clock
from onecard_kit.offline import OFFLINE_WORDS, OfflineRefusal
from onecard_kit.reasons import LOOK
from onecard_kit.verdicts import WORDS, Verdict

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.processes]

NIGHT_BUS = """
code = "transit.night_bus"
version = 1
starts_on = 2020-01-01
name = { zh = "夜班公交", en = "Night bus" }
legal_basis = ["test"]
function = "transit"
price = { full_fen = 300, from = "holder.purse", to = "operator.receivable" }
offline = { limit_fen = 500, days = 30, shortfall = "operator" }
[[concession]]
class = "senior_60"
price = { percent = 50 }
funded_by = "treasury.city"
"""
READING_ROOM = """
code = "culture.night_reading"
version = 1
starts_on = 2020-01-01
name = { zh = "夜间阅览", en = "Night reading room" }
legal_basis = ["test"]
offline = { limit_fen = 0, days = 3, shortfall = "operator" }
"""
NIGHT_METRO = """
code = "transit.night_metro"
version = 1
starts_on = 2020-01-01
name = { zh = "夜班轨道交通", en = "Night metro" }
legal_basis = ["test"]
journey = { ends_after_hours = 4 }
offline = { limit_fen = 2000, days = 7, shortfall = "operator" }
[price]
from = "holder.purse"
to = "operator.receivable"
[price.distance]
steps = [[3000, 200]]
[[price.distance.line]]
code = "1"
stations = [["S1", 0], ["S2", 2000]]
"""
ITEM = "transit.night_bus"
CHANGE = """() => new Promise((resolve, reject) => {
  const opening = indexedDB.open("onecard-terminal");
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const transaction = opening.result.transaction(["%s"], "readwrite");
    const store = transaction.objectStore("%s");
    %s;
    transaction.oncomplete = () => { opening.result.close(); resolve(); };
  };
})"""
# As it stood right after pairing.
OLDER = """store.getAll().onsuccess = ({ target: { result: [held] } }) =>
      store.put({ ...held, sequence: 0, previous: held.journal, through: -1 })"""
HOURS_SLOW = "Date.now = ((now) => () => now() - 10_800_000)(Date.now)"
WEEK_S = 604_800


@pytest.fixture(scope="module")
def stop(city: SmallCity) -> int:
    """A stop of the night bus; there is a reading room, too, and a key for paper."""
    city.an_item(NIGHT_BUS)
    city.an_item(READING_ROOM)
    city.make_lasting_key()
    return city.a_point(ITEM, city.operator)


@pytest.fixture
def bus(city: SmallCity, stop: int) -> Terminal:
    return city.a_terminal(ITEM, point=stop)


@pytest.fixture(scope="module")
def build(fresh_database: dict[str, str], environment_for: list_worker.Environment) -> Callable[[], int]:
    return lambda: list_worker.build(environment_for, fresh_database["worker"])


@pytest.fixture
def kiosk(
    browser: Browser, city: SmallCity, gateway: GatewayProcess, bus: Terminal, build: Callable[[], int]
) -> Iterator[Kiosk]:
    """A page that is paired and knows its lists, on a line that can be cut."""
    build()
    made = a_kiosk(browser, city, gateway)
    made.pair(bus)
    made.wait_for_lists()
    yield made
    made.close()


def lines_of(city: SmallCity, terminal: Terminal) -> list[tuple[Any, ...]]:
    """What the platform has of a terminal: (sequence, our verdict, the gate's), in the order of the journal."""
    return city.run(
        "SELECT k.sequence, u.verdict, l.gate_verdict FROM uses_journal_key k JOIN uses_use u ON u.id = k.use_id"
        " LEFT JOIN uses_offline_line l ON l.use_id = u.id WHERE k.terminal_id = $1 ORDER BY k.sequence",
        terminal.id,
    )  # fmt: skip


def change(kiosk: Kiosk, name: str, what: str) -> None:
    """Change what stands in the browser's storage, as a disk or an older copy of it would."""
    kiosk.page.evaluate(CHANGE % (name, name, what))


def test_a_cut_line_is_no_reason_to_stop(kiosk: Kiosk, city: SmallCity, bus: Terminal) -> None:
    rider, senior = city.a_card(), city.a_card(classes=[("senior_60", "2020-01-01", None)])
    kiosk.paste(city.a_code(rider))
    kiosk.says("请通行")
    kiosk.cut()
    codes = [city.a_code(rider), city.a_code(senior, classes=(2,))]
    for code in codes:
        kiosk.paste(code)
        kiosk.says("请通行")
        expect(kiosk.page.locator("#result-facts")).to_contain_text("离线判定")
    expect(kiosk.page.locator("#result-facts")).to_contain_text("1.50元")
    kiosk.picture("offline")
    kiosk.paste(codes[0])
    kiosk.says("未通过", WORDS[Verdict.REPLAYED].zh)
    expect(kiosk.page.locator("#result-facts")).to_contain_text("本终端用于")
    tampered = codes[0][:60] + ("A" if codes[0][60] != "A" else "B") + codes[0][61:]
    kiosk.paste(tampered)
    kiosk.says("未通过", WORDS[Verdict.SIGNATURE_INVALID].zh)
    expect(kiosk.page.locator("#queue")).to_have_text("离线待上传 4 条")

    kiosk.page.reload()
    expect(kiosk.page.locator("#queue")).to_have_text("离线待上传 4 条")
    kiosk.paste(city.a_code(city.a_card()))
    kiosk.says("请通行")
    assert [verdict for _, verdict, _ in lines_of(city, bus)] == ["ADMITTED"]

    kiosk.mend()
    expect(kiosk.page.locator("#queue")).to_have_text("离线待上传 0 条")
    assert lines_of(city, bus) == [
        (1, "ADMITTED", None), (2, "ADMITTED", "ADMITTED"), (3, "ADMITTED", "ADMITTED"), (4, "REPLAYED", "REPLAYED"),
        (5, "SIGNATURE_INVALID", "SIGNATURE_INVALID"), (6, "ADMITTED", "ADMITTED"),
    ]  # fmt: skip
    assert city.purse_of(rider) == 10_000 - 2 * 300
    assert city.purse_of(senior) == 10_000 - 150
    expect(kiosk.page.locator("#recent li").first).to_contain_text("平台：通过")
    kiosk.picture("synced")
    assert kiosk.faults() == []


def test_a_lost_card_is_refused_after_its_list_came(kiosk: Kiosk, city: SmallCity, build: Callable[[], int]) -> None:
    lost, other = city.a_card(), city.a_card()
    city.run("UPDATE cards_standing SET card_state = 'lost' WHERE card_id = $1", lost.id)
    build()
    kiosk.synchronise()
    kiosk.cut()
    kiosk.paste(city.a_code(lost))
    kiosk.says("未通过", WORDS[Verdict.CARD_LOST].zh)
    kiosk.paste(city.a_code(other))
    kiosk.says("请通行")


def test_lists_that_are_too_old_are_not_decided_by(kiosk: Kiosk, city: SmallCity) -> None:
    kiosk.cut()
    kiosk.page.clock.install()
    kiosk.page.clock.fast_forward(WEEK_S * 1000 + 60_000)
    kiosk.paste(city.a_code(city.a_card(), at=clock.now() + dt.timedelta(seconds=WEEK_S + 60)))
    kiosk.says("未通过", OFFLINE_WORDS[OfflineRefusal.LIST_TOO_OLD].zh)
    expect(kiosk.page.locator("#ages")).to_have_text("名单已过期，离线不受理")
    kiosk.picture("too-old")


def test_a_lost_answer_and_a_line_of_the_journal_are_one_use(kiosk: Kiosk, city: SmallCity, bus: Terminal) -> None:
    card = city.a_card()

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    kiosk.context.route("**/v1/uses", lose)
    kiosk.paste(city.a_code(card))
    kiosk.says("请通行")
    expect(kiosk.page.locator("#result-facts")).to_contain_text("离线判定")
    expect(kiosk.page.locator("#queue")).to_have_text("离线待上传 0 条")
    expect(kiosk.page.locator("#recent li").first).to_contain_text("平台：通过")
    assert lines_of(city, bus) == [(1, "ADMITTED", "ADMITTED")]
    assert city.purse_of(card) == 9_700


def test_a_platform_that_lost_lines_gets_them_again(kiosk: Kiosk, city: SmallCity, bus: Terminal) -> None:
    kiosk.cut()
    kiosk.paste(city.a_code(city.a_card()))
    kiosk.says("请通行")
    kiosk.mend()
    expect(kiosk.page.locator("#queue")).to_have_text("离线待上传 0 条")
    uploads: list[str] = []
    kiosk.page.on("request", lambda request: uploads.append(request.url) if "uses:batch" in request.url else None)
    kiosk.context.route(
        "**/v1/journals/*", lambda route: route.fulfill(json={"through": 0, "chain": "", "server_time": 0})
    )
    kiosk.page.reload()
    expect(kiosk.page.locator("#queue")).to_have_text("离线待上传 0 条")
    kiosk.synchronise()
    assert len(uploads) == 1
    assert lines_of(city, bus) == [(1, "ADMITTED", "ADMITTED")]


def test_an_item_that_is_not_for_offline_gates_waits(kiosk: Kiosk, city: SmallCity) -> None:
    """Nothing is kept from the item that needs the platform: not even a good code passes."""
    ride = city.a_terminal()
    kiosk.page.click("#state")
    kiosk.page.click("#pair-again")
    kiosk.pair(ride)
    kiosk.wait_for_lists()
    kiosk.cut()
    kiosk.paste(city.a_code(city.a_card()))
    kiosk.says("未通过", OFFLINE_WORDS[OfflineRefusal.NOT_ALLOWED].zh)


def test_paper_is_taken_with_a_look_at_the_photo_with_and_without_a_line(kiosk: Kiosk, city: SmallCity) -> None:
    desk = city.a_terminal(point=city.a_point("culture.night_reading", city.library), attended=True)
    card = city.a_card()
    city.enrol(card, b"")
    paper = city.a_paper(card)
    kiosk.page.click("#state")
    kiosk.page.click("#pair-again")
    kiosk.pair(desk)
    kiosk.wait_for_lists()
    kiosk.paste(paper)
    kiosk.says("请核对照片", LOOK["zh"])
    kiosk.picture("look")
    kiosk.cut()
    kiosk.paste(paper)
    kiosk.says("请核对照片", LOOK["zh"])
    expect(kiosk.page.locator("#result-facts")).to_contain_text("离线判定")
    kiosk.mend()
    expect(kiosk.page.locator("#queue")).to_have_text("离线待上传 0 条")
    assert [verdict for _, verdict, _ in lines_of(city, desk)] == ["ADMITTED", "ADMITTED"]


def test_a_storage_that_lost_a_line_or_is_an_older_copy_tells_what_it_has(
    kiosk: Kiosk, city: SmallCity, bus: Terminal
) -> None:
    kiosk.cut()
    cards = [city.a_card() for _ in range(4)]
    for card in cards[:3]:
        kiosk.paste(city.a_code(card))
        kiosk.says("请通行")
    second = "store.getAllKeys().onsuccess = ({ target: { result } }) => store.delete(result[1])"
    change(kiosk, "lines", second)
    uploads: list[str] = []
    kiosk.page.on("request", lambda request: uploads.append(request.url) if "uses:batch" in request.url else None)
    kiosk.mend()
    expect(kiosk.page.locator("#queue")).to_have_text("离线待上传 0 条")
    assert [sequence for sequence, *_ in lines_of(city, bus)] == [1, 3]
    assert city.one("SELECT broken_after FROM uses_journal WHERE terminal_id = $1", bus.id) == 1
    kiosk.synchronise()
    assert len(uploads) == 1

    change(kiosk, "lines", "store.clear()")
    change(kiosk, "journals", OLDER)
    for card in cards[3], city.a_card():
        kiosk.paste(city.a_code(card))
        kiosk.says("请通行")
        expect(kiosk.page.locator("#queue")).to_have_text("离线待上传 0 条")
    assert city.purse_of(cards[3]) == 9_700


def test_a_clock_that_is_hours_off_is_set_at_pairing_and_lines_without_a_signal_are_corrected(
    browser: Browser, city: SmallCity, gateway: GatewayProcess, bus: Terminal, build: Callable[[], int]
) -> None:
    build()
    context = browser.new_context(locale="zh-CN")
    context.add_init_script(HOURS_SLOW)
    kiosk = Kiosk(context, city, gateway)
    kiosk.pair(bus)
    kiosk.wait_for_lists()
    kiosk.cut()
    kiosk.page.reload()
    card = city.a_card()
    kiosk.paste(city.a_code(card))
    kiosk.says("请通行")
    change(kiosk, "kept", "store.delete('shift_ms')")
    kiosk.page.reload()
    kiosk.paste(city.a_code(card))
    kiosk.says("未通过", WORDS[Verdict.CODE_NOT_YET_VALID].zh)
    kiosk.mend()
    expect(kiosk.page.locator("#queue")).to_have_text("离线待上传 0 条")
    corrected = city.run(
        "SELECT correction_s / 3600 FROM uses_offline_line WHERE terminal_id = $1 ORDER BY sequence", bus.id
    )
    assert corrected == [(0,), (3,)]
    kiosk.close()


def test_a_page_says_which_items_wait_for_the_line(kiosk: Kiosk, city: SmallCity) -> None:
    city.an_item(NIGHT_METRO)
    station = city.a_terminal("transit.night_metro", point=city.a_point("transit.night_metro", city.operator, "S1"))
    kiosk.page.click("#state")
    kiosk.page.click("#pair-again")
    kiosk.pair(station)
    kiosk.wait_for_lists()
    kiosk.says("请出示")
    kiosk.cut()
    kiosk.paste(city.a_code(city.a_card()))
    kiosk.says("未通过", OFFLINE_WORDS[OfflineRefusal.NOT_ALLOWED].zh)
    kiosk.page.click("#result")
    kiosk.says("网络中断，请稍候")
    kiosk.mend()
    kiosk.says("请出示")
