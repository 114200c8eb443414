"""Keys rotate while everybody works: whoever is killed goes on, whoever reads reads, and nothing is lost."""

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pytest_django.plugin import DjangoDbBlocker
from tests.cluster import Cluster
from tests.foundation.web.faces import SYSTEM, a_registered_holder, an_authenticator, an_officer
from tests.kernel.cards.roles import django_as
from tests.kernel.catalogue.builders import a_point

from onecard.demo import resealing
from onecard.foundation import crypto, key_files, keys
from onecard.foundation.errors import BadInput, Conflict, OneCardError
from onecard.foundation.ids import uuid7
from onecard.foundation.postgres.raw import rows
from onecard.gateway.terminals import key_aad
from onecard.kernel.audit import queries as audit
from onecard.kernel.catalogue.models import Terminal
from onecard.kernel.ecards import actions as ecards
from onecard.kernel.holders import actions, queries
from onecard.kernel.holders.models import Holder
from onecard.kernel.signins import codes as signins

HOLDERS = 40
TERMINAL_KEY = b"k" * 32
PROGRESS = "SELECT count(*), count(*) FILTER (WHERE get_byte(name_sealed, 1) = 2) FROM holders_holder"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keys of this test's own."""
    keys.create(tmp_path / "keys")
    monkeypatch.setenv("ONECARD_KEYS", str(tmp_path / "keys"))
    return tmp_path / "keys"


@pytest.fixture
def city(
    postgres: Cluster, template: str, folder: Path, django_db_blocker: DjangoDbBlocker
) -> Iterator[dict[str, str]]:
    """A city with something in every sealed column, committed; Django is its owner."""
    name = f"onecard_resealing_{uuid7().hex}"
    urls = postgres.create(name, template)
    with django_as(urls["owner"], django_db_blocker):
        _fill()
        yield urls
    postgres.drop(name)


def _fill() -> None:
    people = [a_registered_holder(sequence=n) for n in range(1, HOLDERS + 1)]
    actions.correct(SYSTEM, people[0].pk, "address", "虚构路1号", "搬家", version=1)
    actions.grant_certificate(SYSTEM, people[0].pk, "teacher", "教育局", dt.date(2026, 1, 1), number="T-1")
    an_authenticator(an_officer().user)
    ecards.rotate_issuer_key(SYSTEM)
    ecards.rotate_ref_key(SYSTEM)
    for holder_id in (people[0].pk, None, people[1].pk):
        signins.ask(holder_id)
    a_point(attended=False)
    terminal = Terminal.objects.get().pk
    sealed = crypto.seal(keys.load("terminals"), TERMINAL_KEY, key_aad(terminal))
    rows("INSERT INTO catalogue_terminal_key (terminal_id, key_sealed) VALUES ($1, $2)", terminal, sealed)


def told(ring: str, **more: Any) -> Namespace:
    """The arguments of the command."""
    return Namespace(**{"ring": ring, "batch": 7, "prepare": False, **more})


def contents(ring: keys.Keyring) -> dict[tuple[str, int, str], bytes]:
    """Every sealed value of a ring, opened; table, row and column → what it holds."""
    found: dict[tuple[str, int, str], bytes] = {}
    for table in (table for table in resealing.TABLES if table.ring == ring.purpose):
        values = ", ".join(table.reads.format(column) for column in table.places)
        for row_id, number, *sealed in rows(f"SELECT id, {table.number}, {values} FROM {table.table}"):
            for (column, place), value in zip(table.places.items(), sealed, strict=True):
                if value is not None:
                    found[table.table, row_id, column] = crypto.open_sealed(ring, value, place.format(number))
    return found


@pytest.mark.usefixtures("city")
def test_every_sealed_column_of_the_database_is_rotated() -> None:
    columns = rows(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND column_name LIKE '%\\_sealed'"
    )
    known = {(table.table, column) for table in resealing.TABLES for column in table.places}
    assert set(columns) <= known
    assert {table for table, _ in known} - {table for table, _ in columns} == {"mfa_authenticator"}


@pytest.mark.usefixtures("city")
@pytest.mark.parametrize("ring", ["identity", "codes", "terminals"])
def test_a_ring_is_rotated_and_retired_and_everything_still_opens(ring: str) -> None:
    before, holder = contents(keys.load(ring)), Holder.objects.order_by("id").first()
    assert before
    assert holder is not None
    for newest in (2, 3):
        with pytest.raises(Conflict, match="NOTHING_TO_RETIRE"):
            resealing.retire(told(ring))
        assert resealing.rotate(told(ring)) == 0
        after = keys.load(ring)
        assert (after.current.id, resealing.stale(after)) == (newest, 0)
        assert resealing.rotate(told(ring)) == 0, "a second time changes nothing"
        assert keys.load(ring) == after
        assert resealing.retire(told(ring)) == 0
        assert [key.id for key in keys.load(ring).keys] == [newest]
        assert contents(keys.load(ring)) == before
    seen = queries.reveal(SYSTEM, holder.pk, ["number"], "test")["number"]
    found = queries.by_number(SYSTEM, seen)
    assert found is not None
    assert found.id == holder.pk
    facts = audit.facts_about(f"ring:{ring}")
    assert [(fact.verb, fact.detail) for fact in facts] == [
        ("keys.retire", {"keys": [2]}),
        ("keys.rotate", {"key": 3}),
        ("keys.retire", {"keys": [1]}),
        ("keys.rotate", {"key": 2}),
    ]


@pytest.mark.usefixtures("city")
def test_a_ring_goes_over_to_the_cipher_of_the_nodes_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(keys.load("identity"))
    for chosen, cipher, version in (("sm2", "sm4-gcm", 2), ("ed25519", "aes-256-gcm", 1)):
        monkeypatch.setenv("ONECARD_SUITE", chosen)
        assert resealing.rotate(told("identity")) == 0
        after = keys.load("identity")
        assert (after.current.cipher, resealing.stale(after)) == (cipher, 0)
        assert contents(after) == before
        assert rows("SELECT DISTINCT get_byte(name_sealed, 0) FROM holders_holder") == [(version,)]
        assert resealing.retire(told("identity")) == 0


def test_whoever_is_killed_goes_on_where_they_were(
    city: dict[str, str], folder: Path, environment_for: Callable[[str], dict[str, str]]
) -> None:
    before = contents(keys.load("identity"))
    environment = {**environment_for(city["owner"]), "ONECARD_KEYS": str(folder)}
    command = [sys.executable, "-m", "onecard", "keys", "rotate", "identity", "--batch", "1"]
    with psycopg.connect(city["owner"], autocommit=True) as watcher, psycopg.connect(city["owner"]) as brake:
        # A row that is held stops the batches before it, so that the kill falls into the middle.
        brake.execute(
            "SELECT FROM holders_holder WHERE id = (SELECT id FROM holders_holder ORDER BY id OFFSET 20 LIMIT 1)"
            " FOR UPDATE"
        )
        running = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
        while watcher.execute(PROGRESS).fetchone() != (HOLDERS, 20):
            assert running.poll() is None, running.stderr and running.stderr.read()
            time.sleep(0.02)
        running.send_signal(signal.SIGKILL)
        running.communicate()
        brake.rollback()
        assert watcher.execute(PROGRESS).fetchone() == (HOLDERS, 20)
    assert contents(keys.load("identity")) == before
    with pytest.raises(Conflict, match="KEY_IN_USE"):
        resealing.retire(told("identity"))

    again = subprocess.run(command, env={**environment, "LANG": "en_US.UTF-8"}, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert "identity 20/" in again.stderr or "identity 21/" in again.stderr, "it goes on, and does not begin anew"
    ring = keys.load("identity")
    assert ([key.id for key in ring.keys], resealing.stale(ring)) == ([1, 2], 0)
    assert contents(ring) == before


@pytest.mark.usefixtures("city")
def test_who_reads_and_corrects_meanwhile_notices_nothing(
    city: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stale_ring, people = keys.load("identity"), list(Holder.objects.order_by("id"))
    done, faults, read = threading.Event(), [], 0

    def look() -> None:
        """As a process that read its ring before the rotation began."""
        nonlocal read
        with psycopg.connect(city["staff"], autocommit=True) as officer:
            while not done.is_set():
                for row_id, name in officer.execute("SELECT id, name_sealed FROM holders_holder"):
                    try:
                        opened = crypto.open_sealed(stale_ring, name, f"holders_holder.name:{row_id}")
                        assert opened.decode() == "张小明"
                        read += 1
                    except (AssertionError, OneCardError) as fault:
                        faults.append(fault)

    reader = threading.Thread(target=look)
    reader.start()
    saved, corrected = resealing._save, iter(people)

    def save_and_let_one_be_corrected(table: resealing.Sealed) -> str:
        """Between two batches somebody corrects a person, sealed under the new key."""
        if table.table == "holders_certificate":
            holder = next(corrected)
            actions.correct(SYSTEM, holder.pk, "phone", "15400000009", "换号", version=holder.version)
        return saved(table)

    monkeypatch.setattr(resealing, "_save", save_and_let_one_be_corrected)
    assert resealing.rotate(told("identity", batch=3)) == 0
    done.set()
    reader.join()
    assert not faults
    assert read >= HOLDERS
    assert resealing.stale(keys.load("identity")) == 0
    assert queries.reveal(SYSTEM, people[0].pk, ["phone"], "test")["phone"] == "15400000009"


@pytest.mark.usefixtures("city")
def test_a_key_that_waits_comes_first_where_processes_have_copies(folder: Path) -> None:
    assert resealing.rotate(told("codes", prepare=True)) == 0
    ring = keys.load("codes")
    assert (ring.current.id, [key.id for key in ring.keys], resealing.stale(ring)) == (1, [1, 2], 0)
    with pytest.raises(Conflict, match="ROTATION_UNFINISHED"):
        resealing.rotate(told("codes", prepare=True))
    with pytest.raises(Conflict, match="KEY_IN_USE"):
        resealing.retire(told("codes"))
    assert resealing.rotate(told("codes")) == 0
    assert (keys.load("codes").current.id, resealing.stale(keys.load("codes"))) == (2, 0)


@pytest.mark.usefixtures("city")
def test_a_value_that_does_not_open_is_said_and_keeps_its_key(capsys: pytest.CaptureFixture[str]) -> None:
    broken = Holder.objects.order_by("id")[3]
    Holder.objects.filter(pk=broken.pk).update(name_sealed=bytes(broken.name_sealed)[:-1] + b"\0")
    assert resealing.rotate(told("identity")) == 1
    said = capsys.readouterr().err
    assert f"holders_holder.name:{broken.pk}" in said
    assert resealing.stale(keys.load("identity")) == 1
    with pytest.raises(Conflict, match="KEY_IN_USE"):
        resealing.retire(told("identity"))


@pytest.mark.usefixtures("city")
def test_rings_that_seal_nothing_are_not_rotated(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    for ring in ("cards", "anchor"):
        for command in (resealing.rotate, resealing.retire):
            with pytest.raises(BadInput, match="NOTHING_SEALED"):
                command(told(ring))
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.usefixtures("city")
def test_a_ring_from_the_environment_is_resealed_where_a_key_was_appended(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONECARD_KEY_CODES", (folder / "codes.json").read_text())
    with pytest.raises(Conflict, match="RING_NOT_A_FILE"):
        resealing.rotate(told("codes"))
    key_files.add(folder, "codes")
    monkeypatch.setenv("ONECARD_KEY_CODES", (folder / "codes.json").read_text())
    assert resealing.rotate(told("codes")) == 0
    assert resealing.stale(keys.load("codes", dict(os.environ))) == 0
