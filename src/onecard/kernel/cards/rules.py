"""The moves of a card and of its functions, and why a move is blocked. Pure.

States and their Chinese names follow the status values of two city systems (放号, 未启用, 正常, 口头挂失, 书面挂失,
锁定, 挂失注销, 注销). The tables here and the rows of `cards_move` and `cards_function_move` say the same; a test
compares them.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


class CardState(StrEnum):
    ALLOCATED = "allocated"
    INACTIVE = "inactive"
    ACTIVE = "active"
    TEMP_LOST = "temp_lost"
    LOST = "lost"
    LOCKED = "locked"
    CANCELLED_AFTER_LOSS = "cancelled_after_loss"
    CANCELLED = "cancelled"


class FunctionState(StrEnum):
    INACTIVE = "inactive"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class CardVerb(StrEnum):
    """What can be asked of a card."""

    COMPLETE = "complete"
    ACTIVATE = "activate"
    REPORT_TEMP_LOST = "report_temp_lost"
    REPORT_LOST = "report_lost"
    UNREPORT = "unreport"
    LOCK = "lock"
    CANCEL = "cancel"


class FunctionVerb(StrEnum):
    """What can be asked of a function."""

    ACTIVATE = "activate"
    SUSPEND = "suspend"
    CLOSE = "close"


@dataclass(frozen=True)
class CardFacts:
    """What the rules need of a card. `before_loss` is its state before a temporary loss, None in any other state."""

    state: CardState
    before_loss: CardState | None = None
    expired: bool = False


@dataclass(frozen=True)
class Blocked:
    """Why a move is not made: a stable code, a sentence and a remedy in both languages."""

    code: str
    zh: str
    en: str
    next_zh: str
    next_en: str


GONE = frozenset({CardState.CANCELLED, CardState.CANCELLED_AFTER_LOSS})
# A bank's token for an account. It must hold a letter: an account's or a bank card's number is digits alone.
ACCOUNT_FORM = r"^(?=.*[A-Za-z])[A-Za-z0-9_-]{16,64}$"

CANCELLED = Blocked(
    "CARD_CANCELLED",
    "该卡已注销，不能再办理业务。",
    "This card is cancelled; nothing can be done with it any more.",
    "请申领新卡。",
    "Apply for a new card.",
)
LOCKED = Blocked(
    "CARD_LOCKED",
    "该卡已锁定。",
    "This card is locked.",
    "请联系发卡地经办机构核实，锁定的卡只能注销。",
    "Ask the issuing place to look into it; a locked card can only be cancelled.",
)
LOST = Blocked(
    "CARD_LOST",
    "该卡已正式挂失，正式挂失不能解挂。",
    "This card was formally reported lost, which cannot be lifted.",
    "请补领新卡。",
    "Have it replaced.",
)
TEMP_LOST = Blocked(
    "CARD_TEMP_LOST",
    "该卡处于临时挂失状态。",
    "This card is temporarily reported lost.",
    "找到卡请先解挂；确认遗失请办理正式挂失。",
    "If it was found, lift the report first; if it is gone, report it lost formally.",
)
NOT_MADE = Blocked(
    "CARD_NOT_MADE",
    "该卡尚在制作中。",
    "This card is still being made.",
    "请等待制卡完成。",
    "Wait until it is completed.",
)
MADE_ALREADY = Blocked(
    "CARD_MADE_ALREADY",
    "该卡已制作完成并启用。",
    "This card was completed and activated already.",
    "无需再办理。",
    "Nothing is left to do.",
)
EXPIRED = Blocked(
    "CARD_EXPIRED",
    "该卡已超过有效期。",
    "This card is past its last valid day.",
    "请办理到期换卡。",
    "Have it renewed.",
)
FUNCTION_CLOSED = Blocked(
    "FUNCTION_CLOSED",
    "该功能已关闭。",
    "This function is closed.",
    "如需恢复请换领新卡。",
    "A closed function comes back only with a new card.",
)
FUNCTION_INACTIVE = Blocked(
    "FUNCTION_INACTIVE",
    "该功能尚未启用，不能暂停。",
    "This function was never activated, so it cannot be suspended.",
    "如不需要该功能，可直接关闭。",
    "Close it if it is not wanted.",
)

# verb → where it leads from each state. An absent state is blocked, except where the verb's result stands already.
CARD_MOVES: dict[CardVerb, dict[CardState, CardState]] = {
    CardVerb.COMPLETE: {CardState.ALLOCATED: CardState.INACTIVE},
    CardVerb.ACTIVATE: {CardState.INACTIVE: CardState.ACTIVE},
    CardVerb.REPORT_TEMP_LOST: {
        CardState.INACTIVE: CardState.TEMP_LOST,
        CardState.ACTIVE: CardState.TEMP_LOST,
    },
    CardVerb.REPORT_LOST: {
        CardState.INACTIVE: CardState.LOST,
        CardState.ACTIVE: CardState.LOST,
        CardState.TEMP_LOST: CardState.LOST,
    },
    CardVerb.UNREPORT: {},  # back to the state before, see `move_of`
    CardVerb.LOCK: {
        CardState.INACTIVE: CardState.LOCKED,
        CardState.ACTIVE: CardState.LOCKED,
        CardState.TEMP_LOST: CardState.LOCKED,
    },
    CardVerb.CANCEL: {
        CardState.ALLOCATED: CardState.CANCELLED,
        CardState.INACTIVE: CardState.CANCELLED,
        CardState.ACTIVE: CardState.CANCELLED,
        CardState.LOCKED: CardState.CANCELLED,
        CardState.TEMP_LOST: CardState.CANCELLED_AFTER_LOSS,
        CardState.LOST: CardState.CANCELLED_AFTER_LOSS,
    },
}

# The states in which a verb's result stands, so that repeating it changes nothing.
CARD_STANDS: dict[CardVerb, frozenset[CardState]] = {
    CardVerb.COMPLETE: frozenset({CardState.INACTIVE}),
    CardVerb.ACTIVATE: frozenset({CardState.ACTIVE}),
    CardVerb.REPORT_TEMP_LOST: frozenset({CardState.TEMP_LOST}),
    CardVerb.REPORT_LOST: frozenset({CardState.LOST}),
    CardVerb.UNREPORT: frozenset({CardState.INACTIVE, CardState.ACTIVE}),
    CardVerb.LOCK: frozenset({CardState.LOCKED}),
    CardVerb.CANCEL: GONE,
}

CARD_BLOCKS: dict[CardState, Blocked] = {
    CardState.ALLOCATED: NOT_MADE,
    CardState.INACTIVE: MADE_ALREADY,
    CardState.ACTIVE: MADE_ALREADY,
    CardState.TEMP_LOST: TEMP_LOST,
    CardState.LOST: LOST,
    CardState.LOCKED: LOCKED,
    CardState.CANCELLED: CANCELLED,
    CardState.CANCELLED_AFTER_LOSS: CANCELLED,
}

FUNCTION_MOVES: dict[FunctionVerb, dict[FunctionState, FunctionState]] = {
    FunctionVerb.ACTIVATE: {
        FunctionState.INACTIVE: FunctionState.ACTIVE,
        FunctionState.SUSPENDED: FunctionState.ACTIVE,
    },
    FunctionVerb.SUSPEND: {FunctionState.ACTIVE: FunctionState.SUSPENDED},
    FunctionVerb.CLOSE: {
        FunctionState.INACTIVE: FunctionState.CLOSED,
        FunctionState.ACTIVE: FunctionState.CLOSED,
        FunctionState.SUSPENDED: FunctionState.CLOSED,
    },
}

FUNCTION_STANDS: dict[FunctionVerb, FunctionState] = {
    FunctionVerb.ACTIVATE: FunctionState.ACTIVE,
    FunctionVerb.SUSPEND: FunctionState.SUSPENDED,
    FunctionVerb.CLOSE: FunctionState.CLOSED,
}


def move_of(card: CardFacts, verb: CardVerb) -> CardState | Blocked:
    """The state a verb leads to (the present one where its result stands already), or why it is blocked."""
    if card.state in CARD_STANDS[verb]:
        return card.state
    if verb is CardVerb.UNREPORT and card.state is CardState.TEMP_LOST and card.before_loss:
        return card.before_loss
    if verb is CardVerb.ACTIVATE and card.state is CardState.INACTIVE and card.expired:
        return EXPIRED
    return CARD_MOVES[verb].get(card.state) or CARD_BLOCKS[card.state]


def function_move_of(card: CardFacts, state: FunctionState, verb: FunctionVerb) -> FunctionState | Blocked:
    """The state a verb leads a function to, or why it is blocked; the card's own state comes first."""
    if state is FUNCTION_STANDS[verb]:
        return state
    if card.state not in (CardState.INACTIVE, CardState.ACTIVE):
        return CARD_BLOCKS[card.state]
    if state is FunctionState.CLOSED:
        return FUNCTION_CLOSED
    if verb is FunctionVerb.ACTIVATE and card.expired:
        return EXPIRED
    return FUNCTION_MOVES[verb].get(state) or FUNCTION_INACTIVE


def card_number(drawn: int) -> str:
    """The card number (卡号) of the n-th draw: a letter and eight digits, ``A00000001`` to ``Z99999999``."""
    letter, digits = divmod(drawn, 100_000_000)
    return f"{chr(ord('A') + letter)}{digits:08d}"


def last_valid_day(issued_on: dt.date, years: int) -> dt.date:
    """The last valid day of a card: the day before its `years`-th anniversary; 29 February counts to 28 February."""
    try:
        anniversary = issued_on.replace(year=issued_on.year + years)
    except ValueError:
        anniversary = dt.date(issued_on.year + years, 3, 1)
    return anniversary - dt.timedelta(days=1)
