"""The set-up of a second factor."""

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.totp.views import ActivateTOTPView
from django.http import HttpResponse


class SetUpSecondFactor(ActivateTOTPView):  # type: ignore[misc]  # allauth ships no types
    """As allauth's. Setting up proves the code, so the session that did it has shown its second factor."""

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        record_authentication(self.request, self.request.user, "mfa", type="totp")
        return response
