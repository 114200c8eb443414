"""Tells clients what changed of what is theirs: their terminals and points, and the items that their points offer."""

from onecard.kernel.catalogue.models import Client, Item, ItemVersion, Point, State, Terminal
from onecard.kernel.messages import outbox
from onecard.kernel.messages.kinds import Kind


def state_changed(row: Client | Point | Terminal | Item) -> None:
    """A client, point, terminal or item was suspended or serves again. A client that is stopped itself is told nothing:
    it finds out with its next request.
    """
    stopped = row.state == State.SUSPENDED
    if isinstance(row, Terminal):
        kind = Kind.TERMINAL_SUSPENDED if stopped else Kind.TERMINAL_RESUMED
        _tell(row.point.client, kind, f"terminal:{row.code}", {"terminal": row.code, "point": row.point.code})
    elif isinstance(row, Point):
        kind = Kind.POINT_SUSPENDED if stopped else Kind.POINT_RESUMED
        _tell(row.client, kind, f"point:{row.code}", {"point": row.code})
    elif isinstance(row, Item):
        kind = Kind.ITEM_SUSPENDED if stopped else Kind.ITEM_RESUMED
        for client in _offering(row.code):
            _tell(client, kind, f"item:{row.code}", {"item": row.code})


def published(version: ItemVersion) -> None:
    """A version of an item was published."""
    data = {"item": version.item_id, "version": version.version, "starts_on": version.starts_on.isoformat()}
    for client in _offering(version.item_id):
        _tell(client, Kind.ITEM_PUBLISHED, f"item:{version.item_id}", data)


def _tell(client: Client, kind: Kind, subject: str, data: dict[str, object]) -> None:
    outbox.tell(f"client:{client.code}", kind, subject, data)


def _offering(item: str) -> list[Client]:
    return list(Client.objects.filter(point__offer__item_id=item).distinct().order_by("code"))
