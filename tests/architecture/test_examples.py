"""What the pages tell a stranger to do, done as a stranger does it: the example terminal against a real gateway."""

import hashlib
import json
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.architecture.repository import ROOT
from tests.gateway.process import a_gateway
from tests.small_city import SmallCity

PAIRING_CODE = "TRYTHECARD"


def _example(folder: Path, *arguments: str) -> str:
    program = ROOT / "docs" / "examples" / "terminal.py"
    done = subprocess.run(
        [sys.executable, "-I", program, *arguments], cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.processes
def test_the_example_pairs_shows_a_code_and_uses_it_once(
    fresh_database: dict[str, str], environment_for: Callable[[str], dict[str, str]], tmp_path: Path
) -> None:
    city = SmallCity(fresh_database["owner"])
    card, terminal, token = city.a_card(), city.a_terminal("culture.library_entry"), secrets.token_urlsafe(16)
    city.enrol(card, hashlib.sha256(token.encode()).digest())
    city.run(
        "INSERT INTO catalogue_pairing (code_digest, terminal_id, expires_at)"
        " VALUES ($1, $2, now() + interval '1 day')",
        hashlib.sha256(PAIRING_CODE.encode()).digest(),
        terminal.id,
    )
    with a_gateway(environment_for, fresh_database["gateway"]) as gateway:
        assert _example(tmp_path, "pair", gateway.url, PAIRING_CODE).startswith("200")
        assert _example(tmp_path, "pair", gateway.url, PAIRING_CODE).startswith("401")
        code = _example(tmp_path, "code", gateway.url, token).strip()
        first, again = _answers(_example(tmp_path, "use", gateway.url, "culture.library_entry", code))
        _, spent = _answers(_example(tmp_path, "use", gateway.url, "culture.library_entry", code))
    assert (first["verdict"]["code"], first["repeated"]) == ("ADMITTED", False)
    assert (again["use"], again["repeated"]) == (first["use"], True)
    assert spent["verdict"]["code"] == "REPLAYED"


def _answers(printed: str) -> list[dict[str, Any]]:
    return [json.loads(part) for part in printed.split("200 ")[1:]]
