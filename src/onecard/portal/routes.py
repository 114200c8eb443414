"""Routes of the portal."""

from django.urls import path

from onecard.portal import app, ecard, gallery, own, signing_in, signing_up, views

urlpatterns = [
    path("", views.home, name="portal_home"),
    path("manifest.webmanifest", app.manifest, name="portal_manifest"),
    path("worker.js", app.worker, name="portal_worker"),
    path("offline/", app.offline, name="portal_offline"),
    path("_kit", gallery.gallery, name="portal_kit"),
    path("sign-in/", signing_in.number, name="portal_sign_in"),
    path("sign-in/code/", signing_in.code, name="portal_sign_in_code"),
    path("sign-in/stay/", signing_in.stay, name="portal_stay"),
    path("services", views.service_list, name="portal_services"),
    path("services.csv", views.services_csv, name="portal_services_csv"),
    path("services.json", views.services_json, name="portal_services_json"),
    path("services/<str:code>", views.service, name="portal_service"),
    path("legal-bases", views.legal_bases, name="portal_legal_bases"),
    path("legal-bases/<str:code>", views.legal_basis, name="portal_legal_basis"),
    path("cards/", views.cards, name="portal_cards"),
    path("ecard/", ecard.ecard, name="portal_ecard"),
    path("ecard/sign-up/", signing_up.sign_up, name="portal_sign_up"),
    path("ecard/begin/", ecard.begin, name="portal_ecard_begin"),
    path("ecard/unlock/", ecard.unlock, name="portal_ecard_unlock"),
    path("ecard/fresh/", ecard.fresh, name="portal_ecard_fresh"),
    path("ecard/number/", ecard.number, name="portal_ecard_number"),
    path("ecard/lock/", ecard.lock, name="portal_ecard_lock"),
    path("ecard/licence/", ecard.licence, name="portal_licence"),
    path("ecard/licence/revealed/", ecard.licence_revealed, name="portal_licence_revealed"),
    path("uses/", own.uses, name="portal_uses"),
    path("uses/<str:use_id>/", own.use, name="portal_use"),
    path("money/", own.money, name="portal_money"),
    path("rights/", own.rights, name="portal_rights"),
    path("seen/", own.seen, name="portal_seen"),
    path("paying/", views.means, name="portal_means"),
    path("cards/<int:card_id>/lost/", views.lost, name="portal_lost"),
    path("cards/<int:card_id>/found/", views.found, name="portal_found"),
]
