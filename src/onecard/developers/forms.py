"""What an integrator chooses of the sandbox."""

import secrets
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from onecard.developers.reference import kinds
from onecard.developers.sandbox import Said, Sandbox, TestHolder, Unpaired
from onecard.foundation.web.jinja import words


def _choices(rows: list[tuple[str, Said]]) -> list[tuple[str, str]]:
    return [(value, words(said.both)) for value, said in rows]


class Tried(forms.Form):
    """A test holder, and an item to use."""

    holder = forms.ChoiceField(label=_("测试持卡人"), error_messages={"invalid_choice": _("请选择列出的持卡人。")})
    item = forms.ChoiceField(label=_("应用项目"), error_messages={"invalid_choice": _("请选择列出的项目。")})

    def __init__(self, sandbox: Sandbox, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.sandbox = sandbox
        self._field("holder").choices = _choices([(each.name, each.said) for each in sandbox.holders])
        self._field("item").choices = _choices([(each.code, each.said) for each in sandbox.items])

    def _field(self, name: str) -> forms.ChoiceField:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        return field

    @property
    def chosen_holder(self) -> TestHolder:
        """The one that was chosen, or the first."""
        chosen = self.cleaned_data.get("holder")
        return next((each for each in self.sandbox.holders if each.name == chosen), self.sandbox.holders[0])

    @property
    def chosen_item(self) -> str:
        """The one that was chosen, or the first."""
        return self.cleaned_data.get("item") or self.sandbox.items[0].code


class Started(Tried):
    """And a terminal to pair."""

    terminal = forms.ChoiceField(label=_("测试终端"), error_messages={"invalid_choice": _("请选择列出的终端。")})

    def __init__(self, sandbox: Sandbox, *args: Any, **options: Any) -> None:
        super().__init__(sandbox, *args, **options)
        self._field("terminal").choices = [(each.terminal, each.terminal) for each in sandbox.terminals]

    @property
    def chosen_terminal(self) -> Unpaired:
        """The one that was chosen, or any: its code is good once, and the first would be the first for everybody."""
        chosen = self.cleaned_data.get("terminal")
        anyone = secrets.choice(self.sandbox.terminals)
        return next((each for each in self.sandbox.terminals if each.terminal == chosen), anyone)


class Credentialed(forms.Form):
    """A credential, to sign in with. The secret is shown by no page again."""

    client_id = forms.CharField(
        label=_("凭据编号（client_id）"), max_length=255,
        widget=forms.TextInput({"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )  # fmt: skip
    client_secret = forms.CharField(
        label=_("密钥（client_secret）"), max_length=255, strip=False,
        widget=forms.PasswordInput({"autocomplete": "off"}),
    )  # fmt: skip


class Sought(forms.Form):
    """Which calls to show: the one that a trace names, or those with a status."""

    trace = forms.RegexField(
        r"^[0-9a-f]{32}$", label=_("追踪号（X-Trace）"), required=False,
        error_messages={"invalid": _("追踪号是 32 位小写十六进制数。")},
        widget=forms.TextInput({"autocapitalize": "none", "spellcheck": "false"}),
    )  # fmt: skip
    status = forms.IntegerField(
        label=_("状态码"), required=False, min_value=100, max_value=599,
        widget=forms.TextInput({"inputmode": "numeric"}),
    )  # fmt: skip


class TurnedOver(forms.Form):
    """A further credential: until when those before it stay good."""

    older_until = forms.DateField(
        label=_("此前的凭据从哪天起失效"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    key = forms.UUIDField(widget=forms.HiddenInput)


class Withdrawn(forms.Form):
    """Why a credential is withdrawn."""

    client_id = forms.CharField(max_length=255, widget=forms.HiddenInput)
    reason = forms.CharField(label=_("注销原因"), max_length=200)
    key = forms.UUIDField(widget=forms.HiddenInput)


class WantedEndpoint(forms.Form):
    """An endpoint to ask for."""

    url = forms.CharField(
        label=_("接收地址"), max_length=300, widget=forms.TextInput({"inputmode": "url", "autocapitalize": "none"})
    )
    kinds = forms.MultipleChoiceField(label=_("消息种类"), widget=forms.SelectMultiple({"size": "9"}))
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["kinds"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(kind, f"{kind} {words(said)}") for kind, said, _scope in kinds()]


class Sent(forms.Form):
    """That a message is sent: a test to an endpoint, or one of its deliveries again."""

    delivery = forms.IntegerField(required=False, min_value=1)
    key = forms.UUIDField()
