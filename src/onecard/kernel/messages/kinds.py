"""What can be told."""

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """A kind of message, as receivers choose and see it."""

    CARD_CHANGED = "card.changed"
    TERMINAL_SUSPENDED = "terminal.suspended"
    TERMINAL_RESUMED = "terminal.resumed"
    POINT_SUSPENDED = "point.suspended"
    POINT_RESUMED = "point.resumed"
    ITEM_SUSPENDED = "item.suspended"
    ITEM_RESUMED = "item.resumed"
    ITEM_PUBLISHED = "item.published"
    PING = "ping"


class Said(NamedTuple):
    zh: str
    en: str


KINDS: dict[Kind, Said] = {
    Kind.CARD_CHANGED: Said("所关注持卡人的卡状态有变", "A card of a holder whom you watch has changed"),
    Kind.TERMINAL_SUSPENDED: Said("您的终端已停用", "A terminal of yours was suspended"),
    Kind.TERMINAL_RESUMED: Said("您的终端已恢复", "A terminal of yours serves again"),
    Kind.POINT_SUSPENDED: Said("您的用卡点已停用", "A point of yours was suspended"),
    Kind.POINT_RESUMED: Said("您的用卡点已恢复", "A point of yours serves again"),
    Kind.ITEM_SUSPENDED: Said("您开通的项目已暂停", "An item that you offer was suspended"),
    Kind.ITEM_RESUMED: Said("您开通的项目已恢复", "An item that you offer is on again"),
    Kind.ITEM_PUBLISHED: Said("您开通的项目发布了新版本", "A version of an item that you offer was published"),
    Kind.PING: Said("连通测试", "A test, sent on request"),
}
