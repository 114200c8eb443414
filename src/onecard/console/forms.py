"""Forms of the console."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from onecard.kernel.audit.risks import REASON_CHARS_MAX
from onecard.kernel.holders.rules import REASON_CHARACTERS_MAX

REASON_MISSING = {"required": _("请填写理由。")}


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
    """What an officer types or scans to find a holder; `console.finding` tells its forms apart."""

    number = forms.CharField(
        label=_("号码、姓名、姓名首字母加出生年，或扫码"),
        max_length=400,
        strip=True,
        error_messages={"required": _("请输入社会保障号码、卡号、完整姓名，或扫描电子社保卡。")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"}),
    )
    after = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput())


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(
        label=_("理由"),
        max_length=REASON_CHARACTERS_MAX,
        strip=True,
        error_messages=REASON_MISSING,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, needed: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = needed


class RevealForm(ReasonForm):
    """What is to be shown whole, and why."""

    fields_shown = forms.MultipleChoiceField(
        label=_("要查看的内容"),
        choices=[
            ("name", _("姓名")),
            ("number", _("社会保障号码")),
            ("phone", _("手机号码")),
            ("address", _("住址")),
            ("birth_date", _("出生日期")),
        ],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("请至少选择一项。")},
    )
    field_order = ("fields_shown", "reason")
