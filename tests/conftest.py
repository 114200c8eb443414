"""What the whole suite stands on: one PostgreSQL cluster a run, a migrated database to copy, six roles' addresses.

The server is the embedded one in a new folder, or what ``ONECARD_DATABASE_URL`` names (its role may make databases and
roles; the suite's own carry the suffix ``_test``). ``ONECARD_TEST_POSTGRES_BINARIES`` runs the embedded one from other
programs. Nothing is started for tests that need no database.

A test that asks for pytest-django's `db` runs in a transaction on the main database, as the owner. A test of several
processes or connections asks for `fresh_database`, a copy of its module's own: rows committed there stay there.
Django's `transactional_db` is of no use here, since append-only tables refuse the TRUNCATE it cleans up with.
"""

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from pytest_django.plugin import DjangoDbBlocker
from tests.cluster import BINARIES, SERVER, SUFFIX, Cluster

from onecard.foundation import clock, keys
from onecard.foundation.postgres import grants, roles
from onecard.foundation.postgres import urls as addresses
from onecard.foundation.postgres.embedded import EmbeddedPostgres

ROOT = Path(__file__).parent.parent
RUN = secrets.token_hex(4)
# A busy machine is no fault of the code, so properties have no deadline; and where CI is set they try the same examples
# each time, so that one change's run does not fail for another's reason.
hypothesis.settings.register_profile("onecard", deadline=None, derandomize=os.environ.get("CI") == "true")
hypothesis.settings.load_profile("onecard")
begun: set[Path] = set()
"""The files of which a test ran."""
NEEDS_DATABASE = {"postgres", "database", "urls", "fresh_database", "db", "django_db_setup"}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "database: needs PostgreSQL")
    os.environ.setdefault("ONECARD_SECRET_KEY", secrets.token_hex(32))
    os.environ.setdefault("ONECARD_DEMO", "1")
    os.environ.setdefault("ONECARD_MESSAGE_NETWORKS", "127.0.0.0/8, ::1/128")
    os.environ.setdefault("ONECARD_NODE", "320600")
    # Argon2 as ever, but cheap: a third of a second a password is what the suite would spend most of its time on. The
    # processes that tests start keep the cost of the product.
    Argon2PasswordHasher.time_cost, Argon2PasswordHasher.memory_cost, Argon2PasswordHasher.parallelism = 1, 8, 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs PostgreSQL, so that ``-m database`` runs it on another version."""
    for item in items:
        if NEEDS_DATABASE & set(getattr(item, "fixturenames", ())):
            item.add_marker("database")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Let a test that would begin in the last minute of a day in China begin after it, and a file of tests in the last
    five: most make rows today and look for them today. What happens around midnight is tested where somebody says so.
    """
    now = clock.now().astimezone(clock.CHINA)
    left_s = 60 * (24 * 60 - clock.minute_of(now)) - now.second
    if left_s <= (60 if item.path in begun else 300):
        time.sleep(left_s + 1)
    begun.add(item.path)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A new folder that PostgreSQL's account may pass through when root runs the tests; pytest's are closed."""
    folder = _new_open_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _new_open_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="onecard-test-"))
    folder.chmod(0o711)
    return folder


@pytest.fixture(scope="session")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of fresh keys, named in the environment of this process and its children."""
    folder = tmp_path_factory.mktemp("keys")
    keys.create(folder)
    os.environ["ONECARD_KEYS"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """The run's server."""
    passwords = {role: secrets.token_urlsafe(12) for role in roles.ROLES}
    if SERVER:
        yield Cluster(SERVER, passwords)
        return
    folder = _new_open_folder()
    embedded = EmbeddedPostgres(folder / "postgres", Path(BINARIES) if BINARIES else None)
    try:
        with embedded:
            _hurry(embedded.url)
            yield Cluster(embedded.url, passwords, embedded)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _hurry(admin_url: str) -> None:
    """The tests kill processes, never the machine: what they commit need not reach the disk."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET fsync = off")
        admin.execute("SELECT pg_reload_conf()")


@pytest.fixture(scope="session")
def template(postgres: Cluster, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The name of a migrated database with its grants, which nobody stays connected to, so that it can be copied."""
    name = f"onecard_template_{RUN}"
    owner_url = postgres.create(name)["owner"]
    with django_db_blocker.unblock():
        _point_django_at(owner_url)
        _migrate()
    with psycopg.connect(owner_url) as owner:
        # A row that names nothing is one test's failure, not everybody's.
        grants.apply_grants(owner, suffix=SUFFIX, allow_missing=True)
    yield name
    postgres.drop(name)


def _migrate() -> None:
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", verbosity=0, interactive=False)
    connections.close_all()


def _point_django_at(url: str) -> None:
    """Settings were read before any test could start a server; the address is put into them afterwards."""
    from django.db import connections

    connections.close_all()
    address = addresses.parse(url)
    place = {"NAME": address.name, "USER": address.role, "PASSWORD": address.password, "HOST": address.host}
    connections.settings["default"].update(place, PORT=str(address.port or ""))
    os.environ[addresses.ENVIRONMENT] = url


@pytest.fixture(scope="session")
def database(
    postgres: Cluster, template: str, keys_folder: Path, django_db_blocker: DjangoDbBlocker
) -> Iterator[dict[str, str]]:
    """The main database, migrated and granted, which Django uses as its owner; role → URL."""
    name = f"onecard_main_{RUN}"
    made = postgres.create(name, template)
    with django_db_blocker.unblock():
        _point_django_at(made["owner"])
    yield made
    with django_db_blocker.unblock():
        from django.db import connections

        connections.close_all()
    postgres.drop(name)


@pytest.fixture(scope="session")
def urls(database: dict[str, str]) -> dict[str, str]:
    """role → URL of the main database."""
    return database


@pytest.fixture(scope="session")
def django_db_setup(database: dict[str, str]) -> None:
    """In place of pytest-django's own test database, which would be made without our roles and grants."""


@pytest.fixture(scope="module")
def fresh_database(postgres: Cluster, template: str, keys_folder: Path) -> Iterator[dict[str, str]]:
    """A copy of the migrated database for one module's processes and committed rows; role → URL."""
    name = f"onecard_fresh_{secrets.token_hex(4)}"
    yield postgres.create(name, template)
    postgres.drop(name)


@pytest.fixture(scope="session")
def environment_for(keys_folder: Path) -> Callable[[str], dict[str, str]]:
    """The environment of a process of ours that connects to a URL: ``environment_for(fresh_database["gateway"])``."""

    def environment(url: str) -> dict[str, str]:
        ours = {addresses.ENVIRONMENT: url, "ONECARD_KEYS": str(keys_folder), "PYTHONPATH": str(ROOT / "src")}
        return {**os.environ, **ours}

    return environment
