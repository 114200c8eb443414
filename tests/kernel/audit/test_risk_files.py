"""Files of risk kinds: strict, and what the product ships declares every kind that its code raises."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.architecture.repository import SOURCE, text_of

from onecard import scenarios
from onecard.foundation.errors import BadInput
from onecard.kernel.audit import risk_files
from onecard.kernel.audit.risk_files import By, Severity
from onecard_kit.terms import Medium
from onecard_kit.verdicts import Verdict

AT_ONCE = """
kind = "chip_replayed"
severity = "high"
name = { zh = "重复", en = "Twice" }
meaning = { zh = "读数重复", en = "A reading came twice" }
advice = [{ zh = "联系持卡人", en = "Ask the holder" }]
"""
USES = (
    AT_ONCE
    + """
[looks_at.uses]
verdicts = ["NUMBER_UNKNOWN"]
media = ["number"]
by = "city"
count = 30
within_minutes = 60
terminals = 3
"""
)
LINES = (
    AT_ONCE
    + """
[looks_at.offline_lines]
list_older_minutes = 60
by = "terminal"
count = 10
within_minutes = 1440
"""
)
PLACES = AT_ONCE + "[looks_at.places]\napart_km = 5\nfaster_than_kmh = 150\nwithin_minutes = 120\n"
LOOKS = AT_ONCE + '[looks_at.looks]\nby = "officer"\nholders = 100\nwithin_minutes = 60\n'
TEXTS = {"at once": AT_ONCE, "uses": USES, "lines": LINES, "places": PLACES, "looks": LOOKS}
WORDS = "expected words in both languages"
ONE = "expected exactly one of uses, offline_lines, places, journals, looks"
KEYS = "known here: verdicts, media, by, count, within_minutes, terminals"
TWO = "[looks_at.places]\napart_km = 1\nfaster_than_kmh = 10\nwithin_minutes = 1\n[looks_at.uses]"
LINES_AT = "$.looks_at.offline_lines"


def folder(tmp_path: Path, text: str, name: str = "chip_replayed") -> Path:
    path = tmp_path / "governance" / "risks" / f"{name}.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return tmp_path


def test_a_kind_says_what_it_is_and_what_a_job_looks_at(tmp_path: Path) -> None:
    (kind,) = risk_files.read(folder(tmp_path, USES))
    assert (kind.kind, kind.severity, kind.name.en) == ("chip_replayed", Severity.HIGH, "Twice")
    assert kind.looks_at is not None
    assert kind.looks_at.rule == risk_files.Uses(
        verdicts=(Verdict.NUMBER_UNKNOWN,), media=(Medium.NUMBER,), by=By.CITY, count=30, within_minutes=60, terminals=3
    )


def test_without_a_rule_it_is_raised_at_once(tmp_path: Path) -> None:
    (kind,) = risk_files.read(folder(tmp_path, AT_ONCE))
    assert kind.looks_at is None


FAULTS = [
    ("at once", 'severity = "high"', 'severity = "grave"', "$.severity", "Invalid enum value 'grave'"),
    ("at once", 'severity = "high"', 'severity = "high"\nurgency = 1', "$", "Object contains unknown field `urgency`"),
    ("at once", 'zh = "重复"', 'zh = " "', "$.name", WORDS),
    ("at once", 'en = "Ask the holder"', 'en = ""', "$.advice[0]", WORDS),
    ("at once", 'advice = [{ zh = "联系持卡人", en = "Ask the holder" }]', "advice = []", "$.advice", "at least one"),
    ("at once", '"chip_replayed"', '"other"', "$.kind", "expected chip_replayed, after the file's name"),
    ("at once", 'zh = "读数重复"', 'zh = "读\\u0000数"', "$.meaning.zh", "without control characters"),
    ("uses", "within_minutes = 60", "within_minutes = 0", "$.looks_at.uses.within_minutes", "expected 1 to 10080"),
    ("uses", "within_minutes = 60", 'within_minutes = "60"', "$.looks_at.uses.within_minutes", "Expected `int`"),
    ("uses", "count = 30", "count = 0", "$.looks_at.uses.count", "expected 1 to 100000"),
    ("uses", "terminals = 3", "terminals = 31", "$.looks_at.uses.terminals", "expected 1 to count"),
    ("uses", '["NUMBER_UNKNOWN"]', '["NUMBER_WRONG"]', "$.looks_at.uses.verdicts[0]", "Invalid enum value"),
    ("uses", '["NUMBER_UNKNOWN"]', "[]", "$.looks_at.uses.verdicts", "at least one verdict"),
    ("uses", '["number"]', "[]", "$.looks_at.uses.media", "at least one medium"),
    ("uses", '"city"', '"street"', "$.looks_at.uses.by", "Invalid enum value 'street'"),
    ("uses", "by = ", "per = 1\nby = ", "$.looks_at.uses", KEYS),
    ("uses", "[looks_at.uses]", TWO, "$.looks_at", ONE),
    ("at once", 'advice = [{', 'looks_at = {}\nadvice = [{', "$.looks_at", ONE),
    ("lines", "list_older_minutes = 60", "", LINES_AT, "exactly one of manual, turned_away, list_older_minutes"),
    ("lines", "list_older_minutes = 60", "list_older_minutes = 60\nmanual = true", LINES_AT, "exactly one of manual"),
    ("lines", "list_older_minutes = 60", "list_older_minutes = 0", f"{LINES_AT}.list_older_minutes", "1 to"),
    ("places", "apart_km = 5", "apart_km = 0", "$.looks_at.places.apart_km", "expected 1 to 20000"),
    ("places", "kmh = 150", "kmh = 5", "$.looks_at.places.faster_than_kmh", "expected 10 to 1000"),
    ("looks", '"officer"', '"card"', "$.looks_at.looks.by", "Invalid enum value 'card'"),
    ("looks", "holders = 100", "holders = 0", "$.looks_at.looks.holders", "expected 1 to 100000"),
    ("looks", "within_minutes = 60", "within_minutes = 1441", "$.looks_at.looks.within_minutes", "expected 1 to 1440"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "was", "now", "path", "expected"), FAULTS)
def test_a_fault_is_told_with_file_path_and_expectation(
    tmp_path: Path, text: str, was: str, now: str, path: str, expected: str
) -> None:
    assert TEXTS[text].count(was) == 1, was
    with pytest.raises(BadInput, match="RISK_FILE_INVALID") as refused:
        risk_files.read(folder(tmp_path, TEXTS[text].replace(was, now)))
    told = refused.value.en
    assert f"governance/risks/chip_replayed.toml: {path}: " in told
    assert expected in told
    assert f"governance/risks/chip_replayed.toml: {path}: " in refused.value.zh
    assert "xpected" not in refused.value.zh
    assert refused.value.next_zh


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = folder(tmp_path, "") / "governance/risks/chip_replayed.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match="expected UTF-8"):
        risk_files.read(tmp_path)


def _raised_in_code() -> Iterator[str]:
    """Every kind that code raises at once: what `Risk(…)` and `audit.risk(…)` are given first."""
    for path in (SOURCE / "onecard").rglob("*.py"):
        tree = ast.parse(text_of(path))
        named = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args and ast.unparse(node.func) in ("Risk", "audit.risk", "risk"):
                yield from _kinds(node.args[0], tree, named)


def _kinds(given: ast.expr, tree: ast.Module, named: Mapping[str, object]) -> Iterator[str]:
    """A literal, a constant of the module, or a name that is given constants in it."""
    if isinstance(given, ast.Constant):
        yield str(given.value)
    elif isinstance(given, ast.Name) and given.id in named:
        yield str(named[given.id])
    elif isinstance(given, ast.Name):
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == given.id for t in node.targets):
                for name in ast.walk(node.value):
                    if isinstance(name, ast.Name) and name.id in named:
                        yield str(named[name.id])


def test_every_kind_that_code_raises_is_declared_and_looked_back_on_by_no_job() -> None:
    declared = {kind.kind: kind for kind in risk_files.read(scenarios.FOLDER)}
    raised = set(_raised_in_code())
    assert {"chip_replayed", "chip_cryptogram_invalid", "bank_order_stuck"} <= raised
    assert raised <= {kind for kind, each in declared.items() if each.looks_at is None}
