"""The WSGI application of the API process: `granian --interface wsgi onecard.urls.api:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onecard.settings.api")

application = get_wsgi_application()
