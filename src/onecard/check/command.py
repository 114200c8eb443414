"""``onecard check [--json]``: the findings, as lines to read or as a JSON array; exit code 1 if one is broken."""

import argparse
import json

from onecard.check.findings import Finding
from onecard.check.running import run as run_checks
from onecard.check.running import silent
from onecard.foundation.postgres import urls
from onecard.foundation.terminal import say, speaks_chinese


def run(arguments: argparse.Namespace) -> int:
    """Check the database that ONECARD_DATABASE_URL names, as its owner."""
    findings = run_checks(urls.of_environment(), silent if arguments.json else _progress)
    if arguments.json:
        print(json.dumps([finding.plain() for finding in findings], ensure_ascii=False, indent=1))
    else:
        print("\n".join(line for finding in findings for line in lines_of(finding, chinese=speaks_chinese())))
    return 0 if all(finding.ok for finding in findings) else 1


def _progress(zh: str, en: str) -> None:
    say(f"核对：{zh}", f"Checking: {en}")


def lines_of(finding: Finding, *, chinese: bool) -> list[str]:
    """A finding in lines: sign, code, sentence, figures; then some of its faults."""
    figures = ", ".join(f"{name} {number}" for name, number in finding.numbers.items())
    words = finding.zh if chinese else finding.en
    head = f"{'✓' if finding.ok else '✗'} {finding.code:<14} {words} ({figures})"
    return [head, *(f"    {line}" for line in finding.lines)]
