"""Migrations, tests and the command line: the database owner, and no pages."""

from onecard.settings.base import *  # noqa: F403
