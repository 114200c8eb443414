"""A signed request worked through, step by step, with a key that is nobody's."""

from typing import Final, NamedTuple

from onecard_kit import requests

KEY: Final = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
JOURNAL: Final = "72e997d5-47ca-40a4-b8a0-00e17b34c84c"
TIME: Final = 1772325012
SEQUENCE: Final = 1
PATH: Final = "/v1/uses"
BODY: Final = '{"item":"transit.bus_ride","code":"OC1.EXAMPLE"}'


class Worked(NamedTuple):
    """What goes in, the text that is signed, and the signature that must come out."""

    key: str
    body: str
    digest: str
    text: str
    signature: str


def worked() -> Worked:
    """The example, with HMAC-SHA256."""
    body = BODY.encode()
    digest = requests.HMAC_SHA256.digest(body)
    text = f"POST\n{PATH}\n{TIME}\n{JOURNAL}\n{SEQUENCE}\n{digest}"
    made = requests.sign(bytes.fromhex(KEY), "POST", PATH, TIME, JOURNAL, SEQUENCE, body)
    return Worked(KEY, BODY, digest, text, made)
