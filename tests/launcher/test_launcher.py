"""The launcher's checks: each fails with one sentence in each language, before anything is changed."""

import hashlib
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = (
    "dirname",
    "readlink",
    "id",
    "sed",
    "cat",
    "grep",
    "awk",
    "tee",
    "rm",
    "tail",
    "mktemp",
    "locale",
    "flock",
    "env",
)
OLD_PYTHON = "#!/bin/sh\nexit 1\n"
NO_VENV = '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; esac\nexec "{python}" "$@"\n'
PROUD = "print('it ran', __import__('sys').argv[1:])\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the launcher in a folder with a space and Chinese characters, with a product that only says it ran."""
    folder = tmp_path / "一卡通 checkout"
    (folder / "src" / "onecard").mkdir(parents=True)
    shutil.copy(ROOT / "onecard", folder / "onecard")
    (folder / "src" / "onecard" / "__main__.py").write_text(PROUD)
    (folder / "src" / "onecard" / "__init__.py").write_text("")
    for name in ("requirements.lock", "requirements-dev.lock"):
        (folder / name).write_text("")
    return folder


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A PATH with the basic tools, this Python, and no apt-get, so that root too is only told what to do."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in TOOLS:
        if found := shutil.which(name):
            (folder / name).symlink_to(found)
    put(folder / "python3", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    return folder


def put(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def launch(
    checkout: Path, programs: Path, *arguments: str, cwd: Path | None = None, **extra: str
) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(programs), "LANG": "C.UTF-8", "HOME": str(checkout), **extra}
    command = ["/bin/sh", str(checkout / "onecard"), *arguments]
    return subprocess.run(
        command, env=environment, cwd=cwd or checkout, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )


def content(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if "__pycache__" not in path.parts}


def refused(checkout: Path, programs: Path, *arguments: str) -> list[str]:
    """The two sentences of a refusal that has changed nothing."""
    before = content(checkout)
    done = launch(checkout, programs, *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert content(checkout) == before
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 2
    return lines


def a_finished_environment(checkout: Path, lock: str = "requirements.lock") -> None:
    """What a set-up leaves: an interpreter and the stamp of the lock."""
    (checkout / ".venv" / "bin").mkdir(parents=True)
    put(checkout / ".venv" / "bin" / "python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    digest = hashlib.sha256((checkout / lock).read_bytes()).hexdigest()
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    (checkout / ".venv" / f".onecard-{version}-{digest}").write_text("")


def test_an_old_python_is_refused(checkout: Path, programs: Path) -> None:
    put(programs / "python3", OLD_PYTHON)
    zh, en = refused(checkout, programs, "demo")
    assert "Python 3.11" in zh
    assert "apt-get install -y python3 python3-venv" in en


def test_a_newer_python_beside_an_old_one_is_found(checkout: Path, programs: Path) -> None:
    a_finished_environment(checkout)
    (programs / "python3").rename(programs / "python3.12")
    put(programs / "python3", OLD_PYTHON)
    assert "it ran ['demo']" in launch(checkout, programs, "demo").stdout


def test_a_python_without_venv_is_refused_with_the_one_command(checkout: Path, programs: Path) -> None:
    put(programs / "python3", NO_VENV.format(python=sys.executable))
    _zh, en = refused(checkout, programs, "demo")
    assert en.endswith("sudo apt-get install -y python3-venv")


def test_tests_need_browser_and_fonts_in_the_same_command(checkout: Path, programs: Path) -> None:
    put(programs / "python3", NO_VENV.format(python=sys.executable))
    _zh, en = refused(checkout, programs, "test")
    assert "sudo apt-get install -y python3-venv chromium" in en


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_refused(checkout: Path, programs: Path) -> None:
    checkout.chmod(0o500)
    _zh, en = refused(checkout, programs, "demo")
    checkout.chmod(0o700)
    assert "cannot be written" in en


def test_a_path_that_no_environment_can_have_is_refused(checkout: Path, programs: Path) -> None:
    odd = checkout.rename(checkout.with_name("one:card"))
    _zh, en = refused(odd, programs, "demo")
    assert "move it" in en


def test_a_locale_without_utf8_is_replaced_for_the_children(checkout: Path, programs: Path) -> None:
    a_finished_environment(checkout)
    (checkout / "src" / "onecard" / "__main__.py").write_text("import os; print('一卡通', os.environ['PYTHONUTF8'])")
    done = launch(checkout, programs, "demo", LANG="C", LC_ALL="C")
    assert done.stdout == "一卡通 1\n"


def test_no_utf8_locale_at_all_is_refused(checkout: Path, programs: Path) -> None:
    put(programs / "locale", "#!/bin/sh\necho ANSI_X3.4-1968\n")
    _zh, en = refused(checkout, programs, "demo")
    assert "LC_ALL=C.UTF-8" in en


def test_help_needs_no_environment(checkout: Path, programs: Path) -> None:
    for arguments in ([], ["--help"], ["help"]):
        done = launch(checkout, programs, *arguments)
        assert done.returncode == 0
        assert "./onecard demo" in done.stdout
    assert not (checkout / ".venv").exists()


def test_a_finished_environment_is_used_from_any_folder_and_through_a_link(
    checkout: Path, programs: Path, tmp_path: Path
) -> None:
    a_finished_environment(checkout)
    (tmp_path / "shadow").mkdir()
    # A module of this name in the caller's folder must not be taken for the standard library's.
    (tmp_path / "shadow" / "argparse.py").write_text("raise SystemExit('shadowed')")
    (checkout / "src" / "onecard" / "__main__.py").write_text("import argparse, sys; print(sys.argv[1:])")
    (tmp_path / "link").symlink_to(checkout / "onecard")
    before = content(checkout / ".venv")
    done = subprocess.run(
        ["/bin/sh", str(tmp_path / "link"), "bench", "a b", "--json"],
        env={"PATH": str(programs), "LANG": "C.UTF-8"},
        cwd=tmp_path / "shadow",
        capture_output=True,
        text=True,
    )
    assert done.stdout == "['bench', 'a b', '--json']\n"
    assert launch(checkout, programs, "check", cwd=tmp_path / "shadow").stdout == "['check']\n"
    assert content(checkout / ".venv") == before


def test_a_half_made_environment_is_made_again(checkout: Path, programs: Path) -> None:
    """Without its stamp it is removed whole; here the new one is made for real, from an empty lock."""
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "left over").write_text("")
    put(checkout / ".venv" / "bin" / "python", "#!/bin/sh\nexit 1\n")
    done = launch(checkout, programs, "demo")
    assert "it ran ['demo']" in done.stdout, done.stderr
    assert not (checkout / ".venv" / "left over").exists()
    again = launch(checkout, programs, "demo")
    assert again.stderr == ""


def test_the_development_lock_serves_the_product_too(checkout: Path, programs: Path) -> None:
    (checkout / "requirements-dev.lock").write_text("# more\n")
    a_finished_environment(checkout, "requirements-dev.lock")
    assert launch(checkout, programs, "demo").stderr == ""


def test_packages_that_cannot_be_had_leave_no_stamp(checkout: Path, programs: Path) -> None:
    (checkout / "requirements.lock").write_text("onecard-no-such-package==1 --hash=sha256:" + "0" * 64 + "\n")
    done = launch(checkout, programs, "demo", PIP_NO_INDEX="1")
    assert done.returncode == 2
    assert "could not be installed" in done.stderr
    assert list((checkout / ".venv").glob(".onecard-*")) == []


def test_the_launcher_is_executable_and_posix() -> None:
    assert (ROOT / "onecard").stat().st_mode & stat.S_IXUSR
    subprocess.run(["/bin/sh", "-n", str(ROOT / "onecard")], check=True)
