"""Looking through the trail: facts by actor, subject, verb and day, newest first, and who looked at whose data.

Looking is itself a fact.
"""

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import QuerySet

from onecard.foundation import clock, sql
from onecard.foundation.actors import Actor
from onecard.foundation.places import within
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions as audit
from onecard.kernel.audit.models import Fact

HERE = "onecard.kernel.audit"
PAGE = 50
# Verbs by which somebody learns something of a person.
LOOKS = ("holders.read", "holders.reveal", "sharing.disclose", "uses.explain", "ledger.read", "audit.read_risks")
# Ids are drawn in nearly the order of times: facts of one moment may be so many ids apart.
SLACK = 1_000
ID_MAX = 2**63 - 1


class Wanted(NamedTuple):
    """Which facts to show; what is empty does not narrow. `looks`: only verbs by which somebody learns of a person.
    Days are whole ones in China, both included.
    """

    actor: str = ""
    subject: str = ""
    verb: str = ""
    looks: bool = False
    from_day: dt.date | None = None
    to_day: dt.date | None = None

    def plain(self) -> dict[str, Any]:
        """As JSON carries it: what is empty is left out."""
        told = {"actor": self.actor, "subject": self.subject, "verb": self.verb, "looks": self.looks}
        days = {"from": self.from_day, "to": self.to_day}
        told |= {name: day.isoformat() for name, day in days.items() if day is not None}
        return {name: value for name, value in told.items() if value}


class Bounds(NamedTuple):
    """From which id on, below which id, from which moment on and before which; None: whenever."""

    oldest: int
    below: int
    since: dt.datetime | None
    until: dt.datetime | None


def wanted_of(plain: dict[str, Any]) -> Wanted:
    """The reverse of `Wanted.plain`."""
    first, last = (dt.date.fromisoformat(plain[name]) if name in plain else None for name in ("from", "to"))
    actor, subject, verb = (str(plain.get(name, "")) for name in ("actor", "subject", "verb"))
    return Wanted(actor, subject, verb, bool(plain.get("looks")), first, last)


@transaction.atomic
def look(actor: Actor, places: Sequence[str], wanted: Wanted, *, before: int | None = None) -> list[Fact]:
    """A page of facts and one more, for an officer who may see those of some places; it leaves a fact."""
    found = page(places, wanted, before=before, limit=PAGE + 1)
    audit.record(actor, "audit.read", "audit", detail=wanted.plain())
    return found


def page(places: Sequence[str], wanted: Wanted, *, before: int | None = None, limit: int = PAGE) -> list[Fact]:
    """Facts of places that begin with one of `places`, newest first; those without a place only for ``""``."""
    bounds = _bounds(wanted, before)
    if bounds is None or (wanted.verb and wanted.looks and wanted.verb not in LOOKS):
        return []
    if wanted.subject:
        return _about(places, wanted, bounds, limit)
    named = (["%"] if "" in places else [f"{prefix}%" for prefix in places], *bounds, limit)
    verbs = [wanted.verb] if wanted.verb else list(LOOKS) if wanted.looks else None
    if wanted.actor:
        return _read("trail_by_actor", *named, verbs, wanted.actor)
    if verbs is not None:
        return _read("trail_by_verb", *named, verbs)
    if "" in places:
        return list(_between(bounds).order_by("-id")[:limit])
    return _read("trail_by_place", *named)


def _about(places: Sequence[str], wanted: Wanted, bounds: Bounds, limit: int) -> list[Fact]:
    """Facts about one subject: they are few, so that what else is wanted is looked for among them."""
    facts = _between(bounds).filter(within("place", places), subject=wanted.subject)
    facts = facts.filter(**{name: value for name, value in (("actor", wanted.actor), ("verb", wanted.verb)) if value})
    if wanted.looks:
        facts = facts.filter(verb__in=LOOKS)
    return list(facts.order_by("-id")[:limit])


def _bounds(wanted: Wanted, before: int | None) -> Bounds | None:
    """What days and the page before leave; None: nothing. Times narrow exactly, and ids besides, so that an old day is
    found without walking all that came since.
    """
    oldest, below, since, until = 0, ID_MAX if before is None else before, None, None
    if wanted.from_day is not None:
        since = _midnight(wanted.from_day)
        first = Fact.objects.filter(at__gte=since).order_by("at").values_list("pk", flat=True).first()
        if first is None:
            return None
        oldest = first - SLACK
    if wanted.to_day is not None:
        until = _midnight(wanted.to_day + dt.timedelta(days=1))
        last = Fact.objects.filter(at__lt=until).order_by("-at").values_list("pk", flat=True).first()
        if last is None:
            return None
        below = min(below, last + SLACK + 1)
    return Bounds(oldest, below, since, until)


def _between(bounds: Bounds) -> QuerySet[Fact]:
    facts = Fact.objects.filter(pk__gte=bounds.oldest, pk__lt=bounds.below)
    if bounds.since is not None:
        facts = facts.filter(at__gte=bounds.since)
    return facts.filter(at__lt=bounds.until) if bounds.until is not None else facts


def _read(statement: str, *values: Any) -> list[Fact]:
    found = rows(sql.load(HERE, statement), *values)
    return [Fact(*row[:-1], detail=json.loads(row[-1])) for row in found]  # type: ignore[misc]  # as the SQL lists


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), clock.CHINA)


def detail_text(fact: Fact) -> str:
    """A fact's detail as one line of JSON, '' where there is none."""
    return json.dumps(fact.detail, ensure_ascii=False, sort_keys=True) if fact.detail else ""
