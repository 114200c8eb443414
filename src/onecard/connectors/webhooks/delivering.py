"""One turn of delivering: claim what is due, send to those with whom it is agreed, note what came of each."""

import logging
import os
import time
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed

from onecard.connectors.webhooks import addresses, caller, protocol
from onecard.connectors.webhooks.addresses import Network
from onecard.connectors.webhooks.caller import Away
from onecard.connectors.webhooks.protocol import Request
from onecard.foundation import clock
from onecard.kernel.messages import outbox, signing
from onecard.kernel.messages.outbox import Due
from onecard.kernel.sharing import hearing

log = logging.getLogger(__name__)

# As many as are claimed, so that nobody waits for another's answer.
AT_ONCE = 32
# What is answered so is the endpoint's trouble and not the message's.
TROUBLE = frozenset({408, 425, 429, *range(500, 600)})
NOT_AGREED = "nothing is agreed with you about it"


def deliver(*, for_s: float = 20.0) -> int:
    """Deliver what is due, for at most so many seconds; how many were taken.

    Raises Unavailable MESSAGE_NETWORKS_MALFORMED.
    """
    taken, until, inside = 0, time.monotonic() + for_s, addresses.inside()
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook") as pool:
        while time.monotonic() < until and (due := outbox.claim(AT_ONCE)):
            taken += _turn(pool, due, inside)
    return taken


def _turn(pool: Executor, due: list[Due], inside: tuple[Network, ...]) -> int:
    """Send what was claimed, and note each outcome as it comes; how many were taken."""
    agreed = hearing.may_hear(one.receiver for one in due)
    may = [one for one in due if (one.receiver, one.kind) in agreed]
    for one in due:
        if one not in may:
            _noted(one, NOT_AGREED, away=False)
    sent = {pool.submit(_sent, one, inside): one for one in may}
    return sum(_noted(sent[each], *each.result()) for each in as_completed(sent))


def _sent(due: Due, inside: tuple[Network, ...]) -> tuple[int | str, bool]:
    """The status of the answer or why there is none, and whether the endpoint is away."""
    try:
        status = caller.send(_request(due), inside)
    except Away as error:
        return str(error), True
    except Exception as error:  # a fault of ours in one message keeps no other waiting
        log.exception("delivery %s", due.id)
        return type(error).__name__, False
    return status, status in TROUBLE


def _request(due: Due) -> Request:
    numbers = [due.key_number, due.key_number - 1] if due.older_too else [due.key_number]
    keys = [(signing.key_id(due.endpoint_id, n), signing.key_of(due.endpoint_id, n)) for n in numbers]
    message = protocol.Message(due.message_id, source(), due.kind, due.subject, due.at, due.data)
    return protocol.signed(due.url, protocol.event(message), keys, clock.now())


def source() -> str:
    """What this node calls itself towards receivers."""
    return f"/onecard/{os.environ.get('ONECARD_NODE', '320600')}"


def _noted(due: Due, outcome: int | str, away: bool) -> bool:
    """Note what came of a delivery; whether it was taken."""
    if isinstance(outcome, int) and 200 <= outcome < 300:
        outbox.delivered(due)
        return True
    given_up = outbox.failed(due, f"status {outcome}" if isinstance(outcome, int) else outcome, away=away)
    log.warning("delivery %s, try %s: %s%s", due.id, due.tries, outcome, ", given up" if given_up else "")
    return False
