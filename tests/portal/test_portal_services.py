"""The public list: found by field, place and name, a page at a time; one page an item; the same as CSV and JSON."""

import csv
import io
import json
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.kernel.catalogue.builders import CHECKER, a_point, an_item, load, load_published

from onecard.foundation import clock
from onecard.foundation.actors import system
from onecard.foundation.web.tables import cell
from onecard.kernel.catalogue import actions, publishing
from onecard.kernel.catalogue.models import Item, Point
from onecard.portal import open_data, services
from onecard_kit.terms import Item as Declaration

pytestmark = pytest.mark.django_db
GUIDE = """
lead_unit = { zh = "市交通运输局", en = "City Transport Bureau" }
supporting_units = [{ zh = "市财政局", en = "City Finance Bureau" }]
audience = { zh = "所有持卡人", en = "Every holder" }
channels = ["gate", "phone"]
conditions = [{ zh = "已开通交通功能", en = "The transit function is active" }]
steps = [{ zh = "刷卡", en = "Tap" }, { zh = "上车", en = "Board" }]
time_limit = { zh = "即时", en = "At once" }
guide = { zh = "余额不足请充值。", en = "Top up when it is low." }
"""
BUS = an_item(
    "transit.bus",
    GUIDE,
    'price = { full_fen = 200, from = "holder.purse", to = "operator.receivable" }',
    '[[concession]]\nclass = "senior_70"\nprice = { percent = 50 }\nfunded_by = "treasury.city"',
    'quota = { count = 20, period = "day" }\nwhen = { days = ["working"], hours = [["09:00", "17:00"]] }',
)
COUNTY = an_item("culture.museum", 'level = "county"', area="320682")
MARRIAGE = an_item(
    "government.marriage", 'excluded = { basis = "test/13", zh = "须用居民身份证", en = "Takes the identity card" }'
)


def page(path: str, **query: str) -> str:
    response = Client().get(path, query)
    assert response.status_code == 200
    return response.content.decode()


def shown(text: str) -> list[str]:
    """The codes of the items that a page of the list links to, in its order."""
    return [part.split('"', 1)[0] for part in text.split('href="/services/')[1:]]


def test_the_list_is_reached_from_home_by_field(tmp_path: Path) -> None:
    load_published(tmp_path, BUS, COUNTY)
    home = page("/")
    assert 'href="/services"' in home
    assert 'href="/services?field=transit"' in home
    assert "项目bus" in home
    assert "culture" not in home, "a county's item is not on the city's list"


def test_an_empty_catalogue_says_so() -> None:
    assert "清单还没有项目" in page("/")
    assert "没有符合条件的项目" in page("/services")


def test_a_list_of_a_county_has_its_own_items(tmp_path: Path) -> None:
    load_published(tmp_path, BUS, COUNTY)
    assert shown(page("/services")) == ["transit.bus"]
    county = page("/services", county="320682")
    assert shown(county) == ["culture.museum", "transit.bus"]
    assert '<option value="320682" lang="zh-CN" selected>如皋市</option>' in county
    assert "/services.csv?county=320682" in county
    for foreign in ("320582", "nowhere", "320601"):
        assert shown(page("/services", county=foreign)) == ["transit.bus"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"field": "transit"}, ["transit.bus"]),
        ({"field": "culture"}, ["culture.museum"]),
        ({"field": "nowhere"}, []),
        ({"q": "项目MUS"}, ["culture.museum"]),
        ({"q": "Item bus"}, ["transit.bus"]),
        ({"q": "'; DROP TABLE"}, []),
        ({"q": "bus\x00"}, ["transit.bus"]),
        ({"field": "transit", "q": "museum"}, []),
    ],
)
def test_a_list_is_searched(tmp_path: Path, query: dict[str, str], expected: list[str]) -> None:
    load_published(tmp_path, BUS, COUNTY)
    told = page("/services", county="320682", **query)
    assert shown(told) == expected
    assert ("没有符合条件的项目" in told) is (not expected)


LEVELS = (
    an_item("transit.region_ride", 'level = "region"', area="delta"),
    an_item("transit.province_ride", 'level = "province"', 'extends = "transit.region_ride"', area="320000"),
    an_item("transit.city_ride", 'kind = "extended"'),
    an_item("transit.county_ride", 'level = "county"', 'extends = "transit.city_ride"', area="320682"),
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"level": "province"}, ["transit.province_ride"]),
        ({"level": "city"}, ["transit.city_ride"]),
        ({"level": "county"}, []),
        ({"level": "county", "county": "320682"}, ["transit.county_ride"]),
        ({"level": "nowhere"}, []),
        ({"kind": "extended"}, ["transit.city_ride"]),
        ({"kind": "basic", "level": "city"}, []),
    ],
)
def test_a_list_is_of_a_level_and_a_kind_as_page_and_as_data(
    tmp_path: Path, query: dict[str, str], expected: list[str]
) -> None:
    load_published(tmp_path, *LEVELS)
    told = page("/services", **query)
    assert shown(told) == expected
    for name in query.keys() - {"county"}:
        assert (f'<option value="{query[name]}" selected>' in told) is (query[name] != "nowhere")
    assert '<details class="more" open>' in told  # what is chosen is not folded away
    assert '<details class="more">' in page("/services")
    data = json.loads(Client().get("/services.json", query).content)
    assert [item["code"] for item in data["items"]] == expected
    lines = Client().get("/services.csv", query).content.decode("utf-8-sig").splitlines()
    assert len(lines) == 1 + len(expected)
    kept: list[tuple[str, str]] = [(name, query[name]) for name in ("county", "level", "kind") if name in query]
    assert urlencode(kept) in unescape(told)


def test_an_item_links_to_what_it_extends_and_to_what_extends_it(tmp_path: Path) -> None:
    load_published(tmp_path, *LEVELS)
    upper, lower = page("/services/transit.city_ride"), page("/services/transit.county_ride")
    assert '<a href="/services/transit.county_ride">项目county_ride</a> 如皋市' in upper
    assert '<a href="/services/transit.city_ride">项目city_ride</a> 南通市' in lower
    assert "县级清单" in lower
    assert '<a href="/services/transit.region_ride">项目region_ride</a> 三角洲' in page(
        "/services/transit.province_ride"
    )
    Item.objects.filter(pk="transit.county_ride").update(state="suspended")
    assert "transit.county_ride" not in page("/services/transit.city_ride")


EVENTS = (
    an_item("education.campus", 'life_events = ["schooling"]'),
    an_item("transit.bus", 'life_events = ["old_age", "schooling"]'),
    an_item("payments.shop"),
)


def test_services_are_found_by_the_turn_of_life_that_they_serve(tmp_path: Path) -> None:
    load_published(tmp_path, *EVENTS)
    assert 'href="/services?event=schooling"' in page("/")
    assert shown(page("/services", event="schooling")) == ["education.campus", "transit.bus"]
    narrowed = page("/services", event="schooling", field="transit", q="bus")
    assert shown(narrowed) == ["transit.bus"]
    assert 'href="/services?event=old_age&amp;field=transit&amp;q=bus"' in narrowed
    assert '<input type="hidden" name="event" value="schooling">' in narrowed
    assert shown(page("/services", event="nowhere")) == []
    assert [item["code"] for item in json.loads(Client().get("/services.json?event=old_age").content)["items"]] == [
        "transit.bus"
    ]


def test_turns_of_life_come_in_their_order_and_only_where_something_serves_them(tmp_path: Path) -> None:
    load_published(tmp_path, *EVENTS)
    told = page("/services")
    found = [part.split('"', 1)[0] for part in told.split('href="/services?event=')[1:]]
    assert found == ["schooling", "old_age"]
    assert "入学 <span" in told
    assert "School <span" in page("/services", lang="en")


def test_a_page_says_what_to_bring_and_when_people_need_it(tmp_path: Path) -> None:
    papers = 'materials = [{ zh = "户口簿", en = "Household register" }]'
    load_published(tmp_path, an_item("health.entry", 'life_events = ["birth"]', papers), MARRIAGE)
    told = page("/services/health.entry")
    for words in ("要带什么", "二维码", "户口簿", "什么时候会用到", "出生"):
        assert words in told
    assert "二维码" not in page("/services/government.marriage").partition("办事指南")[2].partition("法规依据")[0]


def test_rows_say_price_classes_and_what_is_special(tmp_path: Path) -> None:
    load_published(tmp_path, BUS, MARRIAGE, an_item("culture.pilot", 'pilot_areas = ["320682"]'))
    a_point(attended=False)
    actions.mark_demonstration(system("test"), "point")
    actions.offer(system("test"), "point", "culture.pilot")
    told = page("/services", county="320682")
    for words in ("全价 2.00 元", "70周岁及以上老人", "试点", "有示范点", "须用居民身份证", "交通出行 · 市级清单"):
        assert words in told
    assert "有示范点" not in page("/services", county="320682", field="transit")


def test_a_long_list_is_paged_by_key(tmp_path: Path) -> None:
    codes = [f"transit.line_{n:02d}" for n in range(services.PAGE + 3)]
    load_published(tmp_path, *(an_item(code) for code in codes))
    first = page("/services", field="transit")
    assert shown(first) == codes[: services.PAGE]
    following = f"/services?field=transit&amp;after={codes[services.PAGE - 1]}"
    assert f'href="{following}"' in first
    assert "23 个项目" in first
    second = page("/services", field="transit", after=codes[services.PAGE - 1])
    assert shown(second) == codes[services.PAGE :]
    assert "下一页" not in second
    assert "回到第一页" in second


def test_a_page_of_the_list_takes_a_fixed_number_of_statements(tmp_path: Path) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as told:
            page("/services")
        return len(told)

    load_published(tmp_path, BUS)
    few = statements()
    load_published(tmp_path, *(an_item(f"transit.line_{n:02d}") for n in range(12)))
    assert statements() == few


def test_an_item_has_its_guide_law_points_and_versions(tmp_path: Path) -> None:
    load_published(tmp_path, BUS)
    a_point(attended=False)
    Point.objects.update(hours=[{"days": ["working"], "hours": [["08:00", "17:00"]]}], demonstration=True)
    actions.offer(system("test"), "point", "transit.bus")
    told = page("/services/transit.bus")
    for words in (
        "余额不足请充值。", "所有持卡人", "闸机、刷卡机", "电话", "已开通交通功能", "即时", "市交通运输局", "市财政局",
        "<li>刷卡</li><li>上车</li>", "全价 2.00 元", "全价的 50%", "每天 20 次", "工作日 09:00–17:00", "市财政",
        "二维码", "实体卡", "本市发的卡",
        "测试规定", "测试机关", "第 13 条（项）", "可以乘车。", "2022-10-01 起施行",
        "点point", "如皋市", "工作日 08:00–17:00", "示范点",
        "第 1 版", "测试专班", "2025-12-01 决定", "2026-01-01 – 今后",
    ):  # fmt: skip
        assert words in told, words


def test_points_are_paged_by_key(tmp_path: Path) -> None:
    load_published(tmp_path, BUS)
    for n in range(services.POINTS + 1):
        a_point(f"p{n:02d}", attended=False)
        actions.offer(system("test"), f"p{n:02d}", "transit.bus")
    first = page("/services/transit.bus")
    assert f"/services/transit.bus?after=p{services.POINTS - 1:02d}" in first
    second = page("/services/transit.bus", after=f"p{services.POINTS - 1:02d}")
    assert f"点p{services.POINTS:02d}" in second
    assert "点p00" not in second


def test_what_the_law_reserves_says_so(tmp_path: Path) -> None:
    load_published(tmp_path, MARRIAGE)
    told = page("/services/government.marriage")
    assert "此事项须用居民身份证办理" in told
    assert "免费" not in told


METRO = an_item(
    "transit.metro",
    'function = "transit"', "journey = { ends_after_hours = 4 }", "day_cap_fen = 1500",
    'transfer = { after = ["transit.bus"], within_minutes = 60, off_fen = 100 }', "refund = { within_days = 7 }",
    'capacity = { count = 300, period = "day" }', 'limit = { count = 9, period = "month" }',
    'price = { from = "holder.purse", to = "operator.receivable", distance = { steps = [[4000, 200], [8500, 300]],'
    ' line = [{ code = "L1", stations = [["point", 0], ["other", 900]] }] } }',
)  # fmt: skip
HALL = an_item(
    "culture.hall",
    'classes = ["student"]', 'region = "delta"', "journey = { ends_after_hours = 8 }", "refund = { within_days = 0 }",
    'when = { hours = [["09:00", "21:00"]] }',
    'needs = { attended = true, media = ["card"], when = { days = ["weekend"], hours = [["10:00", "12:00"]] } }',
    'price = { from = "holder.purse", to = "operator.receivable",'
    " hourly = { fen = 1000, max_fen = 4000, free_minutes = 10 } }",
)  # fmt: skip
PASS = an_item(
    "tourism.pass",
    'means = ["bank", "purse"]',
    "pass = { activate_within_days = 90, lasts_days = 365, uses = 10 }",
    'price = { open_fen = [100, 9000], from = "holder.purse", to = "operator.receivable" }',
)
OFFLINE = an_item(
    "transit.offline", 'offline = { limit_fen = 2000, days = 7, shortfall = "operator" }',
    'price = { full_fen = 200, from = "holder.purse", to = "operator.receivable" }',
)  # fmt: skip


@pytest.mark.parametrize(
    ("item", "zh", "en"),
    [
        ("transit.metro",
         ["按里程计价，最高 3.00 元", "4 公里以内 2.00 元", "8.5 公里以内 3.00 元", "每人每天最多实付 15.00 元",
          "项目bus之后 60 分钟内换乘，减 1.00 元", "4 小时内没有刷出的自动结束", "7 天内可以退回", "每月 9 次",
          "每个用卡点每天 300 次", "交通功能", "各地发的卡", "钱包"],
         ["By distance, ¥3.00 at most", "Up to 4 km: ¥2.00", "Up to 8.5 km: ¥3.00", "You pay ¥15.00 a day at most",
          "¥1.00 less within 60 minutes after: Item bus", "ends by itself after 4 hours", "Within 7 days",
          "9 a month", "Each point: 300 a day", "Transit", "Cards issued anywhere", "<dd>purse</dd>"]),
        ("culture.hall",
         ["每小时 10.00 元，最高 40.00 元", "前 10 分钟免费", "不足一小时按一小时计", "在校学生", "三角洲发的卡",
          "当天可以退回", "09:00–21:00", "有人值守", "能读取：实体卡", "开放时间包括 周末 10:00–12:00"],
         ["¥10.00 an hour, ¥40.00 at most", "The first 10 minutes are free", "A started hour counts as a whole one",
          "Enrolled student", "Cards issued in Delta", "On the same day", "Staff at hand",
          "Reads: Physical card", "Open during weekends 10:00–12:00"]),
        ("tourism.pass",
         ["每笔 1.00 至 90.00 元", "90 天内没有使用的自动启用", "启用后 365 天内有效", "共 10 次", "银行账户、钱包"],
         ["¥1.00 to ¥90.00 each time", "by itself after 90 days", "Good for 365 days", "10 times",
          "bank account, purse"]),
        ("transit.offline",
         ["7 天以内仍可使用，每笔最多 20.00 元，扣款不足由运营单位承担"],
         ["Goes on for 7 days, up to ¥20.00 a use", "borne by the operator"]),
    ],
)  # fmt: skip
def test_an_item_says_all_of_its_terms_in_both_languages(
    tmp_path: Path, item: str, zh: list[str], en: list[str]
) -> None:
    load_published(tmp_path, BUS, METRO, HALL, PASS, OFFLINE)
    for query, expected in (({}, zh), ({"lang": "en"}, en)):
        told = page(f"/services/{item}", **query)
        assert [words for words in expected if words not in told] == []


def test_the_data_say_all_of_the_terms(tmp_path: Path) -> None:
    load_published(tmp_path, BUS, METRO, HALL)
    items = {item["code"]: item for item in json.loads(Client().get("/services.json").content)["items"]}
    metro, hall, bus = (items[code]["terms"] for code in ("transit.metro", "culture.hall", "transit.bus"))
    assert (metro["day_cap_fen"], metro["transfer"]["off_fen"], metro["function"]) == (1500, 100, "transit")
    assert (hall["price"]["hourly"]["free_minutes"], hall["region"], hall["classes"]) == (10, "delta", ["student"])
    [senior] = bus["concession"]
    assert (senior["class"], senior["price"]["percent"], senior["quota"]["count"]) == ("senior_70", 50, 20)
    heads, *lines = csv.reader(io.StringIO(Client().get("/services.csv").content.decode("utf-8-sig")))
    rows = {row["code"]: row for row in (dict(zip(heads, line, strict=True)) for line in lines)}
    told = rows["transit.metro"]
    assert (told["day_cap_fen"], told["transfer.off_fen"], told["transfer.after"]) == ("1500", "100", "transit.bus")
    assert told["price.distance.steps"] == "4000 200; 8500 300"
    assert (rows["culture.hall"]["price.hourly.free_minutes"], rows["culture.hall"]["means"]) == ("10", "purse")
    assert (rows["transit.bus"]["concession.key"], rows["transit.bus"]["price.hourly.fen"]) == ("senior_70", "")


def test_the_data_leave_no_term_out() -> None:
    """A key that item files learn is told, or named here as what the list says by itself."""
    by_itself = {
        "code", "version", "starts_on", "ends_on", "level", "area", "extends", "kind", "pilot_areas", "decided",
        "channels", "media", "legal_basis", "life_events",
    }  # fmt: skip
    keys = {field.encode_name for field in msgspec.structs.fields(Declaration)}
    assert keys == by_itself | {*open_data.WORDS} | {*open_data.TERMS}


def test_drafts_are_nowhere_and_what_begins_ends_or_rests_says_so(tmp_path: Path) -> None:
    load(tmp_path, BUS)
    for path in ("/services/transit.bus", "/services/transit.moon", "/services/%00"):
        assert Client().get(path).status_code == 404


def test_a_value_with_a_nul_is_as_if_it_had_none(tmp_path: Path) -> None:
    load_published(tmp_path, BUS)
    assert "项目bus" in page("/services/transit.bus", after="\0")


def test_a_price_says_all_that_bounds_it(tmp_path: Path) -> None:
    money = 'price = { open_fen = [100, 9000], from = "holder.purse", to = "operator.receivable" }'
    off = (
        '[[concession]]\nclass = "everyone"\nprice = { percent = 80, off_fen_max = 500 }\nfunded_by = "merchant.offer"'
    )
    load_published(tmp_path, an_item("payments.shop", money, off))
    told = page("/services/payments.shop")
    assert "金额当场确定" in told
    assert "全价的 80%，最多优惠 5.00 元" in told
    load_published(tmp_path, BUS, an_item("transit.later", starts_on="2099-01-01"))
    load(tmp_path, an_item("transit.bus", version=2, starts_on="2098-01-01"))
    assert "第 2 版" not in page("/services/transit.bus")
    assert "自 2099-01-01 起办理" in page("/services/transit.later")
    Item.objects.filter(pk="transit.bus").update(state="suspended")
    assert "暂停" in page("/services/transit.bus")
    publishing.end(CHECKER, "transit.bus", 1, clock.today(), "x")
    assert f"已于 {clock.today()} 终止" in page("/services/transit.bus")


def test_the_list_as_data_is_whole_and_in_order(tmp_path: Path) -> None:
    load_published(tmp_path, BUS, COUNTY, MARRIAGE)
    response = Client().get("/services.json", {"county": "320682"})
    assert response["Content-Type"] == "application/json"
    told: dict[str, Any] = json.loads(response.content)
    assert (told["place"], told["day"]) == ("320682", clock.today().isoformat())
    assert [item["code"] for item in told["items"]] == ["culture.museum", "government.marriage", "transit.bus"]
    bus = told["items"][-1]
    assert bus["name"] == {"zh": "项目bus", "en": "Item bus"}
    assert bus["decided_by"] == {"zh": "测试专班", "en": "Test group"}
    assert (bus["steps"][1]["en"], bus["legal_basis"], bus["ends_on"]) == ("Board", ["test/13"], None)
    assert list(bus) == list(told["items"][0])
    assert Client().get("/services.json", {"county": "320682"}).content == response.content
    assert "项目".encode() in response.content, "readable without decoding"


def test_the_list_as_a_table_opens_in_a_spreadsheet(tmp_path: Path) -> None:
    formula = BUS.replace("余额不足请充值。", '=HYPERLINK(\\"x\\")').replace("Top up when it is low.", "+1")
    load_published(tmp_path, formula, COUNTY)
    response = Client().get("/services.csv", {"county": "320682"})
    assert response.content.startswith(b"\xef\xbb\xbf")
    assert response["Content-Disposition"] == 'attachment; filename="services.csv"'
    heads, *rows = csv.reader(io.StringIO(response.content.decode("utf-8-sig")))
    assert tuple(heads) == open_data.COLUMNS
    told = [dict(zip(heads, row, strict=True)) for row in rows]
    assert [row["code"] for row in told] == ["culture.museum", "transit.bus"]
    bus = told[1]
    assert (bus["steps_zh"], bus["channels"], bus["lead_unit_en"]) == (
        "刷卡; 上车",
        "gate; phone",
        "City Transport Bureau",
    )
    assert (bus["guide_zh"], bus["guide_en"]) == ('\'=HYPERLINK("x")', "'+1")
    assert told[0]["guide_zh"] == ""


def test_the_data_come_in_parts_to_whoever_asks_for_so_many(tmp_path: Path) -> None:
    codes = [f"transit.line_{n}" for n in range(5)]
    load_published(tmp_path, *(an_item(code) for code in codes), MARRIAGE)
    for path in ("/services.json", "/services.csv"):
        found, address = [], f"{path}?field=transit&limit=2"
        while address:
            response = Client().get(address)
            found.append(response)
            address = response["Link"].partition("<")[2].partition(">")[0] if response.has_header("Link") else ""
        assert len(found) == 3
        assert ["transit.line_0" in part.content.decode() for part in found] == [True, False, False]
        assert ["transit.line_4" in part.content.decode() for part in found] == [False, False, True]
    assert json.loads(Client().get("/services.json?limit=6").content)["next"] is None
    told = json.loads(Client().get("/services.json?limit=1&field=transit").content)
    assert (told["next"], [item["code"] for item in told["items"]]) == (codes[0], codes[:1])
    for wrong in ("0", "-1", "x", "10001", "²"):
        assert Client().get("/services.json", {"limit": wrong}).status_code == 400


def test_the_data_say_what_the_items_legal_bases_are(tmp_path: Path) -> None:
    load_published(tmp_path, BUS)
    [basis] = json.loads(Client().get("/services.json").content)["legal_bases"]
    assert basis == {
        "code": "test/13",
        "issuer": {"zh": "测试机关", "en": "Test body"},
        "title": {"zh": "测试规定", "en": "Test regulation"},
        "article": "13",
        "text": {"zh": "可以乘车。", "en": "One may ride."},
        "effective_on": "2022-10-01",
        "repeals": None,
    }


@pytest.mark.parametrize("value", ["=1", "+1", "-1", "@x", "\tx", "\rx", "\nx"])
def test_no_cell_is_a_formula(value: str) -> None:
    assert cell(value) == "'" + value
    assert cell("a" + value) == "a" + value
    assert cell(None) == ""


def test_english_and_elder_mode_keep_the_list(tmp_path: Path) -> None:
    load_published(tmp_path, BUS)
    told = page("/services", lang="en", mode="elder", field="transit")
    assert '<html lang="en" data-mode="elder"' in told
    for words in ("Item bus", "Transit · City list", "Full price ¥2.00", "1 item"):
        assert words in told
    assert "/services?lang=zh&amp;mode=elder&amp;field=transit" in told
    detail = page("/services/transit.bus", lang="en")
    for words in ("Article or item 13", "50% of the full price", "working days 09:00–17:00", "the city treasury"):
        assert words in detail
