"""Routes of the console."""

from django.urls import path

from onecard.console import views

urlpatterns = [
    path("", views.home, name="console_home"),
    path("holders/", views.holders, name="console_holders"),
]
