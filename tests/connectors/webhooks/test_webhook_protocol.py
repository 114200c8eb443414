"""What goes over the wire, to the byte, and that a stranger's code finds its signature right."""

import datetime as dt
import json
from pathlib import Path
from uuid import UUID

import pytest

from onecard.connectors.webhooks import protocol
from onecard.connectors.webhooks.protocol import Message
from onecard_simulators.receiver import Receiver

GOLDEN = Path(__file__).parent / "golden" / "message.json"
KEY, OLDER = bytes(range(32)), bytes(range(1, 33))
AT = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)
MESSAGE = Message(
    UUID("01900000-0000-7000-8000-000000000001"), "/onecard/320600", "terminal.suspended", "terminal:NT-BUS-L01-1", AT,
    '{"point": "NT-BUS-L01", "terminal": "NT-BUS-L01-1"}',
)  # fmt: skip
URL = "https://bus.example:8443/onecard"


def a_request(at: dt.datetime = AT, *keys: tuple[str, bytes]) -> protocol.Request:
    return protocol.signed(URL, protocol.event(MESSAGE), keys or (("12.1", KEY),), at)


def test_a_message_is_these_bytes() -> None:
    """If a change is meant, every receiver has to agree to it first."""
    request = a_request()
    plain = {"method": request.method, "url": request.url, "headers": request.headers, "body": request.body.decode()}
    assert plain == json.loads(GOLDEN.read_text())


@pytest.fixture
def receiver() -> Receiver:
    """Its reading of a request, without its socket."""
    made = Receiver.__new__(Receiver)
    made.authority, made.keys = "bus.example:8443", {"12.1": KEY}
    return made


def believed(receiver: Receiver, request: protocol.Request, path: str = "/onecard") -> bool:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return receiver.fault(headers, path, request.body) == ""


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def test_a_strangers_code_finds_it_right(receiver: Receiver) -> None:
    assert believed(receiver, a_request(now()))


def test_while_keys_overlap_either_is_enough(receiver: Receiver) -> None:
    both = (("12.2", OLDER), ("12.1", KEY))
    assert believed(receiver, a_request(now(), *both))
    receiver.keys = {"12.2": OLDER}
    assert believed(receiver, a_request(now(), *both))
    assert not believed(receiver, a_request(now()))


def test_whatever_was_altered_is_not_believed(receiver: Receiver) -> None:
    request = a_request(now())
    assert not believed(receiver, request, path="/elsewhere")
    for change in ({"body": request.body + b" "}, {"headers": {**request.headers, "Content-Type": "text/plain"}}):
        altered = protocol.Request(
            request.method, request.url,
            change.get("body", request.body),  # type: ignore[arg-type]
            change.get("headers", request.headers),  # type: ignore[arg-type]
        )  # fmt: skip
        assert not believed(receiver, altered)
    for name in ("Signature", "Signature-Input", "Content-Digest"):
        rest = {key: value for key, value in request.headers.items() if key.lower() != name.lower()}
        assert not believed(receiver, protocol.Request("POST", URL, request.body, rest))


def test_an_old_signature_is_not_believed(receiver: Receiver) -> None:
    assert not believed(receiver, a_request(now() - dt.timedelta(minutes=6)))


def test_another_receivers_key_is_worth_nothing(receiver: Receiver) -> None:
    assert not believed(receiver, a_request(now(), ("12.1", OLDER)))
    assert not believed(receiver, a_request(now(), ("13.1", KEY)))
