"""The public web process: residents."""

from onecard.foundation.web.static_files import folder
from onecard.settings import environment
from onecard.settings.base import *  # noqa: F403
from onecard.settings.base import PACKAGE, STATICFILES_DIRS, templates

SECRET_KEY = environment.secret_key("public")
DATABASES = {"default": environment.database("onecard-public")}
ROOT_URLCONF = "onecard.urls.public_routes"
TEMPLATES = templates(PACKAGE / "portal" / "templates")
STATICFILES_DIRS = [*STATICFILES_DIRS, PACKAGE / "portal" / "static"]
STATIC_ROOT = folder("public")
STORAGES = {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}

AUTHENTICATION_BACKENDS = ["onecard.kernel.signins.backends.HoldersOnly"]
SESSION_ENGINE = "onecard.kernel.signins.sessions.public"
SESSION_COOKIE_NAME = "onecard_public"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_NAME = "onecard_public_csrf"
LANGUAGE_COOKIE_NAME = "onecard_public_language"
ONECARD_MODE_COOKIE = "onecard_public_mode"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "portal_cards"
ACCOUNT_LOGOUT_REDIRECT_URL = "portal_home"
