"""Looking through the trail: facts by actor, subject, verb and day, newest first, and who looked at whose data.

Looking is itself a fact.
"""

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q, QuerySet

from onecard.foundation import clock
from onecard.foundation.actors import Actor
from onecard.kernel.audit import actions as audit
from onecard.kernel.audit.models import Fact

PAGE = 50
# Verbs by which somebody learns something of a person.
LOOKS = ("holders.read", "holders.reveal", "sharing.disclose", "uses.explain", "ledger.read")
# Ids are drawn in nearly the order of times: facts of one moment may be so many ids apart.
SLACK = 1_000


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
    facts = _within(places, wanted, before)
    if not wanted.looks or wanted.verb:
        return list(facts.order_by("-id")[:limit])
    # Each verb gives its own newest by its index.
    found = [fact for verb in LOOKS for fact in facts.filter(verb=verb).order_by("-id")[:limit]]
    return sorted(found, key=lambda fact: -fact.pk)[:limit]


def _within(places: Sequence[str], wanted: Wanted, before: int | None) -> QuerySet[Fact]:
    facts = Fact.objects.all()
    if "" not in places:
        scope = Q(pk__in=())
        for prefix in places:
            scope |= Q(place__startswith=prefix)
        facts = facts.filter(scope)
    named = {name: getattr(wanted, name) for name in ("actor", "subject", "verb") if getattr(wanted, name)}
    facts = facts.filter(**named)
    if wanted.verb and wanted.looks and wanted.verb not in LOOKS:
        facts = facts.none()
    if before is not None:
        facts = facts.filter(pk__lt=before)
    return _of_days(facts, wanted.from_day, wanted.to_day)


def _of_days(facts: QuerySet[Fact], first: dt.date | None, last: dt.date | None) -> QuerySet[Fact]:
    """Times narrow exactly, and ids besides, so that an old day is found without walking all that came since."""
    if first is not None:
        start = _midnight(first)
        oldest = Fact.objects.filter(at__gte=start).order_by("at").values_list("pk", flat=True).first()
        facts = facts.filter(at__gte=start, pk__gte=oldest - SLACK) if oldest is not None else facts.none()
    if last is not None:
        end = _midnight(last + dt.timedelta(days=1))
        newest = Fact.objects.filter(at__lt=end).order_by("-at").values_list("pk", flat=True).first()
        facts = facts.filter(at__lt=end, pk__lte=newest + SLACK) if newest is not None else facts.none()
    return facts


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), clock.CHINA)


def detail_text(fact: Fact) -> str:
    """A fact's detail as one line of JSON, '' where there is none."""
    return json.dumps(fact.detail, ensure_ascii=False, sort_keys=True) if fact.detail else ""
