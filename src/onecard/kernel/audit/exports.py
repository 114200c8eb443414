"""Lists of facts to take along (导出审计): asked for by an officer, written by a job a part at a time, then fetched.

A part and how far it went are one transaction, so a job that was killed goes on where it stood. It expires after a day.
"""

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction

from onecard.foundation import clock, jobs, sql
from onecard.foundation.actors import Actor
from onecard.foundation.clock import CHINA
from onecard.foundation.exports import KEPT_HOURS, OPEN_MAX, PART, ROWS_MAX, State, lines, too_many, unknown
from onecard.foundation.ids import uuid7
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions as audit
from onecard.kernel.audit import trail
from onecard.kernel.audit.models import Fact
from onecard.kernel.audit.trail import Wanted

HERE = "onecard.kernel.audit"
PERMISSION = "audit.export"
HEADS = ("id", "time", "actor", "verb", "subject", "place", "reason", "detail")


class Export(NamedTuple):
    """A list that was asked for. `percent`: of the ids from its first fact down."""

    id: UUID
    actor: str
    places: list[str]
    wanted: Wanted
    asked_at: dt.datetime
    expires_at: dt.datetime
    state: State
    newest: int | None
    position: int | None
    parts: int
    facts: int
    percent: int

    @property
    def is_open(self) -> bool:
        return self.state.is_open


@transaction.atomic
def ask(actor: Actor, places: Sequence[str], wanted: Wanted) -> UUID:
    """Ask for a list of the facts of some places; its id.

    Needs audit.export in each of the places. Raises Conflict EXPORTS_OPEN where the officer has three under way.
    """
    for place in places:
        actor.require("audit.export", place)
    if sum(each.is_open for each in of_actor(actor)) >= OPEN_MAX:
        raise too_many()
    id_, plain = uuid7(), wanted.plain()
    expires = clock.now() + dt.timedelta(hours=KEPT_HOURS)
    rows(sql.load(HERE, "ask_export"), id_, actor.name, list(places), json.dumps(plain), expires)
    audit.record(actor, "audit.export", f"export:{id_}", detail=plain)
    jobs.queue("audit.export", export=str(id_))
    return id_


def of_actor(actor: Actor, limit: int = 20) -> list[Export]:
    """An officer's own lists, newest first."""
    return [_export(row) for row in rows(sql.load(HERE, "exports_of"), actor.name, limit)]


def one(actor: Actor, export_id: UUID) -> Export:
    """One of an officer's own lists. Raises NotFound EXPORT_UNKNOWN."""
    found = _load(export_id)
    if found is None or found.actor != actor.name:
        raise unknown()
    return found


def stop(actor: Actor, export_id: UUID) -> None:
    """Stop writing a list; what was written is dropped with it when it expires. One that is done stays so."""
    one(actor, export_id)
    rows(sql.load(HERE, "stop_export"), export_id)


def content(export: Export) -> Iterator[bytes]:
    """The list as a CSV file, a part at a time (UTF-8 with a byte-order mark)."""
    yield lines([HEADS]).encode("utf-8-sig")
    for number in range(export.parts):
        for (text,) in rows(
            "SELECT content FROM audit_export_part WHERE export_id = $1 AND number = $2", export.id, number
        ):
            yield text.encode()


# --- The job ----------------------------------------------------------------------------------------------------------


def write(export_id: UUID) -> int:
    """Write what is left of a list; how many facts it holds then."""
    while (export := _load(export_id)) is not None and export.is_open:
        _write_part(export)
    return export.facts if export is not None else 0


@transaction.atomic
def _write_part(export: Export) -> None:
    left = min(PART, ROWS_MAX - export.facts)
    found = trail.page(export.places, export.wanted, before=export.position, limit=left)
    facts = export.facts + len(found)
    done = len(found) < left or facts >= ROWS_MAX
    position = found[-1].pk if found else export.position
    newest = export.newest or (found[0].pk if found else None)
    if found:
        text = lines(_row(fact) for fact in found)
        rows("INSERT INTO audit_export_part VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", export.id, export.parts, text)
    rows(
        sql.load(HERE, "move_export"),
        export.id,
        newest,
        position,
        export.parts + bool(found),
        facts,
        100 if done else _percent(newest, position),
        State.DONE.value if done else State.RUNNING.value,
    )


def _percent(newest: int | None, position: int | None) -> int:
    """How much of the ids below the first fact is behind."""
    return min(99, 100 * (newest - position) // newest) if newest and position is not None else 0


def drop_expired() -> int:
    """Drop the lists whose day is over; how many."""
    return len(rows("DELETE FROM audit_export WHERE expires_at < now() RETURNING id"))


def _row(fact: Fact) -> list[object]:
    at = fact.at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
    return [fact.pk, at, fact.actor, fact.verb, fact.subject, fact.place, fact.reason, trail.detail_text(fact)]


def _load(export_id: UUID) -> Export | None:
    found = rows(sql.load(HERE, "export"), export_id)
    return _export(found[0]) if found else None


def _export(row: tuple[Any, ...]) -> Export:
    id_, actor, places, wanted, asked_at, expires_at, state, *rest = row
    return Export(id_, actor, places, trail.wanted_of(json.loads(wanted)), asked_at, expires_at, State(state), *rest)
