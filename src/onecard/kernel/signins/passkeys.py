"""Passkeys (通行密钥, WebAuthn): a resident's own key on a phone or computer, in place of the short message.

The ceremonies are django-allauth's over `fido2`. Each asks the authenticator to verify its owner, by fingerprint, face
or PIN. A passkey is another way in and never a second factor, so the short message goes on working beside it. The
credential that rests here is a public key.
"""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from cryptography.exceptions import InvalidSignature
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from onecard.foundation.errors import BadInput, Conflict, NotFound
from onecard.kernel.signins import entering
from onecard.kernel.signins.models import Kind, User

OF_ONE_MAX = 10
NAME_MAX = 60
# What the libraries raise on an answer that is no answer, or not to this question, or not by this key.
_NO_ANSWER = (ValidationError, ValueError, TypeError, KeyError, AttributeError, InvalidSignature)


def begin_adding(user: User, shown_as: str) -> dict[str, Any]:
    """What the browser is to make a passkey by; `shown_as` is whose its list of passkeys says that it is.

    Raises Conflict PASSKEYS_MANY from the tenth on.
    """
    if of_user(user).count() >= OF_ONE_MAX:
        raise Conflict(
            "PASSKEYS_MANY",
            f"最多可以有 {OF_ONE_MAX} 个通行密钥。",
            f"There may be {OF_ONE_MAX} passkeys at most.",
            next_zh="请先删除不再使用的。",
            next_en="Remove one that is no longer used first.",
        )
    user.shown_as = shown_as  # type: ignore[attr-defined]  # for the adapter alone
    return dict(auth.begin_registration(user, passwordless=True))


def add(user: User, credential: object, name: str) -> Authenticator:
    """Keep the passkey that the browser made. Raises BadInput PASSKEY_REFUSED."""
    try:
        auth.parse_registration_response(credential)
        auth.complete_registration(credential)
        kept: Authenticator = auth.WebAuthn.add(user, name, credential).instance
    except _NO_ANSWER:
        raise _refused() from None
    return kept


def begin_entering() -> dict[str, Any]:
    """What the browser is to sign in by: any passkey that it has for this site."""
    return dict(auth.begin_authentication(None))


def prove(credential: object) -> User | None:
    """The resident whose passkey signed, once; None if none did. It opens no session yet."""
    try:
        auth.parse_authentication_response(credential)
        user = auth.extract_user_from_response(credential)
        known = auth.complete_authentication(user, credential)
    except _NO_ANSWER:
        return None
    if user.kind != Kind.HOLDER:
        return None
    known.record_usage()
    found: User = user
    return found


def enter(request: HttpRequest, user: User) -> User | None:
    """Open a session as the resident; None if their sign-in is closed."""
    return entering.enter(request, user.holder_id) if user.holder_id is not None else None


def of_user(user: User) -> "QuerySet[Authenticator]":
    """A user's passkeys, newest first."""
    found: QuerySet[Authenticator] = Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.WEBAUTHN)
    return found.order_by("-id")


def one(user: User, passkey_id: int) -> Authenticator:
    """One of a user's own passkeys. Raises NotFound PASSKEY_UNKNOWN for any other, whether it exists or not."""
    found = of_user(user).filter(pk=passkey_id).first()
    if found is None:
        raise NotFound("PASSKEY_UNKNOWN", "没有这个通行密钥。", "There is no such passkey.")
    return found


def rename(passkey: Authenticator, name: str) -> None:
    """Call a passkey something else."""
    passkey.wrap().name = name
    passkey.save(update_fields=["data"])


def _refused() -> BadInput:
    return BadInput(
        "PASSKEY_REFUSED",
        "没有得到有效的通行密钥。",
        "No valid passkey came.",
        next_zh="请重新添加一次。",
        next_en="Add it once more.",
    )
