"""The embedded server: made, stopped, adopted, recovered, refused."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from onecard.foundation.errors import OneCardError
from onecard.foundation.postgres import binaries, urls
from onecard.foundation.postgres.embedded import EmbeddedPostgres, memory_bytes, settings

SRC = Path(__file__).parents[3] / "src"
OWNER = """
import sys, time
from pathlib import Path
from onecard.foundation.postgres.embedded import EmbeddedPostgres
print(EmbeddedPostgres(Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2] else None).start(), flush=True)
time.sleep(600)
"""
BINARIES = os.environ.get("ONECARD_TEST_POSTGRES_BINARIES", "")
pytestmark = [pytest.mark.processes, pytest.mark.database]


def a_server(folder: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(folder, Path(BINARIES) if BINARIES else None)


def an_owner(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """A process of its own that owns the folder, and the URL it printed."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(folder), BINARIES],
        env={**os.environ, "PYTHONPATH": str(SRC)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def ask(url: str, statement: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(statement.encode()).fetchone()
    return row[0] if row else None


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A stopped cluster under a path with a space and Chinese characters, with one row of 1 in the table kept."""
    base = Path(tmp_path_factory.mktemp("embedded")) if os.geteuid() else binaries.HOME / f"test-{os.getpid()}"
    folder = base / "数据 文件夹"
    with a_server(folder) as server, psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS value")
    yield folder
    shutil.rmtree(base, ignore_errors=True)


def test_a_second_start_finds_the_data_and_full_durability(cluster: Path) -> None:
    with a_server(cluster) as server:
        assert ask(server.url, "SELECT value FROM kept") == 1
        shown = {name: ask(server.url, f"SHOW {name}") for name in ("fsync", "synchronous_commit", "full_page_writes")}
        assert set(shown.values()) == {"on"}
        assert ask(server.url, "SHOW data_checksums") == "on"
        assert ask(server.url, "SHOW listen_addresses") == ""
        assert ask(server.url, "SHOW server_encoding") == "UTF8"
        assert server.start() == server.url
    assert not server.alive()


def test_every_connection_needs_the_password(cluster: Path) -> None:
    with a_server(cluster) as server:
        address = urls.parse(server.url)
        for password in ("", "wrong"):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(host=address.host, user=address.role, password=password, dbname="postgres")


def test_secrets_and_socket_are_closed_to_others(cluster: Path) -> None:
    with a_server(cluster) as server:
        socket = Path(urls.parse(server.url).host)
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
        assert len(os.fsencode(socket / ".s.PGSQL.5432")) < 100
        assert stat.S_IMODE((cluster / "superuser.secret").stat().st_mode) == 0o600
    assert not socket.exists()


def test_a_second_owner_is_refused_in_one_sentence(cluster: Path) -> None:
    with a_server(cluster) as server:
        with pytest.raises(OneCardError) as refused:
            a_server(cluster).start()
        assert refused.value.code == "DATA_FOLDER_IN_USE"
        assert str(os.getpid()) in refused.value.en
        assert ask(server.url, "SELECT 1") == 1


def test_a_server_whose_owner_was_killed_is_adopted(cluster: Path) -> None:
    owner, url = an_owner(cluster)
    before = ask(url, "SELECT pg_postmaster_start_time()")
    owner.kill()
    owner.wait()
    with a_server(cluster) as server:
        assert server.url == url
        assert ask(url, "SELECT pg_postmaster_start_time()") == before


def test_a_killed_server_recovers_what_was_committed_at_the_same_address(cluster: Path) -> None:
    with a_server(cluster) as server:
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS committed (n int)")
            connection.execute("INSERT INTO committed VALUES (7)")
        pid, url = server.postmaster(), server.url
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert server.start() == url
        assert ask(url, "SELECT n FROM committed") == 7


def test_owner_and_server_killed_together_start_anew(cluster: Path) -> None:
    owner, _url = an_owner(cluster)
    pid = int((cluster / "pgdata" / "postmaster.pid").read_text().split()[0])
    owner.kill()
    os.kill(pid, signal.SIGKILL)
    owner.wait()
    with a_server(cluster) as server:
        assert ask(server.url, "SELECT value FROM kept") == 1


def test_a_stale_pid_file_whose_number_lives_on_as_another_process_is_no_server(cluster: Path) -> None:
    pid_file = cluster / "pgdata" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{cluster}/pgdata\n1\n5432\n/nowhere\n\n0 0\nready\n")
    with a_server(cluster) as server:
        assert server.postmaster() not in (None, os.getpid())
        assert ask(server.url, "SELECT value FROM kept") == 1


def test_a_half_made_cluster_is_made_again(open_folder: Path) -> None:
    folder = open_folder / "half"
    (folder / "pgdata.new" / "base").mkdir(parents=True)
    folder.chmod(0o711)
    (folder / "pgdata.new" / "PG_VERSION").write_text("18\n")
    with a_server(folder) as server:
        assert ask(server.url, "SELECT 1") == 1
    assert not (folder / "pgdata.new").exists()


def test_another_major_version_is_refused_before_anything_runs(open_folder: Path) -> None:
    folder = open_folder / "old"
    (folder / "pgdata").mkdir(parents=True)
    folder.chmod(0o711)
    shutil.chown(folder / "pgdata", binaries.account().uid)
    (folder / "pgdata" / "PG_VERSION").write_text("9\n")
    with pytest.raises(OneCardError) as refused:
        a_server(folder).start()
    assert refused.value.code == "POSTGRES_VERSION"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OneCardError) as refused:
        a_server(tmp_path / "data").start()
    tmp_path.chmod(0o700)
    assert refused.value.code == "DATA_FOLDER_NOT_WRITABLE"
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_refused(open_folder: Path) -> None:
    (open_folder / "file").write_text("")
    with pytest.raises(OneCardError) as refused:
        a_server(open_folder / "file").start()
    assert refused.value.code == "DATA_FOLDER_NOT_WRITABLE"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")
class TestAsRoot:
    def test_the_server_runs_as_its_own_user(self, cluster: Path) -> None:
        with a_server(cluster) as server:
            pid = server.postmaster()
            assert os.stat(f"/proc/{pid}").st_uid == binaries.account().uid != 0
            assert ask(server.url, "SELECT 1") == 1

    def test_a_folder_its_user_cannot_reach_is_refused_and_left_as_it_was(self, tmp_path: Path) -> None:
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        with pytest.raises(OneCardError) as refused:
            a_server(closed / "data").start()
        assert refused.value.code == "DATA_FOLDER_UNREACHABLE"
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert list(closed.iterdir()) == []

    def test_a_cluster_of_another_user_is_refused(self, open_folder: Path) -> None:
        (open_folder / "pgdata").mkdir()
        with pytest.raises(OneCardError) as refused:
            a_server(open_folder).start()
        assert refused.value.code == "DATA_FOLDER_OF_ANOTHER"


def test_a_server_that_does_not_answer_yet_is_waited_for(cluster: Path) -> None:
    """The next owner arrives while the server of the killed one is stuck: it waits and starts no second one."""
    owner, url = an_owner(cluster)
    pid = int((cluster / "pgdata" / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGSTOP)
    owner.kill()
    owner.wait()
    resume = subprocess.Popen(["/bin/sh", "-c", f"sleep 1; kill -CONT {pid}"])
    with a_server(cluster) as server:
        assert (server.url, server.postmaster()) == (url, pid)
    assert resume.wait() == 0


def test_settings_follow_the_machine_within_bounds() -> None:
    small = settings(Path("/tmp/a'b"), memory=512 << 20, disk_free=100 << 20)
    large = settings(Path("/tmp/x"), memory=256 << 30, disk_free=1 << 40)
    assert "shared_buffers = 128MB" in small
    assert "max_wal_size = 256MB" in small
    assert "'/tmp/a''b'" in small
    assert "shared_buffers = 2048MB" in large
    assert "max_wal_size = 8192MB" in large
    assert memory_bytes() > 0
