"""The repository as files: what is kept in it, and its Markdown pages."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
NOT_KEPT = {".git", ".venv", ".venv-gate", "__pycache__", "node_modules", "var"}


@cache
def kept() -> tuple[Path, ...]:
    """Every file of the repository, ignored ones left out; without git, every file that is not of a tool."""
    try:
        listed = subprocess.run(
            ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True,
            check=True,
            text=True,
        ).stdout.split("\0")
        files = [ROOT / name for name in listed if name]
    except (OSError, subprocess.CalledProcessError):
        files = [path for path in ROOT.rglob("*") if not NOT_KEPT & set(path.relative_to(ROOT).parts)]
    return tuple(sorted(path for path in files if path.is_file() and not any(_is_cache(p) for p in path.parts)))


def _is_cache(part: str) -> bool:
    return part.endswith("_cache") or part == ".hypothesis"


@cache
def text_of(path: Path) -> str:
    """The text of a file; "" for one that is no text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def pages() -> list[Path]:
    """Every Markdown page."""
    return [path for path in kept() if path.suffix == ".md"]


def name(path: Path) -> str:
    """How a failure calls a file."""
    return str(path.relative_to(ROOT))
