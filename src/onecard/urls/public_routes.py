"""Routes of the public web process. allauth's own URL lists are left out: only what is named here is reached."""

from allauth.account import views as account
from django.urls import include, path

from onecard.foundation.web.health import health

handler400 = "onecard.foundation.web.errors.bad_request"
handler403 = "onecard.foundation.web.errors.permission_denied"
handler404 = "onecard.foundation.web.errors.page_not_found"
handler429 = "onecard.foundation.web.errors.too_many_requests"
handler500 = "onecard.foundation.web.errors.server_error"

urlpatterns = [
    path("health", health, name="health"),
    path("sign-in/password/", account.login, name="account_login"),
    path("sign-out/", account.logout, name="account_logout"),
    path("dev/", include("onecard.developers.routes")),
    path("", include("onecard.portal.routes")),
]
