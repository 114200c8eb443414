"""Routes of the portal."""

from django.urls import path

from onecard.portal import views

urlpatterns = [
    path("", views.home, name="portal_home"),
    path("cards/", views.cards, name="portal_cards"),
    path("paying/", views.means, name="portal_means"),
    path("cards/<int:card_id>/lost/", views.lost, name="portal_lost"),
    path("cards/<int:card_id>/found/", views.found, name="portal_found"),
]
