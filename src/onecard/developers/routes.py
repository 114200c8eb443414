"""Routes of the integrators' face."""

from django.urls import path

from onecard.developers import views

urlpatterns = [
    path("", views.home, name="dev_home"),
    path("start", views.five_minutes, name="dev_start"),
    path("try", views.try_it, name="dev_try"),
    path("codes", views.codes, name="dev_codes"),
    path("signing", views.signing, name="dev_signing"),
    path("openapi/<str:interface>.json", views.openapi, name="dev_openapi"),
    path("<str:interface>/<str:name>", views.operation, name="dev_operation"),
]
