"""Forms of the console."""

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from onecard.kernel.audit.risks import REASON_CHARS_MAX
from onecard.kernel.ecards.lasting import PAPER_DAYS
from onecard.kernel.holders.rules import REASON_CHARACTERS_MAX
from onecard.kernel.signins.models import User

REASON_MISSING = {"required": _("请填写理由。")}
AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?")
AS_TYPED = {"autocomplete": "off", "spellcheck": "false"}


def day_field(label: Any, missing: Any = None) -> forms.DateField:
    """A day of the calendar, typed; without `missing`, what is said where there is none, it may be left out."""
    invalid = {"invalid": _("日期写作 2026-11-30。")}
    return forms.DateField(
        label=label,
        required=missing is not None,
        input_formats=["%Y-%m-%d"],
        error_messages=invalid | ({"required": missing} if missing is not None else {}),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "placeholder": "2026-11-30", **AS_TYPED}),
    )


def point_field() -> forms.CharField:
    """The code of a point."""
    return forms.CharField(
        label=_("用卡点代码"),
        max_length=64,
        error_messages={"required": _("请填写用卡点代码。")},
        widget=forms.TextInput(attrs=AS_TYPED),
    )


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


class YuanField(forms.CharField):
    """An amount as people write it: 元, above nothing, with two decimals at most. Its value is whole fen."""

    def __init__(self, *, fen_max: int, **more: Any) -> None:
        super().__init__(widget=forms.TextInput(attrs={"inputmode": "decimal", **AS_TYPED}), **more)
        self.fen_max = fen_max

    def clean(self, value: object) -> int | None:
        text = wide_as_typed(super().clean(value)).replace("。", ".")
        if not text:
            return None
        fen = int(Decimal(text) * 100) if AMOUNT.fullmatch(text) else 0
        if not fen:
            raise ValidationError(_("金额写作 12.50，最多两位小数，不能是零或负数。"))
        if fen > self.fen_max:
            raise ValidationError(_("金额不能超过 %(yuan)s 元。") % {"yuan": f"{self.fen_max // 100:,}"})
        return fen


def wide_as_typed(text: str) -> str:
    """A text whose letters, digits and points a keyboard for Chinese may have made wide, as it was meant."""
    return unicodedata.normalize("NFKC", text).strip()


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


class StateForm(ReasonForm):
    """Why a point or a terminal is suspended or resumed. `step` is which of the two the page offered: sent twice, or
    from a page that is old, it never becomes the other.
    """

    step = forms.ChoiceField(choices=[("suspend", "suspend"), ("resume", "resume")], widget=forms.HiddenInput())


class SeenForm(forms.Form):
    """What is agreed to: the kinds of messages that the page showed, by a space each."""

    seen = forms.CharField(max_length=500, widget=forms.HiddenInput())


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


class PaperForm(forms.Form):
    """How long a paper code is to be good for."""

    days = forms.IntegerField(
        label=_("有效天数"),
        min_value=1,
        max_value=PAPER_DAYS,
        initial=PAPER_DAYS,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"),
            format_lazy(_("请填写 1 至 {most} 天。"), most=PAPER_DAYS),
        ),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )


class AppointForm(forms.Form):
    """A new officer. They choose their password themselves."""

    username = forms.RegexField(
        r"^[a-z][a-z0-9._-]{1,63}$",
        label=_("用户名"),
        strip=True,
        error_messages={
            "required": _("请填写用户名。"),
            "invalid": _("用户名用小写字母开头，只含小写字母、数字、点、横线和下划线。"),
        },
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    display_name = forms.CharField(
        label=_("姓名"), max_length=64, strip=True, error_messages={"required": _("请填写姓名。")}
    )
    department = forms.CharField(
        label=_("部门"), max_length=64, strip=True, error_messages={"required": _("请填写部门。")}
    )


class Places(forms.Select):
    """A choice of places, whose names are Chinese whatever the page's language."""

    def create_option(self, name: str, value: Any, *more: Any, **options: Any) -> dict[str, Any]:
        """As Django's; what stands for a division is marked."""
        made: dict[str, Any] = super().create_option(name, value, *more, **options)
        if str(value).isdecimal():
            made["attrs"]["lang"] = "zh-CN"
        return made


class AssignForm(forms.Form):
    """A role, where, and until when."""

    role = forms.ChoiceField(label=_("角色"), error_messages={"required": _("请选择角色。")})
    place = forms.ChoiceField(label=_("管辖范围"), error_messages={"required": _("请选择管辖范围。")}, widget=Places)
    until = day_field(_("有效至"))

    def __init__(
        self, *args: Any, roles: Sequence[tuple[str, str]], places: Sequence[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        role, place = self.fields["role"], self.fields["place"]
        assert isinstance(role, forms.ChoiceField)
        assert isinstance(place, forms.ChoiceField)
        role.choices, place.choices = ([("", _("请选择")), *each] for each in (roles, places))


class FirstSignInForm(forms.Form):
    """An invited officer's own password, by the code that they were given."""

    username = forms.CharField(
        label=_("用户名"),
        max_length=64,
        error_messages={"required": _("请输入用户名。")},
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )
    code = forms.CharField(
        label=_("首次登录码"),
        max_length=32,
        error_messages={"required": _("请输入首次登录码。")},
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )
    password = forms.CharField(
        label=_("新密码"),
        strip=False,
        max_length=128,
        error_messages={"required": _("请输入密码。")},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("再输入一次新密码"),
        strip=False,
        max_length=128,
        error_messages={"required": _("请再输入一次新密码。")},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        """Both times the same, and strong enough."""
        given: dict[str, Any] = super().clean() or {}
        if self.errors:
            return given
        if given["password"] != given["again"]:
            self.add_error("again", _("两次输入的密码不同。"))
            return given
        try:
            validate_password(given["password"], User(username=given["username"]))
        except forms.ValidationError as weak:
            self.add_error("password", weak)
        return given
