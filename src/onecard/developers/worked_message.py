"""A message with its signature worked through, step by step, under a key that is nobody's."""

import base64
import hashlib
import hmac
from typing import Final, NamedTuple

KEY: Final = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
AUTHORITY: Final = "bus.example:8443"
PATH: Final = "/onecard"
KIND: Final = "application/cloudevents+json; charset=utf-8"
PARAMETERS: Final = (
    '("@method" "@authority" "@path" "content-type" "content-digest");created=1772325012;keyid="12.1"'
    ';alg="hmac-sha256";tag="onecard-message"'
)
BODY: Final = (
    '{"specversion": "1.0", "id": "019b2f6e-7c1a-7d3e-9a51-3c0f5b7e2d10", "source": "/onecard/320600",'
    ' "type": "onecard.terminal.suspended", "subject": "terminal:NT-BUS-L01-1", "time": "2026-03-01T00:30:12Z",'
    ' "datacontenttype": "application/json", "data": {"terminal": "NT-BUS-L01-1", "point": "NT-BUS-L01"}}'
)


class Worked(NamedTuple):
    """The key, the request as it travels, the text that is signed, and the signature that must come out."""

    key: str
    request: str
    text: str
    signature: str


def worked() -> Worked:
    """The example (RFC 9421, RFC 9530)."""
    digest = f"sha-256=:{_base64(hashlib.sha256(BODY.encode()).digest())}:"
    text = "\n".join(
        [
            '"@method": POST',
            f'"@authority": {AUTHORITY}',
            f'"@path": {PATH}',
            f'"content-type": {KIND}',
            f'"content-digest": {digest}',
            f'"@signature-params": {PARAMETERS}',
        ]
    )
    signature = _base64(hmac.digest(bytes.fromhex(KEY), text.encode(), "sha256"))
    request = "\n".join(
        [
            f"POST {PATH} HTTP/1.1",
            f"Host: {AUTHORITY}",
            f"Content-Type: {KIND}",
            f"Content-Digest: {digest}",
            f"Signature-Input: sig1={PARAMETERS}",
            f"Signature: sig1=:{signature}:",
            "",
            BODY,
        ]
    )
    return Worked(KEY, request, text, signature)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
