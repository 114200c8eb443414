"""A worker that makes the status lists once, as a process of its own."""

import subprocess
import sys
import time
from collections.abc import Callable

from tests.small_city import PLACE

from onecard.gateway.lists import LOOK_S

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


def build(environment_for: Environment, url: str) -> int:
    """Make the lists under the worker's URL, and wait until a gateway that just looked for new ones looks again; how
    many were made.
    """
    number = made(start(environment_for, url))
    time.sleep(LOOK_S)
    return number
