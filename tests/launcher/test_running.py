"""Which demo a command talks to."""

import os
from pathlib import Path

import pytest

from onecard.demo import running
from onecard.demo.command import screen

ENVIRONMENT = {"ONECARD_DATABASE_URL": "postgresql://onecard_owner@/onecard"}


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> running.Demo:
    """A note of a demo whose gateway answers."""
    monkeypatch.setattr("onecard.demo.running.answers", lambda port: True)
    monkeypatch.delenv("ONECARD_DATABASE_URL", raising=False)
    monkeypatch.delenv("ONECARD_DATA_DIR", raising=False)
    place = "http://localhost:{}".format
    demo = running.Demo(os.getpid(), place(1), place(2), place(3), str(tmp_path / "pockets.json"), ENVIRONMENT)
    running.leave_note(tmp_path, demo)
    return demo


def test_a_demo_on_another_folder_is_found_by_its_name(
    demo: running.Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONECARD_DATA_DIR", str(tmp_path))
    assert running.find(running.default_folder()) == demo
    running.lend_environment()
    assert os.environ["ONECARD_DATABASE_URL"] == ENVIRONMENT["ONECARD_DATABASE_URL"]


def test_an_address_that_is_named_stands(demo: running.Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONECARD_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("ONECARD_DATABASE_URL", "postgresql://elsewhere/onecard")
    running.lend_environment()
    assert os.environ["ONECARD_DATABASE_URL"] == "postgresql://elsewhere/onecard"


def test_the_screen_says_how_other_commands_find_it(demo: running.Demo, tmp_path: Path) -> None:
    assert f"export ONECARD_DATA_DIR={tmp_path}" in screen(demo, tmp_path)
    assert "export" not in screen(demo, running.default_folder())
