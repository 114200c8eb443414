"""Verbs of the ledger: open accounts, post, hold and resolve, correct; and what its jobs do.

`post` is what other verbs call in their own transaction. The staff verbs take a permission ``ledger.<verb>`` that
reaches this node's place, are idempotent by the caller's transfer id and leave one fact. A refusal of the ledger raises
an error with the outcome's code; nothing is written then.
"""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from onecard.foundation import node, sql
from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, Conflict, NotFound, OneCardError
from onecard.foundation.ids import uuid7
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions as audit
from onecard.kernel.ledger.rules import WORDS, Kind, Ledger, Outcome, Transfer, resolution

HERE = "onecard.kernel.ledger"
EXPIRE_BATCH = 1_000
CORRECTION = "correction"
# What a use or its refund moved is taken back by a refund alone, which knows the whole of it and happens once.
OF_A_USE = ("paid", "concession", "refund")

_UNKNOWN = {Outcome.ACCOUNT_UNKNOWN, Outcome.PENDING_UNKNOWN}
_MALFORMED = {Outcome.KIND_INVALID, Outcome.AMOUNT_INVALID, Outcome.EXPIRY_INVALID, Outcome.SAME_ACCOUNT}
# One correction of a transfer at a time: the number is the transfer's, in a range of advisory locks that is ours.
_LOCK_CORRECTION = "SELECT pg_advisory_xact_lock((24102::bigint << 32) | (hashtext($1)::bigint & 4294967295))"


def open_accounts(
    owners: Sequence[str], role: str, ledger: Ledger, *, limited: bool, ceiling_fen: int | None = None
) -> list[int]:
    """Open one account for each owner (``holder:12``, ``party:3``), or find it; ids in the owners' order. Idempotent.

    A limited account never goes below zero, nor above its ceiling. An account that stands keeps the limit it has.
    """
    found = rows(
        "SELECT ledger_open($1::text[], $2, $3, $4, $5::bigint)",
        list(owners),
        role,
        ledger.value,
        limited,
        ceiling_fen,
    )
    return [account for (account,) in found]


def post(transfers: Sequence[Transfer]) -> dict[int, Outcome]:
    """Post transfers in their order, in the caller's transaction; why those that were not newly made were not.

    Keys are positions from 0. The others are made: to have all or nothing, roll back on a refusal.
    """
    found = rows(
        sql.load(HERE, "post"),
        [t.id for t in transfers],
        [t.debit for t in transfers],
        [t.credit for t in transfers],
        [t.amount_fen for t in transfers],
        [t.kind.value for t in transfers],
        [t.code for t in transfers],
        [t.pending_id for t in transfers],
        [t.expires_at for t in transfers],
        [t.reference for t in transfers],
    )
    return {n - 1: Outcome(outcome) for n, outcome in found}


@transaction.atomic
def hold(
    actor: Actor,
    transfer_id: UUID,
    debit: int,
    credit: int,
    amount_fen: int,
    *,
    reason: str,
    expires_at: dt.datetime | None = None,
) -> None:
    """Hold an amount (冻结) of the debited account for the credited one, until it is posted, voided or runs out."""
    transfer = Transfer(transfer_id, debit, credit, amount_fen, "hold", Kind.PENDING, expires_at=expires_at)
    _post_one(actor, "hold", transfer, reason, {"debit": debit, "credit": credit, "amount_fen": amount_fen})


@transaction.atomic
def post_hold(actor: Actor, transfer_id: UUID, pending_id: UUID, *, reason: str, amount_fen: int | None = None) -> None:
    """Post a hold (入账): all of it, or `amount_fen`; the rest is free again."""
    transfer = resolution(transfer_id, Kind.POST, pending_id, "hold", amount_fen)
    _post_one(actor, "post_hold", transfer, reason, {"pending": str(pending_id), "amount_fen": amount_fen})


@transaction.atomic
def void_hold(actor: Actor, transfer_id: UUID, pending_id: UUID, *, reason: str) -> None:
    """Void a hold (解冻): all of it is free again."""
    transfer = resolution(transfer_id, Kind.VOID, pending_id, "hold")
    _post_one(actor, "void_hold", transfer, reason, {"pending": str(pending_id)})


@transaction.atomic
def correct(actor: Actor, transfer_id: UUID, *, approved_by: Actor, reason: str) -> UUID:
    """Take a transfer back by another the other way round (冲正); the id of that one. Done once: again changes nothing.

    It takes two people; both are kept in the fact. Raises NotPermitted MAKER_IS_CHECKER, NotFound TRANSFER_UNKNOWN,
    Conflict TRANSFER_OF_A_USE (give the use back), TRANSFER_NOT_POSTED for a hold (void it instead), EXCEEDS_BALANCE
    where the account that was credited no
    longer has it.
    """
    _require(actor, "correct", reason)
    actor.require_two("ledger.correct", node.code(), approved_by)
    rows(_LOCK_CORRECTION, str(transfer_id))
    found = rows(sql.load(HERE, "correctable"), transfer_id)
    if not found:
        raise NotFound("TRANSFER_UNKNOWN", "没有这笔记账。", "There is no such transfer.")
    debit, credit, amount_fen, kind, code, corrected = found[0]
    if corrected is not None:
        return UUID(str(corrected))
    if code in OF_A_USE:
        raise Conflict(
            "TRANSFER_OF_A_USE",
            "该笔属于一次用卡，不能单独冲正。",
            "This transfer belongs to a use and is not corrected by itself.",
            next_zh="请退回该次用卡。",
            next_en="Give the use back instead.",
        )
    if kind not in (Kind.POSTED, Kind.POST):
        raise Conflict(
            "TRANSFER_NOT_POSTED",
            "该笔未入账，不能冲正。",
            "This transfer moved nothing, so there is nothing to correct.",
            next_zh="冻结请解冻。",
            next_en="Void a hold instead.",
        )
    correction = Transfer(uuid7(), credit, debit, amount_fen, CORRECTION, reference=transfer_id)
    detail = {"corrects": str(transfer_id), "amount_fen": amount_fen, "approved_by": approved_by.name}
    _post_one(actor, "correct", correction, reason, detail)
    return correction.id


def expire_holds(limit: int = EXPIRE_BATCH) -> int:
    """Expire holds that ran out, at most `limit`; how many. Safe beside other workers and posts: a hold ends once."""
    ran_out = rows(sql.load(HERE, "expired_holds"), limit)
    if not ran_out:
        return 0
    transfers = [resolution(uuid7(), Kind.EXPIRE, pending_id, "hold") for (pending_id,) in ran_out]
    return len(transfers) - len(post(transfers))


def fold_accounts() -> int:
    """Sum accounts without a limit up to the last position no open transaction can write before; how many moved."""
    folded: int = rows("SELECT ledger_fold_accounts()")[0][0]
    return folded


def refusal(outcome: Outcome) -> OneCardError:
    """An outcome as an error in words."""
    kind = NotFound if outcome in _UNKNOWN else BadInput if outcome in _MALFORMED else Conflict
    words = WORDS[outcome]
    return kind(outcome.value, f"{words.zh}。", f"{words.en}.", next_zh=words.next_zh, next_en=words.next_en)


def _post_one(actor: Actor, verb: str, transfer: Transfer, reason: str, detail: dict[str, object]) -> None:
    _require(actor, verb, reason)
    outcome = post([transfer]).get(0)
    if outcome is Outcome.EXISTS:
        return
    if outcome is not None:
        raise refusal(outcome)
    audit.record(actor, f"ledger.{verb}", f"transfer:{transfer.id}", place=node.code(), reason=reason, detail=detail)


def _require(actor: Actor, verb: str, reason: str) -> None:
    actor.require(f"ledger.{verb}", node.code())
    if not reason.strip():
        raise BadInput(
            "REASON_MISSING", "请填写原因。", "Give a reason.", next_zh="填写后重试。", next_en="Then try again."
        )
