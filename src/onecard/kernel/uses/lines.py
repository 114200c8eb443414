"""What goes into a group and what comes out: lines and answers."""

import datetime as dt
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from onecard.kernel.uses.present import Presented
from onecard_kit.decide import Decision
from onecard_kit.terms import Item, Leg
from onecard_kit.verdicts import Verdict

Key = tuple[int, UUID, int]
"""The caller's id of a line: terminal, journal, sequence."""


class Gate(msgspec.Struct, frozen=True):
    """What a gate without a line had made of a presentation before anybody else heard of it (`onecard_kit.journal`).

    `at` is by its clock as it stood, `correction_s` what was added to that, `paid_fen` what its terms came to,
    `oldest_list_s` how old the oldest list was that it decided by, `reason` its own words or its staff's.
    """

    verdict: str
    manual: bool
    at: dt.datetime
    correction_s: int = 0
    paid_fen: int = 0
    oldest_list_s: int | None = None
    reason: str | None = None

    @property
    def admitted(self) -> bool:
        """Whether somebody passed."""
        return self.manual or self.verdict == Verdict.ADMITTED


class Line(msgspec.Struct):
    """One presentation at a terminal. `content` is a digest of what was presented, never of the verdict.

    `bank` is what the bank answered when it was asked for `bank_fen` (``approved``, ``refused``, ``silent``); None
    before it was asked, ``away`` where there is none to ask. `gate` is there for a line of a journal, which is told
    after it happened.
    """

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
    leg: Leg | None = None
    bank: str | None = "away"
    bank_fen: int = 0
    gate: Gate | None = None

    @property
    def key(self) -> Key:
        return (self.terminal_id, self.journal, self.sequence)


class Answer(msgspec.Struct, frozen=True):
    """What the terminal is told about a line, first or repeated. Amounts in whole fen. `look`: staff are to compare the
    holder with their photo.
    """

    use_id: UUID
    verdict: Verdict
    item: Item | None
    full_fen: int
    paid_fen: int
    concession: str | None
    repeated: bool = False
    balance_fen: int | None = None
    waived_fen: int = 0
    held_fen: int | None = None
    look: bool = False


class BankAsked(msgspec.Struct, frozen=True):
    """Nothing is recorded yet: the holder pays by bank account, and the bank is to be asked for so much first."""

    amount_fen: int
    card_id: int
    item: str


class Rejected(msgspec.Struct, frozen=True):
    """A line that is not recorded: ``SEQUENCE_REUSED`` (its key was used with other content) or ``KEY_EXPIRED``."""

    code: str


class Taken(msgspec.Struct, frozen=True):
    """What became of a line of a journal. `verdict` is ours, `gate_verdict` the gate's, which stands. Whole fen.
    `given_back`: the use that it is about was given back.
    """

    use_id: UUID
    verdict: Verdict
    gate_verdict: str
    paid_fen: int
    shortfall_fen: int = 0
    borne_by: str | None = None
    double: bool = False
    repeated: bool = False
    given_back: bool = False


Outcome = Answer | Rejected | BankAsked
"""What becomes of a line."""
LateOutcome = Taken | Rejected
"""What becomes of a line of a journal."""


class OfflineLine(msgspec.Struct, frozen=True):
    """A line of a journal, about to be recorded beside its use. `stood` is what the admission came to where the use was
    recorded as refused before: it was told online first, and the answer was lost.
    """

    line: Line
    taken: Taken
    stood: Decision | None = None


@dataclass(frozen=True, slots=True)
class Risk:
    """A risk fact that the group leaves behind."""

    kind: str
    subject: str
    detail: dict[str, object]


class Transfer(msgspec.Struct, frozen=True, gc=False):
    """One movement of whole fen between two accounts of one ledger; `code` says why, `reference` is the use.

    `kind` is posted, pending (a hold), or post or void of the hold `pending`; these two have no accounts of their own,
    and a void no amount.
    """

    id: UUID
    debit: int | None
    credit: int | None
    amount_fen: int | None
    code: str
    reference: UUID
    kind: str = "posted"
    pending: UUID | None = None


class Charge(msgspec.Struct, frozen=True):
    """What a decision does to accounts: between whom, for which use, and which hold it resolves, if any.

    `id` is what its transfers' ids lie beside; `operator` and `sponsor` are owners (``party:3``), `bank` is the party
    whose account pays where the means is the bank. `shortfall_fen` is what none of these pays, but `borne_by`;
    `debtor` is the holder where it is they. `held_fen` is what the hold holds. `cleared_fen` of what comes into the
    purse goes on to the account `debt` of what its holder owes. `back` goes before: what a journey cost that ended by
    itself, and whose end was told after all.
    """

    id: UUID
    reference: UUID
    item: Item
    decision: Decision
    operator: str
    sponsor: str | None
    purse: int | None
    bank: int | None = None
    hold: UUID | None = None
    shortfall_fen: int = 0
    borne_by: str | None = None
    debtor: int | None = None
    held_fen: int = 0
    debt: int | None = None
    cleared_fen: int = 0
    back: tuple[Transfer, ...] = ()


class Use(msgspec.Struct):
    """A decided line, about to be recorded."""

    line: Line
    decision: Decision
    point_id: int
    item: Item | None
    item_version_id: int | None
    card_id: int | None


@dataclass(slots=True)
class Folded:
    """What a group came to: an answer for each line, and everything there is to write. `seen` are chip counters that
    were told late, by card.
    """

    answers: list[Outcome | Taken] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    nonces: list[tuple[bytes, dt.datetime]] = field(default_factory=list)
    counters: dict[int, int] = field(default_factory=dict)
    quotas: dict[tuple[int, str, str], int] = field(default_factory=dict)
    risks: list[Risk] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)
    lines: list[OfflineLine] = field(default_factory=list)
    seen: dict[int, set[int]] = field(default_factory=dict)
    further: "Further" = field(default_factory=lambda: Further())


@dataclass(slots=True)
class Further:
    """What only some items leave behind; rows as `save_further.sql` takes them."""

    begun: list[dict[str, object]] = field(default_factory=list)
    ended: list[dict[str, object]] = field(default_factory=list)
    sold: list[dict[str, object]] = field(default_factory=list)
    served: list[dict[str, object]] = field(default_factory=list)
    filled: dict[tuple[int, str, str], int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.begun or self.ended or self.sold or self.served or self.filled)
