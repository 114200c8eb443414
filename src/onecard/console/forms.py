"""Forms of the console."""

from django import forms
from django.utils.translation import gettext_lazy as _


class FindForm(forms.Form):
    """An exact identity number (18) or card number (9)."""

    number = forms.CharField(
        label=_("社会保障号码或卡号"),
        max_length=18,
        strip=True,
        error_messages={"required": _("请输入 18 位社会保障号码或 9 位卡号。")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"}),
    )

    def clean_number(self) -> str:
        number: str = self.cleaned_data["number"].upper().replace(" ", "")
        if len(number) not in (9, 18) or not number.isascii() or not number.isalnum():
            raise forms.ValidationError(_("应为 18 位社会保障号码或 9 位卡号，请核对。"))
        return number
