"""Reads of the catalogue for the faces."""

import datetime as dt

from django.db.models import Q

from onecard.kernel.catalogue.models import ItemVersion, State
from onecard_kit import terms


def in_force(day: dt.date) -> list[terms.Item]:
    """What the active items say on a day, by code."""
    versions = ItemVersion.objects.filter(item__state=State.ACTIVE, starts_on__lte=day)
    versions = versions.filter(Q(ends_on=None) | Q(ends_on__gt=day)).order_by("item_id", "version")
    return [terms.from_plain(version.declaration, f"{version.item_id}@{version.version}") for version in versions]
