"""Child processes: started in order, waited for, restarted when they crash, stopped in reverse order.

Each child leads a session of its own, so that Ctrl-C reaches the launcher alone, the order of stopping is ours, and a
child's own children can be ended with it. If the launcher is killed, Linux asks each child to end.
"""

import contextlib
import ctypes
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from onecard.foundation.errors import BadInput, Conflict, Unavailable
from onecard.foundation.terminal import say

PR_SET_PDEATHSIG = 1
READY_S = 120
STOP_S = 15
BACKOFF_S = (0.5, 1, 2, 5, 10, 30)
STEADY_S = 60
HOST = "127.0.0.1"

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass
class Child:
    """A process to keep alive. `ready` says whether it serves; `zh` and `en` name it for people."""

    name: str
    zh: str
    en: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    ready: Callable[[], bool]
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    started_at: float = 0.0
    crashes: int = 0
    restart_at: float = 0.0

    def start(self, log_folder: Path) -> None:
        """Start it; what it prints goes to ``<name>.log``."""
        parent = os.getpid()
        with (log_folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.argv,
                env=dict(self.environment),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: _die_with(parent),
            )
        self.started_at = time.monotonic()

    def running(self) -> bool:
        """Whether its first process lives."""
        return self.process is not None and self.process.poll() is None

    def end(self, patience_s: float = STOP_S) -> None:
        """Ask it to end and, after `patience_s`, kill whatever of it is left."""
        if self.process is None:
            return
        if self.running():
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(patience_s)
        self.kill_rest()
        self.process.wait()

    def kill_rest(self) -> None:
        """Kill every process of its session: workers of a killed server would keep its port."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


def _die_with(parent: int) -> None:
    """In the child, before its program: end when the parent does, also if that was just now."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)


class Supervisor:
    """Keeps `children` alive. `tend` is called about once a second, e.g. to revive the database they need."""

    def __init__(self, children: Sequence[Child], log_folder: Path, tend: Callable[[], None] = lambda: None) -> None:
        self.children = children
        self.log_folder = log_folder
        self._tend = tend
        self._asked_to_stop = False

    def start(self) -> None:
        """Start all and wait until each serves. Raises Unavailable ``CHILD_FAILED`` with the end of its log."""
        for child in self.children:
            child.start(self.log_folder)
        for child in self.children:
            self._wait_until_ready(child)
            say(f"{child.zh}已就绪", f"{child.en} is ready")

    def _wait_until_ready(self, child: Child) -> None:
        deadline = time.monotonic() + READY_S
        while not child.ready():
            if not child.running() or time.monotonic() > deadline:
                raise self._failed(child)
            if self._asked_to_stop:
                raise KeyboardInterrupt
            time.sleep(0.1)

    def _failed(self, child: Child) -> Unavailable:
        log = self.log_folder / f"{child.name}.log"
        tail = " | ".join(log.read_text(errors="replace").splitlines()[-3:])
        return Unavailable(
            "CHILD_FAILED",
            f"{child.zh}未能启动：{tail}",
            f"{child.en} did not start: {tail}",
            next_zh=f"请查看日志 {log}。",
            next_en=f"See its log, {log}.",
        )

    def watch(self) -> None:
        """Keep the children alive until SIGTERM, SIGHUP or Ctrl-C."""
        tended_at = 0.0
        while not self._asked_to_stop:
            now = time.monotonic()
            if now - tended_at >= 1:
                self._tend()
                tended_at = now
            for child in self.children:
                self._revive(child, now)
            time.sleep(0.2)

    def _revive(self, child: Child, now: float) -> None:
        """Restart a crashed child, later each time it crashes soon after its start."""
        if child.running():
            return
        if child.restart_at == 0:
            child.kill_rest()
            child.crashes = 0 if now - child.started_at > STEADY_S else child.crashes + 1
            pause = BACKOFF_S[min(child.crashes, len(BACKOFF_S) - 1)]
            say(f"{child.zh}意外退出，{pause} 秒后重启", f"{child.en} ended by itself; restarting in {pause} s")
            child.restart_at = now + pause
        elif now >= child.restart_at:
            child.restart_at = 0
            child.start(self.log_folder)

    def stop(self) -> None:
        """End all, the last started first."""
        for child in reversed(self.children):
            if child.process is not None:
                child.end()

    def listen(self) -> None:
        """Take SIGINT, SIGTERM and SIGHUP as the wish to stop; a second one changes nothing."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._asked_to_stop = True


def answers(port: int, path: str = "/health") -> bool:
    """Whether an HTTP server on this machine answers 200."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def refuse_taken(ports: Sequence[int]) -> None:
    """Raise Conflict ``PORT_TAKEN`` or BadInput ``PORT_UNUSABLE`` before anything is started."""
    for port in ports:
        try:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((HOST, port))
                probe.listen(1)
        except (PermissionError, OverflowError) as error:
            raise BadInput(
                "PORT_UNUSABLE",
                f"不能使用端口 {port}。",
                f"Port {port} cannot be used.",
                next_zh="请用 --port 指定 1024 到 65530 之间的端口。",
                next_en="Choose one from 1024 to 65530 with --port.",
            ) from error
        except OSError as error:
            raise Conflict(
                "PORT_TAKEN",
                f"端口 {port} 已被占用。",
                f"Port {port} is taken.",
                next_zh="请停止占用它的程序，或用 --port 指定另一个端口。",
                next_en="Stop what uses it, or choose another with --port.",
            ) from error
