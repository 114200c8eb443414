"""A message on the wire (docs/department-api.md) without I/O: CloudEvents 1.0 in JSON, signed by HMAC after RFC 9421
over its RFC 9530 digest.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver
from http_message_signatures.algorithms import HMAC_SHA256

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
COVERED = ("@method", "@authority", "@path", "content-type")
TAG = "onecard-message"


@dataclass(frozen=True)
class Message:
    """What is told: under which id, from where, of which kind, of what, when, and its data as a JSON text."""

    id: UUID
    source: str
    kind: str
    subject: str
    at: dt.datetime
    data: str


@dataclass
class Request:
    """A request as it goes on the wire."""

    method: str
    url: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def event(message: Message) -> bytes:
    """A message as an event in JSON."""
    told = {
        "specversion": "1.0",
        "id": str(message.id),
        "source": message.source,
        "type": f"onecard.{message.kind}",
        "subject": message.subject,
        "time": message.at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": json.loads(message.data),
    }
    return json.dumps(told, ensure_ascii=False).encode()


def signed(url: str, body: bytes, keys: Sequence[tuple[str, bytes]], at: dt.datetime) -> Request:
    """The POST of a body, with a signature (``sig1``, ``sig2``) under each of some keys, the newest first."""
    request = Request("POST", url, body, {"Content-Type": CONTENT_TYPE})
    signer = HTTPMessageSigner(signature_algorithm=HMAC_SHA256, key_resolver=_Keys(dict(keys)))
    for number, (key_id, _) in enumerate(keys, 1):
        signer.sign(
            request,
            key_id=key_id,
            created=at,
            label=f"sig{number}",
            tag=TAG,
            covered_component_ids=COVERED,
            append_if_signature_exists=number > 1,
            body=body,
            use_existing_digest=number > 1,
        )
    return request


class _Keys(HTTPSignatureKeyResolver):
    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = keys

    def resolve_private_key(self, key_id: str) -> bytes:
        return self._keys[key_id]

    def resolve_public_key(self, key_id: str) -> bytes:
        return self._keys[key_id]
