"""A passkey's device in plain code: makes a credential and signs, as the page's script would send it (WebAuthn 2)."""

import json
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class SoftKey:
    """One passkey. `verifies`: whether it makes sure of its owner. `origin`: the site where its browser stands."""

    verifies: bool = True
    origin: str = "https://testserver"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    user_handle: bytes = b""

    def made(self, told: dict[str, Any]) -> str:
        """What the page sends after `told` asked for a new passkey."""
        asked = told["publicKey"]
        self.user_handle = websafe_decode(asked["user"]["id"])
        public = cbor.encode(dict(ES256.from_cryptography_key(self.key.public_key())))  # type: ignore[no-untyped-call]
        credential = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + public
        data = self._data(asked["rp"]["id"], ATTESTED) + credential
        attested = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        said = self._said("webauthn.create", asked["challenge"])
        return self._sent(clientDataJSON=said, attestationObject=attested)

    def signed(self, told: dict[str, Any]) -> str:
        """What the page sends after `told` asked for a signature."""
        asked = told["publicKey"]
        said, data = self._said("webauthn.get", asked["challenge"]), self._data(asked["rpId"])
        signature = self.key.sign(data + sha256(said).digest(), ec.ECDSA(hashes.SHA256()))
        return self._sent(clientDataJSON=said, authenticatorData=data, signature=signature, userHandle=self.user_handle)

    def _data(self, site: str, flags: int = 0) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        return sha256(site.encode()).digest() + bytes([flags]) + bytes(4)

    def _said(self, type_: str, challenge: str) -> bytes:
        return json.dumps({"type": type_, "challenge": challenge, "origin": self.origin}).encode()

    def _sent(self, **response: bytes) -> str:
        name = websafe_encode(self.id)
        parts = {key: websafe_encode(value) for key, value in response.items()}
        return json.dumps(
            {"id": name, "rawId": name, "type": "public-key", "clientExtensionResults": {}, "response": parts}
        )
