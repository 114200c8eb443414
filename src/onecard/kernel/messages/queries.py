"""Reads of messages: a receiver's endpoints, and what is on its way to one."""

from django.db.models import Count, Q

from onecard.kernel.messages.models import Delivery, Endpoint

PAGE = 50


def endpoints_of(receiver: str) -> list[Endpoint]:
    """A receiver's endpoints with how many deliveries wait (`waiting`) and were given up (`dead`), by id."""
    counted = {state: Count("deliveries", filter=Q(deliveries__state=state)) for state in ("waiting", "dead")}
    return list(Endpoint.objects.filter(receiver=receiver).annotate(**counted).order_by("id"))


def endpoint(receiver: str, endpoint_id: int) -> Endpoint | None:
    """One of a receiver's endpoints; None for another's."""
    return Endpoint.objects.filter(receiver=receiver, pk=endpoint_id).first()


def deliveries_of(
    endpoint_id: int, *, state: str = "", before: int | None = None, limit: int = PAGE
) -> list[Delivery]:  # fmt: skip
    """What is or was on its way to an endpoint, the newest first, with its message; `before` is the last id above."""
    found = Delivery.objects.select_related("message").filter(endpoint_id=endpoint_id)
    found = found.filter(state=state) if state else found
    found = found.filter(pk__lt=before) if before is not None else found
    return list(found.order_by("-pk")[:limit])
