"""Risk facts (风险事实): the kinds that are declared, where each fact stands, and what officers make of it.

What happened is never changed: a follow-up is another fact beside it, with its officer and reason, and the last one
says where the risk fact stands.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from django.db import transaction

from onecard.foundation import sql
from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, Conflict, NotFound, NotPermitted
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions
from onecard.kernel.audit.risk_files import RiskKind, from_plain

HERE = "onecard.kernel.audit"
PAGE = 50
REASON_CHARS_MAX = 500
STORE_KIND = (
    "INSERT INTO audit_risk_kind (kind, severity, declaration, loaded_by) VALUES ($1, $2, $3::jsonb, $4)"
    " ON CONFLICT (kind) DO UPDATE SET severity = excluded.severity, declaration = excluded.declaration,"
    " loaded_by = excluded.loaded_by, loaded_at = now()"
)
ONE = (
    "SELECT f.id, f.at, f.kind, f.subject, f.detail::text, s.place, s.state, s.follows"
    " FROM audit_risk_fact f JOIN audit_risk_state s ON s.risk_id = f.id WHERE f.id = $1"
)
FOLLOWS = "SELECT number, at, actor, state, reason FROM audit_risk_follow WHERE risk_id = $1 ORDER BY number"
FOLLOW = "INSERT INTO audit_risk_follow (risk_id, number, actor, state, reason) VALUES ($1, $2, $3, $4, $5)"
# Whoever follows up the same fact waits here and then sees that it was done.
LOCK = "SELECT pg_advisory_xact_lock((21069::bigint << 32) | 'audit_risk_follow'::regclass::oid::bigint)"


class State(StrEnum):
    """Where a risk fact stands: 待处置, 已查看, 已排除, 已处置."""

    OPEN = "open"
    LOOKED_AT = "looked_at"
    DISMISSED = "dismissed"
    ACTED = "acted"


STEPS: dict[State, tuple[State, ...]] = {
    State.OPEN: (State.LOOKED_AT, State.DISMISSED, State.ACTED),
    State.LOOKED_AT: (State.LOOKED_AT, State.DISMISSED, State.ACTED),
    # Whoever takes it up again says why.
    State.DISMISSED: (State.LOOKED_AT,),
    State.ACTED: (State.LOOKED_AT,),
}


@dataclass(frozen=True)
class Risk:
    """A risk fact and where it stands; `follows` is how many follow-ups it has."""

    id: int
    at: datetime
    kind: str
    subject: str
    detail: dict[str, Any]
    place: str
    state: State
    follows: int


@dataclass(frozen=True)
class Follow:
    """One follow-up: who found what, and why."""

    number: int
    at: datetime
    actor: str
    state: State
    reason: str


@dataclass(frozen=True)
class Filters:
    """Which risk facts to list: kinds (None: all), states, and the prefixes of their places."""

    places: tuple[str, ...]
    kinds: tuple[str, ...] | None = None
    states: tuple[State, ...] = tuple(State)


# --- Kinds ------------------------------------------------------------------------------------------------------------


def kinds() -> dict[str, RiskKind]:
    """The declared kinds by code."""
    found = rows("SELECT kind, declaration::text FROM audit_risk_kind ORDER BY kind")
    return {kind: from_plain(json.loads(declaration), f"risk kind {kind}") for kind, declaration in found}


@transaction.atomic
def declare(actor: Actor, declared: Iterable[RiskKind], *, dry_run: bool = False) -> list[str]:
    """Store the kinds that are new or say something else; their codes. A dry run takes it all back.

    It takes audit.declare_risks everywhere where anything changes, and leaves a fact for each.
    """
    stored, changed = kinds(), []
    for kind in declared:
        if stored.get(kind.kind) == kind:
            continue
        actor.require("audit.declare_risks")
        plain = json.dumps(msgspec.to_builtins(kind, str_keys=True), ensure_ascii=False)
        rows(STORE_KIND, kind.kind, kind.severity.value, plain, actor.name)
        actions.record(actor, "audit.declare_risks", f"risk_kind:{kind.kind}", detail={"severity": kind.severity.value})
        changed.append(kind.kind)
    if dry_run:
        transaction.set_rollback(True)
    return changed


# --- Reading ----------------------------------------------------------------------------------------------------------


def page(filters: Filters, *, before: int | None = None, limit: int = PAGE) -> list[Risk]:
    """Risk facts, newest first; `before` is the last id of the page before."""
    patterns = [f"{prefix}%" for prefix in filters.places]
    states = [state.value for state in filters.states]
    wanted = None if filters.kinds is None else list(filters.kinds)
    found = rows(sql.load(HERE, "risk_page"), wanted, states, patterns, before, limit)
    return [_risk(row) for row in found]


def number_of(filters: Filters, up_to: int) -> int:
    """How many risk facts there are, counted up to so many."""
    patterns = [f"{prefix}%" for prefix in filters.places]
    states = [state.value for state in filters.states]
    wanted = None if filters.kinds is None else list(filters.kinds)
    number: int = rows(sql.load(HERE, "risk_number"), wanted, states, patterns, up_to)[0][0]
    return number


def export(actor: Actor, filters: Filters, limit: int) -> Iterator[Risk]:
    """The newest `limit` risk facts, read page by page, for a table that leaves the house: it leaves a fact."""
    kinds, states = list(filters.kinds or ()), [state.value for state in filters.states]
    actions.record(actor, "audit.export_risks", "risks", detail={"kinds": kinds, "states": states})
    before: int | None = None
    while limit > 0 and (found := page(filters, before=before, limit=min(limit, 500))):
        yield from found
        before, limit = found[-1].id, limit - len(found)


@transaction.atomic
def open_one(actor: Actor, risk_id: int) -> tuple[Risk, list[Follow]]:
    """A risk fact with what was made of it. It tells of somebody's movements, so looking at it leaves a fact.

    Needs audit.read_risks in its place. Raises NotFound RISK_UNKNOWN.
    """
    risk = _one(risk_id)
    actor.require("audit.read_risks", risk.place)
    actions.record(actor, "audit.read_risks", f"risk:{risk.id}", place=risk.place)
    found = rows(FOLLOWS, risk_id)
    return risk, [Follow(number, at, who, State(state), reason) for number, at, who, state, reason in found]


def _one(risk_id: int) -> Risk:
    found = rows(ONE, risk_id)
    if not found:
        raise NotFound("RISK_UNKNOWN", "没有这条风险事实。", "There is no such risk fact.")
    return _risk(found[0])


def _risk(row: Sequence[Any]) -> Risk:
    id_, at, kind, subject, detail, place, state, follows = row
    return Risk(id_, at, kind, subject, json.loads(detail), place, State(state), follows)


# --- Following up -----------------------------------------------------------------------------------------------------


@transaction.atomic
def follow(actor: Actor, risk_id: int, state: State, reason: str, *, seen: int) -> None:
    """Say what came of looking at a risk fact; `seen` is how many follow-ups it had when the officer decided.

    Needs audit.follow_risk in its place. Raises NotFound RISK_UNKNOWN; NotPermitted RISK_OWN where it is about the
    officer; Conflict RISK_FOLLOWED where somebody else was faster, RISK_STEP_REFUSED; BadInput REASON_MISSING,
    REASON_TOO_LONG.
    """
    rows(LOCK)
    risk = _one(risk_id)
    actor.require("audit.follow_risk", risk.place)
    if is_about(risk, actor):
        raise NotPermitted(
            "RISK_OWN",
            "这条风险事实涉及您本人，不能由您处置。",
            "This risk fact is about you: you cannot follow it up.",
            next_zh="请由其他风险监测人员处置。",
            next_en="Let another risk officer follow it up.",
        )
    if risk.follows != seen:
        raise Conflict(
            "RISK_FOLLOWED",
            "其他工作人员刚刚处置了这条风险事实。",
            "Another officer has just followed this up.",
            next_zh="请查看新的处置记录后再决定。",
            next_en="Look at what they found, then decide.",
        )
    if state not in STEPS[risk.state]:
        raise Conflict(
            "RISK_STEP_REFUSED",
            "现在的状态不能这样处置。",
            "From where it stands this step does not follow.",
            next_zh="请先重新查看。",
            next_en="Take it up again first.",
        )
    _check_reason(risk.state, state, reason.strip())
    rows(FOLLOW, risk_id, seen + 1, actor.name, state.value, reason.strip())
    detail = {"state": state.value}
    actions.record(
        actor, "audit.follow_risk", f"risk:{risk_id}", place=risk.place, reason=reason.strip(), detail=detail
    )


def is_about(risk: Risk, actor: Actor) -> bool:
    """Whether a risk fact is about what an officer did: then others follow it up."""
    return risk.subject == actor.name


def _check_reason(was: State, state: State, reason: str) -> None:
    """Only a first look needs no reason."""
    if not reason and not (was is State.OPEN and state is State.LOOKED_AT):
        raise BadInput("REASON_MISSING", "请填写理由。", "Give a reason.")
    if len(reason) > REASON_CHARS_MAX:
        raise BadInput(
            "REASON_TOO_LONG",
            f"理由最多{REASON_CHARS_MAX}字。",
            f"A reason has at most {REASON_CHARS_MAX} characters.",
        )
