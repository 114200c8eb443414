"""The migrated database: no table without a place in the golden table, no partitioned table that runs dry."""

import re
import tomllib

import pytest
from tests.architecture.repository import ROOT, SOURCE, text_of

from onecard.foundation.postgres.raw import rows

# Read and written by the owner only: migrations, Django's register of models and its unused groups and sessions, and
# sign-in tables of ways to sign in that are switched off.
OWNER_ONLY = {
    "account_emailconfirmation",
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "django_content_type",
    "django_migrations",
    "django_session",
    "oauth2_provider_devicegrant",
    "oauth2_provider_grant",
    "oauth2_provider_idtoken",
    "oauth2_provider_refreshtoken",
}
TABLES = (
    "SELECT c.relname FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace"
    " AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
)


@pytest.mark.django_db
def test_every_table_is_granted_or_the_owners_alone() -> None:
    golden = tomllib.loads(text_of(SOURCE / "onecard/settings/grants.toml"))
    prefixes = tuple(golden.get("table_prefix", ()))
    tables = {table for (table,) in rows(TABLES)}
    without = {table for table in tables if table not in golden and not table.startswith(prefixes)}
    assert without == OWNER_ONLY


def test_the_security_page_names_what_is_the_owners_alone() -> None:
    page = re.sub(r"\s+", " ", text_of(ROOT / "docs" / "security.md"))
    assert [table for table in sorted(OWNER_ONLY) if f"`{table}`" not in page] == []


@pytest.mark.django_db
def test_every_partitioned_table_is_supplied_ahead_and_has_a_default_that_is_empty() -> None:
    parents = {name for (name,) in rows(TABLES + " AND c.relkind = 'p'")}
    ahead = dict(rows("SELECT parent, ahead FROM foundation_partitioned"))
    assert set(ahead) == parents
    for parent in parents:
        partitions = rows(
            "SELECT count(*) FROM pg_inherits"
            " WHERE inhparent = $1::regclass AND inhrelid <> ($1 || '_default')::regclass",
            parent,
        )[0][0]
        assert partitions > ahead[parent], parent
    assert rows("SELECT parent FROM rows_in_default_partitions() WHERE stray > 0") == []
