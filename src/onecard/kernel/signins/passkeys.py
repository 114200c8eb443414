"""Passkeys (通行密钥, WebAuthn): somebody's own key on a phone or computer, in place of short message or password.

The ceremonies are django-allauth's over `fido2`. Each asks the authenticator to verify its owner, by fingerprint, face
or PIN, so a passkey is both factors at once. For residents it is another way in, and the short message goes on working
beside it; for staff it is a second factor, too, and the last one that somebody has is never removed. The credential
that rests here is a public key. A passkey signs for its own site alone, and enters the process of its owner's kind.
"""

import datetime as dt
import json
import struct
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from cryptography.exceptions import InvalidSignature
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from onecard.foundation.errors import BadInput, Conflict, NotFound
from onecard.kernel.signins import entering, factors
from onecard.kernel.signins.models import Kind, User

OF_ONE_MAX = 10
NAME_MAX = 60
# What the libraries raise on an answer that is no answer or breaks off, or not to this question, or not by this key.
_NO_ANSWER = (
    ValidationError, ValueError, TypeError, LookupError, AttributeError, RecursionError, struct.error, InvalidSignature,
)  # fmt: skip


@dataclass(frozen=True)
class Listed:
    """A passkey as its owner sees it. `name`: theirs, or its browser; `used_at`: None before the first."""

    id: int
    name: str
    since: dt.datetime
    used_at: dt.datetime | None


def begin_adding(user: User, shown_as: str) -> dict[str, Any]:
    """What the browser is to make a passkey by; `shown_as` is whose its list of passkeys says that it is.

    Raises Conflict PASSKEYS_MANY from the tenth on.
    """
    _refuse_more(user)
    user.shown_as = shown_as  # type: ignore[attr-defined]  # for the adapter alone
    return dict(auth.begin_registration(user, passwordless=True))


@transaction.atomic
def add(user: User, answered: str, name: str) -> Authenticator:
    """Keep the passkey that the browser made. Raises BadInput PASSKEY_REFUSED, Conflict PASSKEYS_MANY."""
    factors.lock(user)
    _refuse_more(user)
    try:
        credential = json.loads(answered)
        auth.parse_registration_response(credential)
        auth.complete_registration(credential)
        kept: Authenticator = auth.WebAuthn.add(user, name, credential).instance
    except _NO_ANSWER:
        raise _refused() from None
    return kept


def begin_entering() -> dict[str, Any]:
    """What the browser is to sign in by: any passkey that it has for this site."""
    return dict(auth.begin_authentication(None))


def prove(answered: str, kind: Kind) -> User | None:
    """Whose passkey signed what the browser answered, once; None if none did, or one of another kind, or of somebody
    whose sign-in is closed. It opens no session yet.
    """
    try:
        credential = json.loads(answered)
        auth.parse_authentication_response(credential)
        user = auth.extract_user_from_response(credential)
        known = auth.complete_authentication(user, credential)
    except _NO_ANSWER:
        return None
    if user.kind != kind or not user.is_active:
        return None
    known.record_usage()
    found: User = user
    return found


def enter(request: HttpRequest, user: User) -> None:
    """Open a session as who proved it by a passkey; what was begun before, by a password, say, is dropped."""
    request.session.flush()
    entering.begin(request, user)
    factors.note_shown(request, user, Authenticator.Type.WEBAUTHN.value)


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


def listed(passkey: Authenticator) -> Listed:
    """What its owner sees of a passkey."""
    return Listed(passkey.pk, passkey.wrap().name, passkey.created_at, passkey.last_used_at)


def rename(passkey: Authenticator, name: str) -> None:
    """Call a passkey something else."""
    passkey.wrap().name = name
    passkey.save(update_fields=["data"])


@transaction.atomic
def remove(user: User, passkey_id: int) -> None:
    """Remove one of a user's own passkeys: nobody signs in with it from now on.

    Raises NotFound PASSKEY_UNKNOWN, and Conflict FACTOR_LAST for an officer who has no other second factor.
    """
    factors.lock(user)
    passkey = one(user, passkey_id)
    if is_last_factor(user, passkey):
        raise Conflict(
            "FACTOR_LAST",
            "这是您唯一的第二步验证方式，不能删除。",
            "This is your only second factor and cannot be removed.",
            next_zh="请先绑定身份验证器或添加另一个通行密钥，再删除它。",
            next_en="Set up an authenticator or add another passkey first, then remove this one.",
        )
    passkey.delete()


def is_last_factor(user: User, passkey: Authenticator) -> bool:
    """Whether an officer would have no second factor without this passkey. No resident needs one."""
    return user.kind == Kind.STAFF and not factors.of_user(user).exclude(pk=passkey.pk).exists()


def _refuse_more(user: User) -> None:
    if of_user(user).count() >= OF_ONE_MAX:
        raise Conflict(
            "PASSKEYS_MANY",
            f"最多可以有 {OF_ONE_MAX} 个通行密钥。",
            f"There may be {OF_ONE_MAX} passkeys at most.",
            next_zh="请先删除不再使用的。",
            next_en="Remove one that is no longer used first.",
        )


def _refused() -> BadInput:
    return BadInput(
        "PASSKEY_REFUSED",
        "没有得到有效的通行密钥。",
        "No valid passkey came.",
        next_zh="请重新添加一次。",
        next_en="Add it once more.",
    )
