"""Routes of the console."""

from django.urls import path

from onecard.console import views, views_holders, views_uses

urlpatterns = [
    path("", views.home, name="console_home"),
    path("holders/", views_holders.find, name="console_holders"),
    path("holders/<int:holder_id>/", views_holders.holder, name="console_holder"),
    path("holders/<int:holder_id>/data/", views_holders.reveal, name="console_reveal"),
    path("holders/<int:holder_id>/cards/<int:card_id>/<slug:move_code>/", views_holders.move, name="console_move"),
    path("uses/", views_uses.uses, name="console_uses"),
    path("uses/<uuid:use_id>/", views_uses.use, name="console_use"),
    path("uses/<uuid:use_id>/refund/", views_uses.refund, name="console_refund"),
    path("exports/", views_uses.exports_of, name="console_exports"),
    path("exports/<uuid:export_id>/", views_uses.export, name="console_export"),
    path("exports/<uuid:export_id>.csv", views_uses.export_csv, name="console_export_csv"),
    path("risks/", views.risks, name="console_risks"),
    path("risks.csv", views.risks_csv, name="console_risks_csv"),
    path("risks/<int:risk_id>/", views.risk, name="console_risk"),
]
