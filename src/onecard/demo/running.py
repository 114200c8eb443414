"""The note a running demo leaves in its data folder (``demo.json``, mode 600): its addresses and environment."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from onecard.demo.supervise import answers
from onecard.foundation.postgres.binaries import HOME
from onecard.foundation.postgres.urls import ENVIRONMENT

ROOT = Path(__file__).resolve().parents[3]
FOLDER = "ONECARD_DATA_DIR"
RESIDENTS = "residents.json"  # the numbers by which the demo's residents sign in, mode 600
SIGNINS = "signins.json"  # user names and passwords of the demo, mode 600
CLIENTS = "clients.json"  # credentials of the demo's clients, mode 600
RECEIVER = "receiver.json"  # the keys that the simulated receiver of messages knows, mode 600
SANDBOX = "sandbox.json"  # what integrators may try, mode 600
GATEWAY_URL = "ONECARD_GATEWAY_URL"
RECEIVER_URL = "ONECARD_RECEIVER_URL"


@dataclass(frozen=True)
class Demo:
    """A running demo. `environment` is what a process of the owner needs; it holds passwords."""

    pid: int
    public: str
    staff: str
    gateway: str
    pockets: str
    environment: dict[str, str]
    api: str = ""


def default_folder() -> Path:
    """What the environment names, else ``var/demo`` beside the sources; for root, whose database runs as another user,
    one in /var/lib.
    """
    if named := os.environ.get(FOLDER):
        return Path(named).absolute()
    if os.geteuid() != 0:
        return ROOT / "var" / "demo"
    return HOME / f"demo-{hashlib.sha256(os.fsencode(ROOT)).hexdigest()[:8]}"


def leave_note(folder: Path, demo: Demo) -> None:
    """Say that this demo runs; whole or not at all."""
    partial = folder / "demo.json.new"
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(demo), file, ensure_ascii=False, indent=1)
    partial.replace(folder / "demo.json")


def remove_note(folder: Path) -> None:
    """Say that it runs no longer."""
    (folder / "demo.json").unlink(missing_ok=True)


def find(folder: Path) -> Demo | None:
    """The demo that runs on a folder; None where there is none, or only the note of one that was killed."""
    try:
        demo = Demo(**json.loads((folder / "demo.json").read_text(encoding="utf-8")))
        os.kill(demo.pid, 0)
    except (OSError, ValueError, TypeError):
        return None
    # A number alone proves nothing: after a restart of the machine it belongs to another process.
    return demo if answers(int(demo.gateway.rsplit(":", 1)[1])) else None


def lend_environment() -> None:
    """Where no database was named, use that of the demo that runs on the default folder."""
    if ENVIRONMENT not in os.environ and (demo := find(default_folder())):
        os.environ.update(demo.environment)
