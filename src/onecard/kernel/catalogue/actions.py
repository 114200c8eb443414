"""Verbs of the catalogue: load item files, offer items, suspend and resume, hand out pairing codes."""

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec
from django.db import transaction

from onecard.foundation import clock
from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, Conflict, NotFound
from onecard.kernel.audit import actions as audit
from onecard.kernel.catalogue.models import Client, Item, ItemVersion, Pairing, Point, State, Terminal
from onecard_kit import terms

PAIRING_LIFE = dt.timedelta(hours=24)
# No letter or digit that is misread aloud or on a screen: 0/O, 1/I/L.
PAIRING_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
PAIRING_CHARS = 10

KINDS: dict[str, type[Client] | type[Point] | type[Terminal] | type[Item]] = {
    "client": Client,
    "point": Point,
    "terminal": Terminal,
    "item": Item,
}


@dataclass(frozen=True)
class Loaded:
    """What loading item files came to: codes with their version, by what happened."""

    new: tuple[str, ...]
    unchanged: tuple[str, ...]


def read_items(folder: Path) -> list[terms.Item]:
    """Decode every `*/items/*.toml` under a folder of scenarios, in path order. Raises BadInput ITEM_FILE_INVALID.

    An item's file must lie in the folder of its field: `transit/items/bus_ride.toml` declares `transit.bus_ride`.
    """
    items = []
    for path in sorted(folder.glob("*/items/*.toml")):
        name = str(path.relative_to(folder))
        try:
            item = terms.load(path, name)
            expected = f"{path.parent.parent.name}.{path.stem}"
            if item.code != expected:
                raise terms.DeclarationError(name, "$.code", f"expected {expected}, after the file's place")
        except (terms.DeclarationError, UnicodeDecodeError) as error:
            raise BadInput(
                "ITEM_FILE_INVALID",
                f"应用项目文件有误：{error}",
                f"An item file cannot be taken: {error}",
                next_zh="请按提示修改文件后重新装载；目录未作任何改动。",
                next_en="Correct the file and load again; nothing was changed.",
            ) from error
        items.append(item)
    return items


@transaction.atomic
def load_items(actor: Actor, items: Iterable[terms.Item]) -> Loaded:
    """Store the versions that are new. All or nothing, and loading the same again changes nothing.

    An earlier version that is open-ended ends where the new one begins. Raises Conflict VERSION_CHANGED when a stored
    version differs from its file, VERSIONS_OVERLAP.
    """
    actor.require("catalogue.load")
    new: list[str] = []
    unchanged: list[str] = []
    for item in items:
        (new if _store(actor, item) else unchanged).append(f"{item.code}@{item.version}")
    return Loaded(tuple(new), tuple(unchanged))


def _store(actor: Actor, item: terms.Item) -> bool:
    plain = msgspec.to_builtins(item, str_keys=True)
    canonical = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(canonical.encode()).digest()
    place = {"field": item.code.partition(".")[0], "level": "city", "area": "320600"}
    row, _ = Item.objects.get_or_create(code=item.code, defaults=place)
    Item.objects.select_for_update().get(pk=row.pk)
    stored = ItemVersion.objects.filter(item=row, version=item.version).first()
    if stored is not None:
        if bytes(stored.digest) != digest:
            raise Conflict(
                "VERSION_CHANGED",
                f"{item.code} 第 {item.version} 版已发布，不能修改。",
                f"Version {item.version} of {item.code} is stored and cannot change.",
                next_zh="请另立新版本，写明生效日期。",
                next_en="Declare a new version with the day it begins.",
            )
        return False
    _end_before(item)
    if _overlaps(item):
        raise Conflict(
            "VERSIONS_OVERLAP",
            f"{item.code} 第 {item.version} 版与已有版本的有效期重叠。",
            f"Version {item.version} of {item.code} overlaps a stored version.",
            next_zh="请调整 starts_on 或 ends_on。",
            next_en="Change starts_on or ends_on.",
        )
    ItemVersion.objects.create(
        item=row,
        version=item.version,
        starts_on=item.starts_on,
        ends_on=item.ends_on,
        stage="published",
        declaration=plain,
        digest=digest,
    )
    detail = {"version": item.version, "digest": digest.hex(), "starts_on": item.starts_on.isoformat()}
    audit.record(actor, "catalogue.load", f"item:{item.code}", detail=detail)
    return True


def _end_before(item: terms.Item) -> None:
    """An open-ended version that began earlier ends where the new one begins."""
    ItemVersion.objects.filter(
        item_id=item.code, ends_on=None, starts_on__lt=item.starts_on, version__lt=item.version
    ).update(ends_on=item.starts_on)


def _overlaps(item: terms.Item) -> bool:
    versions = ItemVersion.objects.filter(item_id=item.code).values_list("starts_on", "ends_on")
    return any(
        (item.ends_on is None or starts_on < item.ends_on) and (ends_on is None or item.starts_on < ends_on)
        for starts_on, ends_on in versions
    )


def suspend(actor: Actor, kind: str, code: str, reason: str) -> None:
    """Refuse uses of a client, point, terminal or item from this commit on. Repeating it changes nothing."""
    _set_state(actor, "suspend", kind, code, State.SUSPENDED, reason)


def resume(actor: Actor, kind: str, code: str, reason: str) -> None:
    """Let a suspended client, point, terminal or item be used again."""
    _set_state(actor, "resume", kind, code, State.ACTIVE, reason)


@transaction.atomic
def _set_state(actor: Actor, verb: str, kind: str, code: str, state: State, reason: str) -> None:
    row = KINDS[kind].objects.select_for_update().filter(code=code).first()
    actor.require(f"catalogue.{verb}", _place_of(row))
    if row is None:
        raise _unknown(kind, code)
    if row.state == State.ENDED:
        raise Conflict("ENDED", "已终止，不能再改变状态。", "It has ended; its state no longer changes.")
    if not reason.strip():
        raise BadInput("REASON_MISSING", "请填写原因。", "Give a reason.")
    if row.state == state:
        return
    row.state = state
    row.save(update_fields=["state"])
    audit.record(actor, f"catalogue.{verb}", f"{kind}:{code}", place=_place_of(row), reason=reason)


def _place_of(row: Client | Point | Terminal | Item | None) -> str:
    if isinstance(row, Point):
        return row.division
    return row.point.division if isinstance(row, Terminal) else ""


@transaction.atomic
def make_pairing_code(actor: Actor, terminal_code: str) -> str:
    """A code that turns a terminal's next pairing into its key: ten characters, good once and for 24 hours."""
    terminal = Terminal.objects.select_related("point").filter(code=terminal_code).first()
    if terminal is None:
        raise _unknown("terminal", terminal_code)
    actor.require("catalogue.pair", terminal.point.division)
    code = "".join(secrets.choice(PAIRING_ALPHABET) for _ in range(PAIRING_CHARS))
    Pairing.objects.create(
        code_digest=hashlib.sha256(code.encode()).digest(), terminal=terminal, expires_at=clock.now() + PAIRING_LIFE
    )
    audit.record(actor, "catalogue.make_pairing_code", f"terminal:{terminal.pk}", place=terminal.point.division)
    return code


def _unknown(kind: str, code: str) -> NotFound:
    return NotFound(f"{kind.upper()}_UNKNOWN", f"没有 {code}。", f"There is no {kind} {code}.")
