"""The WSGI application of the API process: `granian --interface wsgi onecard.urls.api:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onecard.settings.api")

application = get_wsgi_application()

from onecard.api.keeper import keeper  # noqa: E402 - once the apps are there

keeper.start()
