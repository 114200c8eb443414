"""Routes of the API process."""

from django.urls import path

from onecard.api.app import api, document
from onecard.foundation.web.health import health

handler400 = "onecard.api.problems.bad_request"
handler404 = "onecard.api.problems.no_such_path"
handler500 = "onecard.api.problems.server_error"

urlpatterns = [
    path("health", health, name="health"),
    path("v1/openapi.json", document, name="openapi"),
    path("v1/", api.urls),
]
