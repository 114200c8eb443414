"""Practising the loss of an issuer's key (密钥失窃演练) on the one that stands by: nobody holds anything that it
signed, so nobody is turned away, and everything else is as it would be (docs/key-loss.md).
"""

import http.client
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from onecard.foundation import clock, crypto, keys, suite
from onecard.foundation.actors import Actor
from onecard.foundation.errors import NotFound
from onecard.kernel.ecards import lists, losses, queries
from onecard.kernel.ecards.models import Key
from onecard_kit import codes, withdrawn
from onecard_kit.status_list import ListRefused
from onecard_kit.suites import SUITES, PublicKey, Purpose, Signer

GATEWAY_S_MAX = 30.0
"""So long a gateway is waited for: it reads its keys anew every five seconds."""

Keys = dict[bytes, PublicKey]


class Step(NamedTuple):
    """One thing that must be so after a loss, and whether it is."""

    zh: str
    en: str
    holds: bool


def practise(actor: Actor, purpose: Purpose, issuer: str, gateway: str | None = None) -> Iterator[Step]:
    """Withdraw the key that stands by and look at each thing that a loss has to come to, in turn.

    Raises NotFound KEY_UNKNOWN where none stands by.
    """
    key = queries.standing_by(purpose)
    if key is None:
        raise NotFound(
            "KEY_UNKNOWN",
            "没有备用的签发密钥。",
            "No issuer key stands by.",
            next_zh=f"请运行 onecard keys rotate-issuer --purpose {purpose}。",
            next_en=f"Run: onecard keys rotate-issuer --purpose {purpose}",
        )
    signs, forged, kid = queries.signing_key(purpose), _forged(key, issuer), bytes(key.kid)
    lost = losses.lose(actor, key, issuer, reason="drill")
    yield Step(
        f"备用密钥 {kid.hex()} 已吊销",
        f"key {kid.hex()}, which stood by, is withdrawn",
        lost.key.withdrawn_at is not None,
    )
    stands_by = queries.standing_by(purpose)
    yield Step("另有一把备用", "another one stands by", stands_by is not None and bytes(stands_by.kid) != kid)
    yield Step("签发密钥未变", "the key that signs is the same", queries.signing_key(purpose) == signs)
    public = _own_keys()
    yield Step("签名的吊销名单已列出", "the signed list of withdrawn keys names it", kid in _own_list(issuer, public))
    yield Step("以其伪造的码被拒绝", "a code forged with it is refused", not _passes(forged, issuer, public))
    if gateway is not None:
        told = Told(gateway, issuer)
        yield Step("网关的吊销名单已列出", "the gateway's list names it", told.until(lambda: kid in told.withdrawn()))
        yield Step(
            "以网关公布的密钥验伪造的码被拒绝", "by the gateway's keys the forged code is refused",
            told.until(lambda: not _passes(forged, issuer, told.public())),
        )  # fmt: skip


def _forged(key: Key, issuer: str) -> str:
    """What a thief would make of a key before anybody noticed: a code of an e-card that nobody has."""
    purpose, now = Purpose(key.purpose), int(clock.now().timestamp())
    seed = crypto.open_sealed(keys.load("codes"), bytes(key.private_sealed), f"ecards_key.private_sealed:{key.pk}")
    signer = Signer.of(suite.signature_suite(key.suite), bytes(key.kid), seed, purpose)
    via = codes.Via.PAPER if purpose is Purpose.LASTING else codes.Via.SELF
    nonce = os.urandom(codes.NONCE_BYTES)
    claims = codes.Claims(issuer, signer.kid, codes.REF_MAX, via, now, now + codes.WINDOW_S, nonce)
    return codes.encode(claims, signer)


def _passes(code: str, issuer: str, public: Keys) -> bool:
    try:
        codes.verify(code, {(issuer, kid): key for kid, key in public.items()})
    except codes.CodeRefused:
        return False
    return True


def _own_keys() -> Keys:
    """What a gate would verify with now."""
    good = [key for key in queries.issuer_keys() if key.withdrawn_at is None]
    return {bytes(key.kid): _public(key.suite, bytes(key.kid), bytes(key.public), key.purpose) for key in good}


def _own_list(issuer: str, public: Keys) -> Mapping[bytes, int]:
    """The list of withdrawn keys, signed by the key that signs now and read back; none before one does."""
    signer = lists.signer_now()
    if signer is None:
        return {}
    found = {bytes(key.kid): key.withdrawn_at for key in queries.issuer_keys()}
    gone = {kid: int(at.timestamp()) for kid, at in found.items() if at is not None}
    made = withdrawn.WithdrawnKeys(issuer, int(clock.now().timestamp()), gone)
    return withdrawn.from_jwt(withdrawn.to_jwt(made, signer), issuer, public).keys


def _public(named: str, kid: bytes, public: bytes, purpose: str) -> PublicKey:
    return PublicKey(SUITES[named], kid, public, Purpose(purpose))


class Told:
    """What a gateway tells anyone of keys, asked again and again."""

    def __init__(self, url: str, issuer: str) -> None:
        self._url, self._issuer = urlsplit(url), issuer
        self._said: dict[str, Any] = {}

    def until(self, holds: Callable[[], bool]) -> bool:
        """Whether it came to hold while we waited. A gateway that is away or tells nonsense does not."""
        deadline = time.monotonic() + GATEWAY_S_MAX
        while time.monotonic() < deadline:
            try:
                self._said = self._ask()
                if holds():
                    return True
            except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError, ListRefused):
                pass
            time.sleep(0.5)
        return False

    def public(self) -> Keys:
        """The keys it publishes."""
        return {
            (kid := bytes.fromhex(key["kid"])): _public(key["suite"], kid, bytes.fromhex(key["public"]), key["purpose"])
            for key in self._said["keys"]
        }

    def withdrawn(self) -> Mapping[bytes, int]:
        """The keys that its list names, once its signature is good. Raises ListRefused."""
        return withdrawn.from_jwt(self._said["withdrawn_keys"], self._issuer, self.public()).keys

    def _ask(self) -> dict[str, Any]:
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._url.netloc, timeout=5)
        try:
            connection.request("GET", f"{self._url.path.rstrip('/')}/v1/keys")
            said: dict[str, Any] = json.loads(connection.getresponse().read())
            return said
        finally:
            connection.close()
