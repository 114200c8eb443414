"""Reads of entitlements for the faces; the gateway reads its own in `kernel/uses/load`."""

from onecard.foundation import sql
from onecard.foundation.postgres.raw import rows
from onecard_kit.terms import Means


def means_of(holder_id: int) -> dict[str, tuple[Means, ...]]:
    """The orders of ways to pay that a holder chose, by item; an item that is not there is paid in its own order."""
    found = rows(sql.load("onecard.kernel.entitlements", "means_of"), holder_id)
    return {item: tuple(Means(each) for each in means) for item, means in found}
