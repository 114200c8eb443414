"""The list of withdrawn keys (已吊销密钥): what a gate must not verify with any more, signed by the key that
signs codes now.

A gate adds what a list names to what it knows and never takes anything back, so an older list does no harm, and it
takes none from a key that it knows to be withdrawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from onecard_kit.status_list import ListRefused, read_jwt, sign_jwt
from onecard_kit.suites import KID_BYTES, PublicKey, Signer

JWT_TYPE: Final = "withdrawn-keys+jwt"


@dataclass(frozen=True, slots=True)
class WithdrawnKeys:
    """The keys of `issuer` (its place) that are withdrawn, as known at `issued`: kid → when. Unix seconds."""

    issuer: str
    issued: int
    keys: Mapping[bytes, int]


def to_jwt(made: WithdrawnKeys, signer: Signer) -> str:
    """The list as a signed JWT in its compact form. Raises ValueError for a signer that stands on it."""
    if signer.kid in made.keys:
        raise ValueError("a withdrawn key signs no list of withdrawn keys")
    told = [{"kid": kid.hex(), "withdrawn": at} for kid, at in sorted(made.keys.items())]
    return sign_jwt(JWT_TYPE, {"iss": made.issuer, "iat": made.issued, "withdrawn_keys": told}, signer)


def from_jwt(text: str, issuer: str, keys: Mapping[bytes, PublicKey]) -> WithdrawnKeys:
    """Read a list of an issuer's that one of `keys` (by kid) signed; leave out those known to be withdrawn. Raises
    ListRefused, and nothing else.
    """
    claims = read_jwt(JWT_TYPE, text, keys)
    try:
        issued, told = claims["iat"], {bytes.fromhex(key["kid"]): key["withdrawn"] for key in claims["withdrawn_keys"]}
        if claims["iss"] != issuer or any(len(kid) != KID_BYTES for kid in told):
            raise ListRefused("its claims are not those of our lists")
        if not all(type(number) is int for number in (issued, *told.values())):
            raise ListRefused("its claims are not those of our lists")
    except ListRefused:
        raise
    except Exception:
        raise ListRefused("its claims cannot be read") from None
    return WithdrawnKeys(issuer, issued, told)
