"""Routes of the integrators' face."""

from django.urls import path

from onecard.developers import own, views

urlpatterns = [
    path("", views.home, name="dev_home"),
    path("start", views.five_minutes, name="dev_start"),
    path("try", views.try_it, name="dev_try"),
    path("codes", views.codes, name="dev_codes"),
    path("signing", views.signing, name="dev_signing"),
    path("webhooks", views.webhooks, name="dev_webhooks"),
    path("search", views.search, name="dev_search"),
    path("changes", views.changes, name="dev_changes"),
    path("status", views.status, name="dev_status"),
    path("sign-in", own.sign_in, name="dev_sign_in"),
    path("sign-out", own.sign_out, name="dev_sign_out"),
    path("calls", own.calls, name="dev_calls"),
    path("credentials", own.credentials, name="dev_credentials"),
    path("credentials/withdrawal", own.withdrawal, name="dev_withdrawal"),
    path("endpoints", own.endpoints, name="dev_endpoints"),
    path("endpoints/<int:endpoint>", own.deliveries, name="dev_deliveries"),
    path("openapi/<str:interface>.json", views.openapi, name="dev_openapi"),
    path("<str:interface>/<str:name>", views.operation, name="dev_operation"),
]
