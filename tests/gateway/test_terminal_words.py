"""What the terminal page says: each word in both languages, each that is asked for is there, none for nothing."""

import json
import re
from pathlib import Path

from onecard.gateway import page
from onecard_kit.pack import CODES, FIXED, KEYS

FOLDER = Path(page.__file__).parent / "terminal_page"
CHINESE = re.compile("[一-鿿]")
ENTRY = re.compile(r'^  (\w+): \[("(?:[^"\\]|\\.)*"), ("(?:[^"\\]|\\.)*")\],$', re.MULTILINE)
# Said in the language that it leads to, or the same in both.
NOT_TRANSLATED = {"language", "language_label"}
OWN = sorted((FOLDER / "js").glob("*.js"))
WORDS = {
    key: (json.loads(zh), json.loads(en)) for key, zh, en in ENTRY.findall((FOLDER / "js/words.js").read_text("utf-8"))
}


def asked_for() -> set[str]:
    """Every word that the page's files name, put together names by their parts."""
    said = "".join(path.read_text("utf-8") for path in OWN if path.name != "words.js")
    html = (FOLDER / "index.html").read_text("utf-8")
    found = set(re.findall(r'data-t(?:-label)?="(\w+)"', html))
    found |= {name for name in re.findall(r'"(\w+)"', said) if name in WORDS}
    found |= set(re.findall(r'\b(?:t|both)\("(\w+)"', said))
    stops = re.findall(r'\bstop\("(\w+)"', said)
    found |= {f"stop_{why}{end}" for why in stops for end in ("", "_next")}
    return found | {f"list_{name}" for name in (CODES, *FIXED, KEYS)}


def test_every_word_is_said_in_both_languages() -> None:
    assert len(WORDS) > 100
    for key, (zh, en) in WORDS.items():
        if key in NOT_TRANSLATED:
            continue
        assert CHINESE.search(zh), key
        assert en, key
        assert not CHINESE.search(en), key
        assert set(re.findall(r"\{\d\}", zh)) == set(re.findall(r"\{\d\}", en)), key


def test_every_word_that_is_asked_for_is_there_and_none_is_for_nothing() -> None:
    asked = asked_for()
    assert asked - set(WORDS) == set()
    assert set(WORDS) - asked == set()


def test_nothing_is_said_outside_the_words() -> None:
    """Chinese stands in the list of words, in comments never, and in the page only where no script ever comes."""
    for path in OWN:
        if path.name != "words.js":
            assert not CHINESE.search(path.read_text("utf-8")), path.name
    html = re.sub(r"<noscript>.*?</noscript>|<title>.*?</title>", "", (FOLDER / "index.html").read_text("utf-8"))
    assert not CHINESE.search(html)


def test_nothing_is_inline_or_evaluated() -> None:
    html = (FOLDER / "index.html").read_text("utf-8")
    assert re.findall(r"<script(?![^>]* src=)[^>]*>|<style|\sstyle=|\son\w+=", html) == []
    for path in [*OWN, *(FOLDER / "vendor").rglob("*.js"), FOLDER / "sw.js"]:
        said = path.read_text("utf-8")
        assert re.findall(r"\beval\(|new Function\(|\.innerHTML|insertAdjacentHTML|WebAssembly", said) == [], path.name
