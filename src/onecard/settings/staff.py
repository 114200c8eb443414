"""The staff web process: officers and clerks. A second factor is obligatory and thirty idle minutes end a session."""

from onecard.foundation.web.static_files import folder
from onecard.settings import environment
from onecard.settings.base import *  # noqa: F403
from onecard.settings.base import ACCOUNT_RATE_LIMITS, PACKAGE, STATICFILES_DIRS, templates

SECRET_KEY = environment.secret_key("staff")
DATABASES = {"default": environment.database("onecard-staff")}
ROOT_URLCONF = "onecard.urls.staff_routes"
TEMPLATES = templates(PACKAGE / "console" / "templates")
STATICFILES_DIRS = [*STATICFILES_DIRS, PACKAGE / "console" / "static"]
STATIC_ROOT = folder("staff")
STORAGES = {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}

AUTHENTICATION_BACKENDS = ["onecard.kernel.signins.backends.StaffOnly"]
SESSION_ENGINE = "onecard.kernel.signins.sessions.staff"
SESSION_COOKIE_NAME = "onecard_staff"
SESSION_COOKIE_AGE = 30 * 60
SESSION_SAVE_EVERY_REQUEST = True
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_NAME = "onecard_staff_csrf"
LANGUAGE_COOKIE_NAME = "onecard_staff_language"
ONECARD_MODE_COOKIE = "onecard_staff_mode"
ACCOUNT_RATE_LIMITS = {**ACCOUNT_RATE_LIMITS, "first_sign_in": "60/15m/ip,5/15m/key"}
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "console_home"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
MFA_SUPPORTED_TYPES = ["totp"]
ONECARD_SECOND_FACTOR = True
