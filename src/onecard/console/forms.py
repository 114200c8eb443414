"""Forms of the console."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from onecard.kernel.audit.risks import REASON_CHARS_MAX


class FollowForm(forms.Form):
    """What came of looking at a risk fact; `seen` is how many follow-ups it had when the page was drawn."""

    state = forms.ChoiceField(label=_("处置结果"), error_messages={"required": _("请选择处置结果。")})
    reason = forms.CharField(
        label=_("理由"),
        required=False,
        max_length=REASON_CHARS_MAX,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    seen = forms.IntegerField(min_value=0, widget=forms.HiddenInput())

    def __init__(self, *args: Any, steps: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["state"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("请选择")), *steps]


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
