"""Static files under names that carry their digest, so that a browser may keep them for ever.

Every web process collects its own at start; whitenoise serves them. The folder is named by ONECARD_STATIC, by default
one in the user's cache.
"""

import fcntl
import hashlib
import os
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def folder(process: str) -> Path:
    """Where a process keeps its collected files."""
    base = os.environ.get("ONECARD_STATIC")
    return (Path(base) if base else Path.home() / ".cache" / "onecard" / "static") / process


def collect() -> None:
    """Collect if the sources changed since last time; processes that start together wait for the first."""
    root = Path(settings.STATIC_ROOT or "")
    root.mkdir(parents=True, exist_ok=True)
    done = root / ".collected"
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        digest = _digest_of_sources()
        if not done.exists() or done.read_text() != digest:
            call_command("collectstatic", interactive=False, verbosity=0)
            done.write_text(digest)


def _digest_of_sources() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            digest.update(f"{path}\0".encode())
            with storage.open(path) as source:
                digest.update(source.read())
    return digest.hexdigest()
