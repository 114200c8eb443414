"""A worker that makes the status lists once, as a process of its own."""

import subprocess
import sys
from collections.abc import Callable

from tests.small_city import PLACE

BUILD = f"""
import os, time, django
django.setup()
from onecard.kernel.ecards import lists
store = lists._store
{{before}}
print(lists.build({PLACE!r}))
"""

Environment = Callable[[str], dict[str, str]]


def start(environment_for: Environment, url: str, before: str = "") -> "subprocess.Popen[str]":
    """Start one under the worker's URL; `before` is run before it begins."""
    environment = {**environment_for(url), "DJANGO_SETTINGS_MODULE": "onecard.settings.worker"}
    return subprocess.Popen(
        [sys.executable, "-c", BUILD.format(before=before)],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def made(process: "subprocess.Popen[str]") -> int:
    """Wait for its end; how many lists it made."""
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return int(out)
