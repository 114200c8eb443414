"""The public web process: residents."""

from onecard.settings import environment
from onecard.settings.base import *  # noqa: F403

SECRET_KEY = environment.secret_key("public")
DATABASES = {"default": environment.database("onecard-public")}
ROOT_URLCONF = "onecard.urls.public_routes"
