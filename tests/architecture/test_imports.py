"""The house stands as pyproject.toml says: import contracts, and a gateway and a kit that bring no Django along."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.application.use_cases import lint_imports
from importlinter.configuration import configure
from tests.architecture.repository import ROOT, SOURCE


def test_every_import_contract_is_kept(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One contract at least for each rule of the house, and none broken. The report is shown if one is."""
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(str(SOURCE))
    configure()
    kept = lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=None)
    assert kept, capsys.readouterr().out


@pytest.mark.parametrize(
    ("module", "strangers"),
    [
        ("onecard.gateway.app", ("django", "procrastinate", "psycopg")),
        ("onecard_kit.decide", ("django", "psycopg", "asyncpg", "procrastinate", "onecard")),
        ("onecard_kit.codes", ("django", "psycopg", "asyncpg", "procrastinate", "onecard")),
    ],
)
def test_a_bare_interpreter_brings_no_stranger_along(module: str, strangers: tuple[str, ...]) -> None:
    program = f"import sys, {module}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
    environment["PYTHONPATH"] = str(SOURCE)
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=Path("/"), capture_output=True, text=True, check=True
    )
    assert not set(strangers) & set(done.stdout.split())
