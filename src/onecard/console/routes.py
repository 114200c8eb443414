"""Routes of the console."""

from django.urls import path

from onecard.console import views, views_holders, views_money, views_points, views_uses

urlpatterns = [
    path("", views.home, name="console_home"),
    path("days.csv", views.days_csv, name="console_days_csv"),
    path("counties.csv", views.counties_csv, name="console_counties_csv"),
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
    path("points/", views_points.points, name="console_points"),
    path("points/<int:point_id>/", views_points.point, name="console_point"),
    path("terminals/", views_points.terminals, name="console_terminals"),
    path("terminals/<int:terminal_id>/", views_points.terminal, name="console_terminal"),
    path("terminals/<int:terminal_id>/pairing-code/", views_points.pair, name="console_pair"),
    path("accounts/", views_money.accounts, name="console_accounts"),
    path("accounts/<int:account_id>/", views_money.account, name="console_account"),
    path("concessions/", views_money.concessions, name="console_concessions"),
    path("concessions.csv", views_money.concessions_csv, name="console_concessions_csv"),
    path("risks/", views.risks, name="console_risks"),
    path("risks.csv", views.risks_csv, name="console_risks_csv"),
    path("risks/<int:risk_id>/", views.risk, name="console_risk"),
]
