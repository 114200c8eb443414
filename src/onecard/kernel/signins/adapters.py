"""How django-allauth is bent to our rules: nobody signs up alone, our words, authenticator secrets sealed at rest."""

import base64
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from onecard.foundation import crypto, keys
from onecard.kernel.signins.models import Kind

# allauth hands over the secret alone, so its place in the table names column, not row.
SECRET_PLACE = "mfa_authenticator.data"  # noqa: S105

TOO_MANY = _("错误次数过多，已暂停登录十五分钟。请稍后再试，或联系管理员核实是否本人操作。")
WRONG_CODE = _("验证码不正确或已用过。请等待身份验证器显示下一个验证码后输入。")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Sign-in by name and password, with one sentence for every way in which the two may not fit."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _("用户名或密码不正确。请核对后重新输入，注意大小写。"),
        "invalid_login": _("用户名或密码不正确。请核对后重新输入，注意大小写。"),
        "too_many_login_attempts": TOO_MANY,
        "rate_limited": TOO_MANY,
        "incorrect_code": WRONG_CODE,
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: a sign-in is made for a registered holder, or for an appointed officer."""
        return False

    def is_reauthentication_required(self, *, app: str, **_others: Any) -> bool:
        """No: who adds a second factor beside another is asked by the console, for whichever they have."""
        return False


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """Authenticator codes (TOTP, RFC 6238) of staff, and passkeys of both kinds."""

    error_messages = {**DefaultMFAAdapter.error_messages, "incorrect_code": WRONG_CODE}

    def encrypt(self, text: str) -> str:
        sealed = crypto.seal(keys.load("identity"), text.encode(), SECRET_PLACE)
        return base64.b64encode(sealed).decode()

    def decrypt(self, encrypted_text: str) -> str:
        sealed = base64.b64decode(encrypted_text)
        return crypto.open_sealed(keys.load("identity"), sealed, SECRET_PLACE).decode()

    def is_mfa_enabled(self, user: Any, types: Any = None) -> bool:
        """For staff alone: a resident's passkey is another way in, and never asked for beside the first."""
        return user.is_authenticated and user.kind == Kind.STAFF and bool(super().is_mfa_enabled(user, types))

    def get_public_key_credential_user_entity(self, user: Any) -> dict[str, Any]:
        """What a phone's list of passkeys says: whose it is, masked, and of which service."""
        told: dict[str, Any] = super().get_public_key_credential_user_entity(user)
        return {
            **told,
            "name": getattr(user, "shown_as", user.username),
            "display_name": settings.ONECARD_PRODUCT["zh"],
        }

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        told: dict[str, str] = super().get_public_key_credential_rp_entity()
        return {**told, "name": settings.ONECARD_PRODUCT["zh"]}

    def can_delete_authenticator(self, authenticator: Any) -> bool:
        """Never by oneself: the second factor is obligatory; an administrator resets a lost one."""
        return False
