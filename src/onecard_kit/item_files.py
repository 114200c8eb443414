"""Item files: TOML decoded strictly into terms.

A wrong key, a wrong type or a value that makes no sense is refused with the file, the path inside it and what was
expected. What needs the register (legal bases, area sets, other items) is checked when the catalogue loads.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from onecard_kit.classes import BY_CODE
from onecard_kit.expected import IN_BOTH_LANGUAGES, Expected, between, exactly_one_of, not_before, of_message, one_of
from onecard_kit.fares import Distance, Hourly
from onecard_kit.terms import (
    ALL,
    BEARERS,
    BORNE_BY_OPERATOR,
    COUNT_MAX,
    EVERYONE,
    FEN_MAX,
    FUNDER_ROLES,
    LEDGER_OF_ROLE,
    LOCAL,
    METRES_MAX,
    OFFLINE_DAYS_MAX,
    PAYEE_ROLES,
    PAYER_ROLES,
    Bilingual,
    Concession,
    Discount,
    Excluded,
    Item,
    Level,
    Manner,
    Means,
    Medium,
    Price,
    Quota,
    When,
)

T = TypeVar("T")
Fault = tuple[str, Expected]
"""A path inside a declaration (`$.price.full_fen`) and what was expected there."""

CODE_CHARS_MAX = 64
_CODE = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_KEY = re.compile(r"[a-z0-9_.]{1,100}")
_DIVISION = re.compile(r"[0-9]{6}")
_METRES = between(0, METRES_MAX, " 米", " metres")
_FUNDERS = Expected(
    f"应为 {BORNE_BY_OPERATOR} 或其中之一：{', '.join(FUNDER_ROLES)}",
    f"expected {BORNE_BY_OPERATOR} or one of {', '.join(FUNDER_ROLES)}",
)


class DeclarationError(Exception):
    """A declaration that cannot be taken. Says the file, the path in it (`$.price.full_fen`) and what was expected."""

    def __init__(self, file: str, path: str, expected: Expected) -> None:
        super().__init__(f"{file}: {path}: {expected.en}")
        self.file = file
        self.path = path
        self.expected = expected

    @property
    def zh(self) -> str:
        """The same as its text, in Chinese."""
        return f"{self.file}: {self.path}: {self.expected.zh}"


def parse(text: str, file: str) -> Item:
    """Decode and check one item file. Raises DeclarationError; `file` is only named in it."""
    item = from_plain(plain_of(text, file), file)
    for path, expected in _faults(item):
        raise DeclarationError(file, path, expected)
    return item


def load(path: Path, name: str | None = None) -> Item:
    """Read an item file; `name` is how errors call it (default: the path). Raises DeclarationError, OSError."""
    file = name or str(path)
    return parse(text_of(path, file), file)


def text_of(path: Path, file: str) -> str:
    """The text of a declaration's file. Raises DeclarationError, OSError."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        at = Expected(
            f"应为 UTF-8 编码：第 {error.start} 字节有误", f"expected UTF-8: {error.reason} at byte {error.start}"
        )
        raise DeclarationError(file, "$", at) from None


def plain_of(text: str, file: str) -> dict[str, Any]:
    """Decode TOML whose texts people will read: none holds a character that nobody sees. Raises DeclarationError."""
    try:
        raw = tomllib.loads(text)
        unseen = next(_unseen("$", raw), None)
    except (ValueError, RecursionError) as error:  # also a number of thousands of digits, and endless brackets
        raise DeclarationError(file, "$", Expected(f"不是正确的 TOML：{error}", f"TOML: {error}")) from None
    if unseen is not None:
        plain = Expected("应为没有控制字符的文本", "expected text without control characters")
        raise DeclarationError(file, unseen, plain)
    return raw


def _unseen(path: str, value: object) -> Iterator[str]:
    """Where a text holds controls (PostgreSQL keeps no NUL) or marks that change the order of what is shown."""
    if isinstance(value, str):
        if any(unicodedata.category(character) in ("Cc", "Cf") for character in value):
            yield path
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _unseen(f"{path}.{key}", each)
    elif isinstance(value, list):
        for n, each in enumerate(value):
            yield from _unseen(f"{path}[{n}]", each)


def from_plain(raw: dict[str, Any], file: str) -> Item:
    """Decode plain data (from TOML, or a stored version's JSON) into an Item."""
    return decoded(raw, Item, file)


def decoded(raw: dict[str, Any], kind: type[T], file: str) -> T:
    """Decode plain data into a declaration of any kind, strictly. Raises DeclarationError."""
    try:
        return msgspec.convert(raw, kind, strict=True)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `")
        path = path.rstrip("`") or "$"
        expected = of_message(message)
        if message.startswith("Object contains unknown field"):
            known = ", ".join(_known_keys(kind, path))
            expected = Expected(f"{expected.zh}；此处可用：{known}", f"{expected.en}; known here: {known}")
        raise DeclarationError(file, path, expected) from None


def _known_keys(kind: Any, path: str) -> tuple[str, ...]:
    """The keys that the table at `path` (`$.concession[...].price`) of a declaration may hold."""
    found = kind
    for step in re.findall(r"\.(\w+)", path):
        fields = {f.encode_name: f.type for f in msgspec.structs.fields(found)}
        found = struct_in(fields.get(step))
        if found is None:
            return ()  # a key that only looks like the end of a message
    return tuple(f.encode_name for f in msgspec.structs.fields(found))


def struct_in(kind: Any) -> Any:
    """The struct inside `X`, `X | None` or `tuple[X, ...]`; None where there is none."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    return next((found for part in getattr(kind, "__args__", ()) if (found := struct_in(part)) is not None), None)


# --- what the types cannot say, in file order ---------------------------------------------------------------------


def _faults(item: Item) -> Iterator[Fault]:
    yield from _identity_faults(item)
    yield from _list_faults(item)
    yield from _media_faults(item)
    unknown = [name for name in item.classes if name not in BY_CODE]
    yield from (("$.classes", Expected(f"没有人群类别 {name}", f"unknown class {name}")) for name in unknown)
    yield from _region_faults("$.region", item.region)
    yield from when_faults("$.when", item.when)
    if item.needs is not None:
        yield from when_faults("$.needs.when", item.needs.when)
    yield from _quota_faults("$.limit", item.limit)
    yield from _quota_faults("$.capacity", item.capacity)
    yield from _offline_faults(item)
    if not 0 <= item.refund.within_days <= 3660:
        yield "$.refund.within_days", between(0, 3660)
    yield from _money_faults(item)
    yield from _further_faults(item)
    yield from _concessions_faults(item)


def _media_faults(item: Item) -> Iterator[Fault]:
    if not set(item.media) - {Medium.NUMBER}:
        yield "$.media", Expected("code、card 至少要有一种", "expected at least one of code, card")
    if item.paper is Manner.TAKE:
        yield (
            "$.paper",
            Expected(
                "应为 look 或 refuse：出示纸质凭证的须比对照片",
                "expected look or refuse: whoever shows paper is compared with the photo",
            ),
        )
    if Medium.NUMBER in item.media and item.price is not None:
        yield (
            "$.media",
            Expected("不应有 number：报读的号码不能付款", "expected no number: what is read aloud never pays"),
        )
    for medium in item.needs.media if item.needs is not None else ():
        if medium not in item.media or medium is Medium.NUMBER:
            yield (
                "$.needs.media",
                Expected(
                    f"应为本项目可用且由终端读取的出示方式：{medium}",
                    f"expected media of the item that a terminal reads: {medium}",
                ),
            )


def _offline_faults(item: Item) -> Iterator[Fault]:
    offline = item.offline
    if offline is None:
        return
    if not 0 <= offline.limit_fen <= FEN_MAX:
        yield "$.offline.limit_fen", between(0, FEN_MAX)
    if not 1 <= offline.days <= OFFLINE_DAYS_MAX:
        yield "$.offline.days", between(1, OFFLINE_DAYS_MAX)
    for key in ("shortfall", "double", "refused"):
        if getattr(offline, key) not in BEARERS:
            yield f"$.offline.{key}", one_of(BEARERS)


def _identity_faults(item: Item) -> Iterator[Fault]:
    if not _CODE.fullmatch(item.code):
        yield "$.code", Expected("应为小写的 <领域>.<名称>", "expected <field>.<name> in lower case")
    if len(item.code) > CODE_CHARS_MAX:
        yield "$.code", Expected(f"应不超过 {CODE_CHARS_MAX} 个字符", f"expected at most {CODE_CHARS_MAX} characters")
    if not 1 <= item.version <= COUNT_MAX:
        yield "$.version", between(1, COUNT_MAX)
    if item.ends_on is not None and item.ends_on <= item.starts_on:
        yield "$.ends_on", Expected("应晚于 starts_on", "expected a day after starts_on")
    if not item.legal_basis:
        yield (
            "$.legal_basis",
            Expected("至少要有一个法规依据代码", "expected at least one code of the register of legal bases"),
        )


def _list_faults(item: Item) -> Iterator[Fault]:
    if item.area and item.level is not Level.REGION and not _DIVISION.fullmatch(item.area):
        yield "$.area", Expected("应为六位行政区划代码（GB/T 2260）", "expected a division of six digits (GB/T 2260)")
    if item.area and not item.area.endswith({Level.PROVINCE: "0000", Level.CITY: "00"}.get(item.level, "")):
        yield "$.area", Expected(f"应为 {item.level} 一级的行政区划", f"expected a division of the level {item.level}")
    yield from (
        ("$.pilot_areas", Expected(f"应为六位行政区划代码：{code}", f"expected divisions of six digits: {code}"))
        for code in item.pilot_areas
        if not _DIVISION.fullmatch(code)
    )
    if item.extends == item.code:
        yield "$.extends", Expected("应为另一个更高层级的项目", "expected another item, of a higher level")
    if len(set(item.life_events)) < len(item.life_events):
        yield "$.life_events", Expected("每项只能出现一次", "expected each once")
    for path, words in (
        ("$.name", item.name),
        ("$.decided.by", item.decided.by if item.decided else None),
        ("$.lead_unit", item.lead_unit),
        ("$.audience", item.audience),
        ("$.time_limit", item.time_limit),
        ("$.guide", item.guide),
        ("$.excluded", item.excluded),
        *((f"$.supporting_units[{n}]", each) for n, each in enumerate(item.supporting_units)),
        *((f"$.steps[{n}]", each) for n, each in enumerate(item.steps)),
        *((f"$.conditions[{n}]", each) for n, each in enumerate(item.conditions)),
        *((f"$.materials[{n}]", each) for n, each in enumerate(item.materials)),
        *((f"$.concession[{n}].note", each.note) for n, each in enumerate(item.concession)),
    ):
        yield from _words_faults(path, words)


def _words_faults(path: str, words: Bilingual | Excluded | None) -> Iterator[Fault]:
    if words is not None and not (words.zh.strip() and words.en.strip()):
        yield path, IN_BOTH_LANGUAGES


def _region_faults(path: str, region: str) -> Iterator[Fault]:
    if region not in (LOCAL, ALL) and not _NAME.fullmatch(region):
        yield (
            path,
            Expected(f"应为 {LOCAL}、{ALL} 或区域集合的代码", f"expected {LOCAL}, {ALL} or the code of an area set"),
        )


def when_faults(path: str, when: When | None) -> Iterator[Fault]:
    """What is wrong with kinds of day and windows of the day."""
    if when is None:
        return
    if not when.days:
        yield f"{path}.days", Expected("至少要有一种日子", "expected at least one kind of day")
    try:
        windows = when.minutes
    except ValueError as error:
        told = Expected("应写作 HH:MM，从 00:00 到 24:00", str(error))
        yield f"{path}.hours", told
        return
    if any(start >= end for start, end in windows):
        yield (
            f"{path}.hours",
            Expected(
                "每段应先开始后结束；跨午夜的写成两段",
                "expected each window to end after it starts; over midnight takes two windows",
            ),
        )


def _quota_faults(path: str, quota: Quota | None) -> Iterator[Fault]:
    if quota is not None and not 1 <= quota.count <= COUNT_MAX:
        yield f"{path}.count", between(1, COUNT_MAX)


def _money_faults(item: Item) -> Iterator[Fault]:
    if item.price is None:
        if item.concession:
            yield "$.concession", Expected("应有可以减免的价格", "expected a price that it reduces")
        if item.journey or item.transfer or item.pass_ or item.day_cap_fen is not None:
            yield (
                "$.price",
                Expected(
                    "应有价格：行程、换乘、套票、当日封顶都与钱有关",
                    "expected one: a journey, a transfer, a pass or a day's cap is about money",
                ),
            )
        return
    yield from _price_faults(item.price)
    if (item.price.distance is not None or item.price.hourly is not None) != (item.journey is not None):
        yield (
            "$.journey",
            Expected(
                "应与 price.distance 或 price.hourly 一起出现，没有它们时不写",
                "expected together with price.distance or price.hourly, and only then",
            ),
        )
    from_holder = item.price.payer == "holder.purse"
    if Means.PURSE not in item.means or len(set(item.means)) < len(item.means):
        yield (
            "$.means",
            Expected(
                "每种支付方式写一次，并且要有钱包：不是每张卡都有银行账户",
                "expected each way to pay once, the purse among them: not every card has a bank account",
            ),
        )
    if item.means != (Means.PURSE,) and (not from_holder or item.journey is not None):
        yield (
            "$.means",
            Expected(
                "应只有钱包：银行只支付持卡人的固定价格或现场金额",
                "expected the purse alone: a bank pays only fixed or named prices of the holder",
            ),
        )
    if (item.transfer or item.day_cap_fen is not None) and not from_holder:
        yield (
            "$.price.from",
            Expected(
                "有换乘优惠或当日封顶时应为 holder.purse",
                "expected holder.purse where a transfer or a day's cap lessens what is paid",
            ),
        )


def _price_faults(price: Price) -> Iterator[Fault]:
    ways = (price.full_fen, price.open_fen, price.distance, price.hourly)
    if sum(way is not None for way in ways) != 1:
        yield "$.price", exactly_one_of(("full_fen", "open_fen", "distance", "hourly"))
    if price.full_fen is not None and not 0 <= price.full_fen <= FEN_MAX:
        yield "$.price.full_fen", between(0, FEN_MAX)
    if price.open_fen is not None and not 0 < price.open_fen[0] <= price.open_fen[1] <= FEN_MAX:
        yield (
            "$.price.open_fen",
            Expected(
                f"应为 [最少, 最多]，0 < 最少 ≤ 最多 ≤ {FEN_MAX}",
                f"expected [least, most] with 0 < least ≤ most ≤ {FEN_MAX}",
            ),
        )
    if price.distance is not None:
        yield from _distance_faults(price.distance)
    if price.hourly is not None:
        yield from _hourly_faults(price.hourly)
    if price.payer not in PAYER_ROLES:
        yield "$.price.from", one_of(PAYER_ROLES)
    if price.payee not in PAYEE_ROLES or price.payee == price.payer:
        yield "$.price.to", one_of(PAYEE_ROLES, "，且不同于 from", ", other than from")
    elif price.payee == "holder.purse" and LEDGER_OF_ROLE.get(price.payer, "purse") != "purse":
        yield (
            "$.price.to",
            Expected(
                f"应为其他账户：{price.payer} 里的价值与钱包不同",
                f"expected another: {price.payer} holds another kind of value than a purse",
            ),
        )


def _distance_faults(distance: Distance) -> Iterator[Fault]:
    metres, fares = [m for m, _ in distance.steps], [fen for _, fen in distance.steps]
    if not distance.steps or metres[0] < 0 or metres != sorted(set(metres)):
        yield (
            "$.price.distance.steps",
            Expected("应为 [米, 分]，一段比一段远", "expected [metres, fen], each farther than the one before"),
        )
    elif fares != sorted(fares) or not 0 <= fares[0] <= fares[-1] <= FEN_MAX:
        yield (
            "$.price.distance.steps",
            Expected(
                f"票价应为 0 至 {FEN_MAX}，且不随里程降低",
                f"expected fares from 0 to {FEN_MAX} that never fall with the distance",
            ),
        )
    elif metres[-1] > METRES_MAX:
        yield "$.price.distance.steps", _METRES
    for n, line in enumerate(distance.line):
        stations, at = [code for code, _ in line.stations], [metres for _, metres in line.stations]
        if len(stations) < 2 or len(set(stations)) < len(stations) or at != sorted(set(at)):
            yield (
                f"$.price.distance.line[{n}].stations",
                Expected(
                    "应有两站或以上，每站一次，一站比一站远",
                    "expected two or more, each once and farther than the last",
                ),
            )
        elif not 0 <= at[0] <= at[-1] <= METRES_MAX:
            yield f"$.price.distance.line[{n}].stations", _METRES
    if not distance.line:
        yield "$.price.distance.line", Expected("至少要有一条", "expected at least one")


def _hourly_faults(hourly: Hourly) -> Iterator[Fault]:
    if not 0 < hourly.fen <= hourly.max_fen <= FEN_MAX:
        yield (
            "$.price.hourly",
            Expected(f"应为 0 < fen ≤ max_fen ≤ {FEN_MAX}", f"expected 0 < fen ≤ max_fen ≤ {FEN_MAX}"),
        )
    if not 0 <= hourly.free_minutes <= 1440:
        yield "$.price.hourly.free_minutes", between(0, 1440)


def _further_faults(item: Item) -> Iterator[Fault]:
    if item.journey is not None and not 1 <= item.journey.ends_after_hours <= 72:
        yield "$.journey.ends_after_hours", between(1, 72)
    if item.journey is not None and item.price is not None and item.price.payer != "holder.purse":
        yield (
            "$.price.from",
            Expected(
                "应为 holder.purse：行程的票款冻结在那里", "expected holder.purse: a journey holds its price there"
            ),
        )
    if item.transfer is not None:
        if not item.transfer.after or not 1 <= item.transfer.within_minutes <= 1440:
            yield (
                "$.transfer",
                Expected(
                    "after 中应有项目，within_minutes 应为 1 至 1440",
                    "expected items in after, and within_minutes from 1 to 1440",
                ),
            )
        if not 0 < item.transfer.off_fen <= FEN_MAX:
            yield "$.transfer.off_fen", between(1, FEN_MAX, "：规则不能抬高价格", ": a rule never raises the price")
    if item.day_cap_fen is not None and not 0 < item.day_cap_fen <= FEN_MAX:
        yield "$.day_cap_fen", between(1, FEN_MAX)
    if item.pass_ is not None:
        if not 0 <= item.pass_.activate_within_days <= 3660 or not 1 <= item.pass_.lasts_days <= 3660:
            yield (
                "$.pass",
                Expected(
                    "activate_within_days 应为 0 至 3660，lasts_days 应为 1 至 3660",
                    "expected activate_within_days from 0 and lasts_days from 1, to 3660",
                ),
            )
        if item.pass_.uses is not None and not 1 <= item.pass_.uses <= COUNT_MAX:
            yield "$.pass.uses", between(1, COUNT_MAX)
        if item.journey is not None:
            yield "$.pass", Expected("不应有：行程不出售任何东西", "expected none: a journey sells nothing")
    if item.excluded is not None and (item.price is not None or item.limit is not None):
        yield (
            "$.excluded",
            Expected(
                "不应有价格或次数限制：这类事项一律拒绝", "expected no price or limit: the matter is always refused"
            ),
        )


def _concessions_faults(item: Item) -> Iterator[Fault]:
    seen: set[str] = set()
    for n, concession in enumerate(item.concession):
        at = f"$.concession[{n}]"
        if concession.key in seen:  # a use and its quotas name their concession by it
            yield f"{at}.key", not_before("键", "key", concession.key)
        seen.add(concession.key)
        if concession.key and not _KEY.fullmatch(concession.key):
            yield f"{at}.key", Expected("应为小写字母、数字、_ 和 .", "expected lower-case letters, digits, _ and .")
        yield from ((f"{at}.{path}", why) for path, why in _concession_faults(concession, item))
        yield from when_faults(f"{at}.when", concession.when)
        yield from _quota_faults(f"{at}.quota", concession.quota)
        yield from _region_faults(f"{at}.region", concession.region)


def _concession_faults(concession: Concession, item: Item) -> Iterator[Fault]:
    if (concession.class_ is None) == (concession.pass_ is None):
        yield "class", exactly_one_of(("class", "pass"))
    if concession.class_ is not None and concession.class_ != EVERYONE and concession.class_ not in BY_CODE:
        known = ", ".join(BY_CODE)
        yield (
            "class",
            Expected(
                f"没有人群类别 {concession.class_}，应为 {EVERYONE} 或其中之一：{known}",
                f"unknown class {concession.class_}; expected {EVERYONE} or one of {known}",
            ),
        )
    if concession.pass_ is not None and (not _CODE.fullmatch(concession.pass_) or item.journey is not None):
        yield (
            "pass",
            Expected(
                "应为出售它的项目的代码，且本项目没有行程",
                "expected the code of an item that sells it, on an item without a journey",
            ),
        )
    yield from _discount_faults(concession.price, item.price)
    if concession.funded_by not in (BORNE_BY_OPERATOR, *FUNDER_ROLES):
        yield "funded_by", _FUNDERS
    elif item.price and item.price.payee == "holder.purse" and LEDGER_OF_ROLE.get(concession.funded_by) != "purse":
        yield (
            "funded_by",
            Expected(
                "应为能把余款付进钱包的一方：bank.offer", "expected who can pay the rest into a purse: bank.offer"
            ),
        )


def _discount_faults(discount: Discount, price: Price | None) -> Iterator[Fault]:
    if sum(way is not None for way in (discount.percent, discount.fixed_fen, discount.cap_fen)) != 1:
        yield "price", exactly_one_of(("percent", "fixed_fen", "cap_fen"))
    if discount.percent is not None and not 0 <= discount.percent <= 100:
        yield (
            "price.percent",
            between(0, 100, "：规则不能把价格抬到全价以上", ": a rule never raises the price above full"),
        )
    if discount.off_fen_max is not None and (discount.percent is None or not 0 < discount.off_fen_max <= FEN_MAX):
        yield "price.off_fen_max", between(1, FEN_MAX, "，与 percent 一起使用", ", beside percent")
    if discount.cap_fen is not None and not 0 <= discount.cap_fen <= FEN_MAX:
        yield "price.cap_fen", between(0, FEN_MAX)
    full_fen = price.full_fen if price else None
    if discount.fixed_fen is not None and (full_fen is None or not 0 <= discount.fixed_fen <= full_fen):
        yield (
            "price.fixed_fen",
            Expected(
                "应为 0 至全价，且全价固定不变：规则不能抬高价格",
                "expected 0 to the full price, where that is always the same: a rule never raises it",
            ),
        )
