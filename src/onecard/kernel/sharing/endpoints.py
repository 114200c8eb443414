"""Where a client takes messages: filed by officers, since an address is where our worker sends. What the client sees to
itself is in `deliveries`.
"""

from collections.abc import Sequence

from django.db import transaction

from onecard.foundation import clock
from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, Conflict, NotFound
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions as audit
from onecard.kernel.catalogue.models import Client
from onecard.kernel.messages import signing
from onecard.kernel.messages.kinds import Kind
from onecard.kernel.messages.models import Endpoint
from onecard.kernel.sharing import credentials, deliveries, endpoint_requests
from onecard.kernel.sharing.models import EndpointRequest

PER_CLIENT_MAX = 10
# By itself: the role that officers file through may say these columns and no other.
FILE = "INSERT INTO messages_endpoint (receiver, url, kinds) VALUES ($1, $2, $3) RETURNING id"


@transaction.atomic
def add(actor: Actor, client_code: str, url: str, kinds: Sequence[str]) -> tuple[Endpoint, bytes]:
    """File an endpoint of a client that takes messages of some kinds; it and the key that signs them, which it is to be
    told. Filing an address again changes its kinds.

    Needs sharing.add_endpoint. Raises NotFound CLIENT_UNKNOWN, BadInput URL_MALFORMED, KIND_UNKNOWN, Conflict
    ENDPOINTS_TOO_MANY.
    """
    actor.require("sharing.add_endpoint")
    filed = _file(actor, client_code, url, kinds)
    return filed, signing.key_of(filed.pk, filed.key_number)


def _file(actor: Actor, client_code: str, url: str, kinds: Sequence[str]) -> Endpoint:
    if not Client.objects.filter(code=client_code).exists():
        raise NotFound("CLIENT_UNKNOWN", f"没有接入系统 {client_code}。", f"There is no client {client_code}.")
    endpoint_requests.refuse_wrong(url, kinds)
    credentials.lock(client_code)  # no eleventh slips through
    receiver = f"client:{client_code}"
    known = Endpoint.objects.filter(receiver=receiver, url=url).first()
    wanted = sorted({*kinds, Kind.PING.value})
    if known is None or known.state == "ended":
        _refuse_one_more(receiver)
    if known is None:
        [(number,)] = rows(FILE, receiver, url, wanted)
        known = Endpoint.objects.get(pk=number)
    elif (sorted(known.kinds), known.state) == (wanted, "active"):
        return known
    known.kinds, known.state = wanted, "active"
    known.save(update_fields=["kinds", "state"])
    detail = {"endpoint": known.pk, "kinds": wanted}
    audit.record(actor, "sharing.add_endpoint", receiver, detail=detail)
    return known


@transaction.atomic
def accept(actor: Actor, request_id: int, *, seen: Sequence[str] | None = None) -> Endpoint:
    """File the endpoint that a client asked for. Accepting again changes nothing. `seen` is which kinds of messages the
    officer saw that it asks for: the client may ask for others meanwhile. Needs sharing.add_endpoint.

    Raises NotFound ENDPOINT_REQUEST_UNKNOWN, Conflict ENDPOINT_REQUEST_DECIDED, ENDPOINT_REQUEST_CHANGED, and as `add`.
    """
    actor.require("sharing.add_endpoint")
    asked = _asked(request_id, "accepted")
    if seen is not None and sorted(set(seen)) != sorted(asked.kinds):
        raise Conflict(
            "ENDPOINT_REQUEST_CHANGED",
            "接入系统刚刚修改了申请的消息种类。",
            "The client has just asked for other kinds of messages.",
            next_zh="请重新查看后办理。",
            next_en="Look at it again, then decide.",
        )
    endpoint = _file(actor, asked.client.code, asked.url, asked.kinds)
    if asked.state == "waiting":
        _decide(actor, asked, "accepted", "")
        detail = {"request": request_id, "endpoint": endpoint.pk}
        audit.record(actor, "sharing.accept_endpoint", f"client:{asked.client.code}", detail=detail)
    return endpoint


@transaction.atomic
def decline(actor: Actor, request_id: int, reason: str) -> None:
    """Decline what a client asked for; it reads why. Declining again changes nothing. Needs sharing.add_endpoint.

    Raises NotFound ENDPOINT_REQUEST_UNKNOWN, Conflict ENDPOINT_REQUEST_DECIDED, BadInput REASON_MISSING.
    """
    actor.require("sharing.add_endpoint")
    if not reason.strip():
        raise BadInput("REASON_MISSING", "请填写原因。", "Give a reason.")
    asked = _asked(request_id, "declined")
    if asked.state == "waiting":
        _decide(actor, asked, "declined", reason.strip())
        receiver = f"client:{asked.client.code}"
        audit.record(actor, "sharing.decline_endpoint", receiver, reason=reason, detail={"request": request_id})


def _asked(request_id: int, wanted: str) -> EndpointRequest:
    """A request that waits, locked; or one that was decided as is wanted now."""
    known = EndpointRequest.objects.filter(pk=request_id).select_related("client")
    if (asked := known.first()) is None:
        raise NotFound("ENDPOINT_REQUEST_UNKNOWN", "没有这个申请。", "There is no such request.")
    credentials.lock(asked.client.code)  # first, as who asks does
    asked = known.select_for_update(no_key=True, of=("self",)).get()
    if asked.state not in ("waiting", wanted):
        raise Conflict("ENDPOINT_REQUEST_DECIDED", "该申请已经办结。", "The request was decided already.")
    return asked


def _decide(actor: Actor, asked: EndpointRequest, state: str, reason: str) -> None:
    asked.state, asked.reason, asked.decided_by, asked.decided_at = state, reason, actor.name, clock.now()
    asked.save(update_fields=["state", "reason", "decided_by", "decided_at"])


@transaction.atomic
def end(actor: Actor, endpoint_id: int, reason: str) -> None:
    """Send nothing to an endpoint any more. Ending it again changes nothing. Needs sharing.end_endpoint.

    Raises NotFound ENDPOINT_UNKNOWN, BadInput REASON_MISSING.
    """
    actor.require("sharing.end_endpoint")
    if not reason.strip():
        raise BadInput("REASON_MISSING", "请填写原因。", "Give a reason.")
    known = Endpoint.objects.filter(pk=endpoint_id).first()
    if known is None:
        raise deliveries.unknown()
    if known.state == "ended":
        return
    known.state = "ended"
    known.save(update_fields=["state"])
    audit.record(actor, "sharing.end_endpoint", known.receiver, reason=reason, detail={"endpoint": endpoint_id})


def _refuse_one_more(receiver: str) -> None:
    if Endpoint.objects.filter(receiver=receiver, state="active").count() >= PER_CLIENT_MAX:
        raise Conflict(
            "ENDPOINTS_TOO_MANY",
            f"该系统已有 {PER_CLIENT_MAX} 个接收地址。",
            f"The client has {PER_CLIENT_MAX} endpoints already.",
            next_zh="请先停用不用的地址。",
            next_en="End one that is no longer used.",
        )
