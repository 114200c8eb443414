"""Files of risk kinds: TOML decoded strictly, `<folder>/governance/risks/<kind>.toml`. No database.

A kind without `looks_at` is raised at once, by the verb that meets it; with it a job looks back over uses, or facts. A
wrong key, a wrong type or a value that makes no sense is refused with the file, the path inside it and what was
expected.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final

from onecard.foundation.errors import BadInput
from onecard_kit import item_files
from onecard_kit.expected import IN_BOTH_LANGUAGES, Expected, between, exactly_one_of
from onecard_kit.item_files import DeclarationError, Fault
from onecard_kit.terms import Bilingual, Declared, Medium
from onecard_kit.verdicts import Verdict

FILES: Final = "governance/risks/*.toml"
COUNT_MAX: Final = 100_000
# A week: what is looked back on is kept a little longer (`kernel.uses.risks`).
WITHIN_MINUTES_MAX: Final = 7 * 24 * 60
# Facts are read anew in each turn; a day of one client are not too many.
LOOKS_MINUTES_MAX: Final = 24 * 60
_KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Severity(StrEnum):
    """How soon somebody should look. In order."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class By(StrEnum):
    """What uses are counted by: the subject of the fact."""

    TERMINAL = "terminal"
    POINT = "point"
    CARD = "card"
    CITY = "city"


class Looker(StrEnum):
    """Who looks at holders' data: the subject of the fact."""

    OFFICER = "officer"
    CLIENT = "client"


class Uses(Declared, frozen=True, kw_only=True):
    """`count` uses that came to one of these verdicts, at no fewer than so many `terminals`, `within_minutes`."""

    verdicts: tuple[Verdict, ...]
    media: tuple[Medium, ...] = tuple(Medium)
    by: By
    count: int
    within_minutes: int
    terminals: int = 1


class OfflineLines(Declared, frozen=True, kw_only=True):
    """`count` lines that a gate decided without a line, `within_minutes` by their own time: admitted by hand
    (`manual`), refused while the platform had admitted and the answer was lost (`turned_away`), or on a list older than
    so many minutes.
    """

    manual: bool = False
    turned_away: bool = False
    list_older_minutes: int | None = None
    by: By
    count: int
    within_minutes: int


class Places(Declared, frozen=True, kw_only=True):
    """Two admissions of one card `within_minutes` at points so far `apart_km` that getting there took more than
    `faster_than_kmh`. Points without a position on the map are nowhere.
    """

    apart_km: int
    faster_than_kmh: int
    within_minutes: int


class Journals(Declared, frozen=True, kw_only=True):
    """A journal that was found broken `within_minutes`: a line of it is missing, or was altered."""

    within_minutes: int


class Looks(Declared, frozen=True, kw_only=True):
    """So many different `holders` of whom one officer, or one client, learned something `within_minutes`, by the facts
    that looking leaves.
    """

    by: Looker
    holders: int
    within_minutes: int


Rule = Uses | OfflineLines | Places | Journals | Looks


class LooksAt(Declared, frozen=True, kw_only=True):
    """What a job looks back on: exactly one of these."""

    uses: Uses | None = None
    offline_lines: OfflineLines | None = None
    places: Places | None = None
    journals: Journals | None = None
    looks: Looks | None = None

    @property
    def rule(self) -> Rule:
        found = self.uses or self.offline_lines or self.places or self.journals or self.looks
        assert found is not None
        return found


class RiskKind(Declared, frozen=True, kw_only=True):
    """A kind of risk fact (风险种类): what it is called, what it means, and what a clerk is advised to do."""

    kind: str
    severity: Severity
    name: Bilingual
    meaning: Bilingual
    advice: tuple[Bilingual, ...]
    looks_at: LooksAt | None = None


def read(folder: Path) -> tuple[RiskKind, ...]:
    """The kinds that a folder of scenarios declares, in path order. Raises BadInput RISK_FILE_INVALID."""
    try:
        return tuple(_kind(path, str(path.relative_to(folder))) for path in sorted(folder.glob(FILES)))
    except DeclarationError as error:
        raise BadInput(
            "RISK_FILE_INVALID",
            f"风险种类文件有误：{error.zh}",
            f"A file of a risk kind cannot be taken: {error}",
            next_zh="请按提示修改文件后重新装载；未作任何改动。",
            next_en="Correct the file and load again; nothing was changed.",
        ) from error


def _kind(path: Path, file: str) -> RiskKind:
    kind = from_plain(item_files.plain_of(item_files.text_of(path, file), file), file)
    if kind.kind != path.stem:
        told = Expected(f"按文件名应为 {path.stem}", f"expected {path.stem}, after the file's name")
        raise DeclarationError(file, "$.kind", told)
    for at, expected in _faults(kind):
        raise DeclarationError(file, at, expected)
    return kind


def from_plain(raw: dict[str, object], file: str) -> RiskKind:
    """Decode plain data (from TOML, or a stored kind's JSON). Raises DeclarationError."""
    return item_files.decoded(raw, RiskKind, file)


def _faults(kind: RiskKind) -> Iterator[Fault]:
    if not _KIND.fullmatch(kind.kind):
        yield "$.kind", Expected("应为小写名称", "expected a name in lower case")
    advised = [(f"$.advice[{n}]", each) for n, each in enumerate(kind.advice)]
    for at, words in (("$.name", kind.name), ("$.meaning", kind.meaning), *advised):
        if not (words.zh.strip() and words.en.strip()):
            yield at, IN_BOTH_LANGUAGES
    if not kind.advice:
        yield "$.advice", Expected("至少要有一件工作人员可以做的事", "expected at least one thing that a clerk can do")
    if kind.looks_at is not None:
        yield from _rule_faults(kind.looks_at)


def _rule_faults(looks_at: LooksAt) -> Iterator[Fault]:
    named = [name for name in LooksAt.__struct_fields__ if getattr(looks_at, name) is not None]
    if len(named) != 1:
        yield "$.looks_at", exactly_one_of(LooksAt.__struct_fields__)
        return
    at, rule = f"$.looks_at.{named[0]}", looks_at.rule
    if not 1 <= rule.within_minutes <= WITHIN_MINUTES_MAX:
        yield f"{at}.within_minutes", between(1, WITHIN_MINUTES_MAX)
    if isinstance(rule, Places):
        yield from _places_faults(at, rule)
    if isinstance(rule, Looks):
        yield from _looks_faults(at, rule)
    if isinstance(rule, Places | Journals | Looks):
        return
    if not 1 <= rule.count <= COUNT_MAX:
        yield f"{at}.count", between(1, COUNT_MAX)
    yield from _uses_faults(at, rule) if isinstance(rule, Uses) else _offline_faults(at, rule)


def _uses_faults(at: str, rule: Uses) -> Iterator[Fault]:
    if not rule.verdicts:
        yield f"{at}.verdicts", Expected("至少要有一种判定", "expected at least one verdict")
    if not rule.media:
        yield f"{at}.media", Expected("至少要有一种出示方式", "expected at least one medium")
    if not 1 <= rule.terminals <= rule.count:
        yield f"{at}.terminals", Expected("应为 1 至 count", "expected 1 to count")


def _offline_faults(at: str, rule: OfflineLines) -> Iterator[Fault]:
    if rule.manual + rule.turned_away + (rule.list_older_minutes is not None) != 1:
        yield at, exactly_one_of(("manual", "turned_away", "list_older_minutes"))
    if rule.list_older_minutes is not None and not 1 <= rule.list_older_minutes <= COUNT_MAX:
        yield f"{at}.list_older_minutes", between(1, COUNT_MAX)


def _looks_faults(at: str, rule: Looks) -> Iterator[Fault]:
    if not 1 <= rule.holders <= COUNT_MAX:
        yield f"{at}.holders", between(1, COUNT_MAX)
    if rule.within_minutes > LOOKS_MINUTES_MAX:
        yield f"{at}.within_minutes", between(1, LOOKS_MINUTES_MAX)


def _places_faults(at: str, rule: Places) -> Iterator[Fault]:
    if not 1 <= rule.apart_km <= 20_000:
        yield f"{at}.apart_km", between(1, 20_000)
    if not 10 <= rule.faster_than_kmh <= 1_000:
        yield f"{at}.faster_than_kmh", between(10, 1_000)
