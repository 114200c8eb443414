"""The five-minute start: commands that take a sandbox terminal from pairing to a use, its explanation and its refund.

They are one script in parts: what a part sets, the next ones use. A test runs them as the page shows them.
"""

from typing import Final, NamedTuple

from onecard.developers.sandbox import Sandbox, TestHolder, Unpaired
from onecard_kit import requests

# How openssl names the digest of a terminal's keys.
DIGESTS: Final = {requests.HMAC_SHA256.name: "sha256", requests.HMAC_SM3.name: "sm3"}

PAIR: Final = """GATEWAY=%(gateway)s
PAIRED=$(curl -s $GATEWAY/v1/pairings -d '{"pairing_code": "%(pairing_code)s"}')
echo "$PAIRED"
TERMINAL=$(jq -r .terminal <<<"$PAIRED") KEY_ID=$(jq -r .key_id <<<"$PAIRED")
KEY=$(jq -r .key <<<"$PAIRED") JOURNAL=$(jq -r .journal <<<"$PAIRED")
SEQUENCE=0"""
SIGN: Final = """send() {  # send PATH BODY
  local time digest signature
  time=$(date +%%s)
  digest=$(printf %%s "$2" | openssl dgst -%(digest)s -r | cut -d' ' -f1)
  signature=$(printf 'POST\\n%%s\\n%%s\\n%%s\\n%%s\\n%%s' "$1" "$time" "$JOURNAL" "$SEQUENCE" "$digest" |
    openssl dgst -%(digest)s -mac HMAC -macopt hexkey:"$KEY" -r | cut -d' ' -f1)
  curl -s "$GATEWAY$1" --data-binary "$2" \\
    -H "OneCard-Terminal: $TERMINAL" -H "OneCard-Key: $KEY_ID" \\
    -H "OneCard-Time: $time" -H "OneCard-Journal: $JOURNAL" \\
    -H "OneCard-Sequence: $SEQUENCE" -H "OneCard-Signature: $signature"
}"""
SHOW: Final = """CODE=$(curl -s $GATEWAY/v1/codes -H 'Authorization: Bearer %(token)s' \\
  -d '{"windows": 1}' | jq -r '.windows[0].code')
echo "$CODE\""""
USE: Final = """SEQUENCE=$((SEQUENCE + 1))
ANSWER=$(send /v1/uses '{"item": "%(item)s", "code": "'"$CODE"'"}')
jq . <<<"$ANSWER"
USE=$(jq -r .use <<<"$ANSWER")"""
EXPLAIN: Final = """SEQUENCE=$((SEQUENCE + 1))
send /v1/explanations '{"use": "'"$USE"'"}' | jq .steps"""
REFUND: Final = """SEQUENCE=$((SEQUENCE + 1))
send /v1/refunds '{"use": "'"$USE"'"}' | jq ."""


class Commands(NamedTuple):
    """The parts, in their order."""

    pair: str
    sign: str
    show: str
    use: str
    explain: str
    refund: str


def commands(sandbox: Sandbox, terminal: Unpaired, holder: TestHolder, item: str) -> Commands:
    """The script for a terminal to pair and a test holder."""
    said = {
        "gateway": sandbox.gateway,
        "pairing_code": terminal.pairing_code,
        "digest": DIGESTS[sandbox.trial.algorithm],
        "token": holder.token,
        "item": item,
    }
    return Commands(*(part % said for part in (PAIR, SIGN, SHOW, USE, EXPLAIN, REFUND)))
