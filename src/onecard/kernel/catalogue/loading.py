"""Loading a folder of scenarios: all of it or nothing, and loading the same again changes nothing.

A version that is new is stored as a draft; a draft may be loaded again with other content, any later stage may not.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
from django.db import transaction
from django.db.models import Model

from onecard.foundation import clock, node
from onecard.foundation.actors import Actor
from onecard.foundation.errors import Conflict, NotPermitted, OneCardError
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions as audit
from onecard.kernel.catalogue import publishing, queries, rules
from onecard.kernel.catalogue.difference import Change, changes
from onecard.kernel.catalogue.files import AREAS, AreaSet, Folder, LegalText, Placed, invalid
from onecard.kernel.catalogue.models import AreaSet as AreaSetRow
from onecard.kernel.catalogue.models import Item as ItemRow
from onecard.kernel.catalogue.models import ItemVersion, LegalBasis, Stage
from onecard.kernel.holders import divisions
from onecard_kit import item_files
from onecard_kit.expected import Expected
from onecard_kit.terms import Bilingual, Item, Level

# One loader at a time; the number is in a range of advisory locks that is ours.
LOCK = "SELECT pg_advisory_xact_lock((21069::bigint << 32) | 'catalogue_item'::regclass::oid::bigint)"


class Difference(NamedTuple):
    """A version that a load stores, and its keys against what it is compared with; None where there is nothing."""

    version: str
    compared_with: str | None
    changes: tuple[Change, ...]


@dataclass
class Loaded:
    """What loading came to: versions as `code@version`, by what happened, and the entries of registers that changed."""

    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    registers: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)


def load(actor: Actor, folder: Folder, *, dry_run: bool = False, publish: bool = False) -> Loaded:
    """Store what is new of a folder, and tell how it differs from what was stored. A dry run takes it all back.

    It takes the permission in the place of each item that changes, and everywhere for registers. With `publish` the
    platform itself publishes every version of the folder, decided as their files say: for a first set-up, before
    anything else was published. Raises NotPermitted MAKER_IS_CHECKER, SET_UP_IS_OVER; BadInput ITEM_FILE_INVALID;
    Conflict VERSION_CHANGED, VERSION_IN_REVIEW, VERSIONS_OVERLAP, ITEM_MOVED, AREA_SET_IN_USE. Each of the last two
    names its file.
    """
    if publish and not actor.name.startswith("system:"):
        raise NotPermitted(
            "MAKER_IS_CHECKER",
            "装载时直接发布只用于系统首次启用。",
            "Publishing while loading is for setting a system up.",
            next_zh="请装载后送审，由另一位工作人员发布。",
            next_en="Load, submit, and have another officer publish.",
        )
    with transaction.atomic():
        rows(LOCK)
        loaded = _load(actor, folder)
        if publish:
            loaded.published = _publish(actor, folder)
        if dry_run:
            transaction.set_rollback(True)
    return loaded


def _load(actor: Actor, folder: Folder) -> Loaded:
    loaded = Loaded()
    placed = [_at_home(each) for each in folder.items]
    _lock_items([each.item.code for each in placed])
    stored = _newest()
    _store_registers(actor, folder, loaded)
    known = rules.Known(
        {code: queries.declared(row) for code, row in stored.items()} | {each.item.code: each.item for each in placed},
        queries.area_sets(),
        set(LegalBasis.objects.values_list("code", flat=True)),
        {code for code, division in divisions.load().items() if division.to_year is None},
    )
    for item, file in placed:
        for path, expected in rules.faults(item, known):
            raise invalid(file, path, expected)
    _place_items(actor, placed)
    for each in placed:
        if _store_version(actor, each, stored.get(each.item.code), loaded):
            _refuse_broken_offers(each, known.area_sets)
    return loaded


def _at_home(placed: Placed) -> Placed:
    """A city's item without an area is on the list of this node's own city."""
    item = placed.item
    if item.level is Level.CITY and not item.area:
        item = msgspec.structs.replace(item, area=node.code())
    return Placed(item, placed.file)


def _lock_items(codes: list[str]) -> None:
    """Wait for who moves a version of these items, before anything is written: a change holds the catalogue's revision,
    and whoever waits for an item with that in hand would stand in the way of who has the item."""
    list(ItemRow.objects.select_for_update(no_key=True).filter(pk__in=codes).order_by("pk"))


def _newest() -> dict[str, ItemVersion]:
    """The version of each item with the highest number, at whatever stage."""
    return {row.item_id: row for row in ItemVersion.objects.order_by("item_id", "version")}


# --- Registers --------------------------------------------------------------------------------------------------------


def _store_registers(actor: Actor, folder: Folder, loaded: Loaded) -> None:
    for each in folder.area_sets:
        row = _area_row(each)
        moved = AreaSetRow.objects.filter(code=each.code).exclude(places=row.places).exists()
        if moved and each.code in _named_by_published():
            raise Conflict(
                "AREA_SET_IN_USE",
                f"{AREAS}: 区域集合 {each.code} 已被发布的项目引用，其范围不能改变。",
                f"{AREAS}: published items name the area set {each.code}; its places cannot change.",
                next_zh="请另立新的区域集合，并发布引用它的新版本。",
                next_en="Declare a new set, and publish versions that name it.",
            )
        _store_row(actor, row, "area_set", loaded)
    for text in folder.legal_texts:
        for basis in _legal_rows(text):
            _store_row(actor, basis, "legal_basis", loaded)


def _named_by_published() -> set[str]:
    """The area sets that published versions name."""
    named: set[str] = set()
    for row in ItemVersion.objects.filter(stage__in=queries.EVER_PUBLISHED):
        item = queries.declared(row)
        named |= {item.area, item.region, *(concession.region for concession in item.concession)}
    return named


def _area_row(declared: AreaSet) -> AreaSetRow:
    name = declared.name
    return AreaSetRow(code=declared.code, name_zh=name.zh, name_en=name.en, places=list(declared.places))


def _legal_rows(text: LegalText) -> Iterator[LegalBasis]:
    """The text as a whole, then each of its articles."""
    nothing = Bilingual(zh="", en="")
    articles = [(f"/{each.number}", each.number, Bilingual(zh=each.zh, en=each.en)) for each in text.article]
    for suffix, number, words in [("", "", nothing), *articles]:
        yield LegalBasis(
            code=text.code + suffix,
            issuer_zh=text.issuer.zh,
            issuer_en=text.issuer.en,
            title_zh=text.title.zh,
            title_en=text.title.en,
            article=number,
            text_zh=words.zh,
            text_en=words.en,
            effective_on=text.effective_on,
            repeals=text.repeals,
        )


def _store_row(actor: Actor, row: AreaSetRow | LegalBasis, kind: str, loaded: Loaded) -> None:
    """Write an entry of a register, unless it stands so already."""
    stored = type(row).objects.filter(pk=row.pk).first()
    if stored is not None and _values(stored) == _values(row):
        return
    actor.require("catalogue.load")
    row.save()
    loaded.registers.append(f"{kind}:{row.pk}")
    digest = hashlib.sha256(json.dumps(_values(row), ensure_ascii=False, default=str).encode()).hexdigest()
    audit.record(actor, "catalogue.load", f"{kind}:{row.pk}", detail={"digest": digest})


def _values(row: Model) -> list[object]:
    return [getattr(row, column.attname) for column in row._meta.concrete_fields]


# --- Items and versions -----------------------------------------------------------------------------------------------


def _place_items(actor: Actor, placed: list[Placed]) -> None:
    """Bring the items to where their files say they stand; the level first, then what they extend."""
    moved = []
    for item, file in placed:
        values = {"field": item.code.partition(".")[0], "level": item.level.value, "area": item.area}
        row, new = ItemRow.objects.get_or_create(code=item.code, defaults=values)
        stands = {"field": row.field, "level": row.level, "area": row.area}
        if new or stands != values or row.extends_id != item.extends:
            if not new and ItemVersion.objects.filter(item=row, stage__in=queries.EVER_PUBLISHED).exists():
                raise Conflict(
                    "ITEM_MOVED",
                    f"{file}: {item.code} 已发布，其层级、区域和所拓展的项目不能改变。",
                    f"{file}: {item.code} was published; its level, area and what it extends cannot change.",
                    next_zh="请以新的代码另立项目。",
                    next_en="Declare another item under a code of its own.",
                )
            if not new:
                actor.require("catalogue.load", publishing.place_of(row))
            moved.append((row, values, item.extends))
    ItemRow.objects.filter(pk__in=[row.pk for row, _, _ in moved]).update(extends=None)
    for row, values, _ in moved:
        # Its field is the beginning of its code, which nobody changes, officers' process included.
        ItemRow.objects.filter(pk=row.pk).update(level=values["level"], area=values["area"])
    for row, _, extends in moved:
        if extends is not None:
            ItemRow.objects.filter(pk=row.pk).update(extends=extends)


def _store_version(actor: Actor, placed: Placed, newest: ItemVersion | None, loaded: Loaded) -> bool:
    """Store a version unless it stands so already; whether it was stored."""
    item, file = placed
    name = f"{item.code}@{item.version}"
    stored = ItemVersion.objects.filter(item_id=item.code, version=item.version).first()
    if stored is not None and _says(stored, item):
        loaded.unchanged.append(name)
        return False
    place = publishing.place_of(ItemRow.objects.get(pk=item.code))
    actor.require("catalogue.load", place)
    _refuse_change(stored, file)
    _refuse_overlap(item, file)
    plain = msgspec.to_builtins(item, str_keys=True)
    compared = stored or newest
    before = compared.declaration if compared is not None else _nothing()
    told = Difference(name, str(compared) if compared is not None else None, tuple(changes(before, plain)))
    loaded.differences.append(told)
    (loaded.new if stored is None else loaded.changed).append(name)
    row = stored or ItemVersion(item_id=item.code, version=item.version)
    _write(row, item, plain, actor)
    detail = {"version": item.version, "digest": row.digest.hex(), "starts_on": item.starts_on.isoformat()}
    audit.record(actor, "catalogue.load", f"item:{item.code}", place=place, detail=detail)
    return True


def _says(stored: ItemVersion, item: Item) -> bool:
    """Whether a stored version says the same; one of a shape we no longer read does not."""
    try:
        return queries.declared(stored) == item
    except item_files.DeclarationError:
        return False


def _nothing() -> dict[str, object]:
    """What an item says that says nothing: the defaults are no news."""
    fields = msgspec.structs.fields(Item)
    defaults = {each.encode_name: each.default for each in fields if each.default is not msgspec.NODEFAULT}
    plain: dict[str, object] = msgspec.to_builtins(defaults, str_keys=True)
    return plain


def _write(row: ItemVersion, item: Item, plain: dict[str, object], actor: Actor) -> None:
    canonical = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    row.starts_on, row.ends_on = item.starts_on, item.ends_on
    row.declaration, row.digest = plain, hashlib.sha256(canonical.encode()).digest()
    decided = item.decided
    row.decided_by_zh, row.decided_by_en = (decided.by.zh, decided.by.en) if decided else ("", "")
    row.decided_on = decided.on if decided else None
    row.created_at, row.loaded_by = clock.now(), actor.name
    row.save()


def _refuse_change(stored: ItemVersion | None, file: str) -> None:
    """A version changes as a draft only."""
    if stored is None or stored.stage == Stage.DRAFT:
        return
    if stored.stage == Stage.REVIEW:
        raise Conflict(
            "VERSION_IN_REVIEW",
            f"{file}: {stored} 正在送审，不能修改。",
            f"{file}: {stored} is in review and cannot change.",
            next_zh="请先退回，再重新装载。",
            next_en="Have it sent back, then load it again.",
        )
    raise Conflict(
        "VERSION_CHANGED",
        f"{file}: {stored} 已发布，不能修改。",
        f"{file}: {stored} is published and cannot change.",
        next_zh="请另立新版本，写明生效日期。",
        next_en="Declare a new version with the day it begins.",
    )


def _refuse_overlap(item: Item, file: str) -> None:
    others = ItemVersion.objects.filter(item_id=item.code).exclude(version=item.version)
    spans = [rules.Span(row.version, row.starts_on, row.ends_on, row.stage in queries.EVER_PUBLISHED) for row in others]
    clash = rules.overlapping(rules.Span(item.version, item.starts_on, item.ends_on), spans)
    if clash is not None:
        raise Conflict(
            "VERSIONS_OVERLAP",
            f"{file}: $.starts_on: 与第 {clash.version} 版的有效期重叠。",
            f"{file}: $.starts_on: its days overlap those of version {clash.version}.",
            next_zh="请调整 starts_on 或 ends_on。",
            next_en="Change starts_on or ends_on.",
        )


def _refuse_broken_offers(placed: Placed, area_sets: rules.AreaSets) -> None:
    for told in queries.offers_lacking(placed.item, area_sets):
        zh, en = ("；".join(lack.zh for lack in told.lacks), "; ".join(lack.en for lack in told.lacks))
        lacks = Expected(
            f"用卡点 {told.point} 已提供本项目，但{zh}", f"point {told.point} offers it already and lacks: {en}"
        )
        raise invalid(placed.file, "$.needs", lacks)


# --- Publishing at once -----------------------------------------------------------------------------------------------


def _publish(actor: Actor, folder: Folder) -> list[str]:
    """Publish the folder's versions that are not yet, from the region's down to the counties'."""
    actor.require("catalogue.publish")
    downwards = sorted(folder.items, key=lambda each: rules.RANK[each.item.level])
    found = [(placed, queries.version(placed.item.code, placed.item.version)) for placed in downwards]
    waiting = [(placed, row) for placed, row in found if row.stage not in queries.EVER_PUBLISHED]
    if waiting and queries.was_set_up():
        raise NotPermitted(
            "SET_UP_IS_OVER",
            "清单已经发布过，装载时直接发布只用于首次启用。",
            "A list was published here already; publishing while loading is for the first set-up.",
            next_zh="请只装载，再由一位工作人员送审、另一位发布。",
            next_en="Only load, then have one officer submit and another publish.",
        )
    published = []
    for placed, row in waiting:
        if row.stage == Stage.DRAFT:
            publishing.put_up(actor, row)
        try:
            publishing.put_in_force(actor, row)
        except OneCardError as error:
            raise invalid(placed.file, "$", Expected(error.zh, error.en)) from error
        published.append(str(row))
    return published
