"""Reads of messages: a receiver's endpoints, and what is on its way to one."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import Count, Q

from onecard.kernel.messages.models import Delivery, Endpoint

PAGE = 50


class Failing(NamedTuple):
    """A delivery that was tried and not taken: to which endpoint, of which kind, whether it waits or was given up."""

    endpoint_id: int
    kind: str
    state: str
    tries: int
    tried_at: dt.datetime | None
    last_error: str


def endpoints_of(receiver: str) -> list[Endpoint]:
    """A receiver's endpoints with how many deliveries wait (`waiting`) and were given up (`dead`), by id."""
    counted = {state: Count("deliveries", filter=Q(deliveries__state=state)) for state in ("waiting", "dead")}
    return list(Endpoint.objects.filter(receiver=receiver).annotate(**counted).order_by("id"))


def endpoint(receiver: str, endpoint_id: int) -> Endpoint | None:
    """One of a receiver's endpoints; None for another's."""
    return Endpoint.objects.filter(receiver=receiver, pk=endpoint_id).first()


def failing_of(endpoint_ids: Sequence[int], limit: int = PAGE) -> list[Failing]:
    """What some endpoints did not take yet, though it was tried, or was given up: the newest first."""
    tried = Q(state="dead") | Q(state="waiting", tries__gt=0)
    found = Delivery.objects.filter(tried, endpoint_id__in=endpoint_ids).order_by("-pk")
    told = found.values_list("endpoint_id", "message__kind", "state", "tries", "tried_at", "last_error")
    return [Failing(*row) for row in told[:limit]]


def deliveries_of(
    endpoint_id: int, *, state: str = "", before: int | None = None, limit: int = PAGE
) -> list[Delivery]:  # fmt: skip
    """What is or was on its way to an endpoint, the newest first, with its message; `before` is the last id above."""
    found = Delivery.objects.select_related("message").filter(endpoint_id=endpoint_id)
    found = found.filter(state=state) if state else found
    found = found.filter(pk__lt=before) if before is not None else found
    return list(found.order_by("-pk")[:limit])
