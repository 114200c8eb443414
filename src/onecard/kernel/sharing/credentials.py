"""What a client sees to itself about its credentials: a further one, until when those before it stay good, and
withdrawing one. Officers give the first and may withdraw any (`actions`).
"""

import datetime as dt
import secrets

from django.db import transaction

from onecard.foundation import clock
from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, Conflict, NotFound
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions as audit
from onecard.kernel.catalogue.models import Client
from onecard.kernel.sharing.models import Credential
from onecard.kernel.sharing.queries import Caller, open_credentials

# Enough to change over in a working week, with one credential to spare.
OVERLAP = dt.timedelta(days=7)
OVERLAP_DAYS_MAX = 90
OPEN_MAX = 3
# What is given to a client or filed for it, and withdrawn, comes one after the other, whoever does it: a lock that
# takes no right on the register of clients. The number is of a range that is ours alone.
LOCK = "SELECT pg_advisory_xact_lock(21071, hashtext($1))"


def page(caller: Caller, *, before: str, limit: int) -> list[Credential]:
    """A client's own credentials, the newest first, those that ended too, after the one named `before`."""
    found = Credential.objects.filter(owner_id=caller.client_id).order_by("-id")
    if before:
        found = found.filter(id__lt=_own(caller, before).id)
    return list(found[:limit])


@transaction.atomic
def turn_over(caller: Caller, older_until: dt.date | None) -> tuple[Credential, str]:
    """A further credential and its secret, which is shown here and never again. Those before it stay good until before
    the day `older_until` begins in China; without one, as long as they were to.

    Raises BadInput OVERLAP_OUT_OF_RANGE, Conflict CREDENTIALS_TOO_MANY.
    """
    if older_until is not None and not 1 <= (older_until - clock.today()).days <= OVERLAP_DAYS_MAX:
        raise overlap_out_of_range(1)
    lock(caller.code)
    before = open_credentials(caller.code)
    made, secret = give(caller.actor, Client.objects.get(pk=caller.client_id))
    if older_until is not None:
        end(before, dt.datetime.combine(older_until, dt.time(), clock.CHINA))
    return made, secret


@transaction.atomic
def withdraw(caller: Caller, credential_id: str, reason: str) -> Credential:
    """Withdraw one of a client's own: it and the tokens that it got are worth nothing from this commit on. Withdrawing
    it again changes nothing.

    Raises NotFound CREDENTIAL_UNKNOWN, also for another's; Conflict LAST_CREDENTIAL.
    """
    lock(caller.code)
    found, standing = _own(caller, credential_id), open_credentials(caller.code)
    if [each.pk for each in standing] == [found.pk]:
        raise Conflict(
            "LAST_CREDENTIAL",
            "这是最后一个有效凭据，注销后将无法再取令牌。",
            "This is the last credential in force; without it no token could be had.",
            next_zh="请先新建一个凭据，再注销这一个；或请本市一卡通管理部门注销。",
            next_en="Make another one first, or have the city's one-card office withdraw it.",
        )
    if found.pk in {each.pk for each in standing}:
        end([found], clock.now())
        detail = {"credential": credential_id}
        audit.record(
            caller.actor, "sharing.withdraw_credential", caller.actor.name, reason=reason, detail=detail
        )  # fmt: skip
    return _own(caller, credential_id)


def lock(client_code: str) -> None:
    """Wait until nobody else gives to this client, or takes from it, until the transaction ends."""
    rows(LOCK, client_code)


def give(actor: Actor, client: Client) -> tuple[Credential, str]:
    """Draw a credential for a locked client. Raises Conflict CREDENTIALS_TOO_MANY."""
    if len(open_credentials(client.code)) >= OPEN_MAX:
        raise Conflict(
            "CREDENTIALS_TOO_MANY",
            f"该系统已有 {OPEN_MAX} 个有效凭据。",
            f"The client has {OPEN_MAX} credentials already.",
            next_zh="请先注销不用的凭据。",
            next_en="Withdraw one that is no longer used.",
        )
    secret = secrets.token_urlsafe(32)
    made = Credential.objects.create(
        owner=client,
        client_id=f"{client.code}.{secrets.token_hex(4)}",
        client_secret=secret,
        client_type=Credential.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Credential.GRANT_CLIENT_CREDENTIALS,
        given_by=actor.name,
    )
    audit.record(actor, "sharing.give_credential", f"client:{client.code}", detail={"credential": made.client_id})
    return made, secret


def end(credentials: list[Credential], at: dt.datetime) -> None:
    """Let some credentials end at a moment, those that do not end before anyway."""
    for each in credentials:
        if each.valid_to is None or each.valid_to > at:
            each.valid_to = at
            each.save(update_fields=["valid_to"])


def overlap_out_of_range(least: int) -> BadInput:
    return BadInput(
        "OVERLAP_OUT_OF_RANGE",
        f"新旧凭据并行的时间应在 {least} 到 {OVERLAP_DAYS_MAX} 天之间。",
        f"Credentials overlap for {least} to {OVERLAP_DAYS_MAX} days.",
    )


def unknown(credential_id: str) -> NotFound:
    """There is no such credential, or it is another client's."""
    return NotFound("CREDENTIAL_UNKNOWN", f"没有凭据 {credential_id}。", f"There is no credential {credential_id}.")


def _own(caller: Caller, credential_id: str) -> Credential:
    own = Credential.objects.filter(owner_id=caller.client_id)
    found: Credential | None = own.filter(client_id=credential_id).first()
    if found is None:
        raise unknown(credential_id)
    return found
