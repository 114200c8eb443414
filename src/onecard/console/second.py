"""The second officer of what takes two people: they sign on the first one's page, with all that their own sign-in
takes.
"""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from onecard.foundation.errors import NotPermitted
from onecard.kernel.staff.proving import proven
from onecard.kernel.staff.queries import StaffActor, actor_of

NOT_KNOWN = _("复核人的用户名、密码或验证码不正确。")


class SecondOfficerForm(forms.Form):
    """Who approves: user name, password and the code that their authenticator shows. Valid: `actor` is theirs."""

    checker = forms.CharField(label=_("复核人用户名"), widget=forms.TextInput(attrs={"autocomplete": "off"}))
    password = forms.CharField(
        label=_("复核人密码"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "off"})
    )
    code = forms.CharField(
        label=_("复核人验证码"),
        max_length=6,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )
    actor: StaffActor

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean(self) -> dict[str, Any]:
        """One sentence for every way in which the three may not fit; too many of them are refused as at the sign-in."""
        given: dict[str, Any] = super().clean() or {}
        if self.errors:
            return given
        user = proven(self.request, given["checker"], given["password"], given["code"])
        if user is None:
            raise ValidationError(NOT_KNOWN)
        try:
            self.actor = actor_of(user)
        except NotPermitted:
            raise ValidationError(NOT_KNOWN) from None
        return given

    def may(self, maker: StaffActor, permission: str, place: str = "") -> bool:
        """Whether this officer may approve what another one does; what keeps them is said beside their name."""
        if self.actor.name == maker.name:
            self.add_error("checker", _("经办人与复核人不能是同一人，请由另一位工作人员复核。"))
        elif not self.actor.reaches(permission, place):
            lacking = _("复核人在这里没有“%(permission)s”权限，请换一位复核。") % {"permission": permission}
            self.add_error("checker", lacking)
        return not self.errors
