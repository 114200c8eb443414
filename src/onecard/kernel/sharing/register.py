"""Reads of clients for officers: those of their places by code, one with what stands of it, and the endpoints that
clients ask for.
"""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import Count, Q

from onecard.foundation import clock
from onecard.foundation.errors import NotFound
from onecard.foundation.places import within
from onecard.kernel.catalogue.models import Client
from onecard.kernel.sharing.models import Agreement, Credential, EndpointRequest

PAGE = 50


class Wanted(NamedTuple):
    """Which clients to list; empty keeps all. `text` is found in the code and in both names."""

    text: str = ""
    state: str = ""


class Counted(NamedTuple):
    """How many scopes are agreed with a client now, and how many endpoints it waits for."""

    scopes: int = 0
    waiting: int = 0


def clients(places: Sequence[str], wanted: Wanted, *, after: str = "", limit: int = PAGE) -> list[Client]:
    """Clients of parties of some places after a code, with their parties."""
    found = Client.objects.filter(within("party__division", places), code__gt=after).select_related("party")
    if wanted.text:
        text = wanted.text
        found = found.filter(Q(code__icontains=text) | Q(name_zh__icontains=text) | Q(name_en__icontains=text))
    if wanted.state:
        found = found.filter(state=wanted.state)
    return list(found.order_by("code")[:limit])


def counted(client_ids: Sequence[int]) -> dict[int, Counted]:
    """Counts of some clients, by their ids; a client of which there is nothing has none."""
    agreed = Agreement.in_force(clock.today()).filter(client_id__in=client_ids).values_list("client_id")
    asked = EndpointRequest.objects.filter(client_id__in=client_ids, state="waiting").values_list("client_id")
    scopes = dict(agreed.annotate(n=Count("scope", distinct=True)).order_by("client_id"))
    waiting = dict(asked.annotate(n=Count("id")).order_by("client_id"))
    return {each: Counted(scopes.get(each, 0), waiting.get(each, 0)) for each in {*scopes, *waiting}}


def client(places: Sequence[str], client_id: int) -> Client:
    """A client of a party of some places. Raises NotFound CLIENT_UNKNOWN."""
    found = Client.objects.filter(within("party__division", places), pk=client_id).select_related("party").first()
    if found is None:
        raise NotFound("CLIENT_UNKNOWN", "没有这个接入系统。", "There is no such client.")
    return found


def agreements(client_id: int, *, limit: int = PAGE) -> list[Agreement]:
    """What is or was agreed with a client, what lasts longest first."""
    found = Agreement.objects.filter(client_id=client_id).select_related("basis")
    return list(found.order_by("-ends_on", "scope", "-starts_on")[:limit])


def agreed_scopes(client_id: int, day: dt.date) -> set[str]:
    """The scopes that are agreed with a client on a day."""
    return set(Agreement.in_force(day).filter(client_id=client_id).values_list("scope", flat=True))


def credentials(client_id: int, *, limit: int = PAGE) -> list[Credential]:
    """A client's credentials, those that ended too, the newest first."""
    return list(Credential.objects.filter(owner_id=client_id).order_by("-id")[:limit])


def credential(client_id: int, credential_id: str) -> Credential:
    """A client's credential by its own id. Raises NotFound CREDENTIAL_UNKNOWN."""
    found: Credential | None = Credential.objects.filter(owner_id=client_id, client_id=credential_id).first()
    if found is None:
        raise NotFound("CREDENTIAL_UNKNOWN", "没有这个凭据。", "There is no such credential.")
    return found


# --- Endpoints that clients ask for -----------------------------------------------------------------------------------


def requests(
    places: Sequence[str], state: str, *, after: int | None = None, limit: int = PAGE
) -> list[EndpointRequest]:
    """What clients of some places asked for and is in a state, with the clients: what waits with the oldest first, what
    was decided with the newest; `after` is the last id of the page before.
    """
    found = EndpointRequest.objects.filter(within("client__party__division", places), state=state)
    waits = state == "waiting"
    if after is not None:
        found = found.filter(pk__gt=after) if waits else found.filter(pk__lt=after)
    return list(found.select_related("client").order_by("pk" if waits else "-pk")[:limit])


def count_waiting(places: Sequence[str], *, limit: int) -> int:
    """How many requests of clients of some places wait, up to a limit."""
    found = EndpointRequest.objects.filter(within("client__party__division", places), state="waiting")
    return found[:limit].count()


def request(places: Sequence[str], request_id: int) -> EndpointRequest:
    """What a client of some places asked for. Raises NotFound ENDPOINT_REQUEST_UNKNOWN."""
    found = EndpointRequest.objects.filter(within("client__party__division", places), pk=request_id)
    asked = found.select_related("client__party").first()
    if asked is None:
        raise NotFound("ENDPOINT_REQUEST_UNKNOWN", "没有这个申请。", "There is no such request.")
    return asked


def requests_of(client_id: int, *, limit: int = PAGE) -> list[EndpointRequest]:
    """What a client asked for and waits, the oldest first."""
    return list(EndpointRequest.objects.filter(client_id=client_id, state="waiting").order_by("pk")[:limit])
