"""View values of the catalogue: items with their versions, one version in words, what a file would change, how two
versions differ, and where an item is offered. What may be done with them is in `steps`.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from django.db import transaction
from django.http import QueryDict

from onecard.console import actors, steps
from onecard.console.placing import STATES
from onecard.console.steps import Offered
from onecard.foundation import clock
from onecard.foundation.web.links import number_in, query_of, text_in
from onecard.kernel.catalogue import difference, files, loading, queries, register, words, writing
from onecard.kernel.catalogue.difference import Change
from onecard.kernel.catalogue.models import Item, ItemVersion, Stage
from onecard.kernel.catalogue.register import PAGE, Standing, WantedItems
from onecard.kernel.holders import divisions
from onecard.kernel.staff.queries import StaffActor
from onecard.scenarios import guides
from onecard.scenarios.guides import Guide
from onecard_kit import item_files
from onecard_kit.terms import Level

Words = dict[str, str]
PERMISSION = "catalogue.read"
OFFERS = 20
VERSION_DIGITS = 7
CODE_CHARS = item_files.CODE_CHARS_MAX
TONES: dict[str, str] = {Stage.DRAFT: "info", Stage.REVIEW: "warn", Stage.PUBLISHED: "ok", Stage.ENDED: ""}
STAGE_CHOICES = [(stage.value, told) for stage, told in words.STAGES.items()]
LEVEL_CHOICES = [(level.value, told) for level, told in words.LEVELS.items()]


# --- The list ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chosen:
    """What an officer looks for, and the last code of the page before."""

    wanted: WantedItems
    after: str

    def query(self, after: str = "") -> str:
        """The address of the same list from another page on."""
        values = {**self.wanted._asdict(), "after": after}
        return query_of(values)

    @property
    def narrows(self) -> bool:
        return self.wanted != WantedItems()


@dataclass(frozen=True)
class Row:
    """An item in the list. `now` is the version in force today, None where there is none; `waiting` are the versions
    that are not published, `next` those that begin later.
    """

    code: str
    name: Words
    field: Words
    level: Words
    area: Words
    state: tuple[Words, str]
    now: Standing | None
    next: list[Standing]
    waiting: list[tuple[int, Words, str]]


@dataclass(frozen=True)
class Listing:
    """A page of items; `next` is where the next one begins, '' if this is the last."""

    chosen: Chosen
    rows: list[Row]
    next: str


def chosen(asked: QueryDict) -> Chosen:
    """What the address asks for; what is unknown is left out."""
    level, state, stage = (asked.get(name, "") for name in ("level", "state", "stage"))
    wanted = WantedItems(
        text_in(asked.get("text", ""), 64),
        text_in(asked.get("field", ""), 64),
        level if level in list(Level) else "",
        state if state in STATES else "",
        stage if stage in list(Stage) else "",
    )
    return Chosen(wanted, text_in(asked.get("after", ""), CODE_CHARS))


def of_code(code: str) -> Item:
    """The item of a code in an address. Raises NotFound ITEM_UNKNOWN."""
    return register.item(text_in(code, CODE_CHARS))


def fields() -> list[tuple[str, Words]]:
    """The fields that have items, in words."""
    return [(code, words.field(code)) for code in register.fields()]


def listing(wanted: Chosen) -> Listing:
    """A page of all items of the node: lists of other places, too, which an officer's own extend."""
    found = register.items(wanted.wanted, after=wanted.after, limit=PAGE + 1)
    shown = found[:PAGE]
    versions: dict[str, list[Standing]] = {item.code: [] for item in shown}
    for each in register.standings([*versions]):
        versions[each.item].append(each)
    areas = _areas(shown)
    rows = [_row(item, versions[item.code], areas) for item in shown]
    return Listing(wanted, rows, shown[-1].code if len(found) > PAGE else "")


def _row(item: Item, versions: Sequence[Standing], areas: dict[str, Words]) -> Row:
    today = clock.today()
    published = [each for each in versions if each.stage in queries.EVER_PUBLISHED]
    now = next((each for each in published if _holds(each, today)), None)
    named = now or next(iter(published or versions), None)
    return Row(
        code=item.code,
        name=named.name if named else {"zh": item.code, "en": item.code},
        field=words.field(item.field),
        level=words.LEVELS[Level(item.level)],
        area=areas[item.code],
        state=STATES[item.state],
        now=now,
        next=[each for each in published if each.starts_on > today and each.ends_on != each.starts_on],
        waiting=[
            (each.version, words.STAGES[Stage(each.stage)], TONES[each.stage])
            for each in versions
            if each.stage not in queries.EVER_PUBLISHED
        ],
    )


def _holds(version: Standing | ItemVersion, day: dt.date) -> bool:
    return version.starts_on <= day and (version.ends_on is None or version.ends_on > day)


def _areas(items: Sequence[Item]) -> dict[str, Words]:
    """Where each item is live, by code: a set of places for the region's, else a division."""
    sets = queries.area_set_names([item.area for item in items if item.level == Level.REGION])
    return {item.code: sets.get(item.area) or {"zh": divisions.name_of(item.area), "en": ""} for item in items}


# --- One item ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class VersionRow:
    """A version: where it stands, its days, and who did what."""

    number: int
    stage: tuple[Words, str]
    starts_on: dt.date
    ends_on: dt.date | None
    holds_today: bool
    decided_by: Words
    decided_on: dt.date | None
    loaded_at: dt.datetime
    published_at: dt.datetime | None
    who: list[tuple[str, Words]]


@dataclass(frozen=True)
class ItemPage:
    """An item with its versions, the newest first; `next` is the number after which the next page begins, 0 if this is
    the last. `step`: suspend, resume, or nothing that the officer may do.
    """

    row: Row
    extends: str
    extended_by: list[tuple[str, Words]]
    versions: list[VersionRow]
    next: int
    steps: list[Offered]


def one(actor: StaffActor, code: str, before: int | None = None) -> ItemPage:
    """An item. Raises NotFound ITEM_UNKNOWN."""
    item = of_code(code)
    found = queries.versions_of(item.code, before=before, limit=PAGE + 1)
    extending = queries.extended_by(item.code)
    names = queries.names_of([each.code for each in extending])
    return ItemPage(
        row=_row(item, register.standings([item.code]), _areas([item])),
        extends=item.extends_id or "",
        extended_by=[(each.code, names[each.code]) for each in extending],
        versions=_version_rows(found[:PAGE]),
        next=found[PAGE - 1].version if len(found) > PAGE else 0,
        steps=steps.of_item(actor, item),
    )


def _version_rows(versions: Sequence[ItemVersion]) -> list[VersionRow]:
    acted = [name for row in versions for name in (row.loaded_by, row.submitted_by, row.published_by) if name]
    names = actors.names_of(acted)
    return [_version_row(row, names) for row in versions]


def _version_row(row: ItemVersion, names: dict[str, Words]) -> VersionRow:
    acted = {"loaded": row.loaded_by, "submitted": row.submitted_by, "published": row.published_by}
    if row.stage == Stage.DRAFT:
        acted["submitted"] = ""  # who submitted it before it was sent back says nothing of it now
    return VersionRow(
        number=row.version,
        stage=(words.STAGES[Stage(row.stage)], TONES[row.stage]),
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        holds_today=row.stage in queries.EVER_PUBLISHED and _holds(row, clock.today()),
        decided_by={"zh": row.decided_by_zh, "en": row.decided_by_en},
        decided_on=row.decided_on,
        loaded_at=row.created_at,
        published_at=row.published_at,
        who=[(step, names[name]) for step, name in acted.items() if name],
    )


# --- One version ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class VersionPage:
    """A version in words and key by key; `before` is the version before it, None for the first. `undecided`: its file
    does not say who decided it.
    """

    code: str
    row: VersionRow
    guide: Guide
    keys: list[Change]
    before: int | None
    undecided: bool
    steps: list[Offered]


def version(actor: StaffActor, code: str, number: int) -> VersionPage:
    """A version of an item at any stage. Raises NotFound ITEM_UNKNOWN, VERSION_UNKNOWN."""
    item = of_code(code)
    row = queries.version(item.code, number)
    older = queries.versions_of(item.code, before=number, limit=1)
    return VersionPage(
        code=item.code,
        row=_version_rows([row])[0],
        guide=guides.of(item, queries.declared(row)),
        keys=difference.changes({}, queries.plain(row)),
        before=older[0].version if older else None,
        undecided=not row.decided_by_zh or row.decided_on is None,
        steps=steps.of_version(actor, item, row),
    )


def toml_of(code: str, number: int) -> str:
    """A version as a file that can be edited and uploaded again."""
    return writing.toml_of(queries.declared(queries.version(text_in(code, CODE_CHARS), number)))


def json_of(code: str, number: int) -> bytes:
    """A version as plain values, with all that goes without saying."""
    return msgspec.json.format(msgspec.json.encode(queries.plain(queries.version(text_in(code, CODE_CHARS), number))))


# --- Differences ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Compared:
    """Two versions of an item and the keys that differ, in the order of the newer file."""

    code: str
    name: Words
    versions: list[tuple[str, Words]]
    before: int
    after: int
    changes: list[Change]


def compared(code: str, asked: QueryDict) -> Compared:
    """How one version differs from another; without numbers the newest from the one before it."""
    item = of_code(code)
    known = [(each.version, each.name) for each in register.standings([item.code])]
    numbers = [number for number, _name in known]
    after = _number(asked.get("to", ""), numbers, numbers[0])
    older = [number for number in numbers if number < after]
    before = _number(asked.get("from", ""), numbers, older[0] if older else after)
    was, now = (queries.plain(queries.version(item.code, number)) for number in (before, after))
    told = [(str(number), {"zh": f"第 {number} 版", "en": f"Version {number}"}) for number in numbers]
    return Compared(item.code, known[0][1], told, before, after, difference.changes(was, now))


def _number(text: str, known: Sequence[int], otherwise: int) -> int:
    number = number_in(text, VERSION_DIGITS)
    return number if number is not None and number in known else otherwise


# --- Files ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Taken:
    """What a file comes to: the version that it stores, as what, and its difference. `seen` is a digest of this, by
    which storing finds that something came between.
    """

    code: str
    version: int
    kind: str
    compared_with: str | None
    changes: tuple[Change, ...]
    seen: str


def look(actor: StaffActor, text: str, file: str) -> Taken:
    """What storing a file would change. Raises what `loading.load` raises, with file, path and what was expected."""
    return _taken(loading.load(actor, files.one(text, file), dry_run=True))


def store(actor: StaffActor, text: str, file: str, seen: str) -> tuple[Taken, bool]:
    """Store a file as a draft if that changes what the officer has seen, and whether it did."""
    with transaction.atomic():
        taken = _taken(loading.load(actor, files.one(text, file)))
        if taken.seen != seen:
            transaction.set_rollback(True)
    return taken, taken.seen == seen


def _taken(loaded: loading.Loaded) -> Taken:
    kinds = {"new": loaded.new, "changed": loaded.changed, "unchanged": loaded.unchanged}
    kind, name = next((kind, names[0]) for kind, names in kinds.items() if names)
    told = loaded.differences[0] if loaded.differences else None
    compared_with, changes = (told.compared_with, told.changes) if told else (None, ())
    code, _at, number = name.partition("@")
    seen = hashlib.sha256(repr((name, kind, compared_with, changes)).encode()).hexdigest()
    return Taken(code, int(number), kind, compared_with, changes, seen)


# --- Offers -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OfferRow:
    """A point that offers an item; `capacity_count` takes the place of what the item says."""

    point_id: int
    code: str
    name: Words
    operator: Words
    place: str
    state: tuple[Words, str]
    capacity_count: int | None
    demonstration: bool


@dataclass(frozen=True)
class Offers:
    """A page of the points of the officer's places that offer an item, by code."""

    code: str
    name: Words
    rows: list[OfferRow]
    after: str
    next: str


def offers(actor: StaffActor, code: str, asked: QueryDict) -> Offers:
    """Where an item is offered, in the officer's places."""
    item = of_code(code)
    after = text_in(asked.get("after", ""), 64)
    found = register.offers(actor.places_of(PERMISSION), item.code, after=after, limit=OFFERS + 1)
    shown = found[:OFFERS]
    rows = [
        OfferRow(
            point_id=each.point_id,
            code=each.point.code,
            name={"zh": each.point.name_zh, "en": each.point.name_en},
            operator={"zh": each.point.operator.name_zh, "en": each.point.operator.name_en},
            place=divisions.name_of(each.point.division),
            state=STATES[each.point.state],
            capacity_count=each.capacity_count,
            demonstration=each.point.demonstration,
        )
        for each in shown
    ]
    name = _row(item, register.standings([item.code]), _areas([item])).name
    return Offers(item.code, name, rows, after, shown[-1].point.code if len(found) > OFFERS else "")
