"""Routes of the console."""

from django.urls import path

from onecard.console import views

urlpatterns = [
    path("", views.home, name="console_home"),
    path("holders/", views.holders, name="console_holders"),
    path("risks/", views.risks, name="console_risks"),
    path("risks.csv", views.risks_csv, name="console_risks_csv"),
    path("risks/<int:risk_id>/", views.risk, name="console_risk"),
]
