"""An embedded PostgreSQL: ours to make, start, adopt and stop, with full durability.

One data folder has one owner process at a time (a file lock, which the kernel releases even after ``kill -9``)::

    <folder>/owner.lock          held by the owner; names its process
    <folder>/superuser.secret    password of the role `postgres`, mode 600
    <folder>/socket_folder       where the server listens: a short path, since a socket's has at most 107 bytes
    <folder>/postgres.log        what the server says
    <folder>/pgdata/             the cluster; made as pgdata.new and renamed, so that none is ever half-made

A server that outlived its owner is adopted with its address; one that died leaves stale files behind, which are cleared
only after every one of its processes is gone.
"""

import contextlib
import fcntl
import os
import pwd
import secrets
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

import psycopg

from onecard.foundation.errors import Conflict, OneCardError, Unavailable
from onecard.foundation.postgres import binaries as programs
from onecard.foundation.postgres.binaries import Account
from onecard.foundation.postgres.urls import Address

SUPERUSER = "postgres"
PATIENCE_S = 300
SOCKET_PATH_BYTES_MAX = 100
LOG_BYTES_MAX = 16 << 20
MIB = 1 << 20

Say = Callable[[str, str], None]


def silent(zh: str, en: str) -> None:
    """Progress that nobody reads."""


class EmbeddedPostgres:
    """A cluster in `folder`. `binaries` chooses other programs than the wheel's; `say` hears progress (zh, en)."""

    def __init__(self, folder: Path | str, binaries: Path | None = None, say: Say = silent) -> None:
        self.folder = Path(folder).absolute()
        self._binaries = binaries
        self._say = say
        self._lock: IO[str] | None = None
        self._account: Account | None = None
        self._socket: Path | None = None

    def __enter__(self) -> "EmbeddedPostgres":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def pgdata(self) -> Path:
        return self.folder / "pgdata"

    @property
    def log(self) -> Path:
        return self.folder / "postgres.log"

    @property
    def url(self) -> str:
        """The superuser's address of the database `postgres`; it stays the same while this owner lives."""
        if self._socket is None:
            raise RuntimeError("PostgreSQL has not been started")
        secret = (self.folder / "superuser.secret").read_text().strip()
        return Address(SUPERUSER, secret, str(self._socket), 0, "postgres").url()

    def binary(self, name: str) -> Path:
        """A program of this PostgreSQL, e.g. ``pgbench``."""
        return self._programs() / name

    def start(self) -> str:
        """Start, adopt or restart the server and return the superuser's URL. A second time does nothing.

        Raises Conflict ``DATA_FOLDER_IN_USE``, ``DATA_FOLDER_OF_ANOTHER``, ``POSTGRES_VERSION``; Unavailable
        ``DATA_FOLDER_NOT_WRITABLE``, ``DATA_FOLDER_UNREACHABLE``, ``POSTGRES_START_FAILED``.
        """
        mine_already = self._lock is not None
        try:
            self._take_folder()
            if not self.pgdata.exists():
                self._make_cluster()
            self._refuse_other_version()
            if not self._adopt():
                self._launch()
        except BaseException:
            if not mine_already:
                self._release()
            raise
        return self.url

    def stop(self) -> None:
        """Stop the server after its running transactions are rolled back, and give the folder up."""
        if self._lock is None:
            return
        try:
            if self.postmaster() is not None:
                self._pg_ctl("stop", "-m", "fast")
            if self._socket is not None:
                shutil.rmtree(self._socket, ignore_errors=True)
                (self.folder / "socket_folder").unlink(missing_ok=True)
        finally:
            self._release()

    def alive(self) -> bool:
        """Whether the server's first process runs."""
        return self.postmaster() is not None

    def postmaster(self) -> int | None:
        """The process id of a running server of this folder. A stale pid file, or its number reused, is no server."""
        try:
            pid = int((self.pgdata / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        return pid if pid in _processes_in(self.pgdata, [pid]) else None

    # The folder -------------------------------------------------------------------------------------------------------

    def _take_folder(self) -> None:
        """Become the folder's owner; nothing is changed before the checks have passed."""
        if self._lock is not None:
            return
        self._refuse_unwritable()
        who = self._account = programs.account()
        self._refuse_unreachable(who)
        programs.make_folder(self.folder.parent, 0o755)
        # Root's folder lets the server's account through, no further; anyone else's is closed to others.
        programs.make_folder(self.folder, 0o711 if who.switch else 0o700)
        self._lock = self._locked()
        self._refuse_foreign(who)

    def _refuse_unwritable(self) -> None:
        existing = _existing(self.folder)
        if existing.is_dir() and os.access(existing, os.W_OK | os.X_OK):
            return
        raise Unavailable(
            "DATA_FOLDER_NOT_WRITABLE",
            f"无法写入数据目录 {self.folder}。",
            f"The data folder {self.folder} cannot be written.",
            next_zh="请用 --data-dir 指定一个可写的目录。",
            next_en="Name a folder you may write to with --data-dir.",
        )

    def _refuse_unreachable(self, who: Account) -> None:
        existing = _existing(self.folder)
        if who.may_enter(existing):
            return
        raise Unavailable(
            "DATA_FOLDER_UNREACHABLE",
            f"以 root 启动时 PostgreSQL 以系统用户 {who.name} 运行，而该用户进不了 {existing}。",
            f"Started by root, PostgreSQL runs as the user {who.name}, who cannot enter {existing}.",
            next_zh=f"请用 --data-dir 指定 {programs.HOME} 下的目录，或改用普通用户启动。",
            next_en=f"Name a folder under {programs.HOME} with --data-dir, or start as an ordinary user.",
        )

    def _refuse_foreign(self, who: Account) -> None:
        """A cluster belongs to the account that made it; PostgreSQL itself would refuse with less help."""
        if not self.pgdata.exists() or self.pgdata.stat().st_uid == who.uid:
            return
        uid = self.pgdata.stat().st_uid
        raise Conflict(
            "DATA_FOLDER_OF_ANOTHER",
            f"数据目录 {self.folder} 由另一个用户（{_user(uid)}）创建。",
            f"The data folder {self.folder} was made by another user ({_user(uid)}).",
            next_zh="请以该用户启动，或用 --data-dir 指定另一个目录。",
            next_en="Start as that user, or name another folder with --data-dir.",
        )

    def _locked(self) -> IO[str]:
        """The held lock file. It is never deleted: a lock on a deleted file would bind nobody."""
        try:
            lock = (self.folder / "owner.lock").open("a+")
        except OSError as error:
            raise Unavailable(
                "DATA_FOLDER_NOT_WRITABLE",
                f"无法写入数据目录 {self.folder}：{error.strerror}。",
                f"The data folder {self.folder} cannot be written: {error.strerror}.",
                next_zh="请以创建它的用户启动，或用 --data-dir 指定另一个目录。",
                next_en="Start as the user who made it, or name another folder with --data-dir.",
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            owner = lock.read().strip() or "?"
            lock.close()
            raise Conflict(
                "DATA_FOLDER_IN_USE",
                f"数据目录 {self.folder} 正由进程 {owner} 使用。",
                f"The data folder {self.folder} is in use by process {owner}.",
                next_zh="请先停止它，或用 --data-dir 指定另一个目录。",
                next_en="Stop it first, or name another folder with --data-dir.",
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        return lock

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.close()
        self._lock = None
        self._socket = None

    # The cluster ------------------------------------------------------------------------------------------------------

    def _programs(self) -> Path:
        if self._binaries is None:
            self._binaries = programs.runnable_by(self._account or programs.account())
        return self._binaries

    def _who(self) -> Account:
        if self._account is None:
            raise RuntimeError("the data folder has not been taken")
        return self._account

    def _make_cluster(self) -> None:
        """Run initdb beside the final name. Only a finished cluster is renamed; a killed initdb is done again."""
        self._say("初始化数据库文件", "Making the database's files")
        who, new = self._who(), self.folder / "pgdata.new"
        secret = self._superuser_secret()
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        who.give(new)
        with self._readable_secret(secret) as password_file:
            code, output = who.run(
                self.binary("initdb"),
                *("-D", new.name, "-U", SUPERUSER, "-A", "scram-sha-256", f"--pwfile={password_file}"),
                *("--encoding=UTF8", "--locale=C", "--data-checksums", "--no-instructions"),
                cwd=self.folder,
            )
        if code != 0:
            raise self._failed("initdb", output)
        with (new / "postgresql.conf").open("a") as conf:
            conf.write("\ninclude 'onecard.conf'\n")
        new.rename(self.pgdata)

    def _superuser_secret(self) -> str:
        path = self.folder / "superuser.secret"
        if not path.exists():
            partial = path.with_suffix(".new")
            partial.unlink(missing_ok=True)
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(24) + "\n")
            partial.rename(path)
        return path.read_text().strip()

    @contextlib.contextmanager
    def _readable_secret(self, secret: str) -> Iterator[Path]:
        """The password in a file that the server's account can read while initdb runs."""
        folder = Path(tempfile.mkdtemp(prefix="onecard-", dir=_short_base(self._who())))
        try:
            path = folder / "secret"
            path.write_text(secret + "\n")
            for each in (path, folder):
                self._who().give(each)
            yield path
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _refuse_other_version(self) -> None:
        theirs = int((self.pgdata / "PG_VERSION").read_text().split(".")[0])
        ours = programs.major_of(self._programs())
        if theirs == ours:
            return
        raise Conflict(
            "POSTGRES_VERSION",
            f"数据目录 {self.folder} 由 PostgreSQL {theirs} 创建，而现在的程序是 {ours}。",
            f"The data folder {self.folder} was made by PostgreSQL {theirs}; the programs here are {ours}.",
            next_zh="请用 pg_dump 迁移数据，或用 --data-dir 指定另一个目录。",
            next_en="Move the data with pg_dump, or name another folder with --data-dir.",
        )

    # The server -------------------------------------------------------------------------------------------------------

    def _adopt(self) -> bool:
        """Take over a server that outlived its owner. False where there is none, or it went away while we waited."""
        deadline = time.monotonic() + PATIENCE_S
        while (pid := self.postmaster()) is not None:
            self._socket = self._announced_socket()
            if self._socket is not None and self._answers():
                return True
            if self._socket is not None and not self._socket.is_dir():
                # Someone emptied /tmp: nobody can reach this server any more, so it must start anew.
                os.kill(pid, signal.SIGINT)
            if time.monotonic() > deadline:
                raise self._failed("adopt", f"process {pid} runs and does not answer")
            time.sleep(0.1)
        return False

    def _announced_socket(self) -> Path | None:
        """The socket folder that a running server has written into the fifth line of its pid file."""
        try:
            lines = (self.pgdata / "postmaster.pid").read_text().splitlines()
        except OSError:
            return None
        return Path(lines[4]) if len(lines) > 4 and lines[4] else None

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.url, connect_timeout=10) as connection:
                connection.execute("SELECT 1")
            return True
        except psycopg.OperationalError:
            return False

    def _launch(self) -> None:
        self._clear_remains()
        self._socket = self._socket_folder()
        self._write_settings(self._socket)
        self._prepare_log()
        self._say("启动 PostgreSQL", "Starting PostgreSQL")
        self._pg_ctl("start", "-l", self.log.name)

    def _clear_remains(self) -> None:
        """Wait until the processes of a killed server are gone, then remove the pid file it left.

        Backends outlive a killed first process for a moment and still write. A pid file whose number the system has
        since given to another process would keep PostgreSQL from starting for ever.
        """
        deadline = time.monotonic() + PATIENCE_S
        while remaining := _processes_in(self.pgdata):
            if time.monotonic() > deadline:
                raise self._failed("start", f"processes {remaining} of an earlier server do not end")
            time.sleep(0.05)
        (self.pgdata / "postmaster.pid").unlink(missing_ok=True)

    def _socket_folder(self) -> Path:
        """The recorded socket folder if it is still ours alone, emptied; else a new one under a short path."""
        record = self.folder / "socket_folder"
        recorded = Path(record.read_text().strip()) if record.exists() else None
        if recorded and _is_private(recorded, self._who().uid):
            for stale in recorded.iterdir():
                stale.unlink()
            return recorded
        made = Path(tempfile.mkdtemp(prefix="onecard-", dir=_short_base(self._who())))
        self._who().give(made)
        record.write_text(f"{made}\n")
        return made

    def _write_settings(self, socket: Path) -> None:
        """Written at each start: the machine may have been given more memory or disk since."""
        path = self.pgdata / "onecard.conf"
        partial = self.pgdata / "onecard.conf.new"
        partial.write_text(settings(socket, memory_bytes(), shutil.disk_usage(self.pgdata).free))
        partial.chmod(0o600)
        self._who().give(partial)
        partial.replace(path)

    def _prepare_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES_MAX:
            self.log.replace(self.log.with_suffix(".log.1"))
        self.log.touch(mode=0o600)
        self._who().give(self.log)

    def _pg_ctl(self, *command: str) -> None:
        """Names are relative to the folder, because pg_ctl passes them through a shell."""
        pg_ctl = self.binary("pg_ctl")
        code, output = self._who().run(
            pg_ctl, *command, "-D", self.pgdata.name, "-w", "-t", str(PATIENCE_S), "-s", cwd=self.folder
        )
        if code != 0:
            raise self._failed(f"pg_ctl {command[0]}", output)

    def _failed(self, step: str, output: str) -> OneCardError:
        tail = self.log.read_text(errors="replace").splitlines()[-3:] if self.log.exists() else []
        said = " | ".join([*output.splitlines()[-3:], *tail])
        return Unavailable(
            "POSTGRES_START_FAILED",
            f"PostgreSQL 未能启动或停止（{step}）：{said}",
            f"PostgreSQL did not start or stop ({step}): {said}",
            next_zh=f"请查看日志 {self.log}。",
            next_en=f"See its log, {self.log}.",
        )


def settings(socket: Path, memory: int, disk_free: int) -> str:
    """The server's settings. Durability is full (fsync, synchronous commit, full pages); sizes follow the machine.

    The write-ahead log may grow to 8 GiB between checkpoints, at most a quarter of the free disk. JIT costs more
    than it gives on short statements. `memory` and `disk_free` in bytes.
    """
    shared = _within(memory // 8, 128 * MIB, 2048 * MIB)
    wal = _within(disk_free // 4, 256 * MIB, 8192 * MIB)
    return f"""# Written by onecard at each start; change postgresql.auto.conf (ALTER SYSTEM) instead.
listen_addresses = ''
unix_socket_directories = '{str(socket).replace("'", "''")}'
unix_socket_permissions = 0700
max_connections = 120
password_encryption = 'scram-sha-256'
shared_buffers = {shared // MIB}MB
effective_cache_size = {max(memory // 2 // MIB, 256)}MB
maintenance_work_mem = {_within(memory // 32, 64 * MIB, 512 * MIB) // MIB}MB
max_wal_size = {wal // MIB}MB
checkpoint_timeout = 15min
wal_compression = on
fsync = on
synchronous_commit = on
full_page_writes = on
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %u@%d '
"""


def _within(value: int, least: int, most: int) -> int:
    return max(least, min(value, most))


def memory_bytes() -> int:
    """The memory this machine, or the container we are in, may use."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):
        return min(whole, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return whole


def _existing(folder: Path) -> Path:
    """The folder itself, or the nearest parent that exists."""
    return next(path for path in (folder, *folder.parents) if os.path.lexists(path))


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _is_private(folder: Path, uid: int) -> bool:
    """A real folder of `uid`, closed to everybody else. In /tmp others may take a known name."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == uid and stat.S_IMODE(found.st_mode) == 0o700


def _short_base(who: Account) -> Path:
    """A folder for temporary things whose path leaves room for a socket's name."""
    for base in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp"), Path("/dev/shm")):  # noqa: S108
        room = SOCKET_PATH_BYTES_MAX - len("/onecard-12345678/.s.PGSQL.5432.lock")
        if len(os.fsencode(base)) <= room and os.access(base, os.W_OK) and who.may_enter(base):
            return base
    raise Unavailable(
        "TEMP_FOLDER_MISSING",
        "没有可写的临时目录。",
        "There is no folder for temporary files that can be written.",
        next_zh="请让 /tmp 可写。",
        next_en="Make /tmp writable.",
    )


def _processes_in(pgdata: Path, candidates: list[int] | None = None) -> list[int]:
    """The processes, of all or of `candidates`, that work in a cluster's folder: each one of PostgreSQL's does.

    Where there is no /proc, a candidate counts if it exists, and without candidates nothing is known.
    """
    if not Path("/proc/self/cwd").exists():
        return [pid for pid in candidates or [] if _exists(pid)]
    try:
        place = pgdata.stat()
    except OSError:
        return []
    pids = candidates if candidates is not None else [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [pid for pid in pids if _works_in(pid, place)]


def _works_in(pid: int, place: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(f"/proc/{pid}/cwd"), place)
    except OSError:  # ended, a zombie, or another user's
        return False


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
