"""Two officers at one client: who comes second waits, and finds what the first has filed."""

import pytest
from django.db import transaction
from tests.kernel.sharing.builders import SYSTEM, a_client
from tests.kernel.side import WAIT_S, Side

from onecard.foundation.errors import Conflict
from onecard.kernel.messages.models import Endpoint
from onecard.kernel.sharing import endpoint_requests, endpoints
from onecard.kernel.sharing.queries import Caller

FULL = endpoints.PER_CLIENT_MAX


def test_two_who_accept_at_once_file_no_eleventh_endpoint(side: Side) -> None:
    client = a_client("NT-FULL")
    for n in range(1, FULL):
        endpoints.add(SYSTEM, client.code, f"https://x.example/{n}", ["ping"])
    caller = Caller(client.pk, client.code, "x", {})
    one, other = (endpoint_requests.ask(caller, f"https://x.example/{path}", ["ping"]).pk for path in "ab")
    with transaction.atomic():
        endpoints.accept(SYSTEM, one)
        second = side.start(lambda: endpoints.accept(SYSTEM, other))
        side.wait_for_lock(second)
    with pytest.raises(Conflict, match="ENDPOINTS_TOO_MANY"):
        second.result(WAIT_S)
    assert Endpoint.objects.filter(receiver="client:NT-FULL", state="active").count() == FULL


def test_two_who_accept_one_request_file_it_once(side: Side) -> None:
    client = a_client("NT-TWICE")
    asked = endpoint_requests.ask(Caller(client.pk, client.code, "x", {}), "https://x.example/a", ["ping"]).pk
    with transaction.atomic():
        filed = endpoints.accept(SYSTEM, asked)
        second = side.start(lambda: endpoints.accept(SYSTEM, asked))
        side.wait_for_lock(second)
    assert second.result(WAIT_S) == filed
