"""View values of the public list (应用项目清单): what each place's list says, as pages, rows and open data."""

import datetime as dt
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext as _

from onecard.foundation import clock
from onecard.foundation.money import yuan
from onecard.foundation.web.jinja import words as in_language
from onecard.kernel.catalogue import queries, rules, words
from onecard.kernel.catalogue.models import Item, ItemVersion, LegalBasis, Point, Stage, State
from onecard.kernel.holders import divisions
from onecard_kit import terms
from onecard_kit.classes import BY_CODE
from onecard_kit.reasons import FUNDERS, concession_name
from onecard_kit.terms import Bilingual, Level

Words = dict[str, str]
PAGE = 20
POINTS = 20
TEXT_MAX = 50
ICONS = {
    "government": "building-bank",
    "employment": "user-check",
    "health": "heart-handshake",
    "transit": "bus",
    "tourism": "ticket",
    "culture": "book",
    "education": "certificate",
    "payments": "wallet",
    "living": "building-community",
    "countryside": "map-2",
    "mobilisation": "shield-check",
    "credit": "checklist",
    "protection": "users",
}


@dataclass(frozen=True)
class Place:
    """A division by its code; the city itself where no county was chosen."""

    code: str
    name: str


@dataclass(frozen=True)
class Chosen:
    """What somebody looks for: a place, a field ('' is all), words to find, the last code of the page before."""

    place: Place
    field: str
    text: str
    after: str

    def query(self, **changes: str) -> str:
        """The address of the same list with something changed; empty values are left out."""
        county = "" if self.place.code == node() else self.place.code
        values = {"county": county, "field": self.field, "q": self.text, "after": "", **changes}
        return "?" + urlencode({name: value for name, value in values.items() if value})


@dataclass(frozen=True)
class ServiceRow:
    """An item in a list."""

    code: str
    name: Words
    icon: str
    field: Words
    level: Words
    price: str
    classes: list[Words]
    pilot: bool
    demonstration: bool
    excluded: bool


@dataclass(frozen=True)
class Services:
    """One page of a place's list."""

    chosen: Chosen
    counties: list[Place]
    fields: list[tuple[str, Words, int]]
    rows: list[ServiceRow]
    found: int
    after: str


@dataclass(frozen=True)
class ConcessionRow:
    """Who pays less, how much, where and when, and who funds it."""

    name: Words
    price: str
    limits: list[str]
    funder: Words


@dataclass(frozen=True)
class PointRow:
    """A point that offers an item."""

    name: Words
    division: str
    hours: list[str]
    demonstration: bool


@dataclass(frozen=True)
class VersionRow:
    """A version that was published: its days, and who decided it."""

    number: int
    starts_on: dt.date
    ends_on: dt.date | None
    decided_by: Words
    decided_on: dt.date | None
    current: bool


@dataclass(frozen=True)
class ServicePage:
    """Everything that the list says of one item."""

    code: str
    name: Words
    icon: str
    tags: list[tuple[str, str]]
    excluded: Words | None
    begins_on: dt.date | None
    ended_on: dt.date | None
    facts: list[tuple[str, list[Words]]]
    steps: list[Words]
    guide: Words | None
    price: str
    concessions: list[ConcessionRow]
    bases: list[LegalBasis]
    points: list[PointRow]
    points_after: str
    versions: list[VersionRow]


def node() -> str:
    """The division that this installation serves."""
    return os.environ.get("ONECARD_NODE", "320600")


def chosen(asked: QueryDict) -> Chosen:
    """What an address asks for; a county that is none of ours is as if none was named."""
    counties = {place.code: place for place in counties_of(node())}
    place = counties.get(asked.get("county", ""), Place(node(), divisions.name_of(node())))
    field, text, after = (asked.get(name, "").replace("\0", "").strip()[:TEXT_MAX] for name in ("field", "q", "after"))
    return Chosen(place, field, text, after)


def counties_of(city: str) -> list[Place]:
    """The counties of a city that are in force, by code."""
    prefix = rules.division_prefix(city)
    return [
        Place(each.code, each.name)
        for each in divisions.load().values()
        if each.code.startswith(prefix) and each.to_year is None and each.code[4:] not in ("00", "01")
    ]


def services(looked_for: Chosen) -> Services:
    """A page of the list of the chosen place, today."""
    today, place = clock.today(), looked_for.place.code
    filters = queries.Filters(field=looked_for.field, text=looked_for.text)
    counts = queries.count_by_field(place, today, filters._replace(field=""))
    rows = queries.list_of(place, today, filters, after=looked_for.after, limit=PAGE + 1)
    shown = rows[:PAGE]
    demonstrated = queries.demonstrated([row.item_id for row in shown], place)
    return Services(
        looked_for,
        counties_of(node()),
        [(field, words.field(field), number) for field, number in counts.items()],
        [_row(row, demonstrated) for row in shown],
        counts.get(looked_for.field, 0) if looked_for.field else sum(counts.values()),
        shown[-1].item_id if len(rows) > PAGE else "",
    )


def fields() -> list[tuple[str, Words, str, list[Words]]]:
    """The city's list today in short, for the home page: each field with its icon and the names of its items."""
    found: dict[str, list[Words]] = {}
    for row in queries.list_of(node(), clock.today(), limit=queries.ALL):
        found.setdefault(row.item.field, []).append(row.declaration["name"])
    return [(field, words.field(field), icon(field), names) for field, names in found.items()]


def icon(field: str) -> str:
    return ICONS.get(field, "list-check")


def _row(row: ItemVersion, demonstrated: set[str]) -> ServiceRow:
    item = queries.declared(row)
    known = [BY_CODE[each.class_] for each in item.concession if each.class_ in BY_CODE]
    return ServiceRow(
        code=item.code,
        name=both(item.name),
        icon=icon(row.item.field),
        field=words.field(row.item.field),
        level=words.LEVELS[Level(row.item.level)],
        price="" if item.excluded else price_of(item.price),
        classes=_once([{"zh": each.zh, "en": each.en} for each in known]),
        pilot=bool(item.pilot_areas),
        demonstration=item.code in demonstrated,
        excluded=item.excluded is not None,
    )


def _once(told: list[Words]) -> list[Words]:
    return [each for n, each in enumerate(told) if each not in told[:n]]


def both(told: Bilingual) -> Words:
    """Words of a declaration, as templates take them."""
    return {"zh": told.zh, "en": told.en}


# --- One item ---------------------------------------------------------------------------------------------------------


def service(code: str, after: str = "") -> ServicePage:
    """An item that was ever published; its points after a code. Raises NotFound ITEM_UNKNOWN."""
    today, code = clock.today(), code.replace("\0", "")
    row = queries.item(code)
    version = queries.version_for(code, today)
    assert version is not None
    item = queries.declared(version)
    points = queries.points_of(code, after=after.replace("\0", "")[:TEXT_MAX], limit=POINTS + 1)
    return ServicePage(
        code=code,
        name=both(item.name),
        icon=icon(row.field),
        tags=_tags(row, item),
        excluded=_excluded(item),
        begins_on=version.starts_on if version.starts_on > today else None,
        ended_on=version.ends_on if version.ends_on is not None and version.ends_on <= today else None,
        facts=[(label, told) for label, told in _facts(item) if told],
        steps=[both(each) for each in item.steps],
        guide=both(item.guide) if item.guide else None,
        price="" if item.excluded else price_of(item.price),
        concessions=_concessions(item),
        bases=queries.legal_bases(item.legal_basis),
        points=[_point(point) for point in points[:POINTS]],
        points_after=points[POINTS - 1].code if len(points) > POINTS else "",
        versions=[_version(each, version) for each in queries.versions_of(code, stages=(Stage.PUBLISHED, Stage.ENDED))],
    )


def _tags(row: Item, item: terms.Item) -> list[tuple[str, str]]:
    tags = [
        (in_language(words.field(row.field)), "info"),
        (in_language(words.LEVELS[Level(row.level)]), ""),
        (in_language(words.KINDS[item.kind]), ""),
    ]
    if row.state == State.SUSPENDED:
        tags.append((_("暂停"), "warn"))
    if item.pilot_areas:
        tags.append((_("试点"), "teal"))
    return tags


def _excluded(item: terms.Item) -> Words | None:
    return {"zh": item.excluded.zh, "en": item.excluded.en} if item.excluded else None


def _facts(item: terms.Item) -> Iterator[tuple[str, list[Words]]]:
    """What the guide says line by line; a line without words is left out."""
    yield _("谁可以用"), _some(item.audience)
    yield _("办理渠道"), [words.CHANNELS[channel] for channel in item.channels]
    yield _("出示方式"), [words.MEDIA[medium] for medium in item.media]
    yield _("条件"), [both(each) for each in item.conditions]
    yield _("时限"), _some(item.time_limit)
    yield _("试点地区"), [{"zh": divisions.name_of(area), "en": ""} for area in item.pilot_areas]
    yield _("主管部门"), _some(item.lead_unit)
    yield _("配合单位"), [both(each) for each in item.supporting_units]


def _some(told: Bilingual | None) -> list[Words]:
    return [both(told)] if told else []


def price_of(price: terms.Price | None) -> str:
    """The full price in words."""
    if price is None:
        return _("免费")
    if price.full_fen is not None:
        return _("全价 %(yuan)s 元") % {"yuan": yuan(price.full_fen)}
    if price.distance is not None:
        return _("按里程计价，最高 %(yuan)s 元") % {"yuan": yuan(price.most_fen)}
    if price.hourly is not None:
        told = {"yuan": yuan(price.hourly.fen), "most": yuan(price.hourly.max_fen)}
        return _("每小时 %(yuan)s 元，最高 %(most)s 元") % told
    return _("金额当场确定")


def _concessions(item: terms.Item) -> list[ConcessionRow]:
    regions = queries.area_set_names([each.region for each in item.concession])
    return [_concession(each, regions) for each in item.concession]


def _concession(each: terms.Concession, regions: dict[str, Words]) -> ConcessionRow:
    name_zh, name_en = concession_name(each)
    funder_zh, funder_en = FUNDERS[each.funded_by]
    limits = [_region(each.region, regions), *_hours(each.when), *([_quota(each.quota)] if each.quota else [])]
    return ConcessionRow(
        {"zh": name_zh, "en": name_en}, _discount(each.price), limits, {"zh": funder_zh, "en": funder_en}
    )


def _region(region: str, names: dict[str, Words]) -> str:
    """Whose cards it is for, by the place that issued them."""
    if region == terms.LOCAL:
        return _("本市发的卡")
    if region == terms.ALL:
        return _("各地发的卡")
    return _("%(places)s发的卡") % {"places": in_language(names.get(region, {"zh": region, "en": region}))}


def _discount(discount: terms.Discount) -> str:
    if discount.percent == 0:
        return _("免费")
    if discount.percent is not None and discount.off_fen_max is not None:
        told = {"percent": discount.percent, "yuan": yuan(discount.off_fen_max)}
        return _("全价的 %(percent)s%%，最多优惠 %(yuan)s 元") % told
    if discount.percent is not None:
        return _("全价的 %(percent)s%%") % {"percent": discount.percent}
    if discount.fixed_fen is not None:
        return _("%(yuan)s 元") % {"yuan": yuan(discount.fixed_fen)}
    return _("最多 %(yuan)s 元") % {"yuan": yuan(discount.cap_fen or 0)}


def _quota(quota: terms.Quota) -> str:
    told = {
        terms.Period.DAY: _("每天 %(count)s 次"),
        terms.Period.MONTH: _("每月 %(count)s 次"),
        terms.Period.YEAR: _("每年 %(count)s 次"),
    }
    return told[quota.period] % {"count": quota.count}


def _hours(when: terms.When | None) -> list[str]:
    """Kinds of day and windows of the day in words; [] is always."""
    if when is None:
        return []
    days = [in_language(words.DAYS[kind]) for kind in when.days] if len(when.days) < len(terms.DayKind) else []
    return [" ".join([*days, *(f"{start}–{end}" for start, end in when.hours)])]


def _point(point: Point) -> PointRow:
    hours = [told for when in queries.hours_of(point) for told in _hours(when)]
    name = {"zh": point.name_zh, "en": point.name_en}
    return PointRow(name, divisions.name_of(point.division), hours, point.demonstration)


def _version(row: ItemVersion, shown: ItemVersion) -> VersionRow:
    decided_by = {"zh": row.decided_by_zh, "en": row.decided_by_en}
    return VersionRow(row.version, row.starts_on, row.ends_on, decided_by, row.decided_on, row.pk == shown.pk)


# --- Open data --------------------------------------------------------------------------------------------------------

COLUMNS = (
    "code", "version", "field", "level", "area", "extends", "kind", "pilot_areas", "starts_on", "ends_on",
    "name_zh", "name_en", "audience_zh", "audience_en", "channels", "conditions_zh", "conditions_en",
    "steps_zh", "steps_en", "time_limit_zh", "time_limit_en", "guide_zh", "guide_en", "lead_unit_zh", "lead_unit_en",
    "supporting_units_zh", "supporting_units_en", "legal_basis", "decided_by_zh", "decided_by_en", "decided_on",
    "demonstration",
)  # fmt: skip


def open_data(looked_for: Chosen) -> list[dict[str, Any]]:
    """The whole list of the chosen place today, by code, as plain values: the same for whoever asks."""
    today, place, found, after = clock.today(), looked_for.place.code, [], ""
    filters = queries.Filters(field=looked_for.field, text=looked_for.text)
    while page := queries.list_of(place, today, filters, after=after):
        demonstrated = queries.demonstrated([row.item_id for row in page], place)
        found += [_plain(row, row.item_id in demonstrated) for row in page]
        after = page[-1].item_id
    return found


def _plain(row: ItemVersion, demonstration: bool) -> dict[str, Any]:
    item, stored = queries.declared(row), row.item
    return {
        "code": item.code,
        "version": item.version,
        "field": stored.field,
        "level": stored.level,
        "area": stored.area,
        "extends": stored.extends_id,
        "kind": item.kind.value,
        "pilot_areas": list(item.pilot_areas),
        "starts_on": row.starts_on.isoformat(),
        "ends_on": row.ends_on.isoformat() if row.ends_on else None,
        "name": both(item.name),
        "audience": both(item.audience) if item.audience else None,
        "channels": [channel.value for channel in item.channels],
        "conditions": [both(each) for each in item.conditions],
        "steps": [both(each) for each in item.steps],
        "time_limit": both(item.time_limit) if item.time_limit else None,
        "guide": both(item.guide) if item.guide else None,
        "lead_unit": both(item.lead_unit) if item.lead_unit else None,
        "supporting_units": [both(each) for each in item.supporting_units],
        "legal_basis": list(item.legal_basis),
        "decided_by": {"zh": row.decided_by_zh, "en": row.decided_by_en},
        "decided_on": row.decided_on.isoformat() if row.decided_on else None,
        "demonstration": demonstration,
    }


def cells(entry: dict[str, Any]) -> list[object]:
    """An entry of the open data as the cells of COLUMNS; several values in one cell are parted by a semicolon."""
    return [_cell(entry, column) for column in COLUMNS]


def _cell(entry: dict[str, Any], column: str) -> object:
    if column in entry:
        value = entry[column]
        return "; ".join(value) if isinstance(value, list) else value
    name, _underscore, language = column.rpartition("_")
    value = entry[name]
    if isinstance(value, list):
        return "; ".join(each[language] for each in value)
    return value[language] if value else None
