"""The strict decoding of item files: each fault is told with its file, its path and what was expected."""

import ast
import json
import re
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from onecard_kit import item_files
from onecard_kit.expected import Expected
from onecard_kit.item_files import DeclarationError
from onecard_kit.terms import Item

FILE = "transit/items/bus_ride.toml"
SCENARIOS = Path(__file__).parents[2] / "src" / "onecard" / "scenarios"
FULL = """
code = "transit.bus_ride"
version = 2
starts_on = 2026-01-01
ends_on = 2027-01-01
name = { zh = "公交乘车", en = "Bus ride" }
level = "city"
area = "320600"
extends = "transit.provincial_ride"
kind = "extended"
pilot_areas = ["320682"]
decided = { by = { zh = "领导小组", en = "Leading group" }, on = 2025-12-01 }
legal_basis = ["js-2022/13"]
lead_unit = { zh = "交通运输局", en = "Transport bureau" }
supporting_units = [{ zh = "财政局", en = "Finance bureau" }]
audience = { zh = "所有持卡人", en = "Every holder" }
life_events = ["schooling", "old_age"]
channels = ["gate", "counter"]
conditions = [{ zh = "已开通交通功能", en = "Transit function active" }]
materials = [{ zh = "学生证", en = "Student card" }]
steps = [{ zh = "刷卡", en = "Tap" }, { zh = "上车", en = "Ride" }]
time_limit = { zh = "即时", en = "At once" }
guide = { zh = "上车刷卡", en = "Tap on boarding" }
media = ["code", "card"]
function = "transit"
region = "local"
classes = ["senior_60", "senior_70"]
when = { days = ["working", "weekend"], hours = [["06:30", "22:00"], ["22:30", "24:00"]] }
needs = { attended = true, media = ["card"], when = { hours = [["08:00", "17:00"]] } }
limit = { count = 20, period = "month" }
capacity = { count = 900, period = "day" }
offline = { limit_fen = 2000, days = 7, shortfall = "operator" }
price = { full_fen = 200, from = "holder.purse", to = "operator.receivable" }
means = ["purse", "bank"]
transfer = { after = ["transit.metro_ride"], within_minutes = 60, off_fen = 50 }
day_cap_fen = 1500
refund = { within_days = 3 }

[[concession]]
class = "everyone"
region = "all"
price = { percent = 95, off_fen_max = 10 }
funded_by = "operator"

[[concession]]
class = "senior_60"
price = { fixed_fen = 100 }
funded_by = "treasury.city"
quota = { count = 2, period = "day" }
note = { zh = "半价", en = "Half price" }

[[concession]]
pass = "tourism.year_pass"
key = "by_pass"
region = "tong_tai_yan"
when = { days = ["holiday"] }
price = { percent = 0 }
funded_by = "merchant.offer"
"""
BARE = """
code = "culture.library_entry"
version = 1
starts_on = 2026-01-01
name = { zh = "图书馆入馆", en = "Library entry" }
legal_basis = ["test"]
"""
OPEN = 'price = { open_fen = [1000, 50000], from = "bank.clearing", to = "holder.purse" }'
FIXED = 'price = { full_fen = 200, from = "holder.purse", to = "operator.receivable" }'
NO_LINE = FIXED.replace("full_fen = 200", "distance = { steps = [[1000, 200]], line = [] }")
METRO = (
    BARE
    + """
journey = { ends_after_hours = 4 }

[price]
from = "holder.purse"
to = "operator.receivable"

[price.distance]
steps = [[4000, 200], [8000, 300]]

[[price.distance.line]]
code = "L1"
stations = [["west", 0], ["middle", 3000], ["east", 9000]]

[[price.distance.line]]
code = "L2"
stations = [["middle", 0], ["north", 2000]]

[[concession]]
class = "student"
price = { cap_fen = 150 }
funded_by = "operator"
"""
)
HALL = (
    BARE
    + """
journey = { ends_after_hours = 8 }

[price]
hourly = { fen = 1000, max_fen = 4000, free_minutes = 10 }
from = "holder.purse"
to = "operator.receivable"
"""
)
YEAR_PASS = BARE + FIXED + "\npass = { activate_within_days = 90, lasts_days = 365, uses = 10 }\n"
TOPUP = BARE + OPEN + '\n\n[[concession]]\nclass = "everyone"\nprice = { percent = 95 }\nfunded_by = "bank.offer"\n'
BY_LAW = (
    BARE + 'excluded = { basis = "wz-2024/3.1.1", zh = "须出示居民身份证", en = "Takes the resident identity card" }\n'
)
TEXTS = {"full": FULL, "bare": BARE, "metro": METRO, "hall": HALL, "pass": YEAR_PASS, "top-up": TOPUP, "by law": BY_LAW}

KNOWN_IN_ITEM = (
    "code, version, starts_on, name, legal_basis, ends_on, level, area, extends, kind, pilot_areas, decided, "
    "lead_unit, supporting_units, audience, life_events, channels, conditions, materials, steps, time_limit, guide, "
    "media, family, paper, function, region, classes, excluded, when, needs, limit, capacity, offline, journey, pass, "
    "price, means, transfer, day_cap_fen, refund, concession"
)
FUNDERS = "expected operator or one of treasury.city, bank.offer, employer.share, merchant.offer"
BEARERS = "expected one of operator, holder, platform, treasury.city, bank.offer, employer.share, merchant.offer"
PAYERS = "expected one of holder.purse, bank.clearing, bank.offer, treasury.city"
PAYEES = "expected one of operator.receivable, holder.purse, bank.clearing, other than from"
PERCENT = "expected 0 to 100: a rule never raises the price above full"
ONE_PRICE = "expected exactly one of full_fen, open_fen, distance, hourly"
ONE_DISCOUNT = "expected exactly one of percent, fixed_fen, cap_fen"
BOUNDS = "expected [least, most] with 0 < least ≤ most ≤ 1000000000"
NO_MORE = "expected 0 to the full price, where that is always the same: a rule never raises it"
PLAIN = "expected text without control characters"
WORDS = "expected words in both languages"
DIVISION = "expected a division of six digits (GB/T 2260)"
NEVER_PAYS = "expected no number: what is read aloud never pays"
READ = "expected media of the item that a terminal reads"
NUMBER_NEEDED = 'media = ["card", "number"]\nneeds = { media = ["number"] }'
WINDOW = "expected each window to end after it starts; over midnight takes two windows"
MEANS = "expected each way to pay once, the purse among them: not every card has a bank account"
PURSE_ALONE = "expected the purse alone: a bank pays only fixed or named prices of the holder"
LESSENED = "expected holder.purse where a transfer or a day's cap lessens what is paid"
TOGETHER = "expected together with price.distance or price.hourly, and only then"
ABOUT_MONEY = "expected one: a journey, a transfer, a pass or a day's cap is about money"
SOLD = "expected the code of an item that sells it, on an item without a journey"
STEPS = "expected [metres, fen], each farther than the one before"
RISING = "expected fares from 0 to 1000000000 that never fall with the distance"
METRES = "expected 0 to 10000000 metres"
STATIONS = "expected two or more, each once and farther than the last"


def unknown(key: str, known: str) -> str:
    return f"Object contains unknown field `{key}`; known here: {known}"


def missing(key: str) -> str:
    return f"Object missing required field `{key}`"


# Which file, what is replaced in it, by what → the path that is told, and what was expected there.
KEYS = [
    # keys that are not known, at every level
    ("full", "version = 2", "version = 2\nversio = 2", "$", unknown("versio", KNOWN_IN_ITEM)),
    ("full", 'en = "Bus ride"', 'en = "Bus ride", de = "Bus"', "$.name", unknown("de", "zh, en")),
    ("full", "on = 2025-12-01", "on = 2025-12-01, at = 1", "$.decided", unknown("at", "by, on")),
    ("full", 'en = "Tap"', 'en = "Tap", x = 1', "$.steps[0]", unknown("x", "zh, en")),
    ("full", "count = 20", "count = 20, hours = 3", "$.limit", unknown("hours", "count, period")),
    ("full", "count = 900", "count = 900, of = 3", "$.capacity", unknown("of", "count, period")),
    ("full", 'days = ["working"', 'day = 1, days = ["working"', "$.when", unknown("day", "days, hours")),
    ("full", "attended = true", "attended = true, staff = 1", "$.needs", unknown("staff", "attended, media, when")),
    ("full", 'hours = [["08:00"', 'x = 1, hours = [["08:00"', "$.needs.when", unknown("x", "days, hours")),
    ("full", "days = 7", "days = 7, x = 1", "$.offline", unknown("x", "limit_fen, days, shortfall, double, refused")),
    (
        "full",
        "full_fen = 200",
        "full_fen = 200, fen = 2",
        "$.price",
        unknown("fen", "from, to, full_fen, open_fen, distance, hourly"),
    ),
    ("full", "off_fen = 50", "off_fen = 50, x = 1", "$.transfer", unknown("x", "after, within_minutes, off_fen")),
    ("full", "within_days = 3", "within_days = 3, x = 1", "$.refund", unknown("x", "within_days")),
    (
        "full",
        'class = "everyone"',
        'class = "everyone"\nwho = 1',
        "$.concession[0]",
        unknown("who", "class, pass, key, price, funded_by, region, when, quota, note"),
    ),
    (
        "full",
        "percent = 95",
        "percent = 95, off = 5",
        "$.concession[0].price",
        unknown("off", "percent, off_fen_max, fixed_fen, cap_fen"),
    ),
    ("full", "count = 2,", "count = 2, of = 9,", "$.concession[1].quota", unknown("of", "count, period")),
    ("full", 'zh = "半价"', 'zh = "半价", x = 1', "$.concession[1].note", unknown("x", "zh, en")),
    ("full", 'days = ["holiday"]', 'days = ["holiday"], x = 1', "$.concession[2].when", unknown("x", "days, hours")),
    ("metro", "ends_after_hours = 4", "ends_after_hours = 4, x = 1", "$.journey", unknown("x", "ends_after_hours")),
    ("metro", "[price.distance]", "[price.distance]\nx = 1", "$.price.distance", unknown("x", "steps, line")),
    ("metro", 'code = "L1"', 'code = "L1"\nx = 1', "$.price.distance.line[0]", unknown("x", "code, stations")),
    ("hall", "fen = 1000", "fen = 1000, x = 1", "$.price.hourly", unknown("x", "fen, max_fen, free_minutes")),
    ("pass", "uses = 10", "uses = 10, x = 1", "$.pass", unknown("x", "activate_within_days, lasts_days, uses")),
    ("by law", 'basis = "wz', 'x = 1, basis = "wz', "$.excluded", unknown("x", "basis, zh, en")),
    ("full", "version = 2", 'version = 2\n"x - at `$.y" = 2', "$.y", "Object contains unknown field `x; known here: "),
    # missing keys
    ("full", 'code = "transit.bus_ride"', "", "$", missing("code")),
    ("full", 'legal_basis = ["js-2022/13"]', "", "$", missing("legal_basis")),
    ("full", 'zh = "公交乘车", ', "", "$.name", missing("zh")),
    ("full", ", on = 2025-12-01", "", "$.decided", missing("on")),
    ("full", 'from = "holder.purse", ', "", "$.price", missing("from")),
    ("full", ", off_fen = 50", "", "$.transfer", missing("off_fen")),
    ("full", 'funded_by = "operator"', "", "$.concession[0]", missing("funded_by")),
    ("full", "price = { percent = 0 }", "", "$.concession[2]", missing("price")),
    ("full", ', shortfall = "operator"', "", "$.offline", missing("shortfall")),
    ("full", ', period = "day" }\nnote', " }\nnote", "$.concession[1].quota", missing("period")),
    ("metro", "steps = [[4000, 200], [8000, 300]]", "", "$.price.distance", missing("steps")),
    ("metro", 'code = "L2"', "", "$.price.distance.line[1]", missing("code")),
    ("metro", "ends_after_hours = 4", "", "$.journey", missing("ends_after_hours")),
    ("hall", ", max_fen = 4000", "", "$.price.hourly", missing("max_fen")),
    ("pass", "activate_within_days = 90, ", "", "$.pass", missing("activate_within_days")),
    ("by law", 'basis = "wz-2024/3.1.1", ', "", "$.excluded", missing("basis")),
]
TYPES = [
    ("full", "version = 2", 'version = "2"', "$.version", "Expected `int`, got `str`"),
    ("full", "version = 2", "version = 2.0", "$.version", "Expected `int`, got `float`"),
    ("full", "version = 2", "version = true", "$.version", "Expected `int`, got `bool`"),
    ("full", "2026-01-01", "2026-01-01T00:00:00", "$.starts_on", "Expected `date`, got `datetime`"),
    ("full", "2026-01-01", '"1 January"', "$.starts_on", "Invalid RFC3339 encoded date"),
    ("full", '["code", "card"]', '"code"', "$.media", "Expected `array`, got `str`"),
    ("full", '["code", "card"]', '["code", "face"]', "$.media[1]", "Invalid enum value 'face'"),
    ("full", 'function = "transit"', 'function = "bus"', "$.function", "Invalid enum value 'bus'"),
    ("full", 'level = "city"', 'level = "town"', "$.level", "Invalid enum value 'town'"),
    ("full", 'kind = "extended"', 'kind = "other"', "$.kind", "Invalid enum value 'other'"),
    ("full", '["gate", "counter"]', '["gate", "desk"]', "$.channels[1]", "Invalid enum value 'desk'"),
    ("full", '["schooling", "old_age"]', '["party"]', "$.life_events[0]", "Invalid enum value 'party'"),
    ("full", '["working", "weekend"]', '["monday"]', "$.when.days[0]", "Invalid enum value 'monday'"),
    ("full", '["purse", "bank"]', '["cash"]', "$.means[0]", "Invalid enum value 'cash'"),
    ("full", '[["06:30", "22:00"], ', '[["06:30"], ', "$.when.hours[0]", "Expected `array` of length 2, got 1"),
    ("full", "attended = true", 'attended = "yes"', "$.needs.attended", "Expected `bool`, got `str`"),
    ("full", 'region = "local"', "region = 320600", "$.region", "Expected `str`, got `int`"),
    ("full", 'period = "month"', 'period = "week"', "$.limit.period", "Invalid enum value 'week'"),
    ("full", "percent = 95", 'percent = "95"', "$.concession[0].price.percent", "Expected `int | null`, got `str`"),
    ("full", "name = {", 'name = "bus" #{', "$.name", "Expected `object`, got `str`"),
    ("metro", "[4000, 200]", "[4000]", "$.price.distance.steps[0]", "Expected `array` of length 2, got 1"),
    ("metro", '["west", 0]', '["west", "0"]', "$.price.distance.line[0].stations[0][1]", "Expected `int`, got `str`"),
    ("top-up", "[1000, 50000]", "[1, 2, 3]", "$.price.open_fen", "Expected `array` of length 2, got 3"),
]
# What each value must be, in file order.
VALUES = [
    ("full", "transit.bus_ride", "bus_ride", "$.code", "expected <field>.<name> in lower case"),
    ("full", "transit.bus_ride", "Transit.Bus", "$.code", "expected <field>.<name> in lower case"),
    ("full", "transit.bus_ride", f"transit.{'x' * 57}", "$.code", "expected at most 64 characters"),
    ("full", "version = 2", "version = 0", "$.version", "expected 1 to 1000000"),
    ("full", "version = 2", "version = 99999999999999999999", "$.version", "expected 1 to 1000000"),
    ("full", "ends_on = 2027-01-01", "ends_on = 2025-01-01", "$.ends_on", "expected a day after starts_on"),
    ("full", "ends_on = 2027-01-01", "ends_on = 2026-01-01", "$.ends_on", "expected a day after starts_on"),
    ("full", '["js-2022/13"]', "[]", "$.legal_basis", "expected at least one code of the register of legal bases"),
    ("full", 'area = "320600"', 'area = "3206"', "$.area", DIVISION),
    ("full", 'area = "320600"', 'area = "yangtze_delta"', "$.area", DIVISION),
    ("full", 'area = "320600"', 'area = "320682"', "$.area", "expected a division of the level city"),
    ("full", 'level = "city"', 'level = "province"', "$.area", "expected a division of the level province"),
    ("full", '["320682"]', '["3206"]', "$.pilot_areas", "expected divisions of six digits: 3206"),
    ("full", "transit.provincial_ride", "transit.bus_ride", "$.extends", "expected another item, of a higher level"),
    ("full", 'zh = "公交乘车"', 'zh = " "', "$.name", WORDS),
    ("full", 'en = "Leading group"', 'en = ""', "$.decided.by", WORDS),
    ("full", 'en = "Transport bureau"', 'en = ""', "$.lead_unit", WORDS),
    ("full", 'zh = "财政局"', 'zh = ""', "$.supporting_units[0]", WORDS),
    ("full", 'en = "Every holder"', 'en = ""', "$.audience", WORDS),
    ("full", 'en = "Transit function active"', 'en = ""', "$.conditions[0]", WORDS),
    ("full", '["schooling", "old_age"]', '["old_age", "old_age"]', "$.life_events", "expected each once"),
    ("full", 'en = "Student card"', 'en = ""', "$.materials[0]", WORDS),
    ("full", 'en = "Ride"', 'en = ""', "$.steps[1]", WORDS),
    ("full", 'zh = "即时"', 'zh = ""', "$.time_limit", WORDS),
    ("full", 'en = "Tap on boarding"', 'en = "  "', "$.guide", WORDS),
    ("full", 'en = "Half price"', 'en = ""', "$.concession[1].note", WORDS),
    ("by law", 'zh = "须出示居民身份证"', 'zh = ""', "$.excluded", WORDS),
    ("full", 'zh = "刷卡"', 'zh = "刷\\u0000卡"', "$.steps[0].zh", PLAIN),
    ("full", 'en = "Tap"', 'en = "\\u001b[2JTap"', "$.steps[0].en", PLAIN),
    ("full", 'en = "Bus ride"', 'en = "Bus \\u202Eedir"', "$.name.en", PLAIN),
    ("metro", '"north"', '"nor\\nth"', "$.price.distance.line[1].stations[1][0]", PLAIN),
    ("full", '["code", "card"]', "[]", "$.media", "expected at least one of code, card"),
    (
        "full",
        'media = ["code", "card"]',
        'paper = "take"',
        "$.paper",
        "expected look or refuse: whoever shows paper is compared with the photo",
    ),
    ("full", 'media = ["code", "card"]', 'family = "never"', "$.family", "Invalid enum value 'never'"),
    ("full", 'media = ["code", "card"]', 'media = ["number"]', "$.media", "expected at least one of code, card"),
    ("full", 'media = ["code", "card"]', 'media = ["code", "card", "number"]', "$.media", NEVER_PAYS),
    ("full", '"senior_70"]', '"senior_71"]', "$.classes", "unknown class senior_71"),
    ("full", 'region = "local"', 'region = "Local"', "$.region", "expected local, all or the code of an area set"),
    ("full", 'days = ["working", "weekend"]', "days = []", "$.when.days", "expected at least one kind of day"),
    ("full", '["06:30", "22:00"]', '["6:30", "22:00"]', "$.when.hours", "expected HH:MM, not 6:30"),
    ("full", '["06:30", "22:00"]', '["06:30", "24:30"]', "$.when.hours", "expected 00:00 to 24:00, not 24:30"),
    ("full", '["06:30", "22:00"]', '["22:00", "06:30"]', "$.when.hours", WINDOW),
    ("full", '["08:00", "17:00"]', '["08:00", "08:00"]', "$.needs.when.hours", WINDOW),
    ("full", 'media = ["code", "card"]', 'media = ["code"]', "$.needs.media", f"{READ}: card"),
    ("by law", "excluded =", f"{NUMBER_NEEDED}\nexcluded =", "$.needs.media", f"{READ}: number"),
    ("full", "count = 20", "count = 0", "$.limit.count", "expected 1 to 1000000"),
    ("full", "count = 900", "count = 1000001", "$.capacity.count", "expected 1 to 1000000"),
    ("full", "limit_fen = 2000", "limit_fen = -1", "$.offline.limit_fen", "expected 0 to 1000000000"),
    ("full", "days = 7", "days = 0", "$.offline.days", "expected 1 to 31"),
    ("full", "days = 7", "days = 32", "$.offline.days", "expected 1 to 31"),
    ("full", 'shortfall = "operator"', 'shortfall = "somebody"', "$.offline.shortfall", BEARERS),
    ("full", 'shortfall = "operator"', 'shortfall = "holder", double = "nobody"', "$.offline.double", BEARERS),
    ("full", 'shortfall = "operator"', 'shortfall = "platform", refused = "x"', "$.offline.refused", BEARERS),
    ("full", "within_days = 3", "within_days = -1", "$.refund.within_days", "expected 0 to 3660"),
    # prices
    ("full", FIXED, "", "$.concession", "expected a price that it reduces"),
    ("pass", FIXED, "", "$.price", ABOUT_MONEY),
    ("bare", "legal_basis", "day_cap_fen = 5\nlegal_basis", "$.price", ABOUT_MONEY),
    ("bare", "legal_basis", "journey = { ends_after_hours = 4 }\nlegal_basis", "$.price", ABOUT_MONEY),
    ("full", "full_fen = 200", "full_fen = -1", "$.price.full_fen", "expected 0 to 1000000000"),
    ("full", "full_fen = 200", "full_fen = 1000000001", "$.price.full_fen", "expected 0 to 1000000000"),
    ("full", "full_fen = 200, ", "", "$.price", ONE_PRICE),
    ("full", "full_fen = 200", "full_fen = 200, open_fen = [1, 2]", "$.price", ONE_PRICE),
    ("hall", "hourly =", "full_fen = 1\nhourly =", "$.price", ONE_PRICE),
    ("top-up", "[1000,", "[60000,", "$.price.open_fen", BOUNDS),
    ("top-up", "[1000,", "[0,", "$.price.open_fen", BOUNDS),
    ("full", 'from = "holder.purse"', 'from = "holder.pocket"', "$.price.from", PAYERS),
    ("full", 'to = "operator.receivable"', 'to = "operator"', "$.price.to", PAYEES),
    ("full", 'to = "operator.receivable"', 'to = "holder.purse"', "$.price.to", PAYEES),
    (
        "top-up",
        '"bank.clearing"',
        '"treasury.city"',
        "$.price.to",
        "expected another: treasury.city holds another kind of value than a purse",
    ),
    ("metro", "[[4000, 200], [8000, 300]]", "[]", "$.price.distance.steps", STEPS),
    ("metro", "[4000, 200]", "[8000, 200]", "$.price.distance.steps", STEPS),
    ("metro", "[4000, 200]", "[-1, 200]", "$.price.distance.steps", STEPS),
    ("metro", "[4000, 200]", "[4000, 301]", "$.price.distance.steps", RISING),
    ("metro", "[4000, 200]", "[4000, -1]", "$.price.distance.steps", RISING),
    ("metro", "[8000, 300]", "[8000, 1000000001]", "$.price.distance.steps", RISING),
    ("metro", "[8000, 300]", "[10000001, 300]", "$.price.distance.steps", METRES),
    ("metro", '["east", 9000]', f'["east", 0x{"f" * 6000}]', "$.price.distance.line[0].stations", METRES),
    ("bare", "legal_basis", NO_LINE + "\nlegal_basis", "$.price.distance.line", "expected at least one"),
    ("metro", ', ["north", 2000]', "", "$.price.distance.line[1].stations", STATIONS),
    ("metro", '["middle", 3000]', '["west", 3000]', "$.price.distance.line[0].stations", STATIONS),
    ("metro", '["middle", 3000]', '["middle", 9000]', "$.price.distance.line[0].stations", STATIONS),
    ("hall", "max_fen = 4000", "max_fen = 999", "$.price.hourly", "expected 0 < fen ≤ max_fen ≤ 1000000000"),
    ("hall", "fen = 1000", "fen = 0", "$.price.hourly", "expected 0 < fen ≤ max_fen ≤ 1000000000"),
    ("hall", "free_minutes = 10", "free_minutes = 1441", "$.price.hourly.free_minutes", "expected 0 to 1440"),
    # journeys, means, changes, caps, passes
    ("hall", "journey = { ends_after_hours = 8 }", "", "$.journey", TOGETHER),
    ("full", "day_cap_fen", "journey = { ends_after_hours = 8 }\nday_cap_fen", "$.journey", TOGETHER),
    ("hall", "ends_after_hours = 8", "ends_after_hours = 73", "$.journey.ends_after_hours", "expected 1 to 72"),
    (
        "hall",
        'from = "holder.purse"',
        'from = "treasury.city"',
        "$.price.from",
        "expected holder.purse: a journey holds its price there",
    ),
    ("full", '["purse", "bank"]', "[]", "$.means", MEANS),
    ("full", '["purse", "bank"]', '["bank"]', "$.means", MEANS),
    ("full", '["purse", "bank"]', '["purse", "purse"]', "$.means", MEANS),
    ("hall", "journey =", 'means = ["purse", "bank"]\njourney =', "$.means", PURSE_ALONE),
    ("top-up", "price = {", 'means = ["bank", "purse"]\nprice = {', "$.means", PURSE_ALONE),
    ("top-up", "price = {", "day_cap_fen = 500\nprice = {", "$.price.from", LESSENED),
    (
        "full",
        '["transit.metro_ride"]',
        "[]",
        "$.transfer",
        "expected items in after, and within_minutes from 1 to 1440",
    ),
    (
        "full",
        "within_minutes = 60",
        "within_minutes = 1441",
        "$.transfer",
        "expected items in after, and within_minutes from 1 to 1440",
    ),
    (
        "full",
        "off_fen = 50",
        "off_fen = -50",
        "$.transfer.off_fen",
        "expected 1 to 1000000000: a rule never raises the price",
    ),
    ("full", "day_cap_fen = 1500", "day_cap_fen = 0", "$.day_cap_fen", "expected 1 to 1000000000"),
    (
        "pass",
        "lasts_days = 365",
        "lasts_days = 0",
        "$.pass",
        "expected activate_within_days from 0 and lasts_days from 1, to 3660",
    ),
    ("pass", "uses = 10", "uses = 0", "$.pass.uses", "expected 1 to 1000000"),
    (
        "hall",
        "journey =",
        "pass = { activate_within_days = 1, lasts_days = 1 }\njourney =",
        "$.pass",
        "expected none: a journey sells nothing",
    ),
    (
        "by law",
        "excluded =",
        FIXED + "\nexcluded =",
        "$.excluded",
        "expected no price or limit: the matter is always refused",
    ),
    # concessions
    ("full", 'class = "everyone"', 'class = "all"', "$.concession[0].class", None),
    (
        "full",
        'class = "everyone"',
        'class = "everyone"\npass = "a.b"',
        "$.concession[0].class",
        "expected exactly one of class, pass",
    ),
    ("full", 'class = "everyone"\n', "", "$.concession[0].class", "expected exactly one of class, pass"),
    (
        "full",
        'class = "everyone"',
        'class = "senior_60"',
        "$.concession[1].key",
        "expected a key not declared before: senior_60",
    ),
    (
        "full",
        'key = "by_pass"',
        'key = "everyone"',
        "$.concession[2].key",
        "expected a key not declared before: everyone",
    ),
    (
        "full",
        'key = "by_pass"',
        'key = "By pass"',
        "$.concession[2].key",
        "expected lower-case letters, digits, _ and .",
    ),
    ("full", "tourism.year_pass", "year_pass", "$.concession[2].pass", SOLD),
    ("metro", 'class = "student"', 'pass = "tourism.year_pass"', "$.concession[0].pass", SOLD),
    ("full", "percent = 95", "percent = 101", "$.concession[0].price.percent", PERCENT),
    ("full", "percent = 95", "percent = -1", "$.concession[0].price.percent", PERCENT),
    ("full", "percent = 95, ", "", "$.concession[0].price", ONE_DISCOUNT),
    ("full", "percent = 95", "percent = 95, fixed_fen = 1", "$.concession[0].price", ONE_DISCOUNT),
    ("full", "fixed_fen = 100", "fixed_fen = 100, cap_fen = 1", "$.concession[1].price", ONE_DISCOUNT),
    (
        "full",
        "off_fen_max = 10",
        "off_fen_max = 0",
        "$.concession[0].price.off_fen_max",
        "expected 1 to 1000000000, beside percent",
    ),
    (
        "full",
        "fixed_fen = 100",
        "fixed_fen = 100, off_fen_max = 5",
        "$.concession[1].price.off_fen_max",
        "expected 1 to 1000000000, beside percent",
    ),
    ("full", "fixed_fen = 100", "cap_fen = -1", "$.concession[1].price.cap_fen", "expected 0 to 1000000000"),
    ("full", "fixed_fen = 100", "fixed_fen = 201", "$.concession[1].price.fixed_fen", NO_MORE),
    ("full", "fixed_fen = 100", "fixed_fen = -1", "$.concession[1].price.fixed_fen", NO_MORE),
    ("metro", "cap_fen = 150", "fixed_fen = 150", "$.concession[0].price.fixed_fen", NO_MORE),
    ("full", 'funded_by = "operator"', 'funded_by = "someone"', "$.concession[0].funded_by", FUNDERS),
    ("full", 'funded_by = "operator"', 'funded_by = "holder.purse"', "$.concession[0].funded_by", FUNDERS),
    (
        "top-up",
        "bank.offer",
        "treasury.city",
        "$.concession[0].funded_by",
        "expected who can pay the rest into a purse: bank.offer",
    ),
    ("full", "count = 2,", "count = 0,", "$.concession[1].quota.count", "expected 1 to 1000000"),
    (
        "full",
        'region = "tong_tai_yan"',
        'region = "3206"',
        "$.concession[2].region",
        "expected local, all or the code of an area set",
    ),
    ("full", 'days = ["holiday"]', "days = []", "$.concession[2].when.days", "expected at least one kind of day"),
]
# Not TOML at all.
WRITING = [
    ("full", "version = 2", "version = ", "$", None),
    ("full", "version = 2", "version = 2\nversion = 3", "$", None),
    ("full", "2026-01-01", "2026-02-30", "$", None),
    ("full", "version = 2", "version = " + "9" * 5000, "$", None),
    ("full", "version = 2", "version = " + "[" * 5000, "$", None),
    ("full", "[[concession]]", "[concession]", "$", None),
]


@pytest.mark.parametrize(("text", "old", "new", "path", "expected"), [*KEYS, *TYPES, *VALUES, *WRITING])
def test_a_fault_is_told_with_file_path_and_expectation(
    text: str, old: str, new: str, path: str, expected: str | None
) -> None:
    assert old in TEXTS[text]
    with pytest.raises(DeclarationError) as refused:
        item_files.parse(TEXTS[text].replace(old, new, 1), FILE)
    error = refused.value
    assert (error.file, error.path) == (FILE, path)
    assert expected in (None, error.expected.en)
    assert str(error) == f"{FILE}: {path}: {error.expected.en}"
    assert error.zh == f"{FILE}: {path}: {error.expected.zh}"
    assert expected is None or not re.search("[Ee]xpected|unknown|Invalid|Object|格式不正确", error.zh)


def test_every_check_is_tried_above() -> None:
    """Each line of `item_files` that tells of a fault is reached by a row of the table."""
    reached: set[int] = set()

    def note(frame: FrameType, event: str, _: object) -> Any:
        if event == "line" and frame.f_code.co_filename == item_files.__file__:
            reached.add(frame.f_lineno)
        return note if frame.f_code.co_filename == item_files.__file__ else None

    before = sys.gettrace()
    sys.settrace(note)
    try:
        for text, old, new, _, _ in (*KEYS, *TYPES, *VALUES):
            with suppress(DeclarationError):
                item_files.parse(TEXTS[text].replace(old, new, 1), FILE)
    finally:
        sys.settrace(before)
    tree = ast.parse(Path(item_files.__file__).read_text(encoding="utf-8"))
    told = {node.lineno for node in ast.walk(tree) if isinstance(node, ast.Yield)}
    assert told - reached == set()


def test_the_expectation_of_an_unknown_class_names_the_known_ones() -> None:
    with pytest.raises(DeclarationError, match="unknown class all; expected everyone or one of pupil_6_14, senior_60"):
        item_files.parse(FULL.replace('"everyone"', '"all"'), FILE)


def test_a_file_that_is_not_utf_8_is_told_so(tmp_path: Path) -> None:
    file = tmp_path / "item.toml"
    file.write_bytes(BARE.encode("gb18030"))
    with pytest.raises(DeclarationError, match=r"item\.toml: \$: expected UTF-8: "):
        item_files.load(file)


# What is declared is what is kept -------------------------------------------------------------------------------------


def plain(item: Item) -> Any:
    """As the catalogue stores a version: JSON and back."""
    return json.loads(json.dumps(msgspec.to_builtins(item, str_keys=True)))


def declared() -> list[Path]:
    return sorted(SCENARIOS.glob("*/items/*.toml"))


@pytest.mark.parametrize("text", list(TEXTS.values()), ids=list(TEXTS))
def test_an_item_comes_back_from_its_plain_form(text: str) -> None:
    item = item_files.parse(text, FILE)
    assert item_files.from_plain(plain(item), "stored") == item


@pytest.mark.parametrize("file", declared(), ids=lambda file: file.stem)
def test_every_declared_item_comes_back_from_its_plain_form(file: Path) -> None:
    item = item_files.load(file)
    assert item_files.from_plain(plain(item), "stored") == item
    assert item.code == f"{file.parent.parent.name}.{file.stem}"


def test_absence_means_the_stated_default() -> None:
    item = item_files.parse(BARE, FILE)
    assert (item.media, item.region, item.concession) == (("code", "card"), "all", ())
    absent = (item.ends_on, item.function, item.limit, item.offline, item.price)
    assert absent == (None,) * 5
    assert item_files.parse(FULL, FILE).concession[1].region == "local"


def test_a_declaration_error_carries_what_it_says() -> None:
    error = DeclarationError("a.toml", "$.x", Expected("应更多", "expected more"))
    assert str(error) == "a.toml: $.x: expected more"
    assert (error.file, error.path, error.zh) == ("a.toml", "$.x", "a.toml: $.x: 应更多")


# Whatever is written, nothing else is raised --------------------------------------------------------------------------

LINES = [line for line in FULL.splitlines() if line]
ODD_LINES = """
price = {}
price = []
price.full_fen = 1e400
limit = 3
name = {}
name.zh.x = 1
[price]
[[price]]
[[concession]]
concession = 1
concession = [1]
classes = [1]
media = [[]]
means = [1]
when = { hours = [["x", "y"]] }
needs = { when = { hours = [["08:00", "07:00"]] } }
pass = {}
journey = 1
price.distance = { steps = [], line = [] }
price = { distance = { steps = [[1, 1]], line = [] }, from = "", to = "" }
[[price.distance.line]]
transfer = { after = [], within_minutes = 0, off_fen = 0 }
level = "region"
area = ""
ends_on = 07:32:00
version = nan
version = -inf
open_fen = [1]
a.b.c = 1
"" = 1
x = 1979-05-27T07:32:00Z
"""
fragments = st.sampled_from([*LINES, *ODD_LINES.split("\n")])
edits = st.lists(st.tuples(st.integers(0, len(LINES)), st.sampled_from(["insert", "replace"]), fragments), max_size=4)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def only_a_declaration_error(text: str) -> None:
    with suppress(DeclarationError):
        item = item_files.parse(text, FILE)
        assert item_files.from_plain(plain(item), "stored") == item


@given(st.text())
@example("a = 1\n" * 3)
@example("a." * 500 + "a = 1")
@example("a = " + "{a = " * 3000)
def test_any_text_is_an_item_or_a_declaration_error(text: str) -> None:
    only_a_declaration_error(text)


@given(edits)
def test_any_edit_of_a_file_is_an_item_or_a_declaration_error(changes: list[tuple[int, str, str]]) -> None:
    lines = list(LINES)
    for at, how, fragment in changes:
        lines[at : at + (how == "replace")] = [fragment]
    only_a_declaration_error("\n".join(lines))


@given(st.integers(0, len(FULL)), st.integers(0, 6), st.text(max_size=4))
def test_any_slip_of_the_pen_is_an_item_or_a_declaration_error(at: int, length: int, typed: str) -> None:
    only_a_declaration_error(FULL[:at] + typed + FULL[at + length :])


@given(st.data())
def test_any_value_in_place_of_another_is_an_item_or_a_declaration_error(data: st.DataObject) -> None:
    """A stored version is decoded without its cross-checks, but as strictly."""
    raw = plain(item_files.parse(FULL, FILE))
    place, key = raw, data.draw(st.sampled_from(sorted(raw)))
    while isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans()):
        place = place[key]
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
    place[key] = data.draw(values)
    with suppress(DeclarationError):
        item_files.from_plain(raw, FILE)
