"""The outbox: messages are written in the transaction of what they tell of, and brought to their endpoints afterwards.

Whoever delivers claims what is due and commits, sends, and notes what came of it; killed in between, the claim runs out
and somebody else sends it again.
"""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from onecard.foundation import sql
from onecard.foundation.ids import uuid7
from onecard.foundation.postgres.raw import rows
from onecard.kernel.messages.kinds import Kind

HERE = "onecard.kernel.messages"
# After which a claim of somebody who was killed is free again.
CLAIM_S = 60.0
PER_ENDPOINT = 8
# Between one try and the next; after the last of these, so often.
WAITS_S = (10, 30, 60, 300, 900, 1800, 3600)
GIVE_UP_S = 3 * 24 * 3600.0
REST_S, REST_S_MAX = 10.0, 600.0
KEPT_DAYS = 30
ERROR_CHARS_MAX = 200


class Due(NamedTuple):
    """A delivery that is ours to make now: the message, its endpoint, and whether the key before is still to sign."""

    id: int
    tries: int
    message_id: UUID
    at: dt.datetime
    receiver: str
    kind: str
    subject: str
    data: str
    endpoint_id: int
    url: str
    key_number: int
    older_too: bool


def tell(receiver: str, kind: Kind, subject: str, data: Mapping[str, Any], *, endpoint_id: int | None = None) -> int:
    """Tell a receiver that something happened, in the caller's transaction; to how many of its endpoints, or to the one
    that is named. Ids and codes only, never people's data.
    """
    text = json.dumps(data, ensure_ascii=False, sort_keys=True)
    told: int = rows(sql.load(HERE, "tell"), receiver, kind.value, subject, text, uuid7(), endpoint_id)[0][0]
    return told


def claim(count_max: int = 32) -> list[Due]:
    """What is due now, a few of each endpoint. Commit before sending."""
    return [Due(*row) for row in rows(sql.load(HERE, "claim"), PER_ENDPOINT, CLAIM_S, count_max)]


def delivered(due: Due) -> None:
    """It was taken."""
    rows(sql.load(HERE, "note_delivered"), due.id)


def failed(due: Due, why: str, *, away: bool) -> bool:
    """It was not taken; `away` where the endpoint did not answer at all. Whether it is given up now."""
    wait_s = float(WAITS_S[min(due.tries, len(WAITS_S)) - 1])
    noted = rows(
        sql.load(HERE, "note_failed"), due.id, why[:ERROR_CHARS_MAX], wait_s, GIVE_UP_S, away, REST_S, REST_S_MAX
    )  # fmt: skip
    return noted == [("dead",)]


def send_again(delivery_id: int) -> None:
    """Bring a delivery up again at once, also one that was given up or taken; its three days begin anew, and its
    endpoint rests no more: whoever asks says that it is there again.
    """
    rows(sql.load(HERE, "send_again"), delivery_id)


def clear() -> int:
    """Delete messages of more than thirty days ago that no active endpoint waits for; how many."""
    cleared: int = rows(sql.load(HERE, "clear"), KEPT_DAYS)[0][0]
    return cleared
