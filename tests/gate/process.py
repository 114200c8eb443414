"""The gate as its users run it: a program with a folder, its standard input and output."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parents[2] / "src"
WAIT_S = 60.0


def run(folder: Path, *arguments: str, stdin: str = "", status: int | None = 0) -> str:
    """Run one command to its end; what it printed."""
    command = [sys.executable, "-m", "onecard_gate", "--folder", str(folder), *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120, env=environment())
    assert status is None or done.returncode == status, f"{done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout


def told(folder: Path, *arguments: str, **running: Any) -> list[dict[str, Any]]:
    """The lines of JSON that a command printed."""
    return [json.loads(line) for line in run(folder, *arguments, **running).splitlines()]


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "ONECARD_"))}
    return {**kept, "PYTHONPATH": str(SOURCE)}


class GateProcess:
    """`onecard-gate run`. `kill` is kill -9; `start` brings it up again on its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[str] | None = None
        self.said: list[str] = []

    def start(self) -> None:
        command = [sys.executable, "-m", "onecard_gate", "--folder", str(self.folder), "--verbose", "run"]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment())
        self.results: queue.Queue[dict[str, Any]] = queue.Queue()
        ready = threading.Event()
        threading.Thread(target=self._listen, args=(self.process.stdout, ready), daemon=True).start()
        threading.Thread(target=self._hear, args=(self.process.stderr, ready), daemon=True).start()
        assert ready.wait(WAIT_S), "".join(self.said)
        assert self.process.poll() is None, "".join(self.said)

    def _listen(self, stream: Any, ready: threading.Event) -> None:
        for line in stream:
            self.results.put(json.loads(line))

    def _hear(self, stream: Any, ready: threading.Event) -> None:
        for line in stream:
            self.said.append(line)
            if "The gate is ready" in line:
                ready.set()
        ready.set()

    def present(self, code: str | dict[str, Any]) -> dict[str, Any]:
        """Present a code, or what a till says in JSON; what came of it."""
        self.give(code)
        return self.results.get(timeout=WAIT_S)

    def give(self, code: str | dict[str, Any]) -> None:
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write((code if isinstance(code, str) else json.dumps(code)) + "\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(WAIT_S)
        self.process = None
        return status

    def peak_bytes(self) -> int:
        """The most memory it ever had resident."""
        assert self.process is not None
        text = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        peak = next(line for line in text.splitlines() if line.startswith("VmHWM:"))
        return int(peak.split()[1]) * 1024


@contextmanager
def a_gate(folder: Path) -> Iterator[GateProcess]:
    gate = GateProcess(folder)
    gate.start()
    try:
        yield gate
    finally:
        gate.kill()


def until(is_so: Callable[[], bool], what: str) -> None:
    """Wait for something that happens beside the test."""
    deadline = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)
