"""Routes of the staff web process. allauth's own URL lists are left out: only what is named here is reached."""

from allauth.account import views as account
from django.urls import include, path
from django.views.generic import RedirectView

from onecard.console.views_sign_in import SecondStep, SetUpAuthenticator
from onecard.foundation.web.health import health

handler400 = "onecard.foundation.web.errors.bad_request"
handler403 = "onecard.foundation.web.errors.permission_denied"
handler404 = "onecard.foundation.web.errors.page_not_found"
handler429 = "onecard.foundation.web.errors.too_many_requests"
handler500 = "onecard.foundation.web.errors.server_error"

home = RedirectView.as_view(pattern_name="console_home")

urlpatterns = [
    path("health", health, name="health"),
    path("sign-in/", account.login, name="account_login"),
    path("sign-in/code/", SecondStep.as_view(), name="mfa_authenticate"),
    path("sign-out/", account.logout, name="account_logout"),
    path("second-factor/", SetUpAuthenticator.as_view(), name="mfa_activate_totp"),
    # allauth goes to these two by name once the second factor stands; it cannot be switched off here.
    path("second-factor/done/", home, name="mfa_index"),
    path("second-factor/off/", home, name="mfa_deactivate_totp"),
    path("", include("onecard.console.routes")),
]
