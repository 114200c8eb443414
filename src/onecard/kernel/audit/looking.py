"""The verb that looks back over facts for who learned something of unusually many holders, by the rules of risk kinds.

It goes by the positions of committed facts, as seals do, a batch at a time. What a batch came to is committed together
with how far was looked, so that a worker that is killed has looked at a batch wholly or not at all. A rule counts
different holders in any span as long as its window; windows lie side by side in China's days, and an officer or client
has one risk fact in each at most.
"""

import datetime as dt
import json
from collections import Counter, deque
from collections.abc import Iterable
from typing import NamedTuple

from django.db import transaction

from onecard.foundation import clock, node, sql
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import risks
from onecard.kernel.audit.risk_files import Looker, Looks
from onecard.kernel.audit.trail import LOOKS, SLACK

HERE = "onecard.kernel.audit"
AT_ONCE = 10_000
# A turn that has so much to catch up leaves the rest to the next one.
BATCHES_MAX = 200
ACTORS: dict[Looker, str] = {Looker.OFFICER: "staff:", Looker.CLIENT: "client:"}
# Windows of any length are counted from here.
FIRST_WINDOW = dt.datetime(2000, 1, 1, tzinfo=clock.CHINA)


class Look(NamedTuple):
    """A fact by which somebody learned something of a holder (``holder:7``)."""

    at: dt.datetime
    id: int
    holder: str
    place: str


class Span(NamedTuple):
    """Looks of one actor that lie within a window's length: at how many holders, from when until when, the last fact's
    id, and the place that holds them all ('': none does).
    """

    holders: int
    first: dt.datetime
    last: dt.datetime
    last_id: int
    place: str


def look_back(at_once: int = AT_ONCE, batches_max: int = BATCHES_MAX) -> int:
    """Look at the facts that were committed since the last turn; how many risk facts were raised. Looking again raises
    nothing anew.
    """
    raised = 0
    for _ in range(batches_max):
        found = _batch(at_once)
        if found is None:
            break
        raised += found
    return raised


@transaction.atomic
def _batch(at_once: int) -> int | None:
    """Look at the next batch; how many risk facts were raised, None where nothing is left to look at."""
    [(after,)] = rows("SELECT through::text FROM audit_look_position FOR UPDATE")
    [(through,)] = rows(sql.load(HERE, "next_batch"), after, at_once)
    if through is None:
        return None
    raised = 0
    for kind in risks.kinds().values():
        rule = kind.looks_at.looks if kind.looks_at is not None else None
        if rule is not None:
            raised += _raise(kind.kind, rule, after, through)
    rows("UPDATE audit_look_position SET through = $1::xid8", through)
    return raised


def _raise(kind: str, rule: Looks, after: str, through: str) -> int:
    """What a batch comes to under one kind."""
    grown = rows(sql.load(HERE, "lookers"), after, through, ACTORS[rule.by], list(LOOKS))
    return sum(_raise_of(kind, rule, actor, first, last) for actor, first, last in grown)


def _raise_of(kind: str, rule: Looks, actor: str, first: dt.datetime, last: dt.datetime) -> int:
    """What looks of one actor, of which the batch holds those from `first` to `last`, come to."""
    within = dt.timedelta(minutes=rule.within_minutes)
    window = _window(first, within)
    known = {at for (at,) in rows(sql.load(HERE, "windows_raised"), kind, actor, window)}
    if all(window + n * within in known for n in range((_window(last, within) - window) // within + 1)):
        return 0
    # A transaction that took long tells of looks that precede others: those after them are counted anew.
    found = rows(sql.load(HERE, "looks_of"), actor, list(LOOKS), first - within, last + within, SLACK)
    spans = fullest((Look(*row) for row in found), within)
    return sum(
        _store(kind, actor, start, span)
        for start, span in spans.items()
        if span.holders >= rule.holders and start >= window and start not in known
    )


def fullest(looks: Iterable[Look], within: dt.timedelta) -> dict[dt.datetime, Span]:
    """Of the looks of one actor, in the order of time: for each window the span with the most holders that ends in
    it.
    """
    found: dict[dt.datetime, Span] = {}
    held: deque[Look] = deque()
    holders: Counter[str] = Counter()
    places: Counter[str] = Counter()
    for look in looks:
        held.append(look)
        holders[look.holder] += 1
        places[look.place] += 1
        while held[0].at <= look.at - within:
            gone = held.popleft()
            _take_out(holders, gone.holder)
            _take_out(places, gone.place)
        window = _window(look.at, within)
        if window not in found or len(holders) > found[window].holders:
            found[window] = Span(len(holders), held[0].at, look.at, look.id, _place_of(places))
    return found


def _take_out(counted: Counter[str], one: str) -> None:
    counted[one] -= 1
    if not counted[one]:
        del counted[one]


def _store(kind: str, actor: str, window: dt.datetime, span: Span) -> int:
    """Raise one risk fact; how many, 0 where it was. It names no holder: who may see them looks at the trail."""
    detail = {
        "place": span.place or node.code(),
        "count": span.holders,
        "from": span.first.isoformat(),
        "until": span.last.isoformat(),
        "fact": span.last_id,
    }
    return len(rows(sql.load(HERE, "raise_look"), kind, actor, window, json.dumps(detail)))


def _window(at: dt.datetime, within: dt.timedelta) -> dt.datetime:
    """The start of the window in which a moment lies."""
    return FIRST_WINDOW + (at - FIRST_WINDOW) // within * within


def _place_of(places: Iterable[str]) -> str:
    """The division that holds all that are named; '' where none does."""
    named = {place for place in places if place}
    for digits in (6, 4):
        if len(shared := {place[:digits] for place in named}) == 1:
            return shared.pop().ljust(6, "0")
    return ""
