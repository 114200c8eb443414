"""What the person at the gate sees: a sign, the verdict, what to do next, what it cost; in the languages asked for."""

from collections.abc import Mapping
from typing import Any, Final

PASS, STOP = "✓", "✗"
_OFFLINE: Final = {"zh": "（离线）", "en": " (offline)"}
_PAID: Final = {"zh": "实付{}元", "en": "paid ¥{}"}


def text(result: Mapping[str, Any], language: str) -> str:
    """The lines of the screen for one result: one a language."""
    languages = ("zh", "en") if language == "both" else (language,)
    return "\n".join(_line(result, each) for each in languages)


def _line(result: Mapping[str, Any], language: str) -> str:
    words = [f"{PASS if result['admitted'] else STOP} {result[language]}"]
    if result["mode"] == "offline":
        words[0] += _OFFLINE[language]
    if result["admitted"] and result["paid_fen"]:
        fen = result["paid_fen"]
        words.append(_PAID[language].format(f"{fen // 100}.{fen % 100:02d}"))
    if not result["admitted"] and result[f"next_{language}"]:
        words.append(result[f"next_{language}"])
    return "  ".join(words)
