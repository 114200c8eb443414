"""Forms of the catalogue."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from onecard.console.forms import AS_TYPED, ReasonForm, YuanField, day_field, point_field, wide_as_typed
from onecard.foundation.web.jinja import words as in_language
from onecard.kernel.catalogue import words
from onecard_kit.terms import FEN_MAX, Leg, Medium

# An item's file is some kilobytes; the longest table of fares is far below this.
FILE_CHARS_MAX = 200_000


class FileForm(forms.Form):
    """An item's file: uploaded, or its text as it stands in the field. `seen` is the digest of the difference that the
    officer has read, empty where they have yet to.
    """

    file = forms.FileField(
        label=_("项目文件"),
        required=False,
        allow_empty_file=False,
        error_messages={"empty": _("文件是空的。")},
        widget=forms.FileInput(attrs={"accept": ".toml"}),
    )
    text = forms.CharField(
        label=_("文件内容"),
        required=False,
        max_length=FILE_CHARS_MAX,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 16, **AS_TYPED}),
    )
    name = forms.CharField(required=False, max_length=100, widget=forms.HiddenInput())
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput())

    def clean(self) -> dict[str, Any]:
        """The text of the file, whichever way it came, with lines as files have them."""
        given: dict[str, Any] = super().clean() or {}
        file = given.get("file")
        if file is not None:
            given["name"] = file.name[:100]
            given["text"] = self._read(file)
        elif "text" in given:
            given["text"] = given["text"].replace("\r\n", "\n")
        if not self.errors and not given["text"].strip():
            self.add_error("file", _("请选择一个文件，或填写文件内容。"))
        given["name"] = given.get("name") or "item.toml"
        # The field shows what was uploaded, so that it can be mended on the page.
        self.data = {**self.data, "name": given["name"], "text": given.get("text", "")}
        return given

    def _read(self, file: Any) -> str:
        if file.size > FILE_CHARS_MAX:
            self.add_error("file", _("文件太大：项目文件不超过 200 KB。"))
            return ""
        try:
            text: str = file.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            self.add_error("file", _("文件不是 UTF-8 编码的文本。"))
            return ""
        return text.replace("\r\n", "\n")


class PublishForm(forms.Form):
    """Who decided that the version is on its list, where its file does not say so."""

    decided_zh = forms.CharField(label=_("决定机关（中文）"), max_length=200)
    decided_en = forms.CharField(label=_("决定机关（英文）"), max_length=200)
    decided_on = day_field(_("决定日期"), _("请填写决定日期。"))

    def __init__(self, *args: Any, undecided: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not undecided:
            self.fields.clear()


class EndForm(ReasonForm):
    """From which day a version is out of force, and why."""

    day = day_field(_("从哪天起终止"), _("请填写终止的日期。"))
    field_order = ("day", "reason")


class OfferForm(forms.Form):
    """A point that is to offer an item, with a capacity of its own where it has one."""

    point = point_field()
    capacity_count = forms.IntegerField(
        label=_("本点接待容量"),
        required=False,
        min_value=1,
        max_value=1_000_000,
        widget=forms.TextInput(attrs={"inputmode": "numeric", **AS_TYPED}),
    )


class StopOfferingForm(ReasonForm):
    """A point that is to offer an item no more, and why."""

    point = point_field()
    field_order = ("point", "reason")


class WhatIfForm(ReasonForm):
    """A use that is asked about and does not happen."""

    card = forms.CharField(
        label=_("卡号"),
        max_length=20,
        error_messages={"required": _("请填写卡号。")},
        widget=forms.TextInput(attrs={"autocapitalize": "characters", **AS_TYPED}),
    )
    item = forms.CharField(
        label=_("应用项目代码"),
        max_length=100,
        error_messages={"required": _("请填写应用项目代码。")},
        widget=forms.TextInput(attrs=AS_TYPED),
    )
    point = point_field()
    at = forms.DateTimeField(
        label=_("什么时候"),
        required=False,
        input_formats=["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"],
        error_messages={"invalid": _("时间写作 2026-11-30 08:30。")},
        widget=forms.TextInput(attrs=AS_TYPED),
    )
    medium = forms.ChoiceField(label=_("出示方式"), required=False)
    leg = forms.ChoiceField(label=_("进或出"), required=False)
    amount_fen = YuanField(label=_("金额（元）"), required=False, fen_max=FEN_MAX)
    field_order = ("card", "item", "point", "at", "medium", "leg", "amount_fen", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        medium, leg = self.fields["medium"], self.fields["leg"]
        assert isinstance(medium, forms.ChoiceField)
        assert isinstance(leg, forms.ChoiceField)
        shown = (Medium.CODE, Medium.CARD)
        medium.choices = [("", _("有电子社保卡的出示二维码")), *((m.value, in_language(words.MEDIA[m])) for m in shown)]
        leg.choices = [("", _("不分进出")), (Leg.IN.value, _("进")), (Leg.OUT.value, _("出"))]

    def clean_card(self) -> str:
        return wide_as_typed(self.cleaned_data["card"]).upper()
