"""The verb by which an officer gives a use back, as the system of its point may."""

import hashlib
from uuid import UUID

from onecard.foundation.actors import Actor
from onecard.foundation.postgres.raw import rows
from onecard.foundation.web import bridge
from onecard.kernel.audit import actions as audit
from onecard.kernel.audit import queries as audit_queries
from onecard.kernel.holders import rules
from onecard.kernel.uses.actions import Memory
from onecard.kernel.uses.refunds import Asked, Refund, refund, use_unknown


def refund_use(actor: Actor, use_id: UUID, reason: str) -> Refund:
    """Give a use back, in full and once; it leaves one fact with the reason, however often it is asked for.

    Needs uses.refund in the point's place. Raises NotFound USE_UNKNOWN, BadInput REASON_MISSING, and what
    `refund` raises.
    """
    found = rows(
        "SELECT u.terminal_id, p.client_id, p.division FROM uses_use u JOIN catalogue_point p ON p.id = u.point_id"
        " WHERE u.id = $1",
        use_id,
    )
    if not found:
        raise use_unknown()
    [(terminal_id, client_id, division)] = found
    actor.require("uses.refund", division)
    reason = rules.check_reason(reason)
    asked = Asked(use_id, terminal_id, None, _journal(use_id), 0, client_id)
    made = bridge.run(lambda connection: refund(connection, asked, Memory()))
    if made.repeated and audit_queries.facts_about(f"use:{use_id}", verb="uses.refund", limit=1):
        return made
    audit.record(actor, "uses.refund", f"use:{use_id}", place=division, reason=reason, detail={"refund": str(made.id)})
    return made


def _journal(use_id: UUID) -> UUID:
    """The journal of this refund alone: asked for by two officers at once, it is one."""
    return UUID(bytes=hashlib.blake2b(use_id.bytes, digest_size=16, person=b"officer-refund").digest())
