"""Verbs of the audit trail: record a fact, note a risk, seal what is committed, anchor the day."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from onecard.foundation import clock, keys, sql
from onecard.foundation.actors import Actor
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import chain
from onecard.kernel.audit.stream import stream

HERE = "onecard.kernel.audit"
ANCHOR_LABEL = "anchor-ed25519"

# One sealer at a time in each city: the number is this table's, in a range of advisory locks that is ours.
SEALER_LOCK = "SELECT pg_advisory_xact_lock((21069::bigint << 32) | 'audit_seal'::regclass::oid::bigint)"
LAST_SEAL = "SELECT number, xid_to::text, digest FROM audit_seal ORDER BY number DESC LIMIT 1"
INSERT_SEAL = (
    "INSERT INTO audit_seal (number, xid_from, xid_to, facts, digest, previous)"
    " VALUES ($1, $2::xid8, $3::xid8, $4, $5, $6)"
)
INSERT_ANCHOR = (
    "INSERT INTO audit_anchor (day, seal, digest, key_id, signature) VALUES ($1, $2, $3, $4, $5)"
    " ON CONFLICT (day) DO NOTHING RETURNING seal"
)


def record(
    actor: Actor, verb: str, subject: str, *, place: str = "", reason: str = "", detail: dict[str, Any] | None = None
) -> None:
    """Write a fact in the caller's transaction; it stands or falls with what it tells of.

    `verb` is ``primitive.verb``, `subject` is ``kind:id``, e.g. ``card:12``; `place` a GB/T 2260 code. Ids and digests
    only: never a name, a number or an address.
    """
    rows(sql.load(HERE, "record"), actor.name, verb, subject, place, reason, _json(detail))


def record_all(
    actor: Actor, verb: str, details: Mapping[str, dict[str, Any]], *, place: str = "", reason: str = ""
) -> None:
    """Write facts of one verb about many subjects, each with its detail, as `record`, in one statement."""
    told = [_json(detail) for detail in details.values()]
    rows(sql.load(HERE, "record_all"), actor.name, verb, place, reason, list(details), told)


def risk(kind: str, subject: str, detail: dict[str, Any] | None = None) -> None:
    """Write a risk fact in the caller's transaction, e.g. ``risk("chip_replayed", "card:12", {"counter": 7})``."""
    rows(sql.load(HERE, "risk"), kind, subject, _json(detail))


@transaction.atomic
def seal(*, limit: int = 10_000) -> int:
    """Chain the next facts that can no longer change, about `limit` of them; return how many, 0 when there are none.

    A batch ends with a whole transaction, so it may exceed the limit. A transaction that stays open holds back every
    fact written after it began; `queries.verify_chain` shows the age of what waits.
    """
    rows(SEALER_LOCK)
    number, sealed_to, previous = last_seal()
    (xid_to,) = rows(sql.load(HERE, "next_batch"), sealed_to, limit)[0]
    if xid_to is None:
        return 0
    digest, facts = chain.digest_of(previous, stream(sql.load(HERE, "committed_facts"), sealed_to, xid_to))
    rows(INSERT_SEAL, number + 1, sealed_to, xid_to, facts, digest, previous)
    return facts


@transaction.atomic
def anchor(day: dt.date | None = None) -> bool:
    """Sign the last seal for a day (default: today in China); False if the day has its anchor or nothing is sealed.

    Print or send the signature out of the house: against an administrator who holds the database *and* the keys, only
    a copy elsewhere proves anything.
    """
    day = day or clock.today()
    number, _, digest = last_seal()
    if number == 0:
        return False
    ring = keys.load("anchor")
    signature = chain.sign_anchor(ring.derive(ANCHOR_LABEL), chain.anchor_text(day, number, digest))
    return bool(rows(INSERT_ANCHOR, day, number, digest, ring.keys[0].id, signature))


def last_seal() -> tuple[int, str, bytes]:
    """Number, last transaction id and digest of the newest seal; zeros before the first."""
    found = rows(LAST_SEAL)
    return (found[0][0], found[0][1], bytes(found[0][2])) if found else (0, "0", chain.GENESIS)


def _json(detail: dict[str, Any] | None) -> str:
    return json.dumps(detail or {}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
