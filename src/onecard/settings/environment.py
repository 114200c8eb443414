"""What a process reads from its environment. Every name starts with ONECARD_ and is listed in docs/operations.md."""

import hashlib
import os
import secrets
from typing import Any

from psycopg import conninfo


def flag(name: str) -> bool:
    """Whether a variable is switched on: exactly "1"."""
    return os.environ.get(name) == "1"


def names(name: str, default: str) -> list[str]:
    """A comma-separated variable as a list, blanks dropped."""
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def database(application_name: str) -> dict[str, Any]:
    """Django's description of ONECARD_DATABASE_URL, read as libpq reads it (?host=/socket/folder, percent-encoding)."""
    parts = conninfo.conninfo_to_dict(os.environ.get("ONECARD_DATABASE_URL", "postgresql:///onecard"))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname", ""),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"application_name": application_name, **parts},
    }


def secret_key(process: str) -> str:
    """This process's own key, derived from ONECARD_SECRET_KEY, so that nothing one face signed is valid at the other.

    Without the variable a key is drawn that lives as long as the process: enough for the command line and tests,
    refused by the web processes, whose workers must share one.
    """
    root = os.environ.get("ONECARD_SECRET_KEY") or secrets.token_urlsafe(48)
    return hashlib.sha256(f"onecard:{process}:{root}".encode()).hexdigest()
