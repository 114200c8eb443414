"""Forms of signing in. They say what is wrong with what was typed, never whether somebody has the number."""

import unicodedata

from django import forms
from django.utils.translation import gettext_lazy as _

from onecard.foundation import clock
from onecard.foundation.errors import BadInput
from onecard.foundation.web.jinja import is_english
from onecard.kernel.holders import divisions, rules
from onecard.kernel.signins.codes import DIGITS

NUMBER_MAX = 40


class NumberForm(forms.Form):
    """Whose sign-in it is to be: the social-security number, which is the identity number."""

    number = forms.CharField(
        label=_("社会保障号码"),
        max_length=NUMBER_MAX,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "characters", "spellcheck": "false"}
        ),
        error_messages={"required": _("请输入社会保障号码。"), "max_length": _("号码太长，应为 18 位。")},
    )

    def clean_number(self) -> str:
        """The number as registers write it; what is wrong with its form is no secret of anybody."""
        typed: str = self.cleaned_data["number"]
        try:
            return rules.read_number(typed, clock.today(), divisions.load(), demo=True).text
        except BadInput as error:
            raise forms.ValidationError(error.en if is_english() else error.zh) from None


class CodeForm(forms.Form):
    """The code that came by short message."""

    code = forms.CharField(
        label=_("短信验证码"),
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "7", "spellcheck": "false"}
        ),
        error_messages={"required": _("请输入短信里的六位数字。")},
    )

    def clean_code(self) -> str:
        """Digits without the blank that a phone may put between them, and as wide as a keyboard for Chinese may make
        them. Raises ValidationError.
        """
        code = "".join(unicodedata.normalize("NFKC", str(self.cleaned_data["code"])).split())
        if not code.isascii() or not code.isdigit() or len(code) != DIGITS:
            raise forms.ValidationError(_("验证码是六位数字。"))
        return code


class OfferForm(NumberForm):
    """Whom I let show my code: a relative's number, and what I am to them."""

    kind = forms.ChoiceField(
        label=_("您是对方的"),
        choices=[("parent", _("父母")), ("child", _("子女")), ("spouse", _("配偶")), ("other", _("其他亲属"))],
        widget=forms.Select(attrs={"class": "input"}),
        error_messages={"required": _("请选择关系。"), "invalid_choice": _("请选择关系。")},
    )


class ConsentForm(forms.Form):
    """That the holder agrees to have the e-card."""

    agreed = forms.BooleanField(
        label=_("我已了解以上内容，同意签发电子社保卡"),
        error_messages={"required": _("请先勾选同意，再签发。")},
    )


PIN_DIGITS = 6
_PIN = {"inputmode": "numeric", "maxlength": "6", "autocomplete": "off"}
_NO_PIN = {"required": _("请输入六位数字密码。")}


class PinForm(forms.Form):
    """What unlocks the code on this phone."""

    pin = forms.CharField(label=_("六位数字密码"), widget=forms.PasswordInput(attrs=_PIN), error_messages=_NO_PIN)


class ChoosePinForm(forms.Form):
    """A PIN, twice."""

    pin = forms.CharField(label=_("六位数字密码"), widget=forms.PasswordInput(attrs=_PIN), error_messages=_NO_PIN)
    again = forms.CharField(label=_("再输入一次"), widget=forms.PasswordInput(attrs=_PIN), error_messages=_NO_PIN)

    def clean_pin(self) -> str:
        """Six digits, and not those that come to everybody's mind first. Raises ValidationError."""
        pin: str = self.cleaned_data["pin"]
        if len(pin) != PIN_DIGITS or not pin.isascii() or not pin.isdigit():
            raise forms.ValidationError(_("应为六位数字。"))
        if len(set(pin)) == 1 or pin in "01234567890" or pin in "09876543210":
            raise forms.ValidationError(_("太容易猜到，请换一个。"))
        return pin

    def clean(self) -> dict[str, str]:
        """Both are the same. Raises ValidationError."""
        told = super().clean() or self.cleaned_data
        if "pin" in told and "again" in told and told["pin"] != told["again"]:
            self.add_error("again", _("两次输入不一样。"))
        return told
