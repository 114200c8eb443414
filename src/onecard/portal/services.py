"""View values of the public list (应用项目清单): what each place's list says, as pages and rows."""

import datetime as dt
from dataclasses import dataclass

from django.http import QueryDict

from onecard.foundation import clock, node
from onecard.foundation.web.links import query_of, text_in
from onecard.kernel.catalogue import queries, rules, words
from onecard.kernel.catalogue.models import ItemVersion, Point, Stage
from onecard.kernel.holders import divisions
from onecard.scenarios import guides
from onecard.scenarios.guides import Guide, both
from onecard.scenarios.terms import price_of, when_in_words
from onecard_kit import terms
from onecard_kit.classes import BY_CODE
from onecard_kit.terms import Level

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
    """What somebody looks for: a place, a field, a turn of life, a level and a kind ('' is all), words to find, the
    last code of the page before.
    """

    place: Place
    field: str
    level: str
    kind: str
    text: str
    after: str
    event: str = ""

    @property
    def filters(self) -> queries.Filters:
        return queries.Filters(self.field, self.level, self.kind, self.text, self.event)

    @property
    def narrowed(self) -> bool:
        """Whether one of the choices that the page folds away is made."""
        return bool(self.level or self.kind) or self.place.code != node.code()

    def query(self, **changes: str) -> str:
        """The address of the same list with something changed; empty values are left out."""
        county = "" if self.place.code == node.code() else self.place.code
        values = {"county": county, "event": self.event, "field": self.field, "level": self.level, "kind": self.kind}
        values |= {"q": self.text, "after": "", **changes}
        return query_of(values)


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
    events: list[tuple[str, Words, int]]
    levels: list[tuple[str, Words]]
    kinds: list[tuple[str, Words]]
    rows: list[ServiceRow]
    found: int
    after: str


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
class ServicePage(Guide):
    """Everything that the list says of one item: what it is on a day, where, and since when."""

    code: str
    declared: terms.Item
    icon: str
    begins_on: dt.date | None
    ended_on: dt.date | None
    points: list[PointRow]
    points_after: str
    versions: list[VersionRow]


def chosen(asked: QueryDict) -> Chosen:
    """What an address asks for; a county that is none of ours is as if none was named."""
    counties = {place.code: place for place in counties_of(node.code())}
    place = counties.get(asked.get("county", ""), Place(node.code(), divisions.name_of(node.code())))
    names = ("field", "level", "kind", "q", "after", "event")
    return Chosen(place, *(text_in(asked.get(name, ""), TEXT_MAX) for name in names))


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
    counts = queries.count_by_field(place, today, looked_for.filters._replace(field=""))
    events = queries.count_by_life_event(place, today, looked_for.filters._replace(life_event=""))
    rows = queries.list_of(place, today, looked_for.filters, after=looked_for.after, limit=PAGE + 1)
    shown = rows[:PAGE]
    demonstrated = queries.demonstrated([row.item_id for row in shown], place)
    return Services(
        looked_for,
        counties_of(node.code()),
        [(field, words.field(field), number) for field, number in counts.items()],
        [(event.value, told, events[event]) for event, told in words.LIFE_EVENTS.items() if event in events],
        [(level.value, told) for level, told in words.LEVELS.items()],
        [(kind.value, told) for kind, told in words.KINDS.items()],
        [_row(row, demonstrated) for row in shown],
        counts.get(looked_for.field, 0) if looked_for.field else sum(counts.values()),
        shown[-1].item_id if len(rows) > PAGE else "",
    )


def fields() -> list[tuple[str, Words, str, list[Words]]]:
    """The city's list today in short, for the home page: each field with its icon and the names of its items."""
    found: dict[str, list[Words]] = {}
    for row in queries.list_of(node.code(), clock.today(), limit=queries.ALL):
        found.setdefault(row.item.field, []).append(row.declaration["name"])
    return [(field, words.field(field), icon(field), names) for field, names in found.items()]


def life_events() -> list[tuple[str, Words, int]]:
    """The turns of life that the city's list serves today, in the order in which they come, and how many items each."""
    counts = queries.count_by_life_event(node.code(), clock.today())
    return [(event.value, told, counts[event]) for event, told in words.LIFE_EVENTS.items() if event in counts]


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


# --- One item ---------------------------------------------------------------------------------------------------------


def service(code: str, after: str = "") -> ServicePage:
    """An item that was ever published; its points after a code. Raises NotFound ITEM_UNKNOWN."""
    today = clock.today()
    row = queries.item(code)
    version = queries.version_for(code, today)
    assert version is not None
    item = queries.declared(version)
    points = queries.points_of(code, after=text_in(after), limit=POINTS + 1)
    return ServicePage(
        **vars(guides.of(row, item)),
        code=code,
        declared=item,
        icon=icon(row.field),
        begins_on=version.starts_on if version.starts_on > today else None,
        ended_on=version.ends_on if version.ends_on is not None and version.ends_on <= today else None,
        points=[_point(point) for point in points[:POINTS]],
        points_after=points[POINTS - 1].code if len(points) > POINTS else "",
        versions=[_version(each, version) for each in queries.versions_of(code, stages=(Stage.PUBLISHED, Stage.ENDED))],
    )


def _point(point: Point) -> PointRow:
    hours = [told for when in queries.hours_of(point) for told in when_in_words(when)]
    name = {"zh": point.name_zh, "en": point.name_en}
    return PointRow(name, divisions.name_of(point.division), hours, point.demonstration)


def _version(row: ItemVersion, shown: ItemVersion) -> VersionRow:
    decided_by = {"zh": row.decided_by_zh, "en": row.decided_by_en}
    return VersionRow(row.version, row.starts_on, row.ends_on, decided_by, row.decided_on, row.pk == shown.pk)
