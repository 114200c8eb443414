"""The sign-in forms in our words; allauth's checks and limits behind them."""

from typing import Any

from allauth.account.forms import LoginForm
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from django.forms import CharField, Form, TextInput
from django.utils.translation import gettext_lazy as _

from onecard.kernel.signins import passkeys


def _ask_for_digits(form: Form) -> None:
    """An authenticator code: digits on the phone's number pad, filled in by what the phone knows."""
    field = form.fields["code"]
    field.label = _("六位验证码")
    field.widget.attrs = {"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "6"}
    field.error_messages["required"] = _("请输入身份验证器显示的六位数字。")


class SignInForm(LoginForm):  # type: ignore[misc]  # allauth ships no types
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name, password = self.fields["login"], self.fields["password"]
        name.label, password.label = _("用户名"), _("密码")
        name.widget.attrs = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        password.widget.attrs = {"autocomplete": "current-password"}
        password.help_text = ""
        name.error_messages["required"] = _("请输入用户名。")
        password.error_messages["required"] = _("请输入密码。")


class SecondFactorForm(AuthenticateForm):  # type: ignore[misc]  # allauth ships no types
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _ask_for_digits(self)


class SetUpForm(ActivateTOTPForm):  # type: ignore[misc]  # allauth ships no types
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _ask_for_digits(self)


class PasskeyForm(Form):
    """What a passkey is called."""

    name = CharField(
        label=_("名称"),
        max_length=passkeys.NAME_MAX,
        widget=TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("请填写名称。"), "max_length": _("名称太长，最多 60 字。")},
    )
