"""Forms of signing in. They say what is wrong with what was typed, never whether somebody has the number."""

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
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "6", "spellcheck": "false"}
        ),
        error_messages={"required": _("请输入短信里的六位数字。")},
    )

    def clean_code(self) -> str:
        """Digits without the blanks that a phone may put between them. Raises ValidationError."""
        code = "".join(str(self.cleaned_data["code"]).split())
        if not code.isascii() or not code.isdigit() or len(code) != DIGITS:
            raise forms.ValidationError(_("验证码是六位数字。"))
        return code
