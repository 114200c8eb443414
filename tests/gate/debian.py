"""Programs of Debian that the gate is tested with: installed where root runs the tests, else skipped with a reason."""

import functools
import os
import shutil
import subprocess

import pytest


def need(*packages: str) -> None:
    """Skip the test unless these packages are installed, or can be."""
    missing = tuple(each for each in packages if not _is_installed(each))
    if missing and not _install(missing):
        pytest.skip(f"not installed: {' '.join(missing)} (apt-get install {' '.join(missing)})")


def _is_installed(package: str) -> bool:
    if shutil.which("dpkg-query") is None:
        return False
    command = ["dpkg-query", "--show", "--showformat", "${db:Status-Status}", package]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout == "installed"


@functools.cache
def _install(packages: tuple[str, ...]) -> bool:
    """Once a run for the same packages, so that a machine without a network is not asked again and again."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    command = ["apt-get", "install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=200", *packages]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, capture_output=True, check=False, timeout=300, env=environment, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
