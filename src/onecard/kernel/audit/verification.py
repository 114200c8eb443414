"""Verifications of the chain (校验): asked for by an officer or by the clock, done by a job a part at a time.

A part and how far it went are one transaction, so a job that was killed goes on where it stood. It says what
`onecard check` says of the chain, of the seals that were there when it was asked for.
"""

import dataclasses
import datetime as dt
import json
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction

from onecard.foundation import jobs, sql
from onecard.foundation.actors import Actor
from onecard.foundation.errors import Conflict, NotFound
from onecard.foundation.ids import uuid7
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions as audit
from onecard.kernel.audit import queries
from onecard.kernel.audit.queries import Finding, Reached

HERE = "onecard.kernel.audit"
# What `onecard check` calls it.
CODE = "AUDIT_CHAIN"
HOLDS = {"zh": "审计链与锚点完好", "en": "The audit chain and its anchors are whole"}
PART = 500
FINDINGS_MAX = 100
ASK = "INSERT INTO audit_verification (id, actor, seals) VALUES ($1, $2, $3)"


class Verification(NamedTuple):
    """One verification. `seals`: how many there were; `checked`: up to which they were recomputed."""

    id: UUID
    actor: str
    asked_at: dt.datetime
    done_at: dt.datetime | None
    seals: int
    checked: int
    reached: Reached
    findings: tuple[Finding, ...]

    @property
    def percent(self) -> int:
        if self.done_at is not None:
            return 100
        return min(99, 100 * self.checked // self.seals) if self.seals else 0

    @property
    def faults(self) -> tuple[Finding, ...]:
        """What must not be; an unsealed tail is none."""
        return tuple(each for each in self.findings if each.is_fault)


@transaction.atomic
def ask(actor: Actor) -> UUID:
    """Ask for a verification of all seals that there are; its id.

    Needs audit.verify everywhere. Raises Conflict VERIFICATION_OPEN while one is under way.
    """
    actor.require("audit.verify")
    if (last := latest()) is not None and last.done_at is None:
        raise Conflict(
            "VERIFICATION_OPEN",
            "已有一次校验正在进行。",
            "A verification is under way.",
            next_zh="请等待它完成。",
            next_en="Wait for it to end.",
        )
    id_ = uuid7()
    rows(ASK, id_, actor.name, audit.last_seal()[0])
    audit.record(actor, "audit.verify", f"verification:{id_}")
    jobs.queue("audit.verify", verification=str(id_))
    return id_


def latest() -> Verification | None:
    """The newest verification, under way or done; None before the first."""
    return next(iter(newest(1)), None)


def newest(limit: int = 20) -> list[Verification]:
    """The newest verifications."""
    return [_verification(row) for row in rows(sql.load(HERE, "verifications"), limit)]


def one(id_: UUID) -> Verification:
    """One verification. Raises NotFound VERIFICATION_UNKNOWN."""
    found = rows(sql.load(HERE, "verification"), id_)
    if not found:
        raise NotFound("VERIFICATION_UNKNOWN", "没有这次校验。", "There is no such verification.")
    return _verification(found[0])


# --- The job ----------------------------------------------------------------------------------------------------------


def verify(id_: UUID) -> int:
    """Do what is left of a verification; how many faults it found."""
    while (found := one(id_)).done_at is None:
        _verify_part(found)
    return len(found.faults)


@transaction.atomic
def _verify_part(found: Verification) -> None:
    upto = min(found.checked + PART, found.seals)
    told, reached = queries.verify_seals(found.reached, found.checked, upto)
    done = upto >= found.seals
    if done:
        told = [*told, *queries.verify_rest(audit.last_seal()[1])]
    findings = [*found.findings, *told][:FINDINGS_MAX]
    plain = json.dumps([dataclasses.asdict(each) for each in findings])
    sealed_to = reached.sealed_to
    rows(sql.load(HERE, "move_verification"), found.id, upto, reached.number, sealed_to, reached.digest, plain, done)


def _verification(row: tuple[Any, ...]) -> Verification:
    id_, actor, asked_at, done_at, seals, checked, number, sealed_to, digest, findings = row
    reached = Reached(number, sealed_to, bytes(digest))
    told = tuple(Finding(**each) for each in json.loads(findings))
    return Verification(id_, actor, asked_at, done_at, seals, checked, reached, told)
