"""Writes of clients: each under a key that the client chose, so that sending it again does nothing twice.

A key belongs to its content for good: the same again gets the first answer, other content is refused. A refusal is not
kept, so the same write may be tried again under its key. What is begun and has no answer, because we were killed in
between, is done again; so every write is one that may be.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction

from onecard.foundation.errors import Conflict
from onecard.foundation.postgres.raw import rows
from onecard.kernel.sharing.queries import Caller

BEGIN = (
    "INSERT INTO sharing_kept_answer (client_id, key, content) VALUES ($1, $2, $3)"
    " ON CONFLICT (client_id, key) DO NOTHING"
)
FIND = "SELECT content, status, body FROM sharing_kept_answer WHERE client_id = $1 AND key = $2"
KEEP = "UPDATE sharing_kept_answer SET status = $3, body = $4 WHERE client_id = $1 AND key = $2"
# Who sends the same twice at once waits here for the first one's answer. The number is of a range that is ours alone.
LOCK = "SELECT pg_advisory_xact_lock(21070, hashtext($1::text || ':' || $2))"


@dataclass(frozen=True)
class Answer:
    """A status and a JSON text; `repeated` where it was given before."""

    status: int
    body: str
    repeated: bool = False


def once(caller: Caller, key: str, content: bytes, do: Callable[[], Answer]) -> Answer:
    """Do a write unless it was done under this key; its answer. `content` is a digest of what is asked.

    `do` runs in a transaction that ends with its answer being kept; what it does on other connections must be safe to
    repeat. Raises Conflict KEY_REUSED, and what `do` raises.
    """
    rows(BEGIN, caller.client_id, key, content)
    _refuse_other(caller, key, content)
    with transaction.atomic():
        rows(LOCK, caller.client_id, key)
        kept = _refuse_other(caller, key, content)
        if kept is not None:
            return kept
        answer = do()
        rows(KEEP, caller.client_id, key, answer.status, answer.body)
    return answer


def _refuse_other(caller: Caller, key: str, content: bytes) -> Answer | None:
    """The answer that is kept under a key, if there is one yet."""
    [(known, status, body)] = rows(FIND, caller.client_id, key)
    if bytes(known) != content:
        raise Conflict(
            "KEY_REUSED",
            "该 Idempotency-Key 已用于另一笔内容。",
            "This Idempotency-Key was used with other content.",
            next_zh="请为每笔新内容使用新的键。",
            next_en="Take a new key for each new content.",
        )
    return None if status is None else Answer(status, body, repeated=True)
