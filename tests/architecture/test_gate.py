"""The gate installs alone: it imports what its own lock names, and runs with nothing else there."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from tests.architecture.repository import ROOT, SOURCE, text_of

LOCK = ROOT / "requirements-gate.lock"
# By the name of the package: the names it is imported by.
IMPORTED_AS = {
    "cbor2": {"cbor2"},
    "cffi": {"cffi", "_cffi_backend"},
    "cryptography": {"cryptography"},
    "msgspec": {"msgspec"},
    "pillow": {"PIL"},
    "pycparser": {"pycparser"},
    "pynacl": {"nacl"},
    "zxing-cpp": {"zxingcpp"},
}


def pinned(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", text_of(ROOT / lock), re.MULTILINE))


def test_the_lock_is_small_and_says_what_the_products_lock_says() -> None:
    gate, product = pinned(LOCK.name), pinned("requirements.lock")
    assert set(gate) == set(IMPORTED_AS)
    assert {name: version for name, version in gate.items() if name in product and product[name] != version} == {}
    groups = tomllib.loads(text_of(ROOT / "pyproject.toml"))["dependency-groups"]
    assert {re.match(r"[\w-]+", each)[0] for each in groups["gate"]} <= set(gate)  # type: ignore[index]


@pytest.mark.parametrize("package", ["onecard_gate", "onecard_kit"])
def test_it_imports_nothing_else(package: str) -> None:
    allowed = set(sys.stdlib_module_names) | {"onecard_kit", package} | set().union(*IMPORTED_AS.values())
    strangers = {
        f"{path.name}: {name}"
        for path in (SOURCE / package).rglob("*.py")
        for node in ast.walk(ast.parse(text_of(path)))
        for name in _imported(node)
        if name.partition(".")[0] not in allowed
    }
    assert strangers == set()


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [each.name for each in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module is not None else []


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a gate's machine has it: the two packages, and the installed files of what the lock pins."""
    folder = tmp_path_factory.mktemp("alone")
    for package in ("onecard_gate", "onecard_kit"):
        (folder / package).symlink_to(SOURCE / package)
    for name in pinned(LOCK.name):
        for top in _tops(metadata.distribution(name)):
            if not (folder / top.name).exists():
                (folder / top.name).symlink_to(top)
    return folder


def _tops(package: metadata.Distribution) -> set[Path]:
    root = Path(str(package.locate_file(""))).resolve()
    parts = {Path(str(file)).parts[0] for file in package.files or () if ".." not in Path(str(file)).parts}
    return {root / part for part in parts if not part.endswith((".dist-info", ".pyc")) and part != "__pycache__"}


PROGRAM = """
import sys
sys.path[:0] = [{alone!r}]
from pathlib import Path
from onecard_gate.cli import main
from onecard_gate.inputs import camera
from onecard_kit import requests
requests.HMAC_SM3.of(b"k" * 32, b"m")
assert camera.missing() is None, camera.missing()
assert camera.read(Path({picture!r})) == [{text!r}]
status = main(["--folder", {folder!r}, "show"])
loaded = {{name.partition(".")[0] for name in sys.modules}}
strangers = {{"django", "asyncpg", "granian", "psycopg", "numpy", "onecard"}} & loaded
assert not strangers, strangers
raise SystemExit(status)
"""


def test_it_runs_with_nothing_else_installed(alone: Path, tmp_path: Path) -> None:
    """Reads a picture, makes an HMAC-SM3, and says that it is not paired: with four packages and what they need."""
    import segno

    text, picture = "OC1.TEST", tmp_path / "code.png"
    segno.make(text, error="m").save(str(picture), scale=4)
    program = PROGRAM.format(alone=str(alone), picture=str(picture), text=text, folder=str(tmp_path / "gate"))
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 4, done.stderr
    assert "not paired" in done.stderr
