"""What a client may be allowed to do, scope by scope."""

from enum import StrEnum
from typing import NamedTuple

from onecard.kernel.messages.kinds import Kind


class Scope(StrEnum):
    """One thing a client may be allowed to do, as it stands in a token."""

    IDENTIFY = "holders.identify"
    CARDS = "cards.read"
    USES = "uses.read"
    USES_HOLDERS = "uses.holders"
    REFUND = "uses.refund"
    EXPLAIN = "terms.explain"
    CATALOGUE = "catalogue.read"
    TERMINALS = "terminals.read"
    SUSPEND = "terminals.suspend"
    WATCH = "cards.watch"
    MESSAGES = "messages.manage"
    CALLS = "calls.read"
    CREDENTIALS = "credentials.manage"


class Said(NamedTuple):
    """A scope in both languages, and how many requests a minute an agreement about it bears unless it says so."""

    zh: str
    en: str
    per_minute: int


SCOPES: dict[Scope, Said] = {
    Scope.IDENTIFY: Said("以证件号或卡号换取持卡人代号", "Exchange a number in hand for a holder's pseudonym", 60),
    Scope.CARDS: Said("查询卡与电子社保卡状态", "Read the status of cards and e-cards", 600),
    Scope.USES: Said("查询本系统用卡点的用卡记录", "Read uses of the client's own points", 600),
    Scope.USES_HOLDERS: Said("用卡记录附持卡人代号", "See in uses whose they are, by pseudonym", 600),
    Scope.REFUND: Said("退回本系统用卡点的用卡", "Give uses of the client's own points back", 120),
    Scope.EXPLAIN: Said("说明判定与条件", "Have a use, or one that might be, explained", 120),
    Scope.CATALOGUE: Said("查询应用目录", "Read the catalogue", 600),
    Scope.TERMINALS: Said("查询本系统的用卡点与终端", "Read the client's own points and terminals", 600),
    Scope.SUSPEND: Said("停用、恢复本系统的终端", "Suspend and resume the client's own terminals", 60),
    Scope.WATCH: Said("持卡人的卡有变时得到通知", "Be told when a holder's card changes", 120),
    Scope.MESSAGES: Said("管理本系统的消息推送", "See to the messages that the client is sent", 60),
    Scope.CALLS: Said("查询本系统的调用记录", "Read the log of the client's own calls", 60),
    Scope.CREDENTIALS: Said("更换本系统的接入凭据", "Change over to a new credential", 60),
}

# What a token does only if it was asked for by name: whoever got hold of one for less cannot make itself at home.
ONLY_BY_NAME = frozenset({Scope.CREDENTIALS})

# What a message tells takes the scope that the same is asked for with.
SCOPE_OF: dict[Kind, Scope] = {
    Kind.CARD_CHANGED: Scope.WATCH,
    Kind.TERMINAL_SUSPENDED: Scope.TERMINALS,
    Kind.TERMINAL_RESUMED: Scope.TERMINALS,
    Kind.POINT_SUSPENDED: Scope.TERMINALS,
    Kind.POINT_RESUMED: Scope.TERMINALS,
    Kind.ITEM_SUSPENDED: Scope.CATALOGUE,
    Kind.ITEM_RESUMED: Scope.CATALOGUE,
    Kind.ITEM_PUBLISHED: Scope.CATALOGUE,
    Kind.PING: Scope.MESSAGES,
}
