"""The API process: departments' and banks' systems. No pages, no sessions, no cookies."""

from onecard.settings import environment
from onecard.settings.base import *  # noqa: F403
from onecard.settings.base import INSTALLED_APPS as EVERYWHERE
from onecard.settings.base import LOGGING as BASE_LOGGING

SECRET_KEY = environment.secret_key("api")
DATABASES = {"default": environment.database("onecard-api")}
ROOT_URLCONF = "onecard.urls.api_routes"
# People's sign-ins, their sessions and pages are not here.
INSTALLED_APPS = [
    app for app in EVERYWHERE if not app.startswith(("allauth", "django.contrib.sessions", "django.contrib.messages"))
]
MIDDLEWARE = [
    "onecard.foundation.web.middleware.Headers",
    "django.middleware.security.SecurityMiddleware",
    "onecard.api.problems.Problems",
    "django.middleware.common.CommonMiddleware",
]
AUTHENTICATION_BACKENDS = []
APPEND_SLASH = False
# What a request may weigh; the largest has a few hundred bytes.
DATA_UPLOAD_MAX_MEMORY_SIZE = 16_384
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20
# A request has one line in the log, of `onecard.api.problems`: the framework's own repeats paths, which may name
# holders.
LOGGING = {**BASE_LOGGING, "loggers": {**BASE_LOGGING["loggers"], "django.request": {"level": "ERROR"}}}
