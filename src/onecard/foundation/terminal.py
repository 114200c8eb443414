"""What people read on a terminal: in the language of their locale."""

import os
import sys

from onecard.foundation.errors import OneCardError


def speaks_chinese() -> bool:
    """Whether messages are wanted in Chinese, as POSIX reads the locale."""
    chosen = os.environ.get("LANGUAGE") or os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES")
    # LC_ALL=C.UTF-8 is set to obtain an encoding; it says nothing about the language.
    if not chosen or chosen.startswith("C."):
        chosen = os.environ.get("LANG", "")
    return chosen.startswith("zh")


def sentence(error: OneCardError) -> str:
    """An error in one line: what happened, what to do next, and its code."""
    parts = (error.zh, error.next_zh) if speaks_chinese() else (error.en, error.next_en)
    return f"{' '.join(part for part in parts if part)} [{error.code}]"


def say(zh: str, en: str = "") -> None:
    """One line of progress, on stderr so that it never mixes with a result."""
    print(f"onecard  {zh if speaks_chinese() or not en else en}", file=sys.stderr, flush=True)
