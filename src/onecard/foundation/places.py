"""Which rows lie in an officer's places."""

from collections.abc import Sequence

from django.db.models import Q


def within(field: str, places: Sequence[str]) -> Q:
    """Rows whose `field`, a division (GB/T 2260), begins with one of `places`; ``""`` is everywhere, none nowhere."""
    if "" in places:
        return Q()
    scope = Q(pk__in=())
    for prefix in places:
        scope |= Q(**{f"{field}__startswith": prefix})
    return scope
