"""Terms (办理条件与价格): what an item declares in its TOML file, decoded strictly.

A wrong key, a wrong type or a value that makes no sense is refused with the file, the path inside it and what was
expected.
The same declaration decides at the server and at an offline gate.
"""

import datetime as dt
import re
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from onecard_kit.classes import BY_CODE


class DeclarationError(Exception):
    """A declaration that cannot be taken. Says the file, the path in it (`$.price.full_fen`) and what was expected."""

    def __init__(self, file: str, path: str, expected: str) -> None:
        super().__init__(f"{file}: {path}: {expected}")
        self.file = file
        self.path = path
        self.expected = expected


class Medium(StrEnum):
    """How a card may be presented: the code on a phone or the physical card. Both by default: 卡码同权."""

    CODE = "code"
    CARD = "card"


class CardFunction(StrEnum):
    SOCIAL_SECURITY = "social_security"
    FINANCIAL = "financial"
    TRANSIT = "transit"


class Region(StrEnum):
    """Whose holders a rule is for, by the issuing place of their card."""

    LOCAL = "local"
    ALL = "all"


class Period(StrEnum):
    """The calendar period, in Asia/Shanghai, over which a quota counts."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"

    def start(self, day: dt.date) -> dt.date:
        """The first day of the period that holds `day`."""
        if self is Period.DAY:
            return day
        return day.replace(day=1) if self is Period.MONTH else day.replace(month=1, day=1)


class Bilingual(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    zh: str
    en: str


class Quota(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """At most `count` uses in each `period`."""

    count: int
    period: Period


class Offline(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an offline gate may do: up to `limit_fen` a use, for `days` without contact; who bears a `shortfall`."""

    limit_fen: int
    days: int
    shortfall: str


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The full price and between which accounts it moves.

    Either `full_fen`, or `open_fen = [least, most]` for an amount named at the point.
    """

    payer: str = msgspec.field(name="from")
    payee: str = msgspec.field(name="to")
    full_fen: int | None = None
    open_fen: tuple[int, int] | None = None


class Discount(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is left to pay: `percent` of the full price (a part of a fen is dropped, for the holder) or `fixed_fen`."""

    percent: int | None = None
    fixed_fen: int | None = None

    def of(self, full_fen: int) -> int:
        """The price after this discount; never above the full price."""
        if self.percent is not None:
            return full_fen * self.percent // 100
        assert self.fixed_fen is not None
        return min(self.fixed_fen, full_fen)


class Concession(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The terms a class gets (减免优待) and who funds the difference."""

    class_: str = msgspec.field(name="class")
    price: Discount
    funded_by: str
    region: Region = Region.LOCAL
    quota: Quota | None = None
    note: Bilingual | None = None


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One version of an application item (应用项目) as its file declares it, in force from `starts_on` to before
    `ends_on`."""

    code: str
    version: int
    starts_on: dt.date
    name: Bilingual
    legal_basis: str
    ends_on: dt.date | None = None
    media: tuple[Medium, ...] = (Medium.CODE, Medium.CARD)
    function: CardFunction | None = None
    region: Region = Region.ALL
    classes: tuple[str, ...] = ()
    limit: Quota | None = None
    offline: Offline | None = None
    price: Price | None = None
    concession: tuple[Concession, ...] = ()

    def rule(self, concession: Concession | None = None) -> str:
        """The stable name under which a quota is counted: the item's own limit, or a concession's."""
        return f"{self.code}/{concession.class_}" if concession else self.code


# Account roles an item may name, and the ledger (kind of value) each lives in. A payee's ledger follows its payer.
LEDGER_OF_ROLE = {
    "holder.purse": "purse",
    "bank.clearing": "purse",
    "bank.offer": "purse",
    "treasury.city": "treasury",
}
PAYEE_ROLES = ("operator.receivable", "holder.purse", "bank.clearing")
FUNDER_ROLES = ("treasury.city", "bank.offer")
BORNE_BY_OPERATOR = "operator"
EVERYONE = "everyone"
# Far above anything real, and far below what a column or a sum could not hold.
FEN_MAX = 1_000_000_000
COUNT_MAX = 1_000_000
_CODE = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


def parse(text: str, file: str) -> Item:
    """Decode and check one item file. Raises DeclarationError; `file` is only named in it."""
    try:
        raw = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also a number of thousands of digits, and endless brackets
        raise DeclarationError(file, "$", f"TOML: {error}") from None
    item = from_plain(raw, file)
    for path, expected in _faults(item):
        raise DeclarationError(file, path, expected)
    return item


def load(path: Path, name: str | None = None) -> Item:
    """Read an item file; `name` is how errors call it (default: the path). Raises DeclarationError, OSError."""
    file = name or str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DeclarationError(file, "$", f"expected UTF-8: {error.reason} at byte {error.start}") from None
    return parse(text, file)


def from_plain(raw: dict[str, Any], file: str) -> Item:
    """Decode plain data (from TOML, or a stored version's JSON) into an Item."""
    try:
        return msgspec.convert(raw, Item, strict=True)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `")
        path = path.rstrip("`") or "$"
        if message.startswith("Object contains unknown field"):
            message += f"; known here: {', '.join(_known_keys(path))}"
        raise DeclarationError(file, path, message) from None


def _known_keys(path: str) -> tuple[str, ...]:
    """The keys that the table at `path` (`$.concession[...].price`) may hold."""
    found: Any = Item
    for step in re.findall(r"\.(\w+)", path):
        fields = {f.encode_name: f.type for f in msgspec.structs.fields(found)}
        found = _struct_in(fields.get(step))
        if found is None:
            return ()  # a key that only looks like the end of a message
    return tuple(f.encode_name for f in msgspec.structs.fields(found))


def _struct_in(kind: Any) -> Any:
    """The struct inside `X`, `X | None` or `tuple[X, ...]`; None where there is none."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    return next((found for part in getattr(kind, "__args__", ()) if (found := _struct_in(part)) is not None), None)


def _faults(item: Item) -> list[tuple[str, str]]:
    """What the types cannot say, in file order: (path, what was expected)."""
    faults: list[tuple[str, str]] = []
    if not _CODE.fullmatch(item.code):
        faults.append(("$.code", "expected <field>.<name> in lower case"))
    if not 1 <= item.version <= COUNT_MAX:
        faults.append(("$.version", f"expected 1 to {COUNT_MAX}"))
    if item.ends_on is not None and item.ends_on <= item.starts_on:
        faults.append(("$.ends_on", "expected a day after starts_on"))
    if not item.media:
        faults.append(("$.media", "expected at least one of code, card"))
    faults += [("$.classes", f"unknown class {name}") for name in item.classes if name not in BY_CODE]
    if item.limit is not None and not 1 <= item.limit.count <= COUNT_MAX:
        faults.append(("$.limit.count", f"expected 1 to {COUNT_MAX}"))
    if item.price is not None:
        faults += _price_faults(item.price)
    elif item.concession:
        faults.append(("$.concession", "expected a price that it reduces"))
    for n, concession in enumerate(item.concession):
        if concession.class_ in {before.class_ for before in item.concession[:n]}:
            # A use and its quotas name their concession by the class.
            faults.append((f"$.concession[{n}].class", f"expected a class not declared before: {concession.class_}"))
        faults += [(f"$.concession[{n}].{path}", why) for path, why in _concession_faults(concession, item.price)]
    return faults


def _price_faults(price: Price) -> list[tuple[str, str]]:
    faults = []
    if (price.full_fen is None) == (price.open_fen is None):
        faults.append(("$.price", "expected exactly one of full_fen, open_fen"))
    if price.full_fen is not None and not 0 <= price.full_fen <= FEN_MAX:
        faults.append(("$.price.full_fen", f"expected 0 to {FEN_MAX}"))
    if price.open_fen is not None and not 0 < price.open_fen[0] <= price.open_fen[1] <= FEN_MAX:
        faults.append(("$.price.open_fen", f"expected [least, most] with 0 < least ≤ most ≤ {FEN_MAX}"))
    if price.payer not in LEDGER_OF_ROLE:
        faults.append(("$.price.from", f"expected one of {', '.join(LEDGER_OF_ROLE)}"))
    if price.payee not in PAYEE_ROLES or price.payee == price.payer:
        faults.append(("$.price.to", f"expected one of {', '.join(PAYEE_ROLES)}, other than from"))
    elif price.payee == "holder.purse" and LEDGER_OF_ROLE.get(price.payer, "purse") != "purse":
        faults.append(("$.price.to", f"expected another: {price.payer} holds another kind of value than a purse"))
    return faults


def _concession_faults(concession: Concession, price: Price | None) -> list[tuple[str, str]]:
    faults = []
    if concession.class_ != EVERYONE and concession.class_ not in BY_CODE:
        faults.append(
            ("class", f"unknown class {concession.class_}; expected {EVERYONE} or one of {', '.join(BY_CODE)}")
        )
    terms = concession.price
    if (terms.percent is None) == (terms.fixed_fen is None):
        faults.append(("price", "expected exactly one of percent, fixed_fen"))
    if terms.percent is not None and not 0 <= terms.percent <= 100:
        faults.append(("price.percent", "expected 0 to 100: a rule never raises the price above full"))
    full_fen = price.full_fen if price else None
    if terms.fixed_fen is not None and not 0 <= terms.fixed_fen <= (
        full_fen if full_fen is not None else terms.fixed_fen
    ):
        faults.append(("price.fixed_fen", "expected 0 to the full price: a rule never raises it"))
    if concession.funded_by not in (BORNE_BY_OPERATOR, *FUNDER_ROLES):
        faults.append(("funded_by", f"expected {BORNE_BY_OPERATOR} or one of {', '.join(FUNDER_ROLES)}"))
    elif price and price.payee == "holder.purse" and LEDGER_OF_ROLE.get(concession.funded_by) != "purse":
        faults.append(("funded_by", "expected who can pay the rest into a purse: bank.offer"))
    if concession.quota is not None and not 1 <= concession.quota.count <= COUNT_MAX:
        faults.append(("quota.count", f"expected 1 to {COUNT_MAX}"))
    return faults
