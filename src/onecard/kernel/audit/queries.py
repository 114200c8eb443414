"""Reads of the audit trail: pages of facts, and the proof that the chain holds."""

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from onecard.foundation import clock, keys, sql
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import chain
from onecard.kernel.audit.actions import ANCHOR_LABEL, HERE, last_seal
from onecard.kernel.audit.models import Fact, RiskFact
from onecard.kernel.audit.stream import stream

PAGE = 50
PAGE_MAX = 500

SEALS = (
    "SELECT number, xid_from::text, xid_to::text, facts, digest, previous FROM audit_seal"
    " WHERE number > $1 AND number <= $2 ORDER BY number"
)
LAST_OF = "SELECT xid_to::text FROM audit_seal WHERE number > $1 AND number <= $2 ORDER BY number DESC LIMIT 1"
FACTS_IN_ORDER = sql.load(HERE, "committed_facts")
ANCHORS = (
    "SELECT a.day, a.seal, a.digest, a.signature, s.digest FROM audit_anchor AS a"
    " LEFT JOIN audit_seal AS s ON s.number = a.seal ORDER BY a.day"
)
TAIL = (
    "SELECT count(*), min(at), count(*) FILTER (WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()))"
    " FROM audit_fact WHERE xid > $1::xid8 AND xid IS DISTINCT FROM pg_current_xact_id_if_assigned()"
)


@dataclass(frozen=True)
class Finding:
    """One thing the check of the chain has to say.

    kind     removed, inserted, changed: the facts under a seal are fewer, more, or others than were sealed;
             seal_missing, seal_broken: the seals themselves do not follow one another;
             anchor_forged, anchor_differs: a signature is not ours, or a seal is no longer the one that was signed;
             from_future: facts claim a transaction that has not begun;
             unsealed: the tail the sealer has not reached, for information
    subject  ``seal:7``, ``anchor:2026-11-21`` or ``facts``
    count    how many facts are missing, too many or waiting; 0 where it does not count
    age_s    seconds since the oldest waiting fact, only for `unsealed`
    """

    kind: str
    subject: str
    count: int = 0
    age_s: int = 0

    @property
    def is_fault(self) -> bool:
        """Whether it must not happen. An unsealed tail is normal while the sealer runs."""
        return self.kind != "unsealed"


def facts_about(subject: str, *, verb: str = "", before: int | None = None, limit: int = PAGE) -> list[Fact]:
    """Facts about a subject, of one verb or of all, newest first; `before` is the last id of the page above, `limit` at
    most 500.
    """
    found = Fact.objects.filter(subject=subject)
    return _page(found.filter(verb=verb) if verb else found, before, limit)


@dataclass(frozen=True, slots=True)
class Told:
    """A fact as a history tells it."""

    id: int
    at: dt.datetime
    actor: str
    verb: str
    subject: str
    reason: str
    detail: dict[str, Any]


def facts_about_any(
    subjects: Sequence[str], verbs: Sequence[str], *, before: int | None = None, limit: int = PAGE
) -> list[Told]:
    """Facts about some subjects by verbs that fit one of some patterns (``cards.%``), newest first, paged as
    `facts_about`.
    """
    found = rows(sql.load(HERE, "about_any"), list(subjects), list(verbs), before, min(limit, PAGE_MAX))
    return [Told(*known, json.loads(detail)) for *known, detail in found]  # type: ignore[call-arg]  # as the SQL lists


def risks(kind: str, *, before: int | None = None, limit: int = PAGE) -> list[RiskFact]:
    """Risk facts of a kind, newest first, paged as `facts_about`."""
    found = RiskFact.objects.filter(kind=kind)
    if before is not None:
        found = found.filter(pk__lt=before)
    return list(found.order_by("-id")[: min(limit, PAGE_MAX)])


@dataclass(frozen=True)
class Reached:
    """The last seal that was recomputed: its number, its last transaction id (decimal text) and its digest."""

    number: int = 0
    sealed_to: str = "0"
    digest: bytes = chain.GENESIS


@transaction.atomic
def verify_chain() -> list[Finding]:
    """Recompute every seal and check every anchor. No finding that `is_fault` means nothing sealed was touched."""
    findings, reached = verify_seals(Reached(), 0, last_seal()[0])
    return [*findings, *verify_rest(reached.sealed_to)]


@transaction.atomic
def verify_seals(reached: Reached, after: int, upto: int) -> tuple[list[Finding], Reached]:
    """Recompute the seals after one up to and including another, on top of the last one that was there.

    Seals and facts are streamed side by side: one read of each in the order of its index, in constant memory.
    """
    bound = rows(LAST_OF, after, upto)
    facts = stream(FACTS_IN_ORDER, reached.sealed_to, bound[0][0] if bound else reached.sealed_to)
    fact = next(facts, None)
    findings: list[Finding] = []
    number, sealed_to, digest = reached.number, reached.sealed_to, reached.digest
    for found, xid_from, xid_to, sealed_facts, sealed, previous in stream(SEALS, after, upto):
        if found != number + 1:
            findings.append(Finding("seal_missing", f"seal:{number + 1}"))
        elif xid_from != sealed_to or previous != digest:
            findings.append(Finding("seal_broken", f"seal:{found}"))
        computed, count = chain.begin(previous), 0
        while fact is not None and int(fact[0]) <= int(xid_to):
            computed.update(chain.canonical(fact))
            count += 1
            fact = next(facts, None)
        findings.extend(_difference(found, sealed_facts, count, computed.digest() == sealed))
        number, sealed_to, digest = found, xid_to, sealed
    return findings, Reached(number, sealed_to, bytes(digest))


def verify_rest(sealed_to: str) -> list[Finding]:
    """Check every anchor, and what comes after the last sealed transaction id."""
    return [*_anchor_findings(), *_tail_findings(sealed_to)]


def _difference(number: int, sealed: int, found: int, same: bool) -> Iterator[Finding]:
    if found < sealed:
        yield Finding("removed", f"seal:{number}", sealed - found)
    elif found > sealed:
        yield Finding("inserted", f"seal:{number}", found - sealed)
    elif not same:
        yield Finding("changed", f"seal:{number}")


def _anchor_findings() -> Iterator[Finding]:
    anchors = rows(ANCHORS)
    seed = keys.load("anchor").derive(ANCHOR_LABEL) if anchors else b""
    for day, seal, digest, signature, sealed in anchors:
        text = chain.anchor_text(day, seal, bytes(digest))
        if not chain.anchor_holds(seed, text, bytes(signature)):
            yield Finding("anchor_forged", f"anchor:{day}")
        elif sealed is None or bytes(sealed) != bytes(digest):
            yield Finding("anchor_differs", f"anchor:{day}")


def _tail_findings(sealed_to: str) -> Iterator[Finding]:
    waiting, oldest, ahead = rows(TAIL, sealed_to)[0]
    if waiting:
        yield Finding("unsealed", "facts", waiting, _age_s(oldest))
    if ahead:
        yield Finding("from_future", "facts", ahead)


def _age_s(oldest: dt.datetime) -> int:
    return max(0, int((clock.now() - oldest).total_seconds()))


def _page(facts: QuerySet[Fact], before: int | None, limit: int) -> list[Fact]:
    if before is not None:
        facts = facts.filter(pk__lt=before)
    return list(facts.order_by("-id")[: min(limit, PAGE_MAX)])


def anchors(limit: int = PAGE) -> list[dict[str, Any]]:
    """The newest anchors, to be copied out of the house."""
    found = rows("SELECT day, seal, digest, signature FROM audit_anchor ORDER BY day DESC LIMIT $1", limit)
    return [
        {"day": day, "seal": seal, "digest": bytes(digest).hex(), "signature": bytes(signature).hex()}
        for day, seal, digest, signature in found
    ]


@dataclass(frozen=True)
class Sealed:
    """How far the trail is sealed: the last batch (0: none yet), when, and the facts waiting since."""

    number: int
    at: dt.datetime | None
    waiting: int


def sealed() -> Sealed:
    """The state of sealing, cheap enough for every page; `verify_chain` is the proof."""
    last = rows("SELECT number, sealed_at, xid_to::text FROM audit_seal ORDER BY number DESC LIMIT 1")
    number, at, xid_to = last[0] if last else (0, None, "0")
    return Sealed(number, at, rows(TAIL, xid_to)[0][0])
