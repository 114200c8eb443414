"""What every part of the house has in common: docstrings, steps, jobs, strictness, pins; and nothing that does not
belong in a repository."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.architecture.repository import ROOT, SOURCE, kept, name, text_of

KERNEL = SOURCE / "onecard" / "kernel"
PRIMITIVES = sorted(path.parent for path in KERNEL.glob("*/__init__.py"))
CONNECTORS = sorted(path.parent for path in (SOURCE / "onecard" / "connectors").glob("*/__init__.py"))
STEPS = ("present", "load", "decide", "record", "settle")
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-gate.lock")
DEVELOPMENT_ONLY = {"pytest", "mypy", "ruff", "import-linter", "playwright"}


@pytest.mark.parametrize("primitive", [*PRIMITIVES, *CONNECTORS], ids=lambda path: path.name)
def test_every_primitive_says_what_it_is_for(primitive: Path) -> None:
    said = ast.get_docstring(ast.parse(text_of(primitive / "__init__.py")))
    assert said is not None
    assert len(said.split()) >= 20


def test_the_five_steps_are_folders_in_their_order() -> None:
    for number, step in enumerate(STEPS, 1):
        said = ast.get_docstring(ast.parse(text_of(KERNEL / "uses" / step / "__init__.py"))) or ""
        assert said.startswith(f"Step {number}, {step} ("), step


def _calls(called: str) -> Iterator[tuple[Path, ast.Call]]:
    for path in sorted((SOURCE / "onecard").rglob("*.py")):
        for node in ast.walk(ast.parse(text_of(path))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (called, f"jobs.{called}", f"app.{called}"):
                yield path, node


def _named(call: ast.Call, keyword: str = "") -> str | None:
    values = [k.value for k in call.keywords if k.arg == keyword] if keyword else call.args[:1]
    return next((str(v.value) for v in values if isinstance(v, ast.Constant)), None)


def test_every_job_that_is_queued_by_name_exists_and_is_named_after_its_primitive() -> None:
    jobs = {_named(call, "name") or "" for _, call in _calls("task")}
    assert jobs
    known = {path.name for path in (*PRIMITIVES, *CONNECTORS)} | {"foundation"}
    assert {job.partition(".")[0] for job in jobs} <= known, jobs
    queued = {job for _, call in _calls("queue") if (job := _named(call)) is not None}
    assert queued <= jobs


def test_types_are_checked_strictly() -> None:
    configuration = tomllib.loads(text_of(ROOT / "pyproject.toml"))["tool"]["mypy"]
    assert configuration["strict"] is True
    assert {"src", "tests"} <= set(configuration["files"])
    assert "mypy_django_plugin.main" in configuration["plugins"]


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_files_carry_hashes_and_no_address(lock: str) -> None:
    text = text_of(ROOT / lock)
    assert "://" not in text
    assert not re.search(r"^\s*(--index-url|--extra-index-url|--find-links|--trusted-host|-i |-f )", text, re.MULTILINE)
    pins = re.findall(
        r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==\S+((?: ?\\\n\s+--hash=sha256:[0-9a-f]{64})*)", text, re.MULTILINE
    )
    assert len(pins) == len(re.findall(r"^[A-Za-z0-9]", text, re.MULTILINE))
    assert [package for package, hashes in pins if not hashes] == []


def test_the_product_runs_without_development_packages() -> None:
    pinned = re.findall(r"^([A-Za-z0-9._-]+)", text_of(ROOT / LOCKS[0]), re.MULTILINE)
    assert not DEVELOPMENT_ONLY & set(pinned)


# Patterns are put together here, so that this file does not hold what it looks for.
SLASH, DOT = "/", r"\."
GIVE_AWAYS = {
    "a folder of one machine": rf"(?<![\w.{SLASH}])(?:{SLASH}work|{SLASH}home{SLASH}\w+|{SLASH}root){SLASH}\w",
    "a package registry's address": "|".join(
        host.replace(".", DOT)
        for host in (
            "pypi." + "org",
            "pythonhosted." + "org",
            "npmjs." + "org",
            "registry." + "npm",
            "mirrors." + "aliyun",
        )
    ),
    "words that a faulty scan put in the place of others": "中国" + "体育" + "彩票",
    "a day by the server's clock, which turns over at eight in the morning in China": "current"
    + "_date|local"
    + "time",
    "something left to do": r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b",
}


@pytest.mark.parametrize("what", GIVE_AWAYS)
def test_nothing_is_kept_that_does_not_belong(what: str) -> None:
    pattern = re.compile(GIVE_AWAYS[what])
    # What others left to do in a file that is kept as they made it is theirs.
    looked_at = [path for path in kept() if what != "something left to do" or "vendor" not in path.parts]
    found = [
        f"{name(path)}: {match[0]}" for path in looked_at if (match := pattern.search(text_of(path))) is not None
    ]  # fmt: skip
    assert found == []


def test_no_enumeration_of_words_is_declared_twice() -> None:
    """A second one would have to be remembered wherever the first one grows. What the simulators say is their own."""
    homes: dict[frozenset[str], list[str]] = {}
    for path in sorted(p for folder in ("onecard", "onecard_kit") for p in (SOURCE / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(text_of(path))):
            words = frozenset(_words(node)) if isinstance(node, ast.ClassDef) else frozenset()
            if words:
                homes.setdefault(words, []).append(f"{name(path)}: {getattr(node, 'name', '')}")
    assert [where for where in homes.values() if len(where) > 1] == []


def _words(declared: ast.ClassDef) -> list[str]:
    """The values of an enumeration of words; [] for any other class."""
    if not {ast.unparse(base).rpartition(".")[2] for base in declared.bases} & {"StrEnum", "TextChoices"}:
        return []
    values = [each.value for each in declared.body if isinstance(each, ast.Assign)]
    return [str(value.value) for value in values if isinstance(value, ast.Constant)]
