"""Verbs of the audit trail: record a fact, note a risk, seal what is committed, anchor the day."""

import json
from typing import Any

from onecard.foundation import sql
from onecard.foundation.actors import Actor
from onecard.foundation.postgres.raw import rows

HERE = "onecard.kernel.audit"


def record(
    actor: Actor, verb: str, subject: str, *, place: str = "", reason: str = "", detail: dict[str, Any] | None = None
) -> None:
    """Write a fact in the caller's transaction; it stands or falls with what it tells of.

    `verb` is ``primitive.verb``, `subject` is ``kind:id``, e.g. ``card:12``; `place` a GB/T 2260 code. Ids and digests
    only: never a name, a number or an address.
    """
    rows(sql.load(HERE, "record"), actor.name, verb, subject, place, reason, _json(detail))


def risk(kind: str, subject: str, detail: dict[str, Any] | None = None) -> None:
    """Write a risk fact in the caller's transaction, e.g. ``risk("chip_replayed", "card:12", {"counter": 7})``."""
    rows(sql.load(HERE, "risk"), kind, subject, _json(detail))


def _json(detail: dict[str, Any] | None) -> str:
    return json.dumps(detail or {}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
