"""Proof that the officer who is signed in still sits there: asked for where a second factor is added beside another."""

from typing import Any, cast

from django import forms
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from onecard.foundation.errors import NotPermitted
from onecard.kernel.signins import factors
from onecard.kernel.signins.models import User
from onecard.kernel.staff.proving import proven


class ConfirmForm(forms.Form):
    """The officer's own password, and the code that their authenticator shows."""

    password = forms.CharField(
        label=_("密码"),
        strip=False,
        error_messages={"required": _("请输入密码。")},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    code = forms.CharField(
        label=_("六位验证码"),
        max_length=6,
        error_messages={"required": _("请输入身份验证器显示的六位数字。")},
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean(self) -> dict[str, Any]:
        """Both are right; too many that are not are refused as at the sign-in."""
        given: dict[str, Any] = super().clean() or {}
        if not self.errors:
            name = cast(User, self.request.user).username
            if proven(self.request, name, given["password"], given["code"]) is None:
                raise ValidationError(_("密码或验证码不正确，或验证码已用过。"))
        return given


def asked_first(request: HttpRequest, back: str) -> HttpResponse:
    """To the page that asks, and from there back to an address of ours."""
    return redirect_to_login(back, reverse("console_confirm"))


def begin(request: HttpRequest, user: User) -> bool:
    """Take the officer's row, in the caller's transaction, and ask again what may have changed while waiting for it;
    whether what is added will be their first second factor. Raises NotPermitted SESSION_ENDED or PROOF_STALE.
    """
    factors.lock(user)
    factors.require_session(request)
    require(request)
    return not factors.of_user(user).exists()


def require(request: HttpRequest) -> None:
    """Raises NotPermitted PROOF_STALE where whoever sits there has to show first that it is them."""
    if not factors.may_add(request):
        raise NotPermitted(
            "PROOF_STALE",
            "添加登录方式之前，请先确认是您本人。",
            "Confirm that it is you before you add a way to sign in.",
            next_zh="请回到“我的登录方式”，按“确认是本人”。",
            next_en="Go back to “How I sign in” and choose “Confirm that it is me”.",
        )
