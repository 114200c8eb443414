"""The command line: rows that lead somewhere, refusals in one sentence."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from onecard import cli
from onecard.foundation.errors import NotFound
from onecard.foundation.terminal import sentence

ERROR = NotFound("CARD_UNKNOWN", "没有这张卡。", "No such card.", next_zh="请核对卡号。", next_en="Check its number.")


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "没有这张卡。 请核对卡号。 [CARD_UNKNOWN]"),
        ({"LANG": "zh_CN.GBK", "LC_ALL": "C.UTF-8"}, "没有这张卡。 请核对卡号。 [CARD_UNKNOWN]"),
        ({"LANG": "C.UTF-8"}, "No such card. Check its number. [CARD_UNKNOWN]"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "No such card. Check its number. [CARD_UNKNOWN]"),
    ],
)
def test_an_error_is_one_sentence_in_the_readers_language(
    monkeypatch: pytest.MonkeyPatch, locale: dict[str, str], said: str
) -> None:
    for name in ("LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in locale.items():
        monkeypatch.setenv(name, value)
    assert sentence(ERROR) == said


def test_an_error_of_ours_ends_with_2_and_no_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(arguments: object) -> int:
        raise ERROR

    monkeypatch.setitem(sys.modules, "onecard.demo.command", SimpleNamespace(run=refuse))
    assert cli.main(["demo"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("url", "code"), [(None, "DATABASE_URL_MISSING"), ("postgresql:///x?host=/nowhere", "DATABASE_UNREACHABLE")]
)
@pytest.mark.parametrize("argv", [["check"], ["db", "migrate"], ["keys", "rotate-issuer"], ["terminals", "pair", "X"]])
def test_without_a_database_a_command_says_so_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    argv: list[str],
    url: str | None,
    code: str,
) -> None:
    monkeypatch.setenv("ONECARD_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("ONECARD_DATABASE_URL", raising=False)
    if url:
        monkeypatch.setenv("ONECARD_DATABASE_URL", url)
    assert cli.main(argv) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert code in said
    assert "\t" not in said


def test_an_unknown_option_is_refused() -> None:
    for argv in (["demo", "--prot", "1"], ["no-such"], ["db"]):
        with pytest.raises(SystemExit) as refused:
            cli.main(argv)
        assert refused.value.code == 2


def test_what_pytest_understands_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[list[str]] = []

    def main(arguments: list[str]) -> int:
        taken.append(arguments)
        return 0

    monkeypatch.setattr(pytest, "main", main)
    monkeypatch.chdir(os.curdir)
    assert cli.main(["test", "-m", "database", "tests/kit", "-k", "a or b"]) == 0
    assert taken == [[*cli.AT_ONCE, "-m", "database", "tests/kit", "-k", "a or b"]]


def test_an_unknown_measurement_names_those_there_are() -> None:
    with pytest.raises(NotFound, match="BENCH_UNKNOWN") as refused:
        cli.run_bench(SimpleNamespace(name="harness", json=False))  # type: ignore[arg-type]
    assert refused.value.next_en == "There are: codes, journals, ledger, pages, terms, uses."
