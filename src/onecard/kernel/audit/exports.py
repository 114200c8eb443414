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
from onecard.foundation.exports import KEPT_HOURS, PART, ROWS_MAX, Exports, State, lines
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
    EXPORTS.require(actor, places)
    EXPORTS.refuse_one_more(actor)
    id_, plain = uuid7(), wanted.plain()
    expires = clock.now() + dt.timedelta(hours=KEPT_HOURS)
    rows(sql.load(HERE, "ask_export"), id_, actor.name, list(places), json.dumps(plain), expires)
    audit.record(actor, "audit.export", f"export:{id_}", detail=plain)
    jobs.queue("audit.export", export=str(id_))
    return id_


def content(actor: Actor, export: Export) -> Iterator[bytes]:
    """The list as a CSV file, a part at a time (UTF-8 with a byte-order mark); see `Exports.content`."""
    return EXPORTS.content(actor, export, HEADS)


# --- The job ----------------------------------------------------------------------------------------------------------


def write(export_id: UUID) -> int:
    """Write what is left of a list; how many facts it holds then."""
    while (export := EXPORTS.load(export_id)) is not None and export.is_open:
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
        EXPORTS.keep(export, text)
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


def _row(fact: Fact) -> list[object]:
    at = fact.at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
    return [fact.pk, at, fact.actor, fact.verb, fact.subject, fact.place, fact.reason, trail.detail_text(fact)]


def _export(row: tuple[Any, ...]) -> Export:
    id_, actor, places, wanted, asked_at, expires_at, state, *rest = row
    return Export(id_, actor, places, trail.wanted_of(json.loads(wanted)), asked_at, expires_at, State(state), *rest)


EXPORTS = Exports(HERE, "audit.export", _export)
of_actor, one, stop, drop_expired = EXPORTS.of_actor, EXPORTS.one, EXPORTS.stop, EXPORTS.drop_expired
