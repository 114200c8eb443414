"""What goes into a group and what comes out: lines and answers."""

import datetime as dt
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from onecard.kernel.uses.present import Presented
from onecard_kit.decide import Decision
from onecard_kit.terms import Item
from onecard_kit.verdicts import Verdict

Key = tuple[int, UUID, int]
"""The caller's id of a line: terminal, journal, sequence."""


class Line(msgspec.Struct):
    """One presentation at a terminal. `content` is a digest of what was presented, never of the verdict."""

    id: UUID
    at: dt.datetime
    terminal_id: int
    key_id: int
    journal: UUID
    sequence: int
    content: bytes
    item: str
    amount_fen: int | None
    presented: Presented

    @property
    def key(self) -> Key:
        return (self.terminal_id, self.journal, self.sequence)


class Answer(msgspec.Struct, frozen=True):
    """What the terminal is told about a line, first or repeated. Amounts in whole fen."""

    use_id: UUID
    verdict: Verdict
    item: Item | None
    full_fen: int
    paid_fen: int
    concession: str | None
    repeated: bool = False
    balance_fen: int | None = None


class Rejected(msgspec.Struct, frozen=True):
    """A line that is not recorded: ``SEQUENCE_REUSED`` (its key was used with other content) or ``KEY_EXPIRED``."""

    code: str


@dataclass(frozen=True, slots=True)
class Risk:
    """A risk fact that the group leaves behind."""

    kind: str
    subject: str
    detail: dict[str, object]


class Use(msgspec.Struct):
    """A decided line, about to be recorded."""

    line: Line
    decision: Decision
    point_id: int
    operator: str
    item: Item | None
    item_version_id: int | None
    card_id: int | None
    purse: int | None


@dataclass(slots=True)
class Folded:
    """What a group came to: an answer for each line, and everything there is to write."""

    answers: list[Answer | Rejected] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    nonces: list[tuple[bytes, dt.datetime]] = field(default_factory=list)
    counters: dict[int, int] = field(default_factory=dict)
    quotas: dict[tuple[int, str, dt.date], int] = field(default_factory=dict)
    risks: list[Risk] = field(default_factory=list)
