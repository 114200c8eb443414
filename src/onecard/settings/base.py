"""What every Django process shares: apps, database, languages, templates, password hashing, headers."""

import os
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF

from onecard.settings import environment

PACKAGE = Path(__file__).resolve().parent.parent

DEBUG = False
SECRET_KEY = environment.secret_key("owner")
ALLOWED_HOSTS = environment.names("ONECARD_HOSTS", "localhost,127.0.0.1,[::1]")
DATABASES = {"default": environment.database("onecard-owner")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "procrastinate.contrib.django",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "oauth2_provider",
    "onecard.foundation",
    "onecard.kernel.audit",
    "onecard.kernel.messages",
    "onecard.kernel.signins",
    "onecard.kernel.holders",
    "onecard.kernel.staff",
    "onecard.kernel.ledger",
    "onecard.kernel.partners",
    "onecard.kernel.cards",
    "onecard.kernel.catalogue",
    "onecard.kernel.ecards",
    "onecard.kernel.entitlements",
    "onecard.kernel.sharing",
    "onecard.kernel.uses",
    "onecard.connectors.bank",
    "onecard.connectors.sms",
    "onecard.connectors.webhooks",
]

# Sign-in. The two faces name their own sessions, cookies, backends and adapters.
AUTH_USER_MODEL = "signins.User"
AUTHENTICATION_BACKENDS = ["onecard.kernel.signins.backends.AnyKind"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "onecard.kernel.sharing.oauth.DrawnSecretHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_USER_MODEL_USERNAME_FIELD = "username"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "onecard.kernel.signins.adapters.AccountAdapter"

ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_FORMS = {"login": "onecard.kernel.signins.forms.SignInForm"}
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_PREVENT_ENUMERATION = True
# Five wrong passwords for one name in fifteen minutes close its door for that long; a whole office shares an address,
# so the limit for one address is wide.
ACCOUNT_RATE_LIMITS = {
    "login": "120/m/ip",
    "login_failed": "100/15m/ip,5/15m/key",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
    "passkey": "120/m/ip",
}
MFA_ADAPTER = "onecard.kernel.signins.adapters.MfaAdapter"
MFA_SUPPORTED_TYPES: list[str] = []
ONECARD_SECOND_FACTOR = False
MFA_FORMS = {
    "authenticate": "onecard.kernel.signins.forms.SecondFactorForm",
    "activate_totp": "onecard.kernel.signins.forms.SetUpForm",
}
MFA_TOTP_ISSUER = "OneCard 一卡通"

# Clients' systems: OAuth 2 with client credentials and nothing else, short-lived tokens kept by their digest, and every
# recommendation of RFC 9700 that the library leaves open to choice.
OAUTH2_PROVIDER_APPLICATION_MODEL = "sharing.Credential"
OAUTH2_PROVIDER = {
    "OAUTH2_SERVER_CLASS": "oauthlib.oauth2.BackendApplicationServer",
    "SCOPES_BACKEND_CLASS": "onecard.kernel.sharing.oauth.AgreedScopes",
    "CLIENT_SECRET_HASHER": "pbkdf2_drawn",
    "ACCESS_TOKEN_EXPIRE_SECONDS": 600,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": True,
    "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": True,
}

# Rate limits must hold across processes and machines: the one store they share is the database.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "signins_throttle",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
}

MIDDLEWARE = [
    "onecard.foundation.web.middleware.Headers",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "onecard.foundation.web.middleware.Preferences",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "onecard.kernel.signins.middleware.AccountPreferences",
    "onecard.kernel.signins.middleware.SecondFactor",
    "onecard.foundation.web.middleware.Refusals",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "onecard.urls.owner_routes"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
LOCALE_PATHS = [PACKAGE / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
LANGUAGE_COOKIE_NAME = "onecard_language"
ONECARD_MODE_COOKIE = "onecard_mode"


def templates(*folders: Path) -> list[dict[str, Any]]:
    """Jinja2 only, from our own folders only: a page a library brings cannot be shown by accident."""
    return [
        {
            "BACKEND": "django.template.backends.jinja2.Jinja2",
            "DIRS": [*folders, PACKAGE / "foundation" / "web" / "templates"],
            "APP_DIRS": False,
            "OPTIONS": {
                "environment": "onecard.foundation.web.jinja.environment",
                "context_processors": ["onecard.foundation.web.jinja.page"],
            },
        }
    ]


TEMPLATES = templates()

STATIC_URL = "/static/"
STATICFILES_DIRS = [PACKAGE / "foundation" / "web" / "static"]
STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]

# The place this installation serves; the deployer's words and mark, not ours.
ONECARD_CITY = {"zh": "南通市", "en": "Nantong"}
ONECARD_PRODUCT = {"zh": "南通一卡通", "en": "Nantong OneCard"}
ONECARD_BUREAU = {"zh": "南通市人力资源和社会保障局", "en": "Nantong Human Resources and Social Security Bureau"}
# What share of active cards is to have an e-card this year, in percent; the deployer's own aim.
ONECARD_ECARDS_TARGET_PERCENT = 75.0
ONECARD_DEMO = environment.flag("ONECARD_DEMO")
# The file of a demo's sandbox, which integrators may try; empty where there is none.
ONECARD_SANDBOX = os.environ.get("ONECARD_SANDBOX", "")

# Headers. No inline code, no outside address: what a page may load is what this process serves.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "style-src": [SELF],
        "script-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# A demo runs on plain http://localhost; anywhere else cookies travel over TLS only.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not ONECARD_DEMO
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 0 if ONECARD_DEMO else 31_536_000
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if environment.flag("ONECARD_TRUST_PROXY") else None
ALLAUTH_TRUSTED_PROXY_COUNT = int(environment.flag("ONECARD_TRUST_PROXY"))
CSRF_FAILURE_VIEW = "onecard.foundation.web.errors.csrf_failure"

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"brief": {"()": "onecard.foundation.web.logs.Brief"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "procrastinate.blueprints": {"level": "WARNING"},
        # A line for each job that is queued, between what a command tells.
        "procrastinate.jobs": {"level": "WARNING"},
        # Somebody's wrong host, which anyone may send: what was asked for says it all.
        "django.security.DisallowedHost": {"filters": ["brief"]},
    },
}
