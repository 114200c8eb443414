"""What a client sees to itself about the messages that it is sent: the key that signs them, and sending again."""

import datetime as dt

from django.db import transaction

from onecard.foundation import clock
from onecard.foundation.errors import Conflict, NotFound
from onecard.kernel.audit import actions as audit
from onecard.kernel.messages import outbox, queries
from onecard.kernel.messages.kinds import Kind
from onecard.kernel.messages.models import Delivery, Endpoint
from onecard.kernel.sharing.queries import Caller

OVERLAP = dt.timedelta(days=1)


def own(caller: Caller, endpoint_id: int) -> Endpoint:
    """One of a caller's endpoints. Raises NotFound ENDPOINT_UNKNOWN, also for another's."""
    found = queries.endpoint(caller.actor.name, endpoint_id)
    if found is None:
        raise unknown()
    return found


@transaction.atomic
def rotate_key(caller: Caller, endpoint_id: int) -> tuple[int, dt.datetime]:
    """A new key for an endpoint: its number, and until when the one before it signs, too: a day.

    Raises NotFound ENDPOINT_UNKNOWN, Conflict ENDED.
    """
    _own_active(caller, endpoint_id)
    locked = Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint_id)
    locked.key_number += 1
    locked.older_to = clock.now() + OVERLAP
    locked.save(update_fields=["key_number", "older_to"])
    detail = {"endpoint": endpoint_id, "key": locked.key_number}
    audit.record(caller.actor, "sharing.rotate_endpoint_key", caller.actor.name, detail=detail)
    return locked.key_number, locked.older_to


def ping(caller: Caller, endpoint_id: int) -> None:
    """Send a test message to one of the client's endpoints. Raises NotFound ENDPOINT_UNKNOWN, Conflict ENDED."""
    known = _own_active(caller, endpoint_id)
    outbox.tell(known.receiver, Kind.PING, f"endpoint:{known.pk}", {"endpoint": known.pk}, endpoint_id=known.pk)


def send_again(caller: Caller, endpoint_id: int, delivery_id: int) -> None:
    """Send a message again at once, also one that was given up or taken.

    Raises NotFound ENDPOINT_UNKNOWN, DELIVERY_UNKNOWN, Conflict ENDED.
    """
    known = _own_active(caller, endpoint_id)
    if not Delivery.objects.filter(pk=delivery_id, endpoint=known).exists():
        raise NotFound("DELIVERY_UNKNOWN", "没有这次投递。", "There is no such delivery.")
    outbox.send_again(delivery_id)


def _own_active(caller: Caller, endpoint_id: int) -> Endpoint:
    known = own(caller, endpoint_id)
    if known.state == "ended":
        raise Conflict("ENDED", "该接收地址已停用。", "The endpoint has ended.")
    return known


def unknown() -> NotFound:
    """There is no such endpoint, or it is another client's."""
    return NotFound("ENDPOINT_UNKNOWN", "没有这个接收地址。", "There is no such endpoint.")
