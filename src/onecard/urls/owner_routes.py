"""The owner serves no pages."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
