"""The staff web process: officers and clerks."""

from onecard.settings import environment
from onecard.settings.base import *  # noqa: F403

SECRET_KEY = environment.secret_key("staff")
DATABASES = {"default": environment.database("onecard-staff")}
ROOT_URLCONF = "onecard.urls.staff_routes"
