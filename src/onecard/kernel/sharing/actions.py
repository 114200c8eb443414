"""Verbs about clients, one transaction each: agree, end an agreement, give a credential, rotate, withdraw."""

import datetime as dt

from django.db import transaction

from onecard.foundation import clock
from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, Conflict, NotFound
from onecard.kernel.audit import actions as audit
from onecard.kernel.catalogue.models import Client, LegalBasis, State
from onecard.kernel.sharing import credentials, queries
from onecard.kernel.sharing.credentials import OVERLAP, OVERLAP_DAYS_MAX
from onecard.kernel.sharing.models import Agreement, Credential
from onecard.kernel.sharing.scopes import SCOPES, Scope

YEARS_MAX = 3
PER_MINUTE_MAX = 60_000


@transaction.atomic
def agree(
    actor: Actor,
    client_code: str,
    scope: str,
    *,
    purpose_zh: str,
    purpose_en: str,
    basis: str,
    ends_on: dt.date,
    per_minute: int | None = None,
) -> Agreement:
    """Agree that a client may do what a scope says, from today until before `ends_on`, three years at most. What was
    agreed about the same scope before ends with it; agreeing the same again changes nothing.

    Needs sharing.agree. Raises NotFound CLIENT_UNKNOWN, LEGAL_BASIS_UNKNOWN, BadInput SCOPE_UNKNOWN, PURPOSE_MISSING,
    AGREEMENT_TOO_LONG, ALLOWANCE_OUT_OF_RANGE, Conflict ENDED.
    """
    actor.require("sharing.agree")
    client = _locked_client(client_code)
    known, today = _scope(scope), clock.today()
    if not purpose_zh.strip() or not purpose_en.strip():
        raise BadInput("PURPOSE_MISSING", "请用中英文写明用途。", "Say the purpose, in both languages.")
    if not today < ends_on <= today + dt.timedelta(days=YEARS_MAX * 366):
        raise BadInput(
            "AGREEMENT_TOO_LONG",
            f"协议应在今天之后、{YEARS_MAX} 年之内到期。",
            f"An agreement ends after today and within {YEARS_MAX} years.",
            next_zh="到期前可续签。",
            next_en="It can be agreed anew before it ends.",
        )
    if not LegalBasis.objects.filter(pk=basis).exists():
        raise NotFound("LEGAL_BASIS_UNKNOWN", f"没有法规依据 {basis}。", f"There is no legal basis {basis}.")
    allowed = SCOPES[known].per_minute if per_minute is None else per_minute
    if not 1 <= allowed <= PER_MINUTE_MAX:
        raise BadInput(
            "ALLOWANCE_OUT_OF_RANGE",
            f"每分钟限额应在 1 到 {PER_MINUTE_MAX} 之间。",
            f"An allowance is 1 to {PER_MINUTE_MAX} requests a minute.",
        )
    said = {"purpose_zh": purpose_zh.strip(), "purpose_en": purpose_en.strip(), "basis_id": basis,
            "per_minute": allowed, "ends_on": ends_on}  # fmt: skip
    standing = Agreement.in_force(today).filter(client=client, scope=known).order_by("starts_on").last()
    if standing is not None and all(getattr(standing, name) == value for name, value in said.items()):
        return standing
    Agreement.in_force(today).filter(client=client, scope=known).update(ends_on=today)
    which = {"client": client, "scope": known.value, "starts_on": today}
    if not Agreement.objects.filter(**which).update(**said, agreed_by=actor.name):
        Agreement.objects.create(**which, **said, agreed_by=actor.name)
    detail = {"scope": known.value, "basis": basis, "per_minute": allowed, "ends_on": ends_on.isoformat()}
    audit.record(actor, "sharing.agree", f"client:{client_code}", detail=detail)
    return Agreement.objects.get(**which)


@transaction.atomic
def end_agreement(actor: Actor, client_code: str, scope: str, reason: str) -> None:
    """End what is agreed with a client about a scope: tokens that say so are worth that much less from this commit on.
    Ending what does not hold changes nothing. Needs sharing.end_agreement.
    """
    actor.require("sharing.end_agreement")
    client, known, today = _locked_client(client_code), _scope(scope), clock.today()
    _require_reason(reason)
    if Agreement.in_force(today).filter(client=client, scope=known).update(ends_on=today):
        detail = {"scope": known.value}
        audit.record(actor, "sharing.end_agreement", f"client:{client_code}", reason=reason, detail=detail)


@transaction.atomic
def give_credential(actor: Actor, client_code: str) -> tuple[str, str]:
    """A further credential of a client: its id and its secret, which is shown here and never again.

    Needs sharing.give_credential. Raises NotFound CLIENT_UNKNOWN, Conflict ENDED, CREDENTIALS_TOO_MANY.
    """
    actor.require("sharing.give_credential")
    made, secret = credentials.give(actor, _locked_client(client_code))
    return made.client_id, secret


@transaction.atomic
def rotate_credential(actor: Actor, client_code: str, overlap: dt.timedelta = OVERLAP) -> tuple[str, str]:
    """A new credential of a client, as `give_credential`; those before it stay good for as long as `overlap`.

    Raises also BadInput OVERLAP_OUT_OF_RANGE.
    """
    actor.require("sharing.give_credential")
    if not dt.timedelta() <= overlap <= dt.timedelta(days=OVERLAP_DAYS_MAX):
        raise credentials.overlap_out_of_range(0)
    client, end = _locked_client(client_code), clock.now() + overlap
    before = queries.open_credentials(client_code)
    made, secret = credentials.give(actor, client)
    credentials.end(before, end)
    return made.client_id, secret


@transaction.atomic
def withdraw_credential(actor: Actor, credential_id: str, reason: str) -> None:
    """Withdraw a credential: it and the tokens it got are worth nothing from this commit on. Withdrawing it again
    changes nothing. Needs sharing.withdraw_credential. Raises NotFound CREDENTIAL_UNKNOWN, BadInput REASON_MISSING.
    """
    actor.require("sharing.withdraw_credential")
    _require_reason(reason)
    found = Credential.objects.select_for_update(no_key=True, of=("self",)).filter(client_id=credential_id).first()
    if found is None:
        raise credentials.unknown(credential_id)
    now = clock.now()
    if found.valid_to is not None and found.valid_to <= now:
        return
    found.valid_to = now
    found.save(update_fields=["valid_to"])
    audit.record(
        actor, "sharing.withdraw_credential", f"client:{found.owner.code}",
        reason=reason, detail={"credential": credential_id},
    )  # fmt: skip


def _locked_client(code: str) -> Client:
    """A client, locked so that what is agreed with it and given to it comes one after the other."""
    credentials.lock(code)
    client = Client.objects.filter(code=code).first()
    if client is None:
        raise NotFound("CLIENT_UNKNOWN", f"没有接入系统 {code}。", f"There is no client {code}.")
    if client.state == State.ENDED:
        raise Conflict("ENDED", "该系统已终止接入。", "The client has ended.")
    return client


def _scope(code: str) -> Scope:
    try:
        return Scope(code)
    except ValueError:
        raise BadInput(
            "SCOPE_UNKNOWN",
            f"没有授权项 {code}。",
            f"There is no scope {code}.",
            next_zh=f"可选：{'、'.join(Scope)}。",
            next_en=f"There are: {', '.join(Scope)}.",
        ) from None


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise BadInput("REASON_MISSING", "请填写原因。", "Give a reason.")
