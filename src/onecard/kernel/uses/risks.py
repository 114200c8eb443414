"""The verb that looks back over uses for signs of misuse, by the rules that risk kinds declare.

It goes by the ids of uses, which are their time of recording, a batch at a time. What a batch came to is committed
together with how far was looked, so that a worker that is killed has looked at a batch wholly or not at all. A use is
looked at some minutes after it was recorded: by then whatever was begun with it is committed or given up.
"""

import datetime as dt
from typing import Any
from uuid import UUID

from django.db import transaction

from onecard.foundation import clock, sql
from onecard.foundation.ids import uuid7_floor
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import risks
from onecard.kernel.audit.risk_files import Journals, Looks, OfflineLines, Places, RiskKind, Uses

HERE = "onecard.kernel.uses"
AT_ONCE = 10_000
# No statement of a gateway takes longer than half a minute, nor does a transaction of it lie idle longer.
SETTLED_AFTER = dt.timedelta(minutes=2)
# Longer than the longest window, and than any gate may decide without a line and hand its journal in.
TALLY_KEPT = dt.timedelta(days=60)
# A turn that has so much to catch up leaves the rest to the next one.
BATCHES_MAX = 200


def look_back(until: dt.datetime | None = None, at_once: int = AT_ONCE, batches_max: int = BATCHES_MAX) -> int:
    """Look at the uses recorded since the last turn, and before `until` (default: two minutes ago); how many risk facts
    were raised. Looking again raises nothing anew.
    """
    settled = uuid7_floor(until or clock.now() - SETTLED_AFTER)
    raised = 0
    for _ in range(batches_max):
        found = _batch(settled, at_once)
        if found is None:
            break
        raised += found
    rows("DELETE FROM uses_risk_tally WHERE minute < $1", clock.now() - TALLY_KEPT)
    return raised + sum(map(_raise_journals, risks.kinds().values()))


@transaction.atomic
def _batch(settled: UUID, at_once: int) -> int | None:
    """Look at the next batch; how many risk facts were raised, None where nothing is left to look at."""
    [(after,)] = rows("SELECT through FROM uses_risk_position FOR UPDATE")
    batch = rows(sql.load(HERE, "risk_batch"), after, settled, at_once)
    if not batch:
        return None
    [(through,)] = batch
    raised = sum(_raise(kind, after, through) for kind in risks.kinds().values())
    rows("UPDATE uses_risk_position SET through = $1", through)
    return raised


def _raise(kind: RiskKind, after: UUID, through: UUID) -> int:
    """What a batch comes to under one kind; nothing for those that are raised at once."""
    if kind.looks_at is None:
        return 0
    rule = kind.looks_at.rule
    if isinstance(rule, Journals | Looks):  # of no use; the former are looked at once a turn
        return 0
    if isinstance(rule, Places):
        bounds = (rule.apart_km, rule.faster_than_kmh, rule.within_minutes)
        return int(rows(sql.load(HERE, "raise_places"), kind.kind, after, through, *bounds)[0][0])
    grown = _tally(kind.kind, rule, after, through)
    if not grown:
        return 0
    terminals = rule.terminals if isinstance(rule, Uses) else 1
    subjects, minutes = map(list, zip(*grown, strict=True))
    bounds = (rule.within_minutes, rule.count, terminals)
    return int(rows(sql.load(HERE, "raise_tallied"), kind.kind, *bounds, subjects, minutes)[0][0])


def _raise_journals(kind: RiskKind) -> int:
    """The journals that were found broken of late, each once."""
    rule = kind.looks_at.rule if kind.looks_at is not None else None
    if not isinstance(rule, Journals):
        return 0
    return int(rows(sql.load(HERE, "raise_journals"), kind.kind, rule.within_minutes)[0][0])


def _tally(kind: str, rule: Uses | OfflineLines, after: UUID, through: UUID) -> list[tuple[Any, ...]]:
    """Count what fits a rule; the subjects and minutes that grew."""
    if isinstance(rule, Uses):
        verdicts, media = [each.value for each in rule.verdicts], [each.value for each in rule.media]
        return rows(sql.load(HERE, "tally_uses"), kind, after, through, verdicts, media, rule.by.value)
    if rule.turned_away:
        return rows(sql.load(HERE, "tally_turned_away"), kind, after, through, rule.by.value)
    looked = (rule.manual, rule.list_older_minutes)
    return rows(sql.load(HERE, "tally_offline_lines"), kind, after, through, *looked, rule.by.value)
