"""Children: waited for, restarted, stopped in order, gone with their launcher."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from onecard.demo.supervise import Child, Supervisor, answers, refuse_taken
from onecard.foundation.errors import OneCardError

pytestmark = pytest.mark.processes
ROOT = Path(__file__).parents[2]
# Writes its process id once it "serves", notes when it is asked to end, and starts a process of its own.
SERVE = """
import os, signal, subprocess, sys, time
name, folder = sys.argv[1:]
own = subprocess.Popen(["sleep", "600"])
def end(*_):
    open(folder + "/ended", "a").write(name + "\\n")
    own.kill()
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
open(f"{folder}/{name}.new", "w").write(f"{os.getpid()} {own.pid}")
os.rename(f"{folder}/{name}.new", f"{folder}/{name}.pid")
time.sleep(600)
"""


def a_child(name: str, folder: Path, program: str = SERVE) -> Child:
    argv = [sys.executable, "-c", program, name, str(folder)]
    return Child(name, name, name, argv, dict(os.environ), (folder / f"{name}.pid").exists)


def pids(folder: Path, name: str) -> list[int]:
    return [int(word) for word in (folder / f"{name}.pid").read_text().split()]


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


def test_children_end_in_reverse_order_and_leave_nothing(tmp_path: Path) -> None:
    supervisor = Supervisor([a_child("first", tmp_path), a_child("second", tmp_path)], tmp_path)
    supervisor.start()
    started = pids(tmp_path, "first") + pids(tmp_path, "second")
    assert all(lives(pid) for pid in started)
    supervisor.stop()
    assert (tmp_path / "ended").read_text().split() == ["second", "first"]
    assert not any(lives(pid) for pid in started)


def test_a_killed_child_is_restarted_without_remains(tmp_path: Path) -> None:
    supervisor = Supervisor([a_child("only", tmp_path)], tmp_path)
    supervisor.start()
    before = pids(tmp_path, "only")
    (tmp_path / "only.pid").unlink()
    watching = threading.Thread(target=supervisor.watch)
    watching.start()
    os.kill(before[0], signal.SIGKILL)
    eventually((tmp_path / "only.pid").exists)
    assert not any(lives(pid) for pid in before)
    supervisor._ask_to_stop(signal.SIGTERM, None)
    watching.join()
    supervisor.stop()


def test_a_child_that_cannot_start_is_named_with_its_last_words(tmp_path: Path) -> None:
    supervisor = Supervisor([a_child("broken", tmp_path, "raise SystemExit('no such table')")], tmp_path)
    with pytest.raises(OneCardError, match="CHILD_FAILED") as refused:
        supervisor.start()
    assert "no such table" in refused.value.en
    supervisor.stop()


def test_a_stubborn_child_is_killed(tmp_path: Path) -> None:
    child = a_child("stubborn", tmp_path, SERVE.replace("signal.SIGTERM, end", "signal.SIGTERM, signal.SIG_IGN"))
    Supervisor([child], tmp_path).start()
    started = pids(tmp_path, "stubborn")
    child.end(patience_s=0.2)
    eventually(lambda: not any(lives(pid) for pid in started))  # what it started is nobody's child here: no one waits


def test_children_end_when_their_launcher_is_killed(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from tests.demo.test_supervise import Supervisor, a_child
folder = Path(sys.argv[1])
supervisor = Supervisor([a_child("orphan", folder)], folder)
supervisor.start()
supervisor.watch()
"""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    launcher = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], env=environment)
    eventually((tmp_path / "orphan.pid").exists)
    started = pids(tmp_path, "orphan")
    launcher.kill()
    launcher.wait()
    eventually(lambda: not any(lives(pid) for pid in started))
    assert (tmp_path / "ended").read_text().split() == ["orphan"]


def test_a_taken_port_is_refused() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(OneCardError, match="PORT_TAKEN") as refused:
            refuse_taken([other.getsockname()[1]])
    assert "--port" in refused.value.next_en


@pytest.mark.parametrize("port", [65536, 99999])
def test_a_port_that_is_none_is_refused(port: int) -> None:
    with pytest.raises(OneCardError, match="PORT_UNUSABLE"):
        refuse_taken([port])


def test_a_port_where_nobody_listens_does_not_answer() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert not answers(unused.getsockname()[1])
