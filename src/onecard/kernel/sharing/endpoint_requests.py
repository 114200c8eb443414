"""Requests for an endpoint (接收地址申请): a client says where it wants messages; an officer looks at the address,
since it is where our worker sends, and files it or declines (`endpoints`).
"""

import os
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from django.db import transaction

from onecard.foundation.errors import BadInput, Conflict
from onecard.foundation.postgres.raw import rows
from onecard.kernel.audit import actions as audit
from onecard.kernel.messages.kinds import Kind
from onecard.kernel.sharing import credentials
from onecard.kernel.sharing.models import EndpointRequest
from onecard.kernel.sharing.queries import Caller

URL_CHARS_MAX = 300
# Scheme, host with its port, and path in the letters of RFC 3986: what an officer reads is where it goes.
_ADDRESS = re.compile(
    r"(?P<scheme>https?)://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/([A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?"
)
WAITING_MAX = 10
# By itself: the role that clients ask through may say these columns and no other.
ADD = "INSERT INTO sharing_endpoint_request (client_id, url, kinds) VALUES ($1, $2, $3) RETURNING id"


@transaction.atomic
def ask(caller: Caller, url: str, kinds: Sequence[str]) -> EndpointRequest:
    """Ask for an endpoint that takes messages of some kinds. What waits at the same address is asked for anew.

    Raises BadInput URL_MALFORMED, KIND_UNKNOWN, Conflict ENDPOINT_REQUESTS_TOO_MANY.
    """
    refuse_wrong(url, kinds)
    credentials.lock(caller.code)
    waiting = EndpointRequest.objects.filter(client_id=caller.client_id, state="waiting")
    known, wanted = waiting.select_for_update(no_key=True).filter(url=url).first(), sorted(set(kinds))
    if known is not None and known.kinds == wanted:
        return known
    if known is not None:
        known.kinds = wanted
        known.save(update_fields=["kinds"])
    elif waiting.count() >= WAITING_MAX:
        raise Conflict(
            "ENDPOINT_REQUESTS_TOO_MANY",
            f"已有 {WAITING_MAX} 个接收地址等待审核。",
            f"{WAITING_MAX} endpoints wait to be looked at already.",
            next_zh="请等待管理部门审核。",
            next_en="Wait for the office to look at them.",
        )
    else:
        [(number,)] = rows(ADD, caller.client_id, url, wanted)
        known = EndpointRequest.objects.get(pk=number)
    detail = {"request": known.pk, "kinds": wanted}
    audit.record(caller.actor, "sharing.request_endpoint", caller.actor.name, detail=detail)
    return known


def page(caller: Caller, *, before: int | None, limit: int) -> list[EndpointRequest]:
    """A client's own requests, the newest first, with ids below `before`."""
    found = EndpointRequest.objects.filter(client_id=caller.client_id).order_by("-id")
    return list((found if before is None else found.filter(id__lt=before))[:limit])


def refuse_wrong(url: str, kinds: Sequence[str]) -> None:
    """Raises BadInput URL_MALFORMED, KIND_UNKNOWN."""
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
    found = _ADDRESS.fullmatch(url)
    if found is None or found["scheme"] not in schemes or len(url) > URL_CHARS_MAX:
        return False
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
