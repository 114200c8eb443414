"""Watches (关注): a client asks to be told when a card of a holder changes, so that it need not ask again and again.

What it is told is that something changed, under its own name for the holder; what, it asks then, and the holder sees
that.
"""

import datetime as dt

from django.db import transaction

from onecard.foundation import clock
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions as audit
from onecard.kernel.cards.models import Card
from onecard.kernel.messages import outbox
from onecard.kernel.messages.kinds import Kind
from onecard.kernel.sharing import pseudonyms
from onecard.kernel.sharing.disclosures import disclose, holder_named
from onecard.kernel.sharing.models import Agreement, Watch
from onecard.kernel.sharing.queries import Caller
from onecard.kernel.sharing.scopes import Scope

DAYS_MAX = 366
# In one statement: who watches twice at once moves the end of the other's.
KEEP = (
    "INSERT INTO sharing_watch (client_id, holder_id, until) VALUES ($1, $2, $3)"
    " ON CONFLICT (client_id, holder_id) DO UPDATE SET until = excluded.until"
)


@transaction.atomic
def watch(caller: Caller, pseudonym: str, days: int) -> dt.date:
    """Watch a holder's cards for so many days from today; the day before which it ends. Watching again moves the end.

    Raises NotFound HOLDER_UNKNOWN.
    """
    holder_id = holder_named(caller, pseudonym)
    until = clock.today() + dt.timedelta(days=min(days, DAYS_MAX))
    rows(KEEP, caller.client_id, holder_id, until)
    disclose(caller, Scope.WATCH, holder_id, {"until": until.isoformat()})
    return until


@transaction.atomic
def stop(caller: Caller, pseudonym: str) -> None:
    """Watch a holder's cards no more; not watching changes nothing. Raises NotFound HOLDER_UNKNOWN."""
    holder_id = holder_named(caller, pseudonym)
    gone, _ = Watch.objects.filter(client_id=caller.client_id, holder_id=holder_id).delete()
    if gone:
        audit.record(caller.actor, "sharing.stop_watching", f"holder:{holder_id}")


@transaction.atomic
def tell(card_id: int) -> int:
    """Tell those who watch a card's holder that a card changed, where it is still agreed with them; how many."""
    today = clock.today()
    holder_id = Card.objects.values_list("holder_id", flat=True).get(pk=card_id)
    watching = Watch.objects.filter(holder_id=holder_id, until__gt=today).values("client_id")
    agreed = Agreement.in_force(today).filter(scope=Scope.WATCH, client_id__in=watching)
    clients = dict(agreed.order_by("client_id").values_list("client_id", "client__code"))
    for client_id, code in clients.items():
        name = pseudonyms.of_holder(client_id, holder_id)
        outbox.tell(f"client:{code}", Kind.CARD_CHANGED, f"holder:{name}", {"holder": name})
    return len(clients)
