"""The public list as open data: JSON with all that the files say, CSV with what fits a table."""

from typing import Any, NamedTuple

from onecard.foundation import clock
from onecard.foundation.errors import BadInput
from onecard.kernel.catalogue import queries
from onecard.kernel.catalogue.models import ItemVersion
from onecard.portal.services import Chosen
from onecard.scenarios import legal

Entry = dict[str, Any]

# What a decision goes by: keys of the item's file, as docs/item-files.md tells them.
TERMS = (
    "family", "paper", "function", "region", "classes", "excluded", "when", "needs", "limit", "capacity", "offline",
    "journey", "pass",
    "price", "means", "transfer", "day_cap_fen", "refund", "concession",
)  # fmt: skip
WORDS = ("name", "audience", "time_limit", "guide", "lead_unit", "conditions", "materials", "steps", "supporting_units")
COLUMNS = (
    "code", "version", "field", "level", "area", "extends", "kind", "pilot_areas", "starts_on", "ends_on",
    "name_zh", "name_en", "audience_zh", "audience_en", "life_events", "channels", "conditions_zh", "conditions_en",
    "materials_zh", "materials_en",
    "steps_zh", "steps_en", "time_limit_zh", "time_limit_en", "guide_zh", "guide_en", "lead_unit_zh", "lead_unit_en",
    "supporting_units_zh", "supporting_units_en", "legal_basis", "decided_by_zh", "decided_by_en", "decided_on",
    "demonstration", "media", "function", "region", "classes", "price.full_fen", "price.open_fen", "price.hourly.fen",
    "price.hourly.max_fen", "price.hourly.free_minutes", "price.distance.steps", "transfer.after",
    "transfer.within_minutes", "transfer.off_fen", "day_cap_fen", "means", "limit.count", "limit.period",
    "capacity.count", "capacity.period", "refund.within_days", "concession.key",
)  # fmt: skip


class Part(NamedTuple):
    """Entries of a list, and the code after which the next part begins; "" where nothing is left."""

    entries: list[Entry]
    next: str


def of(looked_for: Chosen, asked: str = "") -> Part:
    """The list of the chosen place today, by code, as plain values: the same for whoever asks.

    All of it, or as many entries as are asked for. Raises BadInput LIMIT_MALFORMED.
    """
    place, limit = looked_for.place.code, _limit(asked)
    rows = queries.list_of(place, clock.today(), looked_for.filters, after=looked_for.after, limit=limit + 1)
    shown = rows[:limit]
    demonstrated = queries.demonstrated([row.item_id for row in shown], place)
    entries = [_plain(row, row.item_id in demonstrated) for row in shown]
    return Part(entries, shown[-1].item_id if len(rows) > limit else "")


def _limit(asked: str) -> int:
    if not asked:
        return queries.ALL
    if not (asked.isascii() and asked.isdecimal() and 1 <= int(asked) <= queries.ALL):
        raise BadInput(
            "LIMIT_MALFORMED",
            f"limit 应为 1 至 {queries.ALL} 的整数。",
            f"limit is a whole number from 1 to {queries.ALL}.",
            next_zh="请改正地址，或去掉 limit 一次取得全部。",
            next_en="Correct the address, or leave limit out to get everything.",
        )
    return int(asked)


def laws(entries: list[Entry]) -> list[Entry]:
    """The legal bases that entries point to, by code, as plain values."""
    codes = sorted({code for entry in entries for code in entry["legal_basis"]})
    return [legal.plain(row) for row in queries.legal_bases(codes)]


def _plain(row: ItemVersion, demonstration: bool) -> Entry:
    told, stored = queries.plain(row), row.item
    return {
        "code": told["code"],
        "version": told["version"],
        "field": stored.field,
        "level": stored.level,
        "area": stored.area,
        "extends": stored.extends_id,
        "kind": told["kind"],
        "pilot_areas": told["pilot_areas"],
        "starts_on": row.starts_on.isoformat(),
        "ends_on": row.ends_on.isoformat() if row.ends_on else None,
        **{key: told[key] for key in WORDS},
        "life_events": told["life_events"],
        "channels": told["channels"],
        "media": told["media"],
        "legal_basis": told["legal_basis"],
        "decided_by": {"zh": row.decided_by_zh, "en": row.decided_by_en},
        "decided_on": row.decided_on.isoformat() if row.decided_on else None,
        "demonstration": demonstration,
        "terms": {key: told[key] for key in TERMS},
    }


def cells(entry: Entry) -> list[object]:
    """An entry of the open data as the cells of COLUMNS; several values in one cell are parted by a semicolon."""
    return [_cell(entry, column) for column in COLUMNS]


def _cell(entry: Entry, column: str) -> object:
    key, _dot, rest = column.partition(".")
    if key in TERMS:
        return _joined(_at(entry["terms"][key], rest))
    if column in entry:
        return _joined(entry[column])
    name, _underscore, language = column.rpartition("_")
    return _joined(_at(entry[name], language))


def _at(value: Any, path: str) -> Any:
    """What lies at a path of keys, of each member where there are several; None where nothing does."""
    for key in path.split(".") if path else ():
        if value is None:
            return None
        value = [each[key] for each in value] if isinstance(value, (list, tuple)) else value[key]
    return value


def _joined(value: Any) -> object:
    if not isinstance(value, (list, tuple)):
        return value
    return "; ".join(" ".join(map(str, each)) if isinstance(each, (list, tuple)) else str(each) for each in value)
