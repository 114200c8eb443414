"""A server as a real process: it is up once it answers, may be killed, and comes back on its port."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

SOURCE = Path(__file__).parents[1] / "src"
ANSWERS_WITHIN_S = 60


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ServerProcess:
    """A module that is run with a port of its own, in a process group of its own."""

    def __init__(self, module: str, *arguments: str, environment: Mapping[str, str], host: str = "127.0.0.1") -> None:
        self.port = a_free_port()
        self.url = f"http://{host}:{self.port}"
        self.command = [sys.executable, "-m", module, "--port", str(self.port), *arguments]
        self.environment = environment
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Bring it up, and wait until it answers."""
        self.process = subprocess.Popen(self.command, env=self.environment, start_new_session=True)
        deadline = time.monotonic() + ANSWERS_WITHIN_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if httpx.get(f"{self.url}/health", timeout=5, trust_env=False).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError(f"{self.command} did not answer")

    def kill(self) -> None:
        """kill -9 of the whole group."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Let it finish what it is at."""
        self._end(signal.SIGTERM)

    def _end(self, by: signal.Signals) -> None:
        if self.process is None:
            return
        os.killpg(self.process.pid, by)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None


class SimulatorProcess(ServerProcess):
    """One of the simulators, which knows nothing of the machine but where its programs are."""

    def __init__(self, name: str, *arguments: str, host: str = "127.0.0.1", **environment: str) -> None:
        known = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), **environment}
        super().__init__(f"onecard_simulators.{name}", *arguments, environment=known, host=host)
