"""The public web process: residents, and integrators under /dev/."""

from onecard.foundation.web.static_files import folder
from onecard.settings import environment
from onecard.settings.base import *  # noqa: F403
from onecard.settings.base import ACCOUNT_RATE_LIMITS, PACKAGE, STATICFILES_DIRS, templates

SECRET_KEY = environment.secret_key("public")
DATABASES = {"default": environment.database("onecard-public")}
ROOT_URLCONF = "onecard.urls.public_routes"
TEMPLATES = templates(PACKAGE / "portal" / "templates", PACKAGE / "developers" / "templates")
TEMPLATES[0]["OPTIONS"]["context_processors"].extend(["onecard.portal.sessions.page", "onecard.portal.app.page"])
STATICFILES_DIRS = [*STATICFILES_DIRS, PACKAGE / "portal" / "static", PACKAGE / "developers" / "static"]
STATIC_ROOT = folder("public")
STORAGES = {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}

AUTHENTICATION_BACKENDS = ["onecard.kernel.signins.backends.HoldersOnly"]
SESSION_ENGINE = "onecard.kernel.signins.sessions.public"
SESSION_COOKIE_NAME = "onecard_public"
# What is not told otherwise: before somebody signs in, and the outer bound of a browser's cookie.
SESSION_COOKIE_AGE = 3600
CSRF_COOKIE_NAME = "onecard_public_csrf"
LANGUAGE_COOKIE_NAME = "onecard_public_language"
ONECARD_MODE_COOKIE = "onecard_public_mode"
# One number gets a code a minute and five an hour, so that nobody's phone is flooded; a household shares an address.
ACCOUNT_RATE_LIMITS = {
    **ACCOUNT_RATE_LIMITS,
    "sign_in_code": "1/m/key,5/h/key,60/m/ip",
    "sign_in_code_lost": "1/m/key,3/h/key,60/m/ip",
    "sign_in_code_tried": "60/m/ip",
    "client_sign_in": "60/m/ip",
    "sandbox_try": "30/m/ip",
    "unlock": "5/15m/user",
    "offer_tie": "5/d/user",
}
LOGIN_URL = "portal_sign_in"
LOGIN_REDIRECT_URL = "portal_cards"
ACCOUNT_LOGOUT_REDIRECT_URL = "portal_home"
