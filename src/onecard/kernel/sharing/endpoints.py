"""Where a client takes messages: filed by officers, since an address is where our worker sends. What the client sees to
itself is in `deliveries`.
"""

import os
from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

from django.db import transaction

from onecard.foundation.actors import Actor
from onecard.foundation.errors import BadInput, Conflict, NotFound
from onecard.kernel.audit import actions as audit
from onecard.kernel.catalogue.models import Client
from onecard.kernel.messages import signing
from onecard.kernel.messages.kinds import Kind
from onecard.kernel.messages.models import Endpoint
from onecard.kernel.sharing import deliveries

PER_CLIENT_MAX = 10
URL_CHARS_MAX = 300


@transaction.atomic
def add(actor: Actor, client_code: str, url: str, kinds: Sequence[str]) -> tuple[Endpoint, bytes]:
    """File an endpoint of a client that takes messages of some kinds; it and the key that signs them, which it is to be
    told. Filing an address again changes its kinds.

    Needs sharing.add_endpoint. Raises NotFound CLIENT_UNKNOWN, BadInput URL_MALFORMED, KIND_UNKNOWN, Conflict
    ENDPOINTS_TOO_MANY.
    """
    actor.require("sharing.add_endpoint")
    _refuse_wrong(client_code, url, kinds)
    receiver = f"client:{client_code}"
    known = Endpoint.objects.filter(receiver=receiver, url=url).first()
    wanted = sorted({*kinds, Kind.PING.value})
    if known is None or known.state == "ended":
        _refuse_one_more(receiver)
    if known is None:
        known = Endpoint.objects.create(receiver=receiver, url=url, kinds=wanted)
        known.refresh_from_db()
    elif (sorted(known.kinds), known.state) == (wanted, "active"):
        return known, signing.key_of(known.pk, known.key_number)
    known.kinds, known.state = wanted, "active"
    known.save(update_fields=["kinds", "state"])
    detail = {"endpoint": known.pk, "kinds": wanted}
    audit.record(actor, "sharing.add_endpoint", receiver, detail=detail)
    return known, signing.key_of(known.pk, known.key_number)


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


def _refuse_wrong(client_code: str, url: str, kinds: Sequence[str]) -> None:
    if not Client.objects.filter(code=client_code).exists():
        raise NotFound("CLIENT_UNKNOWN", f"没有接入系统 {client_code}。", f"There is no client {client_code}.")
    unknown = sorted(set(kinds) - {kind.value for kind in Kind})
    if unknown:
        raise BadInput(
            "KIND_UNKNOWN",
            f"没有消息种类 {unknown[0]}。",
            f"There is no kind of message {unknown[0]}.",
            next_zh=f"可选：{'、'.join(Kind)}。",
            next_en=f"There are: {', '.join(Kind)}.",
        )
    if not _is_address(url):
        raise BadInput(
            "URL_MALFORMED",
            "接收地址应为 https://主机/路径，不含账号、查询与片段。",
            "An endpoint is https://host/path without an account, a query or a fragment.",
        )


def _is_address(url: str) -> bool:
    """Only a demo node sends without TLS."""
    schemes = ("https", "http") if os.environ.get("ONECARD_DEMO") == "1" else ("https",)
    if not (url.isascii() and url.isprintable() and len(url) <= URL_CHARS_MAX):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0 and not _further(parts)
    except ValueError:
        return False


def _further(parts: SplitResult) -> bool:
    """Whether an address has an account, a query or a fragment."""
    return bool(parts.username or parts.password or parts.query or parts.fragment)
