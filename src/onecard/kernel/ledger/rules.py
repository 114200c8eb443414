"""What a transfer says, and what posting it can come to. Pure; `ledger_post` decides the same in the database.

The order of the outcomes is the order in which they are judged: the first that applies is the one returned.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

AMOUNT_FEN_MAX = 10**15


class Ledger(StrEnum):
    """A kind of value; a transfer never crosses from one to another."""

    PURSE = "purse"
    BANK = "bank"
    MEDICAL = "medical"
    TREASURY = "treasury"


class Kind(StrEnum):
    """What a transfer does: move at once, hold, or resolve what was held."""

    POSTED = "posted"
    PENDING = "pending"
    POST = "post"
    VOID = "void"
    EXPIRE = "expire"


@dataclass(frozen=True, slots=True)
class Transfer:
    """One movement of whole fen from the account debited to the one credited. `id` is a UUIDv7 drawn by the caller.

    code        why: ``paid``, ``concession``, ``refund``, ``hold``, ``correction``, …
    pending_id  what a resolution resolves; its accounts are taken from there, and its amount where None (all of it)
    expires_at  when a pending transfer runs out; None: never by itself
    reference   the use, or for a correction the transfer, that it belongs to
    """

    id: UUID
    debit: int | None
    credit: int | None
    amount_fen: int | None
    code: str
    kind: Kind = Kind.POSTED
    pending_id: UUID | None = None
    expires_at: dt.datetime | None = None
    reference: UUID | None = None


def resolution(transfer_id: UUID, kind: Kind, pending_id: UUID, code: str, amount_fen: int | None = None) -> Transfer:
    """Post, void or expire a hold; only a post may name less than was held."""
    return Transfer(transfer_id, None, None, amount_fen, code, kind, pending_id)


class Outcome(StrEnum):
    """What posting came to where no transfer was newly made."""

    EXISTS = "EXISTS"
    ID_REUSED = "ID_REUSED"
    KIND_INVALID = "KIND_INVALID"
    AMOUNT_INVALID = "AMOUNT_INVALID"
    EXPIRY_INVALID = "EXPIRY_INVALID"
    SAME_ACCOUNT = "SAME_ACCOUNT"
    ACCOUNT_UNKNOWN = "ACCOUNT_UNKNOWN"
    ACCOUNT_CLOSED = "ACCOUNT_CLOSED"
    LEDGER_MISMATCH = "LEDGER_MISMATCH"
    EXCEEDS_BALANCE = "EXCEEDS_BALANCE"
    EXCEEDS_CEILING = "EXCEEDS_CEILING"
    PENDING_UNKNOWN = "PENDING_UNKNOWN"
    PENDING_RESOLVED = "PENDING_RESOLVED"
    PENDING_EXPIRED = "PENDING_EXPIRED"
    PENDING_NOT_EXPIRED = "PENDING_NOT_EXPIRED"
    PENDING_EXCEEDED = "PENDING_EXCEEDED"


class Words(NamedTuple):
    """What an outcome says, and what to do next."""

    zh: str
    en: str
    next_zh: str = ""
    next_en: str = ""


WORDS: dict[Outcome, Words] = {
    Outcome.EXISTS: Words("该笔记账已经存在", "This transfer was made before"),
    Outcome.ID_REUSED: Words(
        "该编号已用于另一笔内容", "This id was used with other content", "请换用新的编号。", "Draw a new id."
    ),
    Outcome.KIND_INVALID: Words("记账种类与内容不符", "The kind of transfer does not fit what it names"),
    Outcome.AMOUNT_INVALID: Words(
        "金额无效", "The amount is not valid", "请填写大于零的整数分。", "Give whole fen above zero."
    ),
    Outcome.EXPIRY_INVALID: Words(
        "冻结到期时间无效",
        "The expiry of the hold is not valid",
        "到期时间应晚于现在，且只用于冻结。",
        "Give a moment to come, and only for a hold.",
    ),
    Outcome.SAME_ACCOUNT: Words("借贷账户相同", "Both accounts are the same"),
    Outcome.ACCOUNT_UNKNOWN: Words("没有这个账户", "There is no such account"),
    Outcome.ACCOUNT_CLOSED: Words("账户已销户", "The account is closed"),
    Outcome.LEDGER_MISMATCH: Words("两个账户不属于同一账本", "The accounts belong to different ledgers"),
    Outcome.EXCEEDS_BALANCE: Words(
        "余额不足", "The balance is too low", "请核对余额与冻结金额。", "Look at the balance and what is held."
    ),
    Outcome.EXCEEDS_CEILING: Words(
        "将超过余额上限", "This would exceed the ceiling", "请减少金额。", "Give a smaller amount."
    ),
    Outcome.PENDING_UNKNOWN: Words("没有这笔冻结", "There is no such hold"),
    Outcome.PENDING_RESOLVED: Words("该笔冻结已经处理", "This hold was resolved before"),
    Outcome.PENDING_EXPIRED: Words(
        "该笔冻结已过期", "This hold has run out", "请重新冻结后再入账。", "Hold anew, then post."
    ),
    Outcome.PENDING_NOT_EXPIRED: Words("该笔冻结尚未到期", "This hold has not run out yet"),
    Outcome.PENDING_EXCEEDED: Words(
        "金额超过冻结金额",
        "The amount is more than was held",
        "请填写不超过冻结金额的数。",
        "Give at most what is held.",
    ),
}
