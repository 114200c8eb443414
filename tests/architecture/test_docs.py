"""The pages say what the code does: generated tables, settings, links, paths, both languages."""

import ast
import re
from pathlib import Path

import pytest
from tests.architecture.repository import ROOT, SOURCE, kept, name, pages, text_of
from tools import docs, item_pages

from onecard import cli
from onecard_kit.verdicts import WORDS, Verdict

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
CHINESE = re.compile("[一-鿿]")
VARIABLE = re.compile(r"ONECARD(_[A-Z]+)+")
COMMAND = re.compile(r"\./onecard ((?:[a-z][a-z-]*)(?: [a-z][a-z-]+)?)")
TEST_PATH = re.compile(r"`(tests/[\w/.]+)`")


@pytest.mark.parametrize("page", docs.pages(), ids=name)
def test_generated_sections_are_as_the_code_is(page: Path) -> None:
    """If this fails: python tools/docs.py"""
    assert docs.rewritten(text_of(page)) == text_of(page)


def test_every_item_has_its_page_as_its_file_is() -> None:
    """If this fails: python tools/docs.py"""
    assert item_pages.write(ROOT / "docs/items", check=True) == []


def test_every_verdict_has_its_words_in_both_languages() -> None:
    assert set(WORDS) == set(Verdict)
    for verdict, words in WORDS.items():
        assert CHINESE.search(words.zh), verdict
        assert words.en, verdict
        assert not CHINESE.search(words.en + words.next_en), verdict
        assert bool(words.next_zh) == bool(words.next_en) == (verdict is not Verdict.ADMITTED), verdict


def _variables(folder: Path) -> set[str]:
    """The ONECARD_ names that stand as whole texts in the code: what it reads from an environment or sets there."""
    return {
        node.value
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(text_of(path)))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and VARIABLE.fullmatch(node.value)
    }


def test_every_variable_of_the_environment_is_in_the_operations_page() -> None:
    written = set(re.findall(r"^\| `(ONECARD_[A-Z_]+)` \|", text_of(ROOT / "docs/operations.md"), re.MULTILINE))
    read = _variables(SOURCE) | {v for v in _variables(ROOT / "tests") if v.startswith("ONECARD_" + "TEST_")}
    assert written == read


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for target in LINK.findall(FENCE.sub("", text_of(page))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        if not found.exists() or (anchor and anchor not in _anchors(found)):
            broken.append(target)
    assert broken == []


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and GitLab make them."""
    headings = (heading for _, heading in HEADING.findall(FENCE.sub("", text_of(page))))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    known = {command.words for command in cli.COMMANDS} | {"onecard"}
    groups = {words.partition(" ")[0] for words in known}
    for words in COMMAND.findall(text_of(page)):
        first, _, second = words.partition(" ")
        assert words in known or first in known or (not second and first in groups), words


def test_the_two_readmes_have_the_same_headings() -> None:
    english, chinese = (
        [len(level) for level, _ in HEADING.findall(FENCE.sub("", text_of(ROOT / readme)))]
        for readme in ("README.md", "README.zh-CN.md")
    )
    assert english == chinese


def test_decisions_are_numbered_in_a_row_and_name_tests_that_exist() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [page.name[:4] for page in decisions] == [f"{n:04d}" for n in range(1, len(decisions) + 1)]
    for page in decisions:
        headings = [heading for _, heading in HEADING.findall(text_of(page))]
        assert headings[1:] == ["Context", "Decision", "Consequences", "What enforces it"], page.name
        missing = [path for path in TEST_PATH.findall(text_of(page)) if not (ROOT / path).exists()]
        assert missing == [], page.name


def test_the_tree_of_the_architecture_page_is_the_tree() -> None:
    page = text_of(ROOT / "docs" / "architecture.md")
    tree = page.split("```")[1]
    drawn = set(re.findall(r"([a-z_]+)/", tree))
    house = {path.name for folder in ("onecard", "onecard/kernel") for path in _folders(SOURCE / folder)}
    assert house - drawn == set()
    named = {part for path in kept() for part in path.relative_to(ROOT).parts[:-1]}
    assert drawn - named == set()


def _folders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir() and any(kept_in(path))]


def kept_in(folder: Path) -> list[Path]:
    """The kept files below a folder."""
    return [path for path in kept() if folder in path.parents]


def test_pictures_are_drawn_for_everybody() -> None:
    """A title and a description for those who do not see them, a background for those whose viewer is dark."""
    for picture in sorted((ROOT / "docs" / "pictures").glob("*.svg")):
        text = text_of(picture)
        assert all(part in text for part in ("<title", "<desc", "<rect width=")), picture.name
        assert "http" not in text.replace("http://www.w3.org/2000/svg", ""), picture.name
