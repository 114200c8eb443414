"""The gallery of the kit: every component in every state, where a node is a demo. It shows nothing of anybody."""

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from onecard.portal.access import anyone


class Sample(forms.Form):
    """A field that is filled in, and one that is not."""

    name = forms.CharField(label=_("项目名称"), widget=forms.TextInput(attrs={"autocomplete": "off"}))
    reason = forms.CharField(label=_("原因"), error_messages={"required": _("请填写原因。")}, widget=forms.Textarea)
    agreed = forms.BooleanField(label=_("我已了解，同意"), error_messages={"required": _("请先勾选。")})


@anyone
@require_safe
def gallery(request: HttpRequest) -> HttpResponse:
    """Every component of the kit in every state. Raises Http404 on a node that is no demo."""
    if not settings.ONECARD_DEMO:
        raise Http404
    forms_shown = {"fresh": Sample(prefix="fresh"), "refused": Sample({"name": "1"})}
    return render(request, "gallery.html", forms_shown)
