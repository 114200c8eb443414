"""The worker: runs queued jobs, serves no pages."""

from onecard.settings import environment
from onecard.settings.base import *  # noqa: F403

SECRET_KEY = environment.secret_key("worker")
DATABASES = {"default": environment.database("onecard-worker")}
