"""Which server the suite uses: read once, before fixtures put addresses of their own into the environment."""

import os
from dataclasses import dataclass

import psycopg
from psycopg import sql

from onecard.foundation.postgres import roles
from onecard.foundation.postgres import urls as addresses
from onecard.foundation.postgres.embedded import EmbeddedPostgres

SERVER = os.environ.get(addresses.ENVIRONMENT, "")
BINARIES = os.environ.get("ONECARD_TEST_POSTGRES_BINARIES", "")
# Roles are the server's: workers that run at once on one server have their own.
SUFFIX = "_".join(filter(None, ("_test", os.environ.get("PYTEST_XDIST_WORKER")))) if SERVER else ""


@dataclass(frozen=True)
class Cluster:
    """A server for the tests: the administrator's URL, and the embedded server behind it where there is one."""

    admin_url: str
    passwords: dict[str, str]
    embedded: EmbeddedPostgres | None = None

    def create(self, name: str, template: str = "template0") -> dict[str, str]:
        """Make a database, or a copy of one; role → URL."""
        return roles.ensure_database(self.admin_url, name, self.passwords, suffix=SUFFIX, template=template)

    def drop(self, name: str) -> None:
        """Drop a database and cut off whoever is still connected."""
        with psycopg.connect(self.admin_url, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
