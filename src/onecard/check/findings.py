"""A finding: one invariant, whether it holds, and the figures behind it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Finding:
    """`code` is stable; `zh`/`en` say what should hold.

    numbers  ``checked`` is how many things were looked at; every other figure counts faults, unless `notes` names it
    lines    some of the faults, one line each, without personal data
    notes    figures that are for information
    """

    code: str
    zh: str
    en: str
    numbers: dict[str, int]
    lines: tuple[str, ...] = ()
    notes: frozenset[str] = field(default=frozenset({"checked"}))

    @property
    def ok(self) -> bool:
        """Whether the invariant holds."""
        return all(number == 0 for name, number in self.numbers.items() if name not in self.notes)

    def plain(self) -> dict[str, Any]:
        """As JSON carries it."""
        return {
            "code": self.code,
            "ok": self.ok,
            "zh": self.zh,
            "en": self.en,
            "numbers": self.numbers,
            "lines": list(self.lines),
        }
